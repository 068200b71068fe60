"""The job table. A job is completed in the transaction of its effect, or the effect does not happen."""

from collections.abc import Sequence

import sqlalchemy as sa

from pump_party.db.engine import Database, Int64, Text, metadata
from pump_party.kernel.ids import JobId, uuid7
from pump_party.platform.ids import Ids
from pump_party.platform.jobs import ATTEMPTS_MAX, ERROR_CHARS_MAX, Job, JobState, LeaseLost, retry_delay_ms

jobs = sa.Table(
    "platform_jobs",
    metadata,
    sa.Column("job_id", Text, primary_key=True),
    sa.Column("kind", Text, nullable=False),
    sa.Column("key", Text, nullable=False),
    sa.Column("payload", Text, nullable=False),
    sa.Column("state", Text, nullable=False),
    sa.Column("run_at_ms", Int64, nullable=False),
    sa.Column("lease_until_ms", Int64, nullable=False),
    sa.Column("fence", Int64, nullable=False),
    sa.Column("attempts", Int64, nullable=False),
    sa.Column("last_error", Text),
    sa.UniqueConstraint("kind", "key", name="platform_jobs_kind_key"),
    sa.Index(
        "platform_jobs_due",
        "kind",
        "run_at_ms",
        sqlite_where=sa.text("state = 'waiting'"),
        postgresql_where=sa.text("state = 'waiting'"),
    ),
    sqlite_strict=True,
)


_ANY_DUE = sa.text(
    "SELECT 1 FROM platform_jobs "
    "WHERE kind = :kind AND state = 'waiting' AND run_at_ms <= :now_ms AND lease_until_ms <= :now_ms LIMIT 1"
)
"""Asked several times a second, and mostly answered no: without the writer's lock, and with nothing to compile."""


def schedule(connection: sa.Connection, *, ids: Ids, kind: str, key: str, payload: str, run_at_ms: int) -> None:
    """Store a job in the caller's transaction. A job of the same kind and key stays as it is."""
    statement = (
        "INSERT INTO platform_jobs (job_id, kind, key, payload, state, run_at_ms, lease_until_ms, fence, attempts)"
        " VALUES (:job_id, :kind, :key, :payload, 'waiting', :run_at_ms, 0, 0, 0) ON CONFLICT (kind, key) DO NOTHING"
    )
    values = {"job_id": ids.new(), "kind": kind, "key": key, "payload": payload, "run_at_ms": run_at_ms}
    connection.execute(sa.text(statement), values)


def complete(connection: sa.Connection, job: Job) -> None:
    """Mark a job done in the transaction of its effect. Raises LeaseLost, which must undo the effect."""
    _finish(connection, job, state=JobState.DONE, last_error=None)


def extend(connection: sa.Connection, job: Job, *, lease_until_ms: int) -> None:
    """Keep a job for longer. Raises LeaseLost."""
    mine = (jobs.c.job_id == job.job_id, jobs.c.fence == job.fence, jobs.c.state == JobState.WAITING)
    changed = connection.execute(sa.update(jobs).where(*mine).values(lease_until_ms=lease_until_ms)).rowcount
    if changed != 1:
        raise LeaseLost(f"job {job.job_id} was taken over by another worker")


class JobStore:
    """Leases jobs to workers. Safe to call from threads and from several processes."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def claim(self, kind: str, *, now_ms: int, lease_ms: int, limit: int) -> Sequence[Job]:
        """Lease jobs that are due, oldest first. A worker that dies loses them when `lease_ms` is over.

        A job whose last attempt ended with its worker is declared dead here, so that it cannot kill another.
        """
        with self._database.read() as connection:
            if connection.execute(_ANY_DUE, {"kind": kind, "now_ms": now_ms}).scalar() is None:
                return []
        is_due = (
            jobs.c.kind == kind,
            jobs.c.state == JobState.WAITING,
            jobs.c.run_at_ms <= now_ms,
            jobs.c.lease_until_ms <= now_ms,
        )
        due = (
            sa.select(jobs.c.job_id)
            .where(*is_due)
            .order_by(jobs.c.run_at_ms, jobs.c.job_id)
            .limit(limit)
            .with_for_update(skip_locked=True)
        )
        with self._database.write() as connection:
            connection.execute(
                sa.update(jobs)
                .where(*is_due, jobs.c.attempts >= ATTEMPTS_MAX)
                .values(state=JobState.DEAD, last_error="the worker of the last attempt did not come back")
            )
            job_ids = connection.execute(due).scalars().all()
            taken = connection.execute(
                sa.update(jobs)
                .where(jobs.c.job_id.in_(job_ids))
                .values(lease_until_ms=now_ms + lease_ms, fence=jobs.c.fence + 1, attempts=jobs.c.attempts + 1)
                .returning(jobs.c.job_id, jobs.c.kind, jobs.c.key, jobs.c.payload, jobs.c.fence, jobs.c.attempts)
            ).all()
        order = {job_id: place for place, job_id in enumerate(job_ids)}
        found = [Job(JobId(row.job_id), row.kind, row.key, row.payload, row.fence, row.attempts) for row in taken]
        return sorted(found, key=lambda job: order[job.job_id])

    def free(self, kind: str) -> None:
        """Take back jobs that are leased. For a worker that has become the only one: the lessees are gone."""
        leased = (jobs.c.kind == kind, jobs.c.state == JobState.WAITING, jobs.c.lease_until_ms > 0)
        with self._database.write() as connection:
            connection.execute(sa.update(jobs).where(*leased).values(lease_until_ms=0))

    def fail(self, job: Job, *, error: str, now_ms: int) -> JobState:
        """Put a job back for a later attempt, or declare it dead after the last. Raises LeaseLost."""
        state = JobState.DEAD if job.attempt >= ATTEMPTS_MAX else JobState.WAITING
        with self._database.write() as connection:
            _finish(
                connection,
                job,
                state=state,
                last_error=error[:ERROR_CHARS_MAX],
                run_at_ms=now_ms + retry_delay_ms(job.attempt),
            )
        return state

    def prune(self, *, before_ms: int, limit: int) -> int:
        """Implements `platform.jobs.DoneJobs`."""
        done = (jobs.c.state == JobState.DONE, jobs.c.run_at_ms < before_ms)
        # Ids of jobs begin with the time they were stored, which is before they are due.
        old = sa.select(jobs.c.job_id).where(jobs.c.job_id < uuid7(before_ms, 0), *done).limit(limit)
        with self._database.write() as connection:
            return connection.execute(sa.delete(jobs).where(jobs.c.job_id.in_(old))).rowcount


def _finish(
    connection: sa.Connection, job: Job, *, state: JobState, last_error: str | None, run_at_ms: int | None = None
) -> None:
    values = {"state": state, "last_error": last_error, "lease_until_ms": 0}
    if run_at_ms is not None:
        values["run_at_ms"] = run_at_ms
    mine = (jobs.c.job_id == job.job_id, jobs.c.fence == job.fence, jobs.c.state == JobState.WAITING)
    changed = connection.execute(sa.update(jobs).where(*mine).values(**values)).rowcount
    if changed != 1:
        raise LeaseLost(f"job {job.job_id} was taken over by another worker")
