import copy

import msgspec
import pytest
from tests.domains.prop_engine.perp_markets import PERP_ASSETS, SOL_PERP, document, perp_params

from pump_party.domains.marketdata.contract import MarketKind
from pump_party.domains.prop_engine.perp_rules import build_perp_params

SPOT = document("rules.toml")["spot"]
PERPETUALS = document("perpetuals.toml")


def build(changed: dict, assets=PERP_ASSETS):
    return build_perp_params(changed, SPOT, assets, version="v1")


def test_the_six_markets_start_at_the_leverage_their_venue_publishes() -> None:
    leverages = {market: params.tiers[0].max_leverage for market, params in perp_params().items()}
    assert leverages == {
        "SOL-PERP": 20,
        "BTC-PERP": 40,
        "ETH-PERP": 25,
        "BNB-PERP": 10,
        "XRP-PERP": 20,
        "DOGE-PERP": 10,
    }


def test_orders_are_priced_like_spot_but_for_market_model_sizes_and_fee() -> None:
    pricing = msgspec.to_builtins(perp_params()[SOL_PERP].pricing)
    own = {"market", "model", "tick_e8", "lot_nanos", "taker_fee_ppm"}
    assert {k: v for k, v in pricing.items() if k not in own} == {
        k: v for k, v in SPOT["v1"].items() if k not in own
    } | {k: pricing[k] for k in pricing if k not in own and k not in SPOT["v1"]}
    assert pricing["model"] == "perp-v1"


def test_a_fee_schedule_is_chosen_by_name() -> None:
    for name, taker, maker in ((None, 450, 150), ("base-v1", 450, 150), ("volume-5m-v1", 400, 120)):
        params = perp_params(name)[SOL_PERP]
        assert (params.pricing.taker_fee_ppm, params.maker_fee_ppm) == (taker, maker)


def test_a_spot_market_is_no_perpetual_and_a_perpetual_needs_tiers() -> None:
    spot = msgspec.structs.replace(PERP_ASSETS[0], kind=MarketKind.SPOT)
    assert build(PERPETUALS, (spot,)) == {}
    unknown = msgspec.structs.replace(PERP_ASSETS[0], market="NEW-PERP")
    with pytest.raises(ValueError, match="NEW-PERP: the first tier starts at 0"):
        build(PERPETUALS, (unknown,))


def test_a_lot_that_is_not_worth_a_whole_number_of_micros_is_refused() -> None:
    finer = msgspec.structs.replace(PERP_ASSETS[0], lot_nanos=1_000_000)
    with pytest.raises(ValueError, match="whole number of micro-USDC"):
        build(PERPETUALS, (finer,))


@pytest.mark.parametrize(
    ("tiers", "why"),
    [
        ([], "starts at 0"),
        ([(1, 20)], "starts at 0"),
        ([(0, 20), (0, 10)], "up in notional"),
        ([(0, 20), (5, 20)], "down in leverage"),
        ([(0, 20), (5, 0)], "down in leverage"),
    ],
)
def test_tiers_go_up_in_notional_and_down_in_leverage(tiers: list[tuple[int, int]], why: str) -> None:
    changed = copy.deepcopy(PERPETUALS)
    changed["tiers"]["SOL-PERP"] = [{"lower_micros": lower, "max_leverage": most} for lower, most in tiers]
    with pytest.raises(ValueError, match=why):
        build(changed)


def test_a_missing_parameter_is_refused() -> None:
    changed = copy.deepcopy(PERPETUALS)
    del changed["perp"]["v1"]["interest_8h_ppb"]
    with pytest.raises(msgspec.ValidationError, match="interest_8h_ppb"):
        build(changed)
