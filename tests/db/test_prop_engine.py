"""The engine on a real database: atomic, idempotent, owned, append only. Runs on SQLite and on Postgres."""

import threading
from concurrent.futures import ThreadPoolExecutor

import msgspec
import pytest
import sqlalchemy as sa
from tests.domains.prop_engine.markets import BTC, SOL, FixedBooks, FixedQuotes, order, quote_at, rule_sets

from pump_party.db.engine import Database, metadata
from pump_party.db.outbox import OutboxStore
from pump_party.db.prop_check import check
from pump_party.db.prop_engine import PropStore
from pump_party.db.prop_tables import APPEND_ONLY, accounts, equity_marks
from pump_party.domains.marketdata.contract import HaltReason
from pump_party.domains.prop_engine.marking import MARK_INTERVAL_MS
from pump_party.domains.prop_engine.service import PropTradingEngine
from pump_party.domains.prop_interface.contract import (
    ACCOUNTS_PER_USER_MAX,
    AccountKind,
    AccountStatus,
    AccountView,
    OpenAccount,
    OrderStatus,
    OrderView,
    RejectCode,
    ResetAccount,
    SetAccountStatus,
)
from pump_party.kernel.errors import Conflict, IdempotencyMismatch, Invalid, NotFound, Unavailable
from pump_party.kernel.ids import AccountId, UserId
from pump_party.platform.clock import ManualClock
from pump_party.platform.ids import Ids

ALICE = UserId("01900000-0000-7000-8000-00000000a11c")
BOB = UserId("01900000-0000-7000-8000-000000000b0b")
ONE_SOL = 10**9


@pytest.fixture
def quotes(clock: ManualClock) -> FixedQuotes:
    return FixedQuotes(quote_at(clock.now_ms()), quote_at(clock.now_ms(), market=BTC, mid_e8=6_000_000_000_000))


@pytest.fixture
def engine(database: Database, quotes: FixedQuotes, clock: ManualClock) -> PropTradingEngine:
    return PropTradingEngine(PropStore(database), quotes, FixedBooks(), rule_sets(), clock, Ids(clock))


@pytest.fixture
def account(engine: PropTradingEngine) -> AccountView:
    return engine.open_account(OpenAccount(ALICE, AccountKind.PRACTICE, "open"))


def place(engine: PropTradingEngine, account: AccountView, key: str, *args: object, **more: object) -> OrderView:
    (outcome,) = engine.place_orders([order(ALICE, account.account_id, key, *args, **more)])
    if isinstance(outcome, Exception):
        raise outcome
    return outcome


def test_a_new_account_holds_its_start_capital_and_nothing_else(account: AccountView) -> None:
    assert (account.cash_micros, account.equity_micros, account.residual_micros) == (10_000_000_000, 10_000_000_000, 0)
    assert account.positions == ()
    assert not account.contest_eligible


def test_a_fill_changes_order_fill_ledger_balance_and_position_together(
    engine: PropTradingEngine, account: AccountView, database: Database
) -> None:
    placed = place(engine, account, "k1", "buy", ONE_SOL)
    after = engine.account(ALICE, account.account_id)

    assert placed.status is OrderStatus.FILLED
    assert placed.fill is not None
    assert (placed.fill.price_e8, placed.fill.gross_micros, placed.fill.fee_micros) == (
        15_030_980_000,
        150_309_800,
        105_217,
    )
    assert (placed.fill.evidence.age_ms, placed.fill.evidence.tick_sha256) == (300, "ab" * 32)
    assert after.cash_micros == 10_000_000_000 - 150_415_017
    assert (after.positions[0].quantity_nanos, after.positions[0].cost_micros) == (ONE_SOL, 150_309_800)
    assert after.residual_micros == 0
    assert engine.orders(ALICE, account.account_id, cursor=None, limit=10).items == (placed,)
    assert engine.fills(ALICE, account.account_id, cursor=None, limit=10).items == (placed.fill,)
    assert engine.order(ALICE, account.account_id, placed.order_id) == placed
    entries = engine.ledger(ALICE, account.account_id, cursor=None, limit=1).items
    assert sorted((e.ledger_account, e.amount, e.balance_after) for e in entries) == [
        ("user:cash", -150_415_017, 9_849_584_983),
        ("user:sol", ONE_SOL, ONE_SOL),
        ("venue:cash", 150_309_800, 150_309_800),
        ("venue:fees", 105_217, 105_217),
        ("venue:sol", -ONE_SOL, -ONE_SOL),
    ]
    (message,) = OutboxStore(database).after(account.account_id, seq=0, limit=10)
    assert (message.kind, message.seq, after.seq) == ("order_filled", 2, 2)
    assert check(database).problems == []


def test_the_same_key_gives_the_first_outcome_and_another_body_is_refused(
    engine: PropTradingEngine, account: AccountView, quotes: FixedQuotes, clock: ManualClock
) -> None:
    first = place(engine, account, "k1", "buy", ONE_SOL)
    refused = place(engine, account, "k2", "sell", 2 * ONE_SOL)
    quotes.set(quote_at(clock.now_ms(), mid_e8=20_000_000_000))

    assert place(engine, account, "k1", "buy", ONE_SOL) == first
    assert place(engine, account, "k2", "sell", 2 * ONE_SOL) == refused
    assert refused.reject_code is RejectCode.INSUFFICIENT_POSITION
    with pytest.raises(IdempotencyMismatch):
        place(engine, account, "k1", "buy", 2 * ONE_SOL)
    assert len(engine.orders(ALICE, account.account_id, cursor=None, limit=10).items) == 2


def test_within_a_batch_each_order_sees_what_the_earlier_ones_spent(
    engine: PropTradingEngine, account: AccountView
) -> None:
    commands = [
        order(ALICE, account.account_id, "a", quote_micros=6_000_000_000),
        order(ALICE, account.account_id, "b", quote_micros=6_000_000_000),
        order(ALICE, account.account_id, "a", quote_micros=6_000_000_000),
        order(ALICE, account.account_id, "a", quote_micros=1_000_000_000),
        order(BOB, account.account_id, "c", quote_micros=1_000_000),
        order(ALICE, AccountId("01900000-0000-7000-8000-0000000000ff"), "d", quote_micros=1_000_000),
    ]
    filled, unfunded, repeated, mismatched, foreign, unknown = engine.place_orders(commands)
    assert isinstance(filled, OrderView)
    assert filled.status is OrderStatus.FILLED
    assert isinstance(unfunded, OrderView)
    assert unfunded.reject_code is RejectCode.INSUFFICIENT_FUNDS
    assert repeated == filled
    assert isinstance(mismatched, IdempotencyMismatch)
    assert isinstance(foreign, NotFound)
    assert isinstance(unknown, NotFound)


def test_no_order_fills_on_a_missing_halted_or_stale_price(
    engine: PropTradingEngine, account: AccountView, quotes: FixedQuotes, clock: ManualClock
) -> None:
    now = clock.now_ms()
    cases = [
        (None, RejectCode.MARKET_HALTED),
        (quote_at(now, halt_reason=HaltReason.QUARANTINE_JUMP), RejectCode.MARKET_HALTED),
        (quote_at(now, age_ms=10_001), RejectCode.MARKET_HALTED),
        (quote_at(now, age_ms=3_001), RejectCode.PRICE_STALE),
        (quote_at(now, conf_e8=90_140_741), RejectCode.PRICE_UNCERTAIN),
    ]
    for number, (quote, code) in enumerate(cases):
        quotes.forget(SOL)
        if quote is not None:
            quotes.set(quote)
        assert place(engine, account, f"k{number}", "buy", ONE_SOL).reject_code is code
    assert engine.account(ALICE, account.account_id).cash_micros == 10_000_000_000


def test_a_preview_says_what_the_order_then_costs_and_changes_nothing(
    engine: PropTradingEngine, account: AccountView
) -> None:
    command = order(ALICE, account.account_id, "k", quote_micros=1_000_000_000)
    preview = engine.preview_order(command)
    assert engine.account(ALICE, account.account_id) == account
    (placed,) = engine.place_orders([command])
    assert isinstance(placed, OrderView)
    assert placed.fill is not None
    assert (preview.price_e8, preview.gross_micros, preview.fee_micros) == (
        placed.fill.price_e8,
        placed.fill.gross_micros,
        placed.fill.fee_micros,
    )
    after = engine.account(ALICE, account.account_id)
    assert (preview.cash_after_micros, preview.position_after_nanos) == (
        after.cash_micros,
        after.positions[0].quantity_nanos,
    )
    broke = engine.preview_order(msgspec.structs.replace(command, quote_micros=20_000_000_000))
    assert broke.reject_code is RejectCode.INSUFFICIENT_FUNDS
    assert broke.gross_micros is not None


def test_two_hundred_orders_at_once_cannot_spend_the_balance_twice(database: Database, clock: ManualClock) -> None:
    quotes = FixedQuotes(quote_at(clock.now_ms()))
    engine = PropTradingEngine(PropStore(database), quotes, FixedBooks(), rule_sets(), clock, Ids(clock))
    account = engine.open_account(OpenAccount(ALICE, AccountKind.PRACTICE, "open"))
    start = threading.Barrier(16)

    def storm(thread: int) -> list[OrderView]:
        start.wait()
        keys = [f"{thread}-{number}" for number in range(13)]
        return [insist(key) for key in keys]

    def insist(key: str) -> OrderView:
        """More threads than connections: one that gets none in time asks again, as a client would."""
        while True:
            try:
                return place(engine, account, key, quote_micros=9_000_000_000)
            except Unavailable:
                continue

    with ThreadPoolExecutor(16) as pool:
        outcomes = [o for orders in pool.map(storm, range(16)) for o in orders]
    assert [o.status for o in outcomes].count(OrderStatus.FILLED) == 1
    assert check(database).problems == []


def test_the_same_key_from_many_threads_has_one_effect(engine: PropTradingEngine, account: AccountView) -> None:
    with ThreadPoolExecutor(8) as pool:
        outcomes = list(pool.map(lambda _: place(engine, account, "same", "buy", ONE_SOL), range(40)))
    assert len({o.order_id for o in outcomes}) == 1
    assert len(engine.fills(ALICE, account.account_id, cursor=None, limit=10).items) == 1


def test_opening_is_idempotent_and_bounded(engine: PropTradingEngine, account: AccountView) -> None:
    assert engine.open_account(OpenAccount(ALICE, AccountKind.PRACTICE, "open")) == account
    for number in range(1, ACCOUNTS_PER_USER_MAX):
        engine.open_account(OpenAccount(ALICE, AccountKind.PRACTICE, f"open-{number}"))
    with pytest.raises(Conflict, match="reset one"):
        engine.open_account(OpenAccount(ALICE, AccountKind.PRACTICE, "one more"))
    assert len(engine.accounts(ALICE)) == ACCOUNTS_PER_USER_MAX


def test_a_reset_starts_a_new_cycle_and_keeps_history(
    engine: PropTradingEngine, account: AccountView, database: Database
) -> None:
    placed = place(engine, account, "k1", "buy", ONE_SOL)
    command = ResetAccount(ALICE, account.account_id, "reset")
    fresh = engine.reset_account(command)

    assert (fresh.cycle, fresh.cash_micros, fresh.positions, fresh.fees_micros) == (2, 10_000_000_000, (), 0)
    assert fresh.residual_micros == 0
    assert engine.reset_account(command) == fresh
    assert engine.orders(ALICE, account.account_id, cursor=None, limit=10).items == (placed,)
    assert place(engine, account, "k2", "sell", ONE_SOL).reject_code is RejectCode.INSUFFICIENT_POSITION
    place(engine, account, "k3", "buy", ONE_SOL)
    assert check(database).problems == []


def test_a_stranger_finds_none_of_it(engine: PropTradingEngine, account: AccountView) -> None:
    placed = place(engine, account, "k1", "buy", ONE_SOL)
    own = account.account_id
    for ask in (
        lambda: engine.account(BOB, own),
        lambda: engine.order(BOB, own, placed.order_id),
        lambda: engine.orders(BOB, own, cursor=None, limit=10),
        lambda: engine.fills(BOB, own, cursor=None, limit=10),
        lambda: engine.ledger(BOB, own, cursor=None, limit=10),
        lambda: engine.equity(BOB, own, cursor=None, limit=10),
        lambda: engine.preview_order(order(BOB, own, "k", "buy", ONE_SOL)),
        lambda: engine.reset_account(ResetAccount(BOB, own, "r")),
        lambda: engine.account(ALICE, "not-an-id"),
    ):
        with pytest.raises(NotFound):
            ask()
    assert engine.owns(ALICE, own)
    assert not engine.owns(BOB, own)
    assert engine.accounts(BOB) == []


def test_pages_run_newest_first_without_gap_or_repeat(engine: PropTradingEngine, account: AccountView) -> None:
    placed = [place(engine, account, f"k{n}", "buy", ONE_SOL) for n in range(7)]
    for read in (engine.orders, engine.fills):
        seen, cursor = [], None
        while True:
            page = read(ALICE, account.account_id, cursor=cursor, limit=3)
            seen.extend(item.order_id for item in page.items)
            cursor = page.next_cursor
            if cursor is None:
                break
        assert seen == [o.order_id for o in reversed(placed)]
    for wrong in ({"cursor": "x", "limit": 3}, {"cursor": None, "limit": 0}, {"cursor": None, "limit": 201}):
        with pytest.raises(Invalid):
            engine.fills(ALICE, account.account_id, **wrong)


def test_marks_follow_the_price(
    engine: PropTradingEngine, account: AccountView, quotes: FixedQuotes, clock: ManualClock
) -> None:
    place(engine, account, "k1", "buy", 10 * ONE_SOL)
    for mid_e8 in (15_023_456_789, 16_000_000_000, 14_000_000_000):
        clock.advance(MARK_INTERVAL_MS)
        quotes.set(quote_at(clock.now_ms(), mid_e8=mid_e8))
        assert engine.mark_accounts() == 1
    marks = engine.equity(ALICE, account.account_id, cursor=None, limit=10).items
    assert marks[0].equity_micros < marks[1].equity_micros


def test_a_halted_market_gives_no_mark(
    engine: PropTradingEngine, account: AccountView, quotes: FixedQuotes, clock: ManualClock
) -> None:
    place(engine, account, "k1", "buy", ONE_SOL)
    assert engine.mark_accounts() == 1
    clock.advance(MARK_INTERVAL_MS)
    quotes.set(quote_at(clock.now_ms(), halt_reason=HaltReason.SOURCES_DISAGREE))
    assert engine.mark_accounts() == 0


@pytest.mark.parametrize("table", APPEND_ONLY)
def test_the_database_itself_refuses_to_rewrite_history(
    table: str, engine: PropTradingEngine, account: AccountView, database: Database
) -> None:
    place(engine, account, "k1", "buy", ONE_SOL)
    engine.mark_accounts()
    column = metadata.tables[table].primary_key.columns.keys()[0]
    for statement in (f"UPDATE {table} SET {column} = {column}", f"DELETE FROM {table}"):
        with pytest.raises(sa.exc.DBAPIError, match="append only"), database.write() as connection:
            connection.execute(sa.text(statement))


@pytest.mark.parametrize(
    ("statement", "code"),
    [
        ("UPDATE prop_fills SET fee_micros = fee_micros + 1", "chain_broken"),
        ("UPDATE prop_fills SET tick_sha256 = 'x'", "chain_broken"),
        ("UPDATE prop_journal SET postings = replace(postings, '-150415017', '-150415018')", "record_unbalanced"),
        ("UPDATE prop_journal SET at_ms = at_ms + 1", "chain_broken"),
        ("UPDATE prop_accounts SET cash_micros = cash_micros + 1", "balance_differs"),
        ("UPDATE prop_accounts SET status = 'active'", "account_differs"),
        ("UPDATE prop_accounts SET opened_ms = opened_ms + 1", "account_differs"),
        ("UPDATE prop_orders SET fill_id = order_id", "order_differs"),
        ("UPDATE prop_accounts SET kind = 'qractice'", "row_unreadable"),
        ("UPDATE prop_positions SET consumed = '{'", "row_unreadable"),
        ("UPDATE prop_fills SET side = 'cuy'", "row_unreadable"),
        ("UPDATE prop_orders SET terms = '{'", "row_unreadable"),
        ("UPDATE prop_journal SET kind = 'gill' WHERE kind = 'fill'", "row_unreadable"),
        ("UPDATE prop_journal SET postings = '['", "row_unreadable"),
        ("UPDATE prop_journal SET detail = '['", "chain_broken"),
        ("UPDATE prop_positions SET quantity_nanos = quantity_nanos + 1", "balance_differs"),
        ("DELETE FROM prop_fills", "outcome_incomplete"),
        ("DELETE FROM prop_orders", "outcome_incomplete"),
        ("DELETE FROM prop_journal WHERE version = 1", "version_gap"),
        ("DELETE FROM platform_outbox", "seq_differs"),
    ],
)
def test_db_check_finds_whatever_was_changed_behind_its_back(
    statement: str, code: str, engine: PropTradingEngine, account: AccountView, database: Database
) -> None:
    place(engine, account, "k1", "buy", ONE_SOL)
    engine.set_account_status(SetAccountStatus(ALICE, account.account_id, AccountStatus.PAUSED, "pause"))
    assert check(database).problems == []
    with database.write() as connection:
        _lift_triggers(connection)
        connection.execute(sa.text(statement))
    problems = check(database).problems
    assert code in {p.code for p in problems}
    assert {p.account_id for p in problems} == {account.account_id}


def test_the_ledger_can_be_read_with_plain_sql_and_sums_to_zero(
    engine: PropTradingEngine, account: AccountView, database: Database
) -> None:
    place(engine, account, "k1", "buy", ONE_SOL)
    place(engine, account, "k2", "sell", 9 * ONE_SOL)
    by_asset = (
        "SELECT asset, COUNT(*), CAST(SUM(amount) AS INTEGER) FROM prop_ledger_entries GROUP BY asset ORDER BY asset"
    )
    owned = "SELECT ledger_account, amount, balance_after FROM prop_ledger_entries WHERE version = 2 AND leg = 0"
    with database.read() as connection:
        if database.is_sqlite:
            # As an operator's own shell has it; the product itself reads no view.
            connection.execute(sa.text("PRAGMA trusted_schema=ON"))
        assert [tuple(row) for row in connection.execute(sa.text(by_asset))] == [("SOL", 2, 0), ("USDC", 5, 0)]
        assert [tuple(row) for row in connection.execute(sa.text(owned))] == [
            ("user:cash", -150_415_017, 9_849_584_983)
        ]


def test_the_tables_of_the_code_are_those_of_the_migrations(database: Database) -> None:
    with database.read() as connection:
        inspector = sa.inspect(connection)
        for table in (accounts, equity_marks):
            assert [c["name"] for c in inspector.get_columns(table.name)] == [c.name for c in table.c]


def _lift_triggers(connection: sa.Connection) -> None:
    for table in APPEND_ONLY:
        if connection.dialect.name == "postgresql":
            connection.execute(sa.text(f"ALTER TABLE {table} DISABLE TRIGGER ALL"))
        else:
            for event in ("update", "delete"):
                connection.execute(sa.text(f"DROP TRIGGER {table}_no_{event}"))
