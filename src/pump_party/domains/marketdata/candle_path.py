"""The rule that turns a recorded one-minute candle into ticks. Same candle, same ticks.

Sixty ticks, tick k (1 to 60) at open + k * 1000 - 1 ms of tape time. Tick 1 is the open and tick 60 the close. In
between the path walks in straight lines from the open to the nearer extreme (tick 20), to the other extreme (tick 40)
and towards the middle of the range (tick 59), by open, high and low alone: nothing of the close shows before the last
millisecond of the candle. Every tick lies inside [low, high], both extremes are touched, so candles rebuilt from the
ticks are the recorded ones.
"""

from collections.abc import Sequence

import msgspec

CANDLE_MS = 60_000
TICKS = 60
TICK_MS = CANDLE_MS // TICKS
NEAR_TICK = 20
FAR_TICK = 40
MIDDLE_TICK = 59

EVERY_TICK: Sequence[int] = range(1, TICKS + 1)
SHAPE_TICKS: Sequence[int] = (1, NEAR_TICK, FAR_TICK, TICKS)
"""The four ticks that make the candle: enough to rebuild it, at speeds where sixty are too many."""


class RecordedCandle(msgspec.Struct, frozen=True):
    """One minute as recorded."""

    open_ms: int
    open_e8: int
    high_e8: int
    low_e8: int
    close_e8: int


def tick_ms(candle: RecordedCandle, tick: int) -> int:
    """When tick k is on the tape: the last millisecond of its second."""
    assert 1 <= tick <= TICKS
    return candle.open_ms + tick * TICK_MS - 1


def tick_e8(candle: RecordedCandle, tick: int) -> int:
    """The mid of tick k."""
    assert 1 <= tick <= TICKS
    if tick == TICKS:
        return candle.close_e8
    high_is_nearer = candle.high_e8 - candle.open_e8 <= candle.open_e8 - candle.low_e8
    near_e8, far_e8 = (candle.high_e8, candle.low_e8) if high_is_nearer else (candle.low_e8, candle.high_e8)
    if tick <= NEAR_TICK:
        return _between(candle.open_e8, near_e8, tick - 1, NEAR_TICK - 1)
    if tick <= FAR_TICK:
        return _between(near_e8, far_e8, tick - NEAR_TICK, FAR_TICK - NEAR_TICK)
    middle_e8 = (candle.high_e8 + candle.low_e8) // 2
    return _between(far_e8, middle_e8, tick - FAR_TICK, MIDDLE_TICK - FAR_TICK)


def _between(start_e8: int, end_e8: int, step: int, steps: int) -> int:
    """The point after `step` of `steps` on a straight line, rounded towards the start."""
    way_e8 = abs(end_e8 - start_e8) * step // steps
    return start_e8 + way_e8 if end_e8 >= start_e8 else start_e8 - way_e8
