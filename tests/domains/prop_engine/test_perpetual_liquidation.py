import msgspec
import pytest
from tests.domains.prop_engine.perp_markets import (
    ENTRY_E8,
    NOW_MS,
    PARAMS,
    fill_at,
    flat,
    perp_quote,
    position_of,
    traded,
    watched,
)

from pump_party.domains.prop_engine.margin import (
    liquidation_price_e8,
    notional_micros,
)
from pump_party.domains.prop_engine.perp_model import FLAT, PerpPosition
from pump_party.domains.prop_engine.perpetual import (
    PARTIAL_ABOVE_MICROS,
    PARTIAL_WAIT_MS,
    apply_liquidation,
    liquidate,
)
from pump_party.domains.prop_engine.pricing import Prices
from pump_party.domains.prop_interface.contract import RejectCode, Side
from pump_party.kernel.money import PPM

SOL = 10**9
LOT = PARAMS.pricing.lot_nanos
DEEP_E8 = 14_630_000_000
"""Below the liquidation price of a long opened at ENTRY_E8 with leverage 20."""


def test_two_consecutive_ticks_must_agree_before_a_liquidation() -> None:
    position = position_of(Side.BUY, 10 * SOL, ENTRY_E8, 20)
    # mid       confidence  halted | called  liquidated
    for mid_e8, conf_e8, halted, called, quantity in [
        (DEEP_E8, 0, False, True, 0),
        (ENTRY_E8, 0, False, False, 0),
        (DEEP_E8, 0, False, True, 0),
        (DEEP_E8, DEEP_E8 // 100, False, False, 0),
        (DEEP_E8, 0, False, True, 0),
        (DEEP_E8, 0, True, False, 0),
        (DEEP_E8, 0, False, True, 0),
        (DEEP_E8, DEEP_E8 // 200, False, True, 10 * SOL),
        (DEEP_E8, 0, False, True, 10 * SOL),
    ]:
        position, due = watched(position, mid_e8, conf_e8=conf_e8, halted=halted)
        assert (position.breach_ms > 0, due) == (called, quantity), (mid_e8, conf_e8, halted)
    assert watched(flat(), DEEP_E8) == (flat(), 0)


def test_a_tick_that_is_delivered_again_does_not_agree_with_itself_and_an_older_one_calls_nothing_off() -> None:
    called, _ = watched(position_of(Side.BUY, 10 * SOL, ENTRY_E8, 20), DEEP_E8, publish_ms=NOW_MS)
    assert watched(called, DEEP_E8, publish_ms=NOW_MS) == (called, 0)
    assert watched(called, ENTRY_E8, publish_ms=NOW_MS - 1) == (called, 0)
    assert watched(called, DEEP_E8, publish_ms=NOW_MS + 1)[1] == 10 * SOL


def test_the_trigger_looks_at_the_mid_and_not_at_the_worse_side() -> None:
    position = position_of(Side.BUY, 10 * SOL, ENTRY_E8, 20)
    just_above_e8 = liquidation_price_e8(position, PARAMS) + 10
    for _ in range(3):
        position, due = watched(position, just_above_e8, conf_e8=just_above_e8 // 200)
        assert (position.breach_ms, due) == (0, 0)


def test_a_large_position_is_liquidated_by_a_fifth_and_then_wholly_after_thirty_seconds() -> None:
    deeper_e8 = 14_500_000_000
    position = position_of(Side.BUY, 1_000 * SOL, ENTRY_E8, 20)
    assert notional_micros(position.quantity_nanos, deeper_e8) > PARTIAL_ABOVE_MICROS
    position, _ = watched(position, deeper_e8)
    position, due = watched(position, deeper_e8)
    assert due == 200 * SOL
    first = liquidated(position, due, mid_e8=deeper_e8)
    assert (first.cash_change_micros, first.quantity_nanos) == (0, 200 * SOL)
    assert first.margin_change_micros == first.realised_pnl_micros - first.fee_micros - first.liquidation_fee_micros

    _, due = watched(first.position, deeper_e8, now_ms=NOW_MS + PARTIAL_WAIT_MS - 1)
    assert due == 0
    position, due = watched(first.position, deeper_e8, now_ms=NOW_MS + PARTIAL_WAIT_MS)
    assert due == 800 * SOL
    assert liquidated(position, due, mid_e8=deeper_e8).position.direction == FLAT


def test_a_fifth_that_leaves_margin_enough_for_the_rest_is_all_that_is_liquidated() -> None:
    position = position_of(Side.BUY, 1_000 * SOL, ENTRY_E8, 20)
    position, _ = watched(position, DEEP_E8)
    position, due = watched(position, DEEP_E8)
    position, due = watched(liquidated(position, due).position, DEEP_E8, now_ms=NOW_MS + PARTIAL_WAIT_MS)
    assert (position.breach_ms, position.partial_ms, due) == (0, None, 0)
    assert position.quantity_nanos == 800 * SOL


@pytest.mark.parametrize(
    ("quantity_nanos", "first_nanos"), [(666 * SOL + 7 * LOT, 133_210_000_000), (683 * SOL, 136_600_000_000)]
)
def test_a_fifth_is_a_whole_number_of_lots(quantity_nanos: int, first_nanos: int) -> None:
    at_e8 = 15_100_000_000
    position = msgspec.structs.replace(position_of(Side.SELL, quantity_nanos, ENTRY_E8, 20), margin_micros=0)
    position, _ = watched(position, at_e8)
    assert watched(position, at_e8)[1] == first_nanos


def test_a_liquidation_has_no_size_or_slippage_limit_but_needs_a_fresh_and_certain_price() -> None:
    huge = position_of(Side.BUY, 400_000 * SOL, ENTRY_E8, 20)
    assert traded(huge, Side.SELL, 400_000 * SOL) is RejectCode.MAX_NOTIONAL
    ended = liquidated(huge, huge.quantity_nanos)
    assert (DEEP_E8 - ended.price_e8) * PPM > PARAMS.pricing.max_slippage_ppm * DEEP_E8
    assert liquidated(huge, huge.quantity_nanos, age_ms=3_001) is RejectCode.PRICE_STALE
    assert liquidated(huge, huge.quantity_nanos, conf_e8=DEEP_E8 // 100) is RejectCode.PRICE_UNCERTAIN


def test_fee_then_liquidation_fee_take_what_is_left_and_insurance_pays_the_rest() -> None:
    position = position_of(Side.BUY, 10 * SOL, ENTRY_E8, 20)
    # exit price     returned    fee      liquidation fee  shortfall
    for price_e8, returned, fee, liquidation_fee, shortfall in [
        (14_630_000_000, 31_455_450, 658_350, 3_657_500, 0),
        (14_300_000_000, 0, 643_500, 2_127_800, 0),
        (14_273_000_000, 0, 71_300, 0, 0),
        (14_000_000_000, 0, 0, 0, 27_228_700),
    ]:
        ended = apply_liquidation(position, fill_at(Side.SELL, 10 * SOL, price_e8), fill_ms=NOW_MS, params=PARAMS)
        assert ended.cash_change_micros == returned
        assert (ended.fee_micros, ended.liquidation_fee_micros) == (fee, liquidation_fee)
        assert ended.shortfall_micros == shortfall
        assert ended.insurance_change_micros == liquidation_fee - shortfall
        assert ended.position.realised_pnl_micros == ended.realised_pnl_micros + shortfall
        assert ended.position.realised_pnl_micros >= -position.margin_micros


def liquidated(
    position: PerpPosition, quantity_nanos: int, *, mid_e8: int = DEEP_E8, conf_e8: int = 0, age_ms: int = 0
):
    quote = perp_quote(mid_e8, conf_e8, age_ms=age_ms)
    return liquidate(position, quantity_nanos, Prices(quote), fill_ms=NOW_MS, params=PARAMS)
