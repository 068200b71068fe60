"""Fold prices into candles by chart time. A candle holds only prices that were; a gap has no candles."""

from collections.abc import Mapping, Sequence
from enum import StrEnum
from hashlib import sha256
from typing import TYPE_CHECKING

import msgspec

from pump_party.kernel.ids import Market
from pump_party.kernel.money import PPM, ceil_div

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

    Integers = npt.NDArray[np.int64]

MINUTE_MS = 60_000


class CandleInterval(StrEnum):
    M1 = "1m"
    M5 = "5m"
    H1 = "1h"
    D1 = "1d"


class Candle(msgspec.Struct, frozen=True):
    """Prices of [open_ms, open_ms + interval). `complete` is False while it is still forming."""

    market: Market
    interval: CandleInterval
    open_ms: int
    open_e8: int
    high_e8: int
    low_e8: int
    close_e8: int
    ticks: int
    complete: bool


INTERVAL_MS: Mapping[CandleInterval, int] = {
    CandleInterval.M1: MINUTE_MS,
    CandleInterval.M5: 5 * MINUTE_MS,
    CandleInterval.H1: 60 * MINUTE_MS,
    CandleInterval.D1: 24 * 60 * MINUTE_MS,
}


CONFIDENCE_PPM = 500
"""Stated, because a candle records no book: 5 bp of the mid, rounded up."""


class CandleArrays(msgspec.Struct, frozen=True):
    """Candles of one interval by `open_ms`, strictly rising. A candle that is not there is not in it."""

    open_ms: "Integers"
    opens_e8: "Integers"
    highs_e8: "Integers"
    lows_e8: "Integers"
    closes_e8: "Integers"
    ticks: "Integers"


class Chart(msgspec.Struct, frozen=True):
    """The forming candles of a market and the chart time of the newest price in them."""

    chart_ms: int
    forming: tuple[Candle, ...]


def fold(chart: Chart | None, *, market: Market, price_e8: int, chart_ms: int) -> Chart | None:
    """The chart with one more price; its `forming` candles are the ones this price is part of.

    None when the price is older than the newest one folded: a candle's close is its latest price, and what is closed
    stays closed.
    """
    if chart is None:
        forming = [_begin(market, interval, price_e8, chart_ms) for interval in INTERVAL_MS]
        return Chart(chart_ms, tuple(forming))
    if chart_ms < chart.chart_ms:
        return None
    return Chart(chart_ms, tuple([_fold_one(candle, price_e8, chart_ms) for candle in chart.forming]))


def continue_chart(market: Market, newest: Sequence[Candle]) -> Chart | None:
    """The chart as it was stored, to go on with after a restart; None when a candle of some interval is missing.

    `newest` are the newest stored candles, one of each interval. Time goes on from the newest of them: a price
    before it would change a candle that later ones follow.
    """
    by_interval = {candle.interval: candle for candle in newest}
    if set(by_interval) != set(INTERVAL_MS):
        return None
    assert all(candle.market == market for candle in newest)
    forming = tuple(by_interval[interval] for interval in INTERVAL_MS)
    return Chart(max(candle.open_ms for candle in forming), forming)


def confidence_e8(mid_e8: int) -> int:
    """The confidence of a price that is known from a candle only."""
    return ceil_div(mid_e8 * CONFIDENCE_PPM, PPM)


def minute_sha256(open_ms: int, open_e8: int, high_e8: int, low_e8: int, close_e8: int) -> bytes:
    """What stands for a minute of which no payload is at hand: the hash of its prices, alike wherever it is stored."""
    return sha256(f"1m {open_ms} {open_e8} {high_e8} {low_e8} {close_e8}".encode()).digest()


def open_ms_of(interval: CandleInterval, chart_ms: int) -> int:
    return chart_ms - chart_ms % INTERVAL_MS[interval]


def _begin(market: Market, interval: CandleInterval, price_e8: int, chart_ms: int) -> Candle:
    return Candle(
        market=market,
        interval=interval,
        open_ms=open_ms_of(interval, chart_ms),
        open_e8=price_e8,
        high_e8=price_e8,
        low_e8=price_e8,
        close_e8=price_e8,
        ticks=1,
        complete=False,
    )


def _fold_one(candle: Candle, price_e8: int, chart_ms: int) -> Candle:
    if chart_ms >= candle.open_ms + INTERVAL_MS[candle.interval]:
        return _begin(candle.market, candle.interval, price_e8, chart_ms)
    return Candle(
        market=candle.market,
        interval=candle.interval,
        open_ms=candle.open_ms,
        open_e8=candle.open_e8,
        high_e8=max(candle.high_e8, price_e8),
        low_e8=min(candle.low_e8, price_e8),
        close_e8=price_e8,
        ticks=candle.ticks + 1,
        complete=False,
    )
