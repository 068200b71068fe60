"""Orders that wait, over the socket: what their account is told, and cancelling."""

from collections.abc import Iterator
from contextlib import closing

import pytest
from tests.apps.clock import LeapingClock, leaping_clock
from tests.apps.ws.stage import Stage, run

from pump_party.apps.order_wire import OrderOrigin, render_order
from pump_party.bootstrap.services import Services, build
from pump_party.config import Settings
from pump_party.domains.prop_engine.working import TICK_GRACE_MS
from pump_party.domains.prop_interface.contract import AccountStatus, SetAccountStatus
from pump_party.kernel.ids import Market
from pump_party.kernel.money import format_e8, format_micros

NEXT_TICK = "practice-next-v1"
LATENCY_MS = 1_501
HOUR_MS = 3_600_000
DEADLINE_MS = 6_001 + TICK_GRACE_MS
PERP = Market("SOL-PERP")


@pytest.fixture
def clock() -> Iterator[LeapingClock]:
    with leaping_clock() as clock:
        yield clock


@pytest.fixture
def services(clock: LeapingClock, settings: Settings) -> Iterator[Services]:
    with closing(build(settings)) as built:
        yield built


def test_the_life_of_an_order_is_told_in_sequence(services: Services, clock: LeapingClock) -> None:
    async def scenario(stage: Stage) -> None:
        user = stage.user(rule_set=NEXT_TICK)
        client = await stage.following(user)
        result = await client.ask(**(user.order("one", stop_price="140") | {"id": None}))
        assert (result["order"]["status"], result["order"]["stage"]) == ("accepted", "waiting")
        clock.leap(LATENCY_MS)
        await stage.price()
        await client.until(lambda frame: frame.get("seq") == 4)
        clock.leap(LATENCY_MS)
        await stage.price(mid_e8=139 * 10**8)
        await client.until(lambda frame: frame.get("seq") == 5)
        clock.leap(LATENCY_MS)
        await stage.price(mid_e8=138 * 10**8)
        await client.until(lambda frame: frame.get("seq") == 7)

        private = [frame for frame in client.frames if "seq" in frame and frame["type"] != "subscribed"]
        assert [frame["seq"] for frame in private] == [1, 2, 3, 4, 5, 6, 7]
        told = [(frame["type"], frame.get("order", {}).get("stage")) for frame in private]
        assert told == [
            ("order_update", "waiting"),
            ("order_fill", None),
            ("portfolio_update", None),
            ("order_update", "armed"),
            ("order_update", "waiting"),
            ("order_fill", None),
            ("portfolio_update", None),
        ]
        assert private[0]["order"] == result["order"]
        assert float(private[0]["cash"]) + float(private[0]["held"]) == pytest.approx(10_000)
        assert private[-1]["held"] == "0"

    run(services, scenario, matching=True)


def test_a_limit_that_misses_at_once_is_told_as_cancelled(services: Services) -> None:
    async def scenario(stage: Stage) -> None:
        user = stage.user(rule_set="practice-v2")
        client = await stage.following(user)
        await stage.price()
        limit = {"order_type": "limit", "limit_price": "100", "time_in_force": "ioc"}
        answer = (await client.ask(**(user.order("miss", **limit) | {"id": None})))["order"]
        told = await client.until(lambda frame: frame.get("seq") == 1)
        assert (told["type"], told["order"]) == ("order_update", answer)
        assert (answer["status"], answer["cancel_reason"], answer["reject_code"]) == (
            "cancelled",
            "CANCELLED_IOC",
            None,
        )

    run(services, scenario)


def test_a_fill_of_a_perpetual_is_told_with_what_it_leaves_of_the_cash(services: Services, clock: LeapingClock) -> None:
    async def scenario(stage: Stage) -> None:
        user = stage.user(rule_set=NEXT_TICK)
        client = await stage.following(user)
        await stage.price(PERP)
        short = {"market": PERP, "side": "sell", "leverage": 5}
        placed = (await client.ask(**(user.order("short", **short) | {"id": None})))["order"]
        assert (placed["stage"], placed["held_asset"], placed["leverage"]) == ("waiting", "USDC", 5)
        clock.leap(LATENCY_MS)
        await stage.price(PERP)
        told = await client.until(lambda frame: frame["type"] == "portfolio_update")
        account = services.prop.account(user.principal.user_id, user.account_id)
        (perp,) = account.perps
        assert (told["seq"], told["position"], told["perp"]["mark"]) == (3, None, None)
        assert (told["perp"]["market"], told["perp"]["side"], told["perp"]["quantity"]) == (PERP, "short", "1")
        assert told["perp"]["liquidation_price"] == format_e8(perp.liquidation_e8 or 0) != "0"
        assert (told["cash"], told["margin"]) == (
            format_micros(account.cash_micros),
            format_micros(account.margin_micros),
        )
        assert account.margin_micros > 0

    run(services, scenario, matching=True)


def test_an_order_refused_after_it_waited_is_told_with_what_it_frees(services: Services, clock: LeapingClock) -> None:
    async def scenario(stage: Stage) -> None:
        user = stage.user(rule_set=NEXT_TICK)
        client = await stage.following(user)
        await client.ask(**(user.order("unheard") | {"id": None}))
        clock.leap(DEADLINE_MS)
        told = await client.until(lambda frame: frame["type"] == "order_reject")
        account = services.prop.account(user.principal.user_id, user.account_id)
        assert (told["seq"], told["version"], told["reject_code"]) == (2, account.version, "PRICE_TIMEOUT")
        assert (told["cash"], told["held"]) == ("10000", "0")

    run(services, scenario, matching=True)


def test_a_liquidation_is_told_from_the_margin_call_to_the_empty_position(services: Services) -> None:
    async def scenario(stage: Stage) -> None:
        user = stage.user()
        client = await stage.following(user)
        await stage.price(PERP, mid_e8=150 * 10**8)
        await client.ask(**(user.order("short", market=PERP, side="sell", leverage=20) | {"id": None}))
        for seq in (3, 5):
            await stage.price(PERP, mid_e8=157 * 10**8)
            await client.until(lambda frame, seq=seq: frame.get("seq") == seq)
        call, fill, after = [frame for frame in client.frames if frame.get("seq") in (3, 4, 5)]
        assert (call["type"], call["change"], call["perp"]["side"]) == ("position_update", "margin_call", "short")
        assert (fill["type"], fill["side"], fill["fill"]["perp"]["event"]) == ("order_fill", "buy", "liquidation")
        assert float(fill["fill"]["perp"]["liquidation_fee"]) > 0
        liquidating = services.prop.order(user.principal.user_id, user.account_id, fill["order_id"])
        assert render_order(liquidating).origin is OrderOrigin.LIQUIDATION
        assert (after["type"], after["margin"], after["position"]) == ("portfolio_update", "0", None)
        assert (after["perp"]["side"], after["perp"]["quantity"], after["perp"]["entry_price"]) == (None, "0", None)

    run(services, scenario, matching=True)


def test_a_change_of_an_accounts_status_is_told_with_its_reason(services: Services) -> None:
    async def scenario(stage: Stage) -> None:
        user = stage.user(rule_set=NEXT_TICK)
        client = await stage.following(user)
        command = SetAccountStatus(None, user.account_id, AccountStatus.LOCKED, "lock", "under review")
        services.prop.set_account_status(command)
        told = await client.until(lambda frame: frame["type"] == "account_status")
        assert (told["seq"], told["status"], told["reason"]) == (1, "locked", "under review")
        refused = await client.ask(**(user.order("late") | {"id": None}))
        assert refused["order"]["reject_code"] == "ACCOUNT_FROZEN"

    run(services, scenario, matching=True)


def test_funding_of_a_position_is_told_with_the_position_and_the_account_it_leaves(
    services: Services, clock: LeapingClock
) -> None:
    async def scenario(stage: Stage) -> None:
        user = stage.user()
        client = await stage.following(user)
        await stage.price(PERP)
        await client.ask(**(user.order("long", market=PERP, leverage=5) | {"id": None}))
        clock.leap(HOUR_MS)
        await stage.price(PERP)
        told = await client.until(lambda frame: frame["type"] == "position_update")
        account = services.prop.account(user.principal.user_id, user.account_id)
        assert (told["seq"], told["change"], told["perp"]["side"]) == (3, "funding", "long")
        assert told["funding"] == told["perp"]["funding"] == format_micros(account.funding_micros) != "0"
        assert told["margin"] == told["perp"]["margin"] == format_micros(account.margin_micros)

    run(services, scenario, matching=True)


def test_a_cancel_is_answered_with_the_order_as_it_ended_and_told_once(services: Services) -> None:
    async def scenario(stage: Stage) -> None:
        user = stage.user()
        client = await stage.following(user)
        resting = await client.ask(**(user.order("one", order_type="limit", limit_price="100") | {"id": None}))
        cancel = {"type": "cancel_order", "account_id": user.account_id, "order_id": resting["order"]["order_id"]}
        first, again = await client.ask(**cancel), await client.ask(**cancel)
        assert first["order"] == again["order"]
        assert (first["order"]["status"], first["order"]["cancel_reason"]) == ("cancelled", "CANCELLED_BY_USER")
        told = await client.until(lambda frame: frame.get("seq") == 2)
        assert (told["type"], told["order"], told["held"]) == ("order_update", first["order"], "0")

        absent = await client.ask(**{**cancel, "order_id": user.account_id})
        assert (absent["code"], absent["status"]) == ("order_not_found", 404)
        malformed = await client.ask(**{**cancel, "order_id": "x" * 36})
        assert (malformed["code"], malformed["field"]) == ("order_not_found", "order_id")
        stranger = await stage.signed_in(stage.user(2))
        assert (await stranger.ask(**cancel))["code"] == "account_not_found"

    run(services, scenario)


def test_orders_that_wait_are_replayed_after_a_reconnect(services: Services) -> None:
    async def scenario(stage: Stage) -> None:
        user = stage.user()
        client = await stage.signed_in(user)
        for key in ("one", "two"):
            await client.ask(**(user.order(key, order_type="limit", limit_price="100") | {"id": None}))
        late = await stage.following(user, after_seq=0)
        await late.until(lambda frame: frame.get("seq") == 2 and frame["type"] == "order_update")
        assert [frame["order"]["stage"] for frame in late.of("order_update")] == ["resting", "resting"]

    run(services, scenario)
