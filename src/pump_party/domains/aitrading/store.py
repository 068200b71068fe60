"""What AI trading must remember, as transactions. `db/aitrading.py` implements it."""

from collections.abc import Callable, Mapping, Sequence
from typing import Protocol

import msgspec

from pump_party.domains.aitrading.budget import BudgetLimits, Spent
from pump_party.domains.aitrading.records import Call, Deployment, HeldCondition, Run
from pump_party.domains.aitrading.run_views import DeploymentState
from pump_party.kernel.ids import CloneId, DeploymentId, RunId, VersionId
from pump_party.platform.jobs import Job
from pump_party.platform.outbox import OutboxMessage


class NextSlot(msgspec.Struct, frozen=True):
    """A slot that is to be worked off at its time; storing it twice is storing it once."""

    cadence_s: int
    slot_ms: int


class Resumed(msgspec.Struct, frozen=True):
    """What a deployment that runs again goes on with."""

    version_id: VersionId
    version: int
    cadence_s: int
    at_ms: int
    next_slot: NextSlot


class RunTaken(Exception):
    """A run of the batch is further than the caller knew: another worker came first. Nothing was written."""


class Step(msgspec.Struct):
    """Everything one transaction writes.

    `begun` are new runs, `moved` are known ones; those among them that are final change their deployments and tell
    listeners. `reserved` calls are refused where a budget is used up; `settled` ones give back what they did not take.
    """

    begun: Sequence[Run] = ()
    moved: Sequence[Run] = ()
    reserved: Sequence[Call] = ()
    settled: Sequence[Call] = ()
    done: Job | None = None
    next_slot: NextSlot | None = None


Announce = Callable[[Run, Sequence[Call]], OutboxMessage]
"""The event of a run that has ended, with the calls it made. The store numbers it."""


class AITradingStore(Protocol):
    def deploy(
        self, deployment: Deployment, *, deploy_key: str, next_slot: NextSlot, told: OutboxMessage
    ) -> Deployment:
        """Store it and tell listeners, or return the one of the same clone and key.

        The store numbers what is told. Raises Conflict (already_deployed).
        """
        ...

    def set_state(
        self,
        deployment_id: DeploymentId,
        *,
        state: DeploymentState,
        before: Sequence[DeploymentState],
        told: OutboxMessage,
        resumed: Resumed | None = None,
    ) -> bool:
        """Change a state that is one of `before` and tell listeners, else return False."""
        ...

    def newest_deployment(self, clone_id: str) -> Deployment | None: ...

    def newest_deployments(self, clone_ids: Sequence[CloneId]) -> Mapping[CloneId, Deployment]: ...

    def deployed_before(self, clone_id: str, deploy_key: str) -> Deployment | None: ...

    def running(self, cadence_s: int, *, slot_ms: int) -> Sequence[Deployment]:
        """Those that ran when the slot came, in the order of their ids."""
        ...

    def deployments(self, ids: Sequence[DeploymentId]) -> Mapping[DeploymentId, Deployment]: ...

    def guarded(self) -> Sequence[Deployment]:
        """Those that are not stopped and have a condition in force."""
        ...

    def unsealed(self) -> Sequence[Deployment]:
        """Those that an earlier release left with a condition in the clear."""
        ...

    def seal(self, deployment_id: DeploymentId, shut: Mapping[HeldCondition, HeldCondition]) -> None:
        """Put conditions in the place of others; those that are there no more stay away."""
        ...

    def runs_of_slot(self, deployment_ids: Sequence[DeploymentId], slot_ms: int) -> Sequence[Run]: ...

    def unfinished(self, *, limit: int) -> Sequence[Run]:
        """Runs that some process began and nobody ended, oldest first."""
        ...

    def run(self, run_id: str) -> Run | None: ...

    def run_by_key(self, clone_id: str, run_key: str) -> Run | None: ...

    def runs(self, clone_id: str, *, before: RunId | None, limit: int) -> Sequence[Run]:
        """Newest first, from before a run."""
        ...

    def calls(self, run_ids: Sequence[str]) -> Mapping[str, Sequence[Call]]:
        """The settled model calls of each run."""
        ...

    def calls_of_day(self, clone_id: CloneId, day: int) -> Sequence[Call]: ...

    def count_runs(self, clone_id: CloneId, *, from_ms: int, to_ms: int) -> int: ...

    def spent(self, day: int, scope: str, subject: str) -> Spent:
        """What is used up or reserved of a budget."""
        ...

    def record(self, step: Step, *, limits: BudgetLimits, announce: Announce) -> Sequence[Call]:
        """Write a step in one transaction. Returns the calls that no budget allows: they are not reserved.

        Raises RunTaken, and LeaseLost when the job is another worker's now.
        """
        ...

    def old_runs(self, rule_sets: Sequence[str], before_ms: int, *, limit: int) -> Sequence[Run]:
        """Runs that have ended, of slots before a time, on accounts under one of these rule sets; the oldest first."""
        ...

    def delete_runs(self, run_ids: Sequence[RunId]) -> None:
        """With their calls to models."""
        ...

    def prune_calls(self, before_ms: int, *, limit: int) -> int:
        """Delete calls that no run made, such as those of dry runs, and budgets of days before. Returns how many."""
        ...

    def claim_slots(self, *, now_ms: int, lease_ms: int, limit: int) -> Sequence[Job]: ...

    def free_slots(self) -> None:
        """Take back what a leader that is gone had leased."""
        ...

    def retry_slot(self, job: Job, *, error: str, now_ms: int) -> None: ...
