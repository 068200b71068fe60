"""Who gets in, who is put out, and what is made good when the bus loses messages."""

import asyncio
from collections.abc import Sequence
from contextlib import closing
from pathlib import Path
from random import Random
from typing import Any

import msgspec
import pytest
import uvloop
from picows import WSError
from tests.apps.ws.stage import BTC, SOL, Client, Stage, User, staged

from pump_party.apps.ws import gateway, session
from pump_party.bootstrap.services import Services, build
from pump_party.config import Settings
from pump_party.domains.marketdata.contract import FEED_SILENT_MS
from pump_party.domains.prop_interface.contract import ResetAccount
from pump_party.platform.clock import ManualClock
from pump_party.redis.memory import MemoryBus


class LossyBus(MemoryBus):
    """Loses some of what is published."""

    def __init__(self, loses: float) -> None:
        super().__init__()
        self._random = Random(5)
        self._loses = loses

    async def publish(self, channel: str, messages: Sequence[bytes]) -> None:
        await super().publish(channel, [one for one in messages if self._random.random() >= self._loses])


def test_a_buyer_sees_the_price_the_answer_the_fill_and_the_portfolio(services: Services) -> None:
    async def scenario() -> None:
        async with staged(services) as stage:
            user = stage.user()
            client = await stage.following(user)
            await client.ask(type="subscribe", channel="price", market=SOL)
            price = await client.until(lambda frame: frame["type"] == "price_update")
            assert (price["market"], price["state"], price["feed"]) == (SOL, "open", "synthetic")

            client.send(user.order("first"))
            result = await client.until(lambda frame: frame["type"] == "order_result")
            fill = await client.until(lambda frame: frame["type"] == "order_fill")
            portfolio = await client.until(lambda frame: frame["type"] == "portfolio_update")

            assert result["id"] == "first"
            assert result["order"]["status"] == "filled"
            assert fill["fill"] == result["order"]["fill"]
            assert (fill["seq"], portfolio["seq"]) == (1, 2)
            assert portfolio["position"]["quantity"] == "1"
            account = services.prop.account(user.principal.user_id, user.account_id)
            assert portfolio["cash"] == f"{account.cash_micros / 1_000_000:.6f}".rstrip("0")

    uvloop.run(scenario())


# --- getting in


@pytest.mark.parametrize(
    ("origin", "path", "status"),
    [
        ("https://evil.example", "/v1/stream", 403),
        ("null", "/v1/stream", 403),
        ("http://localhost:8400.evil.example", "/v1/stream", 403),
        (None, "/v1/other", 404),
        (None, "/", 404),
    ],
)
def test_a_foreign_page_or_a_wrong_path_gets_no_socket(
    services: Services, origin: str | None, path: str, status: int
) -> None:
    async def scenario() -> None:
        async with staged(services) as stage:
            with pytest.raises(WSError, match=str(status)):
                await stage.connect(origin=origin, path=path)

    uvloop.run(scenario())


@pytest.mark.parametrize("origin", [None, "http://localhost:8400", "http://127.0.0.1:8400"])
def test_our_own_page_and_programs_without_an_origin_get_a_socket(services: Services, origin: str | None) -> None:
    async def scenario() -> None:
        async with staged(services) as stage:
            client = await stage.connect(origin=origin)
            answer = await client.ask(type="authenticate", ticket=await stage.user().ticket())
            assert answer["type"] == "authenticated"

    uvloop.run(scenario())


def test_the_upgrade_header_of_firefox_is_understood(services: Services) -> None:
    async def scenario() -> bytes:
        async with staged(services) as stage:
            reader, writer = await asyncio.open_connection("127.0.0.1", stage.port)
            writer.write(
                b"GET /v1/stream HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\nConnection: keep-alive, Upgrade\r\n"
                b"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n\r\n"
            )
            line = await reader.readline()
            writer.close()
            return line

    assert b"101" in uvloop.run(scenario())


def test_too_many_sockets_of_one_user_or_one_address_are_refused(
    services: Services, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(gateway, "SOCKETS_PER_USER", 2)
    monkeypatch.setattr(gateway, "SOCKETS_PER_ADDRESS", 4)

    async def scenario() -> None:
        async with staged(services) as stage:
            user = stage.user()
            first, _ = await stage.signed_in(user), await stage.signed_in(user)
            third = await stage.connect()
            answer = await third.ask(type="authenticate", ticket=await user.ticket())
            assert (answer["code"], await third.until_closed()) == ("rate_limited", session.TOO_MANY)

            first.transport.disconnect()
            await first.until_closed()
            await asyncio.sleep(0.05)
            await stage.signed_in(user)
            others = [await stage.connect() for _ in range(3)]
            assert await others[-1].until_closed() == session.TOO_MANY
            assert others[0].closed is None

    uvloop.run(scenario())


# --- being put out


def test_revoking_the_session_closes_its_sockets_and_no_others(services: Services) -> None:
    async def scenario() -> None:
        async with staged(services) as stage:
            user, again, other = stage.user(1), stage.user(1), stage.user(2)
            doomed, kept, foreign = [await stage.signed_in(one) for one in (user, again, other)]
            await doomed.ask(type="subscribe", channel="price", market=SOL)
            await revoke(stage, user)
            assert await doomed.until_closed() == session.REVOKED
            assert (kept.closed, foreign.closed) == (None, None)

    uvloop.run(scenario())


def test_a_revocation_that_the_bus_loses_closes_the_socket_within_two_seconds(services: Services) -> None:
    async def scenario() -> None:
        async with staged(services, bus=LossyBus(1.0)) as stage:
            user = stage.user()
            client = await stage.signed_in(user)
            await asyncio.sleep(1.2)
            async with asyncio.timeout(2):
                await revoke(stage, user)
                assert await client.until_closed() == session.REVOKED

    uvloop.run(scenario())


def test_a_session_revoked_between_ticket_and_socket_does_not_get_in(services: Services) -> None:
    async def scenario() -> None:
        async with staged(services) as stage:
            user = stage.user()
            ticket = await user.ticket()
            await revoke(stage, user)
            client = await stage.connect()
            answer = await client.ask(type="authenticate", ticket=ticket)
            assert (answer["code"], await client.until_closed()) == ("session_invalid", session.UNAUTHENTICATED)

    uvloop.run(scenario())


async def revoke(stage: Stage, user: User) -> None:
    users = stage.services.users
    await asyncio.to_thread(users.revoke_session, user.principal, user.principal.session_id)


def test_a_session_that_ran_out_is_found_by_the_regular_look(
    services: Services, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(gateway, "VALIDITY_CHECK_S", 0.5)

    class Expiring:
        """The real service, whose sessions end all at once."""

        expired = False

        def __getattr__(self, name: str) -> Any:
            return getattr(services.users, name)

        def is_valid(self, principal: Any) -> bool:
            return not self.expired and services.users.is_valid(principal)

    async def scenario() -> None:
        users = Expiring()
        async with staged(services, users=users) as stage:
            client = await stage.signed_in(stage.user())
            users.expired = True
            assert await client.until_closed() == session.REVOKED

    uvloop.run(scenario())


def test_a_restart_under_load_answers_what_it_took_and_closes_with_1012(services: Services) -> None:
    async def scenario() -> None:
        settings = msgspec.structs.replace(services.settings, rate_limits=False)
        async with staged(services, settings=settings) as stage:
            user = stage.user()
            client, idle = await stage.signed_in(user), await stage.connect()
            sending = asyncio.create_task(keep_sending(client, user))
            await client.until(lambda frame: frame["type"] == "order_result")
        assert (await client.until_closed(), await idle.until_closed()) == (session.RESTART, session.RESTART)
        await sending
        answered = {frame["order"]["order_id"] for frame in client.of("order_result")}
        taken = services.prop.orders(user.principal.user_id, user.account_id, cursor=None, limit=200).items
        assert answered == {order.order_id for order in taken}

    uvloop.run(scenario())


async def keep_sending(client: Client, user: User) -> None:
    """An order every few milliseconds until the server closes, at most as many as one page shows."""
    for number in range(200):
        if client.closed is not None:
            return
        client.send(user.order(f"o{number}", quantity="0.01"))
        await asyncio.sleep(0.003)


# --- nothing is missed


@pytest.mark.parametrize("loses", [0.2, 1.0])
def test_with_publishes_lost_the_client_still_ends_where_the_database_is(services: Services, loses: float) -> None:
    async def scenario() -> None:
        async with staged(services, bus=LossyBus(loses)) as stage:
            user = stage.user()
            client = await stage.following(user)
            await client.ask(type="subscribe", channel="price", market=SOL)
            for number in range(30):
                client.send(user.order(f"o{number}", side="buy" if number % 3 else "sell", quantity="0.5"))
                await asyncio.sleep(0.02)
            newest = await stage.price()
            account = services.prop.account(user.principal.user_id, user.account_id)
            while account.seq == 0 or len(client.of("order_result")) < 30:
                await asyncio.sleep(0.02)
            account = services.prop.account(user.principal.user_id, user.account_id)
            await client.until(lambda frame: frame.get("seq") == account.seq and frame["type"] != "subscribed")
            await client.until(lambda frame: frame.get("publish_ms") == newest.publish_ms)

            private = client.of("order_fill", "order_reject", "portfolio_update")
            assert [frame["seq"] for frame in private] == list(range(1, account.seq + 1))
            last = client.of("portfolio_update")[-1]
            [position] = account.positions
            assert last["version"] == account.version
            assert round(float(last["cash"]) * 1_000_000) == account.cash_micros
            assert round(float(last["position"]["quantity"]) * 10**9) == position.quantity_nanos

    uvloop.run(scenario())


def test_a_socket_that_comes_back_is_shown_what_it_missed_and_then_goes_on(services: Services) -> None:
    async def scenario() -> None:
        async with staged(services) as stage:
            user = stage.user()
            trader = await stage.signed_in(user)
            for number in range(120):
                trader.send(user.order(f"o{number}", quantity="0.01"))
            async with asyncio.timeout(10):
                while len(trader.of("order_result")) < 120:
                    await asyncio.sleep(0.02)

            client = await stage.following(user, after_seq=101)
            trader.send(user.order("one-more", quantity="0.01"))
            await client.until(lambda frame: frame["type"] == "portfolio_update" and frame["seq"] == 242)
            private = client.of("order_fill", "portfolio_update")
            assert [frame["seq"] for frame in private] == list(range(102, 243))
            assert private[0]["type"] == "portfolio_update"

    uvloop.run(scenario())


def test_a_reset_is_a_portfolio_update_of_the_next_cycle(services: Services) -> None:
    async def scenario() -> None:
        async with staged(services) as stage:
            user = stage.user()
            client = await stage.following(user)
            client.send(user.order("first"))
            await client.until(lambda frame: frame.get("seq") == 2 and frame["type"] == "portfolio_update")
            command = ResetAccount(user.principal.user_id, user.account_id, "reset")
            await asyncio.to_thread(services.prop.reset_account, command)
            update = await client.until(lambda frame: frame.get("reset") is True)
            assert (update["seq"], update["cycle"], update["cash"], update["position"]) == (3, 2, "10000", None)

    uvloop.run(scenario())


# --- prices


def test_subscribers_see_only_their_markets_and_the_newest_price(services: Services) -> None:
    async def scenario() -> None:
        async with staged(services) as stage:
            sol, both = await stage.signed_in(stage.user(1)), await stage.signed_in(stage.user(2))
            await sol.ask(type="subscribe", channel="price", market=SOL)
            await both.ask(type="subscribe", channel="price", markets=[SOL, BTC])
            await stage.price(BTC, mid_e8=60_000_00000000)
            for _ in range(20):
                last = await stage.price(SOL)
            wanted = str(last.mid_e8 / 10**8)
            await sol.until(lambda frame: frame.get("price") == wanted)
            await both.until(lambda frame: frame.get("price") == wanted)
            await both.until(lambda frame: frame.get("price") == "60000")
            assert {frame["market"] for frame in sol.of("price_update")} == {SOL}

            await both.ask(type="unsubscribe", channel="price", markets=[SOL])
            seen = len(both.of("price_update"))
            await stage.price(SOL)
            await stage.price(BTC, mid_e8=60_001_00000000)
            await both.until(lambda frame: frame.get("price") == "60001")
            assert {frame["market"] for frame in both.of("price_update")[seen:]} == {BTC}

    uvloop.run(scenario())


def test_a_feed_that_falls_silent_is_announced_as_a_halt_and_its_return_as_open(services: Services) -> None:
    async def scenario() -> None:
        clock = ManualClock(services.clock.now_ms())
        async with staged(services, clock=clock) as stage:
            client = await stage.signed_in(stage.user())
            await client.ask(type="subscribe", channel="price", market=SOL)
            await client.until(lambda frame: frame.get("state") == "open")
            clock.advance(FEED_SILENT_MS + 1)
            halted = await client.until(lambda frame: frame.get("state") == "halted")
            assert (halted["halt_reason"], halted["age_ms"]) == ("FEED_SILENT", FEED_SILENT_MS + 1)
            seen = len(client.frames)
            await stage.price(SOL)
            await client.until(lambda frame: frame in client.frames[seen:] and frame["state"] == "open")

    uvloop.run(scenario())


def test_a_price_that_only_reached_the_cache_is_shown_too(services: Services) -> None:
    async def scenario() -> None:
        async with staged(services) as stage:
            client = await stage.signed_in(stage.user())
            await client.ask(type="subscribe", channel="price", market=SOL)
            services.quotes.put([stage.quote(SOL, mid_e8=77_00000000)])
            await client.until(lambda frame: frame.get("price") == "77")

    uvloop.run(scenario())


# --- several processes


def test_an_order_taken_by_one_process_is_shown_by_another_through_redis(
    postgres_url: str, redis_url: str, tmp_path: Path
) -> None:
    settings = Settings(data_dir=str(tmp_path), database_url=postgres_url, redis_url=redis_url)

    async def scenario(here: Services, there: Services) -> None:
        async with staged(here) as one, staged(there) as other:
            user = one.user()
            trader, watcher = await one.signed_in(user), await other.following(user)
            await watcher.ask(type="subscribe", channel="price", market=SOL)
            price = await one.price(SOL)
            await watcher.until(lambda frame: frame.get("publish_ms") == price.publish_ms)

            for number in range(20):
                trader.send(user.order(f"o{number}", quantity="0.1"))
            await watcher.until(lambda frame: frame["type"] == "portfolio_update" and frame["seq"] == 40)
            private = watcher.of("order_fill", "portfolio_update")
            assert [frame["seq"] for frame in private] == list(range(1, 41))

            await revoke(one, user)
            async with asyncio.timeout(2):
                assert await watcher.until_closed() == session.REVOKED

    with closing(build(settings)) as here, closing(build(settings)) as there:
        uvloop.run(scenario(here, there))
