"""What a tick concerns: found through an index, by queries that are built once, because every tick asks them.

Built anew for each tick they took two fifths of a core of a tape of six markets at sixty times its speed.
"""

from collections.abc import Sequence
from typing import Any

import msgspec
import sqlalchemy as sa

from pump_party.db.engine import Database
from pump_party.db.prop_tables import open_orders, perp_positions
from pump_party.domains.prop_engine.perp_model import FLAT, LONG, SHORT
from pump_party.domains.prop_engine.store import Tick
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


_TICKS = {
    True: "SELECT key AS place, json_extract(value, '$[0]') AS market, json_extract(value, '$[1]') AS publish_ms, "
    "json_extract(value, '$[2]') AS mid_e8, json_extract(value, '$[3]') AS hour FROM json_each(:ticks)",
    False: "SELECT place - 1 AS place, tick ->> 0 AS market, (tick ->> 1)::bigint AS publish_ms, "
    "(tick ->> 2)::bigint AS mid_e8, (tick ->> 3)::bigint AS hour "
    "FROM jsonb_array_elements(CAST(:ticks AS jsonb)) WITH ORDINALITY AS ticks (tick, place)",
}
"""The ticks of a round as a table, by whether the database is SQLite."""

_DUE_REASONS = (
    ("o.at_or_below_e8 IS NULL AND o.at_or_above_e8 IS NULL", "o.due_ms"),
    ("o.at_or_below_e8 >= t.mid_e8 AND o.at_or_above_e8 IS NULL", "o.at_or_below_e8 DESC"),
    (
        "o.at_or_above_e8 <= t.mid_e8 AND (o.at_or_below_e8 IS NULL OR o.at_or_below_e8 >= t.mid_e8)",
        "o.at_or_above_e8",
    ),
)
_WATCH_REASONS = (
    (f"p.funded_hour < t.hour AND p.direction <> {FLAT}", "p.funded_hour"),
    (f"p.direction = {LONG} AND p.liquidation_e8 >= t.mid_e8", "p.liquidation_e8 DESC"),
    (f"p.direction = {SHORT} AND p.liquidation_e8 <= t.mid_e8", "p.liquidation_e8"),
    (f"p.breach_ms > 0 AND p.direction <> {FLAT}", "p.breach_ms DESC"),
)
"""Why a tick concerns an order or a position, and the order of its index: asked for the first in that order, a planner
that believes in many takes the index all the same."""


def _first_concerned(*, is_sqlite: bool) -> sa.TextClause:
    due = [
        f"FROM prop_open_orders o WHERE o.market = t.market AND o.due_ms < t.publish_ms AND {reason} ORDER BY {order}"
        for reason, order in _DUE_REASONS
    ]
    watched = [
        f"FROM prop_perp_positions p WHERE p.market = t.market AND {reason} ORDER BY {order}"
        for reason, order in _WATCH_REASONS
    ]
    is_concerned = " OR ".join(f"(SELECT 1 {found} LIMIT 1) IS NOT NULL" for found in (*due, *watched))
    return sa.text(f"WITH t AS MATERIALIZED ({_TICKS[is_sqlite]}) SELECT min(t.place) FROM t WHERE {is_concerned}")


_FIRST_CONCERNED = {is_sqlite: _first_concerned(is_sqlite=is_sqlite) for is_sqlite in (True, False)}


def first_concerned(database: Database, ticks: Sequence[Tick]) -> int | None:
    asked = {"ticks": msgspec.json.encode(ticks).decode()}
    with database.read() as connection:
        place: int | None = connection.execute(_FIRST_CONCERNED[database.is_sqlite], asked).scalar_one()
    return place


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
