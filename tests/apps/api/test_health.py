import pytest
from msgspec.structs import replace
from tests.apps.api.stage import SOL, Api, Person, running_api

from pump_party.apps.api.routes import health
from pump_party.config import Settings
from pump_party.domains.marketdata.contract import SourceHealth, SourceState
from pump_party.kernel.errors import Unavailable
from pump_party.kernel.ids import Market


def away(*_: object, **__: object) -> None:
    raise Unavailable("the database does not answer: connection refused", code="database_unavailable")


def test_a_healthy_process_is_live_and_ready_with_the_age_of_every_price(api: Api):
    api.set_price(150)
    assert api.client.get("/v1/health/live").json() == {"status": "ok"}
    answer = api.client.get("/v1/health/ready")
    assert (answer.status_code, answer.json()["status"]) == (200, "ok")
    assert answer.json()["checks"] == {"database": "ok", "cache": "ok", "migrations": "ok"}
    prices = {price["market"]: price for price in answer.json()["prices"]}
    assert prices[SOL]["state"] == "open"
    assert prices[SOL]["age_ms"] < 5_000
    assert prices["BTC-USDC"]["halt_reason"] == "NO_PRICE"


def test_without_its_database_it_is_live_but_not_ready_and_says_why(api: Api, monkeypatch):
    monkeypatch.setattr(api.services.database, "read", away)
    assert api.client.get("/v1/health/live").status_code == 200
    answer = api.client.get("/v1/health/ready")
    assert (answer.status_code, answer.json()["status"]) == (503, "unavailable")
    assert "does not answer" in answer.json()["checks"]["database"]
    assert answer.json()["checks"]["cache"] == "ok"


def test_without_its_cache_it_is_not_ready(api: Api, monkeypatch):
    monkeypatch.setattr(api.services.quotes, "latest", away)
    answer = api.client.get("/v1/health/ready")
    assert (answer.status_code, answer.json()["checks"]["database"]) == (503, "ok")


def test_while_the_database_is_away_requests_are_unavailable_and_recover_by_themselves(
    api: Api, person: Person, monkeypatch
):
    with monkeypatch.context() as outage:
        outage.setattr(api.services.database, "read", away)
        outage.setattr(api.services.database, "write", away)
        assert person.post("/v1/accounts", {"kind": "practice"}).status_code == 503
        refused = person.get("/v1/accounts")
        assert (refused.status_code, refused.json()["code"]) == (503, "database_unavailable")
        assert int(refused.headers["retry-after"]) >= 1
        assert person.get("/v1/auth/sessions/current").status_code == 503
    assert person.get("/v1/accounts").status_code == 200


def test_sources_tell_their_age_rate_and_last_error(api: Api):
    now_ms = api.services.clock.now_ms()
    api.services.quotes.put_health(
        [SourceHealth("hyperliquid", SourceState.RECONNECTING, now_ms, 2, 3, 4, 5, 6, "connection reset", now_ms)]
    )
    answer = api.client.get("/v1/health/sources").json()
    source = answer["sources"][0]
    assert answer["feed"] == "live"
    assert (source["state"], source["rate_per_minute"], source["last_error"]) == ("reconnecting", 3, "connection reset")


def test_the_page_is_told_what_it_needs(api: Api):
    config = api.client.get("/v1/config").json()
    assert config["ws_url"] == "ws://localhost:8401/v1/stream"
    assert config["feed"] == {"kind": "live", "label": "LIVE", "speed": "1"}
    assert (config["start_balance"], config["price_fan_out_hz"]) == ("10000", 5)
    assert "solana" in config["chains"]


@pytest.mark.parametrize(
    ("feed", "label"),
    [("tape:somewhere", "TAPE x60"), ("synthetic:7", "SYNTHETIC"), ("hyperliquid", "LIVE"), ("auto", "AUTO")],
)
def test_the_feed_has_a_name_before_its_first_price(sqlite_path, feed, label):
    with running_api(Settings(data_dir=str(sqlite_path.parent), feed=feed, speed=60)) as api:
        assert api.client.get("/v1/config").json()["feed"]["label"] == label


def test_the_newest_price_names_the_feed_whatever_an_earlier_run_left(api: Api):
    api.set_price(150)
    (old,) = api.services.quotes.latest([Market(SOL)]).values()
    newer = {"market": Market("ETH-USDC"), "recv_ms": old.recv_ms + 1, "feed": "synthetic"}
    api.services.quotes.put([replace(old, **newer)])
    assert api.client.get("/v1/config").json()["feed"] == {"kind": "synthetic", "label": "SYNTHETIC", "speed": "1"}


def test_metrics_count_requests_by_route_and_never_by_path(api: Api, person: Person):
    person.get(f"/v1/accounts/{person.open_account()}")
    api.client.get("/v1/nothing/at/all")
    text = api.client.get("/metrics").text
    counted = 'pump_party_request_duration_seconds_count{method="GET",route="/v1/accounts/{account_id}",status="200"}'
    assert counted in text
    assert 'route="unknown",status="404"' in text
    assert "nothing" not in text
    assert person.user_id not in text


def test_metrics_answer_the_named_address_only(api: Api, sqlite_path):
    assert api.client.get("/metrics").status_code == 200
    with running_api(Settings(data_dir=str(sqlite_path.parent), metrics_host="192.0.2.1")) as other:
        assert other.client.get("/metrics").status_code == 404
        forwarded = other.client.get("/metrics", headers={"X-Forwarded-For": "192.0.2.1"})
        assert (health.EVERYONE, forwarded.status_code) == ("*", 200)
