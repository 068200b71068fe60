"""A clock that runs and can be put forward, for what would else take seconds of waiting."""

from collections.abc import Iterator
from contextlib import contextmanager
from unittest.mock import patch

from pump_party.bootstrap import services
from pump_party.platform.clock import SystemClock


class LeapingClock(SystemClock):
    def __init__(self) -> None:
        self.ahead_ms = 0

    def now_ms(self) -> int:
        return super().now_ms() + self.ahead_ms

    def leap(self, milliseconds: int) -> None:
        self.ahead_ms += milliseconds


@contextmanager
def leaping_clock() -> Iterator[LeapingClock]:
    """Services built within the block share this clock."""
    clock = LeapingClock()
    with patch.object(services, "SystemClock", lambda: clock):
        yield clock
