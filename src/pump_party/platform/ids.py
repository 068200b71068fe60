"""Where ids and secrets come from: a clock and a source of randomness, both passed in."""

import secrets
from collections.abc import Callable

from pump_party.kernel.ids import RANDOM_BYTES, uuid7
from pump_party.platform.clock import Clock

TOKEN_BYTES = 32


class Ids:
    """Makes UUIDv7 ids and opaque tokens. `randomness(n)` returns n random bytes."""

    def __init__(self, clock: Clock, randomness: Callable[[int], bytes] = secrets.token_bytes) -> None:
        self._clock = clock
        self._randomness = randomness

    def new(self) -> str:
        return uuid7(self._clock.now_ms(), self._randomness(RANDOM_BYTES))

    def token(self) -> bytes:
        """256 random bits for a session, ticket or API key."""
        return self._randomness(TOKEN_BYTES)
