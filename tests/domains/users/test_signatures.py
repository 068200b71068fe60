import base64
from collections.abc import Callable
from random import Random

import base58
import pytest
from coincurve import PrivateKey
from tests.wallets import EvmWallet, SolanaWallet, Wallet, base64_text

from pump_party.domains.users.addresses import parse_wallet
from pump_party.domains.users.model import WalletAddress
from pump_party.domains.users.signatures import (
    EVM_SIGNATURE_BYTES_MAX,
    SECP256K1_ORDER,
    decode_evm_signature,
    eip191_hash,
    proves_key,
    recover_address,
)

MESSAGE = (
    "pump.test wants you to sign in with your account:\nsomebody\n\nSigning proves identity; it moves no funds.\n\n"
    "URI: https://pump.test\nVersion: 1\nChain ID: 1\nNonce: 00112233445566778899aabbccddeeff"
)
ED25519_ORDER = 2**252 + 27742317777372353535851937790883648493
MUTATIONS = 100_000


def address_of(wallet: Wallet) -> WalletAddress:
    return parse_wallet(wallet.chain, wallet.address, evm_chain_ids={4326})


def proves(wallet: Wallet, signature: str, signed_message: str | None = None) -> bool:
    return proves_key(address_of(wallet), MESSAGE, signature=signature, signed_message=signed_message)


def test_wallets_of_both_kinds_prove_their_key():
    for number in range(1, 40):
        solana, evm = SolanaWallet(number), EvmWallet(number)

        assert proves(solana, solana.sign(MESSAGE))
        assert proves(solana, solana.sign_base64(MESSAGE))
        assert proves(solana, solana.sign_base64(MESSAGE), base64_text(MESSAGE))
        assert proves(evm, evm.sign(MESSAGE))
        assert proves(evm, "0x" + evm.sign(MESSAGE)[2:].upper())


def test_another_wallets_signature_proves_nothing():
    assert not proves(SolanaWallet(1), SolanaWallet(2).sign(MESSAGE))
    assert not proves(EvmWallet(1), EvmWallet(2).sign(MESSAGE))
    assert not proves(EvmWallet(1), SolanaWallet(1).sign(MESSAGE))
    assert not proves(SolanaWallet(1), EvmWallet(1).sign(MESSAGE))


def test_the_hash_is_that_of_personal_sign():
    # The published example of EIP-191 version 0x45, as geth and MetaMask compute it.
    assert eip191_hash("Hello World").hex() == "a1de988600a42c4b4ab089b619297c17d53cffae5d5120d82d8a92d0bb3b78f2"


def test_the_recovery_byte_is_0_1_27_or_28():
    wallet = EvmWallet(9)
    raw = bytes.fromhex(wallet.sign(MESSAGE)[2:])
    good = raw[64]

    accepted = {v for v in range(256) if proves(wallet, "0x" + (raw[:64] + bytes([v])).hex())}

    assert accepted == {good, good - 27}


def test_the_high_s_twin_of_a_signature_is_refused():
    for number in range(1, 30):
        wallet = EvmWallet(number)
        raw = bytes.fromhex(wallet.sign(MESSAGE)[2:])
        twin_s = SECP256K1_ORDER - int.from_bytes(raw[32:64], "big")
        twin = raw[:32] + twin_s.to_bytes(32, "big") + bytes([55 - raw[64]])

        assert proves(wallet, "0x" + raw.hex())
        assert not proves(wallet, "0x" + twin.hex())


def test_numbers_outside_the_curves_order_are_refused():
    message_hash = eip191_hash(MESSAGE)
    raw = bytes.fromhex(EvmWallet(1).sign(MESSAGE)[2:])
    r, s, v = raw[:32], raw[32:64], raw[64:]
    zero, order, most = bytes(32), SECP256K1_ORDER.to_bytes(32, "big"), b"\xff" * 32
    for bad in (zero, order, most):
        assert recover_address(message_hash, bad + s + v) is None
        assert recover_address(message_hash, r + bad + v) is None
    assert recover_address(message_hash, bytes(31) + b"\x05" + s + v) is None, "5 is no x of a point"


def test_the_twin_of_an_ed25519_signature_is_refused():
    wallet = SolanaWallet(4)
    raw = wallet.sign_bytes(MESSAGE.encode())
    twin_s = int.from_bytes(raw[32:], "little") + ED25519_ORDER
    twin = raw[:32] + twin_s.to_bytes(32, "little")

    assert proves(wallet, base64.b64encode(raw).decode())
    assert not proves(wallet, base64.b64encode(twin).decode())


def test_a_small_order_key_signs_nothing_although_the_equation_holds():
    # With the identity as key, R = [S]B satisfies every message; R = identity, S = 0 is the simplest.
    identity = b"\x01" + bytes(31)
    forged = base64.b64encode(identity + bytes(32)).decode()
    for key in (identity, b"\x01" + bytes(30) + b"\x80", bytes(32), b"\xec" + b"\xff" * 30 + b"\x7f"):
        weak = WalletAddress(chain="solana", address=base58.b58encode(key).decode(), evm_chain_id=None)
        assert not proves_key(weak, MESSAGE, signature=forged, signed_message=None)


def test_a_signature_has_one_spelling():
    solana, evm = SolanaWallet(1), EvmWallet(1)
    base58_text, base64_form, hex_text = solana.sign(MESSAGE), solana.sign_base64(MESSAGE), evm.sign(MESSAGE)
    raw = solana.sign_bytes(MESSAGE.encode())
    bad_solana = [
        "",
        base58_text + " ",
        " " + base58_text,
        base58_text + "\n",
        "1" + base58_text,
        base58_text + "é",
        base64_form.rstrip("="),
        base64_form + "=",
        base64_form + "\n",
        " " + base64_form,
        base64_form[:-3] + chr(ord(base64_form[-3]) + 1) + "==",
        base64.urlsafe_b64encode(raw).decode() if b"+" in base64.b64encode(raw) else base64_form[1:],
        base64.b64encode(raw[:63]).decode(),
        base64.b64encode(raw + b"\0").decode(),
        raw.hex(),
        "0x" + raw.hex(),
        base58.b58encode(raw[:63]).decode(),
        "z" * 100_000,
        "=" * 88,
    ]
    bad_evm = ["", "0x", hex_text[2:], "0X" + hex_text[2:], hex_text + "00", hex_text[:-2], hex_text[:-1]]
    bad_evm += [hex_text + "\n", hex_text[:-1] + "g", hex_text[:-1] + "\N{FULLWIDTH DIGIT ONE}", "0x" + "ab" * 100_000]

    assert [s for s in bad_solana if proves(solana, s)] == []
    assert [s for s in bad_evm if proves(evm, s)] == []


def test_a_long_signature_is_for_contracts_and_bounded():
    assert decode_evm_signature("0x" + "ab" * EVM_SIGNATURE_BYTES_MAX) == b"\xab" * EVM_SIGNATURE_BYTES_MAX
    assert decode_evm_signature("0x" + "ab" * (EVM_SIGNATURE_BYTES_MAX + 1)) is None


def test_the_signed_message_is_the_message_or_nothing():
    wallet = SolanaWallet(1)
    signature = wallet.sign(MESSAGE)
    others = [
        "",
        " ",
        MESSAGE,
        base64_text(MESSAGE) + "\n",
        base64_text(MESSAGE).rstrip("=") + "A",
        base64_text(MESSAGE + "\n"),
        base64_text(MESSAGE.replace("\n", "\r\n")),
        base64_text("\xff" + MESSAGE),
        base64_text(MESSAGE[:-1]),
        "é",
    ]

    assert [other for other in others if proves(wallet, signature, other)] == []


def mutate(rng: Random, data: bytes) -> bytes:
    """One small change somewhere: a flipped bit, a byte put in, left out, doubled or swapped."""
    at = rng.randrange(len(data))
    kind = rng.randrange(5)
    if kind == 0:
        return data[:at] + bytes([data[at] ^ 1 << rng.randrange(8)]) + data[at + 1 :]
    if kind == 1:
        return data[:at] + bytes([rng.randrange(256)]) + data[at:]
    if kind == 2:
        return data[:at] + data[at + 1 :]
    if kind == 3:
        return data[:at] + data[at : at + rng.randrange(1, 9)] + data[at:]
    other = rng.randrange(len(data))
    swapped = bytearray(data)
    swapped[at], swapped[other] = data[other], data[at]
    return bytes(swapped)


def evm_signature(wallet: EvmWallet) -> Callable[[bytes], str]:
    """Half the time the wallet signs the changed text, half the time its good signature is changed."""
    good = bytes.fromhex(wallet.sign(MESSAGE)[2:])
    key = PrivateKey(bytes.fromhex(wallet.secret_hex()))
    rng = Random(1)

    def changed(text: bytes) -> str:
        if rng.random() < 0.5:
            return "0x" + key.sign_recoverable(eip191_hash(text.decode("latin-1")), hasher=None).hex()
        while (bad := mutate(rng, good)) == good:
            pass
        return "0x" + bad.hex()

    return changed


def solana_signature(wallet: SolanaWallet) -> Callable[[bytes], str]:
    """Half the time the wallet signs the changed text, half the time its good signature is changed."""
    good = wallet.sign_bytes(MESSAGE.encode())
    rng = Random(2)

    def changed(text: bytes) -> str:
        if rng.random() < 0.5:
            return base64.b64encode(wallet.sign_bytes(text)).decode()
        while (bad := mutate(rng, good)) == good:
            pass
        return base64.b64encode(bad).decode()

    return changed


@pytest.mark.parametrize("chain", ["solana", "evm"])
def test_of_a_hundred_thousand_changed_texts_and_signatures_none_is_accepted(chain: str):
    solana, evm = SolanaWallet(6), EvmWallet(6)
    wallet, signature_for = (solana, solana_signature(solana)) if chain == "solana" else (evm, evm_signature(evm))
    address, message = address_of(wallet), MESSAGE.encode()
    rng = Random(3)

    accepted = []
    for number in range(MUTATIONS // 2):
        while (text := mutate(rng, message)) == message:
            pass
        signature = signature_for(text)
        signed_message = base64.b64encode(text).decode() if number % 3 == 0 else None
        if proves_key(address, MESSAGE, signature=signature, signed_message=signed_message):
            accepted.append((text, signature))

    assert accepted == []
