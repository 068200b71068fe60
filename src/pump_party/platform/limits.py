"""Token buckets: how often something may happen. The arithmetic here is pure; `redis/limits.py` keeps the state."""

from typing import Protocol

import msgspec

from pump_party.kernel.money import ceil_div


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
    """Take one token. Returns the new bucket and 0, or the unchanged bucket and the wait in milliseconds.

    A refusal leaves the bucket's time alone: rounding on every try would let eager callers starve themselves.
    """
    full = limit.burst * 1000
    bucket = bucket or Bucket(full, now_ms)
    elapsed_ms = max(0, now_ms - bucket.at_ms)
    tokens = min(full, bucket.milli_tokens + elapsed_ms * limit.per_minute // 60)
    if tokens >= 1000:
        return Bucket(tokens - 1000, max(now_ms, bucket.at_ms)), 0
    return bucket, ceil_div((1000 - tokens) * 60, limit.per_minute)


class Limits(Protocol):
    async def take(self, limit: Limit, subject: str) -> int:
        """Take one token for a subject. Returns 0, or how many milliseconds to wait.

        Never fails open: when the shared state is away a bucket of this process decides.
        """
        ...
