import asyncio
import contextlib
from collections.abc import Callable
from typing import Any

import pytest
import redis

from pump_party.kernel.errors import Unavailable
from pump_party.platform.bus import Bus
from pump_party.redis.memory import INBOX_MAX, MemoryBus
from pump_party.redis.pubsub import MESSAGES_PER_PUBLISH_MAX, RedisBus

STARTED = ("", b"")


class Heard:
    """Collects what a listener yields."""

    def __init__(self, bus: Bus, *channels: str) -> None:
        self.messages: list[tuple[str, bytes]] = []
        self._task = asyncio.create_task(self._listen(bus, channels))

    async def _listen(self, bus: Bus, channels: tuple[str, ...]) -> None:
        async for item in bus.listen(channels):
            self.messages.append(item)

    async def until(self, number: int) -> list[tuple[str, bytes]]:
        async with asyncio.timeout(5):
            while len(self.messages) < number:
                await asyncio.sleep(0.005)
        return self.messages

    async def stop(self) -> None:
        self._task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await self._task


def test_every_listener_of_a_channel_hears_every_message_in_order(make_bus: Callable[[], Any]) -> None:
    async def scenario() -> None:
        bus = make_bus()
        both, one = Heard(bus, "price", "account"), Heard(bus, "account")
        await both.until(1)
        await one.until(1)
        sent = [b"%d \n\x00" % number for number in range(3 * MESSAGES_PER_PUBLISH_MAX)]
        await bus.publish("account", sent)
        await bus.publish("price", [b"p"])
        await bus.publish("nobody", [b"n"])

        expected = [("account", message) for message in sent]
        assert await both.until(len(sent) + 2) == [STARTED, *expected, ("price", b"p")]
        assert await one.until(len(sent) + 1) == [STARTED, *expected]
        await both.stop()
        await one.stop()
        await bus.close()

    asyncio.run(scenario())


def test_what_is_sent_before_listening_is_not_heard(make_bus: Callable[[], Any]) -> None:
    async def scenario() -> None:
        bus = make_bus()
        await bus.publish("price", [b"early"])
        heard = Heard(bus, "price")
        await heard.until(1)
        await bus.publish("price", [b"late"])
        assert await heard.until(2) == [STARTED, ("price", b"late")]
        await heard.stop()
        await bus.close()

    asyncio.run(scenario())


def test_a_lost_connection_is_made_again_and_told(redis_url: str) -> None:
    async def scenario() -> None:
        bus = RedisBus(redis_url)
        heard = Heard(bus, "price")
        await heard.until(1)
        with redis.Redis.from_url(redis_url) as admin:
            admin.client_kill_filter(_type="pubsub")
        await heard.until(2)
        await bus.publish("price", [b"after"])
        assert await heard.until(3) == [STARTED, STARTED, ("price", b"after")]
        await heard.stop()
        await bus.close()

    asyncio.run(scenario())


def test_a_listener_in_this_process_that_lags_too_far_is_told_that_it_missed(make_bus: Callable[[], Any]) -> None:
    async def scenario() -> None:
        bus = MemoryBus()
        listening = bus.listen(["price"])
        assert await anext(listening) == STARTED
        await bus.publish("price", [b"kept"])
        waiting = asyncio.ensure_future(anext(listening))
        await asyncio.sleep(0)
        assert await waiting == ("price", b"kept")
        await bus.publish("price", [b"x"] * INBOX_MAX)
        await bus.publish("price", [b"too much"])
        await bus.publish("price", [b"next"])
        assert [await anext(listening), await anext(listening)] == [STARTED, ("price", b"next")]

    asyncio.run(scenario())


def test_publishing_without_redis_is_unavailable() -> None:
    with pytest.raises(Unavailable):
        asyncio.run(RedisBus("redis://127.0.0.1:1/0").publish("price", [b"x"]))
