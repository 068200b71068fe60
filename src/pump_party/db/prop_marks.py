"""Equity marks and standings: what the marker reads and writes, and what results are computed from."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from typing import Any

import msgspec
import sqlalchemy as sa

from pump_party.db.engine import Database
from pump_party.db.prop_holdings import read_holdings
from pump_party.db.prop_rows import SIDES, account_of, fill_of
from pump_party.db.prop_tables import accounts, equity_marks, fills, journal, perp_positions, positions, standings
from pump_party.domains.prop_engine.curve import EquityMark, MarkPrice
from pump_party.domains.prop_engine.marking import MOVES, Markable, Marked, Move, move_of
from pump_party.domains.prop_engine.model import RecordKind, Standing
from pump_party.domains.prop_engine.perp_model import FLAT
from pump_party.domains.prop_engine.portfolio import Holdings
from pump_party.domains.prop_engine.store import Performance
from pump_party.domains.prop_engine.valuation import Exchanged
from pump_party.domains.prop_engine.views import shortfall_micros
from pump_party.kernel.ids import AccountId, Market

MOVES_MAX = 500
"""Records of an account that are looked through for one round of marks. Of more the oldest get no mark of their own."""

STANDINGS_PAGE = 500

MARKERS_LOCK = 7_011
"""Advisory lock of Postgres: one marker writes at a time, so that none folds a mark into a standing twice."""

# All rows in one parameter: there is one after every fill, and naming each value takes longer than writing it.
_MARK_SQLITE = sa.text(
    "INSERT INTO prop_equity_marks (account_id, at_ms, cycle, equity_micros, exposed_micros) "
    "SELECT json_extract(r.value, '$[0]'), json_extract(r.value, '$[1]'), json_extract(r.value, '$[2]'), "
    "json_extract(r.value, '$[3]'), json_extract(r.value, '$[4]') FROM json_each(:rows) r"
)
_MARK_POSTGRES = sa.text(
    "INSERT INTO prop_equity_marks (account_id, at_ms, cycle, equity_micros, exposed_micros) "
    "SELECT r->>0, CAST(r->>1 AS bigint), CAST(r->>2 AS bigint), CAST(r->>3 AS bigint), CAST(r->>4 AS bigint) "
    "FROM json_array_elements(CAST(:rows AS json)) r"
)

_MOVES = tuple(kind.value for kind in MOVES)
_KINDS = {kind.value: kind for kind in MOVES}
_EXCHANGED = (
    fills.c.market,
    fills.c.side,
    fills.c.quantity_nanos,
    fills.c.gross_micros,
    fills.c.fee_micros,
    fills.c.mid_e8,
    fills.c.conf_e8,
    fills.c.detail,
)


def accounts_to_mark(database: Database, *, after: str, limit: int, changed_only: bool = False) -> list[Markable]:
    """Accounts in id order that hold a position or changed since their last mark, each as of one moment."""
    own = accounts.c
    spot = sa.exists().where(positions.c.account_id == own.account_id, positions.c.quantity_nanos > 0)
    perp = sa.exists().where(perp_positions.c.account_id == own.account_id, perp_positions.c.direction != FLAT)
    changed = standings.c.version.is_(None) | (standings.c.version < own.version)
    query = (
        sa.select(accounts, *[c.label(f"standing_{c.name}") for c in standings.c])
        .join(standings, standings.c.account_id == own.account_id, isouter=True)
        .where(own.account_id > after, changed if changed_only else spot | perp | changed)
        .order_by(own.account_id)
        .limit(limit)
    )
    width = len(accounts.c)
    with database.read() as connection:
        seen = snapshot(database, connection)
        rows = seen.execute(query).all()
        found = [account_of(row[:width]) for row in rows]
        ranked = [None if row[width] is None else _standing_of(row[width:]) for row in rows]
        pairs = zip(found, ranked, strict=True)
        moves = _moves(seen, [a.account_id for a, s in pairs if s is None or s.version < a.version])
        holdings = read_holdings(seen, found)
    return [
        Markable(held, standing, moves[held.account.account_id], complete=_behind(held, standing) <= MOVES_MAX)
        for held, standing in zip(holdings, ranked, strict=True)
    ]


def _behind(holdings: Holdings, standing: Standing | None) -> int:
    return holdings.account.version - (0 if standing is None else standing.version)


def snapshot(database: Database, connection: sa.Connection) -> sa.Connection:
    """One moment for all queries of a read; SQLite's readers have that anyway."""
    return connection if database.is_sqlite else connection.execution_options(isolation_level="REPEATABLE READ")


def _moves(connection: sa.Connection, changed: Sequence[str]) -> Mapping[str, list[Move]]:
    """The records behind the version of each account's standing that changed its worth, oldest first."""
    moves: dict[str, list[Move]] = defaultdict(list)
    own, told = accounts.c, journal.c
    query = (
        sa.select(told.account_id, told.kind, told.at_ms, told.detail.label("told"), *_EXCHANGED)
        .select_from(accounts)
        .join(standings, standings.c.account_id == own.account_id, isouter=True)
        .join(journal, (told.account_id == own.account_id) & (told.version > sa.func.coalesce(standings.c.version, 0)))
        .join(fills, fills.c.fill_id == told.record_id, isouter=True)
        .where(own.account_id.in_(changed), told.version > own.version - MOVES_MAX, told.kind.in_(_MOVES))
        .order_by(told.account_id, told.version)
    )
    for account_id, kind, at_ms, detail, *fill in connection.execute(query).all() if changed else ():
        moves[account_id].append(move_of(_KINDS[kind], at_ms, detail, _exchanged(*fill)))
    return moves


def _exchanged(market: Market | None, side: str, *amounts: Any) -> Exchanged | None:
    """None of a record that is not a fill."""
    if market is None:
        return None
    quantity_nanos, gross_micros, fee_micros, mid_e8, conf_e8, detail = amounts
    return Exchanged(
        market, SIDES[side], quantity_nanos, gross_micros, fee_micros, mid_e8, conf_e8, shortfall_micros(detail)
    )


_decode_prices = msgspec.json.Decoder(dict[Market, MarkPrice]).decode


def _standing_of(row: Sequence[Any]) -> Standing:
    *columns, prices = row
    values: tuple[Any, ...] = (*columns, _decode_prices(prices))
    return Standing(*values)


def _standing_row(standing: Standing) -> dict[str, Any]:
    row = {name: getattr(standing, name) for name in standing.__struct_fields__}
    return row | {"prices": msgspec.json.encode(standing.prices).decode()}


def record_marks(database: Database, marked: Sequence[Marked]) -> list[Marked]:
    """Write the marks and the newest standings; those that follow a standing which is there no more are left out."""
    if not marked:
        return []
    with database.write() as connection:
        if not database.is_sqlite:
            connection.execute(sa.select(sa.func.pg_advisory_xact_lock(MARKERS_LOCK)))
        ids = [m.account.account_id for m in marked]
        query = sa.select(standings.c.account_id, standings.c.as_of_ms).where(standings.c.account_id.in_(ids))
        there = {row[0]: row[1] for row in connection.execute(query)}
        first = [m for m in marked if there.get(m.account.account_id) == m.replaces_ms]
        if first:
            rows = msgspec.json.encode([_mark_row(s) for m in first for s in m.standings]).decode()
            connection.execute(_MARK_SQLITE if database.is_sqlite else _MARK_POSTGRES, {"rows": rows})
            upsert = database.insert(standings)
            changed = {c.name: upsert.excluded[c.name] for c in standings.c if not c.primary_key}
            connection.execute(
                upsert.on_conflict_do_update(index_elements=["account_id"], set_=changed),
                [_standing_row(m.standings[-1]) for m in first],
            )
    return first


def _mark_row(standing: Standing) -> tuple[str, int, int, int, int]:
    return (
        standing.account_id,
        standing.as_of_ms,
        standing.cycle,
        standing.equity_micros,
        standing.exposed_micros,
    )


def sampled_marks(
    database: Database, account_id: AccountId, cycle: int, *, first_ms: int, every_ms: int, count: int
) -> list[EquityMark]:
    """The newest mark of the cycle at each of `count` times, oldest first; times before its first mark are left out.

    One look at the index per time, however many marks lie between.
    """
    steps = sa.select(sa.literal(first_ms, sa.BigInteger).label("at_ms")).cte("times", recursive=True)
    last_ms = first_ms + (count - 1) * every_ms
    steps = steps.union_all(sa.select(steps.c.at_ms + every_ms).where(steps.c.at_ms + every_ms <= last_ms))
    marks, earlier = equity_marks.c, equity_marks.alias("earlier").c
    newest = (
        sa.select(earlier.at_ms)
        .where(earlier.account_id == account_id, earlier.at_ms <= steps.c.at_ms)
        .order_by(earlier.at_ms.desc())
        .limit(1)
        .scalar_subquery()
    )
    query = (
        sa.select(steps.c.at_ms, marks.equity_micros, marks.exposed_micros)
        .select_from(steps)
        .join(equity_marks, (marks.account_id == account_id) & (marks.at_ms == newest))
        .where(marks.cycle == cycle)
        .order_by(steps.c.at_ms)
    )
    with database.read() as connection:
        return [EquityMark(*row) for row in connection.execute(query)]


def performance(connection: sa.Connection, holdings: Holdings, *, fills_limit: int) -> Performance:
    """An account's standing and the fills of its cycle, oldest first, at most so many."""
    account = holdings.account
    row = connection.execute(sa.select(standings).where(standings.c.account_id == account.account_id)).one_or_none()
    query = (
        sa.select(fills)
        .join(journal, journal.c.record_id == fills.c.fill_id)
        .where(journal.c.account_id == account.account_id, fills.c.cycle == account.cycle)
        .order_by(journal.c.version)
        .limit(fills_limit)
    )
    filled = [fill_of(r) for r in connection.execute(query)] if account.fills else []
    standing = None if row is None or row.cycle != account.cycle else _standing_of(row)
    started_ms = _started_ms(connection, account.account_id) if standing is None else standing.started_ms
    return Performance(holdings, started_ms, standing, filled)


def _started_ms(connection: sa.Connection, account_id: AccountId) -> int:
    """When a cycle began that has not been marked yet: its opening is among the newest records."""
    openings = journal.c.account_id == account_id, journal.c.kind == RecordKind.OPEN.value
    newest = sa.select(journal.c.at_ms).where(*openings).order_by(journal.c.version.desc()).limit(1)
    return int(connection.execute(newest).scalar_one())


def newest_standings(database: Database, account_ids: Sequence[AccountId]) -> list[Standing]:
    """Those of these accounts that were ever marked."""
    found: list[Standing] = []
    with database.read() as connection:
        for start in range(0, len(account_ids), STANDINGS_PAGE):
            page = account_ids[start : start + STANDINGS_PAGE]
            rows = connection.execute(sa.select(standings).where(standings.c.account_id.in_(page)))
            found.extend(_standing_of(row) for row in rows)
    return found
