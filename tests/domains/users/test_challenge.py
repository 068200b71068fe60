from pump_party.domains.users.challenge import LinkRequest, build_message
from pump_party.domains.users.model import WalletAddress

ISSUED_AT_MS = 1_750_000_000_123
EVM = WalletAddress(chain="eip155:4326", address="0x5aAeb6053F3E94C9b9A09f33669435E7Ef1BeAed", evm_chain_id=4326)
SOLANA = WalletAddress(chain="solana", address="6ASf5EcmmEHTgDJ4X4ZT5vT6iHVJBXPg5AN5YoTCpGWt", evm_chain_id=None)


def build(wallet: WalletAddress, link: LinkRequest | None = None) -> str:
    return build_message(
        wallet,
        domain="pump.test:8400",
        uri="https://pump.test:8400",
        nonce="00112233445566778899aabbccddeeff",
        issued_at_ms=ISSUED_AT_MS,
        link=link,
    )


def test_an_evm_wallet_gets_the_whole_text_of_eip_4361():
    assert build(EVM) == (
        "pump.test:8400 wants you to sign in with your Ethereum account:\n"
        "0x5aAeb6053F3E94C9b9A09f33669435E7Ef1BeAed\n"
        "\n"
        "Signing proves identity; it moves no funds.\n"
        "\n"
        "URI: https://pump.test:8400\n"
        "Version: 1\n"
        "Chain ID: 4326\n"
        "Nonce: 00112233445566778899aabbccddeeff\n"
        "Issued At: 2025-06-15T15:06:40.123Z\n"
        "Expiration Time: 2025-06-15T15:11:40.123Z"
    )


def test_a_solana_wallet_gets_the_same_form_with_its_account_and_chain():
    assert build(SOLANA) == (
        "pump.test:8400 wants you to sign in with your Solana account:\n"
        "6ASf5EcmmEHTgDJ4X4ZT5vT6iHVJBXPg5AN5YoTCpGWt\n"
        "\n"
        "Signing proves identity; it moves no funds.\n"
        "\n"
        "URI: https://pump.test:8400\n"
        "Version: 1\n"
        "Chain ID: solana:mainnet\n"
        "Nonce: 00112233445566778899aabbccddeeff\n"
        "Issued At: 2025-06-15T15:06:40.123Z\n"
        "Expiration Time: 2025-06-15T15:11:40.123Z"
    )


def test_a_text_that_links_says_so_and_names_the_challenge_and_the_user():
    lines = build(EVM, LinkRequest(challenge_id="c-1", user_id="u-1")).splitlines()

    assert lines[3] == "Signing links this wallet to your Pump Party user; it moves no funds."
    assert lines[-1] == "Request ID: link:c-1:u-1"
