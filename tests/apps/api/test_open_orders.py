"""Orders that wait, over HTTP: what the answer waits for, cancelling, and races between the two."""

import shutil
import time
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from tests.apps.api.stage import SOL, Api, Person, running_api
from tests.apps.clock import LeapingClock, leaping_clock

from pump_party.config import Settings
from pump_party.db.prop_check import check
from pump_party.domains.prop_interface.contract import AccountStatus, AccountView, SetAccountStatus

NEXT_TICK = "practice-next-v1"
ON_BOOKS = "practice-book-v1"
BUY = {"market": SOL, "side": "buy", "quantity": "1"}
LIMIT = BUY | {"type": "limit", "limit_price": "140"}
LATENCY_MS = 1_501
WITHIN_S = 10.0


@pytest.fixture(scope="module")
def clock() -> Iterator[LeapingClock]:
    with leaping_clock() as clock:
        yield clock


@pytest.fixture(scope="module")
def api(clock: LeapingClock, sqlite_template: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Api]:
    folder = tmp_path_factory.mktemp("api")
    shutil.copy(sqlite_template, folder / "pump_party.sqlite3")
    with running_api(Settings(data_dir=str(folder), rate_limits=False), matching=True) as api:
        yield api


class Desk:
    """A person's account under one rule set."""

    def __init__(self, api: Api, clock: LeapingClock, rule_set: str | None) -> None:
        api.set_price(150)
        self.api = api
        self.person: Person = api.sign_in()
        self.account_id = self.person.open_account(rule_set)
        self.path = f"/v1/accounts/{self.account_id}/orders"
        self._clock = clock
        self._pool = ThreadPoolExecutor(4)

    def place(self, body: dict[str, Any], wait_ms: int | None = None, **more: Any) -> Any:
        return self.person.post(self.path + ("" if wait_ms is None else f"?wait_ms={wait_ms}"), body, **more)

    def placing(self, body: dict[str, Any], **more: Any) -> "Future[Any]":
        """Place an order and do not wait for the answer, only until it is accepted."""
        answer = self._pool.submit(self.place, body, **more)
        until(lambda: self.account().open_orders)
        return answer

    def at_once(self, *actions: Callable[[], Any]) -> list[Any]:
        return [future.result() for future in [self._pool.submit(action) for action in actions]]

    def tick(self, price: int, *, market: str = SOL) -> None:
        self._clock.leap(LATENCY_MS)
        self.api.tick(price, market=market)

    def account(self) -> AccountView:
        return self.api.services.prop.account(self.person.user_id, self.account_id)  # type: ignore[arg-type]

    def order(self, order_id: str) -> Any:
        return self.person.get(f"{self.path}/{order_id}").json()

    def open(self) -> list[Any]:
        items: list[Any] = self.person.get(f"{self.path}?status=open").json()["items"]
        return items

    def holds_nothing(self) -> bool:
        account = self.person.get(f"/v1/accounts/{self.account_id}").json()
        held = [account["held"], *[position["held"] for position in account["positions"]]]
        return (set(held), account["open_orders"], account["residual"]) == ({"0"}, 0, "0")


def until(condition: Callable[[], Any]) -> None:
    started = time.monotonic()
    while not condition():
        assert time.monotonic() - started < WITHIN_S
        time.sleep(0.01)


@pytest.fixture
def desk(api: Api, clock: LeapingClock) -> Desk:
    """Under contest conditions: every order waits for its tick."""
    return Desk(api, clock, NEXT_TICK)


@pytest.fixture
def latest(api: Api, clock: LeapingClock) -> Desk:
    return Desk(api, clock, None)


def test_an_order_is_answered_with_its_fill_when_its_tick_has_come(desk: Desk) -> None:
    waiting = desk.placing(BUY)
    desk.tick(151)
    answer = waiting.result()
    order = answer.json()
    assert (answer.status_code, order["status"], order["stage"], order["held"]) == (201, "filled", None, "0")
    assert order["fill"]["evidence"]["mid"] == "151"
    assert desk.order(order["order_id"]) == order
    assert desk.holds_nothing()


def test_an_order_on_a_perpetual_is_waited_for_like_any_other(desk: Desk) -> None:
    desk.api.set_price(150, market="SOL-PERP")
    waiting = desk.placing(BUY | {"market": "SOL-PERP", "side": "sell", "leverage": 5})
    (placed,) = desk.open()
    desk.tick(151, market="SOL-PERP")
    answer = waiting.result()
    assert (answer.status_code, answer.json()["status"]) == (201, "filled")
    assert desk.order(placed["order_id"]) == answer.json()
    account = desk.person.get(f"/v1/accounts/{desk.account_id}").json()
    assert (account["held"], account["residual"]) == ("0", "0")
    assert float(account["margin"]) == pytest.approx(30, rel=0.02)


def test_a_fill_tells_which_book_it_walked_and_what_it_took_of_each_level(api: Api, clock: LeapingClock) -> None:
    desk = Desk(api, clock, ON_BOOKS)
    waiting = desk.placing(BUY)
    clock.leap(LATENCY_MS)
    book = api.show_book()
    api.tick(150)
    fill = waiting.result().json()["fill"]
    assert fill["book"] == {
        "source": book.source,
        "seq": book.seq,
        "publish_ms": book.publish_ms,
        "sha256": book.sha256,
        "legs": [{"price": "150.24", "quantity": "1"}],
    }
    (listed,) = desk.person.get(f"/v1/accounts/{desk.account_id}/fills").json()["items"]
    assert (listed["book"], listed["perp"]) == (fill["book"], None)


@pytest.mark.parametrize("wait_ms", [0, 50])
def test_an_order_that_outlasts_the_wait_is_answered_as_accepted(desk: Desk, wait_ms: int) -> None:
    answer = desk.place(BUY, wait_ms)
    order = answer.json()
    assert (answer.status_code, order["status"], order["stage"], order["fill"]) == (202, "accepted", "waiting", None)
    assert (order["held"], order["held_asset"]) == ("154.60815", "USDC")
    assert desk.order(order["order_id"]) == order
    assert desk.open() == [order]
    account = desk.person.get(f"/v1/accounts/{desk.account_id}").json()
    assert (account["held"], account["open_orders"], account["equity"]) == ("154.60815", 1, "10000")
    desk.tick(150)
    until(lambda: desk.order(order["order_id"])["status"] == "filled")
    assert desk.open() == []


def test_the_wait_that_a_request_asks_for_has_a_limit(desk: Desk) -> None:
    for asked in ("8001", "-1", "soon"):
        answer = desk.place(BUY, asked)  # type: ignore[arg-type]
        assert (answer.status_code, answer.json()["field"]) == (422, "wait_ms")
    assert desk.open() == []


@pytest.mark.parametrize(
    "body",
    [
        LIMIT,
        LIMIT | {"limit_price": "160"},
        LIMIT | {"time_in_force": "ioc"},
        BUY | {"type": "stop", "trigger_price": "160"},
        BUY | {"quantity": "1000"},
        BUY | {"side": "sell", "type": "limit", "limit_price": "160"},
    ],
)
def test_a_preview_says_what_the_order_then_becomes(latest: Desk, body: dict[str, str]) -> None:
    latest.place(BUY)
    preview = latest.person.post(f"{latest.path}/preview", body).json()
    order = latest.place(body).json()
    foreseen = {"status", "reject_code", "held", "held_asset"}
    assert {name: preview[name] for name in foreseen} == {name: order[name] for name in foreseen}
    if preview["reject_code"] == "INSUFFICIENT_FUNDS":
        assert (preview["quantity"], preview["position_after"]) == ("1000", "1001")


@pytest.mark.parametrize(
    ("terms", "stage"),
    [
        ({"type": "limit", "limit_price": "140"}, "resting"),
        ({"type": "stop", "trigger_price": "160"}, "armed"),
        ({"type": "take_profit", "trigger_price": "140"}, "armed"),
    ],
)
def test_what_waits_for_a_price_is_answered_at_once(latest: Desk, terms: dict[str, str], stage: str) -> None:
    started = time.monotonic()
    answer = latest.place(BUY | terms)
    order = answer.json()
    assert time.monotonic() - started < 2
    assert (answer.status_code, order["status"], order["stage"]) == (202, "accepted", stage)
    assert {name: order[name] for name in BUY | terms} == BUY | terms


def test_a_limit_that_its_first_tick_leaves_resting_is_answered_then(desk: Desk) -> None:
    waiting = desk.placing(LIMIT)
    desk.tick(150)
    answer = waiting.result()
    order = answer.json()
    assert (answer.status_code, order["status"], order["stage"]) == (202, "accepted", "resting")
    desk.tick(139)
    until(lambda: desk.order(order["order_id"])["status"] == "filled")
    assert desk.order(order["order_id"])["fill"]["price"] == "140"
    assert desk.holds_nothing()


def test_an_order_that_may_not_rest_is_answered_as_cancelled(desk: Desk) -> None:
    waiting = desk.placing(LIMIT | {"time_in_force": "ioc"})
    desk.tick(150)
    answer = waiting.result()
    order = answer.json()
    assert (answer.status_code, order["status"], order["cancel_reason"]) == (201, "cancelled", "CANCELLED_IOC")


def test_exits_are_armed_by_the_fill_and_name_their_parent(latest: Desk) -> None:
    bought = latest.place(BUY | {"stop_price": "140", "target_price": "160"}).json()
    exits = latest.open()
    assert bought["status"] == "filled"
    assert {(one["type"], one["trigger_price"]) for one in exits} == {("stop", "140"), ("take_profit", "160")}
    assert {(one["parent_id"], one["origin"], one["reduce_only"], one["quantity"]) for one in exits} == {
        (bought["order_id"], "exit", True, None)
    }
    assert bought["origin"] == "client"
    latest.tick(161)
    until(lambda: not latest.open())
    assert {latest.order(one["order_id"])["status"] for one in exits} == {"filled", "cancelled"}
    assert latest.holds_nothing()


def test_the_order_that_closes_an_account_says_so_and_outlives_a_cancel(latest: Desk) -> None:
    latest.place(BUY)
    command = SetAccountStatus(None, latest.account_id, AccountStatus.COMPLETED, "over", "the end")  # type: ignore[arg-type]
    latest.api.services.prop.set_account_status(command)
    (closing,) = latest.open()
    assert (closing["origin"], closing["side"], closing["reduce_only"]) == ("closing", "sell", True)
    assert latest.person.delete(f"{latest.path}/{closing['order_id']}").json() == closing
    latest.tick(150)
    until(lambda: latest.order(closing["order_id"])["status"] == "filled")
    account = latest.person.get(f"/v1/accounts/{latest.account_id}").json()
    told = account["status"], account["status_reason"], account["status_detail"]
    assert told == ("completed", "BY_SYSTEM", "the end")


def test_the_same_key_waits_for_the_same_order(desk: Desk) -> None:
    waiting = desk.placing(BUY, key="once")
    again = desk.place(BUY, 0, key="once")
    assert again.status_code == 202
    desk.tick(150)
    assert waiting.result().json()["order_id"] == again.json()["order_id"]
    assert desk.place(BUY, key="once").json() == waiting.result().json()


def test_a_cancelled_order_frees_what_it_held_and_is_answered_the_same_again(latest: Desk) -> None:
    order_id = rests(latest)
    first, again = (latest.person.delete(f"{latest.path}/{order_id}") for _ in range(2))
    order = first.json()
    assert (first.status_code, order["status"], order["cancel_reason"]) == (200, "cancelled", "CANCELLED_BY_USER")
    assert first.json() == again.json()
    assert latest.holds_nothing()


def test_an_order_that_rests_under_contest_conditions_is_called_back_and_ends_at_the_next_price(desk: Desk) -> None:
    order_id = rests(desk)
    first, again = (desk.person.delete(f"{desk.path}/{order_id}") for _ in range(2))
    order = first.json()
    assert (first.status_code, order["status"], order["stage"]) == (200, "accepted", "cancelling")
    assert first.json() == again.json()
    desk.tick(150)
    until(lambda: desk.order(order_id)["status"] == "cancelled")
    assert desk.order(order_id)["cancel_reason"] == "CANCELLED_BY_USER"
    assert desk.holds_nothing()


def rests(desk: Desk) -> str:
    """The id of a limit order that has met its first price, and could be cancelled."""
    order_id: str = desk.place(LIMIT, 0).json()["order_id"]
    desk.tick(150)
    until(lambda: desk.order(order_id)["stage"] == "resting")
    return order_id


def test_an_order_in_flight_is_not_cancelled_and_the_answer_says_so(desk: Desk) -> None:
    waiting = desk.placing(BUY)
    (open_order,) = desk.open()
    answer = desk.person.delete(f"{desk.path}/{open_order['order_id']}")
    assert (answer.status_code, answer.json()) == (200, open_order)
    assert (open_order["status"], open_order["stage"]) == ("accepted", "waiting")
    desk.tick(150)
    assert waiting.result().json()["status"] == "filled"


def test_a_cancel_of_a_filled_order_answers_the_fill(latest: Desk) -> None:
    filled = latest.place(BUY).json()
    assert latest.person.delete(f"{latest.path}/{filled['order_id']}").json() == filled


def test_all_open_orders_or_those_of_a_market_are_cancelled_in_one_step(latest: Desk) -> None:
    latest.api.set_price(60_000, market="BTC-USDC")
    of_sol = [latest.place(LIMIT).json()["order_id"] for _ in range(3)]
    btc = {"market": "BTC-USDC", "quantity": "0.01", "limit_price": "50000"}
    of_btc = latest.place(LIMIT | btc).json()["order_id"]
    cancelled = latest.person.delete(f"{latest.path}?market={SOL}").json()["items"]
    assert [one["order_id"] for one in cancelled] == of_sol
    assert {one["cancel_reason"] for one in cancelled} == {"CANCELLED_BY_USER"}
    assert [one["order_id"] for one in latest.person.delete(latest.path).json()["items"]] == [of_btc]
    assert latest.person.delete(latest.path).json() == {"items": []}
    assert latest.holds_nothing()


def test_a_cancel_and_a_fill_race_and_every_answer_tells_the_same_end(latest: Desk) -> None:
    ends = set()
    for _ in range(8):
        latest.tick(150)
        order_id = rests(latest)
        order_path = f"{latest.path}/{order_id}"
        _, cancelled = latest.at_once(lambda: latest.tick(130), lambda path=order_path: latest.person.delete(path))
        until(lambda: not latest.open())
        order = latest.order(order_id)
        assert cancelled.json() == order
        ends.add(order["status"])
    assert ends <= {"filled", "cancelled"}
    assert latest.holds_nothing()
    assert check(latest.api.services.database).problems == []


def test_rule_sets_tell_how_their_orders_fill(api: Api) -> None:
    listed = {one["name"]: one for one in api.client.get("/v1/rule-sets").json()["items"]}
    seen = {name: (one["fill_mode"], one["contest_eligible"], one["default"]) for name, one in listed.items()}
    assert seen["practice-v2"] == ("latest", False, True)
    assert seen[NEXT_TICK] == ("next_tick", True, False)
    (sol,) = [market for market in listed[NEXT_TICK]["markets"] if market["market"] == SOL]
    assert (sol["taker_fee_ppm"], sol["min_notional"], sol["latency_ms"], sol["max_wait_ms"]) == (700, "1", 1500, 6000)


def test_rule_sets_tell_their_limits_on_risk(api: Api) -> None:
    listed = {one["name"]: one["risk"] for one in api.client.get("/v1/rule-sets").json()["items"]}
    assert listed[NEXT_TICK] is None
    race = {"max_leverage": 10, "max_position": "50000", "daily_loss_ppm": None, "total_loss_ppm": 250_000}
    assert {name: listed["race-v1"][name] for name in race} == race
    assert (listed["audition-v1"]["allowed_markets"], listed["audition-v1"]["drawdown"]) == ([SOL], "static")


def test_an_account_is_opened_under_the_rule_set_it_names(api: Api, person: Person) -> None:
    account = person.get(f"/v1/accounts/{person.open_account(NEXT_TICK)}").json()
    assert (account["rule_set"], account["contest_eligible"], account["status"]) == (NEXT_TICK, True, "active")
    for name in ("contest-v1", "clone-v1", "none", ""):
        answer = person.post("/v1/accounts", {"kind": "practice", "rule_set": name})
        assert (answer.status_code, answer.json()["field"]) == (422, "rule_set")


@pytest.mark.parametrize(
    "body", [{"kind": "contest"}, {"kind": "contest", "rule_set": "audition-v1"}, {"kind": "clone"}]
)
def test_nobody_opens_an_account_of_a_contest_or_of_a_clone_for_himself(person: Person, body: dict[str, str]) -> None:
    answer = person.post("/v1/accounts", body)
    assert (answer.status_code, answer.json()["code"], answer.json()["field"]) == (422, "rule_set_not_offered", "kind")
    assert person.get("/v1/accounts").json() == {"items": []}
