"""What samples of a perpetual say as of a moment: funding, open interest and how it changed. Pure.

A sample stands until the next one, at most SAMPLE_STANDS_MS: venues fund every eight hours or more often.
"""

from bisect import bisect_right
from collections.abc import Sequence

import msgspec

from pump_party.domains.marketdata.candles import INTERVAL_MS
from pump_party.domains.marketdata.features import Feature, FeatureName, FeatureReading
from pump_party.domains.marketdata.perp_context import HOUR_MS, SAMPLE_STANDS_MS, PerpHour
from pump_party.kernel.money import PPM

PPB_PER_PPM = 1_000


class PerpSample(msgspec.Struct, frozen=True):
    """One observation of a venue's perpetual. `funding_1h_ppb` is what a long pays for one hour."""

    at_ms: int
    funding_1h_ppb: int
    open_interest_nanos: int | None


def samples_of(hours: Sequence[PerpHour]) -> Sequence[PerpSample]:
    """Hours that are over, newest first, as samples at their end."""
    return [PerpSample(one.hour_ms + HOUR_MS, one.funding_1h_ppb, one.open_interest_nanos) for one in reversed(hours)]


def hours_needed(feature: Feature) -> int:
    """How many hours back `read_samples` may look for the feature and its previous value."""
    hours = SAMPLE_STANDS_MS // HOUR_MS + 1
    if feature.interval is not None and feature.period is not None:
        hours += (feature.period + 1) * INTERVAL_MS[feature.interval] // HOUR_MS
    return hours


def read_samples(feature: Feature, samples: Sequence[PerpSample], as_of_ms: int) -> FeatureReading:
    """Funding, open interest or its change, as of the last full hour. `samples` are sorted by time; none later is used.

    `previous` of the first two is the sample before, of the change the change one bar earlier.
    """
    as_of_ms -= as_of_ms % HOUR_MS
    if feature.name is FeatureName.OPEN_INTEREST_CHANGE:
        assert feature.interval is not None
        interval_ms = INTERVAL_MS[feature.interval]
        end_ms = as_of_ms - as_of_ms % interval_ms
        now, before = (_change(feature, samples, at_ms) for at_ms in (end_ms, end_ms - interval_ms))
        return FeatureReading(feature, now, before)
    newest = standing_sample(samples, as_of_ms)
    if newest is None:
        return FeatureReading(feature, None, None)
    before_it = standing_sample(samples, newest.at_ms - 1)
    return FeatureReading(feature, _figure(feature, newest), None if before_it is None else _figure(feature, before_it))


def _figure(feature: Feature, sample: PerpSample) -> int | None:
    if feature.name is FeatureName.FUNDING:
        return (2 * sample.funding_1h_ppb + PPB_PER_PPM) // (2 * PPB_PER_PPM)
    assert feature.name is FeatureName.OPEN_INTEREST
    return sample.open_interest_nanos


def _change(feature: Feature, samples: Sequence[PerpSample], end_ms: int) -> int | None:
    assert feature.interval is not None
    assert feature.period is not None
    now = standing_sample(samples, end_ms)
    before = standing_sample(samples, end_ms - feature.period * INTERVAL_MS[feature.interval])
    if now is None or before is None or now.open_interest_nanos is None or not before.open_interest_nanos:
        return None
    grown_nanos = now.open_interest_nanos - before.open_interest_nanos
    return (2 * grown_nanos * PPM + before.open_interest_nanos) // (2 * before.open_interest_nanos)


def standing_sample(samples: Sequence[PerpSample], at_ms: int) -> PerpSample | None:
    """The newest that is not later, while it stands. `samples` are sorted by time."""
    count = bisect_right(samples, at_ms, key=lambda sample: sample.at_ms)
    if not count or at_ms - samples[count - 1].at_ms > SAMPLE_STANDS_MS:
        return None
    return samples[count - 1]
