"""Backend-owned ids: UUIDv7 text, ordered by time, safe to show. A wallet address is never one of them."""

import uuid
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

Market = NewType("Market", str)
"""A market symbol such as "SOL-USDC"."""

RANDOM_BYTES = 10


def uuid7(now_ms: int, randomness: bytes) -> str:
    """Build a UUIDv7 (RFC 9562, section 5.7) from a time and ten random bytes."""
    assert len(randomness) == RANDOM_BYTES
    assert 0 <= now_ms < 2**48
    value = now_ms << 80 | int.from_bytes(randomness, "big")
    value = value & ~(0xF << 76) | 0x7 << 76
    value = value & ~(0x3 << 62) | 0x2 << 62
    digits = f"{value:032x}"
    return f"{digits[:8]}-{digits[8:12]}-{digits[12:16]}-{digits[16:20]}-{digits[20:]}"


def is_uuid(text: str) -> bool:
    """Tell whether a path or frame carries a well-formed id, so that a bad one never reaches a query."""
    try:
        return len(text) == 36 and str(uuid.UUID(text)) == text
    except ValueError:
        return False
