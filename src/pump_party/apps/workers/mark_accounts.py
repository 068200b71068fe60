"""Writes equity marks: what charts of accounts and the leaderboard are made of."""

import asyncio

from pump_party.apps.workers.every import every
from pump_party.bootstrap.services import Services

NAME = "mark_accounts"
MARK_EVERY_S = 10.0


async def run(services: Services, *, stop: asyncio.Event) -> None:
    """Mark until `stop`, midnight to the second. Several at once are harmless: the second one writes nothing."""
    mark = services.prop.mark_accounts
    await every(MARK_EVERY_S, mark, name=NAME, services=services, stop=stop, on_the_clock=True)
