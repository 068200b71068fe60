import pytest
from msgspec.structs import replace
from tests.domains.marketdata.feeds import BTC, REGISTRY, e8, ingest_of, report, say, tick

from pump_party.db.engine import Database
from pump_party.db.marketdata import MarketDataStore
from pump_party.domains.marketdata.contract import CandleInterval, HaltReason
from pump_party.kernel.ids import Market
from pump_party.kernel.money import INT64_MAX, format_e8

XRP_PERP = Market("XRP-PERP")
SOURCES = ("hyperliquid", "binance")


@pytest.fixture
def store(sqlite_database: Database) -> MarketDataStore:
    return MarketDataStore(sqlite_database)


def test_every_quote_of_an_admitted_tick_is_handed_on_once_oldest_first_and_none_of_a_refused_one(store, clock):
    ingest = ingest_of(clock, store, registry=REGISTRY)
    told = []
    ingest.on_admitted(lambda: told.append(True))
    for mid in ("150", "150.1", "170"):
        say(ingest, clock, "hyperliquid", mid)
    report(ingest, tick("60000", market=BTC, publish_ms=clock.now_ms()))

    assert [(quote.market, format_e8(quote.mid_e8)) for quote in ingest.admitted()] == [
        ("SOL-USDC", "150"),
        ("SOL-PERP", "150"),
        ("SOL-USDC", "150.1"),
        ("SOL-PERP", "150.1"),
        ("BTC-USDC", "60000"),
        ("BTC-PERP", "60000"),
    ]
    assert len(told) == 6
    assert ingest.admitted() == ()


def test_one_observation_prices_every_market_of_its_base_and_counts_once(store, clock):
    ingest = ingest_of(clock, store, registry=REGISTRY)
    for mid in ("150", "170"):
        say(ingest, clock, "hyperliquid", mid)
    report(ingest, tick("2.5", market=XRP_PERP, publish_ms=clock.now_ms()))

    quotes = {quote.market: quote for quote in ingest.due()}
    spot, perp = quotes["SOL-USDC"], quotes["SOL-PERP"]
    assert perp == replace(spot, market="SOL-PERP")
    assert perp.halt_reason is HaltReason.QUARANTINE_JUMP
    assert set(quotes) == {"SOL-USDC", "SOL-PERP", "XRP-PERP"}
    (health,) = ingest.health()
    assert (health.admitted, health.refused) == (2, 1)
    ingest.write()
    assert {one.market for one in store.open_quarantines("live")} == {"SOL-USDC", "SOL-PERP"}
    minutes = store.candles("SOL-PERP", CandleInterval.M1, before_ms=INT64_MAX, limit=10)
    assert [candle.close_e8 for candle in minutes] == [e8("150")]


def test_a_tick_that_brings_disagreement_is_handed_on_as_a_halt(store, clock):
    ingest = ingest_of(clock, store, sources=SOURCES)
    say(ingest, clock, "hyperliquid", "150")
    say(ingest, clock, "binance", "153")
    assert [quote.halt_reason for quote in ingest.admitted()] == [None, HaltReason.SOURCES_DISAGREE]


def test_beyond_the_limit_the_oldest_quotes_are_given_up_and_counted(store, clock, monkeypatch):
    monkeypatch.setattr("pump_party.domains.marketdata.ingest.ADMITTED_WAITING_MAX", 3)
    ingest = ingest_of(clock, store)
    for mid in ("150", "151", "152", "153", "154"):
        say(ingest, clock, "hyperliquid", mid)
    assert [format_e8(quote.mid_e8) for quote in ingest.admitted()] == ["152", "153", "154"]
    assert b"pump_party_ticks_given_up_total 2.0" in ingest._metrics.render()


def test_a_new_run_hands_on_nothing_of_the_one_before(store, clock):
    ingest = ingest_of(clock, store)
    say(ingest, clock, "hyperliquid", "150")
    ingest.begin()
    assert ingest.admitted() == ()
