"""Two guards over a source's clock and the quote asset: when prices that look well must not be traded on."""

from collections.abc import Mapping, Sequence
from statistics import median_high, median_low

import msgspec

from pump_party.domains.marketdata.contract import FEED_SILENT_MS
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


class Rate(msgspec.Struct, frozen=True):
    """What a source last said of USDC in USD, and when it last said something new."""

    rate_e8: int
    publish_ms: int
    news_ms: int


def hear_rate(
    rates: Mapping[str, Rate], source: str, rate_e8: int, publish_ms: int, *, now_ms: int
) -> Mapping[str, Rate]:
    """The last words of the sources, with a new one. An older one than is known changes nothing.

    Whoever speaks outdates those that have been silent for FEED_SILENT_MS; silence alone outdates nobody, so a depeg
    stands until somebody who can still see the rate says otherwise.
    """
    known = rates.get(source)
    if known is not None and publish_ms < known.publish_ms:
        return rates
    if known is not None and publish_ms == known.publish_ms:
        return {**rates, source: Rate(rate_e8, publish_ms, known.news_ms)}
    heard = {name: other for name, other in rates.items() if now_ms - other.news_ms <= FEED_SILENT_MS}
    return {**heard, source: Rate(rate_e8, publish_ms, now_ms)}
