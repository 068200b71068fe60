"""Opens Redis connections that give up quickly, and turns their errors into Unavailable."""

from collections.abc import Iterator
from contextlib import contextmanager

import redis
import redis.asyncio
from redis.asyncio.retry import Retry as AsyncRetry
from redis.backoff import NoBackoff
from redis.retry import Retry

from pump_party.kernel.errors import Unavailable

TIMEOUT_S = 0.5
CONNECTIONS_MAX = 32
CONNECTION_WAIT_S = 2.0
"""For one of them to be free: longer than an answer may take, because a busy process is not an absent Redis."""
RETRIES = 1
"""A connection that Redis closed while it was idle is replaced at once; more waiting is the caller's choice."""


def open_client(url: str) -> redis.Redis:
    """A client for threads. Callers wait for a connection rather than be refused one."""
    pool = redis.BlockingConnectionPool.from_url(
        url,
        socket_timeout=TIMEOUT_S,
        socket_connect_timeout=TIMEOUT_S,
        max_connections=CONNECTIONS_MAX,
        timeout=CONNECTION_WAIT_S,
        retry=Retry(NoBackoff(), RETRIES),
    )
    return redis.Redis.from_pool(pool)


def open_async_client(url: str, *, retries: int = RETRIES) -> redis.asyncio.Redis:
    """A client for one event loop. Callers wait for a connection rather than be refused one."""
    pool = redis.asyncio.BlockingConnectionPool.from_url(
        url,
        socket_timeout=TIMEOUT_S,
        socket_connect_timeout=TIMEOUT_S,
        max_connections=CONNECTIONS_MAX,
        timeout=CONNECTION_WAIT_S,
        retry=AsyncRetry(NoBackoff(), retries),
    )
    return redis.asyncio.Redis.from_pool(pool)


@contextmanager
def unavailable_when_away() -> Iterator[None]:
    try:
        yield
    except (redis.RedisError, OSError) as error:
        raise Unavailable(
            "the cache does not answer; try again",
            code="cache_unavailable",
            reason=f"the cache does not answer: {error}",
        ) from error


def check(url: str) -> None:
    """Raise Unavailable with the reason when Redis does not answer: a start without it is refused."""
    with unavailable_when_away(), open_client(url) as client:
        client.ping()
