import asyncio
import os
import signal
from collections.abc import Callable

import pytest
from tests import services

from pump_party.kernel.errors import Unavailable
from pump_party.platform.clock import ManualClock
from pump_party.platform.ids import Ids
from pump_party.platform.tickets import TICKET_LIFE_MS, Tickets
from pump_party.redis.client import CONNECTIONS_MAX
from pump_party.redis.memory import TICKETS_MAX, MemoryTickets
from pump_party.redis.tickets import RedisTickets

REQUESTS = 5 * CONNECTIONS_MAX
HANGS_S_MAX = 5
"""However long Redis hangs: the wait for a connection, then for an answer, once more after a lost connection."""


def test_a_ticket_opens_once(make_tickets: Callable[[], Tickets], clock: ManualClock) -> None:
    async def scenario() -> None:
        tickets = make_tickets()
        ticket, expires_at_ms = await tickets.issue(b"who:\x00")
        assert expires_at_ms == clock.now_ms() + TICKET_LIFE_MS
        assert await tickets.redeem(ticket) == b"who:\x00"
        assert await tickets.redeem(ticket) is None
        assert await tickets.redeem("made up") is None

    asyncio.run(scenario())


def test_of_fifty_concurrent_uses_one_succeeds(make_tickets: Callable[[], Tickets]) -> None:
    async def scenario() -> None:
        tickets = make_tickets()
        ticket, _ = await tickets.issue(b"who")
        found = await asyncio.gather(*(tickets.redeem(ticket) for _ in range(50)))
        assert found.count(b"who") == 1

    asyncio.run(scenario())


def test_a_ticket_expires(make_tickets: Callable[[], Tickets], clock: ManualClock) -> None:
    async def scenario() -> None:
        tickets = make_tickets()
        early, late = (await tickets.issue(b"who"))[0], (await tickets.issue(b"who"))[0]
        clock.advance(TICKET_LIFE_MS - 1)
        assert await tickets.redeem(early) == b"who"
        clock.advance(1)
        assert await tickets.redeem(late) is None

    asyncio.run(scenario())


def test_redis_never_sees_the_ticket_itself(redis_url: str, clock: ManualClock, ids: Ids) -> None:
    import redis

    async def scenario() -> str:
        return (await RedisTickets(redis_url, clock, ids).issue(b"who"))[0]

    ticket = asyncio.run(scenario())
    with redis.Redis.from_url(redis_url) as client:
        [key] = client.scan_iter()
        assert ticket.encode() not in key
        assert client.pttl(key) <= TICKET_LIFE_MS


def test_tickets_in_this_process_are_bounded_until_they_expire(clock: ManualClock, ids: Ids) -> None:
    async def scenario() -> None:
        tickets = MemoryTickets(clock, ids)
        for _ in range(TICKETS_MAX):
            await tickets.issue(b"who")
        with pytest.raises(Unavailable):
            await tickets.issue(b"who")
        clock.advance(TICKET_LIFE_MS)
        await tickets.issue(b"who")
        assert len(tickets._tickets) == 1

    asyncio.run(scenario())


def test_tickets_without_redis_are_unavailable(clock: ManualClock, ids: Ids) -> None:
    with pytest.raises(Unavailable):
        asyncio.run(RedisTickets("redis://127.0.0.1:1/0", clock, ids).issue(b"who"))


def test_many_more_requests_than_connections_wait_for_one_rather_than_fail(
    make_tickets: Callable[[], Tickets],
) -> None:
    async def scenario() -> None:
        tickets = make_tickets()
        issued = await asyncio.gather(*(tickets.issue(b"who") for _ in range(REQUESTS)))
        assert await asyncio.gather(*(tickets.redeem(ticket) for ticket, _ in issued)) == [b"who"] * REQUESTS

    asyncio.run(scenario())


def test_while_redis_hangs_every_request_is_unavailable_within_a_bounded_time(clock: ManualClock, ids: Ids) -> None:
    with services.Redis() as server:

        async def scenario() -> list[object]:
            tickets = RedisTickets(server.url, clock, ids)
            await tickets.issue(b"who")
            os.kill(server.process_id, signal.SIGSTOP)
            async with asyncio.timeout(HANGS_S_MAX):
                outcomes = await asyncio.gather(*(tickets.issue(b"who") for _ in range(300)), return_exceptions=True)
            os.kill(server.process_id, signal.SIGCONT)
            await tickets.issue(b"who")
            return list(outcomes)

        outcomes = asyncio.run(scenario())
    assert {type(outcome) for outcome in outcomes} == {Unavailable}
    assert {outcome.code for outcome in outcomes if isinstance(outcome, Unavailable)} == {"cache_unavailable"}
