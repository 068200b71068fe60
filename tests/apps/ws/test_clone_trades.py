"""Followers of a clone see its fills and its equity, and never which account it trades."""

import asyncio
from typing import Any

import pytest
import uvloop
from tests.apps.ws.stage import Client, Stage, User, run, staged
from tests.apps.ws.test_clones import decide, deployed, follow

from pump_party.bootstrap.services import Services
from pump_party.domains.aitrading.contract import DeployClone
from pump_party.domains.prop_interface.contract import AccountStatus, FillView, SetAccountStatus
from pump_party.kernel.ids import AccountId, CloneId
from pump_party.kernel.money import format_micros

PATIENCE_S = 20.0


@pytest.fixture
def services(services_on_both: Services) -> Services:
    return services_on_both


def is_fill(frame: dict[str, Any]) -> bool:
    return frame["type"] == "clone_fill"


def is_equity(frame: dict[str, Any]) -> bool:
    return frame["type"] == "clone_equity"


def account_of(services: Services, clone_id: CloneId) -> AccountId:
    return services.aitrading.accounts([clone_id])[clone_id]


async def traded(stage: Stage, user: User, clone_id: CloneId, key: str, *, fills: int = 1) -> FillView:
    """Let the clone buy, and bring prices until it is filled."""
    await stage.price()
    await asyncio.to_thread(decide, stage.services, user, clone_id, key)
    async with asyncio.timeout(PATIENCE_S):
        while True:
            await stage.price()
            found = stage.services.prop.fills(
                user.principal.user_id, account_of(stage.services, clone_id), cursor=None, limit=10
            )
            if len(found.items) == fills:
                return found.items[0]
            await asyncio.sleep(0.05)


def test_everybody_sees_a_fill_and_only_the_owner_the_order(services: Services) -> None:
    async def scenario(stage: Stage) -> None:
        owner = stage.user(1)
        clone_id = deployed(stage.services, owner)
        watching, looking = await stage.signed_in(owner), await stage.signed_in(stage.user(2))
        for client in (watching, looking):
            assert (await follow(client, clone_id))["type"] == "subscribed"
        fill = await traded(stage, owner, clone_id, "first")
        own, seen = await watching.until(is_fill), await looking.until(is_fill)
        assert own == {**seen, "order_id": fill.order_id}
        assert seen == {
            "type": "clone_fill",
            "clone_id": clone_id,
            "market": fill.market,
            "side": "buy",
            "price": seen["price"],
            "quantity": seen["quantity"],
            "fee": format_micros(fill.fee_micros),
            "realised": "0",
            "at_ms": fill.filled_ms,
        }
        assert account_of(stage.services, clone_id) not in str(looking.frames)

    run(services, scenario, matching=True)


def test_everybody_sees_what_the_account_may_do_and_only_the_owner_why(services: Services) -> None:
    async def scenario(stage: Stage) -> None:
        owner = stage.user(1)
        clone_id = deployed(stage.services, owner)
        account_id = account_of(stage.services, clone_id)
        watching, looking = await stage.signed_in(owner), await stage.signed_in(stage.user(2))
        for client in (watching, looking):
            await follow(client, clone_id)
        for status in (AccountStatus.PAUSED, AccountStatus.ACTIVE, AccountStatus.LOCKED):
            change = SetAccountStatus(None, account_id, status, f"key-{status.value}", "only-the-owner-reads-this")
            await asyncio.to_thread(stage.services.prop.set_account_status, change)
        for client in (watching, looking):
            await client.until(lambda frame: frame["type"] == "clone_account" and frame["status"] == "locked")
        own, seen = watching.of("clone_account"), looking.of("clone_account")
        assert [frame["status"] for frame in seen] == ["paused", "active", "locked"]
        assert set(seen[0]) == {"type", "clone_id", "status", "at_ms"}
        assert own == [frame | {"reason": "only-the-owner-reads-this"} for frame in seen]
        assert "only-the-owner" not in str(looking.frames)
        shown = stage.services.aitrading.deployment(clone_id, viewer=None)
        assert (shown.state, shown.account_status) == ("running", "locked")

    run(services, scenario)


def test_every_mark_is_shown_with_the_distance_from_the_peak(services: Services) -> None:
    async def scenario(stage: Stage) -> None:
        owner = stage.user(1)
        clone_id = deployed(stage.services, owner)
        client = await stage.signed_in(stage.user(2))
        await follow(client, clone_id)
        await traded(stage, owner, clone_id, "first")
        await asyncio.to_thread(stage.services.prop.mark_accounts)
        marked = stage.services.prop.newest_marks([account_of(stage.services, clone_id)])
        newest = next(iter(marked.values()))
        frame = await client.until(lambda frame: is_equity(frame) and frame["at_ms"] == newest.at_ms)
        assert frame == {
            "type": "clone_equity",
            "clone_id": clone_id,
            "equity": format_micros(newest.equity_micros),
            "drawdown": f"{newest.drawdown_ppm / 10**6:.6f}".rstrip("0").rstrip("."),
            "at_ms": newest.at_ms,
        }
        assert newest.drawdown_ppm > 0
        late = await stage.signed_in(stage.user(3))
        await follow(late, clone_id)
        assert await late.until(is_equity) == frame
        shown = [frame["at_ms"] for frame in client.of("clone_equity")]
        assert shown == sorted(set(shown))

    run(services, scenario, matching=True)


def test_fills_that_the_bus_loses_are_shown_once_and_in_order(services: Services) -> None:
    async def scenario() -> None:
        async with staged(services, relaying=False, matching=True) as stage:
            owner = stage.user(1)
            clone_id = deployed(stage.services, owner)
            client = await stage.signed_in(stage.user(2))
            await follow(client, clone_id)
            fill = await traded(stage, owner, clone_id, "first")
            assert (await client.until(is_fill))["at_ms"] == fill.filled_ms
            await asyncio.sleep(2.5)
            assert len(client.of("clone_fill")) == 1

    uvloop.run(scenario())


def test_a_follower_of_a_clone_that_is_deployed_anew_sees_the_fills_of_its_new_account(services: Services) -> None:
    async def scenario(stage: Stage) -> None:
        owner = stage.user(1)
        clone_id = deployed(stage.services, owner)
        client = await stage.signed_in(stage.user(2))
        await follow(client, clone_id)
        before = account_of(stage.services, clone_id)
        stage.services.aitrading.stop(owner.principal.user_id, clone_id)
        stage.services.aitrading.deploy(DeployClone(owner.principal.user_id, clone_id, "again"))
        assert account_of(stage.services, clone_id) != before
        fill = await traded(stage, owner, clone_id, "first")
        assert (await client.until(is_fill))["at_ms"] == fill.filled_ms

    run(services, scenario, matching=True)


def test_who_leaves_a_clone_is_shown_no_more_of_it(services: Services) -> None:
    async def scenario(stage: Stage) -> None:
        owner = stage.user(1)
        clone_id = deployed(stage.services, owner)
        leaving, staying = await stage.signed_in(stage.user(2)), await stage.signed_in(stage.user(3))
        for client in (leaving, staying):
            await follow(client, clone_id)
        await leaving.ask(type="unsubscribe", channel="clone", clone_id=clone_id)
        await traded(stage, owner, clone_id, "first")
        await staying.until(is_fill)
        assert not leaving.of("clone_fill", "clone_equity")

    run(services, scenario, matching=True)


def test_a_clone_that_does_not_trade_can_be_followed(services: Services) -> None:
    async def scenario(stage: Stage) -> None:
        owner = stage.user(1)
        clone = stage.services.clones.create_clone(
            owner.principal.user_id, name="Sleeper", bio="", idempotency_key="sleeper"
        )
        client: Client = await stage.signed_in(stage.user(2))
        assert (await follow(client, clone.clone_id))["seq"] == 0

    run(services, scenario)
