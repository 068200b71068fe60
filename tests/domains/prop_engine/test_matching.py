from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.domains.prop_engine.markets import CONF_E8, MID_E8, PRACTICE, SOL

from pump_party.domains.prop_engine.execution import price_spot
from pump_party.domains.prop_engine.matching import hold_for, select_tick
from pump_party.domains.prop_engine.model import NO_PRESSURE, MarketOrder, SpotFill
from pump_party.domains.prop_interface.contract import Side

PARAMS = PRACTICE.spot[SOL]
FEE_PPM = PARAMS.taker_fee_ppm
ACCEPTED_MS = 1_767_225_600_000


class Seen(msgspec.Struct, frozen=True):
    publish_ms: int
    recv_ms: int


def seen(*rows: tuple[int, int]) -> list[Seen]:
    """Milliseconds after acceptance: published, received."""
    return [Seen(ACCEPTED_MS + published, ACCEPTED_MS + received) for published, received in rows]


def selected(*rows: tuple[int, int]) -> int | None:
    tick = select_tick(seen(*rows), accepted_ms=ACCEPTED_MS, latency_ms=1_500, max_wait_ms=6_000)
    return None if tick is None else tick.publish_ms - ACCEPTED_MS


def hold(side: Side, *, nanos: int | None = None, micros: int | None = None, mid_e8: int = MID_E8) -> tuple[str, int]:
    return hold_for(
        side, quantity_nanos=nanos, quote_micros=micros, last_mid_e8=mid_e8, base="SOL", taker_fee_ppm=FEE_PPM
    )


def test_an_order_fills_on_the_first_tick_published_after_its_latency():
    assert selected((0, 300), (1_500, 1_800), (1_501, 1_700), (2_000, 2_300)) == 1_501


def test_a_tick_published_exactly_at_the_end_of_the_latency_is_too_early():
    assert selected((1_500, 1_800)) is None


@pytest.mark.parametrize(("received", "found"), [(6_000, 2_000), (6_001, None)])
def test_the_tick_must_be_received_within_the_wait(received: int, found: int | None):
    assert selected((2_000, received)) == found


def test_without_a_tick_there_is_none():
    assert selected() is None


@pytest.mark.parametrize("row", range(3))
def test_holds_are_those_of_the_vectors(spec_vectors: dict[str, Any], row: int):
    case = spec_vectors["reserve"][row]
    order = case["order"]
    held = hold(Side(order["side"].lower()), nanos=order.get("qty"), micros=order.get("quote"), mid_e8=case["last_mid"])
    assert held == (case["out"]["asset"], case["out"]["amount"])


def test_every_step_of_a_hold_is_rounded_up():
    # 15474160492.67 -> 15474160493; x 1000 SOL = 154741604.93 USDC; fee 0.07 % = 108319123451 -> rounded up.
    assert hold(Side.BUY, nanos=1_000 * 10**9) == ("USDC", 154_741_604_930 + 108_319_124)


@given(st.integers(10_000, 10**13), st.integers(1, 10**6), st.integers(0, 5_000))
def test_a_hold_pays_for_any_fill_that_is_no_further_than_the_slippage_limit(mid_e8: int, lots: int, conf_ppm: int):
    nanos = lots * PARAMS.lot_nanos
    fill = price_spot(
        MarketOrder(Side.BUY, nanos, None, None),
        mid_e8=mid_e8,
        conf_e8=min(CONF_E8, mid_e8 * conf_ppm // 10**6),
        publish_ms=0,
        pressure=NO_PRESSURE,
        params=PARAMS,
        fill_ms=0,
    )
    if isinstance(fill, SpotFill):
        assert hold(Side.BUY, nanos=nanos, mid_e8=mid_e8)[1] >= -fill.cash_change_micros
