"""Candles that tests of market memory remember, and both memories over them."""

from collections.abc import Sequence
from random import Random

import msgspec
from tests.domains.marketdata.feeds import REGISTRY, SOL

from pump_party.adapters.indicators import TaLibIndicators
from pump_party.db.engine import Database
from pump_party.db.marketdata import MarketDataStore
from pump_party.db.marketdata_memory import MarketMemoryStore
from pump_party.domains.marketdata.bars import aggregated, arrays_of
from pump_party.domains.marketdata.candle_history import CandleHistory, Recording
from pump_party.domains.marketdata.candles import INTERVAL_MS, MINUTE_MS, minute_sha256
from pump_party.domains.marketdata.contract import Candle, CandleInterval, Feature, FeatureName, Quote
from pump_party.domains.marketdata.memory import LiveMemory
from pump_party.domains.marketdata.perp_samples import PerpSample
from pump_party.domains.marketdata.store import Batch
from pump_party.kernel.ids import Market
from pump_party.platform.clock import ManualClock
from pump_party.redis.memory import MemoryBooks, MemoryQuotes

PERP = Market("SOL-PERP")
START_MS = 1_749_995_520_000
"""The first minute of a block of 512."""

EVERY_KIND = (
    Feature(FeatureName.CLOSE, CandleInterval.M1),
    Feature(FeatureName.EMA, CandleInterval.M1, 20),
    Feature(FeatureName.RSI, CandleInterval.M1, 14),
    Feature(FeatureName.VOLATILITY, CandleInterval.M1, 200),
    Feature(FeatureName.BOLLINGER_UPPER, CandleInterval.M5, 20),
    Feature(FeatureName.ADX, CandleInterval.M5, 14),
    Feature(FeatureName.MACD_SIGNAL, CandleInterval.M1),
    Feature(FeatureName.HIGHEST, CandleInterval.H1, 3),
    Feature(FeatureName.FUNDING),
    Feature(FeatureName.OPEN_INTEREST_CHANGE, CandleInterval.H1, 2),
    Feature(FeatureName.BOOK_IMBALANCE),
)


def minutes(seed: int, length: int, *, gaps: Sequence[int] = (), market: Market = SOL) -> list[Candle]:
    """A random walk of complete minutes; at each minute of `gaps` up to eight of them are missing."""
    rng = Random(seed)
    missing = {minute + later for minute in gaps for later in range(rng.randint(1, 8))}
    close, found = 14_600_000_000, []
    for minute in range(length):
        opened, close = close, close + rng.randint(-40_000_000, 40_000_000)
        high, low = max(opened, close) + rng.randint(0, 9_000_000), min(opened, close) - rng.randint(0, 9_000_000)
        if minute not in missing:
            open_ms = START_MS + minute * MINUTE_MS
            found.append(Candle(market, CandleInterval.M1, open_ms, opened, high, low, close, 60, complete=True))
    return found


def history_of(candles: Sequence[Candle], samples: Sequence[PerpSample] = (), *, feed: str = "live") -> CandleHistory:
    digests = [minute_sha256(c.open_ms, c.open_e8, c.high_e8, c.low_e8, c.close_e8) for c in candles]
    recording = Recording(arrays_of(candles), b"".join(digests), samples)
    return CandleHistory(dict.fromkeys({c.market for c in candles}, recording), TaLibIndicators(), feed=feed)


class Desk:
    """A database with a live memory over it, and the caches that it reads."""

    def __init__(self, database: Database, clock: ManualClock, indicators: object | None = None) -> None:
        self.store = MarketDataStore(database)
        self.quotes, self.books = MemoryQuotes(), MemoryBooks()
        parts = (self.quotes, self.books, clock, REGISTRY, indicators or TaLibIndicators())
        self.memory = LiveMemory(MarketMemoryStore(database), *parts)

    def keep(self, candles: Sequence[Candle], *, chart_ms: int, feed: str = "live", **more: object) -> None:
        """Store minutes with the longer candles that they make, as a chart that has come so far."""
        longer = []
        for market in {candle.market for candle in candles}:
            for interval in CandleInterval:
                made = aggregated(arrays_of([c for c in candles if c.market == market]), interval)
                columns = (made.open_ms, made.opens_e8, made.highs_e8, made.lows_e8, made.closes_e8, made.ticks)
                rows = zip(*(column.tolist() for column in columns), strict=True)
                longer += [Candle(market, interval, *row, complete=True) for row in rows]
        charts = dict.fromkeys({candle.market for candle in candles} or {SOL}, chart_ms)
        parts = {"refusals": (), "quarantines": (), "ends": (), **more}
        self.store.write(Batch(feed=feed, now_ms=0, candles=longer, charts=charts, **parts))


def quote_of(
    mid_e8: int, publish_ms: int, *, market: Market = SOL, feed: str = "live", tape_ms: int | None = None
) -> Quote:
    return Quote(market, mid_e8, 5_000_000, publish_ms, publish_ms, 1, "test", "ab" * 32, feed, tape_ms)


def end_ms(candles: Sequence[Candle]) -> int:
    return candles[-1].open_ms + INTERVAL_MS[CandleInterval.M1]


def to_bytes(snapshot: object) -> bytes:
    return msgspec.json.encode(snapshot)
