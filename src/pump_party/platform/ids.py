"""Where ids and secrets come from: a clock and a source of randomness, both passed in."""

import secrets
import threading
from collections.abc import Callable, Iterator

from pump_party.kernel.ids import RANDOM_BITS, uuid7
from pump_party.platform.clock import Clock

TOKEN_BYTES = 32
TAIL_BITS = 48
TAIL_MASK = (1 << TAIL_BITS) - 1
TAIL_DIGITS = 12
_FRESH_BYTES = RANDOM_BITS // 8
"""Leaves two bits of headroom, so that counting on within a millisecond never overflows."""


class Ids:
    """Makes UUIDv7 ids and opaque tokens. `randomness(n)` returns n random bytes.

    Ids of one process are strictly increasing, also within a millisecond (RFC 9562, section 6.2, method 1).
    """

    def __init__(self, clock: Clock, randomness: Callable[[int], bytes] = secrets.token_bytes) -> None:
        self._clock = clock
        self._randomness = randomness
        self._lock = threading.Lock()
        self._last_ms = -1
        self._last = 0

    def new(self) -> str:
        return next(self.take(1))

    def take(self, count: int) -> Iterator[str]:
        """This many ids, in order, for the price of one look at the clock."""
        now_ms = self._clock.now_ms()
        with self._lock:
            if now_ms > self._last_ms:
                self._last_ms = now_ms
                self._last = int.from_bytes(self._randomness(_FRESH_BYTES), "big")
            at_ms, first = self._last_ms, self._last + 1
            self._last += count
        # Ids of one call differ in their last 48 bits alone, unless those run over: the rest is formatted once.
        last = first + count - 1
        if first >> TAIL_BITS != last >> TAIL_BITS:
            return (uuid7(at_ms, number) for number in range(first, last + 1))
        head = uuid7(at_ms, first)[:-TAIL_DIGITS]
        tail = first & TAIL_MASK
        return (f"{head}{number:012x}" for number in range(tail, tail + count))

    def token(self) -> bytes:
        """256 random bits for a session, ticket or API key."""
        return self._randomness(TOKEN_BYTES)
