"""Two guards over a source's clock and the quote asset: when prices that look well must not be traded on."""

from collections.abc import Sequence
from statistics import median_high, median_low

from pump_party.kernel.money import E8, PPM

LAG_WINDOW_MS = 60_000
LAG_MS_MIN = -2_000
LAG_MS_MAX = 3_000
LAG_SAMPLES_MIN = 3
"""Fewer lags say nothing about a clock; meanwhile the age check of an order protects."""

DEPEG_PPM_MAX = 10_000


def is_skewed(lags_ms: Sequence[int]) -> bool:
    """Whether the median of `recv_ms - publish_ms` is outside [LAG_MS_MIN, LAG_MS_MAX].

    With an even number of lags both middle ones must be inside.
    """
    if len(lags_ms) < LAG_SAMPLES_MIN:
        return False
    return median_low(lags_ms) < LAG_MS_MIN or median_high(lags_ms) > LAG_MS_MAX


def is_depegged(rate_e8: int) -> bool:
    """Whether the quote asset is more than 1 % away from 1 USD."""
    return abs(rate_e8 - E8) * PPM > DEPEG_PPM_MAX * E8
