"""Reads every account's records and hands them to the audit, a page of accounts at a time."""

from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from typing import Any, TypeVar

import msgspec
import sqlalchemy as sa

from pump_party.db.engine import Database
from pump_party.db.outbox import outbox
from pump_party.db.prop_rows import (
    account_of,
    fill_of,
    open_order_of,
    order_of,
    perp_position_of,
    position_of,
    record_of,
)
from pump_party.db.prop_tables import accounts, fills, journal, open_orders, orders, perp_positions, positions
from pump_party.domains.prop_engine.audit import AccountRecords, Problem, audit
from pump_party.domains.prop_engine.ledger import read_postings
from pump_party.domains.prop_engine.model import Account, JournalRecord
from pump_party.kernel.ids import AccountId

Value = TypeVar("Value")

ACCOUNTS_PER_PAGE = 100
PROBLEMS_MAX = 1_000
"""A report stops collecting here; one is enough to act."""


class CheckReport(msgspec.Struct):
    """What was read and what was found. No problems means proven."""

    accounts: int = 0
    orders: int = 0
    fills: int = 0
    records: int = 0
    postings: int = 0
    problems: list[Problem] = msgspec.field(default_factory=list)


def check(database: Database, *, progress: Callable[[int, int], None] = lambda _done, _all: None) -> CheckReport:
    """Prove all accounts. `progress` is told (accounts done, accounts in all) after each page.

    A page is read in one transaction: on a database in use each account is proven as of one moment.
    """
    report = CheckReport()
    with database.read() as connection:
        total = connection.execute(sa.select(sa.func.count()).select_from(accounts)).scalar_one()
    after = ""
    while len(report.problems) < PROBLEMS_MAX:
        with database.read() as connection:
            snapshot = connection if database.is_sqlite else _snapshot(connection)
            query = sa.select(accounts).where(accounts.c.account_id > after).order_by(accounts.c.account_id)
            page = snapshot.execute(query.limit(ACCOUNTS_PER_PAGE)).all()
            every = _records(snapshot, _read(page, accounts, account_of, report.problems), report.problems)
        if not page:
            break
        after = page[-1].account_id
        report.accounts += len(page)
        for records in every:
            _count(report, records)
            report.problems.extend(audit(records))
        progress(report.accounts, total)
    return report


def _snapshot(connection: sa.Connection) -> sa.Connection:
    """One moment for all queries of a page; SQLite's readers have that anyway."""
    return connection.execution_options(isolation_level="REPEATABLE READ")


def _count(report: CheckReport, records: AccountRecords) -> None:
    report.orders += len(records.orders)
    report.fills += len(records.fills)
    report.records += len(records.journal)
    report.postings += sum(len(read_postings(r.postings)) for r in records.journal)


def changed(database: Database, known: Mapping[AccountId, int]) -> list[AccountRecords]:
    """The records of accounts whose version is not the known one, in id order."""
    with database.read() as connection:
        rows = connection.execute(sa.select(accounts).order_by(accounts.c.account_id))
        moved = [account_of(row) for row in rows if known.get(row.account_id) != row.version]
        unreadable: list[Problem] = []
        records = _records(connection, moved, unreadable)
    assert not unreadable, unreadable
    return records


def _records(connection: sa.Connection, owners: Sequence[Account], found: list[Problem]) -> list[AccountRecords]:
    """Rows that cannot be read are left out and added to `found`."""
    if not owners:
        return []
    ids = [account.account_id for account in owners]
    held = _by_account(connection, positions, ids)
    perps = _by_account(connection, perp_positions, ids)
    placed = _by_account(connection, orders, ids)
    waiting = _by_account(connection, open_orders, ids)
    filled = _by_account(connection, fills, ids)
    told = _by_account(connection, journal, ids)
    newest = sa.select(outbox.c.subject, sa.func.max(outbox.c.seq)).where(outbox.c.subject.in_(ids))
    seqs = {row[0]: row[1] for row in connection.execute(newest.group_by(outbox.c.subject))}

    def records(account: Account) -> AccountRecords:
        own = account.account_id
        return AccountRecords(
            account=account,
            positions=_read(held[own], positions, position_of, found),
            perps=_read(perps[own], perp_positions, perp_position_of, found),
            open_orders=_read(waiting[own], open_orders, open_order_of, found),
            orders=_read(placed[own], orders, order_of, found),
            fills=_read(filled[own], fills, fill_of, found),
            journal=_read(sorted(told[own], key=lambda r: r.version), journal, _readable_record, found),
            last_seq=seqs.get(own, 0),
        )

    return [records(account) for account in owners]


def _readable_record(row: Any) -> JournalRecord:
    record = record_of(row)
    read_postings(record.postings)
    return record


def _read(rows: Sequence[Any], table: sa.Table, read: Callable[[Any], Value], found: list[Problem]) -> list[Value]:
    """The rows as values. One that makes none is a breach of its own, and must not hide those of the others."""
    values = []
    for row in rows:
        try:
            values.append(read(row))
        except (KeyError, ValueError, msgspec.MsgspecError) as error:
            key = " ".join(str(row._mapping[column.name]) for column in table.primary_key.columns)
            version = row._mapping.get("version") if table is journal else None
            detail = f"{table.name} {key}: {type(error).__name__} {error}"
            found.append(Problem(row.account_id, version, "row_unreadable", detail))
    return values


def _by_account(connection: sa.Connection, table: sa.Table, ids: Sequence[str]) -> dict[str, list[Any]]:
    """The table's rows of these accounts, each account's in key order."""
    rows: dict[str, list[Any]] = defaultdict(list)
    query = sa.select(table).where(table.c.account_id.in_(ids)).order_by(*table.primary_key.columns)
    for row in connection.execute(query):
        rows[row.account_id].append(row)
    return rows
