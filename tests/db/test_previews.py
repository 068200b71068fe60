"""Previews of an account with waiting orders on a real database, or in memory."""

from tests.db.conftest import OpenDesk
from tests.db.desk import ALICE, ONE_SOL, Desk
from tests.domains.prop_engine.markets import order

from pump_party.domains.prop_interface.contract import (
    OrderKind,
    OrderStatus,
    OrderTerms,
    PreviewView,
    RejectCode,
)


def preview(desk: Desk, side: str, nanos: int | None, **more: object) -> PreviewView:
    return desk.engine.preview_order(order(ALICE, desk.account_id, "preview", side, nanos, **more))


def test_an_order_too_large_beside_those_that_wait_shows_its_price_and_why_not(trader: OpenDesk) -> None:
    desk = trader(max_position_micros=1_500_000_000)
    desk.place(nanos=6 * ONE_SOL, kind=OrderKind.LIMIT, limit_price_e8=100 * 10**8)
    assert preview(desk, "buy", 6 * ONE_SOL).reject_code is None
    shown = preview(desk, "buy", 7 * ONE_SOL)
    assert shown.reject_code is RejectCode.MAX_NOTIONAL
    assert shown.gross_micros is not None


def test_a_close_takes_what_a_resting_sale_holds_and_an_order_of_a_size_does_not(latest: Desk) -> None:
    latest.place(nanos=2 * ONE_SOL)
    latest.place("sell", 2 * ONE_SOL, kind=OrderKind.LIMIT, limit_price_e8=160 * 10**8)
    assert preview(latest, "sell", ONE_SOL).reject_code is RejectCode.INSUFFICIENT_POSITION
    shown = preview(latest, "sell", None, terms=OrderTerms(reduce_only=True))
    assert (shown.status, shown.position_after_nanos) == (OrderStatus.FILLED, 0)
    assert [o.status for o in latest.open()] == [OrderStatus.ACCEPTED], "nothing was cancelled for it"


def test_a_waiting_order_answers_no_preview_of_the_same_key_and_is_not_of_another_account(latest: Desk) -> None:
    latest.place(idempotency_key="preview", client_order_id="mine", kind=OrderKind.LIMIT, limit_price_e8=100 * 10**8)
    at_90 = OrderTerms(OrderKind.LIMIT, 90 * 10**8)
    assert preview(latest, "buy", ONE_SOL, terms=at_90).held_amount == 90_063_000
    again = preview(latest, "buy", ONE_SOL, client_order_id="mine", terms=at_90)
    assert again.reject_code is RejectCode.DUPLICATE_IN_FLIGHT
    other = Desk(latest.database, latest.clock, "practice-next-v1")
    assert other.account_id != latest.account_id
    assert preview(other, "buy", ONE_SOL, client_order_id="mine").reject_code is None
