"""Cancelling orders that wait: when it takes effect, and what it races with. SQLite, Postgres and memory."""

import threading

import pytest
from tests.db.desk import ALICE, LATENCY_MS, ONE_SOL, START, WAIT_MS, Desk, Venue, holds_nothing

from pump_party.domains.prop_engine.working import TICK_GRACE_MS
from pump_party.domains.prop_interface.contract import (
    CancelOrders,
    CancelReason,
    OrderKind,
    OrderStage,
    OrderStatus,
    ResetAccount,
)
from pump_party.platform.clock import ManualClock


@pytest.fixture
def latest(venue: Venue, clock: ManualClock) -> Desk:
    return Desk(venue, clock, "practice-v2")


@pytest.fixture
def desk(venue: Venue, clock: ManualClock) -> Desk:
    """Under contest rules: nothing fills on a price that could have been seen."""
    return Desk(venue, clock, "practice-next-v1")


def test_a_cancelled_order_frees_its_hold_and_stays_cancelled(desk: Desk) -> None:
    placed = desk.place(kind=OrderKind.LIMIT, limit_price_e8=140 * 10**8)
    assert desk.tick(150) == 0
    cancelled = desk.cancel(placed)
    assert (cancelled.status, cancelled.cancel_reason) == (OrderStatus.CANCELLED, CancelReason.USER)
    assert desk.cancel(placed) == cancelled
    assert desk.tick(150) == 0
    assert desk.view().cash_micros == START
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


def test_cancel_and_fill_race_and_exactly_one_wins(desk: Desk) -> None:
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
