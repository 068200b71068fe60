"""What every test may ask for: empty migrated databases, Redis, Chromium, a clock that stands still, recorded data."""

import fcntl
import itertools
import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from random import Random
from urllib.parse import urlsplit

import hypothesis
import psycopg
import pytest
import redis

from pump_party.db.engine import Database
from pump_party.db.migrate import upgrade
from pump_party.platform.clock import ManualClock
from pump_party.platform.ids import Ids
from tests import services

START_MS = 1_750_000_000_000

_numbers = itertools.count(1)

hypothesis.settings.register_profile("repeatable", deadline=None, derandomize=True)
hypothesis.settings.register_profile("explore", deadline=None, max_examples=2_000, print_blob=True)
hypothesis.settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "repeatable"))


@pytest.fixture(scope="session", autouse=True)
def settings_are_the_defaults() -> Iterator[None]:
    """The settings of whoever runs the tests do not reach them."""
    services.remove_left_folders()
    with pytest.MonkeyPatch.context() as patch:
        for name in list(os.environ):
            if name.startswith("PUMP_PARTY_") and not name.startswith("PUMP_PARTY_TEST_"):
                patch.delenv(name)
        yield


@pytest.fixture
def clock() -> ManualClock:
    """A clock that stands still until a test advances it."""
    return ManualClock(START_MS)


@pytest.fixture
def ids(clock: ManualClock) -> Ids:
    """Ids and tokens that are the same in every run."""
    return Ids(clock, randomness=Random(7).randbytes)


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Leave out what replays recorded data where there is none, and say so. CI has it and leaves nothing out."""
    if _has_recorded_data():
        return
    needing = {item for item in items if "recorded_data" in getattr(item, "fixturenames", ())}
    config.hook.pytest_deselected(items=list(needing))
    items[:] = [item for item in items if item not in needing]


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    if not _has_recorded_data():
        terminalreporter.write_line(
            f"Left out: tests that replay recorded market data, which is not here ({_recorded_folder()}). "
            "Set PUMP_PARTY_TEST_DATA to the folder that holds data/ and spec/ to run them.",
            yellow=True,
        )


@pytest.fixture(scope="session")
def recorded_data() -> Path:
    """The folder with `spec/vectors.json` and recorded market data in `data/`, read in place and never copied."""
    folder = _recorded_folder()
    assert folder.is_dir(), f"no recorded data in {folder}"
    return folder.parent


@pytest.fixture(params=["sqlite", "postgres"])
def database(request: pytest.FixtureRequest) -> Database:
    """A migrated, empty database: the test runs on SQLite and on Postgres."""
    opened: Database = request.getfixturevalue(f"{request.param}_database")
    return opened


@pytest.fixture
def sqlite_database(sqlite_path: Path) -> Iterator[Database]:
    """A migrated, empty SQLite database."""
    with closing(Database(f"sqlite:///{sqlite_path}")) as database:
        yield database


@pytest.fixture
def postgres_database(postgres_url: str) -> Iterator[Database]:
    """A migrated, empty Postgres database."""
    with closing(Database(postgres_url)) as database:
        yield database


@pytest.fixture
def sqlite_path(sqlite_template: Path, tmp_path: Path) -> Path:
    """The file of a migrated, empty SQLite database that nobody has opened."""
    return Path(shutil.copy(sqlite_template, tmp_path / "pump_party.sqlite3"))


@pytest.fixture
def postgres_url(postgres_server: str, postgres_template: str) -> Iterator[str]:
    """The URL of a migrated, empty Postgres database that nobody has opened."""
    with _created(postgres_server, f"TEMPLATE {postgres_template} STRATEGY file_copy") as url:
        yield url


@pytest.fixture
def empty_postgres_url(postgres_server: str) -> Iterator[str]:
    """The URL of a Postgres database without any table."""
    with _created(postgres_server) as url:
        yield url


@pytest.fixture
def redis_url(redis_server: str) -> Iterator[str]:
    """The URL of an empty Redis that no other test uses meanwhile."""
    with _turn_at(redis_server), redis.Redis.from_url(redis_server) as client:
        client.flushall()
        yield redis_server


@pytest.fixture(scope="session")
def chromium() -> Path:
    """The Chromium that browser tests drive; start it with `--no-sandbox`."""
    return services.find_chromium()


@pytest.fixture(scope="session")
def sqlite_template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("template") / "pump_party.sqlite3"
    _migrate(f"sqlite:///{path}")
    return path


@pytest.fixture(scope="session")
def postgres_server() -> Iterator[str]:
    """The URL of a server on which this process may create databases: one per pytest worker, so none waits."""
    named = os.environ.get("PUMP_PARTY_TEST_DATABASE_URL")
    if named:
        yield named
        return
    with services.Postgres() as server:
        yield server.url


@pytest.fixture(scope="session")
def postgres_template(postgres_server: str) -> Iterator[str]:
    name = f"pump_party_template_{os.getpid()}"
    with _created(postgres_server, name=name) as url:
        _migrate(url)
        yield name


@pytest.fixture(scope="session")
def redis_server() -> Iterator[str]:
    named = os.environ.get("PUMP_PARTY_TEST_REDIS_URL")
    if named:
        yield named
        return
    with services.Redis() as server:
        yield server.url


def _has_recorded_data() -> bool:
    return _recorded_folder().is_dir() or bool(os.environ.get("CI"))


def _recorded_folder() -> Path:
    named = os.environ.get("PUMP_PARTY_TEST_DATA")
    return (Path(named) if named else Path(__file__).parents[2] / "shared") / "data"


def _migrate(url: str) -> None:
    with closing(Database(url)) as database:
        upgrade(database)


@contextmanager
def _created(server: str, options: str = "STRATEGY file_copy", *, name: str = "") -> Iterator[str]:
    name = name or f"test_{os.getpid()}_{next(_numbers)}"
    with psycopg.connect(server, autocommit=True) as connection:
        connection.execute(f"CREATE DATABASE {name} {options}")
        try:
            yield urlsplit(server)._replace(path=f"/{name}").geturl()
        finally:
            connection.execute(f"DROP DATABASE {name} WITH (FORCE)")


@contextmanager
def _turn_at(server: str) -> Iterator[None]:
    """Wait for a server that several pytest workers share; each worker's own needs no wait."""
    if server != os.environ.get("PUMP_PARTY_TEST_REDIS_URL"):
        yield
        return
    with (Path(tempfile.gettempdir()) / "pump-party-test-redis.lock").open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield
