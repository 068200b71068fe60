"""Decide: the one way from what is seen to orders, live and in backtests. Pure: what it remembers only saves work.

Rules, models and outside programs meet in `conclude`: proposals are gated, then sized, then put in an order that frees
cash before it is spent.
"""

from collections.abc import Mapping, Sequence

import msgspec

from pump_party.domains.aitrading import context as contexts
from pump_party.domains.aitrading import invalidation, prompt, proposal
from pump_party.domains.aitrading.account_rules import AccountRules, account_rules
from pump_party.domains.aitrading.gates import (
    Price,
    Refused,
    price_of,
    refuse,
    refuse_all,
    repeated_markets,
    waiting_markets,
)
from pump_party.domains.aitrading.holding import LONG, NOTHING, Holding, holding_of
from pump_party.domains.aitrading.model import (
    Context,
    Decided,
    Direction,
    OpenInvalidation,
    Plan,
    Proposal,
    ProposalAction,
    Question,
    Seen,
    Unusable,
    Verdict,
    VerdictCode,
)
from pump_party.domains.aitrading.planning import plan_of
from pump_party.domains.aitrading.sizing import Funds, Sized, numbered, size
from pump_party.domains.clones.contract import Strategy
from pump_party.domains.prop_interface.contract import ACTIONS_PER_BATCH_MAX, Action, RuleSetView

NO_RULES = AccountRules({}, None, None)

# Looking a member up at its enum takes longer than to make a verdict.
_HOLD, _HELD = ProposalAction.HOLD, VerdictCode.HOLD


class StrategyDecider:
    """Implements `Decider`. Safe to share between threads: what it keeps is written once and never changed."""

    def __init__(self, rule_sets: Sequence[RuleSetView]) -> None:
        self._rules: Mapping[str, AccountRules] = {rule_set.name: account_rules(rule_set) for rule_set in rule_sets}
        self._contexts = contexts.ContextWriter()

    def plan(self, strategy: Strategy) -> Plan:
        return plan_of(strategy)

    def decide(self, plan: Plan, seen: Seen, *, with_context: bool = True) -> Decided:
        assert not plan.needs_model
        return self.conclude(plan, seen, self.rule_proposals(plan, seen), with_context=with_context)

    def context(self, plan: Plan, seen: Seen) -> Context:
        return self._contexts.write(plan, seen)

    def questions(self, plan: Plan, seen: Seen, *, budget_tokens: int) -> Sequence[Question]:
        contexts.check(seen)
        rules = self._rules_of(seen)
        return prompt.questions(plan, seen, rules, budget_tokens=budget_tokens)

    def read(self, question: Question, answer: str) -> tuple[Proposal, ...] | Unusable:
        return proposal.read_answer(question, answer)

    def rule_proposals(self, plan: Plan, seen: Seen) -> tuple[Proposal, ...]:
        """A market without a snapshot holds."""
        proposals = []
        account, slot_ms, snapshots = seen.account, seen.slot.slot_ms, seen.snapshots
        for planned in plan.paths:
            rule = planned.rule
            if rule is None:
                continue
            for market in planned.path.asset.markets:
                snapshot = snapshots.get(market)
                if snapshot is None:
                    proposals.append(Proposal(market, ProposalAction.HOLD, reason="no price"))
                else:
                    proposals.append(rule(snapshot, account, slot_ms))
        return tuple(proposals)

    def conclude(self, plan: Plan, seen: Seen, proposals: Sequence[Proposal], *, with_context: bool = True) -> Decided:
        context = self._contexts.write(plan, seen) if with_context else None
        if refuse_all(seen) is None and _all_hold(proposals):
            known = self._rules_of(seen).markets
            if not [one for one in proposals if one.market not in known or one.market not in plan.limits.markets]:
                # What most decisions of rules are: holding needs no leave but its market's.
                held = [Verdict(one.market, False, _HELD) for one in proposals]
                return Decided(context, tuple(proposals), tuple(held), ())
        batch = _Batch(plan, seen, self._rules_of(seen))
        verdicts = batch.verdicts(proposals)
        return Decided(context, tuple(proposals), verdicts, batch.actions())

    def seen_in(self, context: bytes) -> Seen:
        return contexts.read(context)

    def due(self, conditions: Sequence[OpenInvalidation], seen: Seen) -> Sequence[Proposal]:
        return invalidation.due(conditions, seen)

    def _rules_of(self, seen: Seen) -> AccountRules:
        return self._rules.get(seen.account.rule_set, NO_RULES)


class _Batch:
    """The proposals of one run on their way to actions."""

    def __init__(self, plan: Plan, seen: Seen, rules: AccountRules) -> None:
        self._limits = plan.limits
        self._seen = seen
        self._rules = rules
        self._waiting = waiting_markets(seen.orders)
        self._cash_micros = seen.account.cash_micros
        self._freeing: list[Action] = []
        self._spending: list[Action] = []

    def verdicts(self, proposals: Sequence[Proposal]) -> tuple[Verdict, ...]:
        """In the order of the proposals, which is not the order in which they are done."""
        refused = refuse_all(self._seen)
        if refused is not None:
            return tuple([_refusal(one, refused) for one in proposals])
        if len(proposals) == 1:
            return (self._verdict(proposals[0]),)
        repeated = repeated_markets(proposals)
        verdicts: dict[int, Verdict] = {}
        for place, one in sorted(enumerate(proposals), key=_spends):
            verdicts[place] = _refusal(one, _CONFLICT) if one.market in repeated else self._verdict(one)
        return tuple([verdicts[place] for place in range(len(proposals))])

    def actions(self) -> tuple[Action, ...]:
        actions = numbered([*self._freeing, *self._spending])
        assert len(actions) <= ACTIONS_PER_BATCH_MAX
        return actions

    def _verdict(self, one: Proposal) -> Verdict:
        seen = self._seen
        holds = one.action is ProposalAction.HOLD
        price = None if holds else price_of(seen, one.market)
        holding = NOTHING if holds else holding_of(seen.account, one.market)
        refused = refuse(
            one,
            price,
            holding,
            self._limits,
            self._rules,
            equity_micros=seen.account.equity_micros,
            now_ms=seen.slot.now_ms,
            order_waits=one.market in self._waiting,
        )
        if refused is not None:
            return _refusal(one, refused)
        if holds:
            return Verdict(one.market, allowed=False, code=VerdictCode.HOLD)
        assert price is not None
        sized = self._size(one, holding, price)
        if not sized.steps:
            return Verdict(one.market, allowed=False, code=sized.code)
        if one.action is ProposalAction.OPEN and self._is_over_daily_limit(sized):
            return _refusal(one, Refused(VerdictCode.DAILY_LIMIT, f"at most {self._limits.actions_per_day} a day"))
        self._take(one, sized)
        return Verdict(one.market, allowed=True, code=sized.code)

    def _size(self, one: Proposal, holding: Holding, price: Price) -> Sized:
        if one.action is ProposalAction.REDUCE:
            side = Direction.LONG if holding.direction == LONG else Direction.SHORT
            one = msgspec.structs.replace(one, side=side)
        funds = Funds(self._seen.account.equity_micros or 0, self._cash_micros)
        return size(one, holding, funds, self._rules.markets[one.market], mid_e8=price.mid_e8)

    def _is_over_daily_limit(self, sized: Sized) -> bool:
        coming = len(self._freeing) + len(self._spending) + len(sized.steps)
        return self._seen.actions_today + coming > self._limits.actions_per_day

    def _take(self, one: Proposal, sized: Sized) -> None:
        """What frees cash comes before what spends it; what is spent is not there for the next."""
        (self._spending if one.action is ProposalAction.OPEN else self._freeing).extend(sized.steps)
        self._cash_micros -= sized.spent_micros


_CONFLICT = Refused(VerdictCode.CONFLICTING_PROPOSALS)


def _all_hold(proposals: Sequence[Proposal]) -> bool:
    """Whether nothing is wanted anywhere, and no market is named twice."""
    for one in proposals:
        if one.action is not _HOLD:
            return False
    return len(proposals) < 2 or not repeated_markets(proposals)


def _spends(placed: tuple[int, Proposal]) -> bool:
    return placed[1].action is ProposalAction.OPEN


def _refusal(one: Proposal, refused: Refused) -> Verdict:
    return Verdict(one.market, allowed=False, code=refused.code, detail=refused.detail)
