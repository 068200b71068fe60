import subprocess
import sys
from collections import Counter
from concurrent.futures import ThreadPoolExecutor

import pytest
import sqlalchemy as sa

from pump_party.db.engine import Database
from pump_party.db.jobs import JobStore, complete, schedule
from pump_party.db.outbox import OutboxStore, append_next
from pump_party.platform.clock import ManualClock
from pump_party.platform.ids import Ids
from pump_party.platform.jobs import (
    ATTEMPTS_MAX,
    Job,
    JobState,
    LeaseLost,
    retry_delay_ms,
)
from pump_party.platform.retention import FOR_EVER, Retention

LEASE_MS = 1_000
DAY_MS = 24 * 3_600_000


@pytest.fixture
def store(database: Database) -> JobStore:
    return JobStore(database)


def plan(database: Database, ids: Ids, *keys: str, run_at_ms: int = 0) -> None:
    with database.write() as connection:
        for key in keys:
            schedule(connection, ids=ids, kind="pay", key=key, payload="{}", run_at_ms=run_at_ms)


def claim(store: JobStore, now_ms: int, limit: int = 10) -> list[Job]:
    return list(store.claim("pay", now_ms=now_ms, lease_ms=LEASE_MS, limit=limit))


def pay(database: Database, job: Job) -> None:
    """The effect and its completion, in one transaction."""
    with database.write() as connection:
        append_next(connection, channel="c", subject=job.key, kind="paid", payload=b"{}", at_ms=1)
        complete(connection, job)


def paid(database: Database) -> Counter[str]:
    return Counter(message.subject for _, message in OutboxStore(database).unsent(limit=1_000))


def test_a_job_is_stored_once_and_run_when_it_is_due(database: Database, store: JobStore, ids: Ids) -> None:
    plan(database, ids, "b", run_at_ms=5)
    plan(database, ids, "a", "b", run_at_ms=3)
    assert claim(store, 2) == []
    assert [job.key for job in claim(store, 5)] == ["a", "b"]
    assert claim(store, 6) == []
    assert store.claim("other", now_ms=9, lease_ms=1, limit=1) == []


def test_a_completed_job_never_runs_again(database: Database, store: JobStore, ids: Ids) -> None:
    plan(database, ids, "a")
    pay(database, claim(store, 1)[0])
    assert claim(store, 10**9) == []
    plan(database, ids, "a")
    assert claim(store, 10**9) == []


def test_jobs_of_every_kind_go_some_days_after_they_were_done_and_others_stay(
    database: Database, store: JobStore, ids: Ids, clock: ManualClock
) -> None:
    retention = Retention(store, clock, kept_days=7)
    begun_ms = clock.now_ms()
    with database.write() as connection:
        for kind in ("pay", "play"):
            for key in ("done", "dead", "waiting"):
                schedule(connection, ids=ids, kind=kind, key=key, payload="{}", run_at_ms=begun_ms)
            schedule(connection, ids=ids, kind=kind, key="late", payload="{}", run_at_ms=begun_ms + 3 * DAY_MS)
    clock.advance(3 * DAY_MS)
    for kind in ("pay", "play"):
        jobs = {job.key: job for job in store.claim(kind, now_ms=clock.now_ms(), lease_ms=LEASE_MS, limit=9)}
        with database.write() as connection:
            for key in ("done", "late"):
                complete(connection, jobs[key])
        for _ in range(ATTEMPTS_MAX - 1):
            store.fail(jobs["dead"], error="no", now_ms=0)
            (jobs["dead"],) = store.claim(kind, now_ms=clock.now_ms(), lease_ms=LEASE_MS, limit=1)
        assert store.fail(jobs["dead"], error="no", now_ms=0) is JobState.DEAD
    clock.advance(5 * DAY_MS - 1)
    assert retention.prune() == 2
    assert left(database) == {(kind, key) for kind in ("pay", "play") for key in ("dead", "waiting", "late")}
    assert retention.prune() == 0
    clock.advance(2 * DAY_MS + 2)
    assert retention.prune() == 2
    clock.advance(9_000 * DAY_MS)
    assert Retention(store, clock, kept_days=FOR_EVER).prune() == 0
    assert left(database) == {(kind, key) for kind in ("pay", "play") for key in ("dead", "waiting")}


def left(database: Database) -> set[tuple[str, str]]:
    with database.read() as connection:
        return {(row.kind, row.key) for row in connection.execute(sa.text("SELECT kind, key FROM platform_jobs"))}


def test_a_worker_that_lost_its_lease_changes_nothing(database: Database, store: JobStore, ids: Ids) -> None:
    plan(database, ids, "a")
    [slow] = claim(store, 0)
    [quick] = claim(store, LEASE_MS)
    with pytest.raises(LeaseLost):
        pay(database, slow)
    with pytest.raises(LeaseLost):
        store.fail(slow, error="late", now_ms=LEASE_MS)
    pay(database, quick)
    assert paid(database) == {"a": 1}


def test_a_failing_job_waits_longer_each_time_and_then_dies(database: Database, store: JobStore, ids: Ids) -> None:
    plan(database, ids, "a")
    now_ms = 0
    for attempt in range(1, ATTEMPTS_MAX + 1):
        [job] = claim(store, now_ms)
        assert job.attempt == attempt
        state = store.fail(job, error="boom", now_ms=now_ms)
        assert claim(store, now_ms + retry_delay_ms(attempt) - 1) == []
        now_ms += retry_delay_ms(attempt)
    assert state is JobState.DEAD
    assert claim(store, 10**12) == []


def test_a_job_that_kills_its_workers_dies_too(database: Database, store: JobStore, ids: Ids) -> None:
    plan(database, ids, "a")
    claims = [len(claim(store, number * LEASE_MS)) for number in range(ATTEMPTS_MAX + 2)]
    assert claims == [1] * ATTEMPTS_MAX + [0, 0]


WORKER = """
import os, sys
from pump_party.db.engine import Database
from pump_party.db.jobs import JobStore
from tests.db.test_jobs import LEASE_MS, pay
database = Database(sys.argv[1])
for number, job in enumerate(JobStore(database).claim("pay", now_ms=0, lease_ms=LEASE_MS, limit=40)):
    if number == 7:
        os.kill(os.getpid(), 9)
    pay(database, job)
"""


def test_two_workers_one_of_them_killed_pay_everything_exactly_once(
    database: Database, store: JobStore, ids: Ids
) -> None:
    keys = [f"winner {number}" for number in range(60)]
    plan(database, ids, *keys)

    killed = subprocess.run([sys.executable, "-c", WORKER, database.url], check=False)
    assert killed.returncode == -9
    assert len(paid(database)) == 7

    def work(_: int) -> None:
        for now_ms in (0, LEASE_MS):
            while jobs := claim(store, now_ms, limit=5):
                for job in jobs:
                    pay(database, job)

    with ThreadPoolExecutor(2) as threads:
        list(threads.map(work, range(2)))
    assert paid(database) == dict.fromkeys(keys, 1)
