"""Orders over HTTP: their shape, repeats, and that both ways to the handler answer the same. Rules are the engine's."""

import pytest
from tests.apps.api.stage import SOL, Api, Person

from pump_party.apps.order_wire import FillDetail

BUY = {"market": SOL, "side": "buy", "quantity": "0.5", "client_order_id": "mine-1", "max_slippage_bps": 50}


@pytest.fixture
def account_id(api: Api, person: Person) -> str:
    api.set_price(150)
    return person.open_account()


def test_an_order_is_filled_with_its_evidence_and_moves_the_account(api: Api, person: Person, account_id):
    answer = person.post(f"/v1/accounts/{account_id}/orders", BUY)
    order = answer.json()
    assert answer.status_code == 201
    assert {name: order[name] for name in BUY} == BUY
    assert (order["status"], order["reject_code"], order["quote_amount"]) == ("filled", None, None)
    fill = order["fill"]
    assert set(fill) == set(FillDetail.__struct_fields__)
    assert fill["evidence"]["mid"] == "150"
    assert fill["evidence"]["source"] == "hyperliquid"
    assert len(fill["evidence"]["tick_sha256"]) == 64

    account = person.get(f"/v1/accounts/{account_id}").json()
    (position,) = account["positions"]
    assert (account["start"], account["residual"], position["quantity"]) == ("10000", "0", "0.5")
    assert float(account["cash"]) == pytest.approx(10_000 - float(fill["gross"]) - float(fill["fee"]))
    assert float(position["average_price"]) * 0.5 == pytest.approx(float(position["cost"]))

    assert person.get(f"/v1/accounts/{account_id}/orders/{order['order_id']}").json() == order
    assert person.get(f"/v1/accounts/{account_id}/orders").json() == {"items": [order], "next_cursor": None}
    (listed,) = person.get(f"/v1/accounts/{account_id}/fills").json()["items"]
    assert {name: listed[name] for name in fill} == fill
    assert (listed["order_id"], listed["market"], listed["side"]) == (order["order_id"], SOL, "buy")


def test_a_rejected_order_is_recorded_and_says_why(api: Api, person: Person, account_id):
    answer = person.post(f"/v1/accounts/{account_id}/orders", BUY | {"market": "BTC-USDC"})
    order = answer.json()
    assert (answer.status_code, order["status"], order["reject_code"]) == (201, "rejected", "MARKET_HALTED")
    assert order["fill"] is None
    assert person.get(f"/v1/accounts/{account_id}/orders").json()["items"] == [order]
    assert person.get(f"/v1/accounts/{account_id}").json()["cash"] == "10000"


def test_a_preview_tells_the_cost_and_changes_nothing(api: Api, person: Person, account_id):
    body = {"market": SOL, "side": "buy", "quote_amount": "300"}
    before = person.get(f"/v1/accounts/{account_id}").json()
    preview = person.post(f"/v1/accounts/{account_id}/orders/preview", body).json()
    assert preview["reject_code"] is None
    assert preview["mid"] == "150"
    spent = float(preview["gross"]) + float(preview["fee"])
    assert spent <= 300
    assert float(preview["cash_after"]) == pytest.approx(10_000 - spent)
    assert preview["position_after"] == preview["quantity"]
    assert person.get(f"/v1/accounts/{account_id}").json() == before


@pytest.mark.parametrize(
    ("path", "body", "other"),
    [
        ("/v1/accounts/{account_id}/orders", BUY, BUY | {"quantity": "0.6"}),
        ("/v1/accounts/{account_id}/reset", None, None),
        ("/v1/accounts", {"kind": "practice"}, None),
    ],
)
def test_the_same_key_happens_once_and_answers_the_same(api: Api, person: Person, account_id, path, body, other):
    path = path.format(account_id=account_id)
    first, again = (person.post(path, body, key="once") for _ in range(2))
    assert first.status_code == again.status_code
    assert first.json() == again.json()
    if other is not None:
        mismatch = person.post(path, other, key="once")
        assert (mismatch.status_code, mismatch.json()["code"]) == (422, "idempotency_mismatch")
        assert mismatch.json()["field"] == "Idempotency-Key"
        assert len(person.get(f"/v1/accounts/{account_id}/orders").json()["items"]) == 1


@pytest.mark.parametrize(
    ("key", "code"),
    [
        (None, "idempotency_key_missing"),
        ("", "idempotency_key_missing"),
        ("x" * 65, "idempotency_key_invalid"),
        ("two words", "idempotency_key_invalid"),
        ("caf\u00e9".encode("latin-1"), "idempotency_key_invalid"),
    ],
)
@pytest.mark.parametrize("path", ["/v1/accounts", "/v1/api-keys", "/v1/accounts/{account_id}/orders"])
def test_what_creates_something_needs_a_good_key(api: Api, person: Person, account_id, path, key, code):
    body = {"/v1/accounts": {"kind": "practice"}, "/v1/api-keys": {"name": "bot", "scopes": ["read"]}}.get(path, BUY)
    headers = {} if key is None else {"Idempotency-Key": key}
    answer = person.request("POST", path.format(account_id=account_id), json=body, headers=headers)
    assert (answer.status_code, answer.json()["code"]) == (422, code)
    assert answer.json()["field"] == "Idempotency-Key"


def test_the_fast_lane_and_the_router_give_the_same_answers(api: Api, person: Person, account_id):
    """The router also takes the path with a slash at its end; the fast lane only the plain one."""
    lanes = [f"/v1/accounts/{account_id}/orders", f"/v1/accounts/{account_id}/orders/"]
    stranger, read_key = api.sign_in(), person.api_key(["read"])
    for body, headers in (
        (BUY, {}),
        (BUY | {"quantity": 1}, {}),
        (BUY | {"extra": 1}, {}),
        ([], {}),
        (BUY, {"Authorization": f"Bearer {stranger.token}"}),
        (BUY, {"Authorization": f"Bearer {read_key}"}),
        (BUY, {"Authorization": "Bearer nonsense"}),
        (BUY, {"Idempotency-Key": ""}),
    ):
        sent = {"Idempotency-Key": "lane"} | headers
        fast, routed = (person.request("POST", path, json=body, headers=sent) for path in lanes)
        assert (fast.status_code, without_id(fast)) == (routed.status_code, without_id(routed))
        assert fast.headers["content-type"] == routed.headers["content-type"]
    assert person.get(lanes[1]).status_code == 200


def without_id(answer):
    return {name: value for name, value in answer.json().items() if name != "request_id"}


def test_history_is_paged_without_gaps_or_repeats(api: Api, person: Person, account_id):
    placed = [person.post(f"/v1/accounts/{account_id}/orders", BUY).json()["order_id"] for _ in range(5)]
    for history, name, count in (("orders", "order_id", 5), ("fills", "order_id", 5)):
        found, cursor = [], ""
        while cursor is not None:
            page = person.get(f"/v1/accounts/{account_id}/{history}?limit=2{cursor and f'&cursor={cursor}'}").json()
            found += [item[name] for item in page["items"]]
            cursor = page["next_cursor"]
        assert found == placed[::-1]
        assert len(found) == count
    ledger = person.get(f"/v1/accounts/{account_id}/ledger?limit=200").json()["items"]
    totals: dict[str, int] = {}
    for item in ledger:
        whole, _, part = item["amount"].lstrip("-").partition(".")
        scaled = int(whole + part.ljust(9, "0"))
        totals[item["asset"]] = totals.get(item["asset"], 0) + (-scaled if item["amount"].startswith("-") else scaled)
    assert set(totals) == {"USDC", "SOL"}
    assert set(totals.values()) == {0}


def test_the_leaderboard_marks_ones_own_row_and_never_shows_a_wallet(api: Api, person: Person, account_id):
    person.post(f"/v1/accounts/{account_id}/orders", BUY)
    api.services.prop.mark_accounts()
    board = person.get("/v1/leaderboards/practice?limit=200")
    mine = [item for item in board.json()["items"] if item["mine"]]
    assert [item["account_id"] for item in mine] == [account_id]
    assert mine[0]["fills"] == 1
    assert person.wallet.address not in board.text
    anonymous = api.client.get("/v1/leaderboards/practice?limit=200").json()["items"]
    assert not any(item["mine"] for item in anonymous)
