"""A preview decides like the engine: whatever waits, holds or limits an account, both say the same at one moment."""

import os

import msgspec
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.db.desk import ALICE, Desk
from tests.domains.prop_engine.markets import SOL, SOL_PERP, rule_sets
from tests.domains.prop_engine.perp_markets import NOW_MS

from pump_party.domains.prop_engine.memory_store import MemoryStore
from pump_party.domains.prop_engine.risk import RiskRules
from pump_party.domains.prop_engine.simulation.traders import Client, random_order
from pump_party.domains.prop_interface.contract import OrderView
from pump_party.kernel.dice import Dice
from pump_party.platform.clock import ManualClock

ACCOUNTS = int(os.environ.get("PUMP_PARTY_TEST_ORDERS", "20000")) // 200
PLACED = 25


@settings(max_examples=ACCOUNTS)
@given(seed=st.integers(0, 2**64 - 1))
def test_a_preview_says_what_the_order_then_becomes(seed: int) -> None:
    dice = Dice(seed)
    market = dice.pick((SOL, SOL_PERP))
    name = dice.pick(("practice-v2", "practice-next-v1", "practice-book-v1"))
    limits = dice.pick(({}, {"orders_per_minute": 6}, {"max_position_micros": dice.between(10**9, 10**10)}))
    rules = rule_sets()[name]
    if limits:
        rules = msgspec.structs.replace(rules, name="limited", risk=RiskRules(**limits))
    desk = Desk(MemoryStore(), ManualClock(NOW_MS), rules.name, market, rules={rules.name: rules})
    client = Client(ALICE, desk.account_id, rules.name)
    params = rules.spot[market] if market == SOL else rules.perp[market].pricing
    mid_e8 = dice.between(10**9, 10**11)
    for number in range(PLACED):
        mid_e8 = max(10**8, mid_e8 * dice.between(980_000, 1_020_000) // 10**6)
        desk.clock.advance(dice.between(1, 8_000))
        desk.quotes.set(desk.quote(1, mid_e8=mid_e8, conf_e8=mid_e8 * dice.pick((0, 100, 6_000)) // 10**6))
        desk.engine.take_ticks([desk.quotes.latest([market])[market]])
        view = desk.view()
        held = sum(p.quantity_nanos for p in view.positions) + sum(p.quantity_nanos for p in view.perps)
        command = random_order(
            dice, client, f"k{number}", params, mid_e8=mid_e8, held_nanos=held, is_perp=market == SOL_PERP
        )

        shown = desk.engine.preview_order(command)
        (placed,) = desk.engine.place_orders([command])

        assert isinstance(placed, OrderView)
        assert (shown.reject_code, shown.status) == (placed.reject_code, placed.status)
        assert (shown.held_amount, shown.held_asset) == (placed.held_amount, placed.held_asset)
        if placed.fill is not None:
            assert (shown.price_e8, shown.fee_micros) == (placed.fill.price_e8, placed.fill.fee_micros)
            assert shown.cash_after_micros == desk.view().cash_micros
