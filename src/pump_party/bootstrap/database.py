"""Opens the database, and looks into one for an operator."""

from collections.abc import Callable
from pathlib import Path

import msgspec

from pump_party.config import Settings
from pump_party.db.engine import Database
from pump_party.db.migrate import head, is_at_head, upgrade
from pump_party.db.prop_check import CheckReport, check
from pump_party.kernel.errors import Unavailable

SQLITE_FILE = "pump_party.sqlite3"

CHECKED_AT_START_BYTES_MAX = 256 * 1024 * 1024
"""A larger file is read as a whole by `pump-party db check` only: a start must not wait for it."""


def open_database(settings: Settings) -> Database:
    """Open and migrate. Raises Unavailable with the reason when it does not answer or its file is damaged."""
    path = _sqlite_path(settings)
    is_small = path.is_file() and path.stat().st_size <= CHECKED_AT_START_BYTES_MAX
    database = Database(_database_url(settings))
    if is_small:
        _refuse_damage(database)
    database.check()
    upgrade(database)
    return database


def open_existing(settings: Settings) -> Database:
    """Open as it is. Raises Unavailable when there is none, it does not answer, or its schema is another version's."""
    _require_database(settings)
    database = Database(_database_url(settings))
    _require_schema(database)
    return database


def _require_schema(database: Database) -> None:
    if not is_at_head(database):
        database.close()
        raise Unavailable("the schema is not the one this version needs: run `pump-party db upgrade`")


def _refuse_damage(database: Database) -> None:
    damage = database.damage()
    if damage is not None:
        database.close()
        raise Unavailable(
            f"the database file is damaged ({damage}): restore a backup, as docs/runbooks/restore-a-backup.md says",
            code="database_damaged",
        )


def _require_database(settings: Settings) -> None:
    """SQLite would make an empty database where there is none, and an empty one has nothing to find fault with."""
    path = _sqlite_path(settings)
    if not settings.database_url and not path.is_file():
        raise Unavailable(f"there is no database in {path.parent}: name its folder with --data-dir")


def _database_url(settings: Settings) -> str:
    return settings.database_url or f"sqlite:///{_sqlite_path(settings)}"


def _sqlite_path(settings: Settings) -> Path:
    return Path(settings.data_dir).expanduser().resolve() / SQLITE_FILE


class DatabaseFacts(msgspec.Struct, frozen=True):
    """What an operator asks first. `wal_reset_bug`: this SQLite needs the one-writer rule, which the engine keeps."""

    engine: str
    version: str
    location: str
    schema: str
    at_head: bool
    wal_reset_bug: bool


def describe_database(settings: Settings) -> DatabaseFacts:
    """Look without changing anything. Raises Unavailable when there is no database or it does not answer."""
    _require_database(settings)
    database = Database(_database_url(settings))
    try:
        return DatabaseFacts(
            engine="SQLite" if database.is_sqlite else "Postgres",
            version=database.server_version(),
            location="PUMP_PARTY_DATABASE_URL" if settings.database_url else database.url,
            schema=head(),
            at_head=is_at_head(database),
            wal_reset_bug=database.has_wal_reset_bug(),
        )
    finally:
        database.close()


def check_ledger(settings: Settings, *, progress: Callable[[int, int], None]) -> CheckReport:
    """Prove the file, then every account in it: balances, chains, sequence. Changes nothing.

    Raises Unavailable like `open_existing`, and for a file that is damaged.
    """
    _require_database(settings)
    database = Database(_database_url(settings))
    try:
        _refuse_damage(database)
        _require_schema(database)
        return check(database, progress=progress)
    finally:
        database.close()
