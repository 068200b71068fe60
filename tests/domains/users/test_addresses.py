import base58
import pytest
from tests.wallets import EvmWallet, SolanaWallet

from pump_party.domains.users.addresses import checksum_address, contract_identity, key_identity, parse_wallet
from pump_party.kernel.errors import Invalid

CHAINS = frozenset({1, 4326})

EIP_55_TEXT = """
    0x5aAeb6053F3E94C9b9A09f33669435E7Ef1BeAed
    0xfB6916095ca1df60bB79Ce92cE3Ea74c37c5d359
    0xdbF03B407c01E7cD3CBea99509d93f8DDDC8C6FB
    0xD1220A0cf47c7B9Be7A2E6BA89F429762e7b9aDb
    0x52908400098527886E0F7030069857D2E4169EE7
    0xde709f2102306220921060314715629080e2fb77
"""

WEAK_KEYS_TEXT = """
    0000000000000000000000000000000000000000000000000000000000000000
    0100000000000000000000000000000000000000000000000000000000000000
    ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f
    0000000000000000000000000000000000000000000000000000000000000080
    26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05
    26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc85
    c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a
    c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac03fa
    edffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f
    eeffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f
    0100000000000000000000000000000000000000000000000000000000000080
    ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff
    ffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff
"""


EIP_55 = EIP_55_TEXT.split()
SMALL_ORDER_OR_NOT_CANONICAL = WEAK_KEYS_TEXT.split()


@pytest.mark.parametrize("address", EIP_55)
def test_addresses_get_the_letter_case_of_the_published_examples(address: str):
    assert checksum_address(bytes.fromhex(address[2:])) == address


def test_every_spelling_of_an_evm_address_is_one_identity_on_every_chain():
    wallet = EvmWallet(5)
    spellings = {wallet.address, wallet.address.lower(), "0x" + wallet.address[2:].upper()}
    spellings.add("0x" + wallet.address[2:].swapcase())

    identities = {
        key_identity(parse_wallet(f"eip155:{chain_id}", spelling, evm_chain_ids=CHAINS))
        for chain_id in CHAINS
        for spelling in spellings
    }

    assert identities == {f"eip155:{wallet.address}"}


def test_what_a_contract_proves_counts_on_its_chain_only():
    wallets = [parse_wallet(f"eip155:{chain_id}", EIP_55[0], evm_chain_ids=CHAINS) for chain_id in (1, 4326)]

    identities = {contract_identity(wallet) for wallet in wallets} | {key_identity(wallets[0])}

    assert identities == {f"eip155:1:{EIP_55[0]}", f"eip155:4326:{EIP_55[0]}", f"eip155:{EIP_55[0]}"}


def test_a_solana_address_is_its_own_canonical_form():
    wallet = SolanaWallet(3)

    parsed = parse_wallet("solana", wallet.address, evm_chain_ids=CHAINS)

    assert (parsed.address, key_identity(parsed)) == (wallet.address, f"solana:{wallet.address}")


@pytest.mark.parametrize("key", SMALL_ORDER_OR_NOT_CANONICAL)
def test_a_weak_ed25519_key_is_not_an_address(key: str):
    with pytest.raises(Invalid, match="ed25519"):
        parse_wallet("solana", base58.b58encode(bytes.fromhex(key)).decode(), evm_chain_ids=CHAINS)


def test_white_space_is_no_part_of_a_short_address():
    short = next(wallet for wallet in map(SolanaWallet, range(1, 500)) if len(wallet.address) == 43)
    assert parse_wallet("solana", short.address, evm_chain_ids=CHAINS).address == short.address

    for text in (short.address + " ", " " + short.address, short.address + "\n", short.address + "\t"):
        with pytest.raises(Invalid):
            parse_wallet("solana", text, evm_chain_ids=CHAINS)


def test_anything_but_one_spelling_of_an_address_on_a_known_chain_is_refused():
    solana, evm = SolanaWallet().address, EvmWallet().address
    rows = [
        ("solana", "", "bad_address"),
        ("solana", solana + " ", "bad_address"),
        ("solana", " " + solana, "bad_address"),
        ("solana", solana + "\n", "bad_address"),
        ("solana", "1" + solana, "bad_address"),
        ("solana", solana[:-1], "bad_address"),
        ("solana", solana.replace(solana[3], "0"), "bad_address"),
        ("solana", solana[:-1] + "é", "bad_address"),
        ("solana", "z" * 10_000, "bad_address"),
        ("solana", evm, "bad_address"),
        ("eip155:1", solana, "bad_address"),
        ("eip155:1", evm[2:], "bad_address"),
        ("eip155:1", "0X" + evm[2:], "bad_address"),
        ("eip155:1", evm + "0", "bad_address"),
        ("eip155:1", evm + "\n", "bad_address"),
        ("eip155:1", evm[:-1] + "g", "bad_address"),
        ("eip155:1", evm[:-1] + "\N{ARABIC-INDIC DIGIT ONE}", "bad_address"),
        ("eip155:10", evm, "unknown_chain"),
        ("eip155:01", evm, "unknown_chain"),
        ("eip155:", evm, "unknown_chain"),
        ("eip155:-1", evm, "unknown_chain"),
        ("eip155:1\n", evm, "unknown_chain"),
        ("eip155:\N{ARABIC-INDIC DIGIT ONE}", evm, "unknown_chain"),
        ("EIP155:1", evm, "unknown_chain"),
        ("Solana", solana, "unknown_chain"),
        ("solana:mainnet", solana, "unknown_chain"),
        ("bip122:000000000019d6689c085ae165831e93", solana, "unknown_chain"),
        ("", evm, "unknown_chain"),
    ]
    for chain, address, code in rows:
        with pytest.raises(Invalid) as refusal:
            parse_wallet(chain, address, evm_chain_ids=CHAINS)
        assert refusal.value.code == code, (chain, address[:60])
        assert refusal.value.field == ("chain" if code == "unknown_chain" else "address")
