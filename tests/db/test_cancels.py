"""Cancelling orders that wait: when it takes effect, and what it races with. SQLite, Postgres and memory."""

import threading

import pytest
from tests.db.desk import ALICE, LATENCY_MS, ONE_SOL, START, WAIT_MS, Desk, Venue, holds_nothing
from tests.domains.prop_engine.markets import SOL_PERP

from pump_party.domains.marketdata.contract import HaltReason
from pump_party.domains.prop_engine.working import TICK_GRACE_MS
from pump_party.domains.prop_interface.contract import (
    CancelOrders,
    CancelReason,
    OrderKind,
    OrderStage,
    OrderStatus,
    OrderView,
    ResetAccount,
)
from pump_party.platform.clock import ManualClock


def rests(desk: Desk) -> OrderView:
    """A limit to buy one SOL at 140 that has met its first price."""
    placed = desk.place(kind=OrderKind.LIMIT, limit_price_e8=140 * 10**8)
    assert desk.tick(150) == 0
    return desk.order(placed)


def test_a_cancelled_order_frees_its_hold_and_stays_cancelled(latest: Desk) -> None:
    placed = rests(latest)
    cancelled = latest.cancel(placed)
    assert (cancelled.status, cancelled.cancel_reason) == (OrderStatus.CANCELLED, CancelReason.USER)
    assert latest.cancel(placed) == cancelled
    assert latest.tick(130) == 0
    assert latest.view().cash_micros == START
    assert holds_nothing(latest)


def test_a_cancel_takes_effect_at_the_first_tick_published_after_its_latency(desk: Desk) -> None:
    placed = rests(desk)
    asked = desk.cancel(placed)
    assert (asked.status, asked.stage, asked.held_amount) == (
        OrderStatus.ACCEPTED,
        OrderStage.CANCELLING,
        placed.held_amount,
    )
    assert desk.tick(150, after_ms=LATENCY_MS) == 0, "published exactly at the end of the latency"
    assert desk.order(placed) == asked
    assert desk.tick(130, after_ms=1) == 1
    assert desk.order(placed).cancel_reason is CancelReason.USER
    assert desk.cancel(placed) == desk.order(placed)
    assert desk.view().cash_micros == START
    assert [m.kind for m in desk.messages()] == ["order_updated"] * 4, "accepted, resting, cancelling, cancelled"
    assert holds_nothing(desk)


def test_who_sees_the_price_fall_first_cannot_call_back_the_limit_that_it_fills(desk: Desk) -> None:
    placed = rests(desk)
    desk.cancel(placed)
    assert desk.tick(130, after_ms=LATENCY_MS) == 1
    filled = desk.order(placed)
    assert filled.fill is not None
    assert filled.fill.price_e8 == 140 * 10**8
    assert holds_nothing(desk)


def test_asking_again_neither_hastens_nor_delays_a_cancel(desk: Desk) -> None:
    asked = desk.cancel(rests(desk))
    desk.clock.advance(1_000)
    assert desk.cancel(asked) == asked
    assert desk.engine.cancel_orders(CancelOrders(ALICE, desk.account_id)) == []
    assert desk.tick(150, after_ms=LATENCY_MS - 999) == 1
    assert holds_nothing(desk)


@pytest.mark.parametrize("halt", [None, HaltReason.FEED_SILENT])
def test_a_cancel_takes_effect_without_a_tick_once_none_can_come_from_before(
    desk: Desk, halt: HaltReason | None
) -> None:
    asked = desk.cancel(rests(desk))
    desk.clock.advance(WAIT_MS + TICK_GRACE_MS)
    assert desk.engine.take_ticks([desk.quote(130, halt_reason=halt or HaltReason.QUOTE_DEPEG)]) == 0
    assert desk.engine.expire_orders() == 0
    desk.clock.advance(1)
    assert desk.engine.expire_orders() == 1
    assert desk.order(asked).cancel_reason is CancelReason.USER
    assert holds_nothing(desk)


def test_cancelling_all_calls_back_what_rests_like_any_other_and_what_is_armed_at_once(
    venue: Venue, clock: ManualClock
) -> None:
    desk = Desk(venue, clock, "practice-next-v1", SOL_PERP)
    resting = desk.place("sell", ONE_SOL, kind=OrderKind.LIMIT, limit_price_e8=160 * 10**8, leverage=2)
    stop = desk.place("sell", ONE_SOL, kind=OrderKind.STOP, trigger_price_e8=100 * 10**8, leverage=2)
    desk.tick(150)
    asked = desk.engine.cancel_orders(CancelOrders(ALICE, desk.account_id))
    assert {o.order_id: (o.status, o.stage) for o in asked} == {
        resting.order_id: (OrderStatus.ACCEPTED, OrderStage.CANCELLING),
        stop.order_id: (OrderStatus.CANCELLED, None),
    }
    assert desk.tick(150) == 1
    assert holds_nothing(desk)


def test_an_armed_stop_is_cancelled_at_once_since_no_price_that_could_fill_it_is_known(desk: Desk) -> None:
    stop = desk.place(kind=OrderKind.STOP, trigger_price_e8=160 * 10**8)
    assert desk.cancel(stop).status is OrderStatus.CANCELLED
    assert holds_nothing(desk)


def test_an_order_in_flight_cannot_be_called_back_by_who_knows_its_tick_already(desk: Desk) -> None:
    placed = desk.place()
    assert desk.cancel(placed) == placed
    desk.clock.advance(LATENCY_MS + 1)
    assert desk.cancel(placed) == placed
    assert desk.engine.cancel_orders(CancelOrders(ALICE, desk.account_id)) == []
    assert desk.tick(150, after_ms=1) == 1
    assert desk.order(placed).status is OrderStatus.FILLED


def test_a_triggered_order_cannot_be_called_back_and_one_that_a_silent_market_holds_can(desk: Desk) -> None:
    stop = desk.place(kind=OrderKind.STOP, trigger_price_e8=160 * 10**8)
    desk.tick(161)
    assert desk.cancel(stop).stage is OrderStage.WAITING
    desk.clock.advance(WAIT_MS + TICK_GRACE_MS)
    assert desk.cancel(stop).status is OrderStatus.ACCEPTED
    desk.clock.advance(1)
    assert desk.cancel(stop).status is OrderStatus.CANCELLED
    assert holds_nothing(desk)


def test_a_cancel_of_a_filled_order_answers_the_fill(latest: Desk) -> None:
    placed = latest.place()
    assert latest.cancel(placed) == placed


def test_cancel_and_fill_race_and_exactly_one_wins(latest: Desk) -> None:
    desk = latest
    for _ in range(8):
        placed = desk.place(kind=OrderKind.LIMIT, limit_price_e8=140 * 10**8)
        desk.tick(150)
        desk.clock.advance(LATENCY_MS + 1)
        quote = desk.quote(130)
        racers = [
            threading.Thread(target=desk.engine.take_ticks, args=([quote],)),
            threading.Thread(target=desk.cancel, args=(placed,)),
        ]
        for racer in racers:
            racer.start()
        for racer in racers:
            racer.join()
        assert desk.order(placed).status in (OrderStatus.FILLED, OrderStatus.CANCELLED)
        assert holds_nothing(desk)


def test_a_reset_cancels_what_waits(desk: Desk) -> None:
    desk.place("buy", ONE_SOL)
    desk.tick(150)
    waiting = [desk.place("buy", ONE_SOL), desk.place("sell", ONE_SOL)]
    desk.engine.reset_account(ResetAccount(ALICE, desk.account_id, "reset"))
    assert [desk.order(o).cancel_reason for o in waiting] == [CancelReason.ACCOUNT_CLOSED] * 2
    assert desk.view().cash_micros == START
    assert holds_nothing(desk)
