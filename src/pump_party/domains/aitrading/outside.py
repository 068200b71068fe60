"""Decisions of programs outside: proposals through the same gates, limits and evidence as a clone's own."""

from collections.abc import Sequence

import msgspec

from pump_party.domains.aitrading.artifacts import Artifact
from pump_party.domains.aitrading.commands import PROPOSALS_MAX, SubmitProposals
from pump_party.domains.aitrading.model import REASON_CHARS_MAX, Proposal, Seen
from pump_party.domains.aitrading.parts import Parts, Plans
from pump_party.domains.aitrading.presenting import owner_run
from pump_party.domains.aitrading.private import conditions_of, opened, sealed
from pump_party.domains.aitrading.proposal import hides_something
from pump_party.domains.aitrading.records import Deployment, Run, RunSource
from pump_party.domains.aitrading.run_views import DeploymentState, OutsideRunView, RunState
from pump_party.domains.aitrading.runs import Runs, decided_run, mids_of, unreadable
from pump_party.domains.aitrading.scene import Scene, seen_by
from pump_party.domains.aitrading.store import RunTaken
from pump_party.domains.aitrading.unreadable import concerns_one
from pump_party.kernel.errors import Conflict, IdempotencyMismatch, Invalid, Refusal
from pump_party.kernel.ids import RunId

RUN_KEY_CHARS_MAX = 80
DEADLINE_MS = 5_000
"""After the request was taken: what a crash left undone for longer is not done any more."""


class OutsideRuns:
    def __init__(self, parts: Parts, plans: Plans, runs: Runs) -> None:
        self._parts = parts
        self._plans = plans
        self._runs = runs

    def submit(self, command: SubmitProposals, deployment: Deployment) -> OutsideRunView:
        """Raises Conflict (not_running), Invalid, IdempotencyMismatch for a key of other proposals."""
        _check(command)
        run = self._known(command)
        if run is None:
            if deployment.state is not DeploymentState.RUNNING:
                raise Conflict("this clone is not running", code="not_running")
            try:
                run = self.decide(deployment, command.proposals, RunSource.OUTSIDE, command.run_key)
            except RunTaken:
                run = self._known(command)
        assert run is not None
        if run.body.proposals != command.proposals:
            raise IdempotencyMismatch
        if not run.is_final:
            self._runs.go_on([run])
        ended = self._known(command)
        assert ended is not None
        orders = [self._parts.prop.order(run.user_id, run.account_id, order_id) for _, order_id in ended.body.orders]
        return OutsideRunView(owner_run(ended, ()), tuple(orders))

    def _known(self, command: SubmitProposals) -> Run | None:
        run = self._parts.store.run_by_key(command.clone_id, command.run_key)
        return None if run is None else opened(self._parts.clones, [run])[0]

    def decide(
        self, deployment: Deployment, proposals: Sequence[Proposal], source: RunSource, run_key: str | None
    ) -> Run:
        """Gate, size and record what somebody else than the strategy wants now. Not yet submitted.

        A condition that cannot be opened does not stand in its way: to close the position is how to be rid of it.
        Raises RunTaken; StrategyUnreadable, Unreadable where nothing of the clone can be opened or sealed.
        """
        parts, plan = self._parts, self._plans.of(deployment.version_id)
        scene = Scene(parts.memory, parts.quotes, sorted(plan.limits.markets))
        snapshots = scene.snapshots(plan)
        situation = parts.fleet.situations([deployment.account_id])[deployment.account_id]
        now_ms = parts.clock.now_ms()
        seen: Seen = seen_by(
            deployment,
            conditions_of(parts.clones, [deployment]),
            situation,
            snapshots,
            scene.quotes,
            slot_ms=now_ms,
            deadline_ms=now_ms + DEADLINE_MS,
            now_ms=now_ms,
        )
        decided = parts.decider.conclude(plan, seen, proposals)
        assert decided.context is not None
        run = msgspec.structs.replace(
            _blank(RunId(parts.ids.new()), deployment, source, now_ms=now_ms),
            account_seq=situation.account.seq,
            snapshot_sha256=scene.sha256(),
            context_sha256=decided.context.sha256,
            run_key=run_key,
        )
        parts.artifacts.put([Artifact.of(run, decided.context.body)])
        run = decided_run(run, decided, mids_of(seen), now_ms=now_ms)
        self._runs.record(begun=sealed(parts.clones, [run]))
        return run

    def give_up(self, deployment: Deployment, proposals: Sequence[Proposal]) -> Run:
        """The same for positions whose condition came true. Where nothing of the clone can be sealed it has failed."""
        parts = self._parts
        try:
            return self.decide(deployment, proposals, RunSource.INVALIDATION, None)
        except Refusal as refusal:
            if not concerns_one(refusal):
                raise
            now_ms = parts.clock.now_ms()
            begun = _blank(RunId(parts.ids.new()), deployment, RunSource.INVALIDATION, now_ms=now_ms)
            failed = unreadable(begun, refusal, now_ms=now_ms)
        self._runs.record(begun=[failed])
        return failed


def _blank(run_id: RunId, deployment: Deployment, source: RunSource, *, now_ms: int) -> Run:
    return Run(
        run_id,
        deployment.deployment_id,
        deployment.clone_id,
        deployment.user_id,
        deployment.account_id,
        deployment.version_id,
        deployment.version,
        source,
        now_ms,
        now_ms + DEADLINE_MS,
        RunState.CLAIMED,
        now_ms,
    )


def _check(command: SubmitProposals) -> None:
    if not 1 <= len(command.run_key) <= RUN_KEY_CHARS_MAX:
        raise Invalid(f"must have 1 to {RUN_KEY_CHARS_MAX} characters", field="run_key")
    if not 1 <= len(command.proposals) <= PROPOSALS_MAX:
        raise Invalid(f"must be 1 to {PROPOSALS_MAX} proposals", field="proposals")
    markets = [one.market for one in command.proposals]
    if len(set(markets)) != len(markets):
        raise Invalid("must be about different markets", field="proposals")
    if any(len(one.reason) > REASON_CHARS_MAX or hides_something(one.reason) for one in command.proposals):
        problem = f"a reason must have at most {REASON_CHARS_MAX} characters that all show"
        raise Invalid(problem, code="bad_reason", field="proposals")
