"""No proposal whatsoever leads to an action beyond policy, and every refusal has its code, in order of the checks."""

from collections import Counter

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace
from tests.domains.aitrading.worlds import (
    BTC,
    CASH_MICROS,
    ETH_PERP,
    MARKETS,
    MIDS_E8,
    SLOT_MS,
    SOL,
    SOL_PERP,
    account,
    decider,
    plan,
    quote,
    rule_sets,
    rule_strategy,
    seen,
    slot,
    snapshot,
)

from pump_party.domains.aitrading.account_rules import account_rules
from pump_party.domains.aitrading.holding import holding_of
from pump_party.domains.aitrading.model import Direction, Plan, Proposal, ProposalAction, Seen, Slot, VerdictCode
from pump_party.domains.clones.contract import Always, Clause, Hold
from pump_party.domains.marketdata.contract import HaltReason
from pump_party.domains.prop_interface.contract import (
    ACTIONS_PER_BATCH_MAX,
    AccountStatus,
    Action,
    CloseAction,
    ExitsAction,
    OrderStatus,
    OrderTerms,
    OrderView,
    PlaceAction,
    Side,
)
from pump_party.kernel.ids import AccountId, Market, OrderId
from pump_party.kernel.money import E8, INT64_MAX, NOTIONAL_DIVISOR, PPM

LONG, SHORT = Direction.LONG, Direction.SHORT
OPEN, CLOSE, REDUCE, HOLD = (ProposalAction(name) for name in ("open", "close", "reduce", "hold"))
TRADED = (SOL, SOL_PERP, ETH_PERP)


def the_plan(max_leverage: int = 3, max_position_ppm: int = 250_000, actions_per_day: int = 50) -> Plan:
    made = plan(
        rule_strategy(
            Clause(Always(), Hold()), markets=TRADED, max_leverage=max_leverage, max_position_ppm=max_position_ppm
        )
    )
    return replace(made, limits=replace(made.limits, actions_per_day=actions_per_day))


def codes(made: Plan, at: Seen, *proposals: Proposal) -> list[str]:
    return [verdict.code.value for verdict in decider().conclude(made, at, proposals, with_context=False).verdicts]


def everything(**changes: object) -> Seen:
    shown = [snapshot(market, candles=0) for market in MARKETS]
    return replace(seen(*shown, account=account(perps={ETH_PERP: (-(10**9), 2)})), **changes)


def test_each_refusal_of_a_moment_has_its_code():
    ok = everything()
    flat = the_plan()
    no_equity = everything(account=replace(account(), equity_micros=None))
    halted = everything(quotes={SOL: replace(quote(SOL, 142 * E8), halt_reason=HaltReason.QUARANTINE_JUMP)})
    silent = everything(quotes={SOL: quote(SOL, 142 * E8, SLOT_MS - 60_000)})
    stale = everything(quotes={SOL: quote(SOL, 142 * E8, SLOT_MS - 3_000)})

    for at, proposal, code in [
        (ok, Proposal(SOL, HOLD), "hold"),
        (ok, Proposal(SOL, OPEN, LONG, 250_000), "allowed"),
        (ok, Proposal(SOL_PERP, OPEN, SHORT, 250_000, 3), "allowed"),
        (everything(slot=slot(late_ms=29_501)), Proposal(SOL, OPEN, LONG, 250_000), "slot_late"),
        (everything(slot=slot(late_ms=29_501)), Proposal(SOL, HOLD), "slot_late"),
        (
            everything(account=replace(account(), status=AccountStatus.PAUSED)),
            Proposal(SOL, CLOSE),
            "account_not_active",
        ),
        (ok, Proposal(BTC, OPEN, LONG, 1_000), "market_not_allowed"),
        (ok, Proposal(Market("PWN-USDC"), OPEN, LONG, 1_000), "market_not_allowed"),
        (ok, Proposal(Market("PWN-USDC"), HOLD), "market_not_allowed"),
        (everything(snapshots={}), Proposal(SOL, OPEN, LONG, 250_000), "no_price"),
        (halted, Proposal(SOL, CLOSE), "market_halted"),
        (silent, Proposal(SOL, OPEN, LONG, 250_000), "market_halted"),
        (stale, Proposal(SOL, OPEN, LONG, 250_000), "price_stale"),
        (
            everything(quotes={SOL: quote(SOL, 142 * E8, SLOT_MS - 2_500)}),
            Proposal(SOL, OPEN, LONG, 250_000),
            "allowed",
        ),
        (no_equity, Proposal(SOL, OPEN, LONG, 250_000), "equity_unknown"),
    ]:
        assert codes(flat, at, proposal) == [code], (proposal, code)


def test_each_refusal_of_a_size_has_its_code():
    ok, flat = everything(), the_plan()
    for at, proposal, code in [
        (ok, Proposal(SOL, OPEN, None, 250_000), "side_mismatch"),
        (ok, Proposal(ETH_PERP, REDUCE, LONG, 1_000, 2), "side_mismatch"),
        (ok, Proposal(SOL, OPEN, SHORT, 250_000), "short_not_allowed"),
        (ok, Proposal(SOL, OPEN, LONG, 0), "size_out_of_range"),
        (ok, Proposal(SOL, OPEN, LONG, -1), "size_out_of_range"),
        (ok, Proposal(SOL, OPEN, LONG, PPM + 1), "size_out_of_range"),
        (ok, Proposal(SOL, OPEN, LONG, 250_001), "size_above_limit"),
        (ok, Proposal(SOL, OPEN, LONG, 250_000, 2), "leverage_above_limit"),
        (ok, Proposal(SOL_PERP, OPEN, LONG, 250_000, 4), "leverage_above_limit"),
        (ok, Proposal(SOL_PERP, OPEN, LONG, 250_000, 0), "leverage_above_limit"),
        (ok, Proposal(SOL, OPEN, LONG, 250_000, 1, 142_5000_0000), "exit_on_wrong_side"),
        (ok, Proposal(SOL, OPEN, LONG, 250_000, 1, 1), "exit_on_wrong_side"),
        (ok, Proposal(SOL, OPEN, LONG, 250_000, 1, None, 142 * E8), "exit_on_wrong_side"),
        (ok, Proposal(SOL, OPEN, LONG, 250_000, 1, None, INT64_MAX * 2), "exit_on_wrong_side"),
        (ok, Proposal(SOL_PERP, OPEN, SHORT, 250_000, 1, 142 * E8), "exit_on_wrong_side"),
        (everything(orders=(_order(),)), Proposal(SOL, OPEN, LONG, 250_000), "order_waiting"),
        (everything(orders=(_order(),)), Proposal(SOL_PERP, OPEN, LONG, 250_000), "allowed"),
        (everything(orders=(_order(reduce_only=True),)), Proposal(SOL, OPEN, LONG, 250_000), "allowed"),
        (everything(actions_today=50), Proposal(SOL, OPEN, LONG, 250_000), "daily_limit"),
    ]:
        assert codes(flat, at, proposal) == [code], (proposal, code)


def _order(*, reduce_only: bool = False) -> OrderView:
    terms = OrderTerms(reduce_only=True) if reduce_only else None
    ids = (OrderId("o"), AccountId("a"), None)
    return OrderView(*ids, SOL, Side.BUY, 1, None, None, OrderStatus.ACCEPTED, None, SLOT_MS, None, terms=terms)


def test_a_market_with_two_proposals_gets_neither():
    both = (Proposal(SOL, CLOSE), Proposal(SOL_PERP, OPEN, LONG, 1_000), Proposal(SOL, OPEN, LONG, 1_000))
    assert codes(the_plan(), everything(), *both) == ["conflicting_proposals", "allowed", "conflicting_proposals"]


def test_the_way_out_needs_neither_a_fresh_price_nor_equity_nor_a_place_under_the_daily_limit():
    held = replace(account(spot={SOL: 10**9}), equity_micros=None)
    at = everything(account=held, actions_today=50, quotes={SOL: quote(SOL, 142 * E8, SLOT_MS - 9_000)})
    assert codes(the_plan(), at, Proposal(SOL, CLOSE)) == ["allowed"]


@pytest.mark.parametrize(
    ("rule_set", "proposal", "code"),
    [
        ("race-v1", Proposal(SOL_PERP, OPEN, LONG, 500_000, 10), "allowed"),
        ("race-v1", Proposal(SOL_PERP, OPEN, LONG, 600_000, 10), "size_above_limit"),
        ("race-v1", Proposal(SOL_PERP, OPEN, LONG, 100_000, 11), "leverage_above_limit"),
        ("audition-v1", Proposal(SOL, OPEN, LONG, 500_000), "allowed"),
        ("audition-v1", Proposal(SOL_PERP, OPEN, LONG, 100_000), "market_not_allowed"),
    ],
)
def test_the_accounts_own_rules_bind_where_they_are_narrower(rule_set: str, proposal: Proposal, code: str):
    wide = the_plan(max_leverage=20, max_position_ppm=PPM)
    assert codes(wide, everything(account=account(cash_micros=10_000_000_000, rule_set=rule_set)), proposal) == [code]


def test_an_account_of_unknown_rules_may_trade_nothing():
    at = everything(account=account(rule_set="never-heard-of"))
    assert codes(the_plan(), at, Proposal(SOL, OPEN, LONG, 1_000)) == ["market_not_allowed"]


INTEGERS = st.one_of(st.integers(-(2**70), 2**70), st.integers(-10, 10), st.integers(1, PPM), st.integers(1, 40))
PRICES = st.one_of(st.none(), INTEGERS, st.integers(100 * E8, 200 * E8), st.integers(60_000 * E8, 70_000 * E8))
ANY_PROPOSAL = st.builds(
    Proposal,
    market=st.sampled_from([*MARKETS, Market("PWN-USDC"), Market("'; DROP TABLE prop_accounts")]),
    action=st.sampled_from(list(ProposalAction)),
    side=st.sampled_from([LONG, SHORT, None]),
    share_ppm=INTEGERS,
    leverage=INTEGERS,
    stop_price_e8=PRICES,
    target_price_e8=PRICES,
    reason=st.text(max_size=20),
)
ANY_ACCOUNT = st.builds(
    account,
    cash_micros=st.integers(0, 2 * CASH_MICROS),
    spot=st.dictionaries(st.sampled_from([SOL, BTC]), st.integers(0, 10**11), max_size=2),
    perps=st.dictionaries(
        st.sampled_from([SOL_PERP, ETH_PERP]),
        st.tuples(st.integers(-(10**11), 10**11).filter(bool), st.integers(1, 20)),
        max_size=2,
    ),
    rule_set=st.sampled_from(sorted(rule_sets())),
)


@settings(max_examples=400)
@given(
    proposals=st.lists(ANY_PROPOSAL, max_size=8),
    view=ANY_ACCOUNT,
    status=st.sampled_from([*[AccountStatus.ACTIVE] * 4, *AccountStatus]),
    late_ms=st.sampled_from([0, 0, 0, 40_000]),
    limits=st.tuples(st.integers(1, 20), st.integers(1, PPM), st.integers(0, 20)),
    missing=st.sets(st.sampled_from(MARKETS), max_size=2),
)
def test_no_proposal_whatsoever_leads_to_an_action_beyond_policy(
    proposals: list[Proposal],
    view: object,
    status: AccountStatus,
    late_ms: int,
    limits: tuple[int, int, int],
    missing: set[Market],
):
    made = the_plan(*limits)
    shown = {market: snapshot(market, candles=0) for market in MARKETS if market not in missing}
    at = everything(account=replace(view, status=status), slot=slot(late_ms=late_ms), snapshots=shown)

    decided = decider().conclude(made, at, proposals, with_context=False)

    assert len(decided.verdicts) == len(proposals)
    assert [verdict.market for verdict in decided.verdicts] == [proposal.market for proposal in proposals]
    assert bool(decided.actions) == any(verdict.allowed for verdict in decided.verdicts)
    if late_ms or status is not AccountStatus.ACTIVE:
        assert decided.actions == ()
    assert len(decided.actions) <= ACTIONS_PER_BATCH_MAX
    assert len({action.action_id for action in decided.actions}) == len(decided.actions)
    for market, count in Counter(_market(action) for action in decided.actions).items():
        assert market in TRADED
        assert market in shown
        assert count <= 2
        assert sum(proposal.market == market for proposal in proposals) == 1
    for action in decided.actions:
        _is_within_policy(action, made, at)


def _market(action: Action) -> Market:
    assert not hasattr(action, "order_id")
    return action.market


def _is_within_policy(action: Action, made: Plan, at: Seen) -> None:
    rules = account_rules(rule_sets()[at.account.rule_set])
    market = _market(action)
    own, mid_e8 = rules.markets[market], MIDS_E8[market]
    assert isinstance(action, PlaceAction | CloseAction | ExitsAction)
    if isinstance(action, ExitsAction):
        assert all(
            e8 is None or (e8 > 0 and e8 % own.tick_e8 == 0) for e8 in (action.stop_price_e8, action.target_price_e8)
        )
    if not isinstance(action, PlaceAction):
        return
    held = holding_of(at.account, market)
    terms = action.terms
    if terms is not None and terms.reduce_only:
        assert (action.quantity_nanos or 0) <= held.quantity_nanos
        assert (action.side is Side.SELL) == (held.direction > 0)
        return
    assert own.is_perp or action.side is Side.BUY
    leverage = 1 if terms is None or terms.leverage is None else terms.leverage
    equity = at.account.equity_micros or 0
    same_side = held.direction == (1 if action.side is Side.BUY else -1)
    before = held.value_micros(mid_e8) if same_side else 0
    added = action.quote_micros or (action.quantity_nanos or 0) * mid_e8 // NOTIONAL_DIVISOR
    assert before + added <= equity * made.limits.max_position_ppm * leverage // PPM
    assert 1 <= leverage <= min(made.limits.max_leverage, rules.max_leverage or 20, own.max_leverage(before + added))
    assert before + added <= (rules.max_position_micros or own.max_notional_micros)
    assert added >= own.min_notional_micros


def test_proposals_take_effect_in_one_order_however_they_are_listed():
    made, at = the_plan(), everything()
    listed = [Proposal(SOL, OPEN, LONG, 100_000), Proposal(ETH_PERP, CLOSE)]

    forward = decider().conclude(made, at, listed, with_context=False)
    backward = decider().conclude(made, at, listed[::-1], with_context=False)

    assert forward.actions == backward.actions
    assert forward.verdicts == backward.verdicts[::-1]


def test_verdict_codes_are_listed_in_the_order_of_the_checks():
    """A proposal that breaks everything is refused for the first; mending one after the other walks down the list."""
    made = the_plan(actions_per_day=0)
    worst = Proposal(SOL, OPEN, SHORT, PPM, 9, 200 * E8)
    late = everything(
        slot=Slot(SLOT_MS, SLOT_MS + 9_000, SLOT_MS, SLOT_MS),
        account=replace(account(), status=AccountStatus.LOCKED, equity_micros=None),
        snapshots={},
    )
    steps = [
        (late, worst, VerdictCode.SLOT_LATE),
        (replace(late, slot=slot()), worst, VerdictCode.ACCOUNT_NOT_ACTIVE),
        (replace(late, slot=slot(), account=account()), worst, VerdictCode.NO_PRICE),
        (everything(), worst, VerdictCode.SHORT_NOT_ALLOWED),
        (everything(), replace(worst, side=LONG), VerdictCode.SIZE_ABOVE_LIMIT),
        (everything(), replace(worst, side=LONG, share_ppm=1_000), VerdictCode.LEVERAGE_ABOVE_LIMIT),
        (everything(), replace(worst, side=LONG, share_ppm=1_000, leverage=1), VerdictCode.EXIT_ON_WRONG_SIDE),
        (everything(), Proposal(SOL, OPEN, LONG, 1_000), VerdictCode.DAILY_LIMIT),
    ]
    found = [codes(made, at, proposal) for at, proposal, _ in steps]
    assert found == [[code.value] for *_, code in steps]
    order = list(VerdictCode)
    assert sorted(order.index(code) for *_, code in steps) == [order.index(code) for *_, code in steps]
