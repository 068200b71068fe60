"""What no market and no order may ever do. `make soak` sets PUMP_PARTY_TEST_ORDERS to ten times as many orders."""

import os

from hypothesis import given, settings
from hypothesis import strategies as st
from tests.db.desk import ALICE, Desk
from tests.domains.prop_engine.markets import SOL, SOL_PERP, rule_sets
from tests.domains.prop_engine.perp_markets import NOW_MS, PARAMS, flat, perp_quote

from pump_party.domains.marketdata.contract import Quote
from pump_party.domains.prop_engine.execution import price_spot, rest_at
from pump_party.domains.prop_engine.memory_store import MemoryStore
from pump_party.domains.prop_engine.model import NO_PRESSURE, MarketOrder, Pressure, SpotFill
from pump_party.domains.prop_engine.perpetual import trade
from pump_party.domains.prop_engine.pricing import Prices
from pump_party.domains.prop_engine.simulation.traders import Client, random_order
from pump_party.domains.prop_engine.simulation.witness import Witness
from pump_party.domains.prop_interface.contract import OrderView, Side
from pump_party.kernel.dice import Dice
from pump_party.kernel.money import NOTIONAL_DIVISOR, ceil_div
from pump_party.platform.clock import ManualClock

ORDERS = int(os.environ.get("PUMP_PARTY_TEST_ORDERS", "20000"))
PLACED = 25
PARTS_MAX = 10
SPOT = rule_sets()["practice-v2"].spot[SOL]
RICH = 10**18

mids = st.integers(10**8, 10**12)
conf_ppms = st.integers(0, 5_000)
lots = st.integers(1, 10**6)
pressures = st.integers(0, 10**12)


@settings(max_examples=ORDERS // 2 // PLACED)
@given(seed=st.integers(0, 2**64 - 1))
def test_whatever_is_traded_the_books_of_all_sides_balance(seed: int) -> None:
    dice, clock = Dice(seed), ManualClock(NOW_MS)
    name, market = dice.pick(("practice-v2", "practice-next-v1")), dice.pick((SOL, SOL_PERP))
    rules = rule_sets()[name]
    params = rules.spot[market] if market == SOL else rules.perp[market].pricing
    desk, witness = Desk(MemoryStore(), clock, name, market), Witness(rule_sets())
    client, mid_e8, quantity = Client(ALICE, desk.account_id, name), dice.between(10**9, 10**11), 0
    for number in range(PLACED):
        mid_e8 = max(10**8, mid_e8 * dice.between(950_000, 1_050_000) // 10**6)
        clock.advance(dice.weighted(((8, dice.between(1, 4_000)), (1, 3_600_000))))
        quote = desk.quote(1, mid_e8=mid_e8, conf_e8=mid_e8 * dice.pick((0, 100, 4_000, 6_000)) // 10**6)
        # Every tick has evidence of its own, by which a fill is traced to it.
        quote = Quote(**{f: getattr(quote, f) for f in quote.__struct_fields__} | {"tick_sha256": f"{number:064x}"})
        desk.quotes.set(quote)
        witness.saw([quote])
        desk.engine.take_ticks([quote])
        desk.engine.expire_orders()
        placed = random_order(
            dice, client, f"k{number}", params, mid_e8=mid_e8, held_nanos=quantity, is_perp=market == SOL_PERP
        )
        (outcome,) = desk.engine.place_orders([placed])
        assert isinstance(outcome, OrderView), outcome
        assert witness.told(outcome, placed.idempotency_key) == []
        (records,) = desk.store.account_records()
        quantity = sum(p.quantity_nanos for p in records.positions) + sum(p.quantity_nanos for p in records.perps)
    assert witness.examine(records) == []
    assert witness.value(desk.view(), {market: quote}) == []


@settings(max_examples=ORDERS // 8)
@given(mid_e8=mids, conf_ppm=conf_ppms, size=lots, used=pressures)
def test_a_round_trip_on_one_tick_never_gains(mid_e8: int, conf_ppm: int, size: int, used: int) -> None:
    conf_e8, nanos = mid_e8 * conf_ppm // 10**6, size * SPOT.lot_nanos
    bought, sold = (_spot(side, nanos, mid_e8, conf_e8, used) for side in Side)
    if bought is None or sold is None:
        return
    assert bought.cash_change_micros + sold.cash_change_micros <= 0
    # A limit at the best price that can rest and fill on this tick, and back at the market.
    for resting, back in ((bought, sold), (sold, bought)):
        step = SPOT.tick_e8 if resting.side is Side.BUY else -SPOT.tick_e8
        rested = rest_at(resting, resting.price_e8 + step, SPOT) if resting.price_e8 + step > 0 else None
        assert rested is None or rested.cash_change_micros + back.cash_change_micros <= 0
        assert rest_at(resting, resting.price_e8, SPOT) is None


@settings(max_examples=ORDERS // 8)
@given(mid_e8=mids, conf_ppm=conf_ppms, size=lots, leverage=st.integers(1, 20), side=st.sampled_from(Side))
def test_a_round_trip_of_a_perpetual_on_one_tick_never_gains(
    mid_e8: int, conf_ppm: int, size: int, leverage: int, side: Side
) -> None:
    prices = Prices(perp_quote(mid_e8, mid_e8 * conf_ppm // 10**6, age_ms=0))
    position, cash_micros = flat(), RICH
    for taken in (side, Side.SELL if side is Side.BUY else Side.BUY):
        order = MarketOrder(taken, size * PARAMS.pricing.lot_nanos, None, None)
        changes = trade(
            position,
            order,
            prices,
            fill_ms=NOW_MS,
            leverage=leverage,
            reduce_only=False,
            cash_micros=cash_micros,
            params=PARAMS,
        )
        if not isinstance(changes, tuple):
            return
        position, cash_micros = changes[-1].position, cash_micros + sum(c.cash_change_micros for c in changes)
    assert (position.quantity_nanos, position.margin_micros) == (0, 0)
    assert cash_micros <= RICH


@settings(max_examples=ORDERS // 8)
@given(
    mid_e8=mids,
    conf_ppm=conf_ppms,
    parts=st.lists(lots, min_size=2, max_size=PARTS_MAX),
    side=st.sampled_from(Side),
    used=pressures,
)
def test_cutting_an_order_into_pieces_gains_no_more_than_a_price_tick(
    mid_e8: int, conf_ppm: int, parts: list[int], side: Side, used: int
) -> None:
    conf_e8, nanos = mid_e8 * conf_ppm // 10**6, sum(parts) * SPOT.lot_nanos
    whole = _spot(side, nanos, mid_e8, conf_e8, used)
    received_micros = 0
    for size in parts:
        piece = _spot(side, size * SPOT.lot_nanos, mid_e8, conf_e8, used)
        if piece is None:
            return
        received_micros += piece.cash_change_micros
        used = piece.pressure_after_micros
    if whole is None:
        return
    # A sale presses on the depth with what it received, which is less than it took from the ladder: of second order.
    touched_micros = ceil_div(nanos * (mid_e8 - whole.half_spread_e8), NOTIONAL_DIVISOR)
    missed_micros = max(0, touched_micros - whole.gross_micros) if side is Side.SELL else 0
    second_order_micros = ceil_div(touched_micros * missed_micros, SPOT.depth_per_bp_micros * 10**4)
    tick_micros = ceil_div(nanos * SPOT.tick_e8, NOTIONAL_DIVISOR)
    gained_micros = received_micros - whole.cash_change_micros
    assert gained_micros <= tick_micros + second_order_micros + 2 * len(parts)


def _spot(side: Side, quantity_nanos: int, mid_e8: int, conf_e8: int, used_micros: int) -> SpotFill | None:
    fill = price_spot(
        MarketOrder(side, quantity_nanos, None, None),
        mid_e8=mid_e8,
        conf_e8=conf_e8,
        publish_ms=NOW_MS,
        pressure=Pressure(used_micros, NOW_MS) if used_micros else NO_PRESSURE,
        params=SPOT,
        fill_ms=NOW_MS,
    )
    return fill if isinstance(fill, SpotFill) else None
