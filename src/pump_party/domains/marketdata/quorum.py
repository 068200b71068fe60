"""Which of several sources' prices is the price. Sources are compared and chosen between, never averaged.

One source is used with its confidence. Two that agree: the first of the configuration while it is fresh, so that the
price does not flicker between two books; the other one when it is not. Two that disagree: no price. Three or more:
the median, if at least one other source confirms it; the nearest fresh price that confirms it where it is stale.
"""

from collections.abc import Sequence

import msgspec

from pump_party.domains.marketdata.model import Tick
from pump_party.kernel.money import PPM

AGREEMENT_PPM_MAX = 10_000
"""Two prices further apart than 1 % of the smaller one disagree."""

FRESH_AGE_MS_MAX = 3_000
"""A price that is older than this gives way to a newer one that confirms it: no order may fill on it any more."""


class Choice(msgspec.Struct, frozen=True):
    """The tick whose mid is the price, and the confidence to use with it: never narrower than the tick's own."""

    tick: Tick
    conf_e8: int


def agree(one_e8: int, other_e8: int) -> bool:
    return abs(one_e8 - other_e8) * PPM <= AGREEMENT_PPM_MAX * min(one_e8, other_e8)


def choose(ticks: Sequence[Tick], *, now_ms: int) -> Choice | None:
    """The price among the newest admitted ticks of the live sources, in configured order; None when they disagree."""
    assert ticks
    if len(ticks) == 1:
        return Choice(ticks[0], ticks[0].conf_e8)
    if len(ticks) == 2:
        return _choose_of_two(ticks[0], ticks[1], now_ms=now_ms)
    return _choose_median(ticks, now_ms=now_ms)


def _choose_of_two(first: Tick, second: Tick, *, now_ms: int) -> Choice | None:
    if not agree(first.mid_e8, second.mid_e8):
        return None
    tick = second if _is_stale(first, now_ms=now_ms) and second.publish_ms > first.publish_ms else first
    return Choice(tick, tick.conf_e8)


def _is_stale(tick: Tick, *, now_ms: int) -> bool:
    return now_ms - tick.publish_ms > FRESH_AGE_MS_MAX


def _choose_median(ticks: Sequence[Tick], *, now_ms: int) -> Choice | None:
    by_mid = sorted(ticks, key=lambda tick: tick.mid_e8)
    middle = by_mid[(len(by_mid) - 1) // 2 : len(by_mid) // 2 + 1]
    # Of two middle ones the less certain: a tie goes against the trader.
    tick = max(middle, key=lambda tick: tick.conf_e8)
    others = (other for other in ticks if other is not tick)
    nearest = min(others, key=lambda other: abs(other.mid_e8 - tick.mid_e8))
    if not agree(tick.mid_e8, nearest.mid_e8):
        return None
    if _is_stale(tick, now_ms=now_ms):
        fresh = [one for one in ticks if not _is_stale(one, now_ms=now_ms) and agree(one.mid_e8, tick.mid_e8)]
        if fresh:
            closest = min(fresh, key=lambda one: abs(one.mid_e8 - tick.mid_e8))
            return Choice(closest, max(closest.conf_e8, abs(closest.mid_e8 - tick.mid_e8)))
    # A median is only as certain as the source that confirms it is close.
    return Choice(tick, max(tick.conf_e8, abs(nearest.mid_e8 - tick.mid_e8)))
