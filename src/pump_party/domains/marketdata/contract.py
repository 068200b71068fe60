"""What apps and other domains may ask of market data."""

from collections.abc import Callable, Mapping, Sequence
from enum import StrEnum
from typing import Protocol

import msgspec

from pump_party.domains.marketdata.candle_path import SHAPE_TICKS as SHAPE_TICKS
from pump_party.domains.marketdata.candle_path import TICKS as TICKS
from pump_party.domains.marketdata.candle_path import RecordedCandle as RecordedCandle
from pump_party.domains.marketdata.candle_path import tick_e8 as tick_e8
from pump_party.domains.marketdata.candle_path import tick_ms as tick_ms
from pump_party.domains.marketdata.candles import INTERVAL_MS as INTERVAL_MS
from pump_party.domains.marketdata.candles import Candle as Candle
from pump_party.domains.marketdata.candles import CandleArrays as CandleArrays
from pump_party.domains.marketdata.candles import CandleInterval as CandleInterval
from pump_party.domains.marketdata.candles import confidence_e8 as confidence_e8
from pump_party.domains.marketdata.ends import CLOSING_KEPT_MS as CLOSING_KEPT_MS
from pump_party.domains.marketdata.ends import ClosingPrice as ClosingPrice
from pump_party.domains.marketdata.ends import NoClosingPrice as NoClosingPrice
from pump_party.domains.marketdata.features import UNIT_SCALE as UNIT_SCALE
from pump_party.domains.marketdata.features import Feature as Feature
from pump_party.domains.marketdata.features import FeatureName as FeatureName
from pump_party.domains.marketdata.features import FeatureReading as FeatureReading
from pump_party.domains.marketdata.features import FeatureUnit as FeatureUnit
from pump_party.domains.marketdata.features import MarketMemory as MarketMemory
from pump_party.domains.marketdata.features import MarketSnapshot as MarketSnapshot
from pump_party.domains.marketdata.features import feature_problem as feature_problem
from pump_party.domains.marketdata.features import parse_feature as parse_feature
from pump_party.domains.marketdata.features import unit_of as unit_of
from pump_party.domains.marketdata.perp_context import HourPremium as HourPremium
from pump_party.domains.marketdata.perp_context import PerpContext as PerpContext
from pump_party.domains.marketdata.perp_context import PerpHour as PerpHour
from pump_party.domains.marketdata.perp_context import SettledFunding as SettledFunding
from pump_party.kernel.ids import Market

CANDLES_LIMIT_MAX = 1_000
"""Most candles of one read."""

BOOK_DEPTH_MAX = 100
"""Most levels of a side of a book that are handed on."""

FEED_SILENT_MS = 10_000
"""Without an admitted tick for this long a market is halted (execution model, section 4)."""

LAG_MARGIN_MS = 500
"""An order's latency must exceed the oracle's p99 lag by this (execution model, section 5)."""

ADMITTED_WAITING_MAX = 20_000
"""Quotes that wait for whoever sends them on: minutes of live prices, seconds of the fastest tape."""


class MarketState(StrEnum):
    OPEN = "open"
    HALTED = "halted"


class HaltReason(StrEnum):
    NO_PRICE = "NO_PRICE"
    FEED_SILENT = "FEED_SILENT"
    QUARANTINE_JUMP = "QUARANTINE_JUMP"
    SOURCES_DISAGREE = "SOURCES_DISAGREE"
    CLOCK_SKEW = "CLOCK_SKEW"
    QUOTE_DEPEG = "QUOTE_DEPEG"


class Quote(msgspec.Struct, frozen=True):
    """The newest admitted tick of a market, with its evidence, as the cache holds it.

    `publish_ms` and `recv_ms` are server time; for a replayed tape `tape_ms` is the time on the tape.
    `feed` is the configured feed's kind ("live", "tape", "synthetic") and is shown wherever the price is.
    """

    market: Market
    mid_e8: int
    conf_e8: int
    publish_ms: int
    recv_ms: int
    slot: int
    source: str
    tick_sha256: str
    feed: str
    tape_ms: int | None = None
    halt_reason: HaltReason | None = None
    premium: HourPremium | None = None
    """Of a perpetual, over the hour before that of `chart_ms`; None when none was recorded."""

    settled: SettledFunding | None = None
    """Of a perpetual on a tape that has settled rates instead of premiums: the newest, while it stands."""

    def age_ms(self, now_ms: int) -> int:
        return max(0, now_ms - self.publish_ms)

    def halted(self, now_ms: int) -> HaltReason | None:
        """Why no order may fill on this quote now, or None. A dead worker cannot keep a market open."""
        if self.halt_reason is not None:
            return self.halt_reason
        return HaltReason.FEED_SILENT if now_ms - self.recv_ms > FEED_SILENT_MS else None

    def chart_ms(self) -> int:
        """The time this tick has on charts and in candles: tape time when replayed."""
        return self.publish_ms if self.tape_ms is None else self.tape_ms


Level = tuple[int, int]
"""A price level of a book: (price_e8, size_nanos)."""


class Book(msgspec.Struct, frozen=True):
    """The newest order book of a market: at most BOOK_DEPTH_MAX levels a side, best first, never crossed.

    `seq` grows with every change the source makes; `sha256` is that of the payload that changed the book last.
    `publish_ms` and `recv_ms` are server time.
    """

    market: Market
    bids: tuple[Level, ...]
    asks: tuple[Level, ...]
    seq: int
    publish_ms: int
    recv_ms: int
    source: str
    sha256: str

    def age_ms(self, now_ms: int) -> int:
        return max(0, now_ms - self.publish_ms)


class MarketKind(StrEnum):
    SPOT = "spot"
    PERP = "perp"


class Asset(msgspec.Struct, frozen=True):
    """A row of the asset registry. Adding a market is adding one of these to the registry file."""

    market: Market
    base: str
    quote: str
    tick_e8: int
    lot_nanos: int
    quantity_decimals: int
    price_decimals: int
    kind: MarketKind = MarketKind.SPOT


class MarketLag(msgspec.Struct, frozen=True):
    """How far the oracle ran behind the exchange: in the newest window, and in 99 of a hundred of those kept."""

    market: Market
    lag_ms: int
    lag_p99_ms: int
    measurements: int
    measured_ms: int

    def is_covered_by(self, latency_ms: int) -> bool:
        """Whether orders that wait this long are protected: nobody can know the price that will fill them."""
        return self.lag_p99_ms + LAG_MARGIN_MS <= latency_ms


class MarketView(msgspec.Struct, frozen=True):
    """A market as shown: its registry row, state, and the current quote where there is one."""

    asset: Asset
    state: MarketState
    halt_reason: HaltReason | None
    quote: Quote | None
    age_ms: int | None
    change_24h_ppm: int | None
    lag: MarketLag | None = None
    """None while no oracle and exchange run together, or too little was measured lately."""

    context: PerpContext | None = None
    """Of a perpetual whose venue has spoken lately."""

    contest_eligible: bool | None = None
    """Whether orders that count for a contest wait long enough here; None while the lag is not known."""


class SourceState(StrEnum):
    CONNECTING = "connecting"
    LIVE = "live"
    RECONNECTING = "reconnecting"
    STOPPED = "stopped"


class SourceHealth(msgspec.Struct, frozen=True):
    """How a price source is doing. `rate_per_minute` counts admitted ticks of the last minute.

    `refused_by` splits `refused` by verdict.
    """

    source: str
    state: SourceState
    last_tick_ms: int | None
    age_ms: int | None
    rate_per_minute: int
    admitted: int
    refused: int
    reconnects: int
    last_error: str | None
    updated_ms: int
    refused_by: dict[str, int] = {}


class Approval(msgspec.Struct, frozen=True):
    """One operator's word that a quarantined market may trade again."""

    operator: str
    reason: str
    at_ms: int


class ResumeView(msgspec.Struct, frozen=True):
    """A quarantine and who wants it ended. With two approvals the ingest worker ends it within a second."""

    market: Market
    since_ms: int
    reference_e8: int
    observed_e8: int
    approvals: tuple[Approval, ...]
    approved: bool


class Quotes(Protocol):
    """The current price: Redis or its in-process twin. Apps and the engine read prices from nowhere else."""

    def latest(self, markets: Sequence[Market]) -> Mapping[Market, Quote]:
        """Markets without a price are absent. Raises Unavailable when the cache is away."""
        ...


class QuotesWriter(Quotes, Protocol):
    """The worker's side of the cache."""

    def put(self, quotes: Sequence[Quote]) -> None: ...

    def put_health(self, health: Sequence[SourceHealth]) -> None: ...

    def health(self) -> Sequence[SourceHealth]: ...

    def put_lags(self, lags: Sequence[MarketLag]) -> None: ...

    def lags(self) -> Mapping[Market, MarketLag]:
        """The newest lag of every market that one was ever measured of."""
        ...

    def put_contexts(self, contexts: Sequence[PerpContext]) -> None: ...

    def contexts(self) -> Mapping[Market, PerpContext]: ...


class Books(Protocol):
    """The newest order book, beside the price: Redis or its in-process twin."""

    def latest(self, markets: Sequence[Market]) -> Mapping[Market, Book]:
        """Markets without a book are absent. Raises Unavailable when the cache is away.

        A book stays when its source falls silent: whoever uses it looks at its age.
        """
        ...


class BooksWriter(Books, Protocol):
    """The worker's side of the cache."""

    def put(self, books: Sequence[Book]) -> None: ...


class Candles(Protocol):
    """Stored prices. Synchronous, safe to call from threads."""

    def candles(self, market: str, interval: CandleInterval, *, before_ms: int | None, limit: int) -> Sequence[Candle]:
        """Newest first, at most `limit`, all with open_ms < before_ms."""
        ...


class Closings(Protocol):
    """What contests are closed at."""

    def closing_price(self, market: str, end_ms: int) -> ClosingPrice | NoClosingPrice:
        """What a contest that ends then is closed at; a price and VOID are final.

        Raises NotFound (market_unknown; closing_price_gone when it is asked for CLOSING_KEPT_MS too late).
        """
        ...


class MarketData(Candles, Closings, Protocol):
    """Reads for apps. Synchronous, safe to call from threads."""

    def markets(self) -> Sequence[MarketView]: ...

    def market(self, market: str) -> MarketView:
        """Raises NotFound (market_unknown)."""
        ...

    def book(self, market: str, *, depth: int) -> Book:
        """The newest book, cut to `depth` levels a side.

        Raises NotFound (market_unknown; book_unknown when no source has shown one), Invalid.
        """
        ...

    def perp_hours(self, market: str, *, before_ms: int, limit: int) -> Sequence[PerpHour]:
        """Hours that began before then, newest first: premium, funding and open interest of a perpetual.

        Raises NotFound (market_unknown), Invalid.
        """
        ...

    def sources(self) -> Sequence[SourceHealth]: ...

    def approve_resume(self, market: str, *, operator: str, reason: str) -> ResumeView:
        """Say, as an operator, that a quarantined market may trade again. Two different operators are needed.

        Raises NotFound (market_unknown), Invalid, Conflict (market_not_quarantined, operator_repeated).
        """
        ...


class Feed(Protocol):
    """A price source with the ingest it reports to."""

    name: str

    async def run(self) -> None:
        """Report until cancelled. Returns when the source has no more to say."""
        ...

    def failed(self, reason: str) -> None:
        """Tell those who watch the source's health that `run` ended by a fault."""
        ...


class Ingestion(Protocol):
    """What the ingest worker drives: feeds come in; quotes, health, candles and raw payloads go out.

    `begin`, `write` and `record` block and are called from a thread, the rest from the event loop.
    """

    @property
    def feeds(self) -> Sequence[Feed]: ...

    def begin(self) -> None:
        """Start afresh from what is stored. Called before the feeds run."""
        ...

    def on_feed(self, callback: Callable[[str], None]) -> None:
        """Call back with the kind of the feed once the first tick of a run has decided it."""
        ...

    def on_halt(self, callback: Callable[[], None]) -> None:
        """Call back when a market that was open halts."""
        ...

    def due(self, *, halts_only: bool = False) -> Sequence[Quote]:
        """The newest quote of every market whose quote changed since it was last handed out."""
        ...

    def on_admitted(self, callback: Callable[[], None]) -> None:
        """Call back when `admitted` has something to hand out."""
        ...

    def admitted(self) -> Sequence[Quote]:
        """Every quote that an admitted tick made since the last call, oldest first, none conflated.

        At most ADMITTED_WAITING_MAX wait; the oldest beyond it are given up and counted.
        """
        ...

    def books(self) -> Sequence[Book]:
        """The newest book of every market whose book changed since it was last handed out."""
        ...

    def contexts(self) -> Sequence[PerpContext]:
        """The newest context of every perpetual that has one."""
        ...

    def measure_lags(self) -> Sequence[MarketLag]:
        """Measure how far the oracle runs behind the exchange, where both run. Called from a thread."""
        ...

    def health(self) -> Sequence[SourceHealth]: ...

    def write(self) -> None:
        """Store what has gathered. Raises Unavailable and keeps it when the database is away."""
        ...

    def record(self) -> int:
        """Put the raw payloads that wait into the object store. Returns how many were given up since last time."""
        ...
