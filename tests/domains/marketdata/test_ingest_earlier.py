"""What a venue tells of the time before: it fills holes, and changes nothing that came in here."""

from msgspec.structs import replace
from tests.domains.marketdata.feeds import BTC, NOW_MS, REGISTRY, SOL, ingest_of, minute, report, tick

from pump_party.db.engine import Database
from pump_party.db.marketdata import MarketDataStore
from pump_party.domains.marketdata.candles import MINUTE_MS
from pump_party.domains.marketdata.contract import Candle, CandleInterval
from pump_party.kernel.ids import Market
from pump_party.platform.clock import ManualClock

OPEN_MS = NOW_MS // MINUTE_MS * MINUTE_MS


def earlier(minutes_ago: int, price: str = "140", *, market: Market = SOL) -> Candle:
    return replace(minute(OPEN_MS - minutes_ago * MINUTE_MS, price, market=market), ticks=0, complete=True)


def stored(store: MarketDataStore, market: Market = SOL) -> list[tuple[int, int, int]]:
    """(minutes ago, close, ticks), newest first."""
    rows = store.candles(market, CandleInterval.M1, before_ms=NOW_MS + MINUTE_MS, limit=100)
    return [((OPEN_MS - c.open_ms) // MINUTE_MS, c.close_e8 // 10**8, c.ticks) for c in rows]


def test_charts_begin_before_the_first_price(database: Database, clock: ManualClock):
    store = MarketDataStore(database)
    ingest = ingest_of(clock, store)
    report(ingest, tick("150"))
    ingest.earlier_candles("hyperliquid", [earlier(3), earlier(2), earlier(1)])
    ingest.write()
    assert stored(store) == [(0, 150, 1), (1, 140, 0), (2, 140, 0), (3, 140, 0)]


def test_what_is_stored_and_what_is_still_forming_stays_as_it_is(database: Database, clock: ManualClock):
    store = MarketDataStore(database)
    ingest = ingest_of(clock, store)
    report(ingest, tick("150"))
    ingest.write()
    ingest.earlier_candles("hyperliquid", [earlier(0, "130"), earlier(1)])
    clock.advance(MINUTE_MS)
    report(ingest, tick("151", publish_ms=NOW_MS + MINUTE_MS))
    ingest.earlier_candles("hyperliquid", [earlier(0, "130"), earlier(1, "120"), earlier(2)])
    ingest.write()
    assert stored(store) == [(-1, 151, 1), (0, 150, 1), (1, 140, 0), (2, 140, 0)]


def test_every_market_of_a_base_has_its_past(database: Database, clock: ManualClock):
    store = MarketDataStore(database)
    ingest = ingest_of(clock, store, registry=REGISTRY)
    report(ingest, tick("150"))
    ingest.earlier_candles("hyperliquid", [earlier(1)])
    ingest.write()
    assert stored(store, Market("SOL-PERP")) == [(0, 150, 1), (1, 140, 0)]


def test_a_past_that_comes_before_the_first_price_waits_for_it(database: Database, clock: ManualClock):
    store = MarketDataStore(database)
    ingest = ingest_of(clock, store)
    ingest.earlier_candles("hyperliquid", [earlier(1), earlier(1, "90000", market=BTC)])
    ingest.write()
    report(ingest, tick("150"), tick("95000", market=BTC))
    ingest.write()
    assert stored(store) == [(0, 150, 1), (1, 140, 0)]
    assert stored(store, BTC) == [(0, 95000, 1), (1, 90000, 0)]


def test_a_large_past_is_written_in_parts_and_survives_a_database_that_is_away(database: Database, clock: ManualClock):
    store = MarketDataStore(database)
    ingest = ingest_of(clock, store)
    report(ingest, tick("150"))
    ingest.earlier_candles("hyperliquid", [earlier(n) for n in range(1, 2_502)])
    write, store.write = store.write, None
    for _ in range(2):
        try:
            ingest.write()
        except TypeError:
            continue
    store.write = write
    ingest.write()
    assert len(store.candles(SOL, CandleInterval.M1, before_ms=NOW_MS, limit=9_999)) == 2_001
    ingest.write()
    assert len(store.candles(SOL, CandleInterval.M1, before_ms=NOW_MS, limit=9_999)) == 2_502
