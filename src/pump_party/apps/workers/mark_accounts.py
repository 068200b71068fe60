"""Writes equity marks: what charts of accounts and the leaderboard are made of."""

import asyncio

from pump_party.apps.workers.every import every
from pump_party.bootstrap import Services

NAME = "mark_accounts"
MARK_EVERY_S = 10.0


async def run(services: Services, *, stop: asyncio.Event) -> None:
    """Mark until `stop`. Several at once are harmless: marks lie on a grid of times."""
    await every(MARK_EVERY_S, services.prop.mark_accounts, name=NAME, services=services, stop=stop)
