"""The shell of AI trading: what owners, outside programs and pages may ask of it."""

from collections.abc import Mapping, Sequence
from hashlib import sha256

from msgspec.structs import replace

from pump_party.domains.aitrading import presenting
from pump_party.domains.aitrading.budget import CLONE, Budget
from pump_party.domains.aitrading.commands import DeployClone, DryRun, Replay, SubmitProposals
from pump_party.domains.aitrading.counterfactual import Venues
from pump_party.domains.aitrading.outside import OutsideRuns
from pump_party.domains.aitrading.parts import Parts, Plans
from pump_party.domains.aitrading.private import conditions_of, opened_each
from pump_party.domains.aitrading.records import Call, Deployment, Run
from pump_party.domains.aitrading.rehearsal import Rehearsals
from pump_party.domains.aitrading.run_views import (
    ArtifactKind,
    ArtifactView,
    DeploymentState,
    DeploymentView,
    DryRunView,
    ModelUsageView,
    OutsideRunView,
    PublicDeploymentView,
    ReplayView,
    RunPage,
    RunView,
    UsageView,
)
from pump_party.domains.aitrading.runs import Runs
from pump_party.domains.aitrading.scene import unwatched
from pump_party.domains.aitrading.slots import DAY_MS, next_slot_ms
from pump_party.domains.aitrading.store import NextSlot, Resumed
from pump_party.domains.clones.contract import StrategyVersion
from pump_party.domains.prop_interface.contract import PAGE_LIMIT_MAX, AccountKind, AccountStatus, OpenAccount
from pump_party.kernel.errors import Conflict, Invalid, NotFound, Refusal, Unavailable
from pump_party.kernel.ids import AccountId, CloneId, DeploymentId, Market, RunId, UserId, is_uuid

DEPLOY_KEY_CHARS_MAX = 80


class AITradingService:
    """Implements `contract.AITrading`."""

    def __init__(self, parts: Parts, plans: Plans, runs: Runs, venues: Venues) -> None:
        self._parts = parts
        self._plans = plans
        self._runs = runs
        self._outside = OutsideRuns(parts, plans, runs)
        self._rehearsals = Rehearsals(parts, plans, runs, venues)

    # --- deployments ---

    def deploy(self, command: DeployClone) -> DeploymentView:
        parts = self._parts
        self._require_owner(command.user_id, command.clone_id)
        if not 1 <= len(command.idempotency_key) <= DEPLOY_KEY_CHARS_MAX:
            raise Invalid(f"must have 1 to {DEPLOY_KEY_CHARS_MAX} characters", field="Idempotency-Key")
        earlier = parts.store.deployed_before(command.clone_id, command.idempotency_key)
        if earlier is not None:
            return self._view(earlier)
        newest = parts.store.newest_deployment(command.clone_id)
        if newest is not None and newest.state is not DeploymentState.STOPPED:
            raise Conflict("this clone trades already; stop it first", code="already_deployed")
        version = parts.clones.current_version(command.clone_id)
        self._require_model(version)
        # The account's key follows from the request: a crash before the deployment is stored opens no second one.
        key = sha256(f"{command.clone_id}|{command.idempotency_key}".encode()).hexdigest()[:32]
        account = parts.prop.open_account(
            OpenAccount(command.user_id, AccountKind.CLONE, f"clone:{key}", command.rule_set)
        )
        now_ms = parts.clock.now_ms()
        deployment = Deployment(
            DeploymentId(parts.ids.new()),
            command.clone_id,
            command.user_id,
            account.account_id,
            account.rule_set,
            version.version_id,
            version.number,
            version.cadence_s,
            DeploymentState.RUNNING,
            now_ms,
            now_ms,
        )
        following = NextSlot(version.cadence_s, next_slot_ms(now_ms, version.cadence_s))
        told = presenting.announce_deployment(deployment, at_ms=now_ms)
        stored = parts.store.deploy(deployment, deploy_key=command.idempotency_key, next_slot=following, told=told)
        parts.notify()
        return self._view(stored)

    def pause(self, user_id: UserId, clone_id: str) -> DeploymentView:
        deployment = self._own_deployment(user_id, clone_id)
        if not self._set_state(deployment, DeploymentState.PAUSED, before=[DeploymentState.RUNNING]):
            raise Conflict("this clone is not running", code="not_running")
        return self._view(self._own_deployment(user_id, clone_id))

    def resume(self, user_id: UserId, clone_id: str) -> DeploymentView:
        deployment = self._own_deployment(user_id, clone_id)
        version = self._parts.clones.current_version(clone_id)
        self._require_model(version)
        now_ms = self._parts.clock.now_ms()
        following = NextSlot(version.cadence_s, next_slot_ms(now_ms, version.cadence_s))
        resumed = Resumed(version.version_id, version.number, version.cadence_s, now_ms, following)
        if not self._set_state(deployment, DeploymentState.RUNNING, before=[DeploymentState.PAUSED], resumed=resumed):
            raise Conflict("this clone is not paused", code="not_paused")
        return self._view(self._own_deployment(user_id, clone_id))

    def stop(self, user_id: UserId, clone_id: str) -> DeploymentView:
        deployment = self._own_deployment(user_id, clone_id)
        active = [DeploymentState.RUNNING, DeploymentState.PAUSED]
        self._set_state(deployment, DeploymentState.STOPPED, before=active)
        return self._view(self._own_deployment(user_id, clone_id))

    def _set_state(
        self,
        deployment: Deployment,
        state: DeploymentState,
        *,
        before: Sequence[DeploymentState],
        resumed: Resumed | None = None,
    ) -> bool:
        """Whether it was one of `before`; then listeners are told."""
        changed = replace(deployment, state=state)
        if resumed is not None:
            changed = replace(changed, version=resumed.version, cadence_s=resumed.cadence_s)
        told = presenting.announce_deployment(changed, at_ms=self._parts.clock.now_ms())
        is_changed = self._parts.store.set_state(
            deployment.deployment_id, state=state, before=before, told=told, resumed=resumed
        )
        if is_changed:
            self._parts.notify()
        return is_changed

    def deployment(self, clone_id: str, *, viewer: UserId | None) -> DeploymentView | PublicDeploymentView:
        self._parts.clones.owner_of(clone_id)
        deployment = self._deployed(clone_id)
        if viewer == deployment.user_id:
            return self._view(deployment)
        return self._public_views([deployment])[deployment.clone_id]

    def deployments(self, clone_ids: Sequence[CloneId]) -> Mapping[CloneId, PublicDeploymentView]:
        return self._public_views(list(self._parts.store.newest_deployments(clone_ids).values()))

    def own_deployments(self, user_id: UserId, clone_ids: Sequence[CloneId]) -> Mapping[CloneId, DeploymentView]:
        newest = self._parts.store.newest_deployments(clone_ids)
        return self._views([one for one in newest.values() if one.user_id == user_id])

    def accounts(self, clone_ids: Sequence[CloneId]) -> Mapping[CloneId, AccountId]:
        newest = self._parts.store.newest_deployments(clone_ids)
        return {clone_id: deployment.account_id for clone_id, deployment in newest.items()}

    # --- what was decided ---

    def decisions(self, clone_id: str, *, viewer: UserId | None, cursor: str | None, limit: int) -> RunPage:
        owner = self._parts.clones.owner_of(clone_id)
        if not 1 <= limit <= PAGE_LIMIT_MAX:
            raise Invalid(f"must be 1 to {PAGE_LIMIT_MAX}", code="bad_limit", field="limit")
        if cursor is not None and not is_uuid(cursor):
            raise Invalid("is not a cursor of this list", code="bad_cursor", field="cursor")
        before = None if cursor is None else RunId(cursor)
        found = self._parts.store.runs(clone_id, before=before, limit=limit + 1)
        page = found[:limit]
        views = self._own_views(page) if viewer == owner else [presenting.public_run(run) for run in page]
        return RunPage(tuple(views), page[-1].run_id if len(found) > limit else None)

    def decision(self, run_id: str, *, viewer: UserId | None) -> RunView:
        run = self._run(run_id)
        return self._own_views([run])[0] if viewer == run.user_id else presenting.public_run(run)

    def artifact(self, user_id: UserId, run_id: str, kind: ArtifactKind) -> ArtifactView:
        run = self._own_run(user_id, run_id)
        hashes = {
            ArtifactKind.CONTEXT: run.context_sha256,
            ArtifactKind.PROMPT: run.prompt_sha256,
            ArtifactKind.ANSWER: run.answer_sha256,
        }
        wanted = hashes[kind]
        if wanted is None:
            raise NotFound(f"this run has no {kind.value}", code="artifact_not_found")
        try:
            return ArtifactView(kind, wanted, self._parts.artifacts.get(run, wanted))
        except NotFound as error:
            raise NotFound(f"the {kind.value} of this run is gone", code="artifact_not_found") from error

    def models(self) -> Sequence[str]:
        return self._parts.models.offered()

    def usage(self, user_id: UserId, clone_id: str) -> UsageView:
        self._require_owner(user_id, clone_id)
        store, own = self._parts.store, CloneId(clone_id)
        day = self._parts.clock.now_ms() // DAY_MS
        from_ms, to_ms = day * DAY_MS, (day + 1) * DAY_MS
        calls = store.calls_of_day(own, day)
        spent = store.spent(day, CLONE, clone_id)
        budget: Budget = self._parts.limits.clone
        models = sorted({call.model for call in calls})
        return UsageView(
            clone_id=own,
            from_ms=from_ms,
            to_ms=to_ms,
            runs=store.count_runs(own, from_ms=from_ms, to_ms=to_ms),
            models=tuple(_model_usage(model, [c for c in calls if c.model == model]) for model in models),
            spent_micros=spent.micros,
            budget_micros=budget.micros,
            left_micros=max(0, budget.micros - spent.micros),
        )

    # --- deciding on demand ---

    def submit_actions(self, command: SubmitProposals) -> OutsideRunView:
        deployment = self._own_deployment(command.user_id, command.clone_id)
        return self._outside.submit(command, deployment)

    def dry_run(self, command: DryRun) -> DryRunView:
        self._require_owner(command.user_id, command.clone_id)
        return self._rehearsals.dry_run(command)

    def replay(self, command: Replay) -> ReplayView:
        run = self._own_run(command.user_id, command.run_id)
        (opened,) = opened_each(self._parts.clones, [run])
        if isinstance(opened, Refusal):
            return self._rehearsals.replay(command, run, unreadable=True)
        return self._rehearsals.replay(command, opened, unreadable=False)

    # --- who may ---

    def _require_owner(self, user_id: UserId, clone_id: str) -> None:
        if self._parts.clones.owner_of(clone_id) != user_id:
            raise NotFound("no such clone", code="clone_not_found")

    def _own_deployment(self, user_id: UserId, clone_id: str) -> Deployment:
        self._require_owner(user_id, clone_id)
        return self._deployed(clone_id)

    def _deployed(self, clone_id: str) -> Deployment:
        deployment = self._parts.store.newest_deployment(clone_id)
        if deployment is None:
            raise NotFound("this clone does not trade yet", code="not_deployed", field="clone_id")
        return deployment

    def _require_model(self, version: StrategyVersion) -> None:
        plan = self._plans.of(version.version_id)
        if plan.needs_model and plan.model not in self._parts.models.offered():
            raise Conflict("its strategy names a model that is not offered here", code="model_not_offered")

    def _run(self, run_id: str) -> Run:
        run = self._parts.store.run(run_id) if is_uuid(run_id) else None
        if run is None:
            raise NotFound("there is no such decision", code="run_not_found", field="run_id")
        return run

    def _own_run(self, user_id: UserId, run_id: str) -> Run:
        run = self._run(run_id)
        if run.user_id != user_id:
            raise NotFound("there is no such decision", code="run_not_found", field="run_id")
        return run

    def _view(self, deployment: Deployment) -> DeploymentView:
        return self._views([deployment])[deployment.clone_id]

    def _views(self, deployments: Sequence[Deployment]) -> Mapping[CloneId, DeploymentView]:
        parts, now_ms = self._parts, self._parts.clock.now_ms()
        found = parts.fleet.situations([d.account_id for d in deployments])
        try:
            opened = conditions_of(parts.clones, deployments)
        except Unavailable:
            # Whether it trades, its owner is told also while no key is there: then nobody knows which are broken.
            opened = None
        views = {}
        for deployment in deployments:
            situation = found[deployment.account_id]
            shut: tuple[Market, ...] = ()
            if opened is not None and deployment.state is not DeploymentState.STOPPED:
                shut = unwatched(deployment, opened, situation)
            status = situation.account.status
            views[deployment.clone_id] = presenting.deployment_view(deployment, status, now_ms=now_ms, unwatched=shut)
        return views

    def _public_views(self, deployments: Sequence[Deployment]) -> Mapping[CloneId, PublicDeploymentView]:
        statuses, now_ms = self._account_statuses(deployments), self._parts.clock.now_ms()
        return {d.clone_id: presenting.public_deployment(d, statuses[d.account_id], now_ms=now_ms) for d in deployments}

    def _account_statuses(self, deployments: Sequence[Deployment]) -> Mapping[AccountId, AccountStatus]:
        found = self._parts.fleet.situations([d.account_id for d in deployments])
        return {account_id: situation.account.status for account_id, situation in found.items()}

    def _own_views(self, runs: Sequence[Run]) -> list[RunView]:
        """Of one that cannot be opened what is public, and that it is so."""
        calls = self._parts.store.calls([run.run_id for run in runs if run.model])
        views: list[RunView] = []
        for run, opened in zip(runs, opened_each(self._parts.clones, runs), strict=True):
            made = calls.get(run.run_id, ())
            if isinstance(opened, Refusal):
                views.append(presenting.owner_run(run, made, unreadable=True))
            else:
                views.append(presenting.owner_run(opened, made))
        return views


def _model_usage(model: str, calls: Sequence[Call]) -> ModelUsageView:
    known = [call.micros for call in calls if call.micros is not None]
    latencies = sorted(call.latency_ms for call in calls)
    return ModelUsageView(
        model=model,
        calls=sum(call.attempts for call in calls),
        failures=sum(call.failure is not None for call in calls),
        tokens_in=sum(call.tokens_in for call in calls),
        tokens_out=sum(call.tokens_out for call in calls),
        cost_micros=sum(known),
        unpriced_calls=len(calls) - len(known),
        latency_p50_ms=_percentile(latencies, 50),
        latency_p95_ms=_percentile(latencies, 95),
    )


def _percentile(ordered: Sequence[int], percent: int) -> int | None:
    """The smallest value that so many per cent do not exceed."""
    return ordered[-(-len(ordered) * percent // 100) - 1] if ordered else None
