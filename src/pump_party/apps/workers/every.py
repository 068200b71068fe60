"""The loop of workers that do a small thing again and again, and outlast a database that is away for a while."""

import asyncio
import time
from collections.abc import Callable

from pump_party.bootstrap.services import Services
from pump_party.kernel.errors import Unavailable
from pump_party.platform.logging import get_logger

RETRY_S = 1.0


async def every(
    seconds: float,
    work: Callable[[], object],
    *,
    name: str,
    services: Services,
    stop: asyncio.Event,
    on_the_clock: bool = False,
) -> None:
    """Run `work` in a thread every `seconds` until `stop`; sooner again after a round that could not finish.

    `on_the_clock`: after the first, rounds begin at whole multiples of `seconds`.
    """
    log = get_logger(name)
    while not stop.is_set():
        started = time.monotonic()
        pause = seconds
        try:
            outcome = await asyncio.to_thread(work)
            log.debug("round done", outcome=outcome, duration_ms=round((time.monotonic() - started) * 1000))
        except Unavailable as error:
            services.metrics.worker_failed(name)
            log.warning("round failed", code=error.code, reason=error.reason)
            pause = min(seconds, RETRY_S)
        if on_the_clock:
            pause = min(pause, seconds - services.clock.now_ms() / 1000 % seconds)
        try:
            async with asyncio.timeout(pause):
                await stop.wait()
        except TimeoutError:
            continue
