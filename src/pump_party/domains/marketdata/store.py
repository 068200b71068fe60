"""What market data must remember. Implemented by `db/marketdata.py`; every method is one transaction."""

from collections.abc import Callable, Collection, Mapping, Sequence
from enum import StrEnum
from typing import Protocol

import msgspec

from pump_party.domains.marketdata.admission import Quarantine, Verdict
from pump_party.domains.marketdata.contract import Approval, Candle, CandleInterval, PerpHour
from pump_party.kernel.ids import Market


class Refusal(msgspec.Struct, frozen=True):
    """A tick that was not admitted. The payload it came in is known by its hash."""

    at_ms: int
    source: str
    market: Market
    verdict: Verdict
    mid_e8: int
    conf_e8: int
    publish_ms: int
    slot: int
    raw_sha256: str


class EndedBy(StrEnum):
    SOURCES = "sources"
    OPERATORS = "operators"
    NEW_RUN = "new_run"


class QuarantineEnd(msgspec.Struct, frozen=True):
    market: Market
    since_ms: int
    ended_ms: int
    ended_by: EndedBy


class Moment(msgspec.Struct, frozen=True):
    """A price that a market was open at, or the moment at which it halted, with its last good price."""

    market: Market
    at_ms: int
    mid_e8: int
    conf_e8: int
    feed: str
    is_halt: bool = False


class Batch(msgspec.Struct, frozen=True):
    """What one write stores. `charts` is how far each market's chart has come; `earlier` only fills holes."""

    feed: str
    now_ms: int
    candles: Sequence[Candle]
    charts: Mapping[Market, int]
    refusals: Sequence[Refusal]
    quarantines: Sequence[Quarantine]
    ends: Sequence[QuarantineEnd]
    moments: Sequence[Moment] = ()
    perp_hours: Sequence[PerpHour] = ()
    earlier: Sequence[Candle] = ()

    def holds_something(self) -> bool:
        """Whether there is anything to write besides how far charts have come."""
        facts = (self.candles, self.earlier, self.moments, self.perp_hours, self.refusals, self.quarantines, self.ends)
        return any(facts)


class Moments(Protocol):
    """What closing prices are made of."""

    def moments(self, market: Market, *, from_ms: int, before_ms: int, limit: int) -> Sequence[Moment]:
        """The market's moments of [from_ms, before_ms), oldest first, at most so many."""
        ...

    def newest_moment_ms(self, market: Market) -> int | None: ...


class ChartEnd(msgspec.Struct, frozen=True):
    """How far a market's chart has come, and of which feed it is. Candles that ended by then change no more."""

    feed: str
    chart_ms: int


class MarketMemoryRecords(Protocol):
    """What market memory reads."""

    def chart_ends(self, markets: Collection[Market]) -> Mapping[Market, ChartEnd]:
        """Markets without a chart are absent."""
        ...

    def candles_between(
        self, feed: str, market: Market, interval: CandleInterval, *, from_ms: int, before_ms: int
    ) -> Sequence[Candle]:
        """Candles that opened in [from_ms, before_ms), oldest first. The caller knows that they are complete."""
        ...

    def perp_hours(self, feed: str, market: Market, *, before_ms: int, limit: int) -> Sequence[PerpHour]:
        """Hours that began before then, newest first."""
        ...


class MarketDataRecords(Moments, Protocol):
    def write(self, batch: Batch) -> None:
        """Store a batch. A candle or an hour replaces the one that is stored: the writer's is the whole one."""
        ...

    def newest_candles(self, feed: str, market: Market, *, not_after_ms: int) -> Sequence[Candle]:
        """The newest candle of each interval that opened by a chart time."""
        ...

    def candles(self, market: Market, interval: CandleInterval, *, before_ms: int, limit: int) -> Sequence[Candle]:
        """Candles of the feed that the market's chart shows now, newest first, none after where the chart is."""
        ...

    def close_before(self, feed: str, market: Market, *, after_ms: int, before_ms: int) -> int | None:
        """The close of the newest minute that opened in (after_ms, before_ms]."""
        ...

    def perp_hours(self, feed: str, market: Market, *, before_ms: int, limit: int) -> Sequence[PerpHour]:
        """Hours that began before then, newest first."""
        ...

    def chart_feed(self, market: Market) -> str | None:
        """The feed that the market's chart shows now."""
        ...

    def open_quarantines(self, feed: str) -> Sequence[Quarantine]: ...

    def approved_quarantines(self, feed: str) -> Sequence[Quarantine]:
        """Open quarantines that two operators have approved to end."""
        ...

    def approve(
        self, market: Market, approve: Callable[[tuple[Approval, ...]], tuple[Approval, ...]]
    ) -> tuple[Quarantine, tuple[Approval, ...]]:
        """Put what `approve` makes of the approvals of a market's open quarantine.

        Raises Conflict (market_not_quarantined).
        """
        ...

    def prune(self, feed: str, *, now_ms: int) -> None:
        """Delete candles, refusals, quarantines and moments beyond what is kept."""
        ...
