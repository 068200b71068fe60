"""Hashes that make history tamper-evident: canonical bytes, a running chain and an RFC 6962 tree.

Formats are those of the contest bundle `ppbundle/1`, section 3.
"""

from collections.abc import Mapping, Sequence
from hashlib import sha256

import msgspec

GENESIS_PREFIX = b"PPCHAIN1\n"
_LEAF = b"\x00"
_NODE = b"\x01"
_LINK = b"\x02"

_encode = msgspec.json.Encoder(order="sorted").encode


def canonical(record: Mapping[str, str]) -> bytes:
    """Sorted keys, no spaces, every value a string: integers as decimals, absent things as absent keys."""
    return _encode(record)


def leaf_hash(line: bytes) -> bytes:
    return sha256(_LEAF + line).digest()


def genesis(chain_id: str) -> bytes:
    """The head of an empty chain."""
    return sha256(GENESIS_PREFIX + chain_id.encode()).digest()


def link(head: bytes, leaf: bytes) -> bytes:
    """The head after one more leaf."""
    return sha256(_LINK + head + leaf).digest()


def merkle_root(leaves: Sequence[bytes]) -> bytes:
    """The RFC 6962 tree head over leaf hashes; the hash of nothing for an empty tree."""
    if not leaves:
        return sha256(b"").digest()
    if len(leaves) == 1:
        return leaves[0]
    split = 1 << (len(leaves) - 1).bit_length() - 1
    return sha256(_NODE + merkle_root(leaves[:split]) + merkle_root(leaves[split:])).digest()
