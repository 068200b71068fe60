"""The order path on SQLite: decide on a snapshot, write only if nothing moved meanwhile.

Reading and deciding need no lock, so the one writer is held only for the rows and the commit. Rows go in many at a
time, and come out as one text: Python gives up its global lock at every statement and every row that is read, and an
order would wait longest for taking it back from a busy event loop.
"""

from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from itertools import chain
from typing import Any

import msgspec
import sqlalchemy as sa

from pump_party.db import prop_tables as tables
from pump_party.db.engine import Database
from pump_party.db.prop_orders import (
    MESSAGE,
    MOVED,
    OPEN_ORDER_UPSERT,
    PERP_UPSERT,
    POSITION_UPSERT,
    Keys,
    Loaded,
    asked_keys,
    columns,
    message_row,
    moved_values,
    perp_keys,
)
from pump_party.db.prop_rows import (
    Row,
    fill_row,
    open_order_row,
    order_row,
    perp_position_row,
    position_row,
    record_row,
)
from pump_party.domains.prop_engine.store import TICK_ORDERS_MAX, Batch, OrdersTransaction, TransactionConflict

ROWS_PER_STATEMENT = (256, 64, 16, 4, 1)
"""A batch is cut into these sizes, so that few statements are ever prepared. 256 rows of 24 values stay below
SQLite's 32,766 parameters."""


class _Query(msgspec.Struct, frozen=True):
    """One statement for all keys: a statement per key costs three times as much. Its rows are JSON, `binary` in hex.

    Keys are asked in their order, in which their pages lie.
    """

    text: str
    binary: tuple[int, ...]

    def rows(self, cursor: Any, keys: set[Any]) -> list[list[Any]]:
        (found,) = cursor.execute(self.text, (msgspec.json.encode(sorted(keys)).decode(),)).fetchone()
        rows: list[list[Any]] = msgspec.json.decode(found)
        for row in rows:
            for place in self.binary:
                row[place] = bytes.fromhex(row[place])
        return rows


def _query(columns: Sequence["sa.Column[Any]"], source: str) -> _Query:
    """`source` joins the tables of the columns to `k.value`, a key."""
    binary = tuple(place for place, column in enumerate(columns) if isinstance(column.type, sa.LargeBinary))
    shown = ", ".join(f"hex({column})" if place in binary else str(column) for place, column in enumerate(columns))
    return _Query(f"SELECT json_group_array(json_array({shown})) FROM json_each(?) k CROSS JOIN {source}", binary)


_FIRST, _SECOND = "json_extract(k.value, '$[0]')", "json_extract(k.value, '$[1]')"
# CROSS JOIN keeps SQLite from scanning the table for each key: the keys come first, then the index.
_ACCOUNTS = _query([*tables.accounts.c], "prop_accounts WHERE prop_accounts.account_id = k.value")
_POSITIONS = _query(
    [*tables.positions.c],
    f"prop_positions WHERE prop_positions.account_id = {_FIRST} AND prop_positions.market = {_SECOND}",
)
_EARLIER = _query(
    [*tables.orders.c, *tables.fills.c],
    "prop_orders LEFT JOIN prop_fills ON prop_fills.fill_id = prop_orders.fill_id "
    f"WHERE prop_orders.account_id = {_FIRST} AND prop_orders.idempotency_key = {_SECOND}",
)
_PERPS = _query(
    [*tables.perp_positions.c],
    f"prop_perp_positions WHERE prop_perp_positions.account_id = {_FIRST} AND prop_perp_positions.market = {_SECOND}",
)
_OPEN = _query([*tables.open_orders.c], "prop_open_orders WHERE prop_open_orders.account_id = k.value")
_CLOSE = "DELETE FROM prop_open_orders WHERE order_id IN (SELECT value FROM json_each(?))"


class _Statement(msgspec.Struct, frozen=True):
    """A statement over any number of rows of `width` values, written in between `head` and `tail`.

    One that fails ends its transaction, as its batch does anyway. To undo it alone, SQLite would first write every page
    that it changes to a temporary file: as many pages again as the batch writes to the log.
    """

    head: str
    width: int
    tail: str = ""

    def run(self, cursor: Any, rows: Iterable[Row]) -> int:
        """Returns how many rows of the table changed."""
        waiting, done, changed = list(rows), 0, 0
        row = f"({', '.join('?' * self.width)})"
        for size in ROWS_PER_STATEMENT:
            while len(waiting) - done >= size:
                values = list(chain.from_iterable(waiting[done : done + size]))
                cursor.execute(f"{self.head} VALUES {', '.join([row] * size)}{self.tail}", values)
                changed += cursor.rowcount
                done += size
        return changed


def _insert(name: str, names: list[str] | tuple[str, ...], tail: str = "") -> _Statement:
    return _Statement(f"INSERT OR ROLLBACK INTO {name} ({', '.join(names)})", len(names), tail)


_ORDER = _insert("prop_orders", columns(tables.orders))
_FILL = _insert("prop_fills", columns(tables.fills))
_RECORD = _insert("prop_journal", columns(tables.journal))
_MESSAGE = _insert("platform_outbox", MESSAGE)
_POSITION = _insert("prop_positions", columns(tables.positions), POSITION_UPSERT)
_OPENED = _insert("prop_open_orders", columns(tables.open_orders), OPEN_ORDER_UPSERT)
_PERP = _insert("prop_perp_positions", columns(tables.perp_positions), PERP_UPSERT)
_MOVED = ", ".join(f"{name} = k.column{place}" for place, name in enumerate(MOVED, start=3))
_MOVE = _Statement(
    f"UPDATE OR ROLLBACK prop_accounts SET {_MOVED} FROM (",
    len(MOVED) + 2,
    ") k WHERE account_id = k.column1 AND prop_accounts.version = k.column2",
)


@contextmanager
def orders_transaction(database: Database, keys: Keys) -> Iterator[OrdersTransaction]:
    """Implements `PropStore.orders_transaction`; the write transaction is all of `record`."""
    yield _SqliteOrders(database, keys)


class _SqliteOrders(Loaded):
    part_orders = TICK_ORDERS_MAX

    def __init__(self, database: Database, keys: Keys) -> None:
        super().__init__()
        self._database = database
        with database.read() as connection:
            cursor = _cursor(connection)
            self.keep(
                _ACCOUNTS.rows(cursor, {k[0] for k in keys}), _POSITIONS.rows(cursor, {(k[0], k[1]) for k in keys})
            )
            asked = asked_keys(keys)
            if asked:
                self.keep_earlier(_EARLIER.rows(cursor, set(asked)))
            perps = perp_keys(keys)
            if perps:
                self.keep_perps(_PERPS.rows(cursor, set(perps)))
            waiting = self.with_open_orders()
            if waiting:
                self.keep_open(_OPEN.rows(cursor, set(waiting)))
        self._versions = {account.account_id: account.version for account in self.accounts.values()}

    def record(self, batch: Batch) -> None:
        """Raises TransactionConflict, having written nothing, when an account moved since it was read."""
        if not batch.records:
            return
        orders, fills = [order_row(o) for o in batch.orders], [fill_row(f) for f in batch.fills]
        records, messages = [record_row(r) for r in batch.records], [message_row(m) for m in batch.messages]
        positions = [position_row(p) for p in batch.positions.values()]
        moved = [(a.account_id, self._versions[a.account_id], *moved_values(a)) for a in batch.accounts.values()]
        with self._database.write() as connection:
            cursor = _cursor(connection)
            if _MOVE.run(cursor, moved) != len(moved):
                raise TransactionConflict
            _ORDER.run(cursor, orders)
            _FILL.run(cursor, fills)
            _RECORD.run(cursor, records)
            _POSITION.run(cursor, positions)
            _MESSAGE.run(cursor, messages)
            if batch.ended:
                cursor.execute(_CLOSE, (msgspec.json.encode(batch.ended).decode(),))
            _PERP.run(cursor, [perp_position_row(*p) for p in batch.perps.values()])
            _OPENED.run(cursor, [open_order_row(o) for o in batch.opened.values()])


def _cursor(connection: Any) -> Any:
    return connection.connection.driver_connection.cursor()
