"""What leaderboards are ranked from: standings without what only results need, and worths at a midnight."""

from collections.abc import Iterator, Sequence

import sqlalchemy as sa

from pump_party.db.engine import Database
from pump_party.db.prop_tables import equity_marks, standings
from pump_party.domains.prop_engine.ranking import BoardEntry, Worth
from pump_party.kernel.ids import AccountId

IDS_AT_ONCE = 1_000
"""Ids in one statement."""

_own = standings.c
_ENTRIES = sa.select(*(_own[name] for name in BoardEntry.__struct_fields__)).where(_own.fills > 0)


class BoardStore:
    """Implements `domains.prop_engine.boards.BoardStore`."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def of_kind(self, kind: str, *, limit: int) -> list[BoardEntry]:
        # As a rule all are wanted: reading the table through is faster than looking each row up by the index of ranks.
        all_of_kind = _ENTRIES.where(_own.kind.concat("") == kind).limit(limit)
        best = _ENTRIES.where(_own.kind == kind).order_by(_own.standing_micros.desc(), _own.account_id).limit(limit)
        with self._database.read() as connection:
            found = [BoardEntry(*row) for row in connection.execute(all_of_kind)]
            if len(found) < limit:
                return found
            return [BoardEntry(*row) for row in connection.execute(best)]

    def of_accounts(self, account_ids: Sequence[AccountId]) -> list[BoardEntry]:
        found: list[BoardEntry] = []
        with self._database.read() as connection:
            for page in _pages(account_ids):
                rows = connection.execute(_ENTRIES.where(_own.account_id.in_(page)))
                found.extend(BoardEntry(*row) for row in rows)
        return found

    def worths_at(self, account_ids: Sequence[AccountId], at_ms: int) -> dict[AccountId, Worth]:
        marks, earlier = equity_marks.c, equity_marks.alias("earlier").c
        newest = (
            sa.select(earlier.at_ms)
            .where(earlier.account_id == _own.account_id, earlier.at_ms <= at_ms)
            .order_by(earlier.at_ms.desc())
            .limit(1)
            .scalar_subquery()
        )
        # One look at the index per account, however many marks it has.
        query = (
            sa.select(marks.account_id, marks.cycle, marks.equity_micros)
            .select_from(standings)
            .join(equity_marks, (marks.account_id == _own.account_id) & (marks.at_ms == newest))
        )
        found: dict[AccountId, Worth] = {}
        with self._database.read() as connection:
            for page in _pages(account_ids):
                for account_id, *worth in connection.execute(query.where(_own.account_id.in_(page))):
                    found[account_id] = Worth(*worth)
        return found


def _pages(ids: Sequence[AccountId]) -> Iterator[Sequence[AccountId]]:
    for first in range(0, len(ids), IDS_AT_ONCE):
        yield ids[first : first + IDS_AT_ONCE]
