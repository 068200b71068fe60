import pytest
from tests.apps.api.stage import Api, Person

from pump_party.apps.api.errors import STATUS
from pump_party.kernel.errors import Refusal


def kinds(kind: type[Refusal]) -> set[type[Refusal]]:
    return set(kind.__subclasses__()).union(*(kinds(sub) for sub in kind.__subclasses__()))


def test_every_kind_of_refusal_has_exactly_one_status():
    for kind in kinds(Refusal):
        if kind.__module__.startswith("pump_party"):
            assert sum(issubclass(kind, known) for known in STATUS) == 1, kind


@pytest.mark.parametrize(
    ("method", "path", "status", "code"),
    [
        ("GET", "/v1/nothing", 404, "route_unknown"),
        ("GET", "/v1/", 404, "route_unknown"),
        ("GET", "/v1/markets/SOL-USDC/", 200, None),
        ("PUT", "/v1/markets", 405, "method_not_allowed"),
        ("POST", "/", 405, "method_not_allowed"),
        ("GET", "/v1/me", 401, "unauthenticated"),
        ("GET", "/v1/markets/DOGE-USDC", 404, "market_unknown"),
        ("GET", "/v1/markets/%00", 404, "market_unknown"),
        ("GET", "/v1/markets/BTC-USDC/book", 404, "book_unknown"),
        ("GET", "/v1/markets/SOL-USDC/book?depth=101", 422, "invalid_value"),
        ("GET", "/v1/markets/SOL-USDC/candles", 422, "invalid_value"),
        ("GET", "/v1/markets/SOL-USDC/candles?interval=2m", 422, "invalid_value"),
        ("GET", "/v1/markets/SOL-USDC/candles?interval=1m&limit=0", 422, "invalid_value"),
        ("GET", "/v1/markets/SOL-USDC/candles?interval=1m&limit=1001", 422, "invalid_value"),
        ("GET", "/v1/markets/SOL-USDC/candles?interval=1m&before_ms=-1", 422, "invalid_value"),
        ("GET", "/v1/markets/SOL-USDC/candles?interval=1m&before_ms=soon", 422, "invalid_value"),
        ("GET", "/v1/markets/SOL-USDC/candles?interval=1m&before_ms=9223372036854775808", 422, "invalid_value"),
        ("GET", "/v1/leaderboards/practice?limit=201", 422, "invalid_value"),
    ],
)
def test_a_request_that_cannot_be_answered_gets_a_problem_document(api: Api, method, path, status, code):
    answer = api.client.request(method, path)
    assert answer.status_code == status, answer.text
    if code is not None:
        problem = answer.json()
        assert answer.headers["content-type"] == "application/problem+json"
        assert (problem["code"], problem["status"], problem["type"]) == (code, status, f"/problems/{code}")
        assert problem["request_id"] == answer.headers["x-request-id"]
        assert problem["title"]
        assert problem["detail"]


def test_a_problem_names_the_parameter(api: Api):
    problem = api.client.get("/v1/markets/SOL-USDC/candles?interval=2m").json()
    assert problem["field"] == "interval"


def test_405_says_what_is_allowed_and_401_how_to_sign_in(api: Api):
    assert api.client.put("/v1/markets").headers["allow"] == "GET, OPTIONS"
    assert api.client.get("/v1/me").headers["www-authenticate"] == "Bearer"


@pytest.mark.parametrize(
    "authorization", ["Basic abc", "Bearer", "Bearer nonsense", "Bearer pp_nonsense", "Bearer " + "x" * 300]
)
def test_a_worthless_credential_is_refused_where_one_is_needed_and_ignored_elsewhere(api: Api, authorization):
    headers = {"Authorization": authorization}
    assert api.client.get("/v1/me", headers=headers).status_code == 401
    assert api.client.get("/v1/markets", headers=headers).status_code == 200


@pytest.mark.parametrize("path_id", ["x", "00000000-0000-7000-8000-00000000000G", "1" * 400, "%00", "..%2F..", "'--"])
def test_a_malformed_id_in_a_path_is_not_found_and_never_asked_for(person: Person, path_id):
    assert person.get(f"/v1/accounts/{path_id}").status_code == 404
    assert person.get(f"/v1/accounts/{path_id}/orders").status_code == 404
    assert person.delete(f"/v1/api-keys/{path_id}").status_code == 404
    assert person.delete(f"/v1/auth/sessions/{path_id}").status_code == 404


@pytest.mark.parametrize("query", ["limit=0", "limit=201", "limit=1.5", "limit=", "cursor=%00", "cursor=" + "a" * 200])
@pytest.mark.parametrize("history", ["orders", "fills", "ledger", "equity"])
def test_pages_refuse_limits_and_cursors_that_make_no_sense(person: Person, history, query):
    answer = person.get(f"/v1/accounts/{person.open_account()}/{history}?{query}")
    assert (answer.status_code, answer.json()["field"]) == (422, query.split("=")[0])


def test_a_fault_of_the_program_tells_nothing_but_a_request_id(api: Api, monkeypatch):
    def fail(*_: object) -> None:
        raise ZeroDivisionError("secret detail")

    monkeypatch.setattr(api.services.market_data, "markets", fail)
    answer = api.client.get("/v1/markets")
    assert (answer.status_code, answer.json()["code"]) == (500, "internal_error")
    assert "secret" not in answer.text
    assert answer.json()["request_id"]
