"""Backend-owned ids: UUIDv7 text, ordered by time, safe to show. A wallet address is never one of them."""

import re
from typing import NewType

UserId = NewType("UserId", str)
WalletId = NewType("WalletId", str)
SessionId = NewType("SessionId", str)
ChallengeId = NewType("ChallengeId", str)
ApiKeyId = NewType("ApiKeyId", str)
AccountId = NewType("AccountId", str)
OrderId = NewType("OrderId", str)
FillId = NewType("FillId", str)
EventId = NewType("EventId", str)
JobId = NewType("JobId", str)
CloneId = NewType("CloneId", str)
VersionId = NewType("VersionId", str)
DeploymentId = NewType("DeploymentId", str)
RunId = NewType("RunId", str)
BacktestId = NewType("BacktestId", str)

Market = NewType("Market", str)
"""A market symbol such as "SOL-USDC"."""

RANDOM_BITS = 74

_UUID = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}", re.ASCII)


def uuid7(now_ms: int, randomness: int) -> str:
    """Build a UUIDv7 (RFC 9562, section 5.7) from a time and 74 random bits. Larger bits sort later."""
    assert 0 <= now_ms < 2**48
    assert 0 <= randomness < 2**RANDOM_BITS
    rand_a, rand_b = randomness >> 62, randomness & 0x3FFF_FFFF_FFFF_FFFF
    return (
        f"{now_ms >> 16:08x}-{now_ms & 0xFFFF:04x}-{0x7000 | rand_a:04x}-"
        f"{0x8000 | rand_b >> 48:04x}-{rand_b & 0xFFFF_FFFF_FFFF:012x}"
    )


HOUSE_USER = UserId("00000000-0000-7000-8000-000000000001")
"""Owns what the product itself brings along. No wallet leads to it."""


def is_uuid(text: str) -> bool:
    """Tell whether a path or frame carries a well-formed id, so that a bad one never reaches a query."""
    return _UUID.fullmatch(text) is not None
