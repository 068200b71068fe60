"""Decide without trading: once, to see what a strategy does now, or again, on what a recorded run saw."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import msgspec

from pump_party.domains.aitrading.asking import (
    FAILURES,
    Asker,
    WrittenAnswer,
    answer_body,
    asks_of,
    prompt_body,
    read_answers,
    settled,
)
from pump_party.domains.aitrading.commands import DryRun, Replay
from pump_party.domains.aitrading.counterfactual import Counterfactual, Venues
from pump_party.domains.aitrading.model import Plan, Proposal, Question, Seen, Unusable
from pump_party.domains.aitrading.parts import Parts, Plans
from pump_party.domains.aitrading.presenting import usage
from pump_party.domains.aitrading.private import conditions_of
from pump_party.domains.aitrading.records import Call, Deployment, Run
from pump_party.domains.aitrading.run_views import (
    CounterfactualView,
    DeploymentState,
    DryRunView,
    FailureCode,
    ReplayView,
    RunUsageView,
)
from pump_party.domains.aitrading.runs import Runs
from pump_party.domains.aitrading.scene import Scene, seen_by
from pump_party.domains.clones.contract import (
    InvalidStrategy,
    Node,
    PromptNode,
    RuleNode,
    Strategy,
    canonical,
    clone_node,
    paths,
)
from pump_party.domains.marketdata.contract import Candle, CandleInterval
from pump_party.domains.prop_interface.contract import (
    AccountKind,
    AccountSituation,
    AccountView,
    RuleSetView,
)
from pump_party.kernel.errors import Conflict, Invalid, NotFound
from pump_party.kernel.ids import AccountId, DeploymentId, Market, VersionId

TIMEOUT_MS = 60_000
CANDLES_MAX = 1_000
"""Minutes of a counterfactual, the most market data gives on one page."""

MINUTE_MS = 60_000


@dataclass(frozen=True, kw_only=True)
class Thought:
    """What the deciders of a plan came to. Exactly one of proposals, `unusable` and `failure` is to be looked at."""

    questions: Sequence[Question]
    answers: Sequence[WrittenAnswer]
    proposals: tuple[Proposal, ...]
    unusable: Unusable | None
    failure: FailureCode | None
    used: RunUsageView | None


class Rehearsals:
    def __init__(self, parts: Parts, plans: Plans, runs: Runs, venues: Venues) -> None:
        self._parts = parts
        self._plans = plans
        self._runs = runs
        self._venues = venues

    def dry_run(self, command: DryRun) -> DryRunView:
        parts = self._parts
        strategy = command.strategy and self._valid(command.strategy)
        strategy = strategy or parts.clones.current_version(command.clone_id).strategy
        plan = parts.decider.plan(_only(strategy, command.market))
        seen = self._seen_now(command, plan)
        thought = self._think(plan, seen, Asker(f"dry/{parts.ids.new()}", command.clone_id, command.user_id))
        decided = parts.decider.conclude(plan, seen, thought.proposals)
        assert decided.context is not None
        return DryRunView(
            context=decided.context.body,
            context_sha256=decided.context.sha256,
            prompt=prompt_body(thought.questions).decode() if thought.questions else None,
            answer=thought.answers[0].text if thought.answers else None,
            unusable=thought.unusable,
            failure=thought.failure,
            proposals=decided.proposals,
            verdicts=decided.verdicts,
            actions=decided.actions,
            usage=thought.used,
        )

    def replay(self, command: Replay, run: Run, *, unreadable: bool) -> ReplayView:
        """Of a run that is unreadable nobody knows the exits, and so not what it made."""
        parts = self._parts
        if run.context_sha256 is None:
            raise NotFound("this run kept no context", code="artifact_not_found")
        seen = parts.decider.seen_in(parts.artifacts.get(run, run.context_sha256))
        recorded = parts.clones.strategy_of(run.version_id).strategy
        plan = parts.decider.plan(self._valid(_changed(recorded, command)))
        thought = self._think(plan, seen, Asker(f"replay/{parts.ids.new()}", run.clone_id, run.user_id))
        decided = parts.decider.conclude(plan, seen, thought.proposals, with_context=False)
        return ReplayView(
            run_id=run.run_id,
            context_sha256=run.context_sha256,
            recorded=run.body.proposals,
            replayed=decided.proposals,
            verdicts=decided.verdicts,
            unusable=thought.unusable,
            failure=thought.failure,
            counterfactual=(self._compare(run, plan, seen, thought.proposals, unreadable=unreadable),),
            usage=thought.used,
            unreadable=unreadable,
        )

    def _valid(self, strategy: Strategy) -> Strategy:
        """A strategy from outside must pass what every published one has passed. Raises InvalidStrategy."""
        problems = self._parts.clones.validate(canonical(strategy)).problems
        if problems:
            raise InvalidStrategy(problems)
        return strategy

    # --- thinking ---

    def _think(self, plan: Plan, seen: Seen, asker: Asker) -> Thought:
        """Rules decide at once; a model is really asked, and paid from the same budgets."""
        parts = self._parts
        if not plan.needs_model:
            proposals = tuple(parts.decider.rule_proposals(plan, seen))
            return Thought(questions=(), answers=(), proposals=proposals, unusable=None, failure=None, used=None)
        assert plan.model is not None
        if plan.model not in parts.models.offered():
            raise Invalid("is not a model that is offered here", code="model_not_offered", field="model")
        questions = parts.decider.questions(plan, seen, budget_tokens=parts.prompt_tokens_max)
        until_ms = parts.clock.now_ms() + TIMEOUT_MS
        asks = asks_of(asker, questions, model=plan.model, answer_tokens=parts.answer_tokens_max, deadline_ms=until_ms)
        calls = self._runs.calls(asker, asks)
        if self._runs.record(reserved_calls=calls):
            raise Conflict("the budget for models is used up for today", code="budget_exhausted")
        answered = sorted((a for batch in parts.models.ask(asks) for a in batch), key=lambda a: a.ask.call_id)
        now_ms = parts.clock.now_ms()
        by_id = {call.call_id: call for call in calls}
        made: list[Call] = [settled(by_id[a.ask.call_id], a, at_ms=now_ms) for a in answered]
        self._runs.record(settled_calls=made)
        answers = read_answers(answer_body(answered))
        failed = next((a.failed for a in answered if a.failed is not None), None)
        read = () if failed is not None else self._runs.read(plan, seen, questions, answers)
        return Thought(
            questions=questions,
            answers=answers,
            proposals=() if isinstance(read, Unusable) else tuple(read),
            unusable=read if isinstance(read, Unusable) else None,
            failure=None if failed is None else FAILURES[failed.failure],
            used=usage(made),
        )

    # --- what is seen now ---

    def _seen_now(self, command: DryRun, plan: Plan) -> Seen:
        parts = self._parts
        deployment = parts.store.newest_deployment(command.clone_id)
        rule_set = self._rule_set(None if deployment is None else deployment.rule_set)
        now_ms = parts.clock.now_ms()
        if deployment is None or deployment.state is DeploymentState.STOPPED:
            deployment = _nobody(command, rule_set, now_ms=now_ms)
            situation = AccountSituation(_fresh(rule_set, now_ms=now_ms), ())
        else:
            situation = parts.fleet.situations([deployment.account_id])[deployment.account_id]
        scene = Scene(parts.memory, parts.quotes, sorted(plan.limits.markets))
        return seen_by(
            deployment,
            conditions_of(parts.clones, [deployment]),
            situation,
            scene.snapshots(plan),
            scene.quotes,
            slot_ms=now_ms,
            deadline_ms=now_ms + TIMEOUT_MS,
            now_ms=now_ms,
        )

    def _rule_set(self, name: str | None) -> RuleSetView:
        known = self._parts.prop.rule_sets()
        if name is not None:
            return next(rules for rules in known if rules.name == name)
        return next(rules for rules in known if rules.kind is AccountKind.CLONE and rules.default)

    # --- what would have been ---

    def _compare(
        self, run: Run, plan: Plan, seen: Seen, proposals: Sequence[Proposal], *, unreadable: bool
    ) -> CounterfactualView:
        """Both decisions in the same world until the next slot, or until now where that is yet to come."""
        start_ms = seen.slot.as_of_ms
        until_ms = min(start_ms + plan.cadence_s * 1_000, self._parts.clock.now_ms())
        rule_set = self._rule_set(seen.account.rule_set)
        minutes = {market: self._minutes(market, start_ms, until_ms) for market in seen.snapshots}

        def made(proposals: Sequence[Proposal]) -> int | None:
            if not all(minutes.values()):
                return None
            world = Counterfactual(self._venues(start_ms), rule_set, seen, start_ms=start_ms)
            return world.made_micros(plan, self._parts.decider, proposals, minutes)

        recorded = None if unreadable else made(run.body.proposals)
        return CounterfactualView(until_ms, recorded, made(proposals))

    def _minutes(self, market: Market, from_ms: int, until_ms: int) -> Sequence[Candle]:
        """Oldest first; the minute of the slot belongs to what came before it."""
        first_ms = -(-from_ms // MINUTE_MS) * MINUTE_MS
        found = self._parts.candles.candles(
            market,
            CandleInterval.M1,
            before_ms=until_ms + 1,
            limit=min(CANDLES_MAX, (until_ms - first_ms) // MINUTE_MS + 2),
        )
        return sorted((c for c in found if first_ms <= c.open_ms < until_ms), key=lambda c: c.open_ms)


def _only(strategy: Strategy, market: Market) -> Strategy:
    """The part of a strategy that decides about one market. Raises Invalid (market_not_in_strategy)."""
    path = next((path for path in paths(strategy) if market in path.asset.markets), None)
    if path is None:
        raise Invalid("is in no asset block of the strategy", code="market_not_in_strategy", field="market")
    asset = msgspec.structs.replace(path.asset, markets=(market,))
    kept = {path.stream.id, path.asset.id, path.decider.id, path.clone.id}
    edges = tuple(edge for edge in strategy.edges if edge.source in kept and edge.target in kept)
    return Strategy(strategy.schema, (path.stream, asset, path.decider, path.clone), edges)


def _changed(strategy: Strategy, command: Replay) -> Strategy:
    """The strategy with another model, with other words in every prompt, with both, or with a rule as every decider.

    Raises Invalid unless it is either the rule or at least one of the others.
    """
    if (command.rule is None) == (command.model is None and command.prompt is None):
        raise Invalid("give a rule, or a model, a prompt or both", code="one_of", field="rule")
    deciders = [path.decider for path in paths(strategy)]
    if command.rule is not None:
        return _with(strategy, {d.id: RuleNode(d.id, command.rule.clauses) for d in deciders})
    clone = clone_node(strategy)
    if command.model is not None:
        clone = msgspec.structs.replace(clone, model=command.model)
    if command.prompt is None:
        return _with(strategy, {clone.id: clone})
    if clone.model is None:
        raise Invalid("the strategy names no model to ask: name one", code="model_missing", field="model")
    return _with(strategy, {clone.id: clone} | {d.id: PromptNode(d.id, command.prompt) for d in deciders})


def _with(strategy: Strategy, nodes: Mapping[str, Node]) -> Strategy:
    return msgspec.structs.replace(strategy, nodes=tuple(nodes.get(node.id, node) for node in strategy.nodes))


def _nobody(command: DryRun, rule_set: RuleSetView, *, now_ms: int) -> Deployment:
    """Who decides in a dry run of a clone that does not trade yet."""
    return Deployment(
        DeploymentId(""),
        command.clone_id,
        command.user_id,
        AccountId(""),
        rule_set.name,
        VersionId(""),
        0,
        0,
        DeploymentState.STOPPED,
        now_ms,
        now_ms,
    )


def _fresh(rule_set: RuleSetView, *, now_ms: int) -> AccountView:
    """An account that has just been opened."""
    start = rule_set.start_micros
    return AccountView(
        account_id=AccountId(""),
        kind=rule_set.kind,
        rule_set=rule_set.name,
        params_sha256=rule_set.params_sha256,
        contest_eligible=rule_set.contest_eligible,
        cycle=1,
        opened_ms=now_ms,
        version=1,
        seq=0,
        start_micros=start,
        cash_micros=start,
        equity_micros=start,
        realised_pnl_micros=0,
        unrealised_pnl_micros=0,
        fees_micros=0,
        residual_micros=0,
        positions=(),
    )
