"""Work that one process of a deployment does while the others stand by: whoever holds the lease."""

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import suppress

from pump_party.bootstrap.services import Services
from pump_party.kernel.errors import Unavailable
from pump_party.platform.logging import get_logger

LEASE_MS = 3_000
LEASE_RENEWED_EVERY_S = 1.0

Work = Callable[[asyncio.Event], Awaitable[None]]

log = get_logger("lease")


async def lead(services: Services, name: str, work: Work, *, stop: asyncio.Event) -> None:
    """Do `work` whenever no other process does, until `stop`.

    Work is given an event that is set when it must end: on `stop`, or because the lease was lost. It may raise
    Unavailable and is then begun again later.
    """
    holder = services.ids.new()
    while not stop.is_set():
        try:
            if await services.locks.hold(name, holder, lease_ms=LEASE_MS):
                await _work_under_lease(services, name, holder, work, stop)
                continue
        except Unavailable as error:
            services.metrics.worker_failed(name)
            log.warning("worker_waits", lease=name, code=error.code, reason=error.reason)
        await is_set_within(stop, LEASE_RENEWED_EVERY_S)
    with suppress(Unavailable):
        await services.locks.release(name, holder)


async def _work_under_lease(services: Services, name: str, holder: str, work: Work, stop: asyncio.Event) -> None:
    ended = asyncio.Event()
    keepers = [
        asyncio.create_task(_keep_lease(services, name, holder, ended)),
        asyncio.create_task(_end_with(stop, ended)),
    ]
    try:
        await work(ended)
    finally:
        for keeper in keepers:
            keeper.cancel()
        await asyncio.gather(*keepers, return_exceptions=True)


async def _keep_lease(services: Services, name: str, holder: str, ended: asyncio.Event) -> None:
    """Renew the lease; end the run when another process holds it. While the lock is away nobody can take it."""
    while not await is_set_within(ended, LEASE_RENEWED_EVERY_S):
        with suppress(Unavailable):
            if not await services.locks.hold(name, holder, lease_ms=LEASE_MS):
                log.warning("lease_lost", lease=name)
                ended.set()


async def _end_with(stop: asyncio.Event, ended: asyncio.Event) -> None:
    await stop.wait()
    ended.set()


async def is_set_within(event: asyncio.Event, seconds: float) -> bool:
    """Wait for an event at most this long."""
    try:
        async with asyncio.timeout(max(0.0, seconds)):
            await event.wait()
    except TimeoutError:
        return False
    return True
