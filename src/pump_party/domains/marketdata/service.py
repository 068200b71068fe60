"""Reads of market data for apps, and the operators' door to a quarantined market."""

from collections.abc import Mapping, Sequence
from functools import partial

from msgspec.structs import replace

from pump_party.domains.marketdata.candles import MINUTE_MS
from pump_party.domains.marketdata.closing import find_closing_price
from pump_party.domains.marketdata.contract import (
    BOOK_DEPTH_MAX,
    CANDLES_LIMIT_MAX,
    CLOSING_KEPT_MS,
    Approval,
    Asset,
    Book,
    Books,
    Candle,
    CandleInterval,
    ClosingPrice,
    HaltReason,
    MarketLag,
    MarketState,
    MarketView,
    NoClosingPrice,
    PerpContext,
    PerpHour,
    Quote,
    QuotesWriter,
    ResumeView,
    SourceHealth,
)
from pump_party.domains.marketdata.registry import Registry
from pump_party.domains.marketdata.resumption import approve, is_approved
from pump_party.domains.marketdata.store import MarketDataRecords
from pump_party.kernel.errors import Invalid, NotFound
from pump_party.kernel.ids import Market
from pump_party.kernel.money import INT64_MAX, PPM
from pump_party.platform.clock import Clock

DAY_MS = 86_400_000
CHANGE_GAP_MS_MAX = 3_600_000
"""How far before 24 hours ago the price to compare with may be. Without one the change is not known."""

HEALTH_KEPT_MS = 600_000
"""A source that no worker has spoken of for this long is not a source of this deployment any more."""

LAG_KEPT_MS = 600_000
"""A lag that was measured longer ago says nothing about now."""


CONTEXT_KEPT_MS = 600_000
"""What a venue said of its perpetual longer ago says nothing about now."""


class MarketDataService:
    """Implements `marketdata.contract.MarketData`."""

    def __init__(
        self,
        store: MarketDataRecords,
        quotes: QuotesWriter,
        books: Books,
        clock: Clock,
        registry: Registry,
        contest_latencies_ms: Mapping[Market, int] | None = None,
    ) -> None:
        """The latencies are those of orders that count for a contest; without one no lag makes a market eligible."""
        self._store = store
        self._quotes = quotes
        self._books = books
        self._clock = clock
        self._registry = registry
        self._contest_latencies_ms = contest_latencies_ms or {}

    def markets(self) -> Sequence[MarketView]:
        assets = self._registry.assets()
        quotes = self._quotes.latest([asset.market for asset in assets])
        lags, contexts = self._quotes.lags(), self._quotes.contexts()
        return [
            self._view(asset, quotes.get(asset.market), lags.get(asset.market), contexts.get(asset.market))
            for asset in assets
        ]

    def market(self, market: str) -> MarketView:
        asset = self._registry.asset(market)
        quote = self._quotes.latest([asset.market]).get(asset.market)
        lag, context = self._quotes.lags().get(asset.market), self._quotes.contexts().get(asset.market)
        return self._view(asset, quote, lag, context)

    def candles(self, market: str, interval: CandleInterval, *, before_ms: int | None, limit: int) -> Sequence[Candle]:
        asset = self._registry.asset(market)
        if not 1 <= limit <= CANDLES_LIMIT_MAX:
            raise Invalid(f"must be 1 to {CANDLES_LIMIT_MAX}", field="limit")
        before_ms = INT64_MAX if before_ms is None else before_ms
        if not 0 <= before_ms <= INT64_MAX:
            raise Invalid("must be a time in milliseconds", field="before_ms")
        return self._store.candles(asset.market, interval, before_ms=before_ms, limit=limit)

    def closing_price(self, market: str, end_ms: int) -> ClosingPrice | NoClosingPrice:
        asset, now_ms = self._registry.asset(market), self._clock.now_ms()
        if now_ms - end_ms > CLOSING_KEPT_MS:
            raise NotFound("the prices of that end are not kept any more", code="closing_price_gone", field="end_ms")
        return find_closing_price(self._store, asset.market, end_ms=end_ms, now_ms=now_ms)

    def perp_hours(self, market: str, *, before_ms: int, limit: int) -> Sequence[PerpHour]:
        asset = self._registry.asset(market)
        if not 1 <= limit <= CANDLES_LIMIT_MAX:
            raise Invalid(f"must be 1 to {CANDLES_LIMIT_MAX}", code="limit_out_of_range", field="limit")
        feed = self._store.chart_feed(asset.market)
        return () if feed is None else self._store.perp_hours(feed, asset.market, before_ms=before_ms, limit=limit)

    def book(self, market: str, *, depth: int) -> Book:
        asset = self._registry.asset(market)
        if not 1 <= depth <= BOOK_DEPTH_MAX:
            raise Invalid(f"must be 1 to {BOOK_DEPTH_MAX}", field="depth")
        book = self._books.latest([asset.market]).get(asset.market)
        if book is None:
            raise NotFound(f"no source has shown a book of {asset.market}", code="book_unknown", field="market")
        return replace(book, bids=book.bids[:depth], asks=book.asks[:depth])

    def sources(self) -> Sequence[SourceHealth]:
        now_ms = self._clock.now_ms()
        return [one for one in self._quotes.health() if now_ms - one.updated_ms <= HEALTH_KEPT_MS]

    def approve_resume(self, market: str, *, operator: str, reason: str) -> ResumeView:
        asset = self._registry.asset(market)
        approval = Approval(operator=operator, reason=reason, at_ms=self._clock.now_ms())
        quarantine, approvals = self._store.approve(asset.market, partial(approve, approval=approval))
        return ResumeView(
            market=asset.market,
            since_ms=quarantine.since_ms,
            reference_e8=quarantine.reference_e8,
            observed_e8=quarantine.observed_e8,
            approvals=approvals,
            approved=is_approved(approvals),
        )

    def _view(
        self, asset: Asset, quote: Quote | None, lag: MarketLag | None, context: PerpContext | None
    ) -> MarketView:
        now_ms = self._clock.now_ms()
        if context is not None and now_ms - context.recv_ms > CONTEXT_KEPT_MS:
            context = None
        if lag is not None and now_ms - lag.measured_ms > LAG_KEPT_MS:
            lag = None
        eligible = None if lag is None else lag.is_covered_by(self._contest_latencies_ms.get(asset.market, 0))
        if quote is None:
            return MarketView(asset, MarketState.HALTED, HaltReason.NO_PRICE, None, None, None, lag, context, eligible)
        reason = quote.halted(now_ms)
        state = MarketState.OPEN if reason is None else MarketState.HALTED
        age_ms, change_24h_ppm = quote.age_ms(now_ms), self._change_24h_ppm(quote)
        return MarketView(asset, state, reason, quote, age_ms, change_24h_ppm, lag, context, eligible)

    def _change_24h_ppm(self, quote: Quote) -> int | None:
        # The minute that ended by then: its close is the last price known 24 hours ago.
        day_ago_ms = quote.chart_ms() - DAY_MS - MINUTE_MS
        close_e8 = self._store.close_before(
            quote.feed, quote.market, after_ms=day_ago_ms - CHANGE_GAP_MS_MAX, before_ms=day_ago_ms
        )
        return None if close_e8 is None else (quote.mid_e8 - close_e8) * PPM // close_e8
