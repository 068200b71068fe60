"""Features from candles by TA-Lib: the only place that computes with floats in market memory.

TA-Lib is given prices as whole e8 less the first close of the window: differences of prices are exact, and its notion
of "nearly zero" is far below one e8. A result becomes an integer as floor(value * scale + 1/2).
"""

import sys
from collections.abc import Callable, Mapping
from functools import cache
from types import ModuleType
from typing import cast

import numpy as np
import numpy.typing as npt

from pump_party.domains.marketdata.contract import UNIT_SCALE, Feature, FeatureName, FeatureUnit, unit_of
from pump_party.kernel.money import PPM

Prices = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float64]

BOLLINGER_DEVIATIONS = 2.0
MACD_FAST, MACD_SLOW, MACD_SIGNAL = 12, 26, 9

LEVELS = frozenset(
    (
        FeatureName.CLOSE,
        FeatureName.SMA,
        FeatureName.EMA,
        FeatureName.HIGHEST,
        FeatureName.LOWEST,
        FeatureName.BOLLINGER_UPPER,
        FeatureName.BOLLINGER_LOWER,
    )
)
"""Features that move with the price: the first close is added again, as an integer."""


class TaLibIndicators:
    """Implements `marketdata.features.Indicators`. Safe to call from threads."""

    def compute(
        self, feature: Feature, highs_e8: Prices, lows_e8: Prices, closes_e8: Prices, skip: int = 0
    ) -> list[int | None]:
        if not len(closes_e8):
            return []
        window = _Window(highs_e8, lows_e8, closes_e8)
        values = _FORMULAS[feature.name](_loaded(), window, feature.period or 0)
        return _integers(values[skip:], feature, window.base_e8)


@cache
def _loaded() -> ModuleType:
    """TA-Lib, at the first use: a process that computes no feature starts without it.

    Where pandas or polars is installed TA-Lib takes seconds to load it, and wraps every function for it. They are out
    of sight meanwhile: nothing here has a data frame.
    """
    hidden = {name: cast(ModuleType, None) for name in ("pandas", "polars") if name not in sys.modules}
    sys.modules.update(hidden)
    try:
        import talib
    finally:
        for name in hidden:
            del sys.modules[name]
    return talib


class _Window:
    """What a formula may use, made when it does. `closes` start at zero, `prices` are the same as they were."""

    def __init__(self, highs_e8: Prices, lows_e8: Prices, closes_e8: Prices) -> None:
        self._highs_e8 = highs_e8
        self._lows_e8 = lows_e8
        self._closes_e8 = closes_e8
        self.base_e8 = int(closes_e8[0])

    @property
    def highs(self) -> Floats:
        return (self._highs_e8 - self.base_e8).astype(np.float64)

    @property
    def lows(self) -> Floats:
        return (self._lows_e8 - self.base_e8).astype(np.float64)

    @property
    def closes(self) -> Floats:
        return (self._closes_e8 - self.base_e8).astype(np.float64)

    @property
    def prices(self) -> Floats:
        return self._closes_e8.astype(np.float64)


def _integers(values: Floats, feature: Feature, base_e8: int) -> list[int | None]:
    unit = unit_of(feature.name)
    scale = 1 if unit is FeatureUnit.PRICE else UNIT_SCALE[unit]
    # Only the first bars can be unknown; where the first is not, none is.
    unknown = int(np.count_nonzero(np.isnan(values))) if np.isnan(values[0]) else 0
    known = np.floor(values[unknown:] * scale + 0.5)
    assert np.isfinite(known).all(), f"{feature.key} is not a number"
    integers = known.astype(np.int64)
    if feature.name in LEVELS:
        integers += base_e8
    rest: list[int] = integers.tolist()
    return [None] * unknown + rest


def _return(_talib: ModuleType, window: _Window, period: int) -> Floats:
    prices = window.prices
    before, now = prices[:-period], prices[period:]
    return _aligned((now - before) / before, len(prices))


def _volatility(talib: ModuleType, window: _Window, period: int) -> Floats:
    # TA-Lib's logarithm gives the same bits wherever in an array it is taken; in millionths, so that none is too small.
    prices = window.prices
    returns = talib.LN(prices[1:] / prices[:-1]) * PPM
    return _aligned(talib.STDDEV(returns, period) / PPM if len(returns) else returns, len(prices))


def _aligned(values: Floats, count: int) -> Floats:
    """Values of the last bars of `count`, with the bars before them unknown."""
    return np.concatenate((np.full(count - len(values), np.nan), values))


def _macd(nth: int) -> Callable[[ModuleType, _Window, int], Floats]:
    def formula(talib: ModuleType, window: _Window, _period: int) -> Floats:
        line: Floats = talib.MACD(window.closes, MACD_FAST, MACD_SLOW, MACD_SIGNAL)[nth]
        return line

    return formula


def _bollinger(nth: int) -> Callable[[ModuleType, _Window, int], Floats]:
    def formula(talib: ModuleType, window: _Window, period: int) -> Floats:
        band: Floats = talib.BBANDS(window.closes, period, BOLLINGER_DEVIATIONS, BOLLINGER_DEVIATIONS)[nth]
        return band

    return formula


_FORMULAS: Mapping[FeatureName, Callable[[ModuleType, _Window, int], Floats]] = {
    FeatureName.CLOSE: lambda _, window, __: window.closes,
    FeatureName.SMA: lambda talib, window, period: talib.SMA(window.closes, period),
    FeatureName.EMA: lambda talib, window, period: talib.EMA(window.closes, period),
    FeatureName.HIGHEST: lambda talib, window, period: talib.MAX(window.highs, period),
    FeatureName.LOWEST: lambda talib, window, period: talib.MIN(window.lows, period),
    FeatureName.BOLLINGER_UPPER: _bollinger(0),
    FeatureName.BOLLINGER_LOWER: _bollinger(2),
    FeatureName.ATR: lambda talib, window, period: talib.ATR(window.highs, window.lows, window.closes, period),
    FeatureName.MACD: _macd(0),
    FeatureName.MACD_SIGNAL: _macd(1),
    FeatureName.RETURN: _return,
    FeatureName.VOLATILITY: _volatility,
    FeatureName.RSI: lambda talib, window, period: talib.RSI(window.closes, period),
    FeatureName.ADX: lambda talib, window, period: talib.ADX(window.highs, window.lows, window.closes, period),
}
