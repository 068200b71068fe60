"""Which chains may sign in, the one spelling of an address, and what counts as the same wallet."""

import re
from collections.abc import Set as AbstractSet

import base58
from nacl.bindings import crypto_core_ed25519_is_valid_point

from pump_party.domains.users.keccak import keccak256
from pump_party.domains.users.model import WalletAddress
from pump_party.kernel.errors import Invalid

SOLANA = "solana"
EVM_NAMESPACE = "eip155"
SOLANA_KEY_BYTES = 32
SOLANA_ADDRESS_CHARS_MAX = 44

_EVM_CHAIN = re.compile(r"eip155:(0|[1-9][0-9]{0,11})", re.ASCII)
_EVM_ADDRESS = re.compile(r"0x[0-9a-fA-F]{40}", re.ASCII)


def parse_wallet(chain: str, address: str, *, evm_chain_ids: AbstractSet[int]) -> WalletAddress:
    """Read a wallet from the wire into its canonical form.

    An EVM address is accepted in any letter case and becomes EIP-55. Raises Invalid for a chain that may not
    sign in, and for an address that no key can have: a Solana address must be a point of prime order, so
    small-order and non-canonical keys never get a challenge.
    """
    if chain == SOLANA:
        return WalletAddress(chain=SOLANA, address=_solana_address(address), evm_chain_id=None)
    match = _EVM_CHAIN.fullmatch(chain)
    if match is None or int(match[1]) not in evm_chain_ids:
        raise Invalid("this chain may not sign in", code="unknown_chain", field="chain")
    if _EVM_ADDRESS.fullmatch(address) is None:
        raise Invalid("must be 0x and 40 hex digits", code="bad_address", field="address")
    return WalletAddress(chain=chain, address=checksum_address(bytes.fromhex(address[2:])), evm_chain_id=int(match[1]))


def _solana_address(text: str) -> str:
    key = decode_base58(text, chars_max=SOLANA_ADDRESS_CHARS_MAX)
    if key is None or len(key) != SOLANA_KEY_BYTES or not crypto_core_ed25519_is_valid_point(key):
        raise Invalid("must be the base58 of an ed25519 public key", code="bad_address", field="address")
    return text


def decode_base58(text: str, *, chars_max: int) -> bytes | None:
    """The bytes, or None unless `text` is the one canonical spelling of them."""
    if len(text) > chars_max or not text.isascii():
        return None
    try:
        decoded: bytes = base58.b58decode(text)
    except ValueError:
        return None
    return decoded if base58.b58encode(decoded) == text.encode() else None


def checksum_address(address: bytes) -> str:
    """Write 20 bytes with the letter case of EIP-55."""
    assert len(address) == 20
    digits = address.hex()
    marks = keccak256(digits.encode()).hex()
    return "0x" + "".join(
        digit.upper() if int(mark, 16) >= 8 else digit for digit, mark in zip(digits, marks, strict=False)
    )


def key_identity(wallet: WalletAddress) -> str:
    """The identity a private key proves. An EVM key is the same wallet on every chain."""
    namespace = SOLANA if wallet.evm_chain_id is None else EVM_NAMESPACE
    return f"{namespace}:{wallet.address}"


def contract_identity(wallet: WalletAddress) -> str:
    """The identity a contract proves. Only on its chain: elsewhere the address may be somebody else's contract."""
    assert wallet.evm_chain_id is not None
    return f"{EVM_NAMESPACE}:{wallet.evm_chain_id}:{wallet.address}"
