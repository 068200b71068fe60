import msgspec
import pytest
from tests.domains.prop_engine.markets import order, quote_at

from pump_party.domains.prop_engine.limits import Exposure, added_micros, check_limits, exposure_of
from pump_party.domains.prop_engine.risk import RiskRules
from pump_party.domains.prop_interface.contract import OrderKind, OrderTerms, RejectCode, Side

QUOTE = quote_at(1_750_000_000_000, mid_e8=150 * 10**8)
ONE_SOL = 10**9
USDC = 10**6


@pytest.mark.parametrize(
    ("side", "fields", "is_perp", "added"),
    [
        ("buy", {"quantity_nanos": ONE_SOL}, False, 150 * USDC),
        ("sell", {"quantity_nanos": ONE_SOL}, False, 0),
        ("sell", {"quantity_nanos": ONE_SOL}, True, 150 * USDC),
        ("buy", {"quote_micros": 70 * USDC}, False, 70 * USDC),
        ("buy", {"quantity_nanos": 1}, False, 1),
        ("buy", {"quantity_nanos": -ONE_SOL}, False, 0),
        ("sell", {"terms": OrderTerms(reduce_only=True)}, True, 0),
        ("buy", {"quantity_nanos": ONE_SOL, "terms": OrderTerms(OrderKind.LIMIT, 100 * 10**8)}, False, 100 * USDC),
        (
            "buy",
            {"quantity_nanos": ONE_SOL, "terms": OrderTerms(OrderKind.STOP, trigger_price_e8=200 * 10**8)},
            False,
            200 * USDC,
        ),
    ],
)
def test_an_order_adds_its_notional_at_its_own_price_unless_it_only_reduces(side, fields, is_perp, added):
    command = msgspec.structs.replace(order("u", "a", "k", side), **fields)
    assert added_micros(command, QUOTE, is_perp=is_perp) == added


def test_the_worst_case_is_that_all_waiting_orders_of_one_side_fill():
    assert Exposure(10, 5, 20).worst_micros() == 15
    assert Exposure(10, 5, 26).worst_micros() == 16
    assert Exposure(-10, 5, 1).worst_micros() == 11
    long_with_sale = exposure_of(2 * ONE_SOL, [order("u", "a", "k", "sell", 5 * ONE_SOL)], QUOTE, is_perp=True)
    assert (long_with_sale.position_micros, long_with_sale.selling_micros) == (300 * USDC, 750 * USDC)
    assert exposure_of(-ONE_SOL, [], QUOTE, is_perp=True) == Exposure(-150 * USDC, 0, 0)


@pytest.mark.parametrize(
    ("position", "side", "sols", "code"),
    [
        (0, "buy", 2, None),
        (0, "buy", 3, RejectCode.MAX_NOTIONAL),
        (5, "sell", 1, None),
        (5, "sell", 7, None),
        (5, "sell", 10, None),
        (5, "sell", 11, RejectCode.MAX_NOTIONAL),
        (-5, "buy", 5, None),
        (-5, "sell", 1, RejectCode.MAX_NOTIONAL),
    ],
)
def test_a_position_beyond_its_limit_may_shrink_and_turn_but_not_grow(position, side, sols, code):
    exposure = exposure_of(position * ONE_SOL, [], QUOTE, is_perp=True)
    got = check_limits(
        RiskRules(max_position_micros=300 * USDC),
        order("u", "a", "k", side, sols * ONE_SOL),
        exposure,
        QUOTE,
        is_perp=True,
        orders_last_minute=0,
    )
    assert got is code


def test_without_a_price_only_market_and_rate_are_judged():
    rules = RiskRules(max_position_micros=1, orders_per_minute=1)
    command = order("u", "a", "k", Side.BUY.value, ONE_SOL)
    assert check_limits(rules, command, None, None, is_perp=False, orders_last_minute=0) is None
    assert check_limits(rules, command, None, None, is_perp=False, orders_last_minute=1) is RejectCode.RATE_LIMITED


@pytest.mark.parametrize(
    ("position", "waiting", "side", "reduce_only", "code"),
    [
        (0, [], "buy", False, RejectCode.MAX_LEVERAGE),
        (9, [], "sell", False, RejectCode.MAX_LEVERAGE),
        (0, [("buy", 9)], "sell", False, RejectCode.MAX_LEVERAGE),
        (9, [], "sell", True, None),
    ],
)
def test_no_order_that_could_open_a_position_goes_beyond_the_leverage_whatever_stands_against_it(
    position, waiting, side, reduce_only, code
):
    orders = [order("u", "a", "k", way, size * ONE_SOL) for way, size in waiting]
    exposure = exposure_of(position * ONE_SOL, orders, QUOTE, is_perp=True)
    terms = OrderTerms(leverage=20, reduce_only=reduce_only)
    command = msgspec.structs.replace(order("u", "a", "k", side, 5 * ONE_SOL), terms=terms)
    rules = RiskRules(max_leverage=10)
    assert check_limits(rules, command, exposure, QUOTE, is_perp=True, orders_last_minute=0) is code
