"""Positions in one form: the same values and profits as the engine's own, and shares with their signs."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.domains.aitrading.exchange import Exchange
from tests.domains.aitrading.worlds import BTC, MIDS_E8, SOL, SOL_PERP, account

from pump_party.domains.aitrading.holding import NOTHING, exposure_ppm, holding_of, return_ppm, share_ppm
from pump_party.domains.aitrading.model import Direction, Proposal, ProposalAction
from pump_party.kernel.money import MICROS, PPM

MID = MIDS_E8[SOL]
EQUITY = 10_000 * MICROS


@settings(max_examples=30)
@given(
    share_ppm=st.integers(10_000, PPM),
    leverage=st.integers(1, 20),
    side=st.sampled_from(Direction),
    moved_ppm=st.integers(-40_000, 40_000),
)
def test_value_and_profit_are_the_engines(share_ppm: int, leverage: int, side: Direction, moved_ppm: int):
    exchange = Exchange()
    exchange.do(
        Proposal(SOL_PERP, ProposalAction.OPEN, side, share_ppm // 2, leverage),
        Proposal(BTC, ProposalAction.OPEN, Direction.LONG, share_ppm // 2),
    )
    mids = {market: mid + mid * moved_ppm // PPM for market, mid in MIDS_E8.items()}
    exchange.move(mids)
    view = exchange.account()

    for spot in view.positions:
        held = holding_of(view, spot.market)
        assert held.value_micros(mids[spot.market]) == spot.value_micros
        assert held.unrealised_micros(mids[spot.market]) == spot.unrealised_pnl_micros
    for perp in view.perps:
        held = holding_of(view, perp.market)
        if perp.quantity_nanos:
            assert held.unrealised_micros(mids[perp.market]) == perp.unrealised_pnl_micros
            assert (held.direction, held.margin_micros, held.is_perp) == (perp.direction, perp.margin_micros, True)


def test_a_market_that_is_not_held_is_nothing():
    assert holding_of(account(spot={SOL: 0}), SOL) == NOTHING
    assert holding_of(account(), SOL_PERP) == NOTHING
    assert share_ppm(NOTHING, mid_e8=MID, equity_micros=EQUITY) == 0


@pytest.mark.parametrize(
    ("nanos", "leverage", "share", "exposure", "made_at_plus_1_percent"),
    [
        (10**10, 1, 142_500, 142_500, 10_000),
        (10**10, 5, 28_500, 28_500, 50_000),
        (-(10**10), 5, -28_500, -28_500, -50_000),
    ],
)
def test_the_share_of_a_perpetual_is_its_margins_and_has_the_sign_of_its_side(
    nanos: int, leverage: int, share: int, exposure: int, made_at_plus_1_percent: int
):
    held = holding_of(account(perps={SOL_PERP: (nanos, leverage)}), SOL_PERP)
    assert share_ppm(held, mid_e8=MID, equity_micros=EQUITY) == share
    assert exposure_ppm(held, mid_e8=MID, equity_micros=EQUITY, leverage=leverage) == exposure
    assert return_ppm(held, mid_e8=MID * 101 // 100) == made_at_plus_1_percent


def test_the_share_of_spot_is_its_values_and_its_return_is_over_its_cost():
    held = holding_of(account(spot={SOL: 10**10}), SOL)
    assert share_ppm(held, mid_e8=2 * MID, equity_micros=EQUITY) == 285_000
    assert return_ppm(held, mid_e8=2 * MID) == PPM
    assert return_ppm(held, mid_e8=MID - 1) == -1
