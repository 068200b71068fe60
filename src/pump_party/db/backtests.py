"""The table of backtests, then its store. A strategy is only ever written sealed, and only until it was played."""

from collections.abc import Sequence
from typing import Any

import msgspec
import sqlalchemy as sa

from pump_party.db import backtests_gone, jobs
from pump_party.db.backtests_gone import gone
from pump_party.db.engine import Bytes, Database, Int64, Text, metadata
from pump_party.db.idempotency import recall, remember
from pump_party.db.outbox import append_next, forget
from pump_party.domains.backtests.contract import KEPT_PER_USER_MAX, WAITING_PER_USER_MAX
from pump_party.domains.backtests.store import LEASE_MS, Ended, result_place
from pump_party.domains.backtests.views import ENDED, AskedNow, BacktestState, BacktestView, Summary
from pump_party.events.backtests import BacktestChanged
from pump_party.kernel.errors import Conflict
from pump_party.kernel.ids import BacktestId, UserId
from pump_party.platform.bus import BACKTEST_CHANNEL
from pump_party.platform.idempotency import RequestKey
from pump_party.platform.ids import Ids
from pump_party.platform.jobs import Job

KIND = "backtest"

backtests = sa.Table(
    "backtests_runs",
    metadata,
    sa.Column("backtest_id", Text, primary_key=True),
    sa.Column("user_id", Text, nullable=False),
    sa.Column("state", Text, nullable=False),
    sa.Column("view", Bytes, nullable=False),
    sa.Column("sealed", Bytes),
    sa.Column("minutes_done", Int64, nullable=False),
    sa.Column("started_ms", Int64),
    sa.Column("finished_ms", Int64),
    sa.Column("code", Text),
    sa.Column("detail", Text),
    sa.Column("result_hash", Text),
    sa.Column("artifact_sha256", Text),
    sa.Column("summary", Bytes),
    sa.Column("asked", Bytes),
    sa.Index("backtests_runs_user", "user_id", "backtest_id"),
    sqlite_strict=True,
)

_ENDED = sorted(state.value for state in ENDED)
_encode = msgspec.json.encode
_read_view = msgspec.json.Decoder(BacktestView).decode
_read_asked = msgspec.json.Decoder(AskedNow).decode
_read_summary = msgspec.json.Decoder(Summary).decode
_CHANGING = ("minutes_done", "started_ms", "finished_ms", "code", "detail", "result_hash", "artifact_sha256")


class BacktestStore:
    """Implements `domains.backtests.store.BacktestStore`. Safe to call from threads."""

    def __init__(self, database: Database, ids: Ids) -> None:
        self._database = database
        self._ids = ids
        self._jobs = jobs.JobStore(database)

    def add(self, view: BacktestView, sealed: bytes, *, key: str, request_sha256: str) -> BacktestView:
        with self._database.write() as connection:
            self._lock_user(connection, view.user_id)
            request = RequestKey(_scope(view.user_id), key, request_sha256)
            first = recall(connection, request)
            if first is not None:
                return _read_view(first)
            if self._count_unfinished(connection, view.user_id) >= WAITING_PER_USER_MAX:
                raise Conflict(
                    f"{WAITING_PER_USER_MAX} backtests of yours have not ended: wait, or cancel one",
                    code="too_many_backtests",
                )
            body = _encode(view)
            values = {"backtest_id": view.backtest_id, "user_id": view.user_id, "state": view.state.value}
            connection.execute(sa.insert(backtests).values(**values, view=body, sealed=sealed, minutes_done=0))
            jobs.schedule(
                connection, ids=self._ids, kind=KIND, key=view.backtest_id, payload="", run_at_ms=view.created_ms
            )
            remember(connection, request, body, at_ms=view.created_ms)
            self._forget_oldest(connection, view.user_id)
        return view

    def recall(self, user_id: UserId, *, key: str, request_sha256: str) -> BacktestView | None:
        with self._database.read() as connection:
            first = recall(connection, RequestKey(_scope(user_id), key, request_sha256))
        return None if first is None else _read_view(first)

    def find(self, backtest_id: str) -> BacktestView | None:
        with self._database.read() as connection:
            row = connection.execute(sa.select(backtests).where(backtests.c.backtest_id == backtest_id)).one_or_none()
        return None if row is None else _view(row)

    def of_user(self, user_id: UserId) -> Sequence[BacktestView]:
        query = sa.select(backtests).where(backtests.c.user_id == user_id)
        query = query.order_by(backtests.c.backtest_id.desc()).limit(KEPT_PER_USER_MAX + WAITING_PER_USER_MAX)
        with self._database.read() as connection:
            return [_view(row) for row in connection.execute(query)]

    def sealed(self, backtest_id: BacktestId) -> bytes | None:
        with self._database.read() as connection:
            query = sa.select(backtests.c.sealed).where(backtests.c.backtest_id == backtest_id)
            found = connection.execute(query).scalar_one_or_none()
        return None if found is None else bytes(found)

    def cancel(self, backtest_id: BacktestId, *, now_ms: int) -> None:
        with self._database.write() as connection:
            _end(connection, backtest_id, Ended(state=BacktestState.CANCELLED, finished_ms=now_ms))

    def free(self) -> None:
        self._jobs.free(KIND)

    def claim(self, *, now_ms: int) -> Job | None:
        found = self._jobs.claim(KIND, now_ms=now_ms, lease_ms=LEASE_MS, limit=1)
        return found[0] if found else None

    def begin(self, backtest_id: BacktestId, *, now_ms: int) -> None:
        changes = {"state": BacktestState.RUNNING.value, "started_ms": now_ms, "minutes_done": 0}
        with self._database.write() as connection:
            _change(connection, backtest_id, changes, at_ms=now_ms)

    def progress(self, job: Job, *, minutes_done: int, now_ms: int) -> bool:
        done = sa.select(backtests.c.minutes_done)
        done = done.where(backtests.c.backtest_id == job.key, backtests.c.state.not_in(_ENDED))
        with self._database.write() as connection:
            jobs.extend(connection, job, lease_until_ms=now_ms + LEASE_MS)
            known = connection.execute(done).scalar_one_or_none()
            if known == minutes_done:
                return True
            return _change(connection, job.key, {"minutes_done": minutes_done}, at_ms=now_ms)

    def finish(self, job: Job, ended: Ended) -> None:
        with self._database.write() as connection:
            if not _end(connection, job.key, ended) and ended.artifact_sha256 is not None:
                backtests_gone.note(self._database, connection, [result_place(job.key, ended.artifact_sha256)])
            jobs.complete(connection, job)

    def gone(self, *, limit: int) -> Sequence[str]:
        with self._database.read() as connection:
            return connection.execute(sa.select(gone.c.place).limit(limit)).scalars().all()

    def forget_gone(self, places: Sequence[str]) -> None:
        with self._database.write() as connection:
            connection.execute(sa.delete(gone).where(gone.c.place.in_(places)))

    def _lock_user(self, connection: sa.Connection, user_id: UserId) -> None:
        # SQLite has one writer at a time.
        if not self._database.is_sqlite:
            lock = sa.text("SELECT pg_advisory_xact_lock(hashtextextended(:owner, 0))")
            connection.execute(lock, {"owner": f"backtests:{user_id}"})

    def _count_unfinished(self, connection: sa.Connection, user_id: UserId) -> int:
        query = sa.select(sa.func.count()).select_from(backtests)
        query = query.where(backtests.c.user_id == user_id, backtests.c.state.not_in(_ENDED))
        return int(connection.execute(query).scalar_one())

    def _forget_oldest(self, connection: sa.Connection, user_id: UserId) -> None:
        named = sa.select(backtests.c.backtest_id, backtests.c.artifact_sha256)
        ended = named.where(backtests.c.user_id == user_id, backtests.c.state.in_(_ENDED))
        old = connection.execute(ended.order_by(backtests.c.backtest_id.desc()).offset(KEPT_PER_USER_MAX)).all()
        ids = [row.backtest_id for row in old]
        connection.execute(sa.delete(backtests).where(backtests.c.backtest_id.in_(ids)))
        forget(connection, ids)
        results = {row.artifact_sha256 for row in old} - {None}
        # Earlier releases kept a result under its hash alone, for all that had the same.
        same = sa.select(backtests.c.artifact_sha256).where(backtests.c.artifact_sha256.in_(results))
        shared = results - set(connection.execute(same).scalars())
        own = {result_place(row.backtest_id, row.artifact_sha256) for row in old if row.artifact_sha256 is not None}
        backtests_gone.note(self._database, connection, own | shared)


def _change(connection: sa.Connection, backtest_id: str, changes: dict[str, Any], *, at_ms: int) -> bool:
    """Change one that has not ended and tell its followers. False when it has."""
    mine = backtests.c.backtest_id == backtest_id
    changed = connection.execute(sa.update(backtests).where(mine, backtests.c.state.not_in(_ENDED)).values(**changes))
    if changed.rowcount == 0:
        return False
    view = _view(connection.execute(sa.select(backtests).where(mine)).one())
    event = BacktestChanged(view.backtest_id, view.user_id, msgspec.Raw(_encode(view)), at_ms)
    append_next(
        connection,
        channel=BACKTEST_CHANNEL,
        subject=view.backtest_id,
        kind=event.KIND,
        payload=_encode(event),
        at_ms=at_ms,
    )
    return True


def _end(connection: sa.Connection, backtest_id: str, ended: Ended) -> bool:
    """The first end counts. The sealed strategy is needed no more. False when it had ended."""
    values = {
        "state": ended.state.value,
        "finished_ms": ended.finished_ms,
        "code": ended.code,
        "detail": ended.detail,
        "result_hash": ended.result_hash,
        "artifact_sha256": ended.artifact_sha256,
        "summary": None if ended.summary is None else _encode(ended.summary),
        "asked": None if ended.asked is None else _encode(ended.asked),
        "sealed": None,
    }
    return _change(connection, backtest_id, values, at_ms=ended.finished_ms)


def _view(row: Any) -> BacktestView:
    view = _read_view(bytes(row.view))
    changed = {name: getattr(row, name) for name in _CHANGING}
    if row.state == BacktestState.DONE:
        changed["minutes_done"] = view.minutes
    return msgspec.structs.replace(
        view,
        **changed,
        state=BacktestState(row.state),
        summary=None if row.summary is None else _read_summary(bytes(row.summary)),
        asked=None if row.asked is None else _read_asked(bytes(row.asked)),
    )


def _scope(user_id: UserId) -> str:
    return f"{user_id}/backtests"
