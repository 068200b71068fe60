import pytest
from tests.domains.marketdata.feeds import REGISTRY, ingest_of, say

from pump_party.db.engine import Database
from pump_party.db.marketdata import MarketDataStore
from pump_party.domains.marketdata.book import BookChange, OrderBook, begin
from pump_party.domains.marketdata.ingest import Ingest
from pump_party.kernel.ids import Market
from pump_party.platform.clock import ManualClock

SOURCES = ("hyperliquid", "binance")


@pytest.fixture
def store(sqlite_database: Database) -> MarketDataStore:
    return MarketDataStore(sqlite_database)


def book(source: str, seq: int, clock: ManualClock, market: str = "SOL-USDC") -> OrderBook:
    now_ms = clock.now_ms()
    begun = begin(Market(market), source, BookChange([(99, 1)], [(101, 2)], seq, seq, now_ms, now_ms, f"{seq:064x}"))
    assert isinstance(begun, OrderBook)
    return begun


def handed_out(ingest: Ingest) -> list[tuple[str, str, int]]:
    return [(one.market, one.source, one.seq) for one in ingest.books()]


def test_the_newest_book_of_every_market_of_a_base_is_handed_out_once(store, clock):
    ingest = ingest_of(clock, store, registry=REGISTRY)
    say(ingest, clock, "hyperliquid", "150")
    for seq in (1, 2, 3):
        ingest.book_changed(book("hyperliquid", seq, clock))
    ingest.book_changed(book("hyperliquid", 9, clock, "XRP-PERP"))
    assert handed_out(ingest) == [
        ("SOL-USDC", "hyperliquid", 3),
        ("SOL-PERP", "hyperliquid", 3),
        ("XRP-PERP", "hyperliquid", 9),
    ]
    assert ingest.books() == []


def test_the_first_source_of_the_configuration_leads_until_it_falls_silent(store, clock):
    ingest = ingest_of(clock, store, sources=SOURCES)
    say(ingest, clock, "hyperliquid", "150")
    ingest.book_changed(book("binance", 7, clock))
    assert handed_out(ingest) == [("SOL-USDC", "binance", 7)]
    ingest.book_changed(book("hyperliquid", 1, clock))
    ingest.book_changed(book("binance", 8, clock))
    assert handed_out(ingest) == [("SOL-USDC", "hyperliquid", 1)]
    clock.advance(10_001)
    assert handed_out(ingest) == []
    ingest.book_changed(book("binance", 9, clock))
    assert handed_out(ingest) == [("SOL-USDC", "binance", 9)]


def test_no_book_is_handed_out_before_a_price_decided_the_feed_nor_after_a_new_run_began(store, clock):
    ingest = ingest_of(clock, store)
    ingest.book_changed(book("hyperliquid", 1, clock))
    assert ingest.books() == []
    say(ingest, clock, "hyperliquid", "150")
    assert handed_out(ingest) == [("SOL-USDC", "hyperliquid", 1)]
    ingest.begin()
    say(ingest, clock, "hyperliquid", "150")
    assert ingest.books() == []
