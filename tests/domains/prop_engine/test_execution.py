from pathlib import Path

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.domains.prop_engine.markets import CONF_E8, MID_E8, PRACTICE, SOL, rule_sets

from pump_party.domains.prop_engine.execution import check_funds, price_spot
from pump_party.domains.prop_engine.model import NO_PRESSURE, MarketOrder, Pressure, SpotFill, SpotParams
from pump_party.domains.prop_interface.contract import RejectCode, Side
from pump_party.kernel.money import format_e8, format_micros, format_nanos, parse_decimal

PARAMS = PRACTICE.spot[SOL]
NOW_MS = 1_767_225_601_300

mids = st.integers(min_value=10_000, max_value=10**13)
lots = st.integers(min_value=1, max_value=10**8)
sides = st.sampled_from(Side)


def price(order: MarketOrder, *, mid_e8: int = MID_E8, conf_e8: int = CONF_E8, age_ms: int = 300, **more: object):
    arguments = {"pressure": NO_PRESSURE, "params": PARAMS, "fill_ms": NOW_MS} | more
    return price_spot(order, mid_e8=mid_e8, conf_e8=conf_e8, publish_ms=NOW_MS - age_ms, **arguments)


def test_every_spot_vector_gives_exactly_its_integers(recorded_data: Path) -> None:
    vectors = msgspec.json.decode((recorded_data / "spec/vectors.json").read_bytes())
    params = _params(vectors["params"]["spot"])
    assert params == rule_sets()["practice-v2"].spot[SOL]
    for vector in vectors["spot"]:
        assert _outcome(vector, params) == vector["out"], vector["name"]


def test_a_market_order_fills_at_the_impacted_price_or_is_refused_in_order_of_checks() -> None:
    # side  size         conf      age_ms  cash     held  | outcome
    _blotter("""
        buy   1 SOL       0.075117  300     1000     0     | 150.3098 gross 150.3098 fee 0.105217 cash -150.415017
        sell  1 SOL       0.075117  300     0        1     | 150.1594 gross 150.1594 fee 0.105112 cash 150.054288
        buy   1000 USDC   0.075117  300     1000     0     | 150.3099 gross 999.290278 fee 0.699504 cash -999.989782
        buy   0 SOL       60        9999    0        0     | BAD_REQUEST
        sell  1000 USDC   60        9999    0        0     | BAD_REQUEST
        buy   1.00001 SOL 60        9999    0        0     | LOT_SIZE
        buy   1 SOL       60        3001    0        0     | PRICE_STALE
        buy   1 SOL       60        3000    0        0     | PRICE_UNCERTAIN
        sell  0.006 SOL   0.075117  300     0        0     | MIN_NOTIONAL
        buy   7000 SOL    0.075117  300     0        0     | MAX_NOTIONAL
        buy   1 SOL       0.075117  300     150      0     | INSUFFICIENT_FUNDS
        sell  1 SOL       0.075117  300     0        0.99  | INSUFFICIENT_POSITION
    """)


@given(mids, lots, st.integers(min_value=0, max_value=5_000))
def test_a_round_trip_on_one_tick_never_makes_money(mid_e8: int, lot_count: int, conf_ppm: int) -> None:
    nanos, conf_e8 = lot_count * PARAMS.lot_nanos, mid_e8 * conf_ppm // 10**6
    bought = price(MarketOrder(Side.BUY, nanos, None, None), mid_e8=mid_e8, conf_e8=conf_e8)
    sold = price(MarketOrder(Side.SELL, nanos, None, None), mid_e8=mid_e8, conf_e8=conf_e8)
    if isinstance(bought, SpotFill) and isinstance(sold, SpotFill):
        assert bought.cash_change_micros + sold.cash_change_micros <= 0


@given(mids, st.integers(min_value=1, max_value=10**12), st.integers(min_value=0, max_value=10**12))
def test_a_budget_is_never_overspent_and_no_amount_is_negative(mid_e8: int, budget: int, used: int) -> None:
    fill = price(MarketOrder(Side.BUY, None, budget, None), mid_e8=mid_e8, conf_e8=0, pressure=Pressure(used, NOW_MS))
    if isinstance(fill, SpotFill):
        assert 0 < -fill.cash_change_micros <= budget
        assert fill.gross_micros > 0 <= fill.fee_micros
        assert fill.price_e8 >= mid_e8


@given(st.integers(min_value=2, max_value=8), st.integers(min_value=10**9, max_value=9 * 10**11))
def test_cutting_an_order_into_pieces_gains_at_most_one_price_tick(pieces: int, budget: int) -> None:
    whole = price(MarketOrder(Side.BUY, None, budget, None))
    pressure, bought, spent = NO_PRESSURE, 0, 0
    for _ in range(pieces):
        piece = price(MarketOrder(Side.BUY, None, budget // pieces, None), pressure=pressure)
        assert isinstance(piece, SpotFill)
        pressure = Pressure(piece.pressure_after_micros, NOW_MS)
        bought += piece.quantity_nanos
        spent -= piece.cash_change_micros
    assert isinstance(whole, SpotFill)
    whole_price_e8 = whole.gross_micros * 10**11 // whole.quantity_nanos
    pieces_price_e8 = spent * 10**6 // (10**6 + PARAMS.taker_fee_ppm) * 10**11 // bought
    # Rounding to lots and micros of every piece stays far below one more tick.
    assert whole_price_e8 - pieces_price_e8 <= 2 * PARAMS.tick_e8


@given(sides, lots)
def test_a_larger_order_never_gets_a_better_price(side: Side, lot_count: int) -> None:
    small = price(MarketOrder(side, lot_count * PARAMS.lot_nanos, None, None))
    large = price(MarketOrder(side, 2 * lot_count * PARAMS.lot_nanos, None, None))
    if isinstance(small, SpotFill) and isinstance(large, SpotFill):
        worse = large.price_e8 - small.price_e8
        assert worse >= 0 if side is Side.BUY else worse <= 0


@pytest.mark.parametrize(
    ("limit_ppm", "outcome"), [(500, RejectCode.SLIPPAGE_LIMIT), (501, SpotFill), (50_000, SpotFill)]
)
def test_the_orders_own_slippage_limit_holds_to_the_part_per_million(limit_ppm: int, outcome: object) -> None:
    got = price(MarketOrder(Side.BUY, 10**9, None, limit_ppm), mid_e8=15_000_000_000, conf_e8=7_500_000 - 2_250)
    assert got is outcome or type(got) is outcome


def test_the_models_own_limit_stands_when_the_order_allows_more() -> None:
    deep = Pressure(94 * PARAMS.depth_per_bp_micros, NOW_MS)
    order = MarketOrder(Side.BUY, 10**9, None, 1_000_000)
    assert price(order, pressure=deep) is not RejectCode.SLIPPAGE_LIMIT
    deeper = Pressure(95 * PARAMS.depth_per_bp_micros, NOW_MS)
    assert price(order, pressure=deeper) is RejectCode.SLIPPAGE_LIMIT


def _params(row: dict[str, int]) -> SpotParams:
    names = {
        "lot_nanos": "lot_lamports",
        "min_notional_micros": "min_notional",
        "max_notional_micros": "max_notional",
        "depth_per_bp_micros": "depth_per_bp",
        "recovery_per_s_micros": "recovery_per_s",
    }
    return SpotParams(**{f: row[names.get(f, f)] for f in SpotParams.__struct_fields__})


def _outcome(vector: dict, params: SpotParams) -> dict[str, object]:
    order, tick, account = vector["order"], vector["tick"], vector["account"]
    side = Side(order["side"].lower())
    fill = price_spot(
        MarketOrder(side, order.get("qty"), order.get("quote"), order.get("max_slippage_ppm")),
        mid_e8=tick["mid"],
        conf_e8=tick["conf"],
        publish_ms=tick["publish_ms"],
        pressure=Pressure(*account["u_buy" if side is Side.BUY else "u_sell"]),
        params=params,
        fill_ms=vector["fill_ms"],
    )
    if isinstance(fill, SpotFill):
        fill = check_funds(fill, cash_micros=account["cash"], held_nanos=account["sol"]) or fill
    if isinstance(fill, RejectCode):
        return {"reject": fill.value}
    return {
        "side": fill.side.value.upper(),
        "qty": fill.quantity_nanos,
        "px_e8": fill.price_e8,
        "half_spread_e8": fill.half_spread_e8,
        "impact_e8": fill.impact_e8,
        "gross": fill.gross_micros,
        "fee": fill.fee_micros,
        "dcash": fill.cash_change_micros,
        "dsol": fill.held_change_nanos,
        "pressure_after": fill.pressure_after_micros,
    }


def _blotter(table: str) -> None:
    for line in table.strip().splitlines():
        given_, expected = (part.strip() for part in line.split("|"))
        side, size, unit, conf, age_ms, cash, held = given_.split()
        nanos = parse_decimal(size, decimals=9, field="size") if unit == "SOL" else None
        micros = parse_decimal(size, decimals=6, field="size") if unit == "USDC" else None
        got = price(
            MarketOrder(Side(side), nanos, micros, None),
            conf_e8=CONF_E8 if conf == "0.075117" else parse_decimal(conf, decimals=8, field="conf"),
            age_ms=int(age_ms),
        )
        if isinstance(got, SpotFill):
            funds = {"cash_micros": parse_decimal(cash, decimals=6, field="cash")}
            got = check_funds(got, held_nanos=parse_decimal(held, decimals=9, field="held"), **funds) or got
        assert _written(got) == expected, line


def _written(got: SpotFill | RejectCode) -> str:
    if isinstance(got, RejectCode):
        return got.value
    assert format_nanos(got.quantity_nanos)
    return (
        f"{format_e8(got.price_e8)} gross {format_micros(got.gross_micros)} fee {format_micros(got.fee_micros)} "
        f"cash {format_micros(got.cash_change_micros)}"
    )
