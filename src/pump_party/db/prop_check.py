"""Reads every account's records and hands them to the audit, a page of accounts at a time."""

from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from typing import Any

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
from pump_party.domains.prop_engine.model import Account
from pump_party.kernel.ids import AccountId

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
            page = _page(connection if database.is_sqlite else _snapshot(connection), after)
        if not page:
            break
        after = page[-1].account.account_id
        for records in page:
            _count(report, records)
            report.problems.extend(audit(records))
        progress(report.accounts, total)
    return report


def _snapshot(connection: sa.Connection) -> sa.Connection:
    """One moment for all queries of a page; SQLite's readers have that anyway."""
    return connection.execution_options(isolation_level="REPEATABLE READ")


def _count(report: CheckReport, records: AccountRecords) -> None:
    report.accounts += 1
    report.orders += len(records.orders)
    report.fills += len(records.fills)
    report.records += len(records.journal)
    report.postings += sum(len(read_postings(r.postings)) for r in records.journal)


def _page(connection: sa.Connection, after: str) -> list[AccountRecords]:
    query = sa.select(accounts).where(accounts.c.account_id > after).order_by(accounts.c.account_id)
    page = [account_of(row) for row in connection.execute(query.limit(ACCOUNTS_PER_PAGE))]
    if not page:
        return []
    return _records(connection, page)


def changed(database: Database, known: Mapping[AccountId, int]) -> list[AccountRecords]:
    """The records of accounts whose version is not the known one, in id order."""
    with database.read() as connection:
        rows = connection.execute(sa.select(accounts).order_by(accounts.c.account_id))
        moved = [account_of(row) for row in rows if known.get(row.account_id) != row.version]
        return _records(connection, moved) if moved else []


def _records(connection: sa.Connection, owners: Sequence[Account]) -> list[AccountRecords]:
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
            positions=[position_of(r) for r in held[own]],
            perps=[perp_position_of(r) for r in perps[own]],
            open_orders=[open_order_of(r) for r in waiting[own]],
            orders=[order_of(r) for r in placed[own]],
            fills=[fill_of(r) for r in filled[own]],
            journal=[record_of(r) for r in sorted(told[own], key=lambda r: r.version)],
            last_seq=seqs.get(own, 0),
        )

    return [records(account) for account in owners]


def _by_account(connection: sa.Connection, table: sa.Table, ids: Sequence[str]) -> dict[str, list[Any]]:
    """The table's rows of these accounts, each account's in key order."""
    rows: dict[str, list[Any]] = defaultdict(list)
    query = sa.select(table).where(table.c.account_id.in_(ids)).order_by(*table.primary_key.columns)
    for row in connection.execute(query):
        rows[row.account_id].append(row)
    return rows
