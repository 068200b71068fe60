"""Places of the object store that backtests name no more, until what lies there is deleted, too."""

from collections.abc import Iterable

import sqlalchemy as sa

from pump_party.db.engine import Database, Text, metadata

gone = sa.Table(
    "backtests_gone",
    metadata,
    sa.Column("place", Text, primary_key=True),
    sqlite_strict=True,
    sqlite_with_rowid=False,
)


def note(database: Database, connection: sa.Connection, places: Iterable[str]) -> None:
    """In the transaction that forgets them: a crash leaves nothing behind that nobody knows of."""
    rows = [{"place": place} for place in sorted(set(places))]
    if rows:
        connection.execute(database.insert(gone).on_conflict_do_nothing(), rows)
