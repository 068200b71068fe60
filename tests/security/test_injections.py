"""Hostile texts in every field of the API that takes text from outside: nothing beyond policy, no secret, no fault."""

import json
from collections.abc import Callable
from typing import Any

import pytest
from tests.apps.api.stage import SOL, Api, Person
from tests.domains.aitrading.injections import HOSTILE
from tests.domains.clones.strategies import asset, graph, prompt, rule, sound, stream, trading_clone

from pump_party.domains.prop_interface.contract import AccountKind, AccountStatus
from pump_party.kernel.ids import UserId

TEXTS_MIN = 200
SECRET = "kept-between-owner-and-clone"
POLICY = sound(decider=rule({"when": {"kind": "always"}, "then": {"kind": "hold"}}), max_position_ppm=100_000)
ENDED = {200, 201, 202, 204, 400, 404, 409, 422}

Ask = Callable[[Person, str, str], Any]


def proposal(**fields: Any) -> dict[str, Any]:
    return {"market": SOL, "action": "open", "side": "long", "share": "0.05"} | fields


def acting(field: str, *, where: str = "proposals") -> Ask:
    def ask(person: Person, clone_id: str, text: str) -> Any:
        condition = {"feature": "price", "op": "below", "value": "1"}
        body: dict[str, Any] = {"run_key": f"run-{abs(hash(text))}", "proposals": [proposal()]}
        if where == "invalidation":
            body["proposals"][0]["invalidation"] = condition | {field: text}
        elif where == "body":
            body[field] = text
        else:
            body["proposals"][0][field] = text
        return person.request("POST", f"/v1/clones/{clone_id}/actions", json=body)

    return ask


def replaying(field: str) -> Ask:
    """Decide again by what decides nothing here: no model is offered."""

    def ask(person: Person, clone_id: str, text: str) -> Any:
        body = {"run_key": "to-replay", "proposals": [proposal(action="hold", side=None, share="0")]}
        acted = person.request("POST", f"/v1/clones/{clone_id}/actions", json=body)
        run_id = acted.json()["decision"]["run_id"]
        return person.request("POST", f"/v1/decisions/{run_id}/replays", json={field: text[:8_000]})

    return ask


def playing(field: str) -> Ask:
    return lambda person, _, text: person.post(
        "/v1/backtests", {"strategy": POLICY, "tape": "synthetic"} | {field: text}
    )


def strategy_with(text: str) -> dict[str, Any]:
    return graph(stream(), asset(SOL), prompt(text), trading_clone(model="local:stub"))


FIELDS: dict[str, Ask] = {
    "reason": acting("reason"),
    "market": acting("market"),
    "action": acting("action"),
    "side": acting("side"),
    "share": acting("share"),
    "stop_price": acting("stop_price"),
    "target_price": acting("target_price"),
    "confidence": acting("confidence"),
    "feature": acting("feature", where="invalidation"),
    "value": acting("value", where="invalidation"),
    "op": acting("op", where="invalidation"),
    "than": acting("than", where="invalidation"),
    "run_key": acting("run_key", where="body"),
    "name": lambda person, _, text: person.post("/v1/clones", {"name": text}),
    "bio": lambda person, clone_id, text: person.patch(f"/v1/clones/{clone_id}", {"bio": text}),
    "report": lambda person, clone_id, text: person.post(f"/v1/clones/{clone_id}/reports", {"reason": text}),
    "prompt": lambda person, _, text: person.post("/v1/strategies/validate", {"strategy": strategy_with(text)}),
    "draft": lambda person, clone_id, text: person.put(
        f"/v1/clones/{clone_id}/draft",
        {"strategy": strategy_with(text), "layout": {text[:20]: [1, 1]}, "base_version": 1, "revision": 0},
    ),
    "model": lambda person, clone_id, text: person.post(
        f"/v1/clones/{clone_id}/dry-runs", {"market": SOL, "strategy": sound(model=text[:200])}
    ),
    "replay_prompt": replaying("prompt"),
    "replay_model": replaying("model"),
    "backtest_name": playing("name"),
    "backtest_tape": playing("tape"),
    "backtest_rule_set": playing("rule_set"),
    "rule_set": lambda person, clone_id, text: person.post(f"/v1/clones/{clone_id}/deployment", {"rule_set": text}),
    "key_name": lambda person, _, text: person.post("/v1/api-keys", {"name": text, "scopes": ["read"]}),
    "cursor": lambda person, clone_id, text: person.get(
        f"/v1/clones/{clone_id}/decisions", params={"cursor": text.encode(errors="replace")}
    ),
}


class Escaping(Person):
    """Writes halves of characters, which are no UTF-8, as JSON can: escaped."""

    def request(self, method: str, path: str, *, headers: dict[str, str] | None = None, **options: Any) -> Any:
        if "json" in options:
            options["content"] = json.dumps(options.pop("json"))
            headers = (headers or {}) | {"Content-Type": "application/json"}
        return super().request(method, path, headers=headers, **options)


@pytest.fixture(scope="module")
def owner(api: Api) -> Person:
    person = api.sign_in()
    person.__class__ = Escaping
    return person


@pytest.fixture(scope="module")
def clone_id(api: Api, owner: Person) -> str:
    api.set_price(150)
    clone_id = owner.published_clone(POLICY)
    assert owner.post(f"/v1/clones/{clone_id}/deployment", {}).status_code == 201
    return clone_id


@pytest.fixture(scope="module")
def neighbour(api: Api) -> str:
    """A clone of somebody else, with words that nobody may get at."""
    other = api.sign_in()
    neighbour = other.clone("Quiet Neighbour")
    body = {"strategy": strategy_with(SECRET), "layout": {}, "base_version": None, "revision": 0}
    assert other.put(f"/v1/clones/{neighbour}/draft", body).status_code == 200
    return neighbour


def test_there_are_texts_enough():
    assert len(set(HOSTILE)) >= TEXTS_MIN


@pytest.mark.parametrize("field", FIELDS)
def test_no_text_in_a_field_moves_anything_beyond_policy(
    api: Api, owner: Person, clone_id: str, neighbour: str, field: str
):
    api.set_price(150)
    for text in HOSTILE:
        answer = FIELDS[field](owner, clone_id, text)
        assert answer.status_code in ENDED, (field, text, answer.status_code, answer.text)
        assert SECRET not in answer.text
    _hold_policy(api, owner, clone_id)


def _hold_policy(api: Api, owner: Person, clone_id: str) -> None:
    """Whatever was sent, the clone holds and has on order at most what its strategy allows, in its one market."""
    accounts = api.services.prop.accounts(UserId(owner.user_id))
    (account,) = [view for view in accounts if view.kind is AccountKind.CLONE]
    assert account.status is AccountStatus.ACTIVE
    assert (account.perps, {position.market for position in account.positions} <= {SOL}) == ((), True)
    most_micros = account.start_micros // 10
    held = sum(position.cost_micros for position in account.positions) + account.held_micros
    assert held <= most_micros * 101 // 100
    orders = owner.get(f"/v1/accounts/{account.account_id}/orders?status=open").json()["items"]
    assert {order["market"] for order in orders} <= {SOL}
