"""Brings a database to the newest schema. One linear history serves SQLite and Postgres.

A migration file is named after its revision (`0001_platform.py` is revision "0001"), so the head is known without
importing Alembic: asking a database that is already there costs one query, which keeps the start fast.
"""

from pathlib import Path

import sqlalchemy as sa

from pump_party.db.engine import Database

MIGRATIONS = Path(__file__).parent / "migrations"
REVISION_DIGITS = 4
MIGRATION_LOCK = 0x50756D70
"""Postgres advisory lock that processes starting together queue on."""
MIGRATION_LOCK_TIMEOUT = "120s"


def upgrade(database: Database) -> None:
    """Apply what is missing, in one transaction. Safe when several processes start at once: the others wait."""
    if is_at_head(database):
        return
    from alembic import command
    from alembic.config import Config

    with database.write() as connection:
        if not database.is_sqlite:
            connection.execute(sa.text(f"SET LOCAL lock_timeout = '{MIGRATION_LOCK_TIMEOUT}'"))
            connection.execute(sa.text("SET LOCAL statement_timeout = 0"))
            connection.execute(sa.text("SELECT pg_advisory_xact_lock(:key)"), {"key": MIGRATION_LOCK})
        config = Config(attributes={"connection": connection})
        config.set_main_option("script_location", str(MIGRATIONS).replace("%", "%%"))
        command.upgrade(config, "head")


def is_at_head(database: Database) -> bool:
    """Whether the schema is the one this code was written for."""
    with database.read() as connection:
        return _revision(connection) == head()


def head() -> str:
    """The newest revision this code carries."""
    return max(path.stem[:REVISION_DIGITS] for path in (MIGRATIONS / "versions").glob("[0-9]*_*.py"))


def _revision(connection: sa.Connection) -> str | None:
    if not sa.inspect(connection).has_table("alembic_version"):
        return None
    revision = connection.execute(sa.text("SELECT version_num FROM alembic_version")).scalar()
    return None if revision is None else str(revision)
