"""Durable work: a job is stored once per (kind, key), leased to one worker at a time and retried until it is done.

`db/jobs.py` stores jobs. A lease that runs out gives the job to another worker with a higher `fence`; the slow
worker's completion then fails, and with it the transaction of its effect.
"""

from enum import StrEnum
from typing import Protocol

import msgspec

from pump_party.kernel.errors import Conflict
from pump_party.kernel.ids import JobId
from pump_party.platform.clock import Clock

ATTEMPTS_MAX = 8
RETRY_MS_MIN = 1_000
RETRY_MS_MAX = 300_000
ERROR_CHARS_MAX = 500

FOR_EVER = 0
PRUNED_AT_ONCE = 200
_DAY_MS = 24 * 3_600_000


class JobState(StrEnum):
    WAITING = "waiting"
    """Due at its time, or leased until its lease runs out."""

    DONE = "done"
    DEAD = "dead"
    """Failed ATTEMPTS_MAX times; a person has to look at it."""


class Job(msgspec.Struct, frozen=True):
    """A job as leased to a worker. `attempt` counts from 1."""

    job_id: JobId
    kind: str
    key: str
    payload: str
    fence: int
    attempt: int


class LeaseLost(Conflict):
    """Another worker took the job over; this worker's effect must not commit."""

    code = "lease_lost"


def retry_delay_ms(attempt: int) -> int:
    """How long to wait after a failed attempt: doubles from a second up to five minutes."""
    assert attempt >= 1
    return min(RETRY_MS_MAX, RETRY_MS_MIN << min(attempt - 1, 20))


class DoneJobs(Protocol):
    def prune(self, *, before_ms: int, limit: int) -> int:
        """Delete jobs of any kind that were stored and due before a time and are done. Returns how many."""
        ...


class JobRetention:
    """Deletes jobs some days after they were due, once they are done. Several at once are harmless.

    A job that is done holds its key: the same job stored again is no second one. That is needed for as long as its
    giver may come back after a crash, which is minutes; for days whoever looks into something finds it still. After
    that no key comes again: one of a slot is its time, one of a backtest is an id, and a repeated request is known by
    its `Idempotency-Key` and not by its job. Jobs that are dead wait for a person.
    """

    def __init__(self, jobs: DoneJobs, clock: Clock, *, kept_days: int) -> None:
        """With `kept_days` FOR_EVER nothing is deleted."""
        self._jobs = jobs
        self._clock = clock
        self._kept_days = kept_days

    def prune(self) -> int:
        """Delete a bounded batch. Returns how many rows went: call again until it is 0. Raises Unavailable."""
        if self._kept_days == FOR_EVER:
            return 0
        before_ms = self._clock.now_ms() - self._kept_days * _DAY_MS
        return self._jobs.prune(before_ms=before_ms, limit=PRUNED_AT_ONCE)
