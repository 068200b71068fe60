"""What the worker of decisions does: slots as they come, what was left behind, conditions at every tick."""

from collections.abc import Sequence

from pump_party.domains.aitrading.outside import OutsideRuns
from pump_party.domains.aitrading.parts import Parts, Plans
from pump_party.domains.aitrading.private import sealed_conditions
from pump_party.domains.aitrading.retention import KeptDays, Retention
from pump_party.domains.aitrading.runs import Runs
from pump_party.domains.aitrading.slot_runs import SlotRuns
from pump_party.domains.aitrading.store import RunTaken
from pump_party.domains.aitrading.unreadable import Told, concerns_one
from pump_party.domains.aitrading.watch import ConditionWatch
from pump_party.domains.marketdata.contract import Quote
from pump_party.kernel.errors import Conflict, Refusal, Unavailable
from pump_party.platform.jobs import Job

LEASE_MS = 90_000
"""Longer than any slot takes. A worker that takes over does not wait for it."""

RUN_TAKEN = "run_taken"
SLOTS_AT_ONCE = 5
"""One of every cadence."""


class DecisionWork:
    """For the one worker that leads. Synchronous; slots may be worked off in several threads at once."""

    def __init__(self, parts: Parts, plans: Plans, runs: Runs, kept: KeptDays) -> None:
        self._parts = parts
        self._runs = runs
        self._slots = SlotRuns(parts, plans, runs)
        self.prune = Retention(parts, kept).prune
        self._watch = ConditionWatch(parts, runs, OutsideRuns(parts, plans, runs))

    def prepare(self) -> None:
        """Load what asking models needs. Takes seconds where a model is offered, nothing else."""
        self._parts.models.prepare()

    def take_over(self) -> int:
        """Bring to their end what a worker before left undone. Returns how many runs that were.

        Raises Unavailable when another worker is still at them: try again.
        """
        self._parts.store.free_slots()
        try:
            taken = self._runs.take_up()
        except RunTaken as error:
            raise Unavailable("another worker is at the runs it began", code=RUN_TAKEN) from error
        self._seal_conditions()
        self._watch.reload()
        return taken

    def _seal_conditions(self) -> None:
        """Those that an earlier release left in the clear. One that cannot be sealed stays as it is, and in force."""
        left = []
        for deployment in self._parts.store.unsealed():
            try:
                self._parts.store.seal(deployment.deployment_id, sealed_conditions(self._parts.clones, deployment))
            except Refusal as refusal:
                if not concerns_one(refusal):
                    raise
                left.append(deployment.clone_id)
        Told(self._parts.metrics).tell(left)

    def due_slots(self) -> Sequence[Job]:
        """Claim the slots whose time has come."""
        now_ms = self._parts.clock.now_ms()
        return self._parts.store.claim_slots(now_ms=now_ms, lease_ms=LEASE_MS, limit=SLOTS_AT_ONCE)

    def work_off(self, job: Job) -> int:
        """Bring every run of a slot to its end. Returns how many clones it had. Raises a Refusal: it is due again."""
        try:
            return self._slots.work_off(job)
        except RunTaken as taken:
            self._again(job, RUN_TAKEN)
            raise Conflict("another worker is at this slot", code=RUN_TAKEN) from taken
        except Refusal as refusal:
            self._again(job, refusal.code)
            raise

    def _again(self, job: Job, code: str) -> None:
        self._parts.store.retry_slot(job, error=code, now_ms=self._parts.clock.now_ms())

    def reload_conditions(self) -> int:
        """Look which conditions are in force. Returns how many."""
        return self._watch.reload()

    def take_ticks(self, quotes: Sequence[Quote]) -> int:
        """Give up positions whose condition admitted ticks have made true. Returns how many clones did."""
        return self._watch.take_ticks(quotes)
