"""Every route against everyone: owner, stranger, anonymous, API keys of the owner. A new route must be added here."""

import uuid
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import pytest
from litestar.routes import HTTPRoute
from tests.apps.api.stage import SOL, Api, Person
from tests.domains.clones.strategies import sound
from tests.wallets import SolanaWallet

from pump_party.apps.api.app import create_routes
from pump_party.apps.api.threads import Threads

ORDER = {"market": SOL, "side": "buy", "quantity": "0.1"}
STRATEGY = sound()
OTHER_STRATEGY = sound(max_leverage=2)
DRAFT = {"strategy": STRATEGY, "layout": {}, "base_version": None, "revision": 0}
VERSION = {"strategy": OTHER_STRATEGY, "layout": {}, "base_version": 1}
ACTIONS = {"run_key": "first", "proposals": [{"market": SOL, "action": "open", "side": "long", "share": "0.1"}]}
RULE = {"kind": "rule", "id": "rule", "clauses": [{"when": {"kind": "always"}, "then": {"kind": "hold"}}]}
BACKTEST = {"strategy": STRATEGY, "tape": "synthetic"}
ABSENT = "00000000-0000-7000-8000-000000000000"


@dataclass
class Row:
    """What each party is answered. The keys are the owner's with one scope each, `act_key` for the clone."""

    owner: int
    stranger: int
    anonymous: int
    read_key: int
    trade_key: int
    act_key: int = 403
    body: Any = None
    """Sent with the request; called for a new one each time where two alike would be refused."""


def new_clone() -> dict[str, str]:
    return {"name": f"Clone {uuid.uuid4().hex[:12]}"}


def public(status: int, **options: Any) -> Row:
    return Row(status, status, status, status, status, status, **options)


def own(read: int, *, stranger: int = 404) -> Row:
    """Something only its owner may read."""
    return Row(read, stranger, 401, read, 403)


def session_only(status: int, *, stranger: int | None = None, **options: Any) -> Row:
    return Row(status, status if stranger is None else stranger, 401, 403, 403, **options)


MATRIX: dict[tuple[str, str], Row] = {
    ("GET", "/v1/health/live"): public(200),
    ("GET", "/v1/health/ready"): public(200),
    ("GET", "/v1/health/sources"): public(200),
    ("GET", "/metrics"): public(200),
    ("GET", "/v1/openapi.json"): public(200),
    ("GET", "/v1/config"): public(200),
    ("POST", "/v1/auth/challenges"): public(201, body={"chain": "solana", "address": SolanaWallet(5).address}),
    ("POST", "/v1/auth/sessions"): public(401, body={"challenge_id": ABSENT, "signature": "abc"}),
    ("GET", "/v1/auth/sessions"): session_only(200),
    ("GET", "/v1/auth/sessions/current"): public(200),
    ("DELETE", "/v1/auth/sessions"): session_only(204),
    ("DELETE", "/v1/auth/sessions/current"): session_only(204),
    ("DELETE", "/v1/auth/sessions/{session_id}"): session_only(204, stranger=404),
    ("GET", "/v1/me"): Row(200, 200, 401, 200, 403),
    ("POST", "/v1/wallets"): session_only(401, body={"challenge_id": ABSENT, "signature": "abc"}),
    ("GET", "/v1/api-keys"): session_only(200),
    ("POST", "/v1/api-keys"): session_only(201, body={"name": "bot", "scopes": ["read"]}),
    ("DELETE", "/v1/api-keys/{api_key_id}"): session_only(204, stranger=404),
    ("GET", "/v1/markets"): public(200),
    ("GET", "/v1/markets/{market}"): public(200),
    ("GET", "/v1/markets/{market}/book"): public(200),
    ("GET", "/v1/markets/{market}/candles"): public(200),
    ("GET", "/v1/markets/{market}/features"): public(422),
    ("GET", "/v1/leaderboards/practice"): public(200),
    ("GET", "/v1/decisions"): public(200),
    ("GET", "/v1/rule-sets"): public(200),
    ("GET", "/v1/accounts"): Row(200, 200, 401, 200, 403),
    ("POST", "/v1/accounts"): Row(201, 201, 401, 403, 201, body={"kind": "practice"}),
    ("GET", "/v1/accounts/{account_id}"): own(200),
    ("POST", "/v1/accounts/{account_id}/reset"): Row(200, 404, 401, 403, 200),
    ("GET", "/v1/accounts/{account_id}/orders"): own(200),
    ("POST", "/v1/accounts/{account_id}/orders"): Row(201, 404, 401, 403, 201, body=ORDER),
    ("POST", "/v1/accounts/{account_id}/orders/preview"): Row(200, 404, 401, 200, 403, body=ORDER),
    ("GET", "/v1/accounts/{account_id}/orders/{order_id}"): own(200),
    ("DELETE", "/v1/accounts/{account_id}/orders/{order_id}"): Row(200, 404, 401, 403, 200),
    ("DELETE", "/v1/accounts/{account_id}/orders"): Row(200, 404, 401, 403, 200),
    ("GET", "/v1/accounts/{account_id}/fills"): own(200),
    ("GET", "/v1/accounts/{account_id}/ledger"): own(200),
    ("GET", "/v1/accounts/{account_id}/equity"): own(200),
    ("GET", "/v1/accounts/{account_id}/results"): own(200),
    ("POST", "/v1/clones"): session_only(201, body=new_clone),
    ("GET", "/v1/clones"): Row(200, 200, 401, 200, 403),
    ("GET", "/v1/clones/directory"): public(200),
    ("GET", "/v1/clones/{clone_id}"): public(200),
    ("GET", "/v1/clones/{clone_id}/private"): own(200),
    ("PATCH", "/v1/clones/{clone_id}"): session_only(200, stranger=404, body={"bio": "Steady."}),
    ("GET", "/v1/clones/{clone_id}/avatar.svg"): public(200),
    ("POST", "/v1/clones/{clone_id}/reports"): session_only(204, body={"reason": "Looks like somebody else."}),
    ("GET", "/v1/clones/{clone_id}/commitments"): public(200),
    ("GET", "/v1/clones/{clone_id}/commitments/{number}/revealed"): public(404),
    ("GET", "/v1/clones/{clone_id}/draft"): session_only(200, stranger=404),
    ("PUT", "/v1/clones/{clone_id}/draft"): session_only(200, stranger=404, body=DRAFT | {"revision": 1}),
    ("POST", "/v1/clones/{clone_id}/versions"): session_only(201, stranger=404, body=VERSION),
    ("GET", "/v1/clones/{clone_id}/versions"): session_only(200, stranger=404),
    ("GET", "/v1/clones/{clone_id}/versions/{number}"): session_only(200, stranger=404),
    ("GET", "/v1/clones/{clone_id}/versions/{number}/diff/{other}"): session_only(200, stranger=404),
    ("POST", "/v1/clones/{clone_id}/versions/{number}/restore"): session_only(200, stranger=404, body={"revision": 1}),
    ("POST", "/v1/clones/{clone_id}/versions/{number}/reveal"): session_only(200, stranger=404),
    ("GET", "/v1/tapes"): Row(200, 200, 401, 200, 403),
    ("POST", "/v1/backtests"): session_only(202, body=BACKTEST),
    ("GET", "/v1/backtests"): Row(200, 200, 401, 200, 403),
    ("GET", "/v1/backtests/compare"): Row(422, 422, 401, 422, 403),
    ("GET", "/v1/backtests/compare/page"): Row(422, 422, 401, 422, 403),
    ("GET", "/v1/backtests/{backtest_id}"): own(200),
    ("DELETE", "/v1/backtests/{backtest_id}"): session_only(200, stranger=404),
    ("GET", "/v1/backtests/{backtest_id}/result"): own(409),
    ("GET", "/v1/backtests/{backtest_id}/decisions"): own(409),
    ("GET", "/v1/backtests/{backtest_id}/page"): own(409),
    ("GET", "/v1/strategies/schema"): public(200),
    ("GET", "/v1/strategies/house"): public(200),
    ("GET", "/v1/models"): public(200),
    ("POST", "/v1/strategies/validate"): session_only(200, body={"strategy": STRATEGY}),
    ("GET", "/v1/clones/{clone_id}/deployment"): public(200),
    ("POST", "/v1/clones/{clone_id}/deployment"): Row(409, 404, 401, 403, 409, body={}),
    ("POST", "/v1/clones/{clone_id}/deployment/pause"): Row(409, 404, 401, 403, 200),
    ("POST", "/v1/clones/{clone_id}/deployment/resume"): Row(409, 404, 401, 403, 409),
    ("POST", "/v1/clones/{clone_id}/deployment/stop"): Row(200, 404, 401, 403, 200),
    ("GET", "/v1/clones/{clone_id}/account"): Row(200, 404, 401, 403, 403, 200),
    ("POST", "/v1/clones/{clone_id}/actions"): Row(201, 404, 401, 403, 403, 201, body=ACTIONS),
    ("GET", "/v1/clones/{clone_id}/equity"): public(200),
    ("GET", "/v1/clones/{clone_id}/fills"): public(200),
    ("GET", "/v1/clones/{clone_id}/decisions"): public(200),
    ("GET", "/v1/clones/{clone_id}/usage"): own(200),
    ("POST", "/v1/clones/{clone_id}/dry-runs"): session_only(200, stranger=404, body={"market": SOL}),
    ("GET", "/v1/decisions/{run_id}"): public(200),
    ("GET", "/v1/decisions/{run_id}/artifacts/{kind}"): session_only(200, stranger=404),
    ("POST", "/v1/decisions/{run_id}/replays"): session_only(200, stranger=404, body={"rule": RULE}),
    ("POST", "/v1/stream/tickets"): Row(201, 201, 401, 201, 201, 201),
}


def routes() -> Iterator[tuple[str, str]]:
    threads = Threads()
    for route in create_routes(threads).routes:
        if isinstance(route, HTTPRoute):
            yield from ((method, route.path_format) for method in route.methods if method != "OPTIONS")
    threads.close()


def test_every_route_is_in_the_matrix():
    assert set(routes()) == set(MATRIX)


@pytest.fixture
def places(api: Api, person: Person) -> dict[str, str]:
    """Things of the owner, by the names that paths use."""
    api.set_price(150)
    api.show_book()
    account_id = person.open_account()
    order = person.post(f"/v1/accounts/{account_id}/orders", ORDER)
    assert order.json()["status"] == "filled", order.text
    key = person.post("/v1/api-keys", {"name": "spare", "scopes": ["read"]})
    clone_id = person.published_clone(STRATEGY)
    assert person.post(f"/v1/clones/{clone_id}/deployment", {}).status_code == 201
    decided = person.post(f"/v1/clones/{clone_id}/actions", ACTIONS)
    assert decided.status_code == 201, decided.text
    backtest = person.post("/v1/backtests", BACKTEST)
    assert backtest.status_code == 202, backtest.text
    return {
        "backtest_id": backtest.json()["backtest_id"],
        "run_id": decided.json()["decision"]["run_id"],
        "kind": "context",
        "clone_id": clone_id,
        "number": "1",
        "other": "1",
        "market": SOL,
        "account_id": account_id,
        "order_id": order.json()["order_id"],
        "api_key_id": key.json()["api_key_id"],
        "session_id": api.sign_in(person.wallet).session_id,
    }


@pytest.mark.parametrize(("method", "path"), list(MATRIX))
def test_a_route_answers_each_party_as_it_must(api: Api, person: Person, places, method, path):
    row = MATRIX[method, path]
    credentials = {
        "anonymous": None,
        "stranger": api.sign_in().token,
        "read_key": person.api_key(["read"]),
        "trade_key": person.api_key(["trade"]),
        "act_key": person.api_key(["act"], clone_id=places["clone_id"]),
        "owner": person.token,  # last: it may end what it asks about
    }
    query = {"interval": "1m"} if path.endswith("/candles") else None
    answered = {}
    for party, token in credentials.items():
        headers = {"Idempotency-Key": uuid.uuid4().hex} | ({"Authorization": f"Bearer {token}"} if token else {})
        body = row.body() if isinstance(row.body, Callable) else row.body
        answer = api.client.request(method, path.format(**places), headers=headers, json=body, params=query)
        answered[party] = answer.status_code

    assert answered == {party: getattr(row, party) for party in credentials}


@pytest.mark.parametrize(
    ("method", "path"),
    [pair for pair, row in MATRIX.items() if row.stranger == 404 != row.owner and pair[0] != "DELETE"],
)
def test_a_stranger_cannot_tell_a_foreign_thing_from_one_that_does_not_exist(api: Api, places, method, path):
    stranger = api.sign_in()
    absent = {name: ABSENT if name.endswith("_id") else value for name, value in places.items()}
    answers = [
        stranger.request(method, path.format(**names), json=MATRIX[method, path].body, headers={"Idempotency-Key": "k"})
        for names in (places, absent)
    ]
    foreign, missing = ({**answer.json(), "request_id": ""} for answer in answers)
    assert foreign == missing
