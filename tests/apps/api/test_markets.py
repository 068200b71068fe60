from tests.apps.api.stage import Api

from pump_party.db.marketdata import MarketDataStore
from pump_party.domains.marketdata.contract import Candle, CandleInterval, MarketLag, PerpContext
from pump_party.domains.marketdata.store import Batch
from pump_party.kernel.ids import Market


def test_a_book_is_shown_best_first_to_the_depth_asked_for(api: Api):
    book = api.show_book()
    answer = api.client.get("/v1/markets/SOL-USDC/book?depth=1").json()
    assert 0 <= answer.pop("age_ms") < 60_000
    assert answer == {
        "market": "SOL-USDC",
        "bids": [{"price": "150.23", "size": "50"}],
        "asks": [{"price": "150.24", "size": "40"}],
        "seq": book.seq,
        "publish_ms": book.publish_ms,
        "recv_ms": book.recv_ms,
        "source": "hyperliquid",
        "sha256": "ab" * 32,
    }
    assert len(api.client.get("/v1/markets/SOL-USDC/book").json()["bids"]) == 2


def test_a_market_says_its_kind(api: Api):
    kinds = {one["market"]: one["kind"] for one in api.client.get("/v1/markets").json()["items"]}
    assert (kinds["SOL-USDC"], kinds["SOL-PERP"]) == ("spot", "perp")


def test_a_market_says_its_oracle_lag_and_whether_contests_may_use_it(api: Api):
    def shown() -> tuple[object, ...]:
        body = api.client.get("/v1/markets/ETH-PERP").json()
        return body["lag_ms"], body["lag_p99_ms"], body["contest_eligible"]

    assert shown() == (None, None, None)
    for p99_ms, eligible in ((1_000, True), (1_100, False)):
        api.services.quotes.put_lags([MarketLag(Market("ETH-PERP"), 400, p99_ms, 6, api.services.clock.now_ms())])
        assert shown() == (400, p99_ms, eligible)


def test_a_perpetual_says_what_its_venue_says_of_it(api: Api):
    market = Market("ETH-PERP")
    assert api.client.get("/v1/markets/ETH-PERP").json()["context"] is None
    now_ms = api.services.clock.now_ms()
    said = PerpContext(
        market, -317_740, 12_500, 688_110_000_000, 250_000_000_000, 250_100_000_000, now_ms, "venue", "ab"
    )
    api.services.quotes.put_contexts([said])
    assert api.client.get("/v1/markets/ETH-PERP").json()["context"] == {
        "premium": "-0.00031774",
        "funding_1h": "0.0000125",
        "open_interest": "688.11",
        "oracle_price": "2500",
        "mark_price": "2501",
        "at_ms": now_ms,
        "source": "venue",
    }
    assert api.client.get("/v1/markets/ETH-USDC").json()["context"] is None


def test_market_memory_says_every_feature_with_its_unit_as_of_a_moment(api: Api):
    market, first_ms = Market("BTC-USDC"), 1_750_000_020_000
    closes = [100 * 10**8 + nth * 10**8 for nth in range(5)]
    candles = [
        Candle(market, CandleInterval.M1, first_ms + nth * 60_000, close, close, close, close, 1, complete=False)
        for nth, close in enumerate(closes)
    ]
    end_ms = first_ms + 5 * 60_000
    batch = Batch("live", end_ms, candles, {market: end_ms}, refusals=(), quarantines=(), ends=())
    MarketDataStore(api.services.database).write(batch)
    asked = (
        f"/v1/markets/BTC-USDC/features?as_of_ms={end_ms - 1}&feature=return(1m,2)&feature=sma(1m,2)&feature=funding"
    )
    answer = api.client.get(asked).json()
    assert len(answer.pop("tick_sha256")) == 64
    assert answer == {
        "market": "BTC-USDC",
        "as_of_ms": end_ms - 1,
        "price": "103",
        "confidence": "0.0515",
        "publish_ms": end_ms - 60_001,
        "feed": "live",
        "items": [
            {"feature": "funding", "unit": "ratio", "value": None, "previous": None},
            {"feature": "return(1m,2)", "unit": "ratio", "value": "0.019802", "previous": "0.02"},
            {"feature": "sma(1m,2)", "unit": "price", "value": "102.5", "previous": "101.5"},
        ],
    }


def test_market_memory_says_what_it_cannot_tell(api: Api):
    def code(query: str, market: str = "BTC-USDC") -> str:
        return str(api.client.get(f"/v1/markets/{market}/features?{query}").json()["code"])

    assert code("feature=ema(1h)") == "invalid"
    assert code("as_of_ms=5") == "invalid_value"
    assert code("feature=funding", market="NO-SUCH") == "market_unknown"
    assert code("feature=funding&as_of_ms=5") == "price_unknown"
