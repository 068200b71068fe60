"""The order path on Postgres: accounts locked in id order until commit, one COPY per table, one array per column."""

import json
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from pump_party.db import prop_tables as tables
from pump_party.db.engine import POSTGRES_LOCKS, Database
from pump_party.db.prop_orders import (
    MESSAGE,
    MOVED,
    PERP_UPSERT,
    POSITION_UPSERT,
    Keys,
    Loaded,
    asked_keys,
    columns,
    listed,
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
from pump_party.domains.prop_engine.store import Batch, OrdersTransaction, TransactionConflict

_ARRAY_TYPES = {
    "head": "bytea",
    "order_times": "bytea",
    **dict.fromkeys(("account_id", "market", "status", "consumed"), "text"),
}


def _unnest(columns: Sequence[str]) -> str:
    return "unnest(" + ", ".join(f"%s::{_ARRAY_TYPES.get(c, 'bigint')}[]" for c in columns) + ")"


_ACCOUNTS = (
    f"SELECT {listed(tables.accounts)} FROM prop_accounts WHERE account_id = ANY(%s::text[]) "
    "ORDER BY account_id FOR UPDATE"
)
_POSITIONS = (
    f"SELECT {listed(tables.positions, 'p.')} FROM unnest(%s::text[], %s::text[]) AS k(account_id, market) "
    "JOIN prop_positions p ON p.account_id = k.account_id AND p.market = k.market"
)
_EARLIER = (
    f"SELECT {listed(tables.orders, 'o.')}, {listed(tables.fills, 'f.')} "
    "FROM unnest(%s::text[], %s::text[]) AS k(account_id, key) "
    "JOIN prop_orders o ON o.account_id = k.account_id AND o.idempotency_key = k.key "
    "LEFT JOIN prop_fills f ON f.fill_id = o.fill_id"
)
_PERPS = (
    f"SELECT {listed(tables.perp_positions, 'p.')} FROM unnest(%s::text[], %s::text[]) AS k(account_id, market) "
    "JOIN prop_perp_positions p ON p.account_id = k.account_id AND p.market = k.market"
)
_OPEN = f"SELECT {listed(tables.open_orders)} FROM prop_open_orders WHERE account_id = ANY(%s::text[])"
_CLOSE = "DELETE FROM prop_open_orders WHERE order_id = ANY(%s::text[])"
_MOVE_COLUMNS = ("account_id", *MOVED)
_MOVE = (
    f"UPDATE prop_accounts a SET {', '.join(f'{c} = k.{c}' for c in MOVED)} "
    f"FROM {_unnest(_MOVE_COLUMNS)} AS k({', '.join(_MOVE_COLUMNS)}) WHERE a.account_id = k.account_id"
)
_POSITION_COLUMNS = columns(tables.positions)
_POSITION_WRITE = (
    f"INSERT INTO prop_positions ({', '.join(_POSITION_COLUMNS)}) "
    f"SELECT * FROM {_unnest(_POSITION_COLUMNS)}{POSITION_UPSERT}"
)
_PERP_COLUMNS = columns(tables.perp_positions)
_PERP_WRITE = (
    f"INSERT INTO prop_perp_positions ({', '.join(_PERP_COLUMNS)}) SELECT * FROM {_unnest(_PERP_COLUMNS)}{PERP_UPSERT}"
)


@contextmanager
def orders_transaction(database: Database, keys: Keys) -> Iterator[OrdersTransaction]:
    """Implements `PropStore.orders_transaction`."""
    try:
        with database.write() as connection:
            yield _PostgresOrders(connection.connection.driver_connection, keys)
    except Exception as error:
        if getattr(error, "sqlstate", None) in POSTGRES_LOCKS:
            raise TransactionConflict from error
        raise


class _PostgresOrders(Loaded):
    """Accounts stay locked until commit; positions and orders are only touched under their account's lock."""

    def __init__(self, driver: Any, keys: Keys) -> None:
        super().__init__()
        self._cursor = cursor = driver.cursor()
        accounts = cursor.execute(_ACCOUNTS, [_array(sorted({k[0] for k in keys}))]).fetchall()
        held = list({(k[0], k[1]) for k in keys})
        positions = cursor.execute(_POSITIONS, [_array(c) for c in zip(*held, strict=True)]).fetchall()
        self.keep(accounts, positions)
        asked = asked_keys(keys)
        if asked:
            self.keep_earlier(cursor.execute(_EARLIER, [_array(c) for c in zip(*asked, strict=True)]).fetchall())
        perps = perp_keys(keys)
        if perps:
            self.keep_perps(cursor.execute(_PERPS, [_array(c) for c in zip(*perps, strict=True)]).fetchall())
        waiting = self.with_open_orders()
        if waiting:
            self.keep_open(cursor.execute(_OPEN, [_array(waiting)]).fetchall())

    def record(self, batch: Batch) -> None:
        if not batch.records:
            return
        self._copy("prop_orders", columns(tables.orders), map(order_row, batch.orders))
        self._copy("prop_fills", columns(tables.fills), map(fill_row, batch.fills))
        self._copy("prop_journal", columns(tables.journal), map(record_row, batch.records))
        self._copy("platform_outbox", MESSAGE, map(message_row, batch.messages))
        moved = [(a.account_id, *moved_values(a)) for a in batch.accounts.values()]
        self._spread(_MOVE, moved)
        self._spread(_POSITION_WRITE, [position_row(p) for p in batch.positions.values()])
        self._spread(_PERP_WRITE, [perp_position_row(*p) for p in batch.perps.values()])
        # An open order that changed is written anew: to Postgres an update is a delete and an insert as well.
        gone = sorted({*batch.ended, *batch.opened})
        if gone:
            self._cursor.execute(_CLOSE, [_array(gone)])
        if batch.opened:
            self._copy("prop_open_orders", columns(tables.open_orders), map(open_order_row, batch.opened.values()))

    def _copy(self, name: str, columns: Sequence[str], rows: Iterable[Row]) -> None:
        with self._cursor.copy(f"COPY {name} ({', '.join(columns)}) FROM STDIN") as copy:
            for row in rows:
                copy.write_row(row)

    def _spread(self, query: str, rows: Sequence[Row]) -> None:
        if rows:
            self._cursor.execute(query, [_array(column) for column in zip(*rows, strict=True)])


def _array(values: Sequence[Any]) -> str:
    """An array literal. Texts are ids, markets or keys of a checked alphabet and need no quoting, but JSON does."""
    if isinstance(values[0], bytes):
        return "{" + ",".join([f'"\\\\x{v.hex()}"' for v in values]) + "}"
    if None in values or (isinstance(values[0], str) and values[0].startswith("{")):
        return "{" + ",".join(["NULL" if v is None else json.dumps(v) for v in values]) + "}"
    return "{" + ",".join(map(str, values)) + "}"
