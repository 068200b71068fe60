"""Opens the database: SQLite by default, Postgres by URL. One code path above it.

SQLite has ONE writing connection, shared under a lock, that also owns checkpoints; readers are `query_only`
(a rare WAL-reset corruption before SQLite 3.51.3 needs two writers or checkpointers). Every write transaction
is `BEGIN IMMEDIATE` and durable at commit (`synchronous=FULL`).
"""

import sqlite3
import threading
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from pathlib import Path
from typing import Any

import sqlalchemy as sa
from sqlalchemy.pool import QueuePool, StaticPool

from pump_party.kernel.errors import Unavailable

SQLITE_WAL_RESET_FIXED = (3, 51, 3)
BUSY_TIMEOUT_MS = 5_000
POOL_SIZE = 8
POOL_WAIT_S = 2
CONNECT_TIMEOUT_S = 2
LOCK_TIMEOUT = "2s"
STATEMENT_TIMEOUT = "10s"
IDLE_IN_TRANSACTION_TIMEOUT = "10s"

metadata = sa.MetaData()

Text = sa.Text
Int64 = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
Bytes = sa.LargeBinary


class Database:
    """An open database. `write()` and `read()` give SQLAlchemy connections; both raise Unavailable when it is away."""

    def __init__(self, url: str) -> None:
        """Open `postgresql://...` or `sqlite:///path`. Does not connect yet: `check()` does."""
        self.url = url
        self.is_sqlite = url.startswith("sqlite")
        self._writer_lock: AbstractContextManager[object] = threading.RLock() if self.is_sqlite else nullcontext()
        if self.is_sqlite:
            self._open_sqlite(url)
        else:
            self._open_postgres(url)

    def _open_sqlite(self, url: str) -> None:
        path = url.removeprefix("sqlite:///")
        Path(path).parent.mkdir(parents=True, exist_ok=True)
        self._writer = sa.create_engine(
            url,
            poolclass=StaticPool,
            connect_args={"check_same_thread": False, "timeout": BUSY_TIMEOUT_MS / 1000},
        )
        self._reader = sa.create_engine(
            url,
            poolclass=QueuePool,
            pool_size=POOL_SIZE,
            max_overflow=0,
            pool_timeout=POOL_WAIT_S,
            connect_args={"check_same_thread": False, "timeout": BUSY_TIMEOUT_MS / 1000},
        )
        sa.event.listen(self._writer, "connect", _set_up_sqlite_writer)
        sa.event.listen(self._writer, "begin", lambda c: c.exec_driver_sql("BEGIN IMMEDIATE"))
        sa.event.listen(self._reader, "connect", _set_up_sqlite_reader)
        sa.event.listen(self._reader, "begin", lambda c: c.exec_driver_sql("BEGIN"))

    def _open_postgres(self, url: str) -> None:
        url = "postgresql+psycopg://" + url.split("://", 1)[1]
        self._writer = sa.create_engine(
            url,
            pool_size=POOL_SIZE,
            max_overflow=0,
            pool_timeout=POOL_WAIT_S,
            pool_pre_ping=False,
            connect_args={
                "connect_timeout": CONNECT_TIMEOUT_S,
                "options": f"-c lock_timeout={LOCK_TIMEOUT} -c statement_timeout={STATEMENT_TIMEOUT} "
                f"-c idle_in_transaction_session_timeout={IDLE_IN_TRANSACTION_TIMEOUT}",
            },
        )
        self._reader = self._writer

    @contextmanager
    def write(self) -> Iterator[sa.Connection]:
        """One write transaction: commits at the end of the block, rolls back on any exception."""
        with _unavailable_when_away(), self._writer_lock, self._writer.begin() as connection:
            yield connection

    @contextmanager
    def read(self) -> Iterator[sa.Connection]:
        """One read transaction with a stable snapshot on SQLite, read committed on Postgres."""
        with _unavailable_when_away(), self._reader.connect() as connection:
            yield connection

    def check(self) -> None:
        """Raise Unavailable with the reason when the database does not answer."""
        with self.read() as connection:
            connection.execute(sa.text("SELECT 1")).scalar_one()

    def server_version(self) -> str:
        if self.is_sqlite:
            return sqlite3.sqlite_version
        with self.read() as connection:
            return str(connection.exec_driver_sql("SHOW server_version").scalar_one())

    def has_wal_reset_bug(self) -> bool:
        return self.is_sqlite and sqlite3.sqlite_version_info < SQLITE_WAL_RESET_FIXED

    def close(self) -> None:
        self._writer.dispose()
        self._reader.dispose()


@contextmanager
def _unavailable_when_away() -> Iterator[None]:
    try:
        yield
    except sa.exc.TimeoutError as error:
        raise Unavailable("no database connection became free in time; try again", code="database_busy") from error
    except sa.exc.OperationalError as error:
        raise Unavailable(f"the database does not answer: {_reason(error)}", code="database_unavailable") from error
    except sa.exc.InterfaceError as error:
        raise Unavailable("the database connection was lost; try again", code="database_unavailable") from error


def _reason(error: sa.exc.DBAPIError) -> str:
    lines = str(error.orig).strip().splitlines()
    return lines[0] if lines else type(error.orig).__name__


def _set_up_sqlite_writer(connection: Any, _record: Any) -> None:
    connection.isolation_level = None
    for pragma in (
        "journal_mode=WAL",
        "synchronous=FULL",
        "foreign_keys=ON",
        f"busy_timeout={BUSY_TIMEOUT_MS}",
        "trusted_schema=OFF",
        "cache_size=-65536",
    ):
        connection.execute(f"PRAGMA {pragma}")


def _set_up_sqlite_reader(connection: Any, _record: Any) -> None:
    connection.isolation_level = None
    for pragma in (
        "query_only=ON",
        "wal_autocheckpoint=0",
        f"busy_timeout={BUSY_TIMEOUT_MS}",
        "trusted_schema=OFF",
        "cache_size=-8192",
    ):
        connection.execute(f"PRAGMA {pragma}")
