"""What a rule block decides: clause by clause, exactly, the same every time, and unknown numbers decide nothing."""

from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace
from tests.domains.aitrading.worlds import (
    CLOSE,
    EMA,
    FUNDING,
    MIDS_E8,
    RSI,
    SLOT_MS,
    SOL,
    SOL_PERP,
    account,
    snapshot,
)

from pump_party.domains.aitrading.model import Direction, Proposal, ProposalAction
from pump_party.domains.aitrading.rules import compile_rule
from pump_party.domains.clones.contract import (
    AllOf,
    Always,
    AnyOf,
    Chance,
    Clause,
    Close,
    Compare,
    Condition,
    Cross,
    FeatureOperand,
    Hold,
    Not,
    NumberOperand,
    Op,
    Operand,
    PositionFigure,
    PositionOperand,
    RuleAction,
    RuleNode,
    Target,
)
from pump_party.domains.marketdata.contract import UNIT_SCALE, Feature, FeatureUnit, MarketSnapshot
from pump_party.domains.prop_interface.contract import AccountView
from pump_party.kernel.money import E8, NOTIONAL_DIVISOR, PPM

ABOVE, BELOW = Op.ABOVE, Op.BELOW
FEATURES = (CLOSE, EMA, FUNDING, RSI)
HALF = Target(500_000)


def decide(
    *clauses: Clause, shown: MarketSnapshot | None = None, view: AccountView | None = None, slot_ms: int = SLOT_MS
) -> Proposal:
    return compile_rule(RuleNode("rule", clauses), FEATURES)(shown or snapshot(), view or account(), slot_ms)


def holds(condition: Condition, shown: MarketSnapshot | None = None, view: AccountView | None = None) -> bool:
    return decide(Clause(condition, HALF), shown=shown, view=view).action is ProposalAction.OPEN


def feature(which: Feature, scale_ppm: int = PPM) -> FeatureOperand:
    return FeatureOperand(which, scale_ppm)


def number(value: str, unit: FeatureUnit = FeatureUnit.PRICE) -> NumberOperand:
    return NumberOperand(value, unit)


def test_the_first_clause_that_holds_decides_and_none_holds_the_position():
    no = Compare(feature(CLOSE), ABOVE, number("1000"))
    first = decide(Clause(no, Close()), Clause(Always(), HALF), Clause(Always(), Close()))
    assert (first.action, first.reason) == (ProposalAction.OPEN, "clause 2 of rule")
    assert decide(Clause(no, HALF)) == Proposal(SOL, ProposalAction.HOLD, reason="no clause of rule holds")
    assert decide(Clause(Always(), Hold())).action is ProposalAction.HOLD


@pytest.mark.parametrize(
    ("condition", "expected"),
    [
        (Compare(feature(CLOSE), ABOVE, number("142.49999999")), True),
        (Compare(feature(CLOSE), ABOVE, number("142.5")), False),
        (Compare(feature(CLOSE), BELOW, number("142.50000001")), True),
        (Compare(feature(CLOSE), ABOVE, feature(EMA, 999_999)), True),
        (Compare(feature(CLOSE, 1_000_001), BELOW, feature(EMA, 1_000_002)), True),
        (Compare(feature(RSI), BELOW, number("50.000001", FeatureUnit.INDEX)), True),
        (Compare(feature(FUNDING), ABOVE, number("0.0000119", FeatureUnit.RATIO)), True),
        (Compare(feature(FUNDING), ABOVE, number("-0.000012", FeatureUnit.RATIO)), True),
        (Compare(feature(FUNDING), BELOW, number("0.000012001", FeatureUnit.RATIO)), True),
    ],
)
def test_comparisons_are_exact_to_the_last_digit(condition: Compare, expected: bool):
    assert holds(condition) is expected


@pytest.mark.parametrize(
    ("now", "before", "crossed_up", "crossed_down"),
    [
        (143 * E8, 142 * E8, True, False),
        (143 * E8, 142_5000_0000, True, False),
        (142_5000_0000, 142 * E8, False, False),
        (144 * E8, 143 * E8, False, False),
        (142 * E8, 143 * E8, False, True),
        (143 * E8, None, False, False),
        (None, 143 * E8, False, False),
    ],
)
def test_a_cross_is_the_bar_on_which_the_side_changed(
    now: int | None, before: int | None, crossed_up: bool, crossed_down: bool
):
    shown = snapshot(close=(now, before))
    assert holds(Cross(feature(CLOSE), ABOVE, feature(EMA)), shown) is crossed_up
    assert holds(Cross(feature(CLOSE), BELOW, number("142.5")), shown) is crossed_down


def test_a_number_that_is_not_known_makes_nothing_hold_not_even_its_negation():
    unknown = Compare(feature(CLOSE), ABOVE, feature(EMA))
    shown = snapshot(ema=(None, None))
    assert not holds(unknown, shown)
    assert not holds(Not(unknown), shown)
    assert not holds(AllOf((Always(), Not(unknown))), shown)
    assert holds(AnyOf((unknown, Always())), shown)
    assert not holds(AllOf((unknown, Not(Always()))), shown)
    assert holds(Not(AllOf((unknown, Not(Always())))), shown)
    assert not holds(Compare(feature(CLOSE), ABOVE, feature(Feature(EMA.name, EMA.interval, 199))))


def test_chance_holds_in_its_share_of_slots_and_the_same_in_every_replay():
    clause = Clause(Chance(250_000, 7), HALF)
    slots = [SLOT_MS + 60_000 * n for n in range(4_000)]
    first = [decide(clause, slot_ms=slot).action for slot in slots]

    assert first == [decide(clause, slot_ms=slot).action for slot in slots]
    assert 900 < first.count(ProposalAction.OPEN) < 1_100
    other_seed = [decide(Clause(Chance(250_000, 8), HALF), slot_ms=slot).action for slot in slots]
    other_market = [decide(clause, slot_ms=slot, shown=snapshot(SOL_PERP)).action for slot in slots]
    assert first != other_seed
    assert first != other_market


SOL_HALF = 5_000 * 10**6 * NOTIONAL_DIVISOR // MIDS_E8[SOL]


@pytest.mark.parametrize(
    ("action", "view", "expected"),
    [
        (HALF, account(), Proposal(SOL, ProposalAction.OPEN, Direction.LONG, 500_000)),
        (HALF, account(cash_micros=8_000_000_000, spot={SOL: SOL_HALF * 2 // 5}), "open"),
        (
            HALF,
            account(cash_micros=0, spot={SOL: SOL_HALF}),
            Proposal(SOL, ProposalAction.REDUCE, Direction.LONG, 500_000),
        ),
        (Target(500_000, band_ppm=20_000), account(cash_micros=5_100_000_000, spot={SOL: SOL_HALF}), "hold"),
        (Target(500_000, band_ppm=5_000), account(cash_micros=5_200_000_000, spot={SOL: SOL_HALF}), "open"),
        (Target(0), account(spot={SOL: SOL_HALF}), Proposal(SOL, ProposalAction.CLOSE)),
        (Close(), account(spot={SOL: SOL_HALF}), Proposal(SOL, ProposalAction.CLOSE)),
        (Close(), account(), "hold"),
        (Target(0), account(), "hold"),
    ],
)
def test_a_target_is_opened_increased_reduced_kept_or_closed(
    action: RuleAction, view: AccountView, expected: Proposal | str
):
    decided = decide(Clause(Always(), action), view=view)
    if isinstance(expected, str):
        assert decided.action.value == expected
    else:
        assert (decided.action, decided.side, decided.share_ppm) == (expected.action, expected.side, expected.share_ppm)


def test_a_short_target_of_a_perpetual_turns_a_long_round_with_exits_on_its_own_sides():
    target = Target(-300_000, leverage=3, stop_ppm=20_000, target_ppm=50_001)
    view = account(perps={SOL_PERP: (10**10, 3)})

    decided = decide(Clause(Always(), target), shown=snapshot(SOL_PERP), view=view)

    assert decided == Proposal(
        SOL_PERP,
        ProposalAction.OPEN,
        Direction.SHORT,
        300_000,
        3,
        stop_price_e8=145_3500_0000,
        target_price_e8=135_3748_5750,
        reason="clause 1 of rule",
    )


def test_exits_are_rounded_away_from_the_price():
    shown = snapshot(mid_e8=142_5000_0001)
    decided = decide(Clause(Always(), Target(500_000, stop_ppm=10_000, target_ppm=10_000)), shown=shown)
    assert (decided.stop_price_e8, decided.target_price_e8) == (141_0750_0000, 143_9250_0002)


def test_the_band_of_a_perpetual_is_measured_at_the_targets_leverage():
    target = Target(300_000, leverage=3, band_ppm=10_000)
    at_target = account(
        cash_micros=7_000_000_000, perps={SOL_PERP: (9_000 * 10**6 * NOTIONAL_DIVISOR // 142_5000_0000, 3)}
    )
    assert decide(Clause(Always(), target), shown=snapshot(SOL_PERP), view=at_target).action is ProposalAction.HOLD


def test_a_condition_may_ask_what_the_position_is_and_what_it_made():
    view = account(cash_micros=5_000_000_000, spot={SOL: SOL_HALF})
    share = Compare(PositionOperand(PositionFigure.SHARE), ABOVE, number("0.49", FeatureUnit.RATIO))
    made = Compare(PositionOperand(PositionFigure.RETURN), ABOVE, number("0.099", FeatureUnit.RATIO))

    assert decide(Clause(share, Close()), view=view).action is ProposalAction.CLOSE
    assert decide(Clause(share, Close())).action is ProposalAction.HOLD
    up = snapshot(mid_e8=MIDS_E8[SOL] * 11 // 10)
    assert decide(Clause(made, Close()), view=view, shown=up).action is ProposalAction.CLOSE
    assert decide(Clause(made, Close()), view=view).action is ProposalAction.HOLD


def test_the_return_of_a_perpetual_is_over_its_margin_and_a_shorts_share_is_negative():
    view = account(perps={SOL_PERP: (-(10**10), 5)})
    down = snapshot(SOL_PERP, mid_e8=MIDS_E8[SOL_PERP] * 98 // 100)
    made = Compare(PositionOperand(PositionFigure.RETURN), ABOVE, number("0.0999", FeatureUnit.RATIO))
    short = Compare(PositionOperand(PositionFigure.SHARE), BELOW, number("0", FeatureUnit.RATIO))

    assert decide(Clause(AllOf((made, short)), Close()), shown=down, view=view).action is ProposalAction.CLOSE


PRICES = st.one_of(st.none(), st.integers(0, 300 * E8), st.just(142_5000_0000))
PRICE_OPERANDS = st.one_of(
    st.builds(FeatureOperand, st.sampled_from([CLOSE, EMA]), st.integers(-2 * PPM, 2 * PPM)),
    st.builds(number, st.decimals(0, 300, places=8).map(lambda value: format(value, "f"))),
)
LEAVES = st.one_of(
    st.builds(Compare, PRICE_OPERANDS, st.sampled_from(Op), PRICE_OPERANDS),
    st.builds(Cross, PRICE_OPERANDS, st.sampled_from(Op), PRICE_OPERANDS),
    st.just(Always()),
)
CONDITIONS = st.recursive(
    LEAVES,
    lambda inner: st.one_of(
        st.builds(AllOf, st.lists(inner, max_size=3).map(tuple)),
        st.builds(AnyOf, st.lists(inner, max_size=3).map(tuple)),
        st.builds(Not, inner),
    ),
    max_leaves=10,
)


@given(condition=CONDITIONS, close=st.tuples(PRICES, PRICES), ema=st.tuples(PRICES, PRICES))
def test_any_condition_means_what_it_says(
    condition: Condition, close: tuple[int | None, int | None], ema: tuple[int | None, int | None]
):
    """Held against a plain interpreter of the words, in fractions."""
    shown = snapshot(close=close, ema=ema)
    values = {CLOSE: close, EMA: ema}

    assert holds(condition, shown) is (_truth(condition, values) is True)
    assert holds(Not(condition), shown) is (_truth(condition, values) is False)


Values = dict[Feature, tuple[int | None, int | None]]


def _truth(condition: Condition, values: Values) -> bool | None:
    match condition:
        case Compare(left, op, right):
            return _compared(_value(left, values, 0), op, _value(right, values, 0))
        case Cross(left, op, right):
            now = _compared(_value(left, values, 0), op, _value(right, values, 0))
            before = _compared(_value(left, values, 1), op, _value(right, values, 1))
            return None if now is None or before is None else now and not before
        case AllOf(inner):
            found = [_truth(one, values) for one in inner]
            return False if False in found else None if None in found else True
        case AnyOf(inner):
            found = [_truth(one, values) for one in inner]
            return True if True in found else None if None in found else False
        case Not(one):
            found_one = _truth(one, values)
            return None if found_one is None else not found_one
    return True


def _value(operand: Operand, values: Values, bar: int) -> Fraction | None:
    match operand:
        case FeatureOperand(which, scale_ppm):
            raw = values[which][bar]
            return None if raw is None else Fraction(raw, E8) * Fraction(scale_ppm, PPM)
        case NumberOperand(value, unit):
            return Fraction(value) * UNIT_SCALE[unit] / E8
    raise AssertionError(operand)


def _compared(left: Fraction | None, op: Op, right: Fraction | None) -> bool | None:
    if left is None or right is None:
        return None
    return left > right if op is ABOVE else left < right


def test_a_rule_finds_its_features_wherever_the_snapshot_has_them():
    rule = compile_rule(
        RuleNode("rule", (Clause(Compare(feature(RSI), ABOVE, number("40", FeatureUnit.INDEX)), HALF),)), (RSI,)
    )
    assert rule(snapshot(), account(), SLOT_MS).action is ProposalAction.OPEN


def test_without_equity_a_target_is_still_wanted_and_left_to_the_gates():
    assert decide(Clause(Always(), HALF), view=_without_equity()).action is ProposalAction.OPEN
    share = Compare(PositionOperand(PositionFigure.SHARE), BELOW, number("1", FeatureUnit.RATIO))
    assert decide(Clause(share, Close()), view=_without_equity()).action is ProposalAction.HOLD


def _without_equity() -> AccountView:
    return replace(account(spot={SOL: 10**9}), equity_micros=None)
