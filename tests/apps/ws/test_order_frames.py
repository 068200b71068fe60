"""Orders over the socket."""

import asyncio
import json
from typing import Any

import msgspec
import pytest
import uvloop
from tests.apps.ws.stage import Stage, run, staged

from pump_party.apps.order_wire import ORDERS_PER_USER
from pump_party.apps.ws import session
from pump_party.bootstrap.services import Services
from pump_party.domains.prop_interface.contract import OrderView, PlaceOrder
from pump_party.kernel.errors import Unavailable


@pytest.mark.parametrize(
    ("change", "code", "field"),
    [
        ({"quantity": "1e9"}, "not_a_decimal", "quantity"),
        ({"quantity": "-1"}, "not_a_decimal", "quantity"),
        ({"quantity": 1.5}, "invalid_value", "quantity"),
        ({"quantity": 1}, "invalid_value", "quantity"),
        ({"quantity": "NaN"}, "not_a_decimal", "quantity"),
        ({"quantity": "1.0000000001"}, "not_a_decimal", "quantity"),
        ({"quantity": "999999999999999"}, "too_large", "quantity"),
        ({"quantity": "1" * 31}, "invalid_value", "quantity"),
        ({"quantity": None}, "quantity_or_quote_amount", "quantity"),
        ({"quote_amount": "5"}, "quantity_or_quote_amount", "quantity"),
        ({"market": "DOGE-USDC"}, "market_unknown", "market"),
        ({"side": "hold"}, "invalid_value", "side"),
        ({"max_slippage_bps": -1}, "invalid_value", "max_slippage_bps"),
        ({"max_slippage_bps": 1.5}, "invalid_value", "max_slippage_bps"),
        ({"idempotency_key": ""}, "invalid_value", "idempotency_key"),
        ({"idempotency_key": "a b"}, "invalid_value", "idempotency_key"),
        ({"account_id": "x"}, "invalid_value", "account_id"),
        ({"colour": 5}, "unknown_field", "colour"),
    ],
)
def test_an_order_that_is_none_is_answered_with_the_field_and_nothing_happens(
    services: Services, change: dict[str, Any], code: str, field: str
) -> None:
    async def scenario(stage: Stage) -> None:
        user = stage.user()
        client = await stage.signed_in(user)
        answer = await client.ask(**(user.order("bad") | change))
        assert (answer["type"], answer["code"], answer["field"]) == ("error", code, field)
        assert services.prop.account(user.principal.user_id, user.account_id).version == user.account.version

    run(services, scenario)


def test_the_same_key_gives_the_same_order_and_another_body_is_refused(services: Services) -> None:
    async def scenario(stage: Stage) -> None:
        user = stage.user()
        client = await stage.signed_in(user)
        frame = user.order("key") | {"id": None}
        first, repeat = await client.ask(**frame), await client.ask(**frame)
        other = await client.ask(**{**frame, "quantity": "2"})
        assert first["order"] == repeat["order"]
        assert (other["code"], other["status"]) == ("idempotency_mismatch", 422)
        assert other["field"] == "idempotency_key"

    run(services, scenario)


def test_a_recorded_rejection_is_a_result_and_a_private_frame(services: Services) -> None:
    async def scenario(stage: Stage) -> None:
        user = stage.user()
        client = await stage.following(user)
        client.send(user.order("rich", quantity="5000"))
        result = await client.until(lambda frame: frame["type"] == "order_result")
        frame = await client.until(lambda frame: frame["type"] == "order_reject")
        assert result["order"]["status"] == "rejected"
        assert result["order"]["reject_code"] == frame["reject_code"] == "INSUFFICIENT_FUNDS"
        assert frame["seq"] == 1

    run(services, scenario)


class Desk:
    """An order desk that decides nothing until it is told to, to see what waits meanwhile."""

    def __init__(self, outcome: Exception | None = None) -> None:
        self.waiting: list[PlaceOrder] = []
        self.go = asyncio.Event()
        self.outcome = outcome or Unavailable("the database is away", code="database_unavailable")

    async def submit(self, command: PlaceOrder) -> OrderView:
        self.waiting.append(command)
        await self.go.wait()
        raise self.outcome


def test_a_socket_with_too_many_orders_under_way_is_not_read_until_some_are_answered(services: Services) -> None:
    async def scenario() -> None:
        desk = Desk()
        settings = msgspec.structs.replace(services.settings, rate_limits=False)
        async with staged(services, orders=desk, settings=settings) as stage:
            user = stage.user()
            client = await stage.signed_in(user)
            sent = 3 * session.ORDERS_IN_FLIGHT_MAX
            for number in range(sent):
                client.send(user.order(f"o{number}"))
            await asyncio.sleep(0.3)
            assert len(desk.waiting) == session.ORDERS_IN_FLIGHT_MAX
            desk.go.set()
            async with asyncio.timeout(5):
                while len(client.of("error")) < sent:
                    await asyncio.sleep(0.02)
            assert {frame["code"] for frame in client.of("error")} == {"database_unavailable"}
            assert {frame["id"] for frame in client.of("error")} == {f"o{number}" for number in range(sent)}

    uvloop.run(scenario())


def test_a_bug_in_one_order_is_an_internal_error_and_the_socket_lives(services: Services) -> None:
    async def scenario() -> None:
        desk = Desk(RuntimeError("secret detail"))
        desk.go.set()
        async with staged(services, orders=desk) as stage:
            user = stage.user()
            client = await stage.signed_in(user)
            answer = await client.ask(**user.order("o"))
            assert (answer["code"], answer["status"]) == ("internal_error", 500)
            assert "secret" not in json.dumps(answer)
            assert (await client.ask(type="ping"))["type"] == "pong"

    uvloop.run(scenario())


def test_orders_beyond_the_limit_of_their_user_are_refused_with_the_wait(
    services: Services, monkeypatch: pytest.MonkeyPatch
) -> None:
    few = msgspec.structs.replace(ORDERS_PER_USER, burst=2, per_minute=1)
    monkeypatch.setattr("pump_party.apps.ws.order_frames.ORDERS_PER_USER", few)

    async def scenario(stage: Stage) -> None:
        user = stage.user()
        client = await stage.signed_in(user)
        answers = [await client.ask(**{**user.order(f"o{number}"), "id": None}) for number in range(3)]
        assert [answer["type"] for answer in answers] == ["order_result", "order_result", "error"]
        assert (answers[2]["code"], answers[2]["status"]) == ("rate_limited", 429)
        assert answers[2]["retry_after_ms"] > 0

    run(services, scenario)
