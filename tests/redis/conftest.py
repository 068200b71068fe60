"""One suite for Redis and its twin: every test here runs on both."""

from collections.abc import Callable
from functools import partial
from typing import Any

import pytest

from pump_party.platform.clock import ManualClock
from pump_party.platform.ids import Ids
from pump_party.redis import memory
from pump_party.redis.books import RedisBooks
from pump_party.redis.limits import RedisLimits
from pump_party.redis.locks import RedisLocks
from pump_party.redis.prices import RedisQuotes
from pump_party.redis.pubsub import RedisBus
from pump_party.redis.tickets import RedisTickets


@pytest.fixture(params=["memory", "redis"])
def place(request: pytest.FixtureRequest) -> str:
    """Where the state is: an empty Redis' URL, or nowhere but here."""
    return "" if request.param == "memory" else request.getfixturevalue("redis_url")


@pytest.fixture
def quotes(place: str) -> Any:
    return RedisQuotes(place) if place else memory.MemoryQuotes()


@pytest.fixture
def books(place: str) -> Any:
    return RedisBooks(place) if place else memory.MemoryBooks()


# What belongs to an event loop is made inside the test's own.


@pytest.fixture
def make_bus(place: str) -> Callable[[], Any]:
    return partial(RedisBus, place) if place else memory.MemoryBus


@pytest.fixture
def make_limits(place: str, clock: ManualClock) -> Callable[[], Any]:
    return partial(RedisLimits, place, clock) if place else partial(memory.MemoryLimits, clock)


@pytest.fixture
def make_tickets(place: str, clock: ManualClock, ids: Ids) -> Callable[[], Any]:
    return partial(RedisTickets, place, clock, ids) if place else partial(memory.MemoryTickets, clock, ids)


@pytest.fixture
def make_locks(place: str, clock: ManualClock) -> Callable[[], Any]:
    return partial(RedisLocks, place) if place else partial(memory.MemoryLocks, clock)
