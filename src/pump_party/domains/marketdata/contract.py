"""What apps and other domains may ask of market data."""

from collections.abc import Mapping, Sequence
from enum import StrEnum
from typing import Protocol

import msgspec

from pump_party.kernel.ids import Market

FEED_SILENT_MS = 10_000
"""Without an admitted tick for this long a market is halted (execution model, section 4)."""


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


class Asset(msgspec.Struct, frozen=True):
    """A row of the asset registry. Adding a market is adding one of these to the registry file."""

    market: Market
    base: str
    quote: str
    tick_e8: int
    lot_nanos: int
    quantity_decimals: int
    price_decimals: int


class MarketView(msgspec.Struct, frozen=True):
    """A market as shown: its registry row, state, and the current quote where there is one."""

    asset: Asset
    state: MarketState
    halt_reason: HaltReason | None
    quote: Quote | None
    age_ms: int | None
    change_24h_ppm: int | None


class CandleInterval(StrEnum):
    M1 = "1m"
    M5 = "5m"
    H1 = "1h"
    D1 = "1d"


class Candle(msgspec.Struct, frozen=True):
    """Prices of [open_ms, open_ms + interval). `complete` is False while it is still forming."""

    market: Market
    interval: CandleInterval
    open_ms: int
    open_e8: int
    high_e8: int
    low_e8: int
    close_e8: int
    ticks: int
    complete: bool


class SourceState(StrEnum):
    CONNECTING = "connecting"
    LIVE = "live"
    RECONNECTING = "reconnecting"
    STOPPED = "stopped"


class SourceHealth(msgspec.Struct, frozen=True):
    """How a price source is doing. `rate_per_minute` counts admitted ticks of the last minute."""

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


class MarketData(Protocol):
    """Reads for apps. Synchronous, safe to call from threads."""

    def markets(self) -> Sequence[MarketView]: ...

    def market(self, market: str) -> MarketView:
        """Raises NotFound (market_unknown)."""
        ...

    def candles(self, market: str, interval: CandleInterval, *, before_ms: int | None, limit: int) -> Sequence[Candle]:
        """Newest first, at most `limit`, all with open_ms < before_ms."""
        ...

    def sources(self) -> Sequence[SourceHealth]: ...
