"""Works off backtests, one at a time, each in a process of its own.

One worker is active per deployment. Whoever takes over begins again what was under way; the result is the same.
"""

import asyncio

from pump_party.apps.workers.leading import is_set_within, lead
from pump_party.bootstrap.services import Services
from pump_party.kernel.errors import Refusal
from pump_party.platform.logging import get_logger

WORKER = "run_backtests"
LOOK_EVERY_S = 0.5
RETRY_S = 2.0

log = get_logger(WORKER)


async def run(services: Services, *, stop: asyncio.Event) -> None:
    """Work until `stop`, whenever no other process does. A backtest under way is given up, and begun again later."""
    await lead(services, WORKER, lambda ended: _work(services, ended), stop=stop)


async def _work(services: Services, ended: asyncio.Event) -> None:
    await asyncio.to_thread(services.backtest_work.take_over)
    while not ended.is_set():
        try:
            job = await asyncio.to_thread(services.backtest_work.next_job)
            if job is None:
                await is_set_within(ended, LOOK_EVERY_S)
                continue
            state = await asyncio.to_thread(services.backtest_work.work_off, job, ended.is_set)
            log.info("backtest_ended", backtest_id=job.key, state=state.value)
        except Refusal as refusal:
            services.metrics.worker_failed(WORKER)
            log.warning("backtest_waits", code=refusal.code, reason=refusal.reason)
            await is_set_within(ended, RETRY_S)
