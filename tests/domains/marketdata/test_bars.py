import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.domains.marketdata.memories import START_MS, minutes

from pump_party.adapters.indicators import TaLibIndicators
from pump_party.domains.marketdata.bars import (
    BLOCK,
    GAP_FILLED_MAX,
    Run,
    aggregated,
    arrays_of,
    candles_before,
    column,
    reading_at,
    run_at,
    runs_of,
    window_start,
)
from pump_party.domains.marketdata.candles import MINUTE_MS, Candle
from pump_party.domains.marketdata.contract import CandleInterval, Feature, FeatureName

M1 = CandleInterval.M1
FIRST = START_MS // MINUTE_MS
FEATURES = [
    Feature(FeatureName.EMA, M1, 50),
    Feature(FeatureName.BOLLINGER_LOWER, M1, 20),
    Feature(FeatureName.RSI, M1, 14),
    Feature(FeatureName.ADX, M1, 14),
    Feature(FeatureName.MACD_SIGNAL, M1),
    Feature(FeatureName.VOLATILITY, M1, 30),
]


def runs(candles: list[Candle]) -> tuple[Run, ...]:
    return runs_of(arrays_of(candles), M1)


def without(candles: list[Candle], *missing: int) -> list[Candle]:
    gone = {START_MS + minute * MINUTE_MS for minute in missing}
    return [candle for candle in candles if candle.open_ms not in gone]


def test_a_missing_bar_is_flat_at_the_close_before_it_and_has_no_ticks():
    candles = minutes(1, 10)
    (run,) = runs(without(candles, 4, 5))
    flat = candles_before(candles[0].market, M1, run, FIRST + 6, 2)
    close = candles[3].close_e8
    assert [(c.open_e8, c.high_e8, c.low_e8, c.close_e8, c.ticks) for c in flat] == [
        (close, close, close, close, 0)
    ] * 2
    assert candles_before(candles[0].market, M1, run, FIRST + 10, 4) == tuple(candles[6:])


def test_after_more_missing_bars_than_count_as_flat_nothing_is_known_until_the_next_candle():
    candles = minutes(1, 20)
    kept = without(candles, *range(5, 5 + GAP_FILLED_MAX))
    assert len(runs(kept)) == 1
    broken = runs(without(candles, *range(5, 6 + GAP_FILLED_MAX)))
    assert [run.first - FIRST for run in broken] == [0, 6 + GAP_FILLED_MAX]
    known = [run_at(broken, FIRST + bar) is not None for bar in range(-1, 14)]
    assert known == [False] + [True] * 10 + [False] + [True] * 3
    assert candles_before(candles[0].market, M1, broken[1], FIRST + 13, 9) == tuple(candles[11:13])


def test_an_indicator_starts_from_the_first_bar_of_the_block_before_its_own():
    candles, slow = minutes(11, 3 * BLOCK), Feature(FeatureName.EMA, M1, 200)
    assert FIRST % BLOCK == 0
    (run,) = runs(candles)
    for bar, first in ((BLOCK - 1, 0), (BLOCK, 0), (2 * BLOCK - 1, 0), (2 * BLOCK, BLOCK), (3 * BLOCK - 1, BLOCK)):
        part = arrays_of(candles[first : bar + 1])
        alone = TaLibIndicators().compute(slow, part.highs_e8, part.lows_e8, part.closes_e8)
        assert reading_at(TaLibIndicators(), slow, run, FIRST + bar)[0] == alone[-1], bar


def test_no_candles_have_no_runs():
    assert runs([]) == ()
    assert run_at((), 5) is None


def test_longer_candles_are_made_of_the_minutes_in_them():
    candles = minutes(2, 12)
    made = aggregated(arrays_of(without(candles, 0, 1, 9)), CandleInterval.M5)
    first = -(START_MS // MINUTE_MS) % 5
    part = candles[first : first + 5]
    bar = int(np.searchsorted(made.open_ms, part[0].open_ms))
    assert made.opens_e8[bar] == part[0].open_e8
    assert made.highs_e8[bar] == max(candle.high_e8 for candle in part)
    assert made.lows_e8[bar] == min(candle.low_e8 for candle in part)
    assert made.closes_e8[bar] == part[-1].close_e8
    assert made.ticks.sum() == 9 * 60


@pytest.mark.parametrize("feature", FEATURES, ids=lambda feature: feature.key)
@settings(max_examples=6)
@given(seed=st.integers(0, 10**6), gaps=st.lists(st.integers(0, 3 * BLOCK - 1), max_size=12), cut=st.integers(0, BLOCK))
def test_a_window_up_to_a_bar_gives_the_numbers_of_the_whole_array(feature, seed, gaps, cut):
    """Every bar is read as the live memory reads it: from a window that ends with it, whatever is known before."""
    candles = minutes(seed, 3 * BLOCK, gaps=gaps)[cut:]
    whole, indicators = runs(candles), TaLibIndicators()
    bars = [candle.open_ms // MINUTE_MS for candle in candles]
    expected: dict[int, int | None] = {}
    for run in whole:
        for block in range(run.first // BLOCK, (run.end - 1) // BLOCK + 1):
            first = max(run.first, block * BLOCK)
            expected |= dict(enumerate(column(indicators, feature, run, block), start=first))
    for bar in range(bars[0], bars[-1] + 1, 7):
        begin = np.searchsorted(bars, window_start(bar - 1) - GAP_FILLED_MAX - 1)
        end = np.searchsorted(bars, bar, side="right")
        run = run_at(runs(candles[begin:end]), bar)
        assert (run is None) == (run_at(whole, bar) is None)
        if run is not None:
            before = None if run_at(whole, bar - 1) is not run_at(whole, bar) else expected[bar - 1]
            assert reading_at(indicators, feature, run, bar) == (expected[bar], before), bar
