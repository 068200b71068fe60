from pathlib import Path
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.domains.prop_engine.perp_markets import PARAMS, fill_at, opened, perp_params, position_of

from pump_party.domains.prop_engine.margin import (
    below_maintenance,
    funding_cash_micros,
    funding_rate_ppb_8h,
    initial_margin_micros,
    liquidation_price_e8,
    maintenance,
    maintenance_margin_micros,
    notional_micros,
    position_equity_micros,
    unrealised_pnl_micros,
    watch_price_e8,
)
from pump_party.domains.prop_engine.perp_model import LONG, MarginTier, PerpPosition
from pump_party.domains.prop_engine.perpetual import apply_fill, apply_liquidation
from pump_party.domains.prop_interface.contract import RejectCode, Side
from pump_party.kernel.money import NOTIONAL_DIVISOR

ENTRY_E8 = 15_023_460_000
TEN_SOL = 10_000_000_000
CLOSING = {"leverage": 1, "cash_micros": 0, "publish_ms": 0, "fill_ms": 0, "params": PARAMS}

lots = st.integers(min_value=1, max_value=10**8)
ticks = st.integers(min_value=100, max_value=10**8)
sides = st.sampled_from(Side)
leverages = st.integers(min_value=1, max_value=10)


def test_the_parameters_are_those_of_the_vectors(recorded_data: Path) -> None:
    theirs = _vectors(recorded_data)["params"]["perp"]
    ours = msgspec.to_builtins(PARAMS)
    assert [(t["lower_micros"], t["max_leverage"]) for t in ours["tiers"]] == [
        (t["lower"], t["max_lev"]) for t in theirs["tiers"]
    ]
    names = {"liq_fee_ppm": "liquidation_fee_ppm", "premium_clamp_ppb": "premium_clamp_ppb"}
    names |= {name: name for name in ("interest_8h_ppb", "funding_cap_1h_ppb")}
    assert {name: ours[own] for name, own in names.items()} == {name: theirs[name] for name in names}
    pricing = {"lot_lamports": "lot_nanos", "depth_per_bp": "depth_per_bp_micros"}
    pricing |= {"min_notional": "min_notional_micros", "max_notional": "max_notional_micros"}
    pricing |= {"recovery_per_s": "recovery_per_s_micros"}
    pricing |= {name: name for name in ("market", "model", "tick_e8", "taker_fee_ppm", "max_conf_ppm", "conf_mult_ppm")}
    assert {name: ours["pricing"][own] for name, own in pricing.items()} == {name: theirs[name] for name in pricing}


def test_every_perpetual_vector_gives_exactly_its_integers(recorded_data: Path) -> None:
    vectors = _vectors(recorded_data)["perp"]
    assert vectors
    for vector in vectors:
        name = vector["name"]
        assert _outcome(name, vector) == {k: v for k, v in vector["out"].items() if k != "hyperliquid_form_e8"}, name
        if "hyperliquid_form_e8" in vector["out"]:
            theirs = float(vector["out"]["hyperliquid_form_e8"])
            assert abs(vector["out"]["liq_px_e8"] - theirs) < 1


@given(st.integers(min_value=1, max_value=10**17), st.sampled_from(sorted(perp_params())))
def test_maintenance_margin_is_continuous_where_tiers_meet_and_grows_with_the_notional(notional: int, market) -> None:
    tiers = perp_params()[market].tiers
    assert maintenance_margin_micros(notional, tiers) <= maintenance_margin_micros(notional + 1, tiers)
    for tier in tiers[1:]:
        below, at = (maintenance_margin_micros(n, tiers) for n in (tier.lower_micros - 1, tier.lower_micros))
        assert 0 <= at - below <= 1
        assert maintenance(tier.lower_micros, tiers).tier == maintenance(tier.lower_micros - 1, tiers).tier + 1


@given(
    st.integers(min_value=1, max_value=10**17), st.lists(st.integers(1, 10**16), min_size=1, max_size=4, unique=True)
)
def test_the_margin_required_is_that_of_every_part_at_its_tiers_rate(notional: int, bounds: list[int]) -> None:
    lowers = [0, *sorted(bounds)]
    tiers = tuple(MarginTier(lower, 40 // (k + 1)) for k, lower in enumerate(lowers))
    uppers = [*lowers[1:], max(notional, lowers[-1])]
    parts = [
        (min(notional, upper) - lower, tier.max_leverage)
        for lower, upper, tier in zip(lowers, uppers, tiers, strict=True)
        if notional > lower
    ]
    line = maintenance(notional, tiers)
    exact = sum(part * line.denominator // (2 * leverage) for part, leverage in parts)
    assert maintenance_margin_micros(notional, tiers) == -(-exact // line.denominator)


@given(sides, lots, ticks, st.integers(min_value=1, max_value=10**13))
def test_unrealised_pnl_rounds_down_and_never_adds_up_to_a_gain(side: Side, lot: int, tick: int, mark_e8: int) -> None:
    nanos, price_e8 = lot * PARAMS.pricing.lot_nanos, tick * PARAMS.pricing.tick_e8
    position = _position(side, nanos, price_e8, leverage=1)
    pnl = unrealised_pnl_micros(position, mark_e8)
    exact = position.direction * nanos * (mark_e8 - price_e8)
    assert 0 <= exact - pnl * NOTIONAL_DIVISOR < NOTIONAL_DIVISOR
    other = _position(Side.SELL if side is Side.BUY else Side.BUY, nanos, price_e8, leverage=1)
    assert -1 <= pnl + unrealised_pnl_micros(other, mark_e8) <= 0


@given(sides, lots, ticks, leverages)
def test_the_liquidation_price_is_where_the_trigger_fires(side: Side, lot: int, tick: int, leverage: int) -> None:
    nanos, price_e8 = lot * PARAMS.pricing.lot_nanos, tick * PARAMS.pricing.tick_e8
    position = _position(side, nanos, price_e8, leverage)
    at_e8 = liquidation_price_e8(position, PARAMS)
    # Equity and margin are rounded to a micro-USDC each; so much may the price miss by.
    step_e8 = 4 * NOTIONAL_DIVISOR // nanos + 2
    towards_loss = -1 if position.direction == LONG else 1
    if at_e8 > step_e8:
        assert below_maintenance(position, at_e8 + towards_loss * step_e8, PARAMS)
    assert not below_maintenance(position, max(1, at_e8 - towards_loss * step_e8), PARAMS)


@given(sides, lots, ticks, leverages, st.integers(1, 10**6))
def test_no_mid_on_the_safe_side_of_the_watch_price_is_below_maintenance(
    side: Side, lot: int, tick: int, leverage: int, off_e8: int
) -> None:
    nanos, price_e8 = lot * PARAMS.pricing.lot_nanos, tick * PARAMS.pricing.tick_e8
    position = _position(side, nanos, price_e8, leverage)
    towards_gain = 1 if position.direction == LONG else -1
    mid_e8 = watch_price_e8(position, PARAMS) + towards_gain * off_e8
    assert not below_maintenance(position, max(1, mid_e8), PARAMS)


def test_a_position_whose_margin_covers_everything_has_no_liquidation_price() -> None:
    assert liquidation_price_e8(position_of(Side.BUY, TEN_SOL, ENTRY_E8, leverage=1), PARAMS) == 0


@pytest.mark.parametrize(
    ("premium_ppb", "rate_ppb"),
    [
        (0, 100_000),
        (600_000, 100_000),
        (600_001, 100_001),
        (-400_000, 100_000),
        (-400_001, 99_999),
        (10**9, 999_500_000),
    ],
)
def test_funding_stays_at_the_interest_while_the_premium_is_near_it(premium_ppb: int, rate_ppb: int) -> None:
    assert funding_rate_ppb_8h(premium_ppb, PARAMS) == rate_ppb


@given(st.integers(0, 10**15), st.integers(1, 10**13), st.integers(-(10**10), 10**10))
def test_funding_never_pays_out_more_than_it_takes_and_never_more_than_the_cap(nanos: int, mark_e8: int, rate: int):
    cap = PARAMS.funding_cap_1h_ppb
    sizes = {"quantity_nanos": nanos, "mark_e8": mark_e8, "rate_ppb_8h": rate, "cap_1h_ppb": cap}
    longs, shorts = funding_cash_micros(direction=1, **sizes), funding_cash_micros(direction=-1, **sizes)
    assert -1 <= longs + shorts <= 0
    assert max(longs, shorts) * 10**9 <= notional_micros(nanos, mark_e8) * cap


def _vectors(recorded_data: Path) -> dict[str, Any]:
    return msgspec.json.decode((recorded_data / "spec/vectors.json").read_bytes())


def _position(side: Side, nanos: int, price_e8: int, leverage: int) -> PerpPosition:
    change = opened(side, nanos, price_e8, leverage)
    if isinstance(change, RejectCode):
        change = opened(side, nanos, price_e8, 1)
    assert not isinstance(change, RejectCode)
    return change.position


def _outcome(name: str, vector: dict[str, Any]) -> dict[str, Any]:
    """Vectors P09 to P13 say their case in the name; they start from the 10 SOL positions of P01."""
    if name.startswith("P03"):
        notional = notional_micros(vector["qty"], vector["mark_e8"])
        line = maintenance(notional, PARAMS.tiers)
        assert line.deduction % line.denominator == 0
        return {
            "notional": notional,
            "maint_margin": maintenance_margin_micros(notional, PARAMS.tiers),
            "tier": line.tier,
            "deduction": str(line.deduction // line.denominator),
        }
    if "avg_premium_ppb" in vector:
        return _funding(vector)
    if "px_e8" in vector:
        return _opening(vector)
    if name.startswith(("P09", "P10")):
        long = "long" in name
        position = position_of(Side.BUY if long else Side.SELL, TEN_SOL, ENTRY_E8, 10)
        closing = fill_at(Side.SELL if long else Side.BUY, 3_330_000_000, 15_100_000_000)
        closed = apply_fill(position, closing, **CLOSING)
        assert not isinstance(closed, RejectCode)
        return {
            "realised": closed.realised_pnl_micros,
            "fee": closed.fee_micros,
            "entry_cost_left": closed.position.entry_cost_micros,
            "qty_left": closed.position.quantity_nanos,
        }
    position = position_of(Side.BUY, TEN_SOL, ENTRY_E8, 20)
    if name.startswith("P11"):
        mark_e8 = int(name.rsplit(" ", 1)[1])
        return {
            "equity": position_equity_micros(position, mark_e8),
            "maint_margin": maintenance_margin_micros(notional_micros(TEN_SOL, mark_e8), PARAMS.tiers),
            "liquidate": below_maintenance(position, mark_e8, PARAMS),
        }
    price_e8 = {"P12": 14_630_000_000, "P13": 14_000_000_000}[name[:3]]
    ended = apply_liquidation(position, fill_at(Side.SELL, TEN_SOL, price_e8), fill_ms=0, params=PARAMS)
    return {
        "realised": ended.realised_pnl_micros,
        "fee": ended.fee_micros,
        "liq_fee": ended.liquidation_fee_micros,
        "returned_to_user": ended.cash_change_micros,
        "bad_debt": ended.shortfall_micros,
    }


def _opening(vector: dict[str, Any]) -> dict[str, Any]:
    side = Side.BUY if vector["side"] == "LONG" else Side.SELL
    change = opened(side, vector["qty"], vector["px_e8"], vector["leverage"])
    if isinstance(change, RejectCode):
        return {"reject": change.value}
    notional = notional_micros(vector["qty"], vector["px_e8"])
    assert change.margin_change_micros == initial_margin_micros(notional, vector["leverage"])
    return {
        "notional": notional,
        "initial_margin": change.margin_change_micros,
        "fee": change.fee_micros,
        "entry_cost": change.position.entry_cost_micros,
        "maint_margin": maintenance_margin_micros(notional, PARAMS.tiers),
        "liq_px_e8": liquidation_price_e8(change.position, PARAMS),
    }


def _funding(vector: dict[str, Any]) -> dict[str, Any]:
    rate = funding_rate_ppb_8h(vector["avg_premium_ppb"], PARAMS)
    cash = funding_cash_micros(
        direction=vector["side"],
        quantity_nanos=vector["qty"],
        mark_e8=vector["oracle_e8"],
        rate_ppb_8h=rate,
        cap_1h_ppb=PARAMS.funding_cap_1h_ppb,
    )
    return {"f8h_ppb": rate, "cash_1h": cash}
