"""Token buckets: how often something may happen. The arithmetic here is pure; `redis/limits.py` keeps the state."""

from typing import Protocol

import msgspec


class Limit(msgspec.Struct, frozen=True):
    """A named bucket: `burst` tokens, refilled at `per_minute` a minute."""

    name: str
    burst: int
    per_minute: int


class Bucket(msgspec.Struct, frozen=True):
    """Thousandths of a token left, as of a time."""

    milli_tokens: int
    at_ms: int


def take(limit: Limit, bucket: Bucket | None, *, now_ms: int) -> tuple[Bucket, int]:
    """Take one token. Returns the new bucket and 0, or the unchanged amount and the wait in milliseconds."""
    full = limit.burst * 1000
    if bucket is None:
        tokens = full
    else:
        elapsed_ms = max(0, now_ms - bucket.at_ms)
        tokens = min(full, bucket.milli_tokens + elapsed_ms * limit.per_minute // 60)
    if tokens >= 1000:
        return Bucket(tokens - 1000, now_ms), 0
    wait_ms = -(-(1000 - tokens) * 60 // limit.per_minute)
    return Bucket(tokens, now_ms), wait_ms


class Limits(Protocol):
    async def take(self, limit: Limit, subject: str) -> int:
        """Take one token for a subject. Returns 0, or how many milliseconds to wait.

        Never fails open: when the shared state is away a bucket of this process decides.
        """
        ...
