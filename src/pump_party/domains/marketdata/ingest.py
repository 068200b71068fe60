"""Ingestion: what sources report goes in; quotes, candles, source health and evidence come out.

A run is what happens between two calls of `begin`. Live prices go on from what an earlier run stored: forming candles,
open quarantines, and the last price as the reference of a jump while it is recent. A tape or a synthetic market starts
anew with every run: its prices do not follow from those of the run before.

A run has one feed, which the first tick decides: a synthetic price is never compared with a live one.

An observation prices every market of its base: sources report the observed one, the others get a tick of their own.
"""

from collections import deque
from collections.abc import Callable, Mapping, Sequence

import msgspec
from msgspec.structs import replace

from pump_party.domains.marketdata.admission import Quarantine, Verdict
from pump_party.domains.marketdata.book import OrderBook, shown
from pump_party.domains.marketdata.candles import INTERVAL_MS, Chart, continue_chart
from pump_party.domains.marketdata.contract import (
    ADMITTED_WAITING_MAX,
    FEED_SILENT_MS,
    Book,
    Candle,
    CandleInterval,
    MarketKind,
    MarketLag,
    PerpContext,
    PerpHour,
    Quote,
    SourceHealth,
    SourceState,
)
from pump_party.domains.marketdata.guards import Rate, hear_rate, is_depegged
from pump_party.domains.marketdata.lag_watch import LagWatch, pair
from pump_party.domains.marketdata.market_run import MarketRun
from pump_party.domains.marketdata.meter import SourceMeter
from pump_party.domains.marketdata.model import PriceSource, RawPayload, Tick
from pump_party.domains.marketdata.pending import Pending
from pump_party.domains.marketdata.perp_context import PerpTrack, named
from pump_party.domains.marketdata.recording import PayloadStore, Recording
from pump_party.domains.marketdata.registry import Registry
from pump_party.domains.marketdata.store import EndedBy, MarketDataRecords, QuarantineEnd
from pump_party.kernel.ids import Market
from pump_party.platform.clock import Clock
from pump_party.platform.metrics import Metrics

LIVE_FEED = "live"
TAPE_FEED = "tape"

REFERENCE_AGE_MS_MAX = 15 * 60_000
"""After a restart, an older price than this is no reference: a market may move 5 % in the meantime."""

TOLD_BEFORE_PRICES_MAX = 200
"""Answers about the past that wait for the first price, which decides whose past it is."""

PRUNE_EVERY_MS = 10 * 60_000


class Stored(msgspec.Struct, frozen=True):
    """What an earlier run left of a market."""

    chart: Chart | None = None
    reference_e8: int | None = None
    quarantine: Quarantine | None = None
    perp_hours: Sequence[PerpHour] = ()


class SourceFeed:
    """Implements `marketdata.contract.Feed`."""

    def __init__(self, source: PriceSource, sink: "Ingest") -> None:
        self.name = source.name
        self._source = source
        self._sink = sink

    async def run(self) -> None:
        await self._source.run(self._sink)

    def failed(self, reason: str) -> None:
        self._sink.state_changed(self.name, SourceState.STOPPED, reason)


class Ingest:
    """Implements `marketdata.contract.Ingestion` for the worker and `marketdata.model.TickSink` for the sources."""

    def __init__(
        self,
        *,
        registry: Registry,
        store: MarketDataRecords,
        clock: Clock,
        metrics: Metrics,
        sources: Sequence[PriceSource],
        payloads: PayloadStore | None = None,
    ) -> None:
        """`sources` in the order of the configuration: of two that agree, the first one's price is used.

        `payloads` keeps raw payloads; None keeps none.
        """
        assert sources
        self.feeds = tuple(SourceFeed(source, self) for source in sources)
        self._feed_of = {source.name: source.feed for source in sources}
        self._feed: str | None = None
        self._markets = tuple(asset.market for asset in registry.assets())
        self._perps = {asset.market for asset in registry.assets() if asset.kind is MarketKind.PERP}
        self._followers: dict[Market, list[Market]] = {asset.market: [] for asset in registry.observed()}
        for market in self._markets:
            if registry.priced_as(market) != market:
                self._followers[registry.priced_as(market)].append(market)
        self._store = store
        self._clock = clock
        self._metrics = metrics
        self._recording = Recording(payloads) if payloads is not None else None
        self._meters = {source.name: SourceMeter(source.name) for source in sources}
        self._pending = Pending()
        self._stored: dict[str, dict[Market, Stored]] = {}
        self._runs: dict[Market, MarketRun] = {}
        self._rates: Mapping[str, Rate] = {}
        self._depegged = False
        self._handed_out: dict[Market, Quote] = {}
        self._approved: list[tuple[Market, int]] = []
        self._told_before_prices: list[tuple[str, Sequence[Candle]]] = []
        self._tell_feed: Callable[[str], None] = lambda _: None
        self._admitted: deque[Quote] = deque()
        self._books: dict[Market, dict[str, OrderBook]] = {}
        self._books_handed_out: dict[Market, OrderBook] = {}
        self._lags: dict[Market, LagWatch] = {}
        self._tell_halt: Callable[[], None] = lambda: None
        self._tell_admitted: Callable[[], None] = lambda: None
        self._pruned_ms = clock.now_ms()

    def begin(self) -> None:
        now_ms = self._clock.now_ms()
        self._stored = {feed: self._read_stored(feed, now_ms=now_ms) for feed in set(self._feed_of.values())}
        self._feed = None
        self._told_before_prices = []
        self._runs = {}
        self._pending = Pending()
        self._handed_out = {}
        self._admitted.clear()
        self._books, self._books_handed_out = {}, {}
        compared = pair(tuple(self._meters))
        self._lags = {market: LagWatch(*compared) for market in self._followers} if compared else {}

    def on_feed(self, callback: Callable[[str], None]) -> None:
        self._tell_feed = callback

    def on_halt(self, callback: Callable[[], None]) -> None:
        self._tell_halt = callback

    def on_admitted(self, callback: Callable[[], None]) -> None:
        self._tell_admitted = callback

    def observed(self, raw: RawPayload, ticks: Sequence[Tick]) -> None:
        if self._recording is not None:
            self._recording.offer(raw)
        now_ms = self._clock.now_ms()
        for tick in ticks:
            if self._feed is None:
                self._settle_on(self._feed_of[tick.source], now_ms=now_ms)
            assert self._feed_of[tick.source] == self._feed
            verdict = self._observe(tick, now_ms=now_ms)
            self._meters[tick.source].tick(verdict, now_ms=now_ms)
            self._metrics.tick_observed(tick.source, "admitted" if verdict is Verdict.ADMIT else "refused")
            if verdict is not Verdict.ADMIT:
                self._pending.refused(tick, verdict, now_ms=now_ms)
            elif tick.market in self._lags:
                self._lags[tick.market].heard(tick.source, tick.publish_ms, tick.mid_e8)
            for market in self._followers[tick.market]:
                self._observe(replace(tick, market=market), now_ms=now_ms)

    def quote_asset_rate(self, source: str, rate_e8: int, publish_ms: int) -> None:
        self._rates = hear_rate(self._rates, source, rate_e8, publish_ms, now_ms=self._clock.now_ms())
        depegged = any(is_depegged(rate.rate_e8) for rate in self._rates.values())
        if depegged != self._depegged:
            self._depegged = depegged
            self._judge_all()
            self._tell_halt()

    def book_changed(self, book: OrderBook) -> None:
        self._books.setdefault(book.market, {})[book.source] = book

    def context_changed(self, context: PerpContext) -> None:
        if self._feed_of[context.source] == self._feed:
            for market in (context.market, *self._followers[context.market]):
                if market in self._perps:
                    self._runs[market].hear(named(context, market))

    def earlier_candles(self, source: str, candles: Sequence[Candle]) -> None:
        if self._feed is None:
            self._told_before_prices = [*self._told_before_prices, (source, candles)][-TOLD_BEFORE_PRICES_MAX:]
            return
        if self._feed != self._feed_of[source]:
            return
        now_ms = self._clock.now_ms()
        ended = [candle for candle in candles if candle.open_ms + INTERVAL_MS[candle.interval] <= now_ms]
        for candle in ended:
            self._pending.told(
                replace(candle, market=market) for market in (candle.market, *self._followers[candle.market])
            )

    def state_changed(self, source: str, state: SourceState, error: str | None = None) -> None:
        self._meters[source].state_changed(state, error)

    def due(self, *, halts_only: bool = False) -> Sequence[Quote]:
        self._end_approved()
        self._judge_all()
        due = []
        for market, run in self._runs.items():
            quote, before = run.quote, self._handed_out.get(market)
            if quote is None or quote is before:
                continue
            if halts_only and not (quote.halt_reason and (before is None or before.halt_reason is None)):
                continue
            self._handed_out[market] = quote
            due.append(quote)
        return due

    def admitted(self) -> Sequence[Quote]:
        quotes = tuple(self._admitted)
        self._admitted.clear()
        return quotes

    def books(self) -> Sequence[Book]:
        due: list[Book] = []
        for market in self._books:
            book = self._leading_book(market)
            if book is not None and book is not self._books_handed_out.get(market):
                self._books_handed_out[market] = book
                due += [shown(book, one) for one in (market, *self._followers[market])]
        return due

    def contexts(self) -> Sequence[PerpContext]:
        tracks = [run.perp for run in self._runs.values() if run.perp is not None]
        return [track.newest for track in tracks if track.newest is not None]

    def measure_lags(self) -> Sequence[MarketLag]:
        now_ms = self._clock.now_ms()
        measured = (watch.measure(market, now_ms=now_ms) for market, watch in self._lags.items())
        return [
            replace(lag, market=market)
            for lag in measured
            if lag is not None
            for market in (lag.market, *self._followers[lag.market])
        ]

    def health(self) -> Sequence[SourceHealth]:
        now_ms = self._clock.now_ms()
        return [meter.health(now_ms=now_ms) for meter in self._meters.values()]

    def write(self) -> None:
        if self._feed is None:
            return
        now_ms = self._clock.now_ms()
        batch = self._pending.take(feed=self._feed, now_ms=now_ms)
        try:
            if batch.holds_something():
                self._store.write(batch)
        except Exception:
            self._pending.put_back(batch)
            raise
        if any(run.watch.quarantine for run in self._runs.values()):
            approved = self._store.approved_quarantines(self._feed)
            self._approved = [(quarantine.market, quarantine.since_ms) for quarantine in approved]
        if now_ms - self._pruned_ms >= PRUNE_EVERY_MS:
            self._pruned_ms = now_ms
            self._store.prune(self._feed, now_ms=now_ms)

    def record(self) -> int:
        return 0 if self._recording is None else self._recording.drain()

    def _observe(self, tick: Tick, *, now_ms: int) -> Verdict:
        run = self._runs[tick.market]
        was_halted, before = run.is_halted(), run.quote
        verdict = run.observe(tick, depegged=self._depegged, now_ms=now_ms)
        if verdict is Verdict.ADMIT and run.quote is not None and run.quote is not before:
            self._hand_on(run.quote)
        if not was_halted and run.is_halted():
            self._tell_halt()
        return verdict

    def _leading_book(self, market: Market) -> OrderBook | None:
        """The book of the first source, in the order of the configuration, that still shows one."""
        now_ms = self._clock.now_ms()
        for source in self._meters:
            book = self._books[market].get(source)
            if book is not None and self._feed_of[source] == self._feed and now_ms - book.recv_ms <= FEED_SILENT_MS:
                return book
        return None

    def _hand_on(self, quote: Quote) -> None:
        if len(self._admitted) >= ADMITTED_WAITING_MAX:
            self._admitted.popleft()
            self._metrics.tick_given_up()
        self._admitted.append(quote)
        self._tell_admitted()

    def _read_stored(self, feed: str, *, now_ms: int) -> dict[Market, "Stored"]:
        quarantines = {quarantine.market: quarantine for quarantine in self._store.open_quarantines(feed)}
        stored = {}
        for market in self._markets:
            newest = [] if feed == TAPE_FEED else self._store.newest_candles(feed, market, not_after_ms=now_ms)
            is_perp = market in self._perps and feed == LIVE_FEED
            minutes = [candle for candle in newest if candle.interval is CandleInterval.M1]
            is_recent = minutes and now_ms - minutes[0].open_ms <= REFERENCE_AGE_MS_MAX
            stored[market] = Stored(
                chart=continue_chart(market, newest),
                reference_e8=minutes[0].close_e8 if is_recent and feed == LIVE_FEED else None,
                quarantine=quarantines.get(market),
                perp_hours=self._store.perp_hours(feed, market, before_ms=now_ms, limit=2) if is_perp else (),
            )
        return stored

    def _settle_on(self, feed: str, *, now_ms: int) -> None:
        runs = {}
        for market in self._markets:
            run = MarketRun(market, feed=feed, sources=tuple(self._meters), pending=self._pending)
            stored = self._stored.get(feed, {}).get(market, Stored())
            quarantine = stored.quarantine
            if quarantine is not None and feed != LIVE_FEED:
                self._pending.ended(QuarantineEnd(market, quarantine.since_ms, now_ms, EndedBy.NEW_RUN))
                quarantine = None
            perp = PerpTrack(stored.perp_hours[::-1]) if market in self._perps else None
            run.go_on(chart=stored.chart, reference_e8=stored.reference_e8, quarantine=quarantine, perp=perp)
            runs[market] = run
        self._feed, self._runs = feed, runs
        told, self._told_before_prices = self._told_before_prices, []
        for source, candles in told:
            self.earlier_candles(source, candles)
        self._tell_feed(feed)

    def _judge_all(self) -> None:
        now_ms = self._clock.now_ms()
        for run in self._runs.values():
            run.judge(depegged=self._depegged, now_ms=now_ms)

    def _end_approved(self) -> None:
        approved, self._approved = self._approved, []
        for market, since_ms in approved:
            self._runs[market].resume(since_ms, now_ms=self._clock.now_ms())
