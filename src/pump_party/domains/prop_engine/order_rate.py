"""Count an account's orders of the last minute, exactly, from the times it carries itself. Pure.

Times are eight bytes each, oldest first. There are never more of them than the limit: an order beyond it is refused
and leaves no time.
"""

import struct

MINUTE_MS = 60_000


def orders_last_minute(order_times: bytes, *, now_ms: int) -> int:
    """How many orders are younger than a minute."""
    return sum(at_ms > now_ms - MINUTE_MS for at_ms in _read(order_times))


def with_order(order_times: bytes, *, now_ms: int) -> bytes:
    """The times after one more order, without those that are a minute old."""
    recent = [at_ms for at_ms in _read(order_times) if at_ms > now_ms - MINUTE_MS]
    return struct.pack(f">{len(recent) + 1}q", *recent, now_ms)


def _read(order_times: bytes) -> tuple[int, ...]:
    return struct.unpack(f">{len(order_times) // 8}q", order_times)
