"""Reads of many accounts at once."""

from collections import defaultdict
from collections.abc import Mapping, Sequence

import sqlalchemy as sa

from pump_party.db.engine import Database
from pump_party.db.prop_engine import recorded_of
from pump_party.db.prop_holdings import read_holdings
from pump_party.db.prop_marks import snapshot
from pump_party.db.prop_rows import account_of, open_order_of
from pump_party.db.prop_tables import accounts, fills, journal, open_orders, orders
from pump_party.domains.prop_engine.fleet import Situation
from pump_party.domains.prop_engine.model import OpenOrder, RecordedOrder, RecordKind
from pump_party.domains.prop_interface.contract import AccountStatus
from pump_party.kernel.ids import AccountId

PAGE = 1_000
"""Accounts or keys in one statement."""


class PropFleetStore:
    """Implements `domains.prop_engine.fleet.FleetStore`."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def situations(self, account_ids: Sequence[AccountId]) -> Mapping[AccountId, Situation]:
        found: dict[AccountId, Situation] = {}
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
                reasons = _status_details(
                    at_once, [a.account_id for a in owners if a.status is not AccountStatus.ACTIVE]
                )
                for holdings in read_holdings(at_once, owners):
                    own = holdings.account.account_id
                    found[own] = Situation(holdings, waiting.get(own, ()), reasons.get(own))
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


def _status_details(connection: sa.Connection, account_ids: Sequence[AccountId]) -> Mapping[AccountId, str]:
    """The detail of each account's newest change of status."""
    changes = sa.select(journal.c.detail).where(
        journal.c.account_id == accounts.c.account_id, journal.c.kind == RecordKind.STATUS.value
    )
    newest = changes.order_by(journal.c.version.desc()).limit(1).scalar_subquery()
    query = sa.select(accounts.c.account_id, newest).where(accounts.c.account_id.in_(account_ids))
    return {AccountId(row[0]): row[1] for row in connection.execute(query)} if account_ids else {}
