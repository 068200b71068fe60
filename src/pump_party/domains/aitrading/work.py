"""What the worker of decisions does: slots as they come, what was left behind, conditions at every tick."""

from collections.abc import Sequence

from pump_party.domains.aitrading.outside import OutsideRuns
from pump_party.domains.aitrading.parts import Parts, Plans
from pump_party.domains.aitrading.runs import Runs
from pump_party.domains.aitrading.slot_runs import SlotRuns
from pump_party.domains.aitrading.watch import ConditionWatch
from pump_party.domains.marketdata.contract import Quote
from pump_party.kernel.errors import Refusal
from pump_party.platform.jobs import Job

LEASE_MS = 90_000
"""Longer than any slot takes. A worker that takes over does not wait for it."""

SLOTS_AT_ONCE = 5
"""One of every cadence."""


class DecisionWork:
    """Implements `contract.DecisionWork`."""

    def __init__(self, parts: Parts, plans: Plans, runs: Runs) -> None:
        self._parts = parts
        self._runs = runs
        self._slots = SlotRuns(parts, plans, runs)
        self._watch = ConditionWatch(parts, runs, OutsideRuns(parts, plans, runs))

    def prepare(self) -> None:
        self._parts.models.prepare()

    def take_over(self) -> int:
        self._parts.store.free_slots()
        taken = self._runs.take_up()
        self._watch.reload()
        return taken

    def due_slots(self) -> Sequence[Job]:
        now_ms = self._parts.clock.now_ms()
        return self._parts.store.claim_slots(now_ms=now_ms, lease_ms=LEASE_MS, limit=SLOTS_AT_ONCE)

    def work_off(self, job: Job) -> int:
        try:
            return self._slots.work_off(job)
        except Refusal as refusal:
            self._parts.store.retry_slot(job, error=refusal.code, now_ms=self._parts.clock.now_ms())
            raise

    def reload_conditions(self) -> int:
        return self._watch.reload()

    def take_ticks(self, quotes: Sequence[Quote]) -> int:
        return self._watch.take_ticks(quotes)
