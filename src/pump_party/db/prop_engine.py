"""The prop engine's store: accounts, history, standings. Orders are in `prop_orders*.py`, tables in `prop_tables.py`.

Every read of an account names the user who asks: a foreign account is not found here, not in a route.
"""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import sqlalchemy as sa

from pump_party.db import outbox, prop_due, prop_marks, prop_orders_postgres, prop_orders_sqlite
from pump_party.db.engine import Database
from pump_party.db.idempotency import idempotent
from pump_party.db.prop_holdings import read_holdings
from pump_party.db.prop_rows import (
    account_of,
    account_row,
    fill_of,
    open_order_of,
    order_of,
    order_row,
    record_of,
    record_row,
)
from pump_party.db.prop_tables import (
    accounts,
    equity_marks,
    fills,
    journal,
    open_orders,
    orders,
    perp_positions,
    positions,
)
from pump_party.domains.prop_engine.curve import EquityMark as CurveMark
from pump_party.domains.prop_engine.marking import Markable, Marked
from pump_party.domains.prop_engine.model import (
    Account,
    Fill,
    JournalRecord,
    OpenOrder,
    RecordedOrder,
    RecordKind,
    Standing,
)
from pump_party.domains.prop_engine.orders import account_not_found
from pump_party.domains.prop_engine.portfolio import Holdings
from pump_party.domains.prop_engine.store import OrdersTransaction, Performance, Reset, Tick, TransactionConflict
from pump_party.domains.prop_interface.contract import OPEN_ORDERS_MAX, AccountKind, EquityMark
from pump_party.kernel.errors import NotFound
from pump_party.kernel.ids import AccountId, Market, OrderId, UserId
from pump_party.platform.idempotency import RequestKey

_OPENING, _RESET = "/accounts", "/reset"
MONEY_SCOPES = (_OPENING, _RESET)
"""How the scopes of requests end that move money and have no row of their own to keep their key: they never expire."""


class PropStore:
    """Implements `domains.prop_engine.store.PropStore`."""

    def __init__(self, database: Database) -> None:
        self._database = database

    @contextmanager
    def orders_transaction(self, keys: Sequence[tuple[AccountId, Market, str]]) -> Iterator[OrdersTransaction]:
        path = prop_orders_sqlite if self._database.is_sqlite else prop_orders_postgres
        try:
            with path.orders_transaction(self._database, keys) as transaction:
                yield transaction
        except Exception as error:
            if _says_written_before(error):
                raise TransactionConflict from error
            raise

    def first_concerned(self, ticks: Sequence[Tick]) -> int | None:
        return prop_due.first_concerned(self._database, ticks)

    def due_orders(
        self, market: Market, *, publish_ms: int, mid_e8: int, after: str, limit: int
    ) -> Sequence[tuple[AccountId, OrderId]]:
        return prop_due.due_orders(
            self._database, market, publish_ms=publish_ms, mid_e8=mid_e8, after=after, limit=limit
        )

    def perps_to_watch(self, market: Market, *, mid_e8: int, hour: int, after: str, limit: int) -> Sequence[AccountId]:
        return prop_due.perps_to_watch(self._database, market, mid_e8=mid_e8, hour=hour, after=after, limit=limit)

    def late_orders(self, *, now_ms: int, limit: int) -> Sequence[tuple[AccountId, Market, OrderId]]:
        return prop_due.late_orders(self._database, now_ms=now_ms, limit=limit)

    # --- commands ---

    def open_account(
        self,
        user_id: UserId,
        kinds: Sequence[AccountKind],
        *,
        idempotency_key: str,
        request_sha256: str,
        at_ms: int,
        create: Callable[[int], tuple[Account, JournalRecord]],
    ) -> AccountId:
        def effect(connection: sa.Connection) -> bytes:
            if not self._database.is_sqlite:
                # Two first accounts of one user must not both count zero.
                connection.execute(sa.text("SELECT pg_advisory_xact_lock(hashtextextended(:u, 1))"), {"u": user_id})
            count = sa.select(sa.func.count()).where(accounts.c.user_id == user_id, accounts.c.kind.in_(kinds))
            account, opening = create(connection.execute(count).scalar_one())
            connection.execute(sa.insert(accounts), account_row(account))
            _insert_records(connection, [opening])
            return account.account_id.encode()

        account_id = idempotent(
            self._database,
            RequestKey(f"{user_id}{_OPENING}", idempotency_key, request_sha256),
            at_ms=at_ms,
            effect=effect,
        )
        return AccountId(account_id.decode())

    def reset_account(
        self,
        user_id: UserId,
        account_id: str,
        *,
        idempotency_key: str,
        request_sha256: str,
        at_ms: int,
        change: Callable[[Holdings, Sequence[OpenOrder]], Reset],
    ) -> None:
        def effect(connection: sa.Connection) -> bytes:
            mine = sa.select(accounts).where(accounts.c.account_id == account_id, accounts.c.user_id == user_id)
            row = connection.execute(mine.with_for_update()).one_or_none()
            if row is None:
                raise account_not_found()
            (holdings,) = read_holdings(connection, [account_of(row)])
            reset = change(holdings, _waiting(connection, account_id))
            for table in (positions, perp_positions, open_orders):
                connection.execute(sa.delete(table).where(table.c.account_id == account_id))
            update = sa.update(accounts).where(accounts.c.account_id == account_id)
            connection.execute(update.values(account_row(reset.account)))
            if reset.cancelled:
                connection.execute(sa.insert(orders), [_named(orders, order_row(o)) for o in reset.cancelled])
            _insert_records(connection, reset.records)
            outbox.append(connection, reset.messages)
            return b"reset"

        idempotent(
            self._database,
            RequestKey(f"{user_id}/{account_id}{_RESET}", idempotency_key, request_sha256),
            at_ms=at_ms,
            effect=effect,
        )

    # --- reads ---

    def accounts(self, user_id: UserId) -> Sequence[Holdings]:
        query = sa.select(accounts).where(accounts.c.user_id == user_id).order_by(accounts.c.account_id)
        with self._database.read() as connection:
            return read_holdings(connection, [account_of(r) for r in connection.execute(query)])

    def account(self, user_id: UserId | None, account_id: str) -> Holdings:
        with self._database.read() as connection:
            return read_holdings(connection, [_owned(connection, user_id, account_id)])[0]

    def situation(self, user_id: UserId, account_id: str) -> tuple[Holdings, Sequence[OpenOrder]]:
        with self._database.read() as connection:
            snapshot = prop_marks.snapshot(self._database, connection)
            (holdings,) = read_holdings(snapshot, [_owned(snapshot, user_id, account_id)])
            return holdings, _waiting(snapshot, account_id)

    def owns(self, user_id: UserId, account_id: str) -> bool:
        query = sa.select(accounts.c.user_id).where(accounts.c.account_id == account_id)
        with self._database.read() as connection:
            return connection.execute(query).scalar_one_or_none() == user_id

    def order(self, user_id: UserId, account_id: str, order_id: str) -> RecordedOrder | OpenOrder:
        waits = open_orders.c
        waiting = sa.select(open_orders).where(waits.account_id == account_id, waits.order_id == order_id)
        ended = _ORDERS.where(orders.c.account_id == account_id, orders.c.order_id == order_id)
        with self._database.read() as connection:
            _owned(connection, user_id, account_id)
            # Open first: an order that ends between the two reads is found by the second.
            row = connection.execute(waiting).one_or_none()
            if row is not None:
                return open_order_of(row)
            row = connection.execute(ended).one_or_none()
        if row is None:
            raise NotFound("this account has no such order", code="order_not_found", field="order_id")
        return recorded_of(row)

    def open_orders(self, user_id: UserId, account_id: str) -> Sequence[OpenOrder]:
        query = sa.select(open_orders).where(open_orders.c.account_id == account_id)
        with self._database.read() as connection:
            _owned(connection, user_id, account_id)
            rows = connection.execute(query.order_by(open_orders.c.order_id.desc()).limit(OPEN_ORDERS_MAX))
            return [open_order_of(row) for row in rows]

    def orders(
        self, user_id: UserId, account_id: str, *, before: int | None, limit: int
    ) -> Sequence[tuple[int, RecordedOrder]]:
        query = _page(
            _ORDERS.join(journal, (journal.c.order_id == orders.c.order_id) & _ENDED),
            account_id,
            before,
            limit,
        ).add_columns(journal.c.version)
        with self._database.read() as connection:
            _owned(connection, user_id, account_id)
            return [(row[-1], recorded_of(row)) for row in connection.execute(query)]

    def fills(self, user_id: UserId, account_id: str, *, before: int | None, limit: int) -> Sequence[Fill]:
        query = _page(sa.select(fills).join(journal, journal.c.record_id == fills.c.fill_id), account_id, before, limit)
        with self._database.read() as connection:
            _owned(connection, user_id, account_id)
            return [fill_of(row) for row in connection.execute(query)]

    def records(self, user_id: UserId, account_id: str, *, before: int | None, limit: int) -> Sequence[JournalRecord]:
        moved = sa.select(journal).where(journal.c.postings != "[]")
        with self._database.read() as connection:
            _owned(connection, user_id, account_id)
            return [record_of(row) for row in connection.execute(_page(moved, account_id, before, limit))]

    def equity_marks(
        self, user_id: UserId, account_id: str, *, before_ms: int | None, limit: int
    ) -> Sequence[EquityMark]:
        marks = equity_marks.c
        query = sa.select(marks.at_ms, marks.cycle, marks.equity_micros).where(marks.account_id == account_id)
        if before_ms is not None:
            query = query.where(marks.at_ms < before_ms)
        with self._database.read() as connection:
            _owned(connection, user_id, account_id)
            return [EquityMark(*r) for r in connection.execute(query.order_by(marks.at_ms.desc()).limit(limit))]

    def record_detail(self, record_id: str) -> str | None:
        query = sa.select(journal.c.detail).where(journal.c.record_id == record_id)
        with self._database.read() as connection:
            return connection.execute(query).scalar_one_or_none()

    def status_detail(self, account_id: AccountId) -> str | None:
        of_account = journal.c.account_id == account_id, journal.c.kind == RecordKind.STATUS.value
        newest = sa.select(journal.c.detail).where(*of_account).order_by(journal.c.version.desc()).limit(1)
        with self._database.read() as connection:
            return connection.execute(newest).scalar_one_or_none()

    def order_by_key(self, account_id: AccountId, idempotency_key: str) -> RecordedOrder | OpenOrder | None:
        waits = open_orders.c
        waiting = sa.select(open_orders).where(waits.account_id == account_id, waits.idempotency_key == idempotency_key)
        ended = _ORDERS.where(orders.c.account_id == account_id, orders.c.idempotency_key == idempotency_key)
        with self._database.read() as connection:
            # Open first: an order that ends between the two reads is found by the second.
            row = connection.execute(waiting).one_or_none()
            if row is not None:
                return open_order_of(row)
            row = connection.execute(ended).one_or_none()
        return None if row is None else recorded_of(row)

    # --- marks and the board ---

    def accounts_to_mark(self, *, after: str, limit: int, changed_only: bool = False) -> Sequence[Markable]:
        return prop_marks.accounts_to_mark(self._database, after=after, limit=limit, changed_only=changed_only)

    def record_marks(self, marked: Sequence[Marked]) -> Sequence[Marked]:
        return prop_marks.record_marks(self._database, marked)

    def sampled_marks(
        self, account_id: AccountId, cycle: int, *, first_ms: int, every_ms: int, count: int
    ) -> Sequence[CurveMark]:
        return prop_marks.sampled_marks(
            self._database, account_id, cycle, first_ms=first_ms, every_ms=every_ms, count=count
        )

    def performance(self, user_id: UserId, account_id: str, *, fills_limit: int) -> Performance:
        with self._database.read() as connection:
            snapshot = prop_marks.snapshot(self._database, connection)
            account = _owned(snapshot, user_id, account_id)
            (holdings,) = read_holdings(snapshot, [account])
            return prop_marks.performance(snapshot, holdings, fills_limit=fills_limit)

    def newest_standings(self, account_ids: Sequence[AccountId]) -> Sequence[Standing]:
        return prop_marks.newest_standings(self._database, account_ids)


def _says_written_before(error: Exception) -> bool:
    """Whether a journal record of this id is there already. Drivers tell it each in their own way."""
    constraint = getattr(getattr(error, "diag", None), "constraint_name", None)
    return constraint == "prop_journal_pkey" or str(error) == "UNIQUE constraint failed: prop_journal.record_id"


def _owned(connection: sa.Connection, user_id: UserId | None, account_id: str) -> Account:
    row = connection.execute(sa.select(accounts).where(accounts.c.account_id == account_id)).one_or_none()
    if row is None or (user_id is not None and row.user_id != user_id):
        raise account_not_found()
    return account_of(row)


def _waiting(connection: sa.Connection, account_id: str) -> list[OpenOrder]:
    rows = connection.execute(sa.select(open_orders).where(open_orders.c.account_id == account_id))
    return [open_order_of(row) for row in rows]


_ENDED = journal.c.kind.in_((RecordKind.REJECT.value, RecordKind.CANCEL.value)) | (
    journal.c.record_id == orders.c.fill_id
)
"""The record that ended an order: its last fill, or its refusal."""

_ORDERS = sa.select(orders, fills).join(fills, fills.c.fill_id == orders.c.fill_id, isouter=True)


def recorded_of(row: Sequence[Any]) -> RecordedOrder:
    """An order's row with its fill's columns behind it, null when it was rejected."""
    width = len(orders.c)
    order = order_of(row[:width])
    fill = None if order.fill_id is None else fill_of(row[width : width + len(fills.c)])
    return RecordedOrder(order, fill)


def _page(query: "sa.Select[Any]", account_id: str, before: int | None, limit: int) -> "sa.Select[Any]":
    """The account's newest rows of a query that joins the journal, from before a version."""
    query = query.where(journal.c.account_id == account_id)
    if before is not None:
        query = query.where(journal.c.version < before)
    return query.order_by(journal.c.version.desc()).limit(limit)


def _insert_records(connection: sa.Connection, records: Sequence[JournalRecord]) -> None:
    connection.execute(sa.insert(journal), [_named(journal, record_row(r)) for r in records])


def _named(table: sa.Table, row: Sequence[Any]) -> dict[str, Any]:
    return dict(zip(table.c.keys(), row, strict=True))
