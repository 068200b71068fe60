"""What is read of all clones together. Ids of runs begin with the time of their slot: their key is the order."""

from collections.abc import Sequence

import sqlalchemy as sa

from pump_party.db.aitrading_rows import run_of
from pump_party.db.aitrading_tables import deployments, runs
from pump_party.db.engine import Database
from pump_party.domains.aitrading.records import Run
from pump_party.domains.aitrading.run_views import DeploymentState
from pump_party.kernel.ids import AccountId, CloneId, RunId


class ShowcaseStore:
    """Implements `domains.aitrading.showcase.ShowcaseStore`."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def trading(self, *, limit: int) -> Sequence[tuple[AccountId, CloneId]]:
        own = deployments.c
        query = (
            sa.select(own.account_id, own.clone_id)
            .where(own.state != DeploymentState.STOPPED.value)
            .order_by(own.started_ms.desc(), own.deployment_id.desc())
            .limit(limit)
        )
        with self._database.read() as connection:
            return [(AccountId(row.account_id), CloneId(row.clone_id)) for row in connection.execute(query)]

    def ended_runs(self, *, before: RunId | None, limit: int) -> Sequence[Run]:
        query = sa.select(runs).where(runs.c.finished_ms.is_not(None))
        if before is not None:
            query = query.where(runs.c.run_id < before)
        with self._database.read() as connection:
            return [run_of(row) for row in connection.execute(query.order_by(runs.c.run_id.desc()).limit(limit))]
