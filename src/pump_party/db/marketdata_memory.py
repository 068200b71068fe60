"""Bulk reads of candles for market memory."""

from collections.abc import Collection, Mapping, Sequence

import sqlalchemy as sa

from pump_party.db.engine import Database
from pump_party.db.marketdata import MarketDataStore, candles, charts
from pump_party.domains.marketdata.contract import Candle, CandleInterval, PerpHour
from pump_party.domains.marketdata.store import ChartEnd
from pump_party.kernel.ids import Market

_PRICES = (candles.c.open_ms, candles.c.open_e8, candles.c.high_e8, candles.c.low_e8, candles.c.close_e8)
_BETWEEN = (
    sa.select(*_PRICES, candles.c.ticks)
    .where(candles.c.feed == sa.bindparam("feed"), candles.c.market == sa.bindparam("market"))
    .where(candles.c.interval == sa.bindparam("interval"))
    .where(candles.c.open_ms >= sa.bindparam("from_ms"), candles.c.open_ms < sa.bindparam("before_ms"))
    .order_by(candles.c.open_ms)
)


class MarketMemoryStore:
    """Implements `marketdata.store.MarketMemoryRecords`. Safe to call from threads."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._market_data = MarketDataStore(database)

    def chart_ends(self, markets: Collection[Market]) -> Mapping[Market, ChartEnd]:
        query = sa.select(charts.c.market, charts.c.feed, charts.c.chart_ms).where(charts.c.market.in_(markets))
        with self._database.read() as connection:
            return {Market(market): ChartEnd(feed, chart_ms) for market, feed, chart_ms in connection.execute(query)}

    def candles_between(
        self, feed: str, market: Market, interval: CandleInterval, *, from_ms: int, before_ms: int
    ) -> Sequence[Candle]:
        which = {"feed": feed, "market": market, "interval": interval.value, "from_ms": from_ms, "before_ms": before_ms}
        with self._database.read() as connection:
            return [Candle(market, interval, *row, complete=True) for row in connection.execute(_BETWEEN, which)]

    def first_minute_ms(self, feed: str, market: Market) -> int | None:
        """When the oldest stored minute opened."""
        oldest = sa.select(sa.func.min(candles.c.open_ms)).where(candles.c.feed == feed, candles.c.market == market)
        oldest = oldest.where(candles.c.interval == CandleInterval.M1.value)
        with self._database.read() as connection:
            found = connection.execute(oldest).scalar_one()
        return None if found is None else int(found)

    def perp_hours(self, feed: str, market: Market, *, before_ms: int, limit: int) -> Sequence[PerpHour]:
        return self._market_data.perp_hours(feed, market, before_ms=before_ms, limit=limit)
