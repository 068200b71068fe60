"""Keep a source connected: try, report why it ended, wait longer each time, try again."""

import asyncio
from collections.abc import Awaitable, Callable

from pump_party.adapters.reporting import Report, SourceFailed

BACKOFF_FIRST_S = 0.5
BACKOFF_MAX_S = 30.0
BACKOFF_DOUBLINGS_MAX = 16
RETRY_AFTER_MAX_S = 300.0


class Backoff:
    """Waits that double up to BACKOFF_MAX_S, each cut to between a half and all of itself by `jitter` in [0, 1)."""

    def __init__(self, jitter: Callable[[], float]) -> None:
        self._jitter = jitter
        self._failures = 0

    def reset(self) -> None:
        self._failures = 0

    def next_s(self) -> float:
        full_s: float = min(BACKOFF_MAX_S, BACKOFF_FIRST_S * 2 ** min(self._failures, BACKOFF_DOUBLINGS_MAX))
        self._failures += 1
        return full_s * (0.5 + self._jitter() / 2)


async def keep_connected(
    connect: Callable[[Report], Awaitable[None]],
    report: Report,
    backoff: Backoff,
    wait: Callable[[float], Awaitable[None]] = asyncio.sleep,
) -> None:
    """Run `connect` again and again until cancelled; after a connection that brought prices the backoff begins anew.

    `connect` returns or raises SourceFailed when its connection has ended. `wait` spends the time between two tries.
    """
    while True:
        report.connecting()
        reason, retry_after_s = "the source closed the connection", 0.0
        try:
            await connect(report)
        except SourceFailed as failure:
            reason, retry_after_s = str(failure), min(failure.retry_after_s, RETRY_AFTER_MAX_S)
        if report.live:
            backoff.reset()
        report.lost(reason)
        await wait(max(backoff.next_s(), retry_after_s))
