"""The store of AI trading. What a run leads to is written with it: deployment, event, job, budget."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

import msgspec
import sqlalchemy as sa

from pump_party.db import aitrading_budgets, jobs, outbox
from pump_party.db.aitrading_rows import (
    MOVED,
    call_of,
    deployment_of,
    deployment_values,
    run_of,
    run_values,
)
from pump_party.db.aitrading_tables import budgets, calls, deployments, runs
from pump_party.db.engine import Database
from pump_party.domains.aitrading.budget import BudgetLimits, Spent
from pump_party.domains.aitrading.records import Call, CallState, Deployment, HeldCondition, Run, deployment_after
from pump_party.domains.aitrading.run_views import DeploymentState, RunState
from pump_party.domains.aitrading.slots import DAY_MS, SETTLE_MS, job_key
from pump_party.domains.aitrading.store import Announce, NextSlot, Resumed, RunTaken, Step
from pump_party.kernel.errors import Conflict
from pump_party.kernel.ids import CloneId, DeploymentId, RunId, uuid7
from pump_party.platform.ids import Ids
from pump_party.platform.jobs import Job
from pump_party.platform.outbox import OutboxMessage

SLOT_JOB = "aitrading.slot"
WITHOUT_RUN = ("dry", "inquiry", "replay")
"""How ids of calls begin that no run made; a time-ordered id follows."""

PAGE = 1_000
"""Ids in one statement."""

_RANK = {state: place for place, state in enumerate(RunState)}


class AITradingStore:
    """Implements `domains.aitrading.store.AITradingStore`."""

    def __init__(self, database: Database, ids: Ids) -> None:
        self._database = database
        self._ids = ids
        self._jobs = jobs.JobStore(database)

    # --- deployments ---

    def deploy(
        self, deployment: Deployment, *, deploy_key: str, next_slot: NextSlot, told: OutboxMessage
    ) -> Deployment:
        values = deployment_values(deployment) | {"deploy_key": deploy_key}
        try:
            with self._database.write() as connection:
                connection.execute(sa.insert(deployments), values)
                self._schedule(connection, next_slot)
                outbox.append_all_next(connection, [told])
        except sa.exc.IntegrityError:
            earlier = self.deployed_before(deployment.clone_id, deploy_key)
            if earlier is not None:
                return earlier
            raise Conflict("this clone trades already; stop it first", code="already_deployed") from None
        return deployment

    def deployed_before(self, clone_id: str, deploy_key: str) -> Deployment | None:
        mine = (deployments.c.clone_id == clone_id, deployments.c.deploy_key == deploy_key)
        with self._database.read() as connection:
            row = connection.execute(sa.select(deployments).where(*mine)).one_or_none()
        return None if row is None else deployment_of(row)

    def set_state(
        self,
        deployment_id: DeploymentId,
        *,
        state: DeploymentState,
        before: Sequence[DeploymentState],
        told: OutboxMessage,
        resumed: Resumed | None = None,
    ) -> bool:
        values: dict[str, Any] = {"state": state.value}
        if resumed is not None:
            values |= {name: getattr(resumed, name) for name in ("version_id", "version", "cadence_s")}
            values["running_since_ms"] = resumed.at_ms
        mine = deployments.c.deployment_id == deployment_id
        with self._database.write() as connection:
            was = deployments.c.state.in_([s.value for s in before])
            changed = connection.execute(sa.update(deployments).where(mine, was).values(values)).rowcount
            if changed and resumed is not None:
                self._schedule(connection, resumed.next_slot)
            if changed:
                outbox.append_all_next(connection, [told])
        return bool(changed)

    def newest_deployment(self, clone_id: str) -> Deployment | None:
        return self.newest_deployments([CloneId(clone_id)]).get(CloneId(clone_id))

    def newest_deployments(self, clone_ids: Sequence[CloneId]) -> Mapping[CloneId, Deployment]:
        found: dict[CloneId, Deployment] = {}
        oldest_first = deployments.c.started_ms, deployments.c.deployment_id
        with self._database.read() as connection:
            for page in _pages(clone_ids):
                query = sa.select(deployments).where(deployments.c.clone_id.in_(page)).order_by(*oldest_first)
                found |= {row.clone_id: deployment_of(row) for row in connection.execute(query)}
        return found

    def running(self, cadence_s: int, *, slot_ms: int) -> Sequence[Deployment]:
        query = sa.select(deployments).where(
            deployments.c.state == DeploymentState.RUNNING.value,
            deployments.c.cadence_s == cadence_s,
            deployments.c.running_since_ms <= slot_ms,
        )
        with self._database.read() as connection:
            return [deployment_of(row) for row in connection.execute(query.order_by(deployments.c.deployment_id))]

    def deployments(self, ids: Sequence[DeploymentId]) -> Mapping[DeploymentId, Deployment]:
        found: dict[DeploymentId, Deployment] = {}
        with self._database.read() as connection:
            for page in _pages(ids):
                query = sa.select(deployments).where(deployments.c.deployment_id.in_(page))
                found |= {row.deployment_id: deployment_of(row) for row in connection.execute(query)}
        return found

    def guarded(self) -> Sequence[Deployment]:
        query = sa.select(deployments).where(
            deployments.c.state != DeploymentState.STOPPED.value, deployments.c.conditions != "[]"
        )
        with self._database.read() as connection:
            return [deployment_of(row) for row in connection.execute(query.order_by(deployments.c.deployment_id))]

    def unsealed(self) -> Sequence[Deployment]:
        query = sa.select(deployments).where(deployments.c.conditions.contains('"condition":', autoescape=True))
        with self._database.read() as connection:
            return [deployment_of(row) for row in connection.execute(query)]

    def seal(self, deployment_id: DeploymentId, shut: Mapping[HeldCondition, HeldCondition]) -> None:
        mine = deployments.c.deployment_id == deployment_id
        with self._database.write() as connection:
            kept = deployment_of(connection.execute(sa.select(deployments).where(mine).with_for_update()).one())
            conditions = tuple(shut.get(held, held) for held in kept.conditions)
            values = deployment_values(msgspec.structs.replace(kept, conditions=conditions))
            connection.execute(sa.update(deployments).where(mine).values(conditions=values["conditions"]))

    # --- runs ---

    def runs_of_slot(self, deployment_ids: Sequence[DeploymentId], slot_ms: int) -> Sequence[Run]:
        found: list[Run] = []
        with self._database.read() as connection:
            for page in _pages(deployment_ids):
                query = sa.select(runs).where(runs.c.slot_ms == slot_ms, runs.c.deployment_id.in_(page))
                found += [run_of(row) for row in connection.execute(query)]
        return found

    def unfinished(self, *, limit: int) -> Sequence[Run]:
        query = sa.select(runs).where(runs.c.finished_ms.is_(None)).order_by(runs.c.run_id).limit(limit)
        with self._database.read() as connection:
            return [run_of(row) for row in connection.execute(query)]

    def run(self, run_id: str) -> Run | None:
        return self._one_run(runs.c.run_id == run_id)

    def run_by_key(self, clone_id: str, run_key: str) -> Run | None:
        return self._one_run(runs.c.clone_id == clone_id, runs.c.run_key == run_key)

    def _one_run(self, *conditions: sa.ColumnElement[bool]) -> Run | None:
        with self._database.read() as connection:
            row = connection.execute(sa.select(runs).where(*conditions)).one_or_none()
        return None if row is None else run_of(row)

    def runs(self, clone_id: str, *, before: RunId | None, limit: int) -> Sequence[Run]:
        query = sa.select(runs).where(runs.c.clone_id == clone_id)
        if before is not None:
            query = query.where(runs.c.run_id < before)
        with self._database.read() as connection:
            return [run_of(row) for row in connection.execute(query.order_by(runs.c.run_id.desc()).limit(limit))]

    def count_runs(self, clone_id: CloneId, *, from_ms: int, to_ms: int) -> int:
        mine = (runs.c.clone_id == clone_id, runs.c.slot_ms >= from_ms, runs.c.slot_ms < to_ms)
        with self._database.read() as connection:
            return int(connection.execute(sa.select(sa.func.count()).where(*mine)).scalar_one())

    # --- model calls ---

    def calls(self, run_ids: Sequence[str]) -> Mapping[str, Sequence[Call]]:
        with self._database.read() as connection:
            return _settled_calls(connection, run_ids)

    def calls_of_day(self, clone_id: CloneId, day: int) -> Sequence[Call]:
        query = sa.select(calls).where(calls.c.clone_id == clone_id, calls.c.day == day)
        settled = query.where(calls.c.state == CallState.SETTLED.value).order_by(calls.c.call_id)
        with self._database.read() as connection:
            return [call_of(row) for row in connection.execute(settled)]

    def spent(self, day: int, scope: str, subject: str) -> Spent:
        with self._database.read() as connection:
            return aitrading_budgets.spent(connection, day, scope, subject)

    # --- steps ---

    def record(self, step: Step, *, limits: BudgetLimits, announce: Announce) -> Sequence[Call]:
        with self._taken_when_known(), self._database.write() as connection:
            if step.begun:
                connection.execute(sa.insert(runs), [run_values(run) for run in step.begun])
            if step.moved:
                _move(connection, step.moved)
            refused = aitrading_budgets.reserve(connection, self._database, step.reserved, limits)
            aitrading_budgets.settle(connection, step.settled)
            self._end(connection, [run for run in (*step.begun, *step.moved) if run.is_final], announce)
            if step.next_slot is not None:
                self._schedule(connection, step.next_slot)
            if step.done is not None:
                jobs.complete(connection, step.done)
        return refused

    @contextmanager
    def _taken_when_known(self) -> Iterator[None]:
        try:
            yield
        except sa.exc.IntegrityError as error:
            raise RunTaken from error

    def _end(self, connection: sa.Connection, ended: Sequence[Run], announce: Announce) -> None:
        """What runs that are over leave behind: their deployments go on, and listeners are told."""
        if not ended:
            return
        known: dict[str, Deployment] = {}
        for page in _pages(sorted({run.deployment_id for run in ended})):
            query = sa.select(deployments).where(deployments.c.deployment_id.in_(page))
            locked = query.order_by(deployments.c.deployment_id).with_for_update()
            known |= {row.deployment_id: deployment_of(row) for row in connection.execute(locked)}
        made = _settled_calls(connection, [run.run_id for run in ended if run.model is not None])
        messages = []
        for run in ended:
            known[run.deployment_id] = deployment_after(known[run.deployment_id], run)
            messages.append(announce(run, made.get(run.run_id, ())))
        changed = ("past", "conditions", "actions_day", "actions_count")
        update = sa.update(deployments).where(deployments.c.deployment_id == sa.bindparam("mine"))
        update = update.values({name: sa.bindparam(f"new_{name}") for name in changed})
        rows = []
        for deployment in known.values():
            values = deployment_values(deployment)
            rows.append({"mine": deployment.deployment_id} | {f"new_{name}": values[name] for name in changed})
        connection.execute(update, rows)
        outbox.append_all_next(connection, messages)

    # --- what is kept no longer ---

    def old_runs(self, rule_sets: Sequence[str], before_ms: int, *, limit: int) -> Sequence[Run]:
        # Ids of runs begin with the time of their slot.
        under = deployments.c.rule_set.in_(rule_sets)
        query = (
            sa.select(runs)
            .join_from(runs, deployments, deployments.c.deployment_id == runs.c.deployment_id)
            .where(runs.c.clone_id.in_(sa.select(deployments.c.clone_id).where(under)), under)
            .where(runs.c.run_id < uuid7(before_ms, 0), runs.c.finished_ms.is_not(None))
            .order_by(runs.c.run_id)
            .limit(limit)
        )
        with self._database.read() as connection:
            return [run_of(row) for row in connection.execute(query)]

    def delete_runs(self, run_ids: Sequence[RunId]) -> None:
        with self._database.write() as connection:
            for page in _pages(run_ids):
                connection.execute(sa.delete(calls).where(calls.c.run_id.in_(page)))
                connection.execute(sa.delete(runs).where(runs.c.run_id.in_(page)))

    def prune_calls(self, before_ms: int, *, limit: int) -> int:
        first = uuid7(before_ms, 0)
        without_run = [
            sa.and_(calls.c.call_id > f"{prefix}/", calls.c.call_id < f"{prefix}/{first}") for prefix in WITHOUT_RUN
        ]
        old = sa.select(calls.c.call_id).where(sa.or_(*without_run)).limit(limit)
        with self._database.write() as connection:
            gone = connection.execute(sa.delete(calls).where(calls.c.call_id.in_(old))).rowcount
            connection.execute(sa.delete(budgets).where(budgets.c.day < before_ms // DAY_MS))
        return gone

    # --- slots ---

    def _schedule(self, connection: sa.Connection, slot: NextSlot) -> None:
        key = job_key(slot.cadence_s, slot.slot_ms)
        jobs.schedule(connection, ids=self._ids, kind=SLOT_JOB, key=key, payload="", run_at_ms=slot.slot_ms + SETTLE_MS)

    def claim_slots(self, *, now_ms: int, lease_ms: int, limit: int) -> Sequence[Job]:
        return self._jobs.claim(SLOT_JOB, now_ms=now_ms, lease_ms=lease_ms, limit=limit)

    def free_slots(self) -> None:
        self._jobs.free(SLOT_JOB)

    def retry_slot(self, job: Job, *, error: str, now_ms: int) -> None:
        self._jobs.fail(job, error=error, now_ms=now_ms)


def _move(connection: sa.Connection, moved: Sequence[Run]) -> None:
    """A run only goes forward: whoever comes second with it writes nothing."""
    stored: dict[str, str] = {}
    for page in _pages(sorted(run.run_id for run in moved)):
        query = sa.select(runs.c.run_id, runs.c.state).where(runs.c.run_id.in_(page))
        stored |= {row.run_id: row.state for row in connection.execute(query.order_by(runs.c.run_id).with_for_update())}
    if any(_RANK[RunState(stored[run.run_id])] >= _RANK[run.state] for run in moved):
        raise RunTaken
    update = sa.update(runs).where(runs.c.run_id == sa.bindparam("mine"))
    update = update.values({name: sa.bindparam(f"new_{name}") for name in MOVED})
    rows = []
    for run in moved:
        values = run_values(run)
        rows.append({"mine": run.run_id} | {f"new_{name}": values[name] for name in MOVED})
    connection.execute(update, rows)


def _settled_calls(connection: sa.Connection, run_ids: Sequence[str]) -> dict[str, Sequence[Call]]:
    found: dict[str, list[Call]] = {}
    for page in _pages(run_ids):
        query = sa.select(calls).where(calls.c.run_id.in_(page), calls.c.state == CallState.SETTLED.value)
        for row in connection.execute(query.order_by(calls.c.call_id)):
            found.setdefault(row.run_id, []).append(call_of(row))
    return dict(found.items())


def _pages(ids: Sequence[Any]) -> Iterator[Sequence[Any]]:
    for first in range(0, len(ids), PAGE):
        yield ids[first : first + PAGE]
