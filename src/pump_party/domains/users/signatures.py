"""Decides whether a signature proves that a wallet signed a text. No parsing of texts: only the stored bytes count."""

import base64
import binascii
import re

import base58
from coincurve import PublicKey
from nacl.exceptions import BadSignatureError
from nacl.signing import VerifyKey

from pump_party.domains.users.addresses import checksum_address, decode_base58
from pump_party.domains.users.keccak import keccak256
from pump_party.domains.users.model import WalletAddress

ED25519_SIGNATURE_BYTES = 64
ED25519_BASE58_CHARS_MAX = 88
ECDSA_SIGNATURE_BYTES = 65
EVM_SIGNATURE_BYTES_MAX = 4096
"""Contract wallets sign with more than 65 bytes; this is the most anyone may send."""

SECP256K1_ORDER = 0xFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFEBAAEDCE6AF48A03BBFD25E8CD0364141
RECOVERY_IDS = {0: 0, 1: 1, 27: 0, 28: 1}

_EVM_SIGNATURE = re.compile(rf"0x(?:[0-9a-fA-F]{{2}}){{1,{EVM_SIGNATURE_BYTES_MAX}}}", re.ASCII)


def proves_key(wallet: WalletAddress, message: str, *, signature: str, signed_message: str | None) -> bool:
    """Whether the private key of `wallet` signed exactly `message`.

    `signed_message` is what a Solana `signIn` wallet says it signed, in base64: it must be the same bytes.
    """
    if not is_same_text(message, signed_message):
        return False
    if wallet.evm_chain_id is None:
        return _proves_solana_key(wallet.address, message.encode(), signature)
    raw = decode_evm_signature(signature)
    return raw is not None and recover_address(eip191_hash(message), raw) == wallet.address


def is_same_text(message: str, signed_message: str | None) -> bool:
    """Whether `signed_message`, if there is one, is the base64 of `message`."""
    return signed_message is None or signed_message == base64.b64encode(message.encode()).decode()


def _proves_solana_key(address: str, message: bytes, signature: str) -> bool:
    raw = _decode_ed25519_signature(signature)
    if raw is None:
        return False
    try:
        VerifyKey(base58.b58decode(address)).verify(message, raw)
    except BadSignatureError:
        return False
    return True


def _decode_ed25519_signature(text: str) -> bytes | None:
    """Base64 of 64 bytes always ends in "==", which base58 does not know: one text has one meaning."""
    is_base64 = text.endswith("==")
    raw = _decode_base64(text) if is_base64 else decode_base58(text, chars_max=ED25519_BASE58_CHARS_MAX)
    return raw if raw is not None and len(raw) == ED25519_SIGNATURE_BYTES else None


def _decode_base64(text: str) -> bytes | None:
    if len(text) > ED25519_BASE58_CHARS_MAX:
        return None
    try:
        raw = base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        return None
    return raw if base64.b64encode(raw).decode() == text else None


def eip191_hash(message: str) -> bytes:
    """What `personal_sign` signs."""
    data = message.encode()
    return keccak256(b"\x19Ethereum Signed Message:\n" + str(len(data)).encode() + data)


def decode_evm_signature(text: str) -> bytes | None:
    """The bytes of 0x hex, None if it is anything else or too long."""
    if len(text) > 2 + 2 * EVM_SIGNATURE_BYTES_MAX or _EVM_SIGNATURE.fullmatch(text) is None:
        return None
    return bytes.fromhex(text[2:])


def recover_address(message_hash: bytes, signature: bytes) -> str | None:
    """The EIP-55 address whose key made this signature; None when there is none, or its form is not the one form.

    The upper half of `s` is refused (EIP-2): every signature has such a twin, and only one may count.
    """
    if len(signature) != ECDSA_SIGNATURE_BYTES or signature[64] not in RECOVERY_IDS:
        return None
    r, s = int.from_bytes(signature[:32], "big"), int.from_bytes(signature[32:64], "big")
    if not 0 < r < SECP256K1_ORDER or not 0 < s <= SECP256K1_ORDER // 2:
        return None
    recoverable = signature[:64] + bytes([RECOVERY_IDS[signature[64]]])
    try:
        key = PublicKey.from_signature_and_message(recoverable, message_hash, hasher=None)
    except ValueError:  # r is not the x of any point
        return None
    return checksum_address(keccak256(key.format(compressed=False)[1:])[12:])
