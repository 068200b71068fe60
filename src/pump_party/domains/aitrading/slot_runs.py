"""Work off a slot: every running clone of a cadence decides on the same moment, those with rules in one pass."""

from collections.abc import Mapping, Sequence

import msgspec

from pump_party.domains.aitrading.artifacts import Artifact
from pump_party.domains.aitrading.asking import Asker, prompt_body
from pump_party.domains.aitrading.model import Plan, Seen
from pump_party.domains.aitrading.parts import Parts, Plans
from pump_party.domains.aitrading.private import Opened, conditions_of
from pump_party.domains.aitrading.records import Deployment, Run, RunSource
from pump_party.domains.aitrading.run_views import FailureCode, RunState
from pump_party.domains.aitrading.runs import Runs, Underway, decided_run, ended, mids_of, unreadable
from pump_party.domains.aitrading.scene import Scene, seen_by, unwatched
from pump_party.domains.aitrading.slots import deadline_ms, next_slot_ms, read_job_key, run_id
from pump_party.domains.aitrading.store import NextSlot
from pump_party.domains.aitrading.unreadable import StrategyUnreadable, concerns_one, conditions_detail
from pump_party.domains.marketdata.contract import MarketSnapshot
from pump_party.domains.prop_interface.contract import AccountSituation
from pump_party.kernel.errors import Refusal
from pump_party.kernel.ids import Market, VersionId
from pump_party.platform.jobs import Job
from pump_party.platform.logging import get_logger

log = get_logger("decisions")


class SlotRuns:
    """One slot at a time per cadence; slots of several cadences may be worked off at once."""

    def __init__(self, parts: Parts, plans: Plans, runs: Runs) -> None:
        self._parts = parts
        self._plans = plans
        self._runs = runs

    def work_off(self, job: Job) -> int:
        """Bring every run of the slot to its end. Returns how many clones it had. Safe to repeat.

        Raises Unavailable when the database is away: then the job is tried again.
        """
        cadence_s, slot_ms = read_job_key(job.key)
        parts = self._parts
        running = parts.store.running(cadence_s, slot_ms=slot_ms)
        known = parts.store.runs_of_slot([d.deployment_id for d in running], slot_ms)
        decided = {run.deployment_id for run in known if run.source is RunSource.SLOT}
        fresh = [deployment for deployment in running if deployment.deployment_id not in decided]
        now_ms = parts.clock.now_ms()
        following = NextSlot(cadence_s, next_slot_ms(max(now_ms, slot_ms), cadence_s)) if running else None
        self._decide(fresh, slot_ms=slot_ms, deadline=deadline_ms(slot_ms, cadence_s), following=following)
        self._runs.go_on([run for run in known if not run.is_final])
        self._runs.record(done=job)
        log.info(
            "slot_done",
            cadence_s=cadence_s,
            slot_ms=slot_ms,
            clones=len(fresh),
            taken_up=len(running) - len(fresh),
            lag_ms=now_ms - slot_ms,
            duration_ms=parts.clock.now_ms() - now_ms,
        )
        return len(running)

    def _decide(self, fresh: Sequence[Deployment], *, slot_ms: int, deadline: int, following: NextSlot | None) -> None:
        parts = self._parts
        now_ms = parts.clock.now_ms()
        blank = [_blank(d, slot_ms=slot_ms, deadline=deadline, now_ms=now_ms) for d in fresh]
        if now_ms > deadline:
            late = [ended(run, RunState.LATE, now_ms=now_ms) for run in blank]
            self._runs.record(begun=late, next_slot=following)
            return
        decided, underway = self._pass(fresh, blank)
        begun = self._runs.shut(decided)
        calls = [call for one in underway for call in self._runs.calls(Asker.of(one.run), self._runs.asks(one))]
        refused = self._runs.record(begun=begun, reserved_calls=calls, next_slot=following)
        over = {call.run_id for call in refused}
        self._runs.submit(begun)
        if over:
            code = FailureCode.BUDGET_EXHAUSTED.value
            at_ms = parts.clock.now_ms()
            broke = [one.run for one in underway if one.run.run_id in over]
            self._runs.record(moved=[ended(run, RunState.FAILED, code=code, now_ms=at_ms) for run in broke])
        self._runs.ask([one for one in underway if one.run.run_id not in over])

    def _pass(self, fresh: Sequence[Deployment], blank: Sequence[Run]) -> tuple[list[Run], list[Underway]]:
        """Every clone decides, or is made ready to be asked for. What it saw is kept before what it decided is."""
        parts = self._parts
        plans = {version_id: self._plan(version_id) for version_id in {d.version_id for d in fresh}}
        markets = {market for plan in plans.values() if isinstance(plan, Plan) for market in plan.limits.markets}
        scene = Scene(parts.memory, parts.quotes, sorted(markets))
        situations = parts.fleet.situations([d.account_id for d in fresh])
        opened = conditions_of(parts.clones, fresh)
        begun: list[Run | Underway] = []
        artifacts: list[Artifact] = []
        for deployment, run in zip(fresh, blank, strict=True):
            plan, situation = plans[deployment.version_id], situations.get(deployment.account_id)
            try:
                begun.append(self._one(deployment, plan, opened, run, scene, situation, artifacts))
            except Refusal as refusal:
                if not concerns_one(refusal):
                    raise
                begun.append(ended(run, RunState.FAILED, code=refusal.code, now_ms=parts.clock.now_ms()))
        return self._kept(begun, artifacts, scene.sha256())

    def _kept(
        self, begun: Sequence[Run | Underway], artifacts: Sequence[Artifact], snapshot_sha256: str
    ) -> tuple[list[Run], list[Underway]]:
        """All runs, and those on their way; one of which nothing can be sealed is not."""
        lost = self._runs.keep(artifacts)
        now_ms = self._parts.clock.now_ms()
        runs: list[Run] = []
        underway: list[Underway] = []
        for one in begun:
            run = one.run if isinstance(one, Underway) else one
            run = msgspec.structs.replace(run, snapshot_sha256=snapshot_sha256)
            if run.run_id in lost:
                nothing = {"context_sha256": None, "prompt_sha256": None, "model": None}
                run = unreadable(msgspec.structs.replace(run, **nothing), None, now_ms=now_ms)
            elif isinstance(one, Underway):
                underway.append(msgspec.structs.replace(one, run=run))
            runs.append(run)
        return runs, underway

    def _plan(self, version_id: VersionId) -> Plan | Refusal:
        try:
            return self._plans.of(version_id)
        except Refusal as refusal:
            if not concerns_one(refusal):
                raise
            return refusal

    def _one(
        self,
        deployment: Deployment,
        plan: Plan | Refusal,
        opened: Opened,
        run: Run,
        scene: Scene,
        situation: AccountSituation | None,
        artifacts: list[Artifact],
    ) -> Run | Underway:
        """Decide, or make ready to be asked for; what is to be kept of it is added to the artifacts."""
        parts = self._parts
        now_ms = parts.clock.now_ms()
        snapshots = {} if isinstance(plan, Refusal) else scene.snapshots(plan)
        failed = _failed(deployment, plan, opened, snapshots, situation)
        if failed is not None:
            return ended(run, RunState.FAILED, code=failed[0], detail=failed[1], now_ms=now_ms)
        assert isinstance(plan, Plan)
        assert situation is not None
        seen = seen_by(
            deployment,
            opened,
            situation,
            snapshots,
            scene.quotes,
            slot_ms=run.slot_ms,
            deadline_ms=run.deadline_ms,
            now_ms=now_ms,
        )
        run = msgspec.structs.replace(run, account_seq=situation.account.seq)
        if plan.needs_model:
            return self._questioned(run, plan, seen, artifacts)
        decided = parts.decider.decide(plan, seen)
        assert decided.context is not None
        artifacts.append(Artifact(run.run_id, run.clone_id, decided.context.sha256, decided.context.body))
        run = msgspec.structs.replace(run, context_sha256=decided.context.sha256)
        return decided_run(run, decided, mids_of(seen), now_ms=parts.clock.now_ms())

    def _questioned(self, run: Run, plan: Plan, seen: Seen, artifacts: list[Artifact]) -> Underway:
        parts = self._parts
        context = parts.decider.context(plan, seen)
        questions = parts.decider.questions(plan, seen, budget_tokens=parts.prompt_tokens_max)
        prompt = Artifact.of(run, prompt_body(questions))
        artifacts += [Artifact(run.run_id, run.clone_id, context.sha256, context.body), prompt]
        run = msgspec.structs.replace(
            run,
            state=RunState.CONTEXTED,
            context_sha256=context.sha256,
            prompt_sha256=prompt.sha256,
            model=plan.model,
        )
        return Underway(run, plan, seen, questions)


def _failed(
    deployment: Deployment,
    plan: Plan | Refusal,
    opened: Opened,
    snapshots: Mapping[Market, MarketSnapshot],
    situation: AccountSituation | None,
) -> tuple[str, str | None] | None:
    """Why a clone cannot decide, as code and detail, before it has looked at anything."""
    if isinstance(plan, StrategyUnreadable):
        return plan.code, plan.detail
    if isinstance(plan, Refusal):
        return plan.code, None
    if situation is None:
        return "account_not_found", None
    if not snapshots:
        return FailureCode.MARKET_HALTED.value, None
    shut = unwatched(deployment, opened, situation)
    return (FailureCode.CONDITIONS_UNREADABLE.value, conditions_detail(shut)) if shut else None


def _blank(deployment: Deployment, *, slot_ms: int, deadline: int, now_ms: int) -> Run:
    return Run(
        run_id(deployment.deployment_id, slot_ms, "slot"),
        deployment.deployment_id,
        deployment.clone_id,
        deployment.user_id,
        deployment.account_id,
        deployment.version_id,
        deployment.version,
        RunSource.SLOT,
        slot_ms,
        deadline,
        RunState.CLAIMED,
        now_ms,
    )
