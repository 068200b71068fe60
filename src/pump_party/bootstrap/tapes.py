"""The tapes that backtests may play on this server."""

from collections.abc import Sequence
from pathlib import Path

from pump_party.adapters.tape_shelf import Stored, TapeShelf
from pump_party.config import Settings
from pump_party.db.engine import Database
from pump_party.db.marketdata_memory import MarketMemoryStore
from pump_party.domains.marketdata.candle_path import RecordedCandle
from pump_party.domains.marketdata.contract import CandleInterval, MarketKind
from pump_party.domains.marketdata.perp_samples import PerpSample, samples_of
from pump_party.domains.marketdata.registry import Registry
from pump_party.kernel.ids import Market

TAPES_FOLDER = "tapes"
TAPE_FEED = "tape:"
HOURS_MAX = 9_000
"""Of stored funding, the newest: a year."""

MINUTE_MS = 60_000


def build_shelf(settings: Settings, database: Database, registry: Registry) -> TapeShelf:
    folder = settings.tapes_dir or str(Path(settings.data_dir) / TAPES_FOLDER)
    feed = Path(settings.feed.removeprefix(TAPE_FEED)) if settings.feed.startswith(TAPE_FEED) else None
    records = _StoredMinutes(MarketMemoryStore(database), registry)
    return TapeShelf(Path(folder).expanduser().resolve(), feed, registry, records.find)


class _StoredMinutes:
    """What the database has of the feed that drew most of its charts."""

    def __init__(self, store: MarketMemoryStore, registry: Registry) -> None:
        self._store = store
        self._registry = registry
        self._perps = {
            registry.priced_as(asset.market): asset.market
            for asset in registry.assets()
            if asset.kind is MarketKind.PERP
        }

    def find(self) -> Stored | None:
        ends = self._store.chart_ends([asset.market for asset in self._registry.observed()])
        feeds = [end.feed for end in ends.values()]
        if not feeds:
            return None
        feed = max(sorted(set(feeds)), key=feeds.count)
        spans = {}
        for market, end in ends.items():
            first_ms = self._store.first_minute_ms(feed, market) if end.feed == feed else None
            to_ms = end.chart_ms // MINUTE_MS * MINUTE_MS
            if first_ms is not None and first_ms < to_ms:
                spans[market] = (first_ms, to_ms)
        if not spans:
            return None
        return Stored(
            feed,
            spans,
            lambda market, to_ms: self._minutes(feed, market, to_ms),
            lambda market, to_ms: self._samples(feed, market, to_ms),
        )

    def _minutes(self, feed: str, market: Market, to_ms: int) -> Sequence[RecordedCandle]:
        found = self._store.candles_between(feed, market, CandleInterval.M1, from_ms=0, before_ms=to_ms)
        return [RecordedCandle(c.open_ms, c.open_e8, c.high_e8, c.low_e8, c.close_e8) for c in found]

    def _samples(self, feed: str, market: Market, to_ms: int) -> Sequence[PerpSample]:
        """What the venue said its hourly funding was, at the end of every hour."""
        perp = self._perps.get(market)
        if perp is None:
            return []
        return samples_of(self._store.perp_hours(feed, perp, before_ms=to_ms, limit=HOURS_MAX))
