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
WAL_AUTOCHECKPOINT_PAGES = 16_384
"""64 MB: a page that many batches change goes from the log to the file once, not once a batch."""

AWAY = "database_unavailable"

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
            pool_pre_ping=True,
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

    def insert(self, table: sa.Table) -> Any:
        """An insert that knows ON CONFLICT; both dialects spell it the same, and only the one in use is imported."""
        if self.is_sqlite:
            from sqlalchemy.dialects import sqlite

            return sqlite.insert(table)
        from sqlalchemy.dialects import postgresql

        return postgresql.insert(table)

    def check(self) -> None:
        """Raise Unavailable with the reason when the database does not answer."""
        with self.read() as connection:
            connection.execute(sa.text("SELECT 1")).scalar_one()

    def damage(self) -> str | None:
        """What SQLite finds wrong with its file, None when it is sound; it reads all of it, 800 MB a second.

        Postgres finds damage when it reads, by its checksums.
        """
        if not self.is_sqlite:
            return None
        try:
            with self.read() as connection:
                found = str(connection.exec_driver_sql("PRAGMA quick_check(1)").scalar_one())
        except sa.exc.DatabaseError as error:
            found = str(error.orig)
        return None if found == "ok" else found

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


SQLITE_AWAY = frozenset(
    {
        sqlite3.SQLITE_BUSY,
        sqlite3.SQLITE_LOCKED,
        sqlite3.SQLITE_IOERR,
        sqlite3.SQLITE_CANTOPEN,
        sqlite3.SQLITE_FULL,
        sqlite3.SQLITE_READONLY,
    }
)
"""SQLite calls a wrong statement an operational error too; only these say that the file cannot be used now."""

POSTGRES_LOCKS = ("40001", "40P01")
"""Serialisation failure and deadlock: Postgres ended a transaction so that others may go on. It is not away."""

DRIVER_ERROR_NAMES = ("OperationalError", "InterfaceError")
"""What PEP 249 drivers raise when the database, not the statement, is at fault."""


@contextmanager
def _unavailable_when_away() -> Iterator[None]:
    """Raise Unavailable for what passes by itself. Everything else is a bug and stays what it is."""
    try:
        yield
    except sa.exc.TimeoutError as error:
        raise Unavailable("no database connection became free in time; try again", code="database_busy") from error
    except sa.exc.DBAPIError as error:
        if _is_away(error.orig):
            raise _away(error.orig) from error
        raise
    except Exception as error:
        # The order path talks to the driver itself; its errors come unwrapped.
        if _is_away(error):
            raise _away(error) from error
        raise


def _is_away(error: BaseException | None) -> bool:
    if isinstance(error, sqlite3.Error):
        return getattr(error, "sqlite_errorcode", 0) & 0xFF in SQLITE_AWAY
    # By name, so that SQLite's users do not import the Postgres driver.
    names = {kind.__name__ for kind in type(error).__mro__ if kind.__module__.startswith("psycopg")}
    return bool(names & set(DRIVER_ERROR_NAMES)) and getattr(error, "sqlstate", None) not in POSTGRES_LOCKS


def _away(error: BaseException | None) -> Unavailable:
    lines = str(error).strip().splitlines()
    reason = lines[0] if lines else type(error).__name__
    return Unavailable(
        "the database does not answer; try again", code=AWAY, reason=f"the database does not answer: {reason}"
    )


def _set_up_sqlite_writer(connection: Any, _record: Any) -> None:
    connection.isolation_level = None
    for pragma in (
        "journal_mode=WAL",
        "synchronous=FULL",
        "foreign_keys=ON",
        f"busy_timeout={BUSY_TIMEOUT_MS}",
        "trusted_schema=OFF",
        "cache_size=-65536",
        f"wal_autocheckpoint={WAL_AUTOCHECKPOINT_PAGES}",
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
