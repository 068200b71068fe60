"""Clones that trade, over HTTP: two forms of one decision, programs that decide, decisions that trade nothing."""

import hashlib
import time
from typing import Any

import pytest
from tests.apps.api.stage import SOL, Api, Person
from tests.domains.clones.strategies import rule, sound, target

from pump_party.apps.decision_wire import Decision, OwnDecision
from pump_party.db.marketdata import MarketDataStore
from pump_party.domains.marketdata.contract import Candle, CandleInterval
from pump_party.domains.marketdata.store import Batch
from pump_party.domains.prop_interface.contract import AccountStatus, SetAccountStatus
from pump_party.kernel.ids import AccountId, Market

BUY = sound(decider=rule({"when": {"kind": "always"}, "then": target(200_000)}))
REASON = "only-the-owner-reads-this"
OPENING = {
    "market": SOL,
    "action": "open",
    "side": "long",
    "share": "0.1",
    "stop_price": "140.5",
    "invalidation": {"feature": "ema(1h,20)", "op": "above", "than": "price"},
    "confidence": "0.75",
    "reason": REASON,
}
FILLED_WITHIN = 100
HOLD = [{"when": {"kind": "always"}, "then": {"kind": "hold"}}]


@pytest.fixture
def clone_id(api: Api, person: Person) -> str:
    """A clone that runs."""
    api.set_price(150)
    clone_id = person.published_clone(BUY)
    assert person.post(f"/v1/clones/{clone_id}/deployment", {}).status_code == 201
    return clone_id


def act(person: Person, clone_id: str, *proposals: dict[str, Any], run_key: str = "first", key: str = "") -> Any:
    headers = {"Authorization": f"Bearer {key}"} if key else {}
    body = {"run_key": run_key, "proposals": list(proposals)}
    return person.request("POST", f"/v1/clones/{clone_id}/actions", json=body, headers=headers)


def filled(api: Api, person: Person, account_id: str, count: int) -> Any:
    """The account's fills, once prices have come on that make so many."""
    for _ in range(FILLED_WITHIN):
        api.services.prop.take_ticks([api.set_price(150)])
        fills = person.get(f"/v1/accounts/{account_id}/fills").json()["items"]
        if len(fills) == count:
            return fills
        time.sleep(0.05)
    raise AssertionError("not filled in time")


def test_a_deployment_shows_its_account_to_its_owner_alone(api: Api, person: Person, clone_id: str):
    path = f"/v1/clones/{clone_id}/deployment"
    own, seen = person.get(path).json(), api.sign_in().get(path).json()
    assert (own["form"], own["state"], own["cadence_s"], own["version"]) == ("owner", "running", 60, 1)
    assert own["next_slot_ms"] % 60_000 == 0
    assert (seen["form"], "account_id" in seen) == ("public", False)
    assert person.get(f"/v1/clones/{clone_id}/account").json()["account_id"] == own["account_id"]


def test_everybody_sees_what_the_account_of_a_clone_may_do(api: Api, person: Person, clone_id: str):
    account_id = person.get(f"/v1/clones/{clone_id}/account").json()["account_id"]
    change = SetAccountStatus(None, AccountId(account_id), AccountStatus.LOCKED, "lock", REASON)
    api.services.prop.set_account_status(change)
    own, seen = (one.get(f"/v1/clones/{clone_id}/deployment").json() for one in (person, api.sign_in()))
    assert [(view["form"], view["account_status"]) for view in (own, seen)] == [
        ("owner", "locked"),
        ("public", "locked"),
    ]
    assert api.client.get(f"/v1/clones/{clone_id}").json()["deployment"] == seen
    assert person.get("/v1/clones").json()["items"][0]["deployment"] == own
    assert REASON not in str(seen)


def test_a_deployment_is_made_once_paused_resumed_and_stopped(person: Person, api: Api):
    api.set_price(150)
    clone_id = person.published_clone(BUY)
    path = f"/v1/clones/{clone_id}/deployment"
    assert person.get(path).json()["code"] == "not_deployed"
    clone = f"/v1/clones/{clone_id}"
    assert [person.get(p).json()["deployment"] for p in (clone, f"{clone}/private")] == [None, None]
    first, again = (person.post(path, {}, key="deploy") for _ in range(2))
    assert (first.status_code, again.json()) == (201, first.json())
    assert person.post(path, {}).json()["code"] == "already_deployed"
    assert person.post(f"{path}/pause").json()["next_slot_ms"] is None
    assert person.post(f"{path}/pause").json()["code"] == "not_running"
    assert person.post(f"{path}/resume").json()["state"] == "running"
    assert person.post(f"{path}/stop").json()["state"] == "stopped"
    seen, own = person.get(clone).json()["deployment"], person.get("/v1/clones").json()["items"][0]["deployment"]
    assert (seen["form"], seen["state"], "account_id" in seen) == ("public", "stopped", False)
    assert (own["form"], own["account_id"]) == ("owner", first.json()["account_id"])
    assert api.client.get("/v1/clones/directory").json()["items"][0]["deployment"] == seen


def test_a_decision_from_outside_is_gated_and_shown_in_two_forms(api: Api, person: Person, clone_id: str):
    made = act(person, clone_id, OPENING)
    assert made.status_code == 201, made.text
    own = made.json()["decision"]
    assert set(own) == {"form", *OwnDecision.__struct_fields__}
    line = own["decisions"][0]
    assert (line["code"], line["share"], line["stop_price"], line["confidence"]) == ("allowed", "0.1", "140.5", "0.75")
    assert line["invalidation"] == {"feature": "price", "op": "below", "value": None, "than": "ema(1h,20)"}
    assert line["order_ids"] == [order["order_id"] for order in made.json()["orders"]]
    assert person.get(f"/v1/decisions/{own['run_id']}").json() == own
    assert person.get(f"/v1/clones/{clone_id}/decisions").json()["items"] == [own]

    everybody = api.client.get(f"/v1/clones/{clone_id}/decisions")
    (seen,) = everybody.json()["items"]
    assert set(seen) == {"form", *Decision.__struct_fields__}
    assert seen["decisions"][0]["line"] == "Open long SOL-USDC: 10.00 % of equity, 1x"
    assert REASON not in everybody.text
    assert api.sign_in().get(f"/v1/decisions/{own['run_id']}").json() == seen


def test_repeating_a_run_key_returns_the_first_outcome(person: Person, clone_id: str):
    first, again = (act(person, clone_id, OPENING).json() for _ in range(2))
    assert again["decision"] == first["decision"]
    other = act(person, clone_id, {"market": SOL, "action": "hold"})
    assert (other.status_code, other.json()["code"]) == (422, "idempotency_mismatch")


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"share": "0.9"}, "size_above_limit"),
        ({"leverage": 9}, "leverage_above_limit"),
        ({"side": "short"}, "short_not_allowed"),
        ({"market": "BTC-USDC", "stop_price": None, "invalidation": None}, "market_not_allowed"),
        ({"stop_price": "190"}, "exit_on_wrong_side"),
    ],
)
def test_what_the_strategy_does_not_allow_is_refused_by_the_gates(person: Person, clone_id: str, change, code):
    made = act(person, clone_id, OPENING | change).json()
    assert (made["decision"]["decisions"][0]["code"], made["orders"]) == (code, [])


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"market": "../etc"}, "market"),
        ({"action": "withdraw"}, "action"),
        ({"share": "1.5"}, "share"),
        ({"share": 0.1}, "share"),
        ({"share": "-0.1"}, "share"),
        ({"stop_price": "0"}, "stop_price"),
        ({"leverage": 51}, "leverage"),
        ({"reason": "x" * 501}, "reason"),
        ({"invalidation": {"feature": "rsi(1h,14)", "op": "above", "than": "price"}}, "invalidation.than"),
        ({"invalidation": {"feature": "nonsense", "op": "above", "value": "1"}}, "invalidation.feature"),
        ({"invalidation": {"feature": "price", "op": "above"}}, "invalidation.value"),
        ({"invalidation": {"feature": "price", "op": "above", "value": "1e9"}}, "invalidation.value"),
    ],
)
def test_a_proposal_that_cannot_be_read_is_refused_with_its_field(person: Person, clone_id: str, change, field):
    answer = act(person, clone_id, OPENING | change)
    named = answer.json()["field"].replace("[...]", "[0]")
    assert (answer.status_code, named) == (422, f"proposals[0].{field}")


def test_a_key_for_one_clone_decides_for_it_and_for_nothing_else(api: Api, person: Person, clone_id: str):
    other = person.published_clone(BUY)
    person.post(f"/v1/clones/{other}/deployment", {})
    key = person.api_key(["act"], clone_id=clone_id)
    assert act(person, clone_id, OPENING, key=key).status_code == 201
    bearer = {"Authorization": f"Bearer {key}"}

    def asked(path: str) -> Any:
        return person.request("GET", path, headers=bearer)

    assert asked(f"/v1/clones/{clone_id}/decisions").json()["items"][0]["form"] == "owner"
    assert asked(f"/v1/clones/{clone_id}/account").status_code == 200
    foreign = act(person, other, OPENING, key=key)
    assert (foreign.status_code, foreign.json()["code"]) == (404, "clone_not_found")
    act(person, other, OPENING)
    assert asked(f"/v1/clones/{other}/decisions").json()["items"][0]["form"] == "public"
    assert asked(f"/v1/clones/{other}/account").status_code == 404
    for path in ("/v1/me", "/v1/clones", "/v1/accounts", f"/v1/clones/{clone_id}/private"):
        assert asked(path).json()["code"] == "scope_missing", path
    assert asked(f"/v1/clones/{clone_id}/draft").json()["code"] == "session_required"


def test_a_key_for_a_clone_is_made_by_its_owner_and_has_no_other_scope(api: Api, person: Person, clone_id: str):
    body = {"name": "brain", "scopes": ["act"], "clone_id": clone_id}
    made = person.post("/v1/api-keys", body)
    assert (made.status_code, made.json()["clone_id"]) == (201, clone_id)
    assert person.get("/v1/api-keys").json()["items"][0]["clone_id"] == clone_id
    assert api.sign_in().post("/v1/api-keys", body).json()["code"] == "clone_not_found"
    for wrong in ({"scopes": ["act", "read"]}, {"scopes": ["read"]}, {"clone_id": None}):
        assert person.post("/v1/api-keys", body | wrong).json()["code"] == "act_alone"


def test_a_clone_that_does_not_run_takes_no_actions(person: Person, clone_id: str):
    person.post(f"/v1/clones/{clone_id}/deployment/pause")
    refused = act(person, clone_id, OPENING)
    assert (refused.status_code, refused.json()["code"]) == (409, "not_running")


def test_an_artifact_is_the_bytes_that_its_hash_is_of(api: Api, person: Person, clone_id: str):
    run = act(person, clone_id, OPENING).json()["decision"]
    path = f"/v1/decisions/{run['run_id']}/artifacts/context"
    artifact = person.get(path)
    assert hashlib.sha256(artifact.content).hexdigest() == run["context_sha256"]
    assert artifact.json()["schema"].startswith("context/")
    assert person.get(path.replace("context", "prompt")).json()["code"] == "artifact_not_found"
    assert api.sign_in().get(path).json()["code"] == "run_not_found"


def test_a_dry_run_shows_what_would_be_decided_and_trades_nothing(person: Person, clone_id: str):
    view = person.post(f"/v1/clones/{clone_id}/dry-runs", {"market": SOL}).json()
    assert (view["decisions"][0]["action"], view["decisions"][0]["share"]) == ("open", "0.2")
    assert view["actions"][0]["type"] == "place_order"
    assert hashlib.sha256(view["context"].encode()).hexdigest() == view["context_sha256"]
    assert person.get(f"/v1/clones/{clone_id}/account").json()["open_orders"] == 0
    other = sound(decider=rule({"when": {"kind": "always"}, "then": {"kind": "hold"}}))
    held = person.post(f"/v1/clones/{clone_id}/dry-runs", {"market": SOL, "strategy": other}).json()
    assert held["decisions"][0]["code"] == "hold"


def test_a_dry_run_of_a_strategy_with_problems_names_them(person: Person, clone_id: str):
    body = {"market": SOL, "strategy": sound(cadence_s=7)}
    refused = person.post(f"/v1/clones/{clone_id}/dry-runs", body)
    assert (refused.status_code, len(refused.json()["problems"])) == (422, 1)


def test_a_replay_decides_the_same_context_again(person: Person, clone_id: str):
    run = act(person, clone_id, OPENING).json()["decision"]
    path = f"/v1/decisions/{run['run_id']}/replays"
    view = person.post(path, {"rule": {"kind": "rule", "id": "rule", "clauses": HOLD}}).json()
    assert view["context_sha256"] == run["context_sha256"]
    assert (view["recorded"][0]["action"], view["replayed"][0]["action"]) == ("open", "hold")
    assert person.post(path, {}).json()["code"] == "one_of"
    bad = {"kind": "rule", "id": "rule", "clauses": [{"when": {"kind": "always"}, "then": target(-100_000)}]}
    assert person.post(path, {"rule": bad}).json()["code"] == "invalid_strategy"


def test_the_fills_of_a_clone_are_everybodys_page_by_page(api: Api, person: Person, clone_id: str):
    path = f"/v1/clones/{clone_id}/fills"
    assert api.client.get(path).json() == {"items": [], "next_cursor": None}
    account_id = person.get(f"/v1/clones/{clone_id}/account").json()["account_id"]
    for count, action in enumerate((OPENING, {"market": SOL, "action": "close"}), start=1):
        act(person, clone_id, action, run_key=str(count))
        own = filled(api, person, account_id, count)
    newest = api.client.get(path, params={"limit": 1})
    (seen,), cursor = newest.json()["items"], newest.json()["next_cursor"]
    earlier = api.client.get(path, params={"limit": 1, "cursor": cursor}).json()
    assert [seen, *earlier["items"]] == api.client.get(path).json()["items"]
    assert seen == {
        "market": SOL,
        "side": "sell",
        "price": own[0]["price"],
        "quantity": own[0]["quantity"],
        "fee": own[0]["fee"],
        "realised": own[0]["realised_pnl"],
        "at_ms": own[0]["filled_ms"],
    }
    assert (len(own), earlier["next_cursor"]) == (2, None)
    assert person.get(path).json()["items"][0] == seen
    for private in (account_id, person.user_id, own[0]["order_id"], own[0]["fill_id"], REASON):
        assert private not in newest.text
    assert api.client.get(path, params={"cursor": "x"}).json()["code"] == "invalid_cursor"
    assert api.client.get(path, params={"limit": 201}).status_code == 422


def test_the_equity_of_a_clone_is_everybodys(api: Api, person: Person, clone_id: str):
    api.services.prop.mark_accounts()
    seen = api.client.get(f"/v1/clones/{clone_id}/equity")
    assert (seen.status_code, seen.json()["start"]) == (200, "10000")
    assert person.user_id not in seen.text


def test_the_equity_of_a_clone_stands_beside_holding_from_the_first_price(api: Api, person: Person, clone_id: str):
    path = f"/v1/clones/{clone_id}/equity"
    api.services.prop.mark_accounts()
    assert api.client.get(path).json()["buy_and_hold_points"] == []
    now_ms = api.services.clock.now_ms()
    candle = Candle(Market(SOL), CandleInterval.M1, now_ms // 60_000 * 60_000, *[150 * 10**8] * 4, 1, False)
    batch = Batch("live", now_ms, [candle], {Market(SOL): now_ms}, refusals=(), quarantines=(), ends=())
    MarketDataStore(api.services.database).write(batch)
    view = api.client.get(path).json()
    assert [p["at_ms"] for p in view["buy_and_hold_points"]] == [p["at_ms"] for p in view["curve"]] != []
    assert view["buy_and_hold_points"][0]["equity"] == view["start"]


def test_everybody_may_know_which_models_are_offered(api: Api, person: Person):
    offered = api.client.get("/v1/models").json()["items"]
    assert offered == [name for name in api.services.settings.models.split(",") if name]
    assert person.get("/v1/models").json()["items"] == offered


def test_usage_is_that_of_the_day(person: Person, clone_id: str):
    usage = person.get(f"/v1/clones/{clone_id}/usage").json()
    assert (usage["models"], usage["spent"]) == ([], "0")
    assert usage["to_ms"] - usage["from_ms"] <= 86_400_000


def test_decisions_come_page_by_page(api: Api, person: Person, clone_id: str):
    runs = [act(person, clone_id, {"market": SOL, "action": "hold"}, run_key=f"k{n}").json() for n in range(3)]
    path = f"/v1/clones/{clone_id}/decisions"
    first = api.client.get(f"{path}?limit=2").json()
    second = api.client.get(path, params={"limit": 2, "cursor": first["next_cursor"]}).json()
    found = [item["run_id"] for item in first["items"] + second["items"]]
    assert found == [run["decision"]["run_id"] for run in runs][::-1]
    assert second["next_cursor"] is None
