"""Durable work: a job is stored once per (kind, key), leased to one worker at a time and retried until it is done.

`db/jobs.py` stores jobs. A lease that runs out gives the job to another worker with a higher `fence`; the slow
worker's completion then fails, and with it the transaction of its effect.
"""

from enum import StrEnum

import msgspec

from pump_party.kernel.errors import Conflict
from pump_party.kernel.ids import JobId

ATTEMPTS_MAX = 8
RETRY_MS_MIN = 1_000
RETRY_MS_MAX = 300_000
ERROR_CHARS_MAX = 500


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
