import asyncio
from collections.abc import Callable

import pytest

from pump_party.kernel.errors import Unavailable
from pump_party.platform.clock import ManualClock
from pump_party.platform.locks import Locks
from pump_party.redis.locks import RedisLocks


def test_one_holds_and_renews_while_others_wait(make_locks: Callable[[], Locks]) -> None:
    async def scenario() -> None:
        locks = make_locks()
        assert await locks.hold("ingest", "ann", lease_ms=60_000)
        assert not await locks.hold("ingest", "bob", lease_ms=60_000)
        assert await locks.hold("ingest", "ann", lease_ms=60_000)
        assert await locks.hold("other", "bob", lease_ms=60_000)

    asyncio.run(scenario())


def test_a_released_or_expired_lease_is_free(make_locks: Callable[[], Locks], clock: ManualClock) -> None:
    async def scenario() -> None:
        locks = make_locks()
        await locks.hold("ingest", "ann", lease_ms=60_000)
        await locks.release("ingest", "bob")
        assert not await locks.hold("ingest", "bob", lease_ms=60_000)
        await locks.release("ingest", "ann")
        assert await locks.hold("ingest", "bob", lease_ms=30)
        clock.advance(30)
        await asyncio.sleep(0.05)
        assert await locks.hold("ingest", "ann", lease_ms=60_000)

    asyncio.run(scenario())


def test_a_lease_without_redis_is_unavailable() -> None:
    with pytest.raises(Unavailable):
        asyncio.run(RedisLocks("redis://127.0.0.1:1/0").hold("ingest", "ann", lease_ms=1))
