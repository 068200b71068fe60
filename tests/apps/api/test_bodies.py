"""Bad input over every route with a body: a clear refusal that names the field, and nothing changed."""

import asyncio
import json
import re
import socket
import time
import uuid
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.apps.api.stage import SOL, Api, Person
from tests.apps.api.test_access import ABSENT, routes
from tests.domains.clones.strategies import sound
from tests.wallets import SolanaWallet

from pump_party.apps.api.bodies import BODY_BYTES_MAX, JSON_DEPTH_MAX, check_depth, read_body
from pump_party.apps.api.errors import BodyTooLarge, BodyTooSlow, Malformed
from pump_party.kernel.errors import Invalid
from pump_party.kernel.ids import UserId

GOOD = {
    "/v1/auth/challenges": {"chain": "solana", "address": SolanaWallet(1).address},
    "/v1/auth/sessions": {"challenge_id": "00000000-0000-7000-8000-000000000000", "signature": "abc"},
    "/v1/wallets": {"challenge_id": "00000000-0000-7000-8000-000000000000", "signature": "abc"},
    "/v1/api-keys": {"name": "bot", "scopes": ["read"]},
    "/v1/accounts": {"kind": "practice"},
    "/v1/accounts/{account_id}/orders": {"market": SOL, "side": "buy", "quantity": "0.1"},
    "/v1/accounts/{account_id}/orders/preview": {"market": SOL, "side": "buy", "quantity": "0.1"},
    "/v1/clones": {"name": "Steady Hand", "bio": "Slow."},
    "/v1/clones/{clone_id}": {"name": "Steady Hand", "bio": "Slow."},
    "/v1/clones/{clone_id}/reports": {"reason": "Not nice."},
    "/v1/clones/{clone_id}/draft": {"strategy": sound(), "layout": {}, "base_version": None, "revision": 0},
    "/v1/clones/{clone_id}/versions": {"strategy": sound(), "layout": {}, "base_version": None},
    "/v1/clones/{clone_id}/versions/{number}/restore": {"revision": 7},
    "/v1/strategies/validate": {"strategy": sound()},
    "/v1/clones/{clone_id}/deployment": {"rule_set": "no-such-rules"},
    "/v1/clones/{clone_id}/dry-runs": {"market": SOL, "strategy": sound()},
    "/v1/clones/{clone_id}/actions": {"run_key": "k", "proposals": [{"market": SOL, "action": "hold"}]},
    "/v1/decisions/{run_id}/replays": {"model": "openai:gpt", "prompt": "Buy low.", "rule": None},
    "/v1/backtests": {"tape": "no-such-tape", "strategy": sound()},
}
METHODS = {"/v1/clones/{clone_id}": "PATCH", "/v1/clones/{clone_id}/draft": "PUT"}
"""The other routes with a body are POSTs."""

WITHOUT_FIELDS = (
    "/v1/accounts/{account_id}/reset",
    "/v1/stream/tickets",
    "/v1/clones/{clone_id}/versions/{number}/reveal",
    "/v1/clones/{clone_id}/deployment/pause",
    "/v1/clones/{clone_id}/deployment/resume",
    "/v1/clones/{clone_id}/deployment/stop",
)
OPTIONAL = {
    ("/v1/clones", "bio"),
    ("/v1/clones/{clone_id}", "name"),
    ("/v1/clones/{clone_id}", "bio"),
    ("/v1/clones/{clone_id}/deployment", "rule_set"),
    ("/v1/clones/{clone_id}/dry-runs", "strategy"),
    ("/v1/decisions/{run_id}/replays", "model"),
    ("/v1/decisions/{run_id}/replays", "prompt"),
    ("/v1/decisions/{run_id}/replays", "rule"),
    ("/v1/backtests", "strategy"),
}
WRONG = (None, True, 1, 1.5, [], {}, "", "\u0000", "x" * 10_000)
NOT_WRONG: dict[tuple[str, str], tuple[object, ...]] = {
    ("/v1/clones", "bio"): ("",),
    ("/v1/clones/{clone_id}", "name"): (None,),
    ("/v1/clones/{clone_id}", "bio"): (None, ""),
    ("/v1/clones/{clone_id}/draft", "layout"): ({},),
    ("/v1/clones/{clone_id}/draft", "base_version"): (None, 1),
    ("/v1/clones/{clone_id}/draft", "revision"): (1,),
    ("/v1/clones/{clone_id}/versions", "layout"): ({},),
    ("/v1/clones/{clone_id}/versions", "base_version"): (None, 1),
    ("/v1/clones/{clone_id}/versions/{number}/restore", "revision"): (1,),
    ("/v1/strategies/validate", "strategy"): WRONG,
    ("/v1/clones/{clone_id}/deployment", "rule_set"): (None, "\u0000"),
    ("/v1/clones/{clone_id}/dry-runs", "strategy"): (None,),
    ("/v1/decisions/{run_id}/replays", "model"): (None, "", "\u0000"),
    ("/v1/decisions/{run_id}/replays", "prompt"): (None, "", "\u0000"),
    ("/v1/decisions/{run_id}/replays", "rule"): (None,),
}
"""Of the values that are wrong elsewhere, those that a field takes, or that another rule refuses."""

ORDER_PATHS = ("/v1/accounts/{account_id}/orders", "/v1/accounts/{account_id}/orders/preview")


@pytest.fixture(scope="module")
def trader(api: Api) -> Person:
    return api.sign_in()


@pytest.fixture(scope="module")
def account_id(trader: Person) -> str:
    return trader.open_account()


@pytest.fixture(scope="module")
def places(account_id: str, trader: Person) -> dict[str, str]:
    clone_id = trader.published_clone(sound())
    return {"account_id": account_id, "clone_id": clone_id, "number": "1", "run_id": ABSENT}


@pytest.fixture
def send(api: Api, trader: Person, account_id: str, places: dict[str, str]):
    """Send raw bytes as JSON; afterwards nothing must have changed."""

    def post(path: str, content: bytes, content_type: str = "application/json") -> tuple[int, dict[str, Any]]:
        headers = {"Content-Type": content_type, "Idempotency-Key": uuid.uuid4().hex}
        method = METHODS.get(path, "POST")
        answer = trader.request(method, path.format(**places), content=content, headers=headers)
        return answer.status_code, answer.json()

    def state() -> tuple[object, ...]:
        prop, user_id = api.services.prop, UserId(trader.user_id)
        return (
            prop.accounts(user_id),
            prop.orders(user_id, account_id, cursor=None, limit=10),
            prop.ledger(user_id, account_id, cursor=None, limit=10),
        )

    before = state()
    yield post
    assert state() == before


def refusal(answer: tuple[int, dict[str, Any]]) -> tuple[int, str, str | None]:
    status, problem = answer
    return status, problem.get("code", "none"), problem.get("field")


def test_every_route_that_takes_a_body_is_tried_here():
    assert {path for method, path in routes() if method not in ("GET", "DELETE")} == {*GOOD, *WITHOUT_FIELDS}


@pytest.mark.parametrize("path", GOOD)
def test_what_is_not_the_json_of_a_route_is_refused(send, path):
    for content, status, code in (
        (b"", 400, "json_malformed"),
        (b"{", 400, "json_malformed"),
        (b"NaN", 400, "json_malformed"),
        (b"{'a':1}", 400, "json_malformed"),
        (b"[]", 422, "invalid_value"),
        (b"null", 422, "invalid_value"),
        (b'"text"', 422, "invalid_value"),
        (b"1e309", 422, "invalid_value"),
        (b"[" * (JSON_DEPTH_MAX + 1) + b"]" * (JSON_DEPTH_MAX + 1), 422, "json_too_deep"),
        (b"[" * 60_000, 422, "json_too_deep"),
        (b" " * (BODY_BYTES_MAX + 1), 413, "body_too_large"),
        (b'{"kind":"' + b"x" * BODY_BYTES_MAX + b'"}', 413, "body_too_large"),
    ):
        assert refusal(send(path, content))[:2] == (status, code), content[:40]


def test_json_that_breaks_inside_is_malformed(send):
    for content in (b'{"kind":"practice"}}', b'{"kind":NaN}', b'{"kind":Infinity}', b'{"kind":"\xff\xfe"}'):
        assert refusal(send("/v1/accounts", content))[:2] == (400, "json_malformed"), content


@pytest.mark.parametrize("path", GOOD)
def test_unknown_and_missing_fields_are_refused_by_name(send, path):
    extra = json.dumps(GOOD[path] | {"is_admin": True}).encode()
    assert refusal(send(path, extra)) == (422, "unknown_field", "is_admin")
    for field in GOOD[path]:
        if (path, field) in OPTIONAL:
            continue
        less = json.dumps({name: value for name, value in GOOD[path].items() if name != field}).encode()
        code = "quantity_or_quote_amount" if field == "quantity" else "missing_field"
        assert refusal(send(path, less)) == (422, code, field)


@pytest.mark.parametrize(("path", "field"), [(path, field) for path, body in GOOD.items() for field in body])
def test_a_wrong_value_is_refused_by_name(send, path, field):
    for wrong in WRONG:
        if any(wrong is one or (type(wrong) is type(one) and wrong == one) for one in NOT_WRONG.get((path, field), ())):
            continue
        status, _, named = refusal(send(path, json.dumps(GOOD[path] | {field: wrong}).encode()))
        assert (status, re.split(r"[.\[]", named or "")[0]) == (422, field), wrong


@pytest.mark.parametrize("path", WITHOUT_FIELDS)
def test_routes_without_fields_take_no_body_or_an_empty_one(trader: Person, places: dict[str, str], path):
    path = path.format(**places | {"account_id": trader.open_account()} if "account_id" in path else places)
    for content in (b"{}", b""):
        headers = {"Content-Type": "application/json", "Idempotency-Key": uuid.uuid4().hex}
        answer = trader.request("POST", path, content=content, headers=headers)
        assert answer.status_code in (200, 201) or answer.json()["code"] == "not_deployed"


@pytest.mark.parametrize("path", WITHOUT_FIELDS)
def test_routes_without_fields_refuse_a_body(send, path):
    assert refusal(send(path, b'{"cycle":1}')) == (422, "unknown_field", "cycle")
    assert send(path, b"[]")[0] == 422
    assert send(path, b"{")[0] == 400


def test_only_json_is_read(send):
    for content_type in ("text/plain", "application/x-www-form-urlencoded", "multipart/form-data", ""):
        answer = send("/v1/accounts", b'{"kind":"practice"}', content_type)
        assert refusal(answer) == (415, "content_type_unsupported", "Content-Type")


BAD_AMOUNTS = [
    "1e309", "1e3", "1E3", "NaN", "Infinity", "-Infinity", "-1", "-0", "+1", "1.0000000001", "0x10", "1_000", "1,5",
    " 1", "1 ", "1.", ".5", "01", "", "1" + "0" * 30, "9" * 16, "9" * 15, "\u0661", "1\n",
]  # fmt: skip


@pytest.mark.parametrize("path", ORDER_PATHS)
@pytest.mark.parametrize("field", ["quantity", "quote_amount"])
def test_an_amount_is_a_plain_decimal_string_or_refused(send, path, field):
    for amount in BAD_AMOUNTS:
        status, _, named = refusal(send(path, json.dumps({"market": SOL, "side": "buy", field: amount}).encode()))
        assert (status, named) == (422, field), amount


def test_a_json_number_is_never_money(send):
    for number in (b"1", b"0.1", b"-1", b"1e309", b"1e-5", b"10000000000000000000000000000000"):
        status, _, named = refusal(
            send(ORDER_PATHS[0], b'{"market":"SOL-USDC","side":"buy","quantity":' + number + b"}")
        )
        assert (status, named) == (422, "quantity"), number


def test_both_or_neither_amount_is_refused(send):
    both = {"market": SOL, "side": "buy", "quantity": "1", "quote_amount": "1"}
    for body in (both, {"market": SOL, "side": "buy"}):
        assert refusal(send(ORDER_PATHS[0], json.dumps(body).encode()))[:2] == (422, "quantity_or_quote_amount")


@pytest.mark.parametrize("path", ORDER_PATHS)
def test_an_order_of_a_market_that_does_not_exist_is_refused(send, path):
    body = {"market": "DOGE-USDC", "side": "buy", "quantity": "1"}
    assert refusal(send(path, json.dumps(body).encode())) == (404, "market_unknown", "market")


def test_other_fields_of_an_order_have_their_ranges(send):
    for field, value in (
        ("max_slippage_bps", -1),
        ("max_slippage_bps", 10_001),
        ("max_slippage_bps", "5"),
        ("max_slippage_bps", 0.5),
        ("client_order_id", "a b"),
        ("client_order_id", "x" * 65),
        ("client_order_id", "new\nline"),
        ("side", "BUY"),
        ("market", "SOL\u0000-USDC"),
        ("market", "sol-usdc"),
    ):
        body = {"market": SOL, "side": "buy", "quantity": "1", field: value}
        status, _, named = refusal(send(ORDER_PATHS[0], json.dumps(body).encode()))
        assert (status, named) == (422, field), value


# --- limits on the body itself


def messages(*parts: bytes, delay_s: float = 0):
    left = list(parts)

    async def receive():
        await asyncio.sleep(delay_s)
        if not left:
            return {"type": "http.disconnect"}
        part = left.pop(0)
        return {"type": "http.request", "body": part, "more_body": bool(left)}

    return receive


def test_a_body_in_parts_is_put_together():
    body = asyncio.run(read_body(messages(b'{"a"', b":", b"1}"), b"application/json; charset=utf-8"))
    assert body == b'{"a":1}'


def test_bytes_are_counted_as_they_come():
    with pytest.raises(BodyTooLarge):
        asyncio.run(read_body(messages(*[b"x" * 1024] * 65), b"application/json"))


def test_a_body_that_dribbles_is_given_up():
    with pytest.raises(BodyTooSlow):
        asyncio.run(read_body(messages(b"{", b"}", delay_s=0.05), b"application/json", seconds_max=0.06))


def test_a_client_that_leaves_in_the_middle_is_let_go():
    async def receive():
        return {"type": "http.disconnect"}

    with pytest.raises(Malformed):
        asyncio.run(read_body(receive, b"application/json"))


@given(
    st.recursive(st.none() | st.text('[]{}"\\a', max_size=8), lambda inner: st.lists(inner, max_size=3), max_leaves=20)
)
def test_depth_is_what_a_parser_would_find(value):
    def depth(node: object) -> int:
        return 1 + max(map(depth, node), default=0) if isinstance(node, list) else 0

    for wrap in range(JSON_DEPTH_MAX + 2):
        nested = value
        for _ in range(wrap):
            nested = [nested]
        text = json.dumps(nested).encode()
        if depth(nested) <= JSON_DEPTH_MAX:
            check_depth(text)
        else:
            with pytest.raises(Invalid):
                check_depth(text)


def test_an_endless_chunked_body_is_cut_off_without_being_kept(api: Api):
    with socket.create_connection(("127.0.0.1", api.port), timeout=10) as connection:
        connection.sendall(
            b"POST /v1/auth/challenges HTTP/1.1\r\nhost: localhost\r\ncontent-type: application/json\r\n"
            b"transfer-encoding: chunked\r\n\r\n"
        )
        chunk = b"10000\r\n" + b"x" * 0x10000 + b"\r\n"
        sent = 0
        try:
            while sent < 1 << 30:
                connection.sendall(chunk)
                sent += len(chunk)
        except OSError:
            pass
        assert sent < 64 << 20


def test_a_request_head_that_never_ends_is_refused(api: Api):
    with socket.create_connection(("127.0.0.1", api.port), timeout=10) as connection:
        connection.sendall(b"GET /v1/markets HTTP/1.1\r\nhost: localhost\r\n")
        try:
            for number in range(3_000):
                connection.sendall(b"x-%d: %s\r\n" % (number, b"y" * 100))
            answer = connection.recv(100)
        except OSError:
            return
        assert answer.startswith(b"HTTP/1.1 431") or answer == b""


def test_a_request_head_that_dribbles_is_given_up(api: Api, monkeypatch):
    monkeypatch.setattr("pump_party.apps.api.server.HEAD_SECONDS_MAX", 0.2)
    with socket.create_connection(("127.0.0.1", api.port), timeout=10) as connection:
        connection.sendall(b"GET /v1/mar")
        started = time.monotonic()
        assert connection.recv(100).startswith(b"HTTP/1.1 408")
        assert time.monotonic() - started < 5
