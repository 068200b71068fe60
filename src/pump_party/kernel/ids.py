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

RANDOM_BITS = 74
_LOW_BITS = 62


def uuid7(now_ms: int, randomness: int) -> str:
    """Build a UUIDv7 (RFC 9562, section 5.7) from a time and 74 random bits. Larger bits sort later."""
    assert 0 <= now_ms < 2**48
    assert 0 <= randomness < 2**RANDOM_BITS
    high, low = randomness >> _LOW_BITS, randomness & (2**_LOW_BITS - 1)
    digits = f"{now_ms << 80 | 0x7 << 76 | high << 64 | 0x2 << 62 | low:032x}"
    return f"{digits[:8]}-{digits[8:12]}-{digits[12:16]}-{digits[16:20]}-{digits[20:]}"


def is_uuid(text: str) -> bool:
    """Tell whether a path or frame carries a well-formed id, so that a bad one never reaches a query."""
    try:
        return len(text) == 36 and str(uuid.UUID(text)) == text
    except ValueError:
        return False
