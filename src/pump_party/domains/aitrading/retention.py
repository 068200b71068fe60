"""What of decisions is kept, and for how long. What an account did is in its ledger and is never deleted."""

from collections.abc import Callable
from dataclasses import dataclass

from pump_party.domains.aitrading.parts import Parts
from pump_party.domains.aitrading.slots import DAY_MS

FOR_EVER = 0
RUNS_AT_ONCE = 200
"""Decisions that one step deletes."""


@dataclass(frozen=True, kw_only=True)
class KeptDays:
    """Days; FOR_EVER deletes nothing.

    `contest_decisions` are those on accounts under rules that a contest admits: whoever judges or verifies one, also
    long after its end, needs what its clones saw and were answered.
    """

    decisions: int
    contest_decisions: int


class Retention:
    """Deletes what is older than it is kept. Several at once are harmless."""

    def __init__(self, parts: Parts, kept: KeptDays) -> None:
        self._parts = parts
        self._kept = kept

    def prune(self) -> int:
        """Delete a bounded batch. Returns how many rows went: call again until it is 0. Raises Unavailable."""
        admitted = [rules.name for rules in self._parts.prop.rule_sets() if rules.contest_eligible]
        others = [rules.name for rules in self._parts.prop.rule_sets() if not rules.contest_eligible]
        store = self._parts.store
        return (
            self._since(self._kept.decisions, lambda before_ms: self._prune_runs(others, before_ms))
            + self._since(self._kept.contest_decisions, lambda before_ms: self._prune_runs(admitted, before_ms))
            + self._since(self._kept.decisions, lambda before_ms: store.prune_calls(before_ms, limit=RUNS_AT_ONCE))
        )

    def _since(self, days: int, prune: Callable[[int], int]) -> int:
        return 0 if days == FOR_EVER else prune(self._parts.clock.now_ms() - days * DAY_MS)

    def _prune_runs(self, rule_sets: list[str], before_ms: int) -> int:
        """Artifacts first: a run that is left without them is found and deleted by the next attempt."""
        old = self._parts.store.old_runs(rule_sets, before_ms, limit=RUNS_AT_ONCE)
        for run in old:
            named = (run.context_sha256, run.prompt_sha256, run.answer_sha256)
            self._parts.artifacts.delete(run.run_id, [sha256 for sha256 in named if sha256 is not None])
        self._parts.store.delete_runs([run.run_id for run in old])
        return len(old)
