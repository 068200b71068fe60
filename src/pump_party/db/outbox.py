"""The stored outbox: written in the transaction of the fact, read by the relay and by sockets that catch up.

On Postgres row numbers are not in commit order, so the relay asks for what is unsent and keeps no cursor.
"""

import threading
from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack
from typing import Any

import msgspec
import sqlalchemy as sa

from pump_party.db.engine import Database, Int64, Text, metadata
from pump_party.platform.outbox import OutboxMessage

RELAY_LOCK = 0x52656C61
"""Postgres advisory lock of the one relay that is active."""

PRUNE_PAGE = 2_000

outbox = sa.Table(
    "platform_outbox",
    metadata,
    sa.Column("row_number", Int64, primary_key=True, autoincrement=True),
    sa.Column("channel", Text, nullable=False),
    sa.Column("subject", Text, nullable=False),
    sa.Column("seq", Int64, nullable=False),
    sa.Column("kind", Text, nullable=False),
    sa.Column("payload", Text, nullable=False),
    sa.Column("at_ms", Int64, nullable=False),
    sa.Column("sent_at_ms", Int64),
    sa.UniqueConstraint("subject", "seq", name="platform_outbox_subject_seq"),
    sa.Index(
        "platform_outbox_unsent",
        "row_number",
        sqlite_where=sa.text("sent_at_ms IS NULL"),
        postgresql_where=sa.text("sent_at_ms IS NULL"),
    ),
    sqlite_strict=True,
    sqlite_autoincrement=True,
)

# All subjects in one parameter, so that the statement is the same for any number of them and is compiled once.
# A subquery each: one step in the index, where grouping would read every row of every subject.
_NEWEST_SQLITE = sa.text(
    "SELECT asked.value, (SELECT max(o.seq) FROM platform_outbox o WHERE o.subject = asked.value) "
    "FROM json_each(:subjects) asked"
)
_NEWEST_POSTGRES = sa.text(
    "SELECT asked, (SELECT max(o.seq) FROM platform_outbox o WHERE o.subject = asked) "
    "FROM jsonb_array_elements_text(CAST(:subjects AS jsonb)) asked"
)

_LOCK_ALL = sa.text(
    "SELECT pg_advisory_xact_lock(hashtextextended(asked, 0)) "
    "FROM jsonb_array_elements_text(CAST(:subjects AS jsonb)) asked"
)
"""In the order of the subjects, as every writer of several takes them."""

_MESSAGE = (outbox.c.channel, outbox.c.subject, outbox.c.seq, outbox.c.kind, outbox.c.payload, outbox.c.at_ms)


def append(connection: sa.Connection, messages: Sequence[OutboxMessage]) -> None:
    """Store events whose seq the caller knows. Call `OutboxStore.notify` after the commit."""
    if messages:
        connection.execute(sa.insert(outbox), [_row(message) for message in messages])


def append_next(connection: sa.Connection, *, channel: str, subject: str, kind: str, payload: bytes, at_ms: int) -> int:
    """Store an event under the subject's next seq and return that seq.

    Concurrent writers of one subject queue here until the first has committed.
    """
    if connection.dialect.name == "postgresql":
        connection.execute(sa.text("SELECT pg_advisory_xact_lock(hashtextextended(:s, 0))"), {"s": subject})
    seq = _latest_seq(connection, subject) + 1
    append(connection, [OutboxMessage(channel, subject, seq, kind, msgspec.Raw(payload), at_ms)])
    return seq


def append_all_next(connection: sa.Connection, messages: Sequence[OutboxMessage]) -> None:
    """Store events of many subjects, in order, each under its subject's next seq in the place of its own."""
    if not messages:
        return
    subjects = {"subjects": msgspec.json.encode(sorted({message.subject for message in messages})).decode()}
    is_postgres = connection.dialect.name == "postgresql"
    if is_postgres:
        connection.execute(_LOCK_ALL, subjects)
    newest = connection.execute(_NEWEST_POSTGRES if is_postgres else _NEWEST_SQLITE, subjects)
    seqs = {subject: seq or 0 for subject, seq in newest}
    numbered = []
    for message in messages:
        seqs[message.subject] += 1
        numbered.append(msgspec.structs.replace(message, seq=seqs[message.subject]))
    append(connection, numbered)


def forget(connection: sa.Connection, subjects: Sequence[str]) -> None:
    """Delete all that was ever told of subjects that are no more."""
    connection.execute(sa.delete(outbox).where(outbox.c.subject.in_(subjects)))


class OutboxStore:
    """Implements `platform.outbox.Outbox`. Safe to call from threads."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._wakers: list[Callable[[], object]] = []
        self._leadership = ExitStack()
        self._leading: sa.Connection | None = None
        self._leading_lock = threading.Lock()

    def notify(self) -> None:
        for wake in tuple(self._wakers):
            wake()

    def on_notify(self, wake: Callable[[], object]) -> Callable[[], None]:
        self._wakers.append(wake)
        return lambda: self._wakers.remove(wake)

    def unsent(self, *, limit: int) -> Sequence[tuple[int, OutboxMessage]]:
        query = (
            sa.select(outbox.c.row_number, *_MESSAGE)
            .where(outbox.c.sent_at_ms.is_(None))
            .order_by(outbox.c.row_number)
            .limit(limit)
        )
        with self._database.read() as connection:
            return [(row[0], _message(row[1:])) for row in connection.execute(query)]

    def mark_sent(self, row_numbers: Sequence[int], *, at_ms: int) -> None:
        if not row_numbers:
            return
        mine = outbox.c.row_number.between(sa.bindparam("first"), sa.bindparam("last"))
        with self._database.write() as connection:
            connection.execute(
                sa.update(outbox).where(mine).values(sent_at_ms=at_ms),
                [{"first": first, "last": last} for first, last in _runs(row_numbers)],
            )

    def after(self, subject: str, *, seq: int, limit: int) -> Sequence[OutboxMessage]:
        query = (
            sa.select(*_MESSAGE)
            .where(outbox.c.subject == subject, outbox.c.seq > seq)
            .order_by(outbox.c.seq)
            .limit(limit)
        )
        with self._database.read() as connection:
            return [_message(row) for row in connection.execute(query)]

    def latest_seq(self, subject: str) -> int:
        with self._database.read() as connection:
            return _latest_seq(connection, subject)

    def latest_seqs(self, subjects: Sequence[str]) -> Mapping[str, int]:
        query = _NEWEST_SQLITE if self._database.is_sqlite else _NEWEST_POSTGRES
        with self._database.read() as connection:
            rows = connection.execute(query, {"subjects": msgspec.json.encode(subjects).decode()})
            return {subject: seq for subject, seq in rows if seq is not None}

    def prune(self, *, sent_before_ms: int) -> int:
        newer = outbox.alias("newer")
        is_newest = ~sa.exists().where(newer.c.subject == outbox.c.subject, newer.c.seq > outbox.c.seq)
        last, pruned = 0, 0
        while True:
            page = (
                sa.select(outbox.c.row_number, outbox.c.at_ms, outbox.c.sent_at_ms, is_newest.label("is_newest"))
                .where(outbox.c.row_number > last)
                .order_by(outbox.c.row_number)
                .limit(PRUNE_PAGE)
            )
            with self._database.read() as connection:
                rows = connection.execute(page).all()
            if not rows or rows[0].at_ms >= sent_before_ms:
                return pruned
            last = rows[-1].row_number
            old = [
                row.row_number
                for row in rows
                if row.sent_at_ms is not None and row.sent_at_ms < sent_before_ms and not row.is_newest
            ]
            if old:
                with self._database.write() as connection:
                    connection.execute(sa.delete(outbox).where(outbox.c.row_number.in_(old)))
                pruned += len(old)

    def lead(self) -> bool:
        if self._database.is_sqlite:
            return True
        with self._leading_lock:
            if self._leading is not None and _answers(self._leading):
                return True
            self._release()
            connection = self._leadership.enter_context(self._database.read())
            connection = connection.execution_options(isolation_level="AUTOCOMMIT")
            held = connection.execute(sa.text("SELECT pg_try_advisory_lock(:key)"), {"key": RELAY_LOCK}).scalar_one()
            if held:
                self._leading = connection
            else:
                self._leadership.close()
            return bool(held)

    def stop_leading(self) -> None:
        with self._leading_lock:
            self._release()

    def _release(self) -> None:
        if self._leading is not None:
            # Closing the server connection is what frees the lock, also after a network fault.
            self._leading.invalidate()
            self._leading = None
        self._leadership.close()


def _runs(row_numbers: Sequence[int]) -> list[tuple[int, int]]:
    """Sorted numbers as runs without gaps: a relay's batch is one or few, so marking it is one statement or few."""
    runs: list[tuple[int, int]] = []
    for number in sorted(row_numbers):
        if runs and number == runs[-1][1] + 1:
            runs[-1] = (runs[-1][0], number)
        else:
            runs.append((number, number))
    return runs


def _answers(connection: sa.Connection) -> bool:
    try:
        connection.execute(sa.text("SELECT 1"))
    except sa.exc.DBAPIError:
        return False
    return True


def _latest_seq(connection: sa.Connection, subject: str) -> int:
    query = sa.select(sa.func.max(outbox.c.seq)).where(outbox.c.subject == subject)
    return connection.execute(query).scalar() or 0


def _row(message: OutboxMessage) -> dict[str, Any]:
    return {
        "channel": message.channel,
        "subject": message.subject,
        "seq": message.seq,
        "kind": message.kind,
        "payload": bytes(message.payload).decode(),
        "at_ms": message.at_ms,
    }


def _message(row: Any) -> OutboxMessage:
    channel, subject, seq, kind, payload, at_ms = row
    return OutboxMessage(channel, subject, seq, kind, msgspec.Raw(payload), at_ms)
