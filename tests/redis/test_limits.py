import asyncio
from collections.abc import Callable

from pump_party.platform.clock import ManualClock
from pump_party.platform.limits import Limit, Limits
from pump_party.redis.limits import RETRY_AFTER_MS, RedisLimits
from pump_party.redis.memory import BUCKETS_MAX, MemoryLimits

THREE = Limit(name="three", burst=3, per_minute=60)


async def taken(limits: Limits, subject: str, times: int) -> list[int]:
    return [await limits.take(THREE, subject) for _ in range(times)]


def test_a_burst_is_granted_and_then_one_a_refill(make_limits: Callable[[], Limits], clock: ManualClock) -> None:
    async def scenario() -> None:
        limits = make_limits()
        assert await taken(limits, "ann", 4) == [0, 0, 0, 1000]
        clock.advance(999)
        assert await taken(limits, "ann", 1) == [1]
        clock.advance(1)
        assert await taken(limits, "ann", 2) == [0, 1000]

    asyncio.run(scenario())


def test_subjects_and_limits_do_not_share_tokens(make_limits: Callable[[], Limits]) -> None:
    async def scenario() -> None:
        limits = make_limits()
        await taken(limits, "ann", 3)
        assert await limits.take(THREE, "bob") == 0
        assert await limits.take(Limit(name="other", burst=1, per_minute=1), "ann") == 0

    asyncio.run(scenario())


def test_asking_too_often_does_not_postpone_the_refill(make_limits: Callable[[], Limits], clock: ManualClock) -> None:
    async def scenario() -> None:
        limits = make_limits()
        await taken(limits, "ann", 3)
        for _ in range(999):
            clock.advance(1)
            assert await limits.take(THREE, "ann") > 0
        clock.advance(1)
        assert await limits.take(THREE, "ann") == 0

    asyncio.run(scenario())


def test_a_hundred_at_once_get_the_burst_and_no_more(make_limits: Callable[[], Limits]) -> None:
    async def scenario() -> None:
        limits = make_limits()
        waits = await asyncio.gather(*(limits.take(THREE, "ann") for _ in range(100)))
        assert sum(wait == 0 for wait in waits) == THREE.burst

    asyncio.run(scenario())


def test_two_processes_share_the_bucket_in_redis(redis_url: str, clock: ManualClock) -> None:
    async def scenario() -> None:
        here, there = RedisLimits(redis_url, clock), RedisLimits(redis_url, clock)
        assert await taken(here, "ann", 2) + await taken(there, "ann", 2) == [0, 0, 0, 1000]

    asyncio.run(scenario())


def test_without_redis_each_process_still_holds_the_limit(clock: ManualClock) -> None:
    async def scenario() -> None:
        limits = RedisLimits("redis://127.0.0.1:1/0", clock)
        assert await taken(limits, "ann", 4) == [0, 0, 0, 1000]
        clock.advance(RETRY_AFTER_MS)
        assert await taken(limits, "ann", 2) == [0, 1000]

    asyncio.run(scenario())


def test_a_flood_of_subjects_forgets_the_oldest_and_keeps_the_rest(clock: ManualClock) -> None:
    async def scenario() -> None:
        limits = MemoryLimits(clock)
        await taken(limits, "first", 3)
        for number in range(BUCKETS_MAX - 1):
            await limits.take(THREE, str(number))
        assert await limits.take(THREE, "first") > 0
        await limits.take(THREE, "one more")
        assert len(limits._buckets) == BUCKETS_MAX

    asyncio.run(scenario())
