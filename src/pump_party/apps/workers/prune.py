"""Deletes what has expired: challenges and sessions nobody can use, decisions, jobs and first answers of old, objects
that nobody names any more.

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
    kept_no_longer = (services.decisions, services.backtest_work, services.job_retention, services.answer_retention)

    def work() -> int:
        rows = 0
        for _ in range(BATCHES_MAX):
            deleted = services.users.prune() + sum(part.prune() for part in kept_no_longer)
            rows += deleted
            if deleted == 0:
                break
        return rows

    await every(PRUNE_EVERY_S, work, name=NAME, services=services, stop=stop)
