"""The order path: one transaction per batch, through the driver, because SQLAlchemy's executemany is half as fast.

Both databases take the same steps: lock the accounts in id order, read positions and earlier outcomes, write all rows
of the batch. SQLite binds row by row inside this process; Postgres is sent one COPY per table and one array per column.
"""

from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import msgspec

from pump_party.db import prop_tables as tables
from pump_party.db.engine import POSTGRES_LOCKS, Database
from pump_party.db.outbox import outbox
from pump_party.db.prop_rows import (
    Row,
    account_of,
    fill_of,
    fill_row,
    order_of,
    order_row,
    position_of,
    position_row,
    record_row,
)
from pump_party.domains.prop_engine.model import Account, Position, RecordedOrder
from pump_party.domains.prop_engine.store import Batch, OrdersTransaction, TransactionConflict
from pump_party.kernel.ids import AccountId, Market
from pump_party.platform.outbox import OutboxMessage

Keys = Sequence[tuple[AccountId, Market, str]]

_MOVED = ("version", "seq", "head", "cash_micros", "realised_pnl_micros", "fees_micros", "fills")
"""The account's columns that an order changes."""

_POSITION_KEY = 2
"""Position columns that name the row; the others are overwritten."""

_MESSAGE = tuple(c.name for c in outbox.c if c.name not in ("row_number", "sent_at_ms"))


@contextmanager
def orders_transaction(database: Database, keys: Keys) -> Iterator[OrdersTransaction]:
    """Implements `PropStore.orders_transaction`."""
    try:
        with database.write() as connection:
            driver: Any = connection.connection.driver_connection
            yield _SqliteOrders(driver, keys) if database.is_sqlite else _PostgresOrders(driver, keys)
    except Exception as error:
        if getattr(error, "sqlstate", None) in POSTGRES_LOCKS:
            raise TransactionConflict from error
        raise


class _Loaded:
    """What a batch starts from."""

    def __init__(self) -> None:
        self.accounts: dict[AccountId, Account] = {}
        self.positions: dict[tuple[AccountId, Market], Position] = {}
        self.earlier: dict[tuple[AccountId, str], RecordedOrder] = {}

    def _keep(self, accounts: Iterable[Row], positions: Iterable[Row], earlier: Iterable[Row]) -> None:
        self.accounts = {row[0]: account_of(row) for row in accounts}
        self.positions = {(row[0], row[1]): position_of(row) for row in positions}
        width = len(_columns(tables.orders))
        for row in earlier:
            order = order_of(row[:width])
            fill = None if order.fill_id is None else fill_of(row[width:])
            self.earlier[(order.account_id, order.idempotency_key)] = RecordedOrder(order, fill)


def _columns(table: Any) -> list[str]:
    return list(table.c.keys())


def _listed(table: Any, prefix: str = "") -> str:
    return ", ".join(prefix + name for name in _columns(table))


# --- SQLite ---


def _insert(name: str, columns: Sequence[str]) -> str:
    return f"INSERT INTO {name} ({', '.join(columns)}) VALUES ({', '.join('?' * len(columns))})"


_FIRST, _SECOND = "json_extract(k.value, '$[0]')", "json_extract(k.value, '$[1]')"
# CROSS JOIN keeps SQLite from scanning the table for each key: the keys come first, then the index.
_LITE_ACCOUNTS = (
    f"SELECT {_listed(tables.accounts, 'a.')} FROM json_each(?) k CROSS JOIN prop_accounts a "
    "WHERE a.account_id = k.value"
)
_LITE_POSITIONS = (
    f"SELECT {_listed(tables.positions, 'p.')} FROM json_each(?) k CROSS JOIN prop_positions p "
    f"WHERE p.account_id = {_FIRST} AND p.market = {_SECOND}"
)
_LITE_EARLIER = (
    f"SELECT {_listed(tables.orders, 'o.')}, {_listed(tables.fills, 'f.')} FROM json_each(?) k "
    "CROSS JOIN prop_orders o LEFT JOIN prop_fills f ON f.fill_id = o.fill_id "
    f"WHERE o.account_id = {_FIRST} AND o.idempotency_key = {_SECOND}"
)
_LITE_INSERTS = {
    table.name: _insert(table.name, _columns(table)) for table in (tables.orders, tables.fills, tables.journal)
}
_LITE_MESSAGE = _insert("platform_outbox", _MESSAGE)
_LITE_MOVE = f"UPDATE prop_accounts SET {', '.join(f'{c} = ?' for c in _MOVED)} WHERE account_id = ?"
_UPSERTED = ", ".join(f"{c} = excluded.{c}" for c in _columns(tables.positions)[_POSITION_KEY:])
_ON_CONFLICT = f" ON CONFLICT (account_id, market) DO UPDATE SET {_UPSERTED}"
_LITE_POSITION_WRITE = _insert("prop_positions", _columns(tables.positions)) + _ON_CONFLICT


class _SqliteOrders(_Loaded):
    """The whole write transaction is one writer's, so nothing needs a lock of its own."""

    def __init__(self, driver: Any, keys: Keys) -> None:
        super().__init__()
        self._cursor = driver.cursor()
        self._keep(
            self._joined(_LITE_ACCOUNTS, {k[0] for k in keys}),
            self._joined(_LITE_POSITIONS, {(k[0], k[1]) for k in keys}),
            self._joined(_LITE_EARLIER, {(k[0], k[2]) for k in keys}),
        )

    def _joined(self, query: str, keys: set[Any]) -> list[Row]:
        """One statement for all keys: a statement per key costs three times as much."""
        rows: list[Row] = self._cursor.execute(query, (msgspec.json.encode(keys).decode(),)).fetchall()
        return rows

    def record(self, batch: Batch) -> None:
        many = self._cursor.executemany
        many(_LITE_INSERTS["prop_orders"], map(order_row, batch.orders))
        many(_LITE_INSERTS["prop_fills"], map(fill_row, batch.fills))
        many(_LITE_INSERTS["prop_journal"], map(record_row, batch.records))
        many(_LITE_MESSAGE, map(_message_row, batch.messages))
        many(_LITE_MOVE, [(*_moved_values(a), a.account_id) for a in batch.accounts.values()])
        many(_LITE_POSITION_WRITE, map(position_row, batch.positions.values()))


# --- Postgres ---

_ARRAY_TYPES = {"head": "bytea", "account_id": "text", "market": "text"}


def _unnest(columns: Sequence[str]) -> str:
    return "unnest(" + ", ".join(f"%s::{_ARRAY_TYPES.get(c, 'bigint')}[]" for c in columns) + ")"


_PG_ACCOUNTS = (
    f"SELECT {_listed(tables.accounts)} FROM prop_accounts WHERE account_id = ANY(%s::text[]) "
    "ORDER BY account_id FOR UPDATE"
)
_PG_POSITIONS = (
    f"SELECT {_listed(tables.positions, 'p.')} FROM unnest(%s::text[], %s::text[]) AS k(account_id, market) "
    "JOIN prop_positions p ON p.account_id = k.account_id AND p.market = k.market"
)
_PG_EARLIER = (
    f"SELECT {_listed(tables.orders, 'o.')}, {_listed(tables.fills, 'f.')} "
    "FROM unnest(%s::text[], %s::text[]) AS k(account_id, key) "
    "JOIN prop_orders o ON o.account_id = k.account_id AND o.idempotency_key = k.key "
    "LEFT JOIN prop_fills f ON f.fill_id = o.fill_id"
)
_PG_MOVE_COLUMNS = ("account_id", *_MOVED)
_PG_MOVE = (
    f"UPDATE prop_accounts a SET {', '.join(f'{c} = k.{c}' for c in _MOVED)} "
    f"FROM {_unnest(_PG_MOVE_COLUMNS)} AS k({', '.join(_PG_MOVE_COLUMNS)}) WHERE a.account_id = k.account_id"
)
_PG_POSITION_WRITE = (
    f"INSERT INTO prop_positions ({_listed(tables.positions)}) "
    f"SELECT * FROM {_unnest(_columns(tables.positions))}{_ON_CONFLICT}"
)


class _PostgresOrders(_Loaded):
    """Accounts stay locked until commit; positions and orders are only touched under their account's lock."""

    def __init__(self, driver: Any, keys: Keys) -> None:
        super().__init__()
        self._cursor = cursor = driver.cursor()
        accounts = cursor.execute(_PG_ACCOUNTS, [_array(sorted({k[0] for k in keys}))]).fetchall()
        held = list({(k[0], k[1]) for k in keys})
        positions = cursor.execute(_PG_POSITIONS, [_array(c) for c in zip(*held, strict=True)]).fetchall()
        asked = list({(k[0], k[2]) for k in keys})
        earlier = cursor.execute(_PG_EARLIER, [_array(c) for c in zip(*asked, strict=True)]).fetchall()
        self._keep(accounts, positions, earlier)

    def record(self, batch: Batch) -> None:
        self._copy("prop_orders", _columns(tables.orders), map(order_row, batch.orders))
        self._copy("prop_fills", _columns(tables.fills), map(fill_row, batch.fills))
        self._copy("prop_journal", _columns(tables.journal), map(record_row, batch.records))
        self._copy("platform_outbox", _MESSAGE, map(_message_row, batch.messages))
        moved = [(a.account_id, *_moved_values(a)) for a in batch.accounts.values()]
        self._spread(_PG_MOVE, moved)
        self._spread(_PG_POSITION_WRITE, [position_row(p) for p in batch.positions.values()])

    def _copy(self, name: str, columns: Sequence[str], rows: Iterable[Row]) -> None:
        with self._cursor.copy(f"COPY {name} ({', '.join(columns)}) FROM STDIN") as copy:
            for row in rows:
                copy.write_row(row)

    def _spread(self, query: str, rows: Sequence[Row]) -> None:
        if rows:
            self._cursor.execute(query, [_array(column) for column in zip(*rows, strict=True)])


def _array(values: Sequence[Any]) -> str:
    """An array literal. Every text here is an id, a market or a key of a checked alphabet, so nothing needs quoting."""
    if isinstance(values[0], bytes):
        return "{" + ",".join([f'"\\\\x{v.hex()}"' for v in values]) + "}"
    return "{" + ",".join(map(str, values)) + "}"


def _moved_values(account: Account) -> Row:
    return (
        account.version,
        account.seq,
        account.head,
        account.cash_micros,
        account.realised_pnl_micros,
        account.fees_micros,
        account.fills,
    )


def _message_row(message: OutboxMessage) -> Row:
    return (message.channel, message.subject, message.seq, message.kind, bytes(message.payload).decode(), message.at_ms)
