"""Keccak-256 as Ethereum uses it (not the later SHA3-256)."""

from eth_hash.backends import pycryptodome
from eth_hash.main import Keccak256

_keccak = Keccak256(pycryptodome.backend)


def keccak256(data: bytes) -> bytes:
    digest: bytes = _keccak(data)
    return digest
