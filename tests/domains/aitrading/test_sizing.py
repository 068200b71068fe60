"""Sizes against the real engine: what is sized fills, and never comes to more than the share that was asked for."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.domains.aitrading.exchange import USER, Exchange, is_done
from tests.domains.aitrading.worlds import BTC, ETH, ETH_PERP, MARKETS, MIDS_E8, SOL, SOL_PERP, engine_rules, rule_sets

from pump_party.domains.aitrading.account_rules import account_rules
from pump_party.domains.aitrading.holding import NOTHING, holding_of
from pump_party.domains.aitrading.model import Direction, Proposal, ProposalAction, VerdictCode
from pump_party.domains.aitrading.sizing import Funds, size
from pump_party.domains.prop_engine.execution import price_spot
from pump_party.domains.prop_engine.model import NO_PRESSURE, MarketOrder, SpotFill
from pump_party.domains.prop_engine.perp_orders import hold_micros
from pump_party.domains.prop_engine.perpetual import flat_position
from pump_party.domains.prop_interface.contract import (
    CloseAction,
    ExitsAction,
    OrderKind,
    PlaceAction,
    PlaceOrder,
    Side,
)
from pump_party.kernel.ids import AccountId, Market
from pump_party.kernel.money import E8, MICROS, NOTIONAL_DIVISOR, PPM

LONG, SHORT = Direction.LONG, Direction.SHORT
OPEN, CLOSE, REDUCE = ProposalAction.OPEN, ProposalAction.CLOSE, ProposalAction.REDUCE
RULE_SETS = ("practice-v2", "practice-next-v1")


def held_micros(exchange: Exchange, market: Market) -> int:
    holding = holding_of(exchange.account(), market)
    return holding.direction * (holding.quantity_nanos * MIDS_E8[market] // NOTIONAL_DIVISOR)


@pytest.mark.parametrize("rule_set", RULE_SETS)
def test_a_spot_position_is_opened_increased_reduced_and_closed_to_the_share_that_is_wanted(rule_set: str):
    exchange = Exchange(rule_set)

    for share_ppm, action in ((300_000, OPEN), (600_000, OPEN), (200_000, REDUCE)):
        decided, outcomes = exchange.do(Proposal(SOL, action, LONG, share_ppm))
        assert [verdict.code for verdict in decided.verdicts] == [VerdictCode.ALLOWED]
        assert all(map(is_done, outcomes))
        wanted = 10_000 * MICROS * share_ppm // PPM
        assert 0 <= wanted - held_micros(exchange, SOL) < wanted // 100, share_ppm

    exchange.do(Proposal(SOL, CLOSE))
    assert holding_of(exchange.account(), SOL).direction == 0


@pytest.mark.parametrize("rule_set", RULE_SETS)
def test_everything_there_is_can_be_put_into_one_spot_market(rule_set: str):
    exchange = Exchange(rule_set)

    _, outcomes = exchange.do(Proposal(BTC, OPEN, LONG, PPM))

    assert all(map(is_done, outcomes))
    assert exchange.account().cash_micros < 10 * MICROS


@pytest.mark.parametrize("rule_set", RULE_SETS)
@pytest.mark.parametrize("leverage", [1, 5, 20])
def test_everything_there_is_can_be_put_into_one_perpetual(rule_set: str, leverage: int):
    exchange = Exchange(rule_set)

    _, outcomes = exchange.do(Proposal(SOL_PERP, OPEN, SHORT, PPM, leverage))

    assert all(map(is_done, outcomes))
    full = 10_000 * MICROS * leverage
    assert full * 95 // 100 < -held_micros(exchange, SOL_PERP) * (PPM + 450 * leverage) // PPM <= full


@pytest.mark.parametrize("rule_set", RULE_SETS)
def test_the_share_of_a_perpetual_is_that_of_its_margin(rule_set: str):
    exchange = Exchange(rule_set)

    exchange.do(Proposal(ETH_PERP, OPEN, LONG, 100_000, 10))

    perp = exchange.account().perps[0]
    assert 990 * MICROS < perp.margin_micros <= 1_002 * MICROS
    assert held_micros(exchange, ETH_PERP) <= 10_000 * MICROS


@pytest.mark.parametrize("rule_set", RULE_SETS)
def test_turning_round_closes_first_and_ends_at_the_share_on_the_other_side(rule_set: str):
    exchange = Exchange(rule_set)
    exchange.do(Proposal(SOL_PERP, OPEN, LONG, 400_000, 2))

    decided, outcomes = exchange.do(Proposal(SOL_PERP, OPEN, SHORT, 200_000, 3))

    assert [type(action) for action in decided.actions] == [CloseAction, PlaceAction]
    assert all(map(is_done, outcomes))
    equity = exchange.account().equity_micros or 0
    assert equity * 6 // 10 * 97 // 100 < -held_micros(exchange, SOL_PERP) <= 6_000 * MICROS


def test_turning_round_with_all_cash_tied_up_is_sized_to_what_closing_frees():
    exchange = Exchange("practice-next-v1")
    exchange.do(Proposal(SOL_PERP, OPEN, SHORT, 960_000, 1))

    _, outcomes = exchange.do(Proposal(SOL_PERP, OPEN, LONG, 960_000, 1))

    assert all(map(is_done, outcomes))
    assert held_micros(exchange, SOL_PERP) > 8_000 * MICROS


@pytest.mark.parametrize("rule_set", RULE_SETS)
@pytest.mark.parametrize("leverage", [2, 5, 20])
def test_turning_round_at_a_higher_leverage_is_sized_to_what_can_be_set_aside_before_the_close(
    rule_set: str, leverage: int
):
    exchange = Exchange(rule_set)
    exchange.do(Proposal(SOL_PERP, OPEN, SHORT, 960_000, 1))

    _, outcomes = exchange.do(Proposal(SOL_PERP, OPEN, LONG, 960_000, leverage))

    assert all(map(is_done, outcomes))
    assert held_micros(exchange, SOL_PERP) > 8_000 * MICROS


@pytest.mark.parametrize("rule_set", RULE_SETS)
@pytest.mark.parametrize("market", [SOL, BTC, SOL_PERP, ETH_PERP])
def test_the_smallest_sizes_are_either_taken_or_held_back(rule_set: str, market: Market):
    """A lot of the perpetual of SOL is exactly the smallest order here, before the spread of a sale."""
    codes = set()
    for share_ppm in (80, 95, 99, 100, 101, 102, 103, 110, 120, 200, 210):
        exchange = Exchange(rule_set)
        exchange.move({SOL_PERP: 100 * E8})
        decided, outcomes = exchange.do(Proposal(market, OPEN, SHORT if market.endswith("PERP") else LONG, share_ppm))
        assert all(map(is_done, outcomes)), (share_ppm, outcomes)
        codes.add(decided.verdicts[0].code)
    assert codes == {VerdictCode.ALLOWED, VerdictCode.BELOW_MINIMUM}


@pytest.mark.parametrize("rule_set", RULE_SETS)
@pytest.mark.parametrize("market", [SOL, SOL_PERP])
def test_what_is_left_after_a_reduction_is_within_the_share_to_the_last_lot(rule_set: str, market: Market):
    for share_ppm in (100_001, 123_456, 199_999):
        exchange = Exchange(rule_set)
        exchange.do(Proposal(market, OPEN, LONG, 400_000))
        equity = exchange.account().equity_micros or 0
        _, outcomes = exchange.do(Proposal(market, REDUCE, LONG, share_ppm))
        assert all(map(is_done, outcomes))
        assert equity * share_ppm // PPM - 2 * MICROS < held_micros(exchange, market) <= equity * share_ppm // PPM


@pytest.mark.parametrize("rule_set", RULE_SETS)
def test_turning_round_reckons_with_what_the_close_costs(rule_set: str):
    exchange = Exchange(rule_set, conf_ppm=4_900)
    exchange.do(Proposal(SOL_PERP, OPEN, SHORT, 900_000, 20))

    _, outcomes = exchange.do(Proposal(SOL_PERP, OPEN, LONG, PPM, 1))

    assert all(map(is_done, outcomes))
    assert held_micros(exchange, SOL_PERP) > 4_000 * MICROS


@given(cash_micros=st.integers(990_000, 1_100_000), mid_e8=st.integers(10**7, 10**12), conf_ppm=st.integers(0, 5_000))
def test_a_budget_that_is_sized_buys_no_less_than_the_smallest_order(cash_micros: int, mid_e8: int, conf_ppm: int):
    params = engine_rules()["practice-v2"].spot[SOL]
    own = account_rules(rule_sets()["practice-v2"]).markets[SOL]

    sized = size(Proposal(SOL, OPEN, LONG, PPM), NOTHING, Funds(cash_micros, cash_micros), own, mid_e8=mid_e8)

    for step in sized.steps:
        assert isinstance(step, PlaceAction)
        fill = price_spot(
            MarketOrder(Side.BUY, None, step.quote_micros, None),
            mid_e8=mid_e8,
            conf_e8=mid_e8 * conf_ppm // PPM,
            publish_ms=0,
            pressure=NO_PRESSURE,
            params=params,
            fill_ms=0,
        )
        assert isinstance(fill, SpotFill), fill


@given(
    cash_micros=st.integers(2 * MICROS, 10**13),
    mid_e8=st.integers(10**5, 10**10),
    leverage=st.integers(1, 20),
    side=st.sampled_from(Direction),
)
def test_all_the_cash_there_is_covers_what_the_engine_sets_aside(
    cash_micros: int, mid_e8: int, leverage: int, side: Direction
):
    params = engine_rules()["practice-v2"].perp[SOL_PERP]
    own = account_rules(rule_sets()["practice-v2"]).markets[SOL_PERP]
    proposal = Proposal(SOL_PERP, OPEN, side, PPM, leverage)

    sized = size(proposal, NOTHING, Funds(cash_micros, cash_micros), own, mid_e8=mid_e8)

    (step,) = sized.steps
    assert isinstance(step, PlaceAction)
    order = PlaceOrder(USER, AccountId("a"), "key", SOL_PERP, step.side, step.quantity_nanos, terms=step.terms)
    _, held = hold_micros(order, flat_position(AccountId("a"), SOL_PERP), mid_e8, params)
    assert held <= sized.spent_micros <= cash_micros


def test_a_stop_that_closed_the_position_before_the_turn_leaves_no_more_than_the_share():
    exchange = Exchange("practice-next-v1")
    exchange.do(Proposal(SOL_PERP, OPEN, LONG, 500_000, 2, stop_price_e8=140 * E8))
    decided, _ = exchange.do(Proposal(SOL_PERP, OPEN, SHORT, 100_000, 2))

    place = decided.actions[1]

    assert isinstance(place, PlaceAction)
    assert place.quantity_nanos is not None
    assert place.quantity_nanos * MIDS_E8[SOL_PERP] // NOTIONAL_DIVISOR <= 2_000 * MICROS


@pytest.mark.parametrize("rule_set", RULE_SETS)
def test_exits_stand_behind_the_position_on_the_markets_ticks_away_from_the_price(rule_set: str):
    exchange = Exchange(rule_set)

    exchange.do(Proposal(SOL, OPEN, LONG, 300_000, 1, 140_0000_5555, 150_0000_5555))

    assert {(order.terms.kind, order.terms.trigger_price_e8) for order in exchange.orders() if order.terms} == {
        (OrderKind.STOP, 140_0000_0000),
        (OrderKind.TAKE_PROFIT, 150_0001_0000),
    }


def test_an_increase_replaces_the_exits_and_one_without_exits_leaves_them():
    exchange = Exchange()
    exchange.do(Proposal(SOL, OPEN, LONG, 300_000, 1, 140 * E8, 150 * E8))

    exchange.do(Proposal(SOL, OPEN, LONG, 400_000))
    assert len(exchange.orders()) == 2
    decided, _ = exchange.do(Proposal(SOL, OPEN, LONG, 500_000, 1, 141 * E8))

    assert [type(action) for action in decided.actions] == [PlaceAction, ExitsAction]
    assert [order.terms.trigger_price_e8 for order in exchange.orders() if order.terms] == [141 * E8]


@pytest.mark.parametrize("leverage", [1, 2, 5])
def test_a_higher_leverage_adds_no_margin_beyond_the_share(leverage: int):
    exchange = Exchange()
    exchange.do(Proposal(SOL_PERP, OPEN, LONG, 200_000, 1))

    for share_ppm in (200_000, 300_000):
        exchange.do(Proposal(SOL_PERP, OPEN, LONG, share_ppm, leverage))
        margin = exchange.account().perps[0].margin_micros
        assert margin <= 10_000 * MICROS * share_ppm // PPM * 1_005 // 1_000


def test_an_open_that_is_there_already_does_nothing_but_move_exits():
    exchange = Exchange()
    exchange.do(Proposal(SOL, OPEN, LONG, 300_000))

    smaller, _ = exchange.do(Proposal(SOL, OPEN, LONG, 200_000))
    moved, _ = exchange.do(Proposal(SOL, OPEN, LONG, 200_000, 1, 141 * E8))

    assert smaller.verdicts[0].code is VerdictCode.ALREADY_THERE
    assert [type(action) for action in moved.actions] == [ExitsAction]


def test_a_reduce_never_adds_and_leaves_nothing_that_could_not_be_closed():
    exchange = Exchange()
    exchange.do(Proposal(SOL, OPEN, LONG, 300_000))

    larger, _ = exchange.do(Proposal(SOL, REDUCE, LONG, 400_000))
    dust, _ = exchange.do(Proposal(SOL, REDUCE, LONG, 50))

    assert larger.verdicts[0].code is VerdictCode.ALREADY_THERE
    assert [type(action) for action in dust.actions] == [CloseAction]


def test_too_little_to_trade_holds_and_says_so():
    exchange = Exchange()
    tiny, _ = exchange.do(Proposal(SOL, OPEN, LONG, 90))
    nothing, _ = exchange.do(Proposal(SOL, CLOSE), Proposal(SOL_PERP, REDUCE, LONG, 0))
    exchange.do(Proposal(SOL, OPEN, LONG, PPM))
    poor, _ = exchange.do(Proposal(ETH, OPEN, LONG, 100_000), Proposal(SOL_PERP, OPEN, LONG, 100_000))

    assert [verdict.code for verdict in tiny.verdicts] == [VerdictCode.BELOW_MINIMUM]
    assert [verdict.code for verdict in nothing.verdicts] == [VerdictCode.NOTHING_HELD] * 2
    assert [verdict.code for verdict in poor.verdicts] == [VerdictCode.INSUFFICIENT_CASH] * 2


def test_what_frees_cash_comes_before_what_spends_it():
    exchange = Exchange()
    exchange.do(Proposal(SOL, OPEN, LONG, PPM))

    decided, _ = exchange.do(Proposal(BTC, OPEN, LONG, 500_000), Proposal(SOL, CLOSE))

    assert [type(action) for action in decided.actions] == [CloseAction]
    assert [action.action_id for action in decided.actions] == ["1"]
    assert [verdict.code for verdict in decided.verdicts] == [VerdictCode.INSUFFICIENT_CASH, VerdictCode.ALLOWED]


def test_the_second_purchase_of_a_run_is_sized_to_what_the_first_leaves():
    exchange = Exchange("practice-next-v1")

    decided, outcomes = exchange.do(Proposal(SOL, OPEN, LONG, 700_000), Proposal(BTC, OPEN, LONG, 700_000))

    budgets = [action.quote_micros for action in decided.actions if isinstance(action, PlaceAction)]
    assert budgets == [7_000 * MICROS, 3_000 * MICROS]
    assert all(map(is_done, outcomes))


SIZES = st.integers(1, PPM)
PROPOSALS = st.builds(
    Proposal,
    market=st.sampled_from(MARKETS),
    action=st.sampled_from([OPEN, OPEN, OPEN, REDUCE, CLOSE]),
    side=st.sampled_from([LONG, SHORT]),
    share_ppm=st.one_of(SIZES, st.sampled_from([1, 100, 50_000, 250_000, PPM])),
    leverage=st.sampled_from([1, 1, 2, 3, 10, 20]),
)


@pytest.mark.parametrize("rule_set", RULE_SETS)
@settings(max_examples=50)
@given(rounds=st.lists(st.tuples(PROPOSALS, st.integers(-60_000, 60_000)), min_size=1, max_size=8))
def test_whatever_is_sized_is_taken_by_the_engine_and_stays_within_its_share(
    rule_set: str, rounds: list[tuple[Proposal, int]]
):
    exchange = Exchange(rule_set)
    mids = dict(MIDS_E8)
    for proposal, moved_ppm in rounds:
        before = holding_of(exchange.account(), proposal.market)
        equity = exchange.account().equity_micros or 0
        decided, outcomes = exchange.do(proposal)
        for outcome in outcomes:
            assert is_done(outcome), (proposal, decided, outcome)
        after = holding_of(exchange.account(), proposal.market)
        if decided.actions and proposal.action is not CLOSE:
            value = after.quantity_nanos * mids[proposal.market] // NOTIONAL_DIVISOR
            assert value <= equity * proposal.share_ppm * proposal.leverage // PPM, (proposal, decided)
            margin = sum(perp.margin_micros for perp in exchange.account().perps if perp.market == proposal.market)
            if after.quantity_nanos > before.quantity_nanos:
                assert margin <= equity * proposal.share_ppm * 101 // (PPM * 100) + MICROS
        if proposal.action is not OPEN:
            assert after.quantity_nanos <= before.quantity_nanos
            assert after.direction in {0, before.direction}
        for market in MARKETS:
            mids[market] += mids[market] * moved_ppm // PPM
        exchange.move(mids)


def test_a_sized_order_says_its_side():
    exchange = Exchange()
    decided, _ = exchange.do(Proposal(SOL_PERP, OPEN, SHORT, 100_000, 2))
    assert [action.side for action in decided.actions if isinstance(action, PlaceAction)] == [Side.SELL]
