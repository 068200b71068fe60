"""Where synchronous services run on behalf of requests: a bounded number at a time, dry runs apart from all others."""

import asyncio
from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import Final, ParamSpec, TypeVar

from pump_party.kernel.errors import RateLimited
from pump_party.kernel.ids import UserId

THREADS_MAX: Final = 8
"""Service calls at a time: as many as the database has connections."""

DRY_RUNS_MAX: Final = 32
"""Dry runs and replays at a time: each may wait a minute for a model, so they have threads of their own."""

DRY_RUNS_PER_USER_MAX: Final = 4
DRY_RUNS_RETRY_MS: Final = 5_000

P = ParamSpec("P")
R = TypeVar("R")


class TooManyDryRuns(RateLimited):
    """So many wait for models already, of this user or of everybody."""

    code = "too_many_dry_runs"

    def __init__(self, whose: str) -> None:
        super().__init__(f"{whose} wait for their models; come back later", retry_after_ms=DRY_RUNS_RETRY_MS)


class Threads:
    """Where synchronous services run, so that none holds up the event loop. Use from one event loop."""

    def __init__(self) -> None:
        self._executor = ThreadPoolExecutor(max_workers=THREADS_MAX, thread_name_prefix="services")
        self._dry_runs = ThreadPoolExecutor(max_workers=DRY_RUNS_MAX, thread_name_prefix="dry-runs")
        self._running: Counter[UserId] = Counter()

    async def run(self, function: Callable[P, R], *args: P.args, **kwargs: P.kwargs) -> R:
        loop = asyncio.get_running_loop()
        return await loop.run_in_executor(self._executor, partial(function, *args, **kwargs))

    async def run_dry(self, user_id: UserId, function: Callable[P, R], *args: P.args, **kwargs: P.kwargs) -> R:
        """The same for what waits for models, where it takes no thread from anybody else. Raises TooManyDryRuns."""
        if self._running[user_id] >= DRY_RUNS_PER_USER_MAX:
            raise TooManyDryRuns(f"{DRY_RUNS_PER_USER_MAX} of your dry runs and replays")
        if self._running.total() >= DRY_RUNS_MAX:
            raise TooManyDryRuns(f"{DRY_RUNS_MAX} dry runs and replays")
        loop = asyncio.get_running_loop()
        running = loop.run_in_executor(self._dry_runs, partial(function, *args, **kwargs))
        self._running[user_id] += 1
        running.add_done_callback(lambda _: self._ended(user_id))
        return await running

    def _ended(self, user_id: UserId) -> None:
        self._running[user_id] -= 1
        if not self._running[user_id]:
            del self._running[user_id]

    def close(self) -> None:
        for executor in (self._executor, self._dry_runs):
            executor.shutdown(wait=False, cancel_futures=True)
