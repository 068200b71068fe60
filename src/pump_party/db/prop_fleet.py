"""Reads of many accounts at once."""

from collections import defaultdict
from collections.abc import Mapping, Sequence

import sqlalchemy as sa

from pump_party.db.engine import Database
from pump_party.db.prop_engine import recorded_of
from pump_party.db.prop_holdings import read_holdings
from pump_party.db.prop_marks import snapshot
from pump_party.db.prop_rows import account_of, open_order_of
from pump_party.db.prop_tables import accounts, fills, open_orders, orders
from pump_party.domains.prop_engine.model import OpenOrder, RecordedOrder
from pump_party.domains.prop_engine.portfolio import Holdings
from pump_party.kernel.ids import AccountId

PAGE = 1_000
"""Accounts or keys in one statement."""


class PropFleetStore:
    """Implements `domains.prop_engine.fleet.FleetStore`."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def situations(self, account_ids: Sequence[AccountId]) -> Mapping[AccountId, tuple[Holdings, Sequence[OpenOrder]]]:
        found: dict[AccountId, tuple[Holdings, Sequence[OpenOrder]]] = {}
        if not account_ids:
            return found
        with self._database.read() as connection:
            at_once = snapshot(self._database, connection)
            for first in range(0, len(account_ids), PAGE):
                page = account_ids[first : first + PAGE]
                owners = [
                    account_of(row)
                    for row in at_once.execute(sa.select(accounts).where(accounts.c.account_id.in_(page)))
                ]
                waiting = _open_orders(at_once, [a.account_id for a in owners if a.open_orders])
                for holdings in read_holdings(at_once, owners):
                    account_id = holdings.account.account_id
                    found[account_id] = (holdings, waiting.get(account_id, ()))
        return found

    def recorded(
        self, keys: Sequence[tuple[AccountId, str]]
    ) -> Mapping[tuple[AccountId, str], OpenOrder | RecordedOrder]:
        found: dict[tuple[AccountId, str], OpenOrder | RecordedOrder] = {}
        with self._database.read() as connection:
            for first in range(0, len(keys), PAGE):
                page = sa.tuple_(*_KEY_OPEN).in_(keys[first : first + PAGE])
                # Open first: an order that ends between the two reads is found by the second.
                for row in connection.execute(sa.select(open_orders).where(page)):
                    waiting = open_order_of(row)
                    found[waiting.order.account_id, waiting.order.idempotency_key] = waiting
                page = sa.tuple_(*_KEY_ENDED).in_(keys[first : first + PAGE])
                joined = sa.select(orders, fills).join(fills, fills.c.fill_id == orders.c.fill_id, isouter=True)
                for row in connection.execute(joined.where(page)):
                    ended = recorded_of(row)
                    found[ended.order.account_id, ended.order.idempotency_key] = ended
        return found


_KEY_OPEN = (open_orders.c.account_id, open_orders.c.idempotency_key)
_KEY_ENDED = (orders.c.account_id, orders.c.idempotency_key)


def _open_orders(
    connection: sa.Connection, account_ids: Sequence[AccountId]
) -> Mapping[AccountId, Sequence[OpenOrder]]:
    waiting: dict[AccountId, list[OpenOrder]] = defaultdict(list)
    query = sa.select(open_orders).where(open_orders.c.account_id.in_(account_ids))
    for row in connection.execute(query.order_by(open_orders.c.order_id.desc())) if account_ids else ():
        found = open_order_of(row)
        waiting[found.order.account_id].append(found)
    return waiting
