from tests.apps.api.stage import Api

from pump_party.domains.marketdata.contract import MarketLag, PerpContext
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
