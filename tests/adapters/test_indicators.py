import subprocess
import sys
from random import Random

import numpy as np
import pytest
from tests.adapters.plain_indicators import values

from pump_party.adapters.indicators import TaLibIndicators
from pump_party.domains.marketdata.contract import (
    UNIT_SCALE,
    CandleInterval,
    Feature,
    FeatureName,
    FeatureUnit,
    feature_problem,
    unit_of,
)

COMPUTED = [
    name
    for name in FeatureName
    if feature_problem(Feature(name, CandleInterval.M1)) is None
    or (name is not FeatureName.OPEN_INTEREST_CHANGE and feature_problem(Feature(name, CandleInterval.M1, 9)) is None)
]
PERIODS = (2, 3, 14, 20, 200)

PRICE_PARTS = 10**12
"""A computed price is within half a step of the exact one, and one part in so many of the price for the float."""


def feature_of(name: FeatureName, period: int) -> Feature:
    with_period = Feature(name, CandleInterval.M1, period)
    return with_period if feature_problem(with_period) is None else Feature(name, CandleInterval.M1)


def walk(seed: int, length: int, start_e8: int) -> tuple[list[int], list[int], list[int]]:
    """Candles of a random walk with quiet stretches, flat bars and jumps."""
    rng = Random(seed)
    highs, lows, closes = [], [], []
    close = start_e8
    for _ in range(length):
        reach = rng.choice((0, 0, 20, 500, 500, 2_000, 30_000))
        opened, close = close, max(1_000, close + close * rng.randint(-reach, reach) // 1_000_000)
        highs.append(max(opened, close) + close * rng.randint(0, reach) // 1_000_000)
        lows.append(max(1, min(opened, close) - close * rng.randint(0, reach) // 1_000_000))
        closes.append(close)
    return highs, lows, closes


def compute(feature: Feature, bars: tuple[list[int], list[int], list[int]]) -> list[int | None]:
    return TaLibIndicators().compute(feature, *(np.array(prices, dtype=np.int64) for prices in bars))


def test_every_feature_of_candles_is_known_here():
    assert {unit_of(name) for name in set(FeatureName) - set(COMPUTED)} == {FeatureUnit.RATIO, FeatureUnit.AMOUNT}
    assert len(COMPUTED) == 14


@pytest.mark.parametrize("start_e8", [9_500_000_000_000, 14_678_000_000, 17_000_000], ids=["btc", "sol", "doge"])
@pytest.mark.parametrize("period", PERIODS)
@pytest.mark.parametrize("name", COMPUTED)
def test_an_indicator_is_what_its_definition_in_plain_python_says(name: FeatureName, period: int, start_e8: int):
    feature = feature_of(name, period)
    bars = walk(period, 420, start_e8)
    unit = unit_of(name)
    scale = 1 if unit is FeatureUnit.PRICE else UNIT_SCALE[unit]
    tolerance = 0.5 + (max(bars[0]) / PRICE_PARTS if unit is FeatureUnit.PRICE else 0.001)
    computed = compute(feature, bars)
    expected = values(feature, bars)
    assert len(computed) == len(expected) == 420
    for bar, (ours, plain) in enumerate(zip(computed, expected, strict=True)):
        assert (ours is None) == (plain is None), bar
        if ours is not None and plain is not None:
            assert abs(ours - plain * scale) <= tolerance, (bar, ours, float(plain * scale))


@pytest.mark.parametrize("name", COMPUTED)
def test_a_bar_changes_nothing_before_it(name: FeatureName):
    feature = feature_of(name, 14)
    bars = walk(5, 400, 14_678_000_000)
    whole = compute(feature, bars)
    for length in (1, 2, 15, 40, 250, 399):
        assert compute(feature, tuple(prices[:length] for prices in bars)) == whole[:length]


@pytest.mark.parametrize("name", COMPUTED)
def test_a_market_that_stands_still_has_numbers_all_the_same(name: FeatureName):
    still = [250_000_000] * 60
    newest = compute(feature_of(name, 10), (still, still, still))[-1]
    follows_the_price = unit_of(name) is FeatureUnit.PRICE and name not in (
        FeatureName.ATR,
        FeatureName.MACD,
        FeatureName.MACD_SIGNAL,
    )
    assert newest == (250_000_000 if follows_the_price else 0)


def test_no_candles_have_no_numbers():
    assert compute(Feature(FeatureName.EMA, CandleInterval.M1, 20), ([], [], [])) == []


def test_loading_the_indicators_loads_no_data_frames():
    code = "from pump_party.adapters import indicators as i; import sys; i._loaded(); print('pandas' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "False"
