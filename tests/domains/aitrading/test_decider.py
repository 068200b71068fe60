"""The one way from a strategy and what is seen to orders: plans, order of things, and the same decision every time."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.domains.aitrading.answers import answer, decision, opening
from tests.domains.aitrading.exchange import Exchange, is_done
from tests.domains.aitrading.worlds import (
    BTC,
    CLOSE,
    EMA,
    ETH,
    H1,
    MARKETS,
    MIDS_E8,
    RSI,
    SOL,
    SOL_PERP,
    account,
    decider,
    plan,
    rule_sets,
    rule_strategy,
    seen,
    snapshot,
)

from pump_party.domains.aitrading.decider import StrategyDecider
from pump_party.domains.aitrading.model import Decided, Direction, Proposal, ProposalAction, Read, VerdictCode
from pump_party.domains.clones.contract import (
    Always,
    AssetNode,
    Chance,
    Clause,
    CloneNode,
    Close,
    Compare,
    DataStreamNode,
    Edge,
    FeatureOperand,
    Op,
    PromptNode,
    RuleNode,
    Strategy,
    Target,
)
from pump_party.domains.clones.house_strategies import load_house
from pump_party.domains.marketdata.contract import CandleInterval
from pump_party.domains.prop_interface.contract import CloseAction, PlaceAction
from pump_party.kernel.money import PPM

TREND = Clause(Compare(FeatureOperand(CLOSE), Op.ABOVE, FeatureOperand(EMA)), Target(400_000, stop_ppm=20_000))
OTHERWISE = Clause(Always(), Close())
UP = {"close": (MIDS_E8[SOL] + 1, MIDS_E8[SOL])}


def test_a_rule_clone_goes_from_numbers_to_an_order_with_its_stop():
    decided = decider().decide(plan(rule_strategy(TREND, OTHERWISE)), seen(snapshot(**UP), account=account()))

    assert [proposal.action for proposal in decided.proposals] == [ProposalAction.OPEN]
    assert [verdict.code for verdict in decided.verdicts] == [VerdictCode.ALLOWED]
    (action,) = decided.actions
    assert isinstance(action, PlaceAction)
    assert (action.market, action.quote_micros) == (SOL, 4_000_000_000)
    assert action.terms is not None
    assert action.terms.stop_price_e8 == 139_6500_0000
    assert decided.context is not None


def test_a_decision_has_a_proposal_and_a_verdict_for_every_market_whatever_is_missing():
    made = plan(rule_strategy(TREND, OTHERWISE, markets=MARKETS))
    decided = decider().decide(made, seen(snapshot(SOL, **UP), account=account()))
    assert [proposal.market for proposal in decided.proposals] == list(MARKETS)
    assert [verdict.code.value for verdict in decided.verdicts] == ["allowed", *["hold"] * 5]


def test_a_plan_says_what_to_read_once_for_streams_that_want_the_same():
    strategy = _two_paths(second_interval=H1)
    (read,) = plan(strategy).reads
    assert read == Read(((BTC, (CLOSE, RSI)), (ETH, (CLOSE, RSI)), (SOL, (CLOSE, EMA))), H1, 5)
    assert read.wanted[SOL] == (CLOSE, EMA)
    assert hash(read) == hash(plan(strategy).reads[0])
    assert len(plan(_two_paths(second_interval=CandleInterval.M5)).reads) == 2


def test_a_plan_reads_what_a_rule_compares_even_if_no_stream_lists_it():
    assert plan(rule_strategy(TREND, features=())).paths[0].features == (CLOSE, EMA)


def test_a_strategy_of_rules_and_prompts_decides_both_together():
    made = plan(_two_paths(second_interval=H1))
    at = seen(snapshot(SOL, **UP), snapshot(BTC), snapshot(ETH), account=account())
    assert made.needs_model
    (asked,) = decider().questions(made, at, budget_tokens=10_000)
    assert asked.markets == (BTC, ETH)

    answered = decider().read(asked, answer(opening(BTC), decision(ETH)))
    assert isinstance(answered, tuple)
    decided = decider().conclude(made, at, [*decider().rule_proposals(made, at), *answered])

    assert [verdict.code.value for verdict in decided.verdicts] == ["allowed", "allowed", "hold"]
    assert [action.market for action in decided.actions if isinstance(action, PlaceAction)] == [SOL, BTC]


def _two_paths(second_interval: CandleInterval) -> Strategy:
    """SOL by a rule, BTC and ETH by a prompt."""
    nodes = (
        DataStreamNode("one", H1, 5, (CLOSE, EMA)),
        AssetNode("sol", (SOL,)),
        RuleNode("rule", (TREND, OTHERWISE)),
        DataStreamNode("two", second_interval, 5, (CLOSE, RSI)),
        AssetNode("majors", (BTC, ETH)),
        PromptNode("prompt", "Trade the majors."),
        CloneNode("clone", 3_600, 3, 500_000, "openai:gpt"),
    )
    edges = ("one sol", "sol rule", "rule clone", "two majors", "majors prompt", "prompt clone")
    return Strategy("strategy/1", nodes, tuple(Edge(*edge.split()) for edge in edges))


@settings(max_examples=60)
@given(
    cash=st.integers(0, 10**11),
    held=st.integers(0, 10**12),
    moved=st.integers(-500_000, 500_000),
    seed=st.integers(0, 2**31 - 1),
)
def test_the_same_is_decided_the_same_by_every_decider(cash: int, held: int, moved: int, seed: int):
    strategy = rule_strategy(Clause(Chance(500_000, seed), Target(300_000)), TREND, OTHERWISE, markets=(SOL, SOL_PERP))

    def decide(by: StrategyDecider) -> Decided:
        mid_e8 = MIDS_E8[SOL] * (PPM + moved) // PPM
        shown = [snapshot(market, mid_e8=mid_e8, close=(MIDS_E8[SOL], None)) for market in (SOL, SOL_PERP)]
        return by.decide(by.plan(strategy), seen(*shown, account=account(cash_micros=cash, spot={SOL: held})))

    fresh = StrategyDecider(list(rule_sets().values()))
    assert decide(fresh) == decide(decider()) == decide(fresh)


def test_the_cost_of_a_context_does_not_change_the_decision():
    made, at = plan(rule_strategy(TREND, OTHERWISE)), seen(snapshot(**UP), account=account())
    bare, full = decider().decide(made, at, with_context=False), decider().decide(made, at)
    assert (bare.proposals, bare.verdicts, bare.actions) == (full.proposals, full.verdicts, full.actions)


@pytest.mark.parametrize("name", sorted(load_house()))
def test_every_house_strategy_plans_and_decides(name: str):
    made = plan(load_house()[name].strategy)
    assert not made.needs_model
    markets = sorted(made.limits.markets)
    decided = decider().decide(made, seen(*[snapshot(market, candles=0) for market in markets], account=account()))
    assert len(decided.verdicts) == len(markets)
    assert not {verdict.code for verdict in decided.verdicts} & REFUSALS, decided.verdicts


REFUSALS = set(VerdictCode) - {
    VerdictCode.ALLOWED,
    VerdictCode.HOLD,
    VerdictCode.ALREADY_THERE,
    VerdictCode.NOTHING_HELD,
    VerdictCode.BELOW_MINIMUM,
    VerdictCode.INSUFFICIENT_CASH,
}


@pytest.mark.parametrize("rule_set", ["practice-v2", "practice-next-v1"])
def test_a_rule_repeated_every_slot_settles_at_its_target_and_stays(rule_set: str):
    exchange = Exchange(rule_set)
    made = plan(rule_strategy(Clause(Always(), Target(300_000, band_ppm=5_000)), markets=(SOL, BTC)))
    proposed = []
    for _ in range(4):
        at = exchange.seen()
        shown = {market: snapshot(market, as_of_ms=at.slot.as_of_ms) for market in (SOL, BTC)}
        proposals = decider().rule_proposals(made, seen(*shown.values(), account=at.account, at=at.slot))
        _, outcomes = exchange.do(*proposals)
        assert all(map(is_done, outcomes))
        proposed.append({proposal.action for proposal in proposals})
    assert proposed == [{ProposalAction.OPEN}, *[{ProposalAction.HOLD}] * 3]


def test_an_outside_brain_passes_the_same_gates():
    made = plan(rule_strategy(TREND, max_position_ppm=100_000))
    at = seen(snapshot(), account=account(spot={SOL: 10**9}))
    outside = [Proposal(SOL, ProposalAction.OPEN, Direction.LONG, 900_000)]
    assert decider().conclude(made, at, outside).actions == ()
    assert decider().conclude(made, at, [Proposal(SOL, ProposalAction.CLOSE)]).actions == (CloseAction("1", SOL),)
