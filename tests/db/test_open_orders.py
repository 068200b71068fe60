"""Orders that wait: next-tick fills, limits, triggers, exits, cancels. SQLite, Postgres and memory."""

import threading

import msgspec
import pytest
from tests.db.desk import ALICE, LATENCY_MS, ONE_SOL, START, WAIT_MS, Desk, Venue, holds_nothing
from tests.domains.prop_engine.markets import SOL, SOL_PERP, order

from pump_party.domains.marketdata.contract import HaltReason
from pump_party.domains.prop_engine.model import RecordKind
from pump_party.domains.prop_engine.working import TICK_GRACE_MS
from pump_party.domains.prop_interface.contract import (
    AccountKind,
    CancelReason,
    OpenAccount,
    OrderKind,
    OrderStage,
    OrderStatus,
    RejectCode,
    TimeInForce,
)
from pump_party.kernel.errors import Invalid
from pump_party.kernel.ids import Market, UserId
from pump_party.platform.clock import ManualClock


def test_a_market_order_holds_its_cost_and_fills_on_the_first_tick_after_its_latency(desk: Desk) -> None:
    placed = desk.place()
    waiting = desk.view()
    assert placed.status is OrderStatus.ACCEPTED
    assert placed.held_amount == waiting.held_micros == 154_608_150
    assert waiting.cash_micros == START - 154_608_150
    assert (waiting.equity_micros, waiting.residual_micros) == (START, 0)

    assert desk.tick(151, after_ms=LATENCY_MS) == 0, "published exactly at the end of the latency"
    assert desk.tick(152, after_ms=1) == 1
    filled = desk.order(placed)
    assert filled.status is OrderStatus.FILLED
    assert filled.fill is not None
    assert filled.fill.evidence.mid_e8 == 152 * 10**8
    assert filled.fill.filled_ms == filled.fill.evidence.receive_ms
    assert desk.tick(153) == 0
    assert desk.view().residual_micros == 0
    assert holds_nothing(desk)


def test_one_tick_fills_or_expires_the_orders_of_many_accounts(desk: Desk) -> None:
    owners = [UserId(f"01900000-0000-7000-8000-{number:012x}") for number in range(1, 6)]
    accounts = [
        desk.engine.open_account(OpenAccount(user, AccountKind.PRACTICE, "open", "practice-next-v1")).account_id
        for user in owners
    ]

    def place_all(key: str) -> None:
        desk.engine.place_orders(
            [order(user, account, key, "buy", ONE_SOL) for user, account in zip(owners, accounts, strict=True)]
        )

    place_all("filled")
    assert desk.tick(150) == len(owners)
    place_all("late")
    desk.clock.advance(WAIT_MS + TICK_GRACE_MS + 1)
    assert desk.engine.expire_orders() == len(owners)
    for user, account in zip(owners, accounts, strict=True):
        late, filled = desk.engine.orders(user, account, cursor=None, limit=10).items
        assert filled.status is OrderStatus.FILLED
        assert late.reject_code is RejectCode.PRICE_TIMEOUT
    assert holds_nothing(desk)


def test_a_tick_of_a_halted_market_fills_and_triggers_nothing(desk: Desk) -> None:
    desk.place("buy", ONE_SOL)
    desk.tick(150)
    for terms in ({}, {"kind": OrderKind.LIMIT, "limit_price_e8": 160 * 10**8}):
        desk.place("buy", ONE_SOL, **terms)
    desk.place("sell", ONE_SOL, kind=OrderKind.STOP, trigger_price_e8=155 * 10**8)
    assert desk.tick(150, halt_reason=HaltReason.QUOTE_DEPEG) == 0
    assert [o.stage for o in desk.open()] == [OrderStage.ARMED, OrderStage.WAITING, OrderStage.WAITING]
    assert desk.tick(150, after_ms=1_000) == 2


def test_an_order_whose_tick_does_not_come_in_time_is_refused_and_its_hold_freed(desk: Desk) -> None:
    on_late_tick, on_silence = desk.place(), desk.place()
    desk.clock.advance(WAIT_MS)
    assert desk.engine.expire_orders() == 0
    assert desk.tick(150, after_ms=1) == 2
    assert desk.order(on_late_tick).reject_code is RejectCode.PRICE_TIMEOUT

    on_silence = desk.place()
    desk.clock.advance(WAIT_MS + TICK_GRACE_MS + 1)
    assert desk.engine.expire_orders() == 1
    assert desk.engine.expire_orders() == 0
    assert desk.order(on_silence).reject_code is RejectCode.PRICE_TIMEOUT
    assert desk.view().cash_micros == START
    assert holds_nothing(desk)


def test_a_tick_received_in_time_fills_its_order_though_it_is_handed_over_late(desk: Desk) -> None:
    placed = desk.place()
    desk.clock.advance(WAIT_MS)
    in_time = desk.quote(150)
    desk.clock.advance(TICK_GRACE_MS)
    assert desk.engine.expire_orders() == 0
    assert desk.engine.take_ticks([in_time]) == 1
    fill = desk.order(placed).fill
    assert fill is not None
    assert fill.filled_ms == in_time.recv_ms


def test_a_sale_holds_the_base_asset_so_that_it_cannot_be_sold_twice(desk: Desk) -> None:
    desk.place("buy", 2 * ONE_SOL)
    desk.tick(150)
    first = desk.place("sell", ONE_SOL)
    refused = desk.place("sell", 2 * ONE_SOL)
    assert refused.reject_code is RejectCode.INSUFFICIENT_POSITION
    assert desk.view().positions[0].held_nanos == ONE_SOL
    desk.tick(150)
    assert desk.order(first).status is OrderStatus.FILLED
    assert desk.view().positions[0].quantity_nanos == ONE_SOL
    assert holds_nothing(desk)


def test_a_price_that_ran_away_beyond_the_hold_and_the_cash_is_refused_not_overdrawn(desk: Desk) -> None:
    placed = desk.place("buy", 64 * ONE_SOL)
    assert placed.status is OrderStatus.ACCEPTED
    desk.tick(160)
    assert desk.order(placed).reject_code is RejectCode.INSUFFICIENT_FUNDS
    assert holds_nothing(desk)


def test_the_same_key_returns_the_order_as_it_stands(desk: Desk) -> None:
    placed = desk.place(idempotency_key="once")
    assert desk.place(idempotency_key="once") == placed
    desk.tick(150)
    again = desk.place(idempotency_key="once")
    assert again.status is OrderStatus.FILLED
    assert again.order_id == placed.order_id


def test_a_limit_fills_at_its_price_once_the_market_trades_through_it_never_at_it(desk: Desk) -> None:
    placed = desk.place(kind=OrderKind.LIMIT, limit_price_e8=148 * 10**8)
    assert placed.held_amount == 148_103_600
    desk.tick(150)
    assert desk.order(placed).status is OrderStatus.ACCEPTED
    # Half a spread of 1 bp above 147.98 is 147.9949: the price to pay must be strictly below the limit.
    blotter = [(148, False), (147.99, False), (147.97, True)]
    for price, fills in blotter:
        assert desk.tick(price) == fills, price
    filled = desk.order(placed)
    assert filled.fill is not None
    assert filled.fill.price_e8 == 148 * 10**8
    assert holds_nothing(desk)


def test_a_limit_that_is_already_good_fills_at_the_market_price(desk: Desk, latest: Desk) -> None:
    for venue in (desk, latest):
        placed = venue.place(kind=OrderKind.LIMIT, limit_price_e8=160 * 10**8)
        venue.tick(150)
        filled = venue.order(placed)
        assert filled.fill is not None
        assert filled.fill.price_e8 == 15_001_510_000
        assert holds_nothing(venue)


def test_an_immediate_or_cancel_limit_never_rests(desk: Desk, latest: Desk) -> None:
    placed = desk.place(kind=OrderKind.LIMIT, limit_price_e8=140 * 10**8, time_in_force=TimeInForce.IOC)
    desk.tick(150)
    ended = desk.order(placed)
    assert (ended.status, ended.cancel_reason) == (OrderStatus.CANCELLED, CancelReason.IOC)
    at_once = latest.place(kind=OrderKind.LIMIT, limit_price_e8=140 * 10**8, time_in_force=TimeInForce.IOC)
    assert (at_once.status, at_once.cancel_reason) == (OrderStatus.CANCELLED, CancelReason.IOC)
    assert holds_nothing(desk)
    assert holds_nothing(latest)


@pytest.mark.parametrize(("market", "leverage"), [(SOL, None), (SOL_PERP, 2)])
def test_a_limit_that_misses_at_once_is_told_and_recorded_as_cancelled(
    venue: Venue, clock: ManualClock, market: Market, leverage: int | None
) -> None:
    desk = Desk(venue, clock, "practice-v2", market)
    ioc = {"kind": OrderKind.LIMIT, "limit_price_e8": 140 * 10**8, "time_in_force": TimeInForce.IOC}
    missed = desk.place(**ioc, leverage=leverage)
    assert missed.cancel_reason is CancelReason.IOC
    (told,) = desk.messages()
    assert told.kind == "order_updated"
    order_told = msgspec.json.decode(told.payload)["order"]
    assert (order_told["status"], order_told["cancel_reason"]) == ("cancelled", "CANCELLED_IOC")
    journal = next(iter(desk.records())).journal
    assert [record.kind for record in journal] == [RecordKind.OPEN, RecordKind.CANCEL]
    (listed,) = desk.engine.orders(ALICE, desk.account_id, cursor=None, limit=9).items
    assert listed == missed
    assert holds_nothing(desk)


def test_a_stop_is_triggered_by_one_tick_and_filled_by_a_later_one(desk: Desk) -> None:
    desk.place("buy", ONE_SOL)
    desk.tick(150)
    stop = desk.place("sell", ONE_SOL, kind=OrderKind.STOP, trigger_price_e8=145 * 10**8)
    assert desk.tick(145.01) == 0
    assert desk.tick(145) == 0
    assert desk.order(stop).status is OrderStatus.ACCEPTED
    assert desk.tick(143, after_ms=LATENCY_MS) == 0
    assert desk.tick(142, after_ms=1) == 1
    fill = desk.order(stop).fill
    assert fill is not None
    assert fill.evidence.mid_e8 == 142 * 10**8
    assert holds_nothing(desk)


@pytest.mark.parametrize(
    ("side", "kind", "before", "at"),
    [
        ("buy", OrderKind.STOP, 154.99, 155),
        ("buy", OrderKind.TAKE_PROFIT, 155.01, 155),
        ("sell", OrderKind.STOP, 155.01, 155),
        ("sell", OrderKind.TAKE_PROFIT, 154.99, 155),
    ],
)
def test_a_trigger_fires_at_its_price_from_its_side(
    latest: Desk, side: str, kind: OrderKind, before: float, at: float
) -> None:
    latest.place("buy", ONE_SOL)
    latest.tick(before)
    armed = latest.place(side, ONE_SOL, kind=kind, trigger_price_e8=155 * 10**8)
    assert latest.tick(before) == 0
    assert latest.tick(at) == 1
    assert latest.order(armed).status is OrderStatus.FILLED
    assert holds_nothing(latest)


@pytest.mark.parametrize(("price", "left"), [(140, CancelReason.OTHER_FILLED), (160, CancelReason.OTHER_FILLED)])
def test_of_the_two_exits_of_a_position_one_fills_and_cancels_the_other(
    desk: Desk, price: int, left: CancelReason
) -> None:
    desk.place("buy", 2 * ONE_SOL, stop_price_e8=145 * 10**8, target_price_e8=155 * 10**8)
    desk.tick(150)
    exits = desk.open()
    assert {o.terms.kind for o in exits if o.terms} == {OrderKind.STOP, OrderKind.TAKE_PROFIT}
    assert desk.view().positions[0].held_nanos == 0, "an exit holds nothing: it may only reduce what is there"
    desk.tick(price)
    assert desk.tick(price) == 1
    ended = {desk.order(o).status: desk.order(o) for o in exits}
    assert ended[OrderStatus.CANCELLED].cancel_reason is left
    assert ended[OrderStatus.FILLED].fill is not None
    assert desk.view().positions[0].quantity_nanos == 0
    assert holds_nothing(desk)


def test_no_client_can_take_the_key_of_an_exit_and_stop_the_market(desk: Desk) -> None:
    placed = desk.place("buy", ONE_SOL, stop_price_e8=145 * 10**8, target_price_e8=155 * 10**8)
    for guess in (f"{placed.order_id}:stop", f"{placed.order_id}:take_profit"):
        assert desk.place("sell", ONE_SOL, idempotency_key=guess).reject_code is RejectCode.INSUFFICIENT_POSITION
    assert desk.tick(150) == 1
    assert desk.tick(140) == 0
    assert desk.tick(140) == 1
    assert desk.view().positions[0].quantity_nanos == 0
    assert holds_nothing(desk)


def test_a_key_of_the_engines_own_is_refused(desk: Desk) -> None:
    placed = desk.place("buy", ONE_SOL, stop_price_e8=145 * 10**8)
    with pytest.raises(Invalid) as refused:
        desk.place("sell", ONE_SOL, idempotency_key=f"{placed.order_id}/stop")
    assert (refused.value.code, refused.value.field) == ("idempotency_key_invalid", "Idempotency-Key")


def test_selling_the_position_by_hand_cancels_its_exits(latest: Desk) -> None:
    latest.place("buy", ONE_SOL, stop_price_e8=145 * 10**8)
    (stop,) = latest.open()
    latest.place("sell", ONE_SOL)
    assert latest.order(stop).cancel_reason is CancelReason.POSITION_CLOSED
    assert holds_nothing(latest)


def test_a_stop_closes_the_whole_position_though_a_resting_sale_holds_it(desk: Desk) -> None:
    desk.place("buy", 2 * ONE_SOL, stop_price_e8=145 * 10**8)
    desk.tick(150)
    resting = desk.place("sell", 2 * ONE_SOL, kind=OrderKind.LIMIT, limit_price_e8=200 * 10**8)
    desk.tick(150)
    desk.tick(144)
    desk.tick(144)
    assert desk.order(resting).cancel_reason is CancelReason.OTHER_FILLED
    assert desk.view().positions[0].quantity_nanos == 0
    assert holds_nothing(desk)


def test_closing_what_is_held_takes_precedence_over_resting_sales(latest: Desk) -> None:
    latest.place("buy", 2 * ONE_SOL)
    resting = latest.place("sell", ONE_SOL, kind=OrderKind.LIMIT, limit_price_e8=200 * 10**8)
    closed = latest.place("sell", None, reduce_only=True)
    assert closed.status is OrderStatus.FILLED
    assert latest.order(resting).cancel_reason is CancelReason.OTHER_FILLED
    assert holds_nothing(latest)


def test_two_matchers_on_one_tick_fill_each_order_once(desk: Desk) -> None:
    placed = [desk.place(nanos=ONE_SOL // 10) for _ in range(20)]
    desk.clock.advance(LATENCY_MS + 1)
    quote = desk.quote(150)
    desk.quotes.set(quote)
    ended: list[int] = []
    matchers = [threading.Thread(target=lambda: ended.append(desk.engine.take_ticks([quote]))) for _ in range(2)]
    for matcher in matchers:
        matcher.start()
    for matcher in matchers:
        matcher.join()
    assert sum(ended) == len(placed)
    assert len(desk.engine.fills(ALICE, desk.account_id, cursor=None, limit=50).items) == len(placed)
    assert holds_nothing(desk)


def test_everything_that_happens_to_an_order_is_told_in_sequence(desk: Desk) -> None:
    desk.place("buy", ONE_SOL, stop_price_e8=145 * 10**8)
    desk.tick(150)
    desk.tick(144)
    desk.tick(144)
    messages = desk.messages()
    assert [m.kind for m in messages] == [
        "order_updated",
        "order_filled",
        "order_updated",
        "order_updated",
        "order_filled",
    ]
    assert [m.seq for m in messages] == [1, 3, 4, 5, 7]
    assert desk.view().seq == 7
    assert desk.quotes.latest([SOL])
