"""Limits on orders and losses on a real database: what is refused, when an account freezes, how it is closed."""

import msgspec
import pytest
from tests.db.conftest import OpenDesk
from tests.db.desk import ALICE, ONE_SOL, START, Desk, holds_nothing
from tests.domains.prop_engine.markets import SOL_PERP, quote_at

from pump_party.db.engine import Database
from pump_party.db.outbox import OutboxStore
from pump_party.db.prop_check import check
from pump_party.domains.prop_engine.curve import DAY_MS
from pump_party.domains.prop_engine.risk import Drawdown
from pump_party.domains.prop_interface.contract import (
    AccountStatus,
    CancelOrder,
    CancelOrders,
    CancelReason,
    OrderKind,
    OrderStatus,
    RejectCode,
    ResetAccount,
    SetAccountStatus,
    StatusReason,
)
from pump_party.kernel.errors import Conflict
from pump_party.platform.clock import ManualClock

AUDITION = "audition-v1"
MARK_MS = 10_000
DAILY_LIMIT = 400_000_000
"""Four percent of the start capital."""


def price_at_equity(desk: Desk, equity_micros: int) -> int:
    """The highest mid at which the account, long SOL, is worth this much."""
    view = desk.view()
    (held,) = view.positions
    return ((equity_micros - view.cash_micros - view.held_micros + 1) * 10**11 - 1) // held.quantity_nanos


def mark(desk: Desk, mid_e8: int, *, after_ms: int = MARK_MS) -> AccountStatus:
    """An equity mark at this price, without a tick that orders could fill on."""
    desk.clock.advance(after_ms)
    desk.quotes.set(quote_at(desk.clock.now_ms(), market=desk.market, age_ms=0, conf_e8=0, mid_e8=mid_e8))
    desk.engine.mark_accounts()
    return desk.view().status


def buy(desk: Desk, nanos: int = 50 * ONE_SOL) -> None:
    desk.place("buy", nanos)
    desk.tick(150)


def events(desk: Desk, kind: str) -> list[dict[str, object]]:
    messages = OutboxStore(desk.database).after(desk.account_id, seq=0, limit=50)
    return [msgspec.json.decode(m.payload) for m in messages if m.kind == kind]


# --- losses ---


@pytest.mark.parametrize(("below_micros", "status"), [(0, AccountStatus.ACTIVE), (1, AccountStatus.FROZEN)])
def test_a_loss_of_exactly_four_percent_in_a_day_survives_and_one_micro_more_does_not(
    trader: OpenDesk, below_micros: int, status: AccountStatus
) -> None:
    desk = trader()
    buy(desk)
    # With 50 SOL a mid of 2e-9 USDC less is a micro of equity less: every equity has its price.
    wanted = START - DAILY_LIMIT - below_micros
    mid_e8 = price_at_equity(desk, wanted)
    assert mark(desk, mid_e8) is status
    assert desk.view().equity_micros == wanted


def test_a_breach_freezes_cancels_and_closes_at_the_next_tick(trader: OpenDesk) -> None:
    desk = trader()
    buy(desk)
    resting = desk.place("buy", ONE_SOL, kind=OrderKind.LIMIT, limit_price_e8=100 * 10**8)
    assert mark(desk, price_at_equity(desk, START - DAILY_LIMIT - 1)) is AccountStatus.FROZEN

    assert desk.order(resting).cancel_reason is CancelReason.ACCOUNT_CLOSED
    (closing,) = desk.open()
    assert (closing.side.value, closing.terms and closing.terms.is_closing, closing.held_amount) == ("sell", True, 0)
    assert desk.view().held_micros == 0
    assert check(desk.database).problems == []

    assert desk.tick(141, after_ms=1) == 1, "without any latency"
    closed = desk.order(closing)
    assert closed.status is OrderStatus.FILLED
    assert closed.fill is not None
    assert closed.fill.evidence.mid_e8 == 141 * 10**8
    view = desk.view()
    assert (view.positions[0].quantity_nanos, view.cash_micros, view.status) == (0, view.equity_micros, "frozen")
    assert desk.place().reject_code is RejectCode.ACCOUNT_FROZEN
    assert holds_nothing(desk)


def test_a_freeze_is_told_with_its_reason_and_proven_by_its_record(trader: OpenDesk) -> None:
    desk = trader()
    buy(desk)
    mark(desk, price_at_equity(desk, START - DAILY_LIMIT - 1))
    (told,) = events(desk, "account_status_changed")
    assert (told["status"], told["reason"]) == ("frozen", "DAILY_LOSS")
    detail = desk.engine._store.record_detail(_status_record(desk))
    assert detail is not None
    evidence = msgspec.json.decode(detail)
    assert evidence["equity_micros"] == str(START - DAILY_LIMIT - 1)
    assert (evidence["day_start_micros"], evidence["before"], evidence["by"]) == (str(START), "active", "engine")


def _status_record(desk: Desk) -> str:
    with desk.database.read() as connection:
        query = "SELECT record_id FROM prop_journal WHERE kind = 'status'"
        (row,) = connection.exec_driver_sql(query).all()
        return str(row[0])


def test_the_total_loss_counts_from_the_start_over_several_days(trader: OpenDesk) -> None:
    desk = trader()
    buy(desk)
    blotter = [
        (START - 300_000_000, AccountStatus.ACTIVE),
        (START - 600_000_000, AccountStatus.ACTIVE),
        (START - 800_000_000, AccountStatus.ACTIVE),
        (START - 800_000_001, AccountStatus.FROZEN),
    ]
    for day, (equity, status) in enumerate(blotter):
        if day:
            midnight_ms = (desk.clock.now_ms() // DAY_MS + 1) * DAY_MS
            mark(desk, price_at_equity(desk, blotter[day - 1][0]), after_ms=midnight_ms - desk.clock.now_ms())
        assert mark(desk, price_at_equity(desk, equity)) is status, equity
    (told,) = events(desk, "account_status_changed")
    assert told["reason"] == "TOTAL_LOSS"


def test_the_day_starts_at_midnight_with_open_positions_at_their_price(trader: OpenDesk) -> None:
    desk = trader()
    buy(desk)
    rich = price_at_equity(desk, START + 500_000_000)
    midnight_ms = (desk.clock.now_ms() // DAY_MS + 1) * DAY_MS
    mark(desk, rich, after_ms=midnight_ms - desk.clock.now_ms())
    assert mark(desk, price_at_equity(desk, START + 100_000_000)) is AccountStatus.ACTIVE
    assert mark(desk, price_at_equity(desk, START + 99_999_999)) is AccountStatus.FROZEN


def test_without_a_mark_at_midnight_the_day_starts_with_the_last_one_before_it(trader: OpenDesk) -> None:
    desk = trader()
    buy(desk)
    mark(desk, price_at_equity(desk, START - 300_000_000))
    assert mark(desk, price_at_equity(desk, START - 650_000_000), after_ms=DAY_MS) is AccountStatus.ACTIVE


def test_a_trailing_limit_follows_the_highest_mark(trader: OpenDesk) -> None:
    desk = trader(total_loss_ppm=50_000, drawdown=Drawdown.TRAILING)
    buy(desk)
    mark(desk, price_at_equity(desk, START + 1_000_000_000))
    assert mark(desk, price_at_equity(desk, START + 500_000_000)) is AccountStatus.ACTIVE
    assert mark(desk, price_at_equity(desk, START + 499_999_999)) is AccountStatus.FROZEN


def test_a_reset_account_starts_its_day_anew(trader: OpenDesk) -> None:
    desk = trader(daily_loss_ppm=40_000)
    buy(desk)
    mark(desk, price_at_equity(desk, START + 2_000_000_000))
    desk.clock.advance(DAY_MS)
    desk.engine.reset_account(ResetAccount(ALICE, desk.account_id, "reset"))
    desk.tick(150)
    buy(desk)
    assert mark(desk, price_at_equity(desk, START - DAILY_LIMIT)) is AccountStatus.ACTIVE


def test_closing_waits_while_the_price_is_uncertain_or_the_market_halted_and_takes_any_size(trader: OpenDesk) -> None:
    desk = trader(daily_loss_ppm=40_000)
    buy(desk, 66 * ONE_SOL)
    desk.place("sell", 66 * ONE_SOL - 100_000)
    mark(desk, 150 * 10**8)
    buy(desk, 60 * ONE_SOL)
    assert mark(desk, 140 * 10**8) is AccountStatus.FROZEN
    assert desk.tick(140, conf_e8=10**8) == 0
    assert desk.tick(140, halt_reason="quarantine_jump") == 0
    assert check(desk.database).problems == []
    assert desk.tick(139) == 1
    assert desk.view().positions[0].quantity_nanos == 0
    assert holds_nothing(desk)


def test_a_position_too_small_to_trade_is_closed_too(trader: OpenDesk) -> None:
    desk = trader(daily_loss_ppm=1)
    buy(desk, ONE_SOL)
    desk.place("sell", ONE_SOL - 1_000_000)
    assert mark(desk, 150 * 10**8) is AccountStatus.FROZEN, "the fees were already too much"
    assert desk.tick(150) == 1
    assert desk.view().positions[0].quantity_nanos == 0
    assert holds_nothing(desk)


@pytest.mark.parametrize("side", ["buy", "sell"])
def test_perpetual_positions_are_closed_on_their_own_side(trader: OpenDesk, side: str) -> None:
    desk = trader("race-v1", SOL_PERP)
    desk.place(side, 100 * ONE_SOL, leverage=5)
    desk.tick(150)
    against = 122 if side == "buy" else 178
    assert mark(desk, against * 10**8) is AccountStatus.FROZEN
    assert desk.tick(against) == 1
    view = desk.view()
    assert (view.perps, view.margin_micros, view.open_orders) == ((), 0, 0)
    assert view.residual_micros == 0
    assert holds_nothing(desk)


def test_a_crash_between_freeze_and_close_closes_once_afterwards(trader: OpenDesk) -> None:
    desk = trader()
    buy(desk)
    mark(desk, price_at_equity(desk, START - DAILY_LIMIT - 1))
    closing = [o.order_id for o in desk.open()]
    desk.restart()
    for seconds in range(3):
        assert mark(desk, 130 * 10**8 - seconds) is AccountStatus.FROZEN
    assert [o.order_id for o in desk.open()] == closing
    assert desk.tick(141) == 1
    assert desk.tick(141) == 0
    assert len(events(desk, "account_status_changed")) == 1
    assert holds_nothing(desk)


def test_a_breach_is_terminal_even_when_the_process_ends_before_its_mark_is_written(
    trader: OpenDesk, monkeypatch: pytest.MonkeyPatch
) -> None:
    desk = trader()
    buy(desk)

    def die(*_: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(type(desk.engine._store), "record_marks", die)
        with pytest.raises(KeyboardInterrupt):
            mark(desk, price_at_equity(desk, START - DAILY_LIMIT - 1))
    assert mark(desk, 160 * 10**8) is AccountStatus.FROZEN


def test_nobody_can_cancel_the_closing_or_reset_the_account(trader: OpenDesk) -> None:
    desk = trader(daily_loss_ppm=40_000)
    buy(desk)
    mark(desk, 130 * 10**8)
    (closing,) = desk.open()
    assert desk.place("sell", None, reduce_only=True, is_closing=True).reject_code is RejectCode.ACCOUNT_FROZEN
    assert desk.engine.cancel_order(CancelOrder(ALICE, desk.account_id, closing.order_id)) == closing
    assert desk.engine.cancel_orders(CancelOrders(ALICE, desk.account_id)) == []
    with pytest.raises(Conflict, match="frozen"):
        desk.engine.reset_account(ResetAccount(ALICE, desk.account_id, "again"))


def test_an_account_of_a_contest_gets_no_fresh_capital(trader: OpenDesk) -> None:
    desk = trader()
    with pytest.raises(Conflict) as refused:
        desk.engine.reset_account(ResetAccount(ALICE, desk.account_id, "reset"))
    assert refused.value.code == "contest_account"


def test_nobody_passes_an_order_off_as_the_engines_own(database: Database, clock: ManualClock) -> None:
    desk = Desk(database, clock, "practice-v2")
    desk.place("buy", 60 * ONE_SOL)
    assert desk.place("sell", None, reduce_only=True, is_closing=True).reject_code is RejectCode.BAD_REQUEST


def test_practice_accounts_may_lose_what_they_like(database: Database, clock: ManualClock) -> None:
    desk = Desk(database, clock, "practice-v2")
    desk.place("buy", 60 * ONE_SOL)
    assert mark(desk, 10 * 10**8) is AccountStatus.ACTIVE


# --- status ---


def status(desk: Desk, wanted: AccountStatus, key: str, *, owner: bool = False, reason: str = "") -> AccountStatus:
    command = SetAccountStatus(ALICE if owner else None, desk.account_id, wanted, key, reason)
    return desk.engine.set_account_status(command).status


def test_a_paused_account_takes_no_orders_and_keeps_those_that_wait(trader: OpenDesk) -> None:
    desk = trader(orders_per_minute=60)
    waiting = desk.place("buy", ONE_SOL, kind=OrderKind.LIMIT, limit_price_e8=140 * 10**8)
    assert status(desk, AccountStatus.PAUSED, "p", owner=True) is AccountStatus.PAUSED
    assert desk.place().reject_code is RejectCode.ACCOUNT_FROZEN
    assert desk.tick(139) == 1
    assert desk.order(waiting).status is OrderStatus.FILLED
    assert status(desk, AccountStatus.ACTIVE, "r", owner=True) is AccountStatus.ACTIVE
    assert desk.place().status is OrderStatus.FILLED
    assert holds_nothing(desk)


def test_a_locked_account_loses_its_orders_and_keeps_its_positions(trader: OpenDesk) -> None:
    desk = trader()
    buy(desk, ONE_SOL)
    waiting = desk.place("sell", ONE_SOL, kind=OrderKind.LIMIT, limit_price_e8=200 * 10**8)
    assert status(desk, AccountStatus.LOCKED, "l") is AccountStatus.LOCKED
    assert desk.order(waiting).cancel_reason is CancelReason.ACCOUNT_CLOSED
    assert desk.tick(150) == 0
    assert desk.view().positions[0].quantity_nanos == ONE_SOL
    assert desk.place().reject_code is RejectCode.ACCOUNT_FROZEN
    assert status(desk, AccountStatus.ACTIVE, "a") is AccountStatus.ACTIVE
    assert holds_nothing(desk)


def test_a_completed_account_is_closed_and_says_that_its_contest_is(trader: OpenDesk) -> None:
    desk = trader()
    buy(desk, ONE_SOL)
    assert status(desk, AccountStatus.COMPLETED, "c", reason="contest ended") is AccountStatus.COMPLETED
    assert desk.tick(150) == 1
    assert desk.view().positions[0].quantity_nanos == 0
    assert desk.place().reject_code is RejectCode.CONTEST_CLOSED
    assert events(desk, "account_status_changed")[0]["reason"] == "contest ended"
    assert holds_nothing(desk)


def test_a_key_changes_the_status_once_whatever_came_after(trader: OpenDesk) -> None:
    desk = trader(orders_per_minute=60)
    status(desk, AccountStatus.PAUSED, "one", owner=True)
    status(desk, AccountStatus.ACTIVE, "two", owner=True)
    assert status(desk, AccountStatus.PAUSED, "one", owner=True) is AccountStatus.ACTIVE
    assert len(events(desk, "account_status_changed")) == 2
    with pytest.raises(Exception, match="idempotency key"):
        status(desk, AccountStatus.ACTIVE, "one", owner=True)


def test_an_account_says_why_it_is_not_active_until_it_is_again(trader: OpenDesk) -> None:
    desk = trader()
    number = 0

    def set_status(status: AccountStatus, reason: str) -> tuple[object, ...]:
        nonlocal number
        number += 1
        command = SetAccountStatus(None, desk.account_id, status, f"change-{number}", reason)
        view = desk.engine.set_account_status(command)
        (listed,) = desk.engine.accounts(ALICE)
        assert desk.view() == view == listed
        return view.status_reason, view.status_detail

    assert (desk.view().status_reason, desk.view().status_detail) == (None, None)
    assert set_status(AccountStatus.PAUSED, "looked into") == (StatusReason.BY_SYSTEM, "looked into")
    assert set_status(AccountStatus.ACTIVE, "all is well") == (None, None)
    assert set_status(AccountStatus.LOCKED, "") == (StatusReason.BY_SYSTEM, None)
    assert set_status(AccountStatus.ACTIVE, "") == (None, None)
    buy(desk)
    assert mark(desk, price_at_equity(desk, START - DAILY_LIMIT - 1)) is AccountStatus.FROZEN
    view = desk.view()
    assert view.status_reason is StatusReason.DAILY_LOSS
    assert view.status_detail is not None
    assert "400.000001 below the 10000 at the start of the day" in view.status_detail
