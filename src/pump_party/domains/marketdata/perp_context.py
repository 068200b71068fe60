"""What a venue says of its perpetual beside the price, and what is kept of every hour of it. Pure.

The premium of an hour is the mean of samples at most one every SAMPLE_EVERY_MS: a venue that speaks often at one moment
has no more say for it.
"""

from collections.abc import Sequence

import msgspec
from msgspec.structs import replace

from pump_party.kernel.ids import Market

HOUR_MS = 3_600_000
SAMPLE_EVERY_MS = 5_000

SAMPLE_STANDS_MS = 8 * HOUR_MS
"""What was said or settled is the newest there is until something newer comes, at most this long."""


class PerpContext(msgspec.Struct, frozen=True):
    """Premium over the oracle, hourly funding rate, open interest, as of `recv_ms`: venues send no time with them.

    The premium is None while the venue shows none. Replayed, `tape_ms` is when it was said. `settled_ms` marks a
    rate that a recording has as settled then, and nothing beside it.
    """

    market: Market
    premium_ppb: int | None
    funding_1h_ppb: int
    open_interest_nanos: int | None
    oracle_e8: int | None
    mark_e8: int | None
    recv_ms: int
    source: str
    sha256: str
    tape_ms: int | None = None
    settled_ms: int | None = None

    def chart_ms(self) -> int:
        """The time it has beside the candles: tape time when replayed."""
        return self.recv_ms if self.tape_ms is None else self.tape_ms

    def hour_ms(self) -> int:
        """The hour it is of: the one it came in; of what was settled the one that ended with that."""
        at_ms = self.chart_ms() if self.settled_ms is None else self.settled_ms - 1
        return at_ms // HOUR_MS * HOUR_MS


class PerpHour(msgspec.Struct, frozen=True):
    """An hour of a perpetual: the sum of its premium samples, the newest of all else, and the payload it came in."""

    market: Market
    hour_ms: int
    premium_sum_ppb: int
    samples: int
    funding_1h_ppb: int
    open_interest_nanos: int | None
    oracle_e8: int | None
    mark_e8: int | None
    updated_ms: int
    source: str
    sha256: str


class HourPremium(msgspec.Struct, frozen=True):
    """The mean premium of an hour that is over, rounded down, and how many samples it is of."""

    hour_ms: int
    premium_ppb: int
    samples: int
    source: str


class SettledFunding(msgspec.Struct, frozen=True):
    """An hour's part of the rate that was settled last, and when that was."""

    settled_ms: int
    funding_1h_ppb: int
    source: str


def fold(hour: PerpHour | None, context: PerpContext) -> PerpHour:
    """The hour with one more context; a new hour when that one is over. A late context is of the hour it came in."""
    hour_ms, at_ms = context.hour_ms(), context.chart_ms()
    premium_sum_ppb = samples = 0
    is_due = context.premium_ppb is not None
    if hour is not None and hour.hour_ms == hour_ms:
        premium_sum_ppb, samples = hour.premium_sum_ppb, hour.samples
        sampled = hour.updated_ms // SAMPLE_EVERY_MS == at_ms // SAMPLE_EVERY_MS and samples > 0
        is_due = is_due and not sampled
    if is_due and context.premium_ppb is not None:
        premium_sum_ppb, samples = premium_sum_ppb + context.premium_ppb, samples + 1
    return PerpHour(
        context.market,
        hour_ms,
        premium_sum_ppb,
        samples,
        context.funding_1h_ppb,
        context.open_interest_nanos,
        context.oracle_e8,
        context.mark_e8,
        at_ms,
        context.source,
        context.sha256,
    )


class PerpTrack:
    """One perpetual while contexts come in: the newest one, the forming hour and the one before."""

    def __init__(self, hours: Sequence[PerpHour] = ()) -> None:
        """`hours` are the newest that are stored, oldest first."""
        self._hours = list(hours)[-2:]
        self.newest: PerpContext | None = None

    def observe(self, context: PerpContext) -> PerpHour:
        forming = self._hours[-1] if self._hours else None
        hour = fold(forming, context)
        if forming is not None and forming.hour_ms == hour.hour_ms:
            self._hours[-1] = hour
        else:
            self._hours = [*self._hours, hour][-2:]
        self.newest = context
        return hour

    def premium_before(self, at_ms: int) -> HourPremium | None:
        """The premium of the hour that ended last by then; None when none was recorded in it."""
        ended_ms = at_ms // HOUR_MS * HOUR_MS - HOUR_MS
        for hour in self._hours:
            if hour.hour_ms == ended_ms and hour.samples:
                return HourPremium(ended_ms, hour.premium_sum_ppb // hour.samples, hour.samples, hour.source)
        return None

    def settled_before(self, at_ms: int) -> SettledFunding | None:
        """What was settled last by then, while it stands; None where rates are not known as settled."""
        newest = self.newest
        if newest is None or newest.settled_ms is None or not 0 <= at_ms - newest.settled_ms <= SAMPLE_STANDS_MS:
            return None
        return SettledFunding(newest.settled_ms, newest.funding_1h_ppb, newest.source)


def named(context: PerpContext, market: Market) -> PerpContext:
    """The context under the name of another market of its base."""
    return context if context.market == market else replace(context, market=market)
