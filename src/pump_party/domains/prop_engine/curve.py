"""Fold equity marks into the series that metrics are computed from (METRICS, section 1).

A day is a UTC calendar day; crypto trades on all of them.
"""

from collections.abc import Sequence
from itertools import pairwise

import msgspec

from pump_party.kernel.money import PPM

DAY_MS = 86_400_000


class EquityMark(msgspec.Struct, frozen=True):
    """What an account was worth at a time, and the part of it that was in the market: negative when short."""

    at_ms: int
    equity_micros: int
    exposed_micros: int = 0


class MarkPrice(msgspec.Struct, frozen=True):
    """What a position is valued or closed at."""

    mid_e8: int
    conf_e8: int


def day_of(at_ms: int) -> int:
    """Days since the epoch, in UTC."""
    return at_ms // DAY_MS


def daily_equity(marks: Sequence[EquityMark]) -> tuple[int, ...]:
    """The first mark, then the last one of every UTC day; a day without a mark keeps the one before.

    Marks are oldest first. One taken at midnight sharp ends the day before it.
    """
    if not marks:
        return ()
    first = marks[0]
    series, equity, day = [first.equity_micros], first.equity_micros, day_of(first.at_ms)
    for mark in marks[1:]:
        ended_day = day_of(mark.at_ms - 1)
        if ended_day > day:
            series.extend([equity] * (ended_day - day))
            day = ended_day
        equity = mark.equity_micros
    if len(marks) > 1:
        series.append(equity)
    return tuple(series)


def exposure_ppm(marks: Sequence[EquityMark]) -> int | None:
    """How much of the equity was in the market on average over time, long or short. Rounded down."""
    return _mean_share_ppm(marks, signed=False)


def signed_exposure_ppm(marks: Sequence[EquityMark]) -> int | None:
    """The same with shorts below zero: what timing alpha compares with."""
    return _mean_share_ppm(marks, signed=True)


def _mean_share_ppm(marks: Sequence[EquityMark], *, signed: bool) -> int | None:
    """Every mark counts until the next one. None where no time passed with equity above zero."""
    weighted = elapsed = 0
    for mark, following in pairwise(marks):
        if mark.equity_micros <= 0:
            continue
        lasted_ms = following.at_ms - mark.at_ms
        exposed = mark.exposed_micros if signed else abs(mark.exposed_micros)
        weighted += exposed * PPM // mark.equity_micros * lasted_ms
        elapsed += lasted_ms
    return weighted // elapsed if elapsed else None
