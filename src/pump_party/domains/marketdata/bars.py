"""Candles as unbroken runs of bars in arrays, and which bars an indicator is computed from. Pure.

A bar is numbered `open_ms // interval_ms`. A missing bar is flat at the close before it; after more than GAP_FILLED_MAX
missing in a row nothing is known, and a new run begins with the next candle.

An indicator at bar k is computed from the start of the block before k's block of BLOCK bars, or from where its run
begins. Where a read begins or ends therefore changes no number: live and tape agree to the bit.
"""

from bisect import bisect_right
from collections.abc import Sequence
from itertools import pairwise

import msgspec
import numpy as np
import numpy.typing as npt

from pump_party.domains.marketdata.candles import INTERVAL_MS, Candle, CandleArrays, CandleInterval
from pump_party.domains.marketdata.features import Feature, Indicators
from pump_party.kernel.ids import Market

Integers = npt.NDArray[np.int64]

BLOCK = 512
GAP_FILLED_MAX = 5
"""Missing bars in a row that count as flat."""


class Run(msgspec.Struct, frozen=True):
    """Bars from `first` on, none missing, ending GAP_FILLED_MAX flat bars after the last candle.

    `rows` says which candle of the arrays each bar is, or which one it continues.
    """

    first: int
    opens_e8: Integers
    highs_e8: Integers
    lows_e8: Integers
    closes_e8: Integers
    ticks: Integers
    rows: Integers

    @property
    def end(self) -> int:
        """The bar after the last one."""
        return self.first + len(self.closes_e8)


def arrays_of(candles: Sequence[Candle]) -> CandleArrays:
    """Candles, oldest first."""
    table = np.array(
        [(c.open_ms, c.open_e8, c.high_e8, c.low_e8, c.close_e8, c.ticks) for c in candles], dtype=np.int64
    ).reshape(-1, 6)
    return CandleArrays(*np.ascontiguousarray(table.T))


def aggregated(minutes: CandleArrays, interval: CandleInterval) -> CandleArrays:
    """The candles of a longer interval that one-minute candles make."""
    bars = minutes.open_ms // INTERVAL_MS[interval]
    if interval is CandleInterval.M1 or not len(bars):
        return minutes
    starts = np.flatnonzero(np.diff(bars, prepend=bars[0] - 1))
    ends = np.append(starts[1:], len(bars)) - 1
    return CandleArrays(
        open_ms=bars[starts] * INTERVAL_MS[interval],
        opens_e8=minutes.opens_e8[starts],
        highs_e8=np.maximum.reduceat(minutes.highs_e8, starts),
        lows_e8=np.minimum.reduceat(minutes.lows_e8, starts),
        closes_e8=minutes.closes_e8[ends],
        ticks=np.add.reduceat(minutes.ticks, starts),
    )


def runs_of(candles: CandleArrays, interval: CandleInterval) -> tuple[Run, ...]:
    """The runs of bars that candles make, oldest first."""
    bars = candles.open_ms // INTERVAL_MS[interval]
    assert (np.diff(bars) > 0).all(), "candles out of order"
    cuts = np.flatnonzero(np.diff(bars) > GAP_FILLED_MAX + 1) + 1
    edges = [0, *cuts.tolist(), len(bars)] if len(bars) else []
    return tuple(_run(candles, bars, first, end) for first, end in pairwise(edges))


def run_at(runs: Sequence[Run], bar: int) -> Run | None:
    """The run that a bar is in; None when nothing is known of it."""
    found = bisect_right(runs, bar, key=lambda run: run.first) - 1
    return runs[found] if found >= 0 and bar < runs[found].end else None


def window_start(bar: int) -> int:
    """The first bar that an indicator at `bar` may look at."""
    return (bar // BLOCK - 1) * BLOCK


def block_of(run: Run, bar: int) -> tuple[int, int]:
    """The bars of the bar's block that are in the run: the first, and the one after the last."""
    start = bar // BLOCK * BLOCK
    return max(run.first, start), min(run.end, start + BLOCK)


def column(indicators: Indicators, feature: Feature, run: Run, block: int) -> list[int | None]:
    """A feature at the bars of a block that are in the run, from the first of them on."""
    start = max(run.first, (block - 1) * BLOCK) - run.first
    end = min(run.end, (block + 1) * BLOCK) - run.first
    bars = run.highs_e8[start:end], run.lows_e8[start:end], run.closes_e8[start:end]
    return indicators.compute(feature, *bars, max(0, block * BLOCK - run.first - start))


def reading_at(indicators: Indicators, feature: Feature, run: Run, bar: int) -> tuple[int | None, int | None]:
    """A feature at a bar of the run, and at the bar before it."""
    block = bar // BLOCK
    values = column(indicators, feature, run, block)
    place = bar - max(run.first, block * BLOCK)
    if place:
        return values[place], values[place - 1]
    before = column(indicators, feature, run, block - 1)[-1] if bar > run.first else None
    return values[0], before


def candles_before(market: Market, interval: CandleInterval, run: Run, end: int, count: int) -> tuple[Candle, ...]:
    """The last `count` bars of the run before bar `end`, oldest first: fewer where the run begins later."""
    interval_ms = INTERVAL_MS[interval]
    start = max(run.first, end - count)
    part = slice(start - run.first, end - run.first)
    columns = [values[part].tolist() for values in (run.opens_e8, run.highs_e8, run.lows_e8, run.closes_e8, run.ticks)]
    return tuple(
        Candle(market, interval, bar * interval_ms, open_e8, high_e8, low_e8, close_e8, ticks, True)
        for bar, open_e8, high_e8, low_e8, close_e8, ticks in zip(range(start, end), *columns, strict=True)
    )


def _run(candles: CandleArrays, bars: Integers, begin: int, end: int) -> Run:
    first = int(bars[begin])
    numbers = np.arange(first, int(bars[end - 1]) + 1 + GAP_FILLED_MAX, dtype=np.int64)
    rows: Integers = begin + np.searchsorted(bars[begin:end], numbers, side="right") - 1
    closes = candles.closes_e8[rows]
    is_candle = bars[rows] == numbers
    return Run(
        first=first,
        opens_e8=np.where(is_candle, candles.opens_e8[rows], closes),
        highs_e8=np.where(is_candle, candles.highs_e8[rows], closes),
        lows_e8=np.where(is_candle, candles.lows_e8[rows], closes),
        closes_e8=closes,
        ticks=np.where(is_candle, candles.ticks[rows], 0),
        rows=rows,
    )
