"""Deletes what has expired: challenges and sessions nobody can use, decisions and jobs that are kept no longer.

Never money, never trades.
"""

import asyncio

from pump_party.apps.workers.every import every
from pump_party.bootstrap.services import Services

NAME = "prune"
PRUNE_EVERY_S = 60.0
BATCHES_MAX = 100
"""A round stops here, so that a backlog never holds up the shutdown."""


async def run(services: Services, *, stop: asyncio.Event) -> None:
    """Prune until `stop`. Several at once are harmless."""

    def work() -> int:
        rows = 0
        for _ in range(BATCHES_MAX):
            deleted = services.users.prune() + services.decisions.prune() + services.job_retention.prune()
            rows += deleted
            if deleted == 0:
                break
        return rows

    await every(PRUNE_EVERY_S, work, name=NAME, services=services, stop=stop)
