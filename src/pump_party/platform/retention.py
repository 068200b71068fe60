"""Deletes rows of the platform some days after they were needed: done jobs, first answers of requests.

A done job holds its key: the same job stored again is no second one. That is needed for as long as its giver may come
back after a crash, which is minutes. After that no key comes again: one of a slot is its time, one of a backtest is an
id, and a repeated request is known by its `Idempotency-Key` and not by its job. Jobs that are dead wait for a person.

A caller who repeats a request does so within minutes, and may rely on days. Keys of orders, of runs and of deployments
are those of their own rows and live as long as these; those of money never expire.
"""

from typing import Protocol

from pump_party.platform.clock import Clock

FOR_EVER = 0
PRUNED_AT_ONCE = 500
_DAY_MS = 24 * 3_600_000


class Prunable(Protocol):
    def prune(self, *, before_ms: int, limit: int) -> int:
        """Delete what is not needed since before a time. Returns how many rows went."""
        ...


class Retention:
    """Several at once are harmless."""

    def __init__(self, rows: Prunable, clock: Clock, *, kept_days: int) -> None:
        """With `kept_days` FOR_EVER nothing is deleted."""
        self._rows = rows
        self._clock = clock
        self._kept_days = kept_days

    def prune(self) -> int:
        """Delete a bounded batch. Returns how many rows went: call again until it is 0. Raises Unavailable."""
        if self._kept_days == FOR_EVER:
            return 0
        before_ms = self._clock.now_ms() - self._kept_days * _DAY_MS
        return self._rows.prune(before_ms=before_ms, limit=PRUNED_AT_ONCE)
