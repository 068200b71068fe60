"""The bus over Redis pub/sub. Many messages travel in one Redis message: a MessagePack array of byte strings."""

import asyncio
from collections.abc import AsyncIterator, Sequence

import msgspec
import redis
import structlog

from pump_party.redis import keys
from pump_party.redis.client import open_async_client, unavailable_when_away

MESSAGES_PER_PUBLISH_MAX = 128
SILENCE_S = 5.0
"""After this long without a message the connection must answer a ping."""
RECONNECT_S_MIN = 0.05
RECONNECT_S_MAX = 2.0

_encode = msgspec.msgpack.encode
_decode = msgspec.msgpack.Decoder(list[bytes]).decode
_log = structlog.get_logger("bus")


class RedisBus:
    """Implements `platform.bus.Bus`. Use from one event loop."""

    def __init__(self, url: str) -> None:
        self._publisher = open_async_client(url)
        # redis-py would reconnect in silence; the listener has to know that it missed something.
        self._subscriber = open_async_client(url, retries=0)

    async def publish(self, channel: str, messages: Sequence[bytes]) -> None:
        name = keys.channel(channel)
        with unavailable_when_away():
            for start in range(0, len(messages), MESSAGES_PER_PUBLISH_MAX):
                await self._publisher.publish(name, _encode(messages[start : start + MESSAGES_PER_PUBLISH_MAX]))

    async def listen(self, channels: Sequence[str]) -> AsyncIterator[tuple[str, bytes]]:
        names = {keys.channel(channel).encode(): channel for channel in channels}
        wait_s = RECONNECT_S_MIN
        while True:
            pubsub = self._subscriber.pubsub()
            try:
                await pubsub.subscribe(*names)
                silent, subscribed = False, 0
                while True:
                    message = await pubsub.get_message(timeout=SILENCE_S)
                    if message is None:
                        if silent:
                            raise redis.ConnectionError("no answer to a ping")
                        await pubsub.ping()
                    elif message["type"] == "message":
                        for one in _decode(message["data"]):
                            yield names[message["channel"]], one
                    elif message["type"] == "subscribe":
                        subscribed += 1
                        if subscribed == len(names):
                            wait_s = RECONNECT_S_MIN
                            yield "", b""
                    silent = message is None
            except (redis.RedisError, OSError) as error:
                _log.warning("bus_lost", reason=str(error), retry_s=wait_s)
            finally:
                await pubsub.aclose()  # type: ignore[no-untyped-call]
            await asyncio.sleep(wait_s)
            wait_s = min(wait_s * 2, RECONNECT_S_MAX)

    async def close(self) -> None:
        await self._publisher.aclose()
        await self._subscriber.aclose()
