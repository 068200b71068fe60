import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from pathlib import Path

import pytest
import sqlalchemy as sa
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory

from pump_party.db import idempotency, jobs, outbox
from pump_party.db.engine import Database
from pump_party.db.migrate import MIGRATIONS, head, is_at_head, upgrade


@pytest.fixture(params=["sqlite", "postgres"])
def empty_url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path}/empty.sqlite3"
    return request.getfixturevalue("empty_postgres_url")


def test_an_empty_database_is_brought_to_the_head_and_a_second_time_left_alone(empty_url: str) -> None:
    with closing(Database(empty_url)) as database:
        assert not is_at_head(database)
        upgrade(database)
        assert is_at_head(database)
        upgrade(database)
        with database.read() as connection:
            assert connection.execute(sa.select(sa.func.count()).select_from(outbox.outbox)).scalar_one() == 0


def test_several_that_start_at_once_migrate_once(empty_url: str) -> None:
    def start(_: int) -> bool:
        with closing(Database(empty_url)) as database:
            upgrade(database)
            return is_at_head(database)

    with ThreadPoolExecutor(4) as threads:
        assert list(threads.map(start, range(4))) == [True] * 4


def test_the_file_names_tell_the_head_that_alembic_finds() -> None:
    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS))
    assert ScriptDirectory.from_config(config).get_heads() == [head()]


def test_the_migrations_make_the_tables_that_the_code_declares(database: Database) -> None:
    declared = {table.name for table in (outbox.outbox, idempotency.records, jobs.jobs)}

    def ours(_object: object, name: str | None, kind: str, _reflected: bool, _other: object) -> bool:
        return kind != "table" or name in declared

    with database.read() as connection:
        context = MigrationContext.configure(connection, opts={"include_object": ours})
        assert compare_metadata(context, outbox.metadata) == []


def test_a_database_at_head_starts_without_alembic(sqlite_path: Path) -> None:
    code = (
        "import sys; from pump_party.db.engine import Database; from pump_party.db.migrate import upgrade;"
        f"upgrade(Database('sqlite:///{sqlite_path}')); sys.exit('alembic' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
