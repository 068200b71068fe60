"""Orders that wait and should not: what is refused when it is asked for. SQLite, Postgres and memory."""

import pytest
from tests.db.desk import ALICE, BOB, ONE_SOL, Desk, Venue, holds_nothing

from pump_party.domains.prop_interface.contract import (
    OPEN_ORDERS_MAX,
    AccountKind,
    CancelOrder,
    OpenAccount,
    OrderKind,
    OrderStatus,
    RejectCode,
    TimeInForce,
)
from pump_party.kernel.errors import Invalid, NotFound
from pump_party.kernel.ids import AccountId
from pump_party.platform.clock import ManualClock


@pytest.fixture
def desk(venue: Venue, clock: ManualClock) -> Desk:
    """Under contest rules: nothing fills on a price that could have been seen."""
    return Desk(venue, clock, "practice-next-v1")


@pytest.mark.parametrize(
    ("asked", "code"),
    [
        ({"kind": OrderKind.LIMIT}, RejectCode.BAD_REQUEST),
        ({"kind": OrderKind.MARKET, "limit_price_e8": 10**10}, RejectCode.BAD_REQUEST),
        ({"kind": OrderKind.STOP}, RejectCode.BAD_REQUEST),
        ({"kind": OrderKind.LIMIT, "limit_price_e8": 10**10 + 1}, RejectCode.BAD_REQUEST),
        ({"kind": OrderKind.LIMIT, "limit_price_e8": -(10**10)}, RejectCode.BAD_REQUEST),
        ({"stop_price_e8": 160 * 10**8, "target_price_e8": 140 * 10**8}, RejectCode.BAD_REQUEST),
        ({"time_in_force": TimeInForce.IOC}, RejectCode.BAD_REQUEST),
        ({"leverage": 5}, RejectCode.BAD_REQUEST),
        ({"reduce_only": True}, RejectCode.BAD_REQUEST),
        ({"kind": OrderKind.LIMIT, "limit_price_e8": 10**10, "nanos": 1}, RejectCode.LOT_SIZE),
        ({"kind": OrderKind.LIMIT, "limit_price_e8": 10**10, "nanos": 100_000}, RejectCode.MIN_NOTIONAL),
        ({"kind": OrderKind.LIMIT, "limit_price_e8": 10**12, "nanos": 90 * ONE_SOL}, RejectCode.INSUFFICIENT_FUNDS),
        ({"kind": OrderKind.LIMIT, "limit_price_e8": 10**12, "nanos": 10**15}, RejectCode.MAX_NOTIONAL),
    ],
)
def test_terms_that_make_no_sense_are_refused_and_nothing_is_clamped(
    desk: Desk, asked: dict[str, object], code: RejectCode
) -> None:
    assert desk.place(**asked).reject_code is code  # type: ignore[arg-type]
    assert holds_nothing(desk)


def test_a_client_order_id_waits_only_once(desk: Desk) -> None:
    desk.place(client_order_id="mine")
    assert desk.place(client_order_id="mine").reject_code is RejectCode.DUPLICATE_IN_FLIGHT
    desk.tick(150)
    assert desk.place(client_order_id="mine").status is OrderStatus.ACCEPTED


def test_an_account_has_a_limit_of_open_orders(desk: Desk) -> None:
    for _ in range(OPEN_ORDERS_MAX):
        assert desk.place(nanos=ONE_SOL // 100).status is OrderStatus.ACCEPTED
    assert desk.place(nanos=ONE_SOL // 100).reject_code is RejectCode.RATE_LIMITED
    assert len(desk.open()) == OPEN_ORDERS_MAX


def test_an_order_with_exits_needs_room_for_them(desk: Desk) -> None:
    exits = {"stop_price_e8": 100 * 10**8, "target_price_e8": 200 * 10**8}
    for _ in range(OPEN_ORDERS_MAX - 3):
        assert desk.place(kind=OrderKind.LIMIT, limit_price_e8=10**10, nanos=ONE_SOL // 50).reject_code is None
    assert desk.place(nanos=ONE_SOL // 50, **exits).status is OrderStatus.ACCEPTED
    assert desk.place(nanos=ONE_SOL // 50, **exits).reject_code is RejectCode.RATE_LIMITED, "one place is left"
    assert desk.place(nanos=ONE_SOL // 50).status is OrderStatus.ACCEPTED
    assert desk.place(nanos=ONE_SOL // 50).reject_code is RejectCode.RATE_LIMITED
    desk.tick(150)
    assert len(desk.open()) == OPEN_ORDERS_MAX - 1, "the stop and the target in the place of their order"
    assert desk.problems() == []


def test_what_is_decided_at_once_needs_no_room_but_for_its_exits(venue: Venue, clock: ManualClock) -> None:
    desk = Desk(venue, clock, "practice-v2")
    for _ in range(OPEN_ORDERS_MAX):
        assert desk.place(kind=OrderKind.LIMIT, limit_price_e8=10**10, nanos=ONE_SOL // 50).reject_code is None
    assert desk.place(nanos=ONE_SOL).status is OrderStatus.FILLED
    assert desk.place(nanos=ONE_SOL, stop_price_e8=10**10).reject_code is RejectCode.RATE_LIMITED
    assert desk.place("sell", None, reduce_only=True).status is OrderStatus.FILLED, "the way out stays open"


def test_a_stranger_can_neither_see_nor_cancel_an_order(desk: Desk) -> None:
    placed = desk.place()
    with pytest.raises(NotFound):
        desk.engine.cancel_order(CancelOrder(BOB, desk.account_id, placed.order_id))
    with pytest.raises(NotFound):
        desk.engine.open_orders(BOB, desk.account_id)
    with pytest.raises(NotFound):
        desk.engine.cancel_order(CancelOrder(ALICE, AccountId(BOB), placed.order_id))
    assert desk.order(placed).status is OrderStatus.ACCEPTED


def test_an_unknown_rule_set_is_refused_with_those_that_exist(desk: Desk) -> None:
    with pytest.raises(Invalid, match="practice-next-v1"):
        desk.engine.open_account(OpenAccount(BOB, AccountKind.PRACTICE, "x", "contest-v1"))
