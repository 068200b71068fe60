"""Market memory of the running service: stored candles, the newest quotes, books and hours of perpetuals.

What many ask for is computed once: reads share a view of each market's candles until the next one is complete.
"""

import threading
from collections import OrderedDict
from collections.abc import Collection, Mapping, Sequence
from typing import NamedTuple

import msgspec

from pump_party.domains.marketdata.bars import (
    GAP_FILLED_MAX,
    Run,
    arrays_of,
    candles_before,
    reading_at,
    run_at,
    runs_of,
    window_start,
)
from pump_party.domains.marketdata.book import imbalance_ppm
from pump_party.domains.marketdata.candles import (
    INTERVAL_MS,
    MINUTE_MS,
    Candle,
    CandleInterval,
    confidence_e8,
    minute_sha256,
)
from pump_party.domains.marketdata.contract import Book, Books, Quote, Quotes
from pump_party.domains.marketdata.features import (
    SNAPSHOT_CANDLES_MAX,
    Feature,
    FeatureName,
    FeatureReading,
    Indicators,
    MarketMemory,
    MarketSnapshot,
    check_wanted,
)
from pump_party.domains.marketdata.perp_context import HOUR_MS
from pump_party.domains.marketdata.perp_samples import hours_needed, read_samples, samples_of
from pump_party.domains.marketdata.registry import Registry
from pump_party.domains.marketdata.store import ChartEnd, MarketMemoryRecords
from pump_party.kernel.ids import Market
from pump_party.platform.clock import Clock

BOOK_FRESH_MS = 3_000
"""An older book says nothing about now."""

VIEWS_MAX = 512
"""Views that are kept, the ones used last: four intervals of every market a registry may have, twice."""

VIEW_KEPT_MS = 60_000
"""Views are read again after this long: another tape may have been put in the place of the one that was read."""

Wanted = Mapping[Market, Sequence[Feature]]
ViewKey = tuple[str, Market, CandleInterval, int]


class _Moment(msgspec.Struct, frozen=True):
    """What is current at one moment."""

    now_ms: int
    quotes: Mapping[Market, Quote]
    books: Mapping[Market, Book]
    charts: Mapping[Market, ChartEnd]


class _View:
    """A market's candles of an interval up to one bar, and what was computed from them."""

    def __init__(self, candles: Sequence[Candle], interval: CandleInterval, bar: int, made_ms: int) -> None:
        self.candles = candles
        self.made_ms = made_ms
        self.run: Run | None = run_at(runs_of(arrays_of(candles), interval), bar)
        self.readings: dict[Feature, FeatureReading] = {}
        self.shown: tuple[Candle, ...] = ()


class LiveMemory:
    """Implements `features.MarketMemory`. Safe to call from threads; one computes while the others wait for it."""

    def __init__(
        self,
        store: MarketMemoryRecords,
        quotes: Quotes,
        books: Books,
        clock: Clock,
        registry: Registry,
        indicators: Indicators,
    ) -> None:
        self._store = store
        self._quotes = quotes
        self._books = books
        self._clock = clock
        self._registry = registry
        self._indicators = indicators
        self._lock = threading.Lock()
        self._views: OrderedDict[ViewKey, _View] = OrderedDict()

    def snapshots(
        self, wanted: Wanted, *, as_of_ms: int | None, interval: CandleInterval, candles: int
    ) -> Mapping[Market, MarketSnapshot]:
        with_books = [market for market, features in wanted.items() if Feature(FeatureName.BOOK_IMBALANCE) in features]
        moment = self._moment(wanted, with_books)
        return self.snapshots_of(moment, wanted, as_of_ms=as_of_ms, interval=interval, candles=candles)

    def pinned(self) -> MarketMemory:
        markets = [asset.market for asset in self._registry.assets()]
        return _Pinned(self, self._moment(markets, markets))

    def snapshots_of(
        self, moment: _Moment, wanted: Wanted, *, as_of_ms: int | None, interval: CandleInterval, candles: int
    ) -> Mapping[Market, MarketSnapshot]:
        """`snapshots` as of a moment that was taken before."""
        check_wanted(wanted, as_of_ms=as_of_ms, candles=candles)
        for market in wanted:
            self._registry.asset(market)
        with self._lock:
            found = [
                self._snapshot(moment, market, features, as_of_ms, interval, candles)
                for market, features in wanted.items()
            ]
        return {snapshot.market: snapshot for snapshot in found if snapshot is not None}

    def _moment(self, markets: Collection[Market], with_books: Sequence[Market]) -> _Moment:
        # Quotes first: a chart that is further than its quote is cut to it, a quote ahead of its chart loses candles.
        return _Moment(
            now_ms=self._clock.now_ms(),
            quotes=self._quotes.latest(list(markets)),
            books=self._books.latest(with_books) if with_books else {},
            charts=self._store.chart_ends(markets),
        )

    def _snapshot(
        self,
        moment: _Moment,
        market: Market,
        features: Sequence[Feature],
        as_of_ms: int | None,
        interval: CandleInterval,
        candles: int,
    ) -> MarketSnapshot | None:
        chart = moment.charts.get(market)
        if as_of_ms is None:
            price, book = _price_of(moment.quotes.get(market)), _fresh(moment, market)
            # A chart of another feed is of the run before.
            chart = chart if chart is not None and price is not None and chart.feed == price.feed else None
        else:
            price, book = None if chart is None else self._price_then(market, chart, as_of_ms), None
        if price is None:
            return None
        known = None if chart is None else ChartEnd(chart.feed, min(price.as_of_ms, chart.chart_ms))
        ordered = sorted(set(features), key=lambda feature: feature.key)
        return MarketSnapshot(
            market=market,
            as_of_ms=price.as_of_ms,
            mid_e8=price.mid_e8,
            conf_e8=price.conf_e8,
            publish_ms=price.publish_ms,
            feed=price.feed,
            tick_sha256=price.sha256,
            readings=tuple([self._reading(market, feature, known, book) for feature in ordered]),
            candles=self._candles(market, interval, known, candles) if candles else (),
        )

    def _price_then(self, market: Market, chart: ChartEnd, as_of_ms: int) -> "_Price | None":
        as_of_ms = min(as_of_ms, chart.chart_ms)
        bar = as_of_ms // MINUTE_MS - 1
        view = self._view(chart.feed, market, CandleInterval.M1, bar)
        if view.run is None:
            return None
        minute = view.candles[int(view.run.rows[bar - view.run.first])]
        digest = minute_sha256(minute.open_ms, minute.open_e8, minute.high_e8, minute.low_e8, minute.close_e8)
        mid_e8, publish_ms = minute.close_e8, minute.open_ms + MINUTE_MS - 1
        return _Price(as_of_ms, mid_e8, confidence_e8(mid_e8), publish_ms, chart.feed, digest.hex())

    def _reading(self, market: Market, feature: Feature, known: ChartEnd | None, book: Book | None) -> FeatureReading:
        """A feature as of where the chart is known, and of the book where there is a fresh one."""
        if feature.name is FeatureName.BOOK_IMBALANCE:
            return FeatureReading(feature, None if book is None else imbalance_ppm(book), None)
        if known is None:
            return FeatureReading(feature, None, None)
        if feature.is_sampled:
            return self._sampled(market, feature, known)
        assert feature.interval is not None
        bar = known.chart_ms // INTERVAL_MS[feature.interval] - 1
        view = self._view(known.feed, market, feature.interval, bar)
        reading = view.readings.get(feature)
        if reading is None:
            value, previous = (None, None) if view.run is None else reading_at(self._indicators, feature, view.run, bar)
            reading = view.readings[feature] = FeatureReading(feature, value, previous)
        return reading

    def _sampled(self, market: Market, feature: Feature, known: ChartEnd) -> FeatureReading:
        """From hours that are over: the hour that forms is rewritten until it is."""
        hour = known.chart_ms // HOUR_MS
        view = self._view(known.feed, market, CandleInterval.H1, hour - 1)
        reading = view.readings.get(feature)
        if reading is None:
            limit = hours_needed(feature)
            hours = self._store.perp_hours(known.feed, market, before_ms=hour * HOUR_MS, limit=limit)
            reading = view.readings[feature] = read_samples(feature, samples_of(hours), hour * HOUR_MS)
        return reading

    def _candles(
        self, market: Market, interval: CandleInterval, known: ChartEnd | None, count: int
    ) -> tuple[Candle, ...]:
        if known is None:
            return ()
        bar = known.chart_ms // INTERVAL_MS[interval] - 1
        view = self._view(known.feed, market, interval, bar)
        if view.run is not None and not view.shown:
            view.shown = candles_before(market, interval, view.run, bar + 1, SNAPSHOT_CANDLES_MAX)
        return view.shown[-count:]

    def _view(self, feed: str, market: Market, interval: CandleInterval, bar: int) -> _View:
        key, now_ms = (feed, market, interval, bar), self._clock.now_ms()
        view = self._views.get(key)
        if view is None or now_ms - view.made_ms > VIEW_KEPT_MS:
            interval_ms = INTERVAL_MS[interval]
            # So many bars earlier there is the candle that a missing first bar continues.
            from_bar = window_start(bar - 1) - GAP_FILLED_MAX - 1
            candles = self._store.candles_between(
                feed, market, interval, from_ms=from_bar * interval_ms, before_ms=(bar + 1) * interval_ms
            )
            view = self._views[key] = _View(candles, interval, bar, now_ms)
            while len(self._views) > VIEWS_MAX:
                self._views.popitem(last=False)
        self._views.move_to_end(key)
        return view


class _Pinned:
    """Implements `features.MarketMemory` at one moment."""

    def __init__(self, memory: LiveMemory, moment: _Moment) -> None:
        self._memory = memory
        self._at = moment

    def snapshots(
        self, wanted: Wanted, *, as_of_ms: int | None, interval: CandleInterval, candles: int
    ) -> Mapping[Market, MarketSnapshot]:
        return self._memory.snapshots_of(self._at, wanted, as_of_ms=as_of_ms, interval=interval, candles=candles)

    def pinned(self) -> MarketMemory:
        return self


class _Price(NamedTuple):
    """A price with its evidence, and the chart time that its snapshot is of."""

    as_of_ms: int
    mid_e8: int
    conf_e8: int
    publish_ms: int
    feed: str
    sha256: str


def _price_of(quote: Quote | None) -> _Price | None:
    if quote is None:
        return None
    return _Price(quote.chart_ms(), quote.mid_e8, quote.conf_e8, quote.publish_ms, quote.feed, quote.tick_sha256)


def _fresh(moment: _Moment, market: Market) -> Book | None:
    book = moment.books.get(market)
    return book if book is not None and book.age_ms(moment.now_ms) <= BOOK_FRESH_MS else None
