"""Every feature that is computed from candles, once more: in plain Python with exact fractions, from the definitions.

`values` gives floats in the feature's unit (prices in e8, ratios and indexes as they are); None where history is short.
"""

from collections.abc import Callable, Sequence
from fractions import Fraction
from itertools import pairwise
from math import fsum, log, sqrt
from typing import TypeVar

from pump_party.domains.marketdata.contract import Feature, FeatureName

Values = list[Fraction | float | None]
Bars = tuple[Sequence[int], Sequence[int], Sequence[int]]
"""Highs, lows and closes."""

Number = TypeVar("Number", int, float)


def values(feature: Feature, bars: Bars) -> Values:
    return _FORMULAS[feature.name](bars, feature.period or 0)


def _windows(numbers: Sequence[Number], period: int, of: Callable[[Sequence[Number]], Fraction | float]) -> Values:
    return [None if k < period - 1 else of(numbers[k - period + 1 : k + 1]) for k in range(len(numbers))]


def _mean(prices: Sequence[int]) -> Fraction:
    return Fraction(sum(prices), len(prices))


def _deviation(prices: Sequence[int]) -> float:
    count = len(prices)
    return sqrt(count * sum(price * price for price in prices) - sum(prices) ** 2) / count


def _scatter(numbers: Sequence[float]) -> float:
    mean = fsum(numbers) / len(numbers)
    return sqrt(fsum((number - mean) ** 2 for number in numbers) / len(numbers))


def _ema(numbers: Sequence[int | float | Fraction], period: int) -> list[float]:
    """From the first bar that has a whole period behind it, which is the plain mean."""
    if len(numbers) < period:
        return []
    averages = [float(sum(numbers[:period]) / period)]
    for number in numbers[period:]:
        averages.append(averages[-1] + (float(number) - averages[-1]) * 2 / (period + 1))
    return averages


def _padded(numbers: Sequence[Fraction | float], length: int) -> Values:
    return [None] * (length - len(numbers)) + list(numbers)


def _bollinger(sign: int) -> Callable[[Bars, int], Values]:
    def formula(bars: Bars, period: int) -> Values:
        return _windows(bars[2], period, lambda part: float(_mean(part)) + sign * 2 * _deviation(part))

    return formula


def _macd_lines(closes: Sequence[int]) -> tuple[list[float], list[float]]:
    # The fast average is begun so late that both averages begin at the same bar.
    slow, fast = _ema(closes, 26), _ema(closes[14:], 12)
    line = [quick - steady for quick, steady in zip(fast, slow, strict=True)]
    return line, _ema(line, 9)


def _macd(bars: Bars, _period: int) -> Values:
    line, signal = _macd_lines(bars[2])
    return _padded(line[len(line) - len(signal) :], len(bars[2]))


def _macd_signal(bars: Bars, _period: int) -> Values:
    return _padded(_macd_lines(bars[2])[1], len(bars[2]))


def _wilder(numbers: Sequence[float], period: int) -> list[float]:
    """The mean of the first `period` numbers, then each new one counts for one part in `period`."""
    if len(numbers) < period:
        return []
    averages = [sum(numbers[:period]) / period]
    for number in numbers[period:]:
        averages.append((averages[-1] * (period - 1) + number) / period)
    return averages


def _true_ranges(bars: Bars) -> list[float]:
    highs, lows, closes = bars
    return [
        float(max(high, before) - min(low, before))
        for high, low, before in zip(highs[1:], lows[1:], closes, strict=False)
    ]


def _atr(bars: Bars, period: int) -> Values:
    return _padded(_wilder(_true_ranges(bars), period), len(bars[2]))


def _rsi(bars: Bars, period: int) -> Values:
    closes = bars[2]
    changes = [float(now - before) for before, now in pairwise(closes)]
    gains = _wilder([max(change, 0.0) for change in changes], period)
    losses = _wilder([max(-change, 0.0) for change in changes], period)
    strengths = [100 * gain / (gain + loss) if gain + loss else 0.0 for gain, loss in zip(gains, losses, strict=True)]
    return _padded(strengths, len(closes))


def _adx(bars: Bars, period: int) -> Values:
    """Wilder's sums: they begin with `period - 1` moves and take each next one in for a period's part of the sum."""
    highs, lows, closes = bars
    sums = [0.0, 0.0, 0.0]
    indexes = []
    for k, true_range in enumerate(_true_ranges(bars), start=1):
        up, down = highs[k] - highs[k - 1], lows[k - 1] - lows[k]
        moves = (float(up) if up > max(down, 0) else 0.0, float(down) if down > max(up, 0) else 0.0, true_range)
        kept = 1.0 if k < period else 1 - 1 / period
        sums = [total * kept + move for total, move in zip(sums, moves, strict=True)]
        if k >= period:
            plus, minus, ranges = sums
            if ranges and plus + minus:
                indexes.append(100 * abs(plus - minus) / (plus + minus))
            elif len(indexes) < period:
                indexes.append(0.0)
            else:
                indexes.append(_wilder(indexes, period)[-1])
    return _padded(_wilder(indexes, period), len(closes))


def _return(bars: Bars, period: int) -> Values:
    closes = bars[2]
    returns = [Fraction(now - before, before) for before, now in zip(closes, closes[period:], strict=False)]
    return _padded(returns, len(closes))


def _volatility(bars: Bars, period: int) -> Values:
    closes = bars[2]
    returns = [log(now / before) for before, now in pairwise(closes)]
    return [None, *_windows(returns, period, _scatter)]


_FORMULAS: dict[FeatureName, Callable[[Bars, int], Values]] = {
    FeatureName.CLOSE: lambda bars, _: list(bars[2]),
    FeatureName.SMA: lambda bars, period: _windows(bars[2], period, _mean),
    FeatureName.EMA: lambda bars, period: _padded(_ema(bars[2], period), len(bars[2])),
    FeatureName.HIGHEST: lambda bars, period: _windows(bars[0], period, max),
    FeatureName.LOWEST: lambda bars, period: _windows(bars[1], period, min),
    FeatureName.BOLLINGER_UPPER: _bollinger(1),
    FeatureName.BOLLINGER_LOWER: _bollinger(-1),
    FeatureName.ATR: _atr,
    FeatureName.MACD: _macd,
    FeatureName.MACD_SIGNAL: _macd_signal,
    FeatureName.RETURN: _return,
    FeatureName.VOLATILITY: _volatility,
    FeatureName.RSI: _rsi,
    FeatureName.ADX: _adx,
}
