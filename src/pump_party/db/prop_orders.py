"""The order path: one transaction per batch, through the driver, because SQLAlchemy's executemany is half as fast.

`prop_orders_sqlite.py` and `prop_orders_postgres.py` take the same steps in each database's own best way: read the
accounts, positions and earlier outcomes of a batch, then write all its rows. This file holds what they share.
"""

from collections.abc import Iterable, Sequence
from typing import Any

from pump_party.db.outbox import outbox
from pump_party.db.prop_rows import Row, account_of, fill_of, open_order_of, order_of, perp_position_of, position_of
from pump_party.db.prop_tables import orders, perp_positions, positions
from pump_party.domains.prop_engine.model import Account, OpenOrder, Position, RecordedOrder
from pump_party.domains.prop_engine.perp_model import PerpPosition
from pump_party.kernel.ids import AccountId, Market, OrderId
from pump_party.platform.outbox import OutboxMessage

PERP_SUFFIX = "-PERP"

Keys = Sequence[tuple[AccountId, Market, str]]

MOVED = (
    "version",
    "seq",
    "head",
    "cash_micros",
    "realised_pnl_micros",
    "fees_micros",
    "fills",
    "held_micros",
    "margin_micros",
    "funding_micros",
    "insurance_micros",
    "liquidation_fees_micros",
    "open_orders",
    "status",
    "order_times",
)
"""The account's columns that an order changes."""

STEPPED = ("stage", "due_ms", "deadline_ms", "at_or_below_e8", "at_or_above_e8")
"""The open order's columns that a tick changes."""

OPEN_ORDER_UPSERT = " ON CONFLICT (order_id) DO UPDATE SET " + ", ".join(f"{c} = excluded.{c}" for c in STEPPED)

MESSAGE = tuple(c.name for c in outbox.c if c.name not in ("row_number", "sent_at_ms"))
"""The outbox columns that are written with an event."""


class Loaded:
    """What a batch starts from. The batch moves `accounts` and `positions` forward."""

    def __init__(self) -> None:
        self.accounts: dict[AccountId, Account] = {}
        self.positions: dict[tuple[AccountId, Market], Position] = {}
        self.earlier: dict[tuple[AccountId, str], RecordedOrder] = {}
        self.open_orders: dict[AccountId, dict[OrderId, OpenOrder]] = {}
        self.perps: dict[tuple[AccountId, Market], PerpPosition] = {}

    def keep_perps(self, rows: Iterable[Sequence[Any]]) -> None:
        self.perps = {(row[0], row[1]): perp_position_of(row) for row in rows}

    def with_open_orders(self) -> list[AccountId]:
        """The accounts whose open orders must be loaded as well: few, on the way of a plain market order."""
        return [account.account_id for account in self.accounts.values() if account.open_orders]

    def keep_open(self, rows: Iterable[Sequence[Any]]) -> None:
        for row in rows:
            kept = open_order_of(row)
            self.open_orders.setdefault(kept.order.account_id, {})[kept.order.order_id] = kept

    def keep(self, accounts: Iterable[Sequence[Any]], held: Iterable[Sequence[Any]]) -> None:
        """Rows in table order."""
        self.accounts = {row[0]: account_of(row) for row in accounts}
        self.positions = {(row[0], row[1]): position_of(row) for row in held}

    def keep_earlier(self, earlier: Iterable[Sequence[Any]]) -> None:
        """An earlier order has its fill's columns behind its own."""
        width = len(columns(orders))
        for row in earlier:
            order = order_of(row[:width])
            fill = None if order.fill_id is None else fill_of(row[width:])
            self.earlier[(order.account_id, order.idempotency_key)] = RecordedOrder(order, fill)


def columns(table: Any) -> list[str]:
    return list(table.c.keys())


def listed(table: Any, prefix: str = "") -> str:
    return ", ".join(prefix + name for name in columns(table))


_UPSERTED = ", ".join(
    f"{name} = excluded.{name}" for name in columns(positions) if name not in ("account_id", "market")
)
POSITION_UPSERT = f" ON CONFLICT (account_id, market) DO UPDATE SET {_UPSERTED}"
"""Both databases spell it the same."""

PERP_UPSERT = " ON CONFLICT (account_id, market) DO UPDATE SET " + ", ".join(
    f"{name} = excluded.{name}" for name in columns(perp_positions) if name not in ("account_id", "market")
)


def asked_keys(keys: Keys) -> list[tuple[AccountId, str]]:
    """Whose earlier outcomes are asked for. A tick and a cancel bring no idempotency key of their own."""
    return sorted({(k[0], k[2]) for k in keys if k[2]})


def perp_keys(keys: Keys) -> list[tuple[AccountId, Market]]:
    """The keys of perpetual markets, by their name: a plain spot batch reads nothing of them."""
    return sorted({(k[0], k[1]) for k in keys if k[1].endswith(PERP_SUFFIX)})


def moved_values(account: Account) -> Row:
    return (
        account.version,
        account.seq,
        account.head,
        account.cash_micros,
        account.realised_pnl_micros,
        account.fees_micros,
        account.fills,
        account.held_micros,
        account.margin_micros,
        account.funding_micros,
        account.insurance_micros,
        account.liquidation_fees_micros,
        account.open_orders,
        account.status.value,
        account.order_times,
    )


def message_row(message: OutboxMessage) -> Row:
    return (message.channel, message.subject, message.seq, message.kind, bytes(message.payload).decode(), message.at_ms)
