"""What a tick concerns: found through an index, by queries that are built once, because every tick asks them.

Built anew for each tick they took two fifths of a core of a tape of six markets at sixty times its speed.
"""

from collections.abc import Sequence
from typing import Any

import sqlalchemy as sa

from pump_party.db.engine import Database
from pump_party.db.prop_tables import open_orders, perp_positions
from pump_party.domains.prop_engine.perp_model import FLAT, LONG, SHORT
from pump_party.kernel.ids import AccountId, Market, OrderId

Parameter = sa.BindParameter[Any]

_MARKET: Parameter = sa.bindparam("market")
_MID: Parameter = sa.bindparam("mid_e8")
_AFTER: Parameter = sa.bindparam("after")
_LIMIT: Parameter = sa.bindparam("limit")
_PUBLISHED: Parameter = sa.bindparam("publish_ms")
_HOUR: Parameter = sa.bindparam("hour")
_NOW: Parameter = sa.bindparam("now_ms")


def _behind(column: "sa.Column[str]") -> "sa.ColumnElement[bool]":
    """Where a page goes on. An expression, so that no database walks the primary key instead of a selective index."""
    return column.concat("") > _AFTER


def _due() -> "sa.Select[Any]":
    waits = open_orders.c
    due = sa.select(waits.account_id, waits.order_id).where(
        waits.market == _MARKET, waits.due_ms < _PUBLISHED, _behind(waits.order_id)
    )
    falls = waits.at_or_below_e8.is_(None) | (waits.at_or_below_e8 >= _MID)
    # One query per kind of wait, each on its own index: an OR over them would read every order that rests.
    kinds = (
        due.where(waits.at_or_below_e8.is_(None), waits.at_or_above_e8.is_(None)),
        due.where(waits.at_or_below_e8 >= _MID, waits.at_or_above_e8.is_(None)),
        due.where(falls, waits.at_or_above_e8 <= _MID),
    )
    found = sa.union(*kinds).subquery()
    return sa.select(found.c.account_id, found.c.order_id).order_by(found.c.order_id).limit(_LIMIT)


def _watched() -> "sa.Select[Any]":
    held = perp_positions.c
    open_ = sa.select(held.account_id).where(held.market == _MARKET, _behind(held.account_id))
    # One query per reason, for the same reason.
    reasons = (
        open_.where(held.funded_hour < _HOUR, held.direction != FLAT),
        open_.where(held.direction == LONG, held.liquidation_e8 >= _MID),
        open_.where(held.direction == SHORT, held.liquidation_e8 <= _MID),
        open_.where(held.breach_ms > 0, held.direction != FLAT),
    )
    found = sa.union(*reasons).subquery()
    return sa.select(found.c.account_id).order_by(found.c.account_id).limit(_LIMIT)


_DUE = _due()
_WATCHED = _watched()
_LATE: "sa.Select[Any]" = (
    sa.select(open_orders.c.account_id, open_orders.c.market, open_orders.c.order_id)
    .where(open_orders.c.deadline_ms < _NOW)
    .order_by(open_orders.c.deadline_ms)
    .limit(_LIMIT)
)


def due_orders(
    database: Database, market: Market, *, publish_ms: int, mid_e8: int, after: str, limit: int
) -> Sequence[tuple[AccountId, OrderId]]:
    asked = {"market": market, "publish_ms": publish_ms, "mid_e8": mid_e8, "after": after, "limit": limit}
    with database.read() as connection:
        return [(AccountId(row[0]), OrderId(row[1])) for row in connection.execute(_DUE, asked)]


def perps_to_watch(
    database: Database, market: Market, *, mid_e8: int, hour: int, after: str, limit: int
) -> Sequence[AccountId]:
    asked = {"market": market, "mid_e8": mid_e8, "hour": hour, "after": after, "limit": limit}
    with database.read() as connection:
        return [AccountId(row[0]) for row in connection.execute(_WATCHED, asked)]


def late_orders(database: Database, *, now_ms: int, limit: int) -> Sequence[tuple[AccountId, Market, OrderId]]:
    with database.read() as connection:
        rows = connection.execute(_LATE, {"now_ms": now_ms, "limit": limit})
        return [(AccountId(row[0]), Market(row[1]), OrderId(row[2])) for row in rows]
