"""The store in memory keeps the promises of the databases that tests/db does not ask of it already."""

from concurrent.futures import ThreadPoolExecutor

import pytest
from tests.domains.prop_engine.markets import FixedBooks, FixedQuotes, order, quote_at, rule_sets

from pump_party.domains.prop_engine.audit import audit
from pump_party.domains.prop_engine.memory_store import MemoryStore
from pump_party.domains.prop_engine.service import PropTradingEngine
from pump_party.domains.prop_interface.contract import (
    ACCOUNTS_PER_USER_MAX,
    AccountKind,
    AccountView,
    OpenAccount,
    OrderStatus,
    RejectCode,
    ResetAccount,
)
from pump_party.kernel.errors import Conflict, IdempotencyMismatch, NotFound
from pump_party.kernel.ids import UserId
from pump_party.platform.clock import ManualClock
from pump_party.platform.ids import Ids

ALICE = UserId("01900000-0000-7000-8000-00000000a11c")
BOB = UserId("01900000-0000-7000-8000-000000000b0b")
ONE_SOL = 10**9


@pytest.fixture
def store() -> MemoryStore:
    return MemoryStore()


@pytest.fixture
def engine(store: MemoryStore, clock: ManualClock) -> PropTradingEngine:
    quotes = FixedQuotes(quote_at(clock.now_ms()))
    return PropTradingEngine(store, quotes, FixedBooks(), rule_sets(), clock, Ids(clock))


@pytest.fixture
def account(engine: PropTradingEngine) -> AccountView:
    return engine.open_account(OpenAccount(ALICE, AccountKind.PRACTICE, "open"))


def test_orders_at_once_cannot_spend_the_balance_twice(
    engine: PropTradingEngine, account: AccountView, store: MemoryStore
) -> None:
    def spend(number: int) -> OrderStatus:
        (placed,) = engine.place_orders([order(ALICE, account.account_id, f"k{number}", quote_micros=9_000_000_000)])
        assert not isinstance(placed, Exception)
        return placed.status

    with ThreadPoolExecutor(8) as pool:
        statuses = list(pool.map(spend, range(40)))
    assert statuses.count(OrderStatus.FILLED) == 1
    assert [problem for records in store.account_records() for problem in audit(records)] == []


def test_a_key_has_one_effect_and_another_request_under_it_is_refused(
    engine: PropTradingEngine, account: AccountView
) -> None:
    first, again, other = engine.place_orders(
        [order(ALICE, account.account_id, "k", "buy", nanos) for nanos in (ONE_SOL, ONE_SOL, 2 * ONE_SOL)]
    )
    assert first == again
    assert isinstance(other, IdempotencyMismatch)
    assert engine.place_orders([order(ALICE, account.account_id, "k", "buy", ONE_SOL)]) == [first]
    assert len(engine.fills(ALICE, account.account_id, cursor=None, limit=10).items) == 1
    assert engine.open_account(OpenAccount(ALICE, AccountKind.PRACTICE, "open")).account_id == account.account_id
    with pytest.raises(IdempotencyMismatch):
        engine.open_account(OpenAccount(ALICE, AccountKind.CONTEST, "open"))


def test_what_fails_halfway_leaves_nothing(engine: PropTradingEngine, account: AccountView, store: MemoryStore) -> None:
    key = (account.account_id, order(ALICE, account.account_id, "k").market, "k")

    def fail() -> None:
        with store.orders_transaction([key]) as transaction:
            transaction.accounts.clear()
            raise RuntimeError

    with pytest.raises(RuntimeError):
        fail()
    assert engine.account(ALICE, account.account_id) == account
    (placed,) = ThreadPoolExecutor(1).submit(engine.place_orders, [order(ALICE, key[0], "k", "buy", ONE_SOL)]).result(5)
    assert not isinstance(placed, Exception), "another thread is not kept out"


def test_a_reset_starts_a_new_cycle_once_and_keeps_history(
    engine: PropTradingEngine, account: AccountView, store: MemoryStore
) -> None:
    (placed,) = engine.place_orders([order(ALICE, account.account_id, "k1", "buy", ONE_SOL)])
    fresh = engine.reset_account(ResetAccount(ALICE, account.account_id, "reset"))
    assert (fresh.cycle, fresh.cash_micros, fresh.positions) == (2, 10_000_000_000, ())
    assert engine.reset_account(ResetAccount(ALICE, account.account_id, "reset")) == fresh
    assert engine.orders(ALICE, account.account_id, cursor=None, limit=10).items == (placed,)
    (refused,) = engine.place_orders([order(ALICE, account.account_id, "k2", "sell", ONE_SOL)])
    assert not isinstance(refused, Exception)
    assert refused.reject_code is RejectCode.INSUFFICIENT_POSITION
    assert [problem for records in store.account_records() for problem in audit(records)] == []


def test_a_stranger_finds_none_of_it_and_a_user_has_a_bounded_number_of_accounts(
    engine: PropTradingEngine, account: AccountView
) -> None:
    for ask in (engine.orders, engine.fills, engine.ledger):
        with pytest.raises(NotFound):
            ask(BOB, account.account_id, cursor=None, limit=10)
    with pytest.raises(NotFound):
        engine.account(BOB, account.account_id)
    assert engine.accounts(BOB) == []
    for number in range(1, ACCOUNTS_PER_USER_MAX):
        engine.open_account(OpenAccount(ALICE, AccountKind.PRACTICE, f"open-{number}"))
    with pytest.raises(Conflict):
        engine.open_account(OpenAccount(ALICE, AccountKind.PRACTICE, "one more"))


def test_pages_run_newest_first_without_gap_or_repeat(engine: PropTradingEngine, account: AccountView) -> None:
    for number in range(7):
        engine.place_orders([order(ALICE, account.account_id, f"k{number}", "buy", ONE_SOL)])
    for read in (engine.orders, engine.fills):
        seen, cursor = [], None
        while True:
            page = read(ALICE, account.account_id, cursor=cursor, limit=3)
            seen.extend(item.order_id for item in page.items)
            cursor = page.next_cursor
            if cursor is None:
                break
        assert len(seen) == 7
        assert seen == sorted(seen, reverse=True)
    assert len(engine.ledger(ALICE, account.account_id, cursor=None, limit=200).items) == 2 + 7 * 5
