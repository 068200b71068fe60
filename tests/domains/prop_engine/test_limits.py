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
        (
            "sell",
            {"quantity_nanos": ONE_SOL, "terms": OrderTerms(OrderKind.LIMIT, 100 * 10**8)},
            True,
            150 * USDC,
        ),
    ],
)
def test_an_order_adds_its_notional_at_its_own_price_unless_it_only_reduces(side, fields, is_perp, added):
    command = msgspec.structs.replace(order("u", "a", "k", side), **fields)
    assert added_micros(command, QUOTE, is_perp=is_perp) == added


def test_the_worst_case_of_a_side_is_that_all_its_orders_fill_and_nothing_stands_against_them():
    exposure = Exposure(10, 5, 20)
    assert (exposure.worst_micros(Side.BUY), exposure.worst_micros(Side.SELL)) == (15, 20)
    exposure = Exposure(-10, 5, 1)
    assert (exposure.worst_micros(Side.BUY), exposure.worst_micros(Side.SELL)) == (5, 11)
    long_with_sale = exposure_of(2 * ONE_SOL, [order("u", "a", "k", "sell", 5 * ONE_SOL)], QUOTE, is_perp=True)
    assert (long_with_sale.position_micros, long_with_sale.selling_micros) == (300 * USDC, 750 * USDC)
    assert exposure_of(-ONE_SOL, [], QUOTE, is_perp=True) == Exposure(-150 * USDC, 0, 0)


@pytest.mark.parametrize(
    ("position", "waiting", "side", "sols", "code"),
    [
        (0, 0, "buy", 2, None),
        (0, 0, "buy", 3, RejectCode.MAX_NOTIONAL),
        (-1, 0, "sell", 1, None),
        (-5, 0, "sell", 1, RejectCode.MAX_NOTIONAL),
        (5, 0, "sell", 2, None),
        (5, 0, "sell", 3, RejectCode.MAX_NOTIONAL),
        (2, 1, "sell", 1, None),
        (2, 1, "sell", 2, RejectCode.MAX_NOTIONAL),
        (-2, 2, "buy", 2, None),
        (-2, 2, "buy", 3, RejectCode.MAX_NOTIONAL),
    ],
)
def test_an_order_that_may_open_counts_as_if_the_position_it_meets_were_gone(position, waiting, side, sols, code):
    """`waiting` sells."""
    orders = [order("u", "a", "w", "sell", waiting * ONE_SOL)] if waiting else []
    exposure = exposure_of(position * ONE_SOL, orders, QUOTE, is_perp=True)
    command = order("u", "a", "k", side, sols * ONE_SOL)
    rules = RiskRules(max_position_micros=300 * USDC)
    assert check_limits(rules, command, exposure, QUOTE, is_perp=True, orders_last_minute=0) is code
    reducing = msgspec.structs.replace(command, terms=OrderTerms(reduce_only=True))
    assert check_limits(rules, reducing, exposure, QUOTE, is_perp=True, orders_last_minute=0) is None


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
