from tests.apps.api.stage import Api


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
