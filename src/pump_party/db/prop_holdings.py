"""What accounts hold, read for a list of them at once."""

from collections import defaultdict
from collections.abc import Sequence

import sqlalchemy as sa

from pump_party.db.prop_rows import perp_position_of, position_of
from pump_party.db.prop_tables import perp_positions, positions
from pump_party.domains.prop_engine.model import Account, Position
from pump_party.domains.prop_engine.perp_model import PerpPosition
from pump_party.domains.prop_engine.portfolio import Holdings


def read_holdings(connection: sa.Connection, owners: Sequence[Account]) -> list[Holdings]:
    ids = [account.account_id for account in owners]
    held: dict[str, list[Position]] = defaultdict(list)
    for row in connection.execute(sa.select(positions).where(positions.c.account_id.in_(ids))):
        held[row.account_id].append(position_of(row))
    perps: dict[str, list[PerpPosition]] = defaultdict(list)
    for row in connection.execute(sa.select(perp_positions).where(perp_positions.c.account_id.in_(ids))):
        perps[row.account_id].append(perp_position_of(row))
    return [Holdings(account, held[account.account_id], perps[account.account_id]) for account in owners]
