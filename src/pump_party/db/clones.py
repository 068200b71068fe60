"""Tables of clones, then their store. Strategies, layouts and salts are only ever written sealed."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

import msgspec
import sqlalchemy as sa

from pump_party.db import idempotency
from pump_party.db.engine import Bytes, Database, Int64, Text, metadata
from pump_party.db.outbox import append_next
from pump_party.domains.clones.model import (
    Clone,
    Decision,
    Draft,
    Hidden,
    Report,
    Reported,
    SealedKey,
    SealedVersion,
    Version,
)
from pump_party.events.clones import CloneProfileChanged, ClonePublished
from pump_party.kernel.ids import CloneId, UserId
from pump_party.platform.bus import CLONE_CHANNEL
from pump_party.platform.idempotency import RequestKey

IDS_AT_ONCE = 1_000
"""Ids in one statement."""

clones = sa.Table(
    "clones_clones",
    metadata,
    sa.Column("clone_id", Text, primary_key=True),
    sa.Column("user_id", Text, nullable=False),
    sa.Column("name", Text, nullable=False),
    sa.Column("name_key", Text, nullable=False, unique=True),
    sa.Column("bio", Text, nullable=False),
    sa.Column("avatar_seed", Int64, nullable=False),
    sa.Column("version", Int64, nullable=False),
    sa.Column("hidden_reason", Text),
    sa.Column("hidden_ms", Int64),
    sa.Column("created_ms", Int64, nullable=False),
    sa.Column("updated_ms", Int64, nullable=False),
    sa.Column("key_id", Text, nullable=False),
    sa.Column("wrapped_key", Bytes, nullable=False),
    sa.Index("clones_clones_user", "user_id", "clone_id"),
    sqlite_strict=True,
)

drafts = sa.Table(
    "clones_drafts",
    metadata,
    sa.Column("clone_id", Text, sa.ForeignKey("clones_clones.clone_id"), primary_key=True),
    sa.Column("base_version", Int64),
    sa.Column("revision", Int64, nullable=False),
    sa.Column("sealed", Bytes, nullable=False),
    sa.Column("saved_ms", Int64, nullable=False),
    sqlite_strict=True,
)

versions = sa.Table(
    "clones_versions",
    metadata,
    sa.Column("version_id", Text, primary_key=True),
    sa.Column("clone_id", Text, sa.ForeignKey("clones_clones.clone_id"), nullable=False),
    sa.Column("number", Int64, nullable=False),
    sa.Column("sha256", Text, nullable=False),
    sa.Column("commitment", Text, nullable=False),
    sa.Column("sealed", Bytes, nullable=False),
    sa.Column("published_ms", Int64, nullable=False),
    sa.UniqueConstraint("clone_id", "number"),
    sqlite_strict=True,
)

reveals = sa.Table(
    "clones_reveals",
    metadata,
    sa.Column("version_id", Text, sa.ForeignKey("clones_versions.version_id"), primary_key=True),
    sa.Column("revealed_ms", Int64, nullable=False),
    sqlite_strict=True,
)

reports = sa.Table(
    "clones_reports",
    metadata,
    sa.Column("clone_id", Text, sa.ForeignKey("clones_clones.clone_id"), primary_key=True),
    sa.Column("user_id", Text, primary_key=True),
    sa.Column("reason", Text, nullable=False),
    sa.Column("at_ms", Int64, nullable=False),
    sa.Column("decision_id", Text),
    sa.Index("clones_reports_user", "user_id"),
    sqlite_strict=True,
)

decisions = sa.Table(
    "clones_decisions",
    metadata,
    sa.Column("decision_id", Text, primary_key=True),
    sa.Column("clone_id", Text, sa.ForeignKey("clones_clones.clone_id"), nullable=False),
    sa.Column("action", Text, nullable=False),
    sa.Column("operator", Text, nullable=False),
    sa.Column("reason", Text, nullable=False),
    sa.Column("at_ms", Int64, nullable=False),
    sqlite_strict=True,
)

_VERSION = (
    versions.c.version_id,
    versions.c.clone_id,
    versions.c.number,
    versions.c.sha256,
    versions.c.commitment,
    versions.c.published_ms,
    reveals.c.revealed_ms,
)
_VERSIONS = sa.select(*_VERSION).join_from(versions, reveals, isouter=True)
_SEALED_VERSIONS = sa.select(*_VERSION, versions.c.sealed).join_from(versions, reveals, isouter=True)

# Asked for every clone of a slot: built once, since building a statement costs more than running it.
_TO_RUN = (
    sa.select(*_VERSION, versions.c.sealed, *(column.label(f"clone_{column.name}") for column in clones.c))
    .join_from(versions, clones)
    .join(reveals, isouter=True, onclause=reveals.c.version_id == versions.c.version_id)
    .where(versions.c.version_id == sa.bindparam("version_id"))
)


class CloneTransaction:
    """Implements `domains.clones.store.Transaction` on one open connection."""

    def __init__(self, database: Database, connection: sa.Connection) -> None:
        self._database = database
        self._connection = connection

    def lock_owner(self, user_id: UserId) -> None:
        # SQLite has one writer at a time.
        if not self._database.is_sqlite:
            lock = sa.text("SELECT pg_advisory_xact_lock(hashtextextended(:owner, 0))")
            self._connection.execute(lock, {"owner": f"clones:{user_id}"})

    def count_clones(self, user_id: UserId) -> int:
        query = sa.select(sa.func.count()).select_from(clones).where(clones.c.user_id == user_id)
        return int(self._connection.execute(query).scalar_one())

    def add_clone(self, clone: Clone, key: SealedKey) -> bool:
        insert = self._database.insert(clones).values(_clone_row(clone) | _key_row(key))
        insert = insert.on_conflict_do_nothing(index_elements=["name_key"]).returning(clones.c.clone_id)
        return self._connection.execute(insert).first() is not None

    def lock_clone(self, clone_id: str) -> tuple[Clone, SealedKey] | None:
        # SQLite ignores FOR UPDATE.
        query = sa.select(clones).where(clones.c.clone_id == clone_id).with_for_update()
        row = self._connection.execute(query).mappings().one_or_none()
        return None if row is None else (_clone(row), _key(row))

    def rename(self, clone: Clone) -> bool:
        values = {name: getattr(clone, name) for name in ("name", "name_key", "bio", "updated_ms")}
        try:
            with self._connection.begin_nested():
                self._connection.execute(sa.update(clones).where(clones.c.clone_id == clone.clone_id).values(values))
        except sa.exc.IntegrityError:
            return False
        return True

    def set_hidden(self, clone: Clone, decision: Decision) -> None:
        self._connection.execute(sa.insert(decisions).values(msgspec.structs.asdict(decision)))
        hidden = {name: value for name, value in _clone_row(clone).items() if name.startswith("hidden_")}
        self._connection.execute(sa.update(clones).where(clones.c.clone_id == clone.clone_id).values(hidden))
        undecided = sa.update(reports).where(reports.c.clone_id == clone.clone_id, reports.c.decision_id.is_(None))
        self._connection.execute(undecided.values(decision_id=decision.decision_id))

    def find_draft(self, clone_id: CloneId) -> Draft | None:
        return _find_draft(self._connection, clone_id)

    def put_draft(self, draft: Draft) -> None:
        insert = self._database.insert(drafts).values(msgspec.structs.asdict(draft))
        changed = {name: insert.excluded[name] for name in ("base_version", "revision", "sealed", "saved_ms")}
        self._connection.execute(insert.on_conflict_do_update(index_elements=["clone_id"], set_=changed))

    def newest_version(self, clone_id: CloneId) -> Version | None:
        query = _VERSIONS.where(versions.c.clone_id == clone_id).order_by(versions.c.number.desc()).limit(1)
        row = self._connection.execute(query).mappings().one_or_none()
        return None if row is None else Version(**row)

    def add_version(self, version: Version, sealed: bytes) -> None:
        row = msgspec.structs.asdict(version) | {"sealed": sealed}
        del row["revealed_ms"]
        self._connection.execute(sa.insert(versions).values(row))
        newest = sa.update(clones).where(clones.c.clone_id == version.clone_id).values(version=version.number)
        self._connection.execute(newest)

    def reveal(self, version: Version, *, at_ms: int) -> None:
        insert = self._database.insert(reveals).values(version_id=version.version_id, revealed_ms=at_ms)
        self._connection.execute(insert.on_conflict_do_nothing())

    def count_open_reports(self, user_id: UserId, *, besides: CloneId) -> int:
        query = (
            sa.select(sa.func.count())
            .select_from(reports)
            .where(reports.c.user_id == user_id, reports.c.decision_id.is_(None), reports.c.clone_id != besides)
        )
        return int(self._connection.execute(query).scalar_one())

    def put_report(self, report: Report) -> None:
        row = msgspec.structs.asdict(report) | {"decision_id": None}
        insert = self._database.insert(reports).values(row)
        changed = {name: insert.excluded[name] for name in ("reason", "at_ms", "decision_id")}
        self._connection.execute(insert.on_conflict_do_update(index_elements=["clone_id", "user_id"], set_=changed))

    def rewrap(self, clone_id: CloneId, *, before: SealedKey, after: SealedKey) -> None:
        standing = sa.update(clones).where(clones.c.clone_id == clone_id, clones.c.wrapped_key == before.wrapped)
        self._connection.execute(standing.values(_key_row(after)))

    def recall(self, request: RequestKey) -> bytes | None:
        return idempotency.recall(self._connection, request)

    def remember(self, request: RequestKey, response: bytes, *, at_ms: int) -> None:
        idempotency.remember(self._connection, request, response, at_ms=at_ms)

    def publish(self, event: ClonePublished | CloneProfileChanged) -> None:
        append_next(
            self._connection,
            channel=CLONE_CHANNEL,
            subject=event.clone_id,
            kind=event.KIND,
            payload=msgspec.json.encode(event),
            at_ms=event.at_ms,
        )


class CloneStore:
    """Implements `domains.clones.store.Store`. Safe to call from threads."""

    def __init__(self, database: Database) -> None:
        self._database = database

    @contextmanager
    def transaction(self) -> Iterator[CloneTransaction]:
        with self._database.write() as connection:
            yield CloneTransaction(self._database, connection)

    def find_clone(self, clone_id: str) -> Clone | None:
        found = self._all(sa.select(clones).where(clones.c.clone_id == clone_id))
        return _clone(found[0]) if found else None

    def find_clones(self, clone_ids: Sequence[CloneId]) -> Sequence[Clone]:
        return [_clone(row) for row in self._all(sa.select(clones).where(clones.c.clone_id.in_(clone_ids)))]

    def list_clones(self, user_id: UserId) -> Sequence[Clone]:
        query = sa.select(clones).where(clones.c.user_id == user_id).order_by(clones.c.clone_id.desc())
        return [_clone(row) for row in self._all(query)]

    def list_public(self, *, before: str | None, limit: int) -> Sequence[Clone]:
        query = sa.select(clones).where(clones.c.version > 0, clones.c.hidden_ms.is_(None))
        if before is not None:
            query = query.where(clones.c.clone_id < before)
        return [_clone(row) for row in self._all(query.order_by(clones.c.clone_id.desc()).limit(limit))]

    def find_key(self, clone_id: CloneId) -> SealedKey:
        (row,) = self._all(sa.select(clones.c.key_id, clones.c.wrapped_key).where(clones.c.clone_id == clone_id))
        return _key(row)

    def find_keys(self, clone_ids: Sequence[CloneId]) -> Mapping[CloneId, tuple[Clone, SealedKey]]:
        found: dict[CloneId, tuple[Clone, SealedKey]] = {}
        for first in range(0, len(clone_ids), IDS_AT_ONCE):
            page = clone_ids[first : first + IDS_AT_ONCE]
            rows = self._all(sa.select(clones).where(clones.c.clone_id.in_(page)))
            found |= {row["clone_id"]: (_clone(row), _key(row)) for row in rows}
        return found

    def newest_keys(self, *, limit: int) -> Sequence[tuple[Clone, SealedKey]]:
        found = self._all(sa.select(clones).order_by(clones.c.clone_id.desc()).limit(limit))
        return [(_clone(row), _key(row)) for row in found]

    def list_keys(self, *, after: str, limit: int) -> Sequence[tuple[Clone, SealedKey]]:
        query = sa.select(clones).where(clones.c.clone_id > after).order_by(clones.c.clone_id).limit(limit)
        return [(_clone(row), _key(row)) for row in self._all(query)]

    def count_keys(self) -> Mapping[str, int]:
        query = sa.select(clones.c.key_id, sa.func.count().label("count")).group_by(clones.c.key_id)
        return {row["key_id"]: int(row["count"]) for row in self._all(query)}

    def find_draft(self, clone_id: CloneId) -> Draft | None:
        with self._database.read() as connection:
            return _find_draft(connection, clone_id)

    def draft_revisions(self, clone_ids: Sequence[CloneId]) -> Mapping[CloneId, int]:
        query = sa.select(drafts.c.clone_id, drafts.c.revision).where(drafts.c.clone_id.in_(clone_ids))
        return {row["clone_id"]: row["revision"] for row in self._all(query)}

    def newest_versions(self, clone_ids: Sequence[CloneId]) -> Mapping[CloneId, Version]:
        newest = sa.and_(versions.c.clone_id == clones.c.clone_id, versions.c.number == clones.c.version)
        query = _VERSIONS.join(clones, newest).where(clones.c.clone_id.in_(clone_ids))
        return {row["clone_id"]: Version(**row) for row in self._all(query)}

    def list_versions(self, clone_id: CloneId) -> Sequence[Version]:
        query = _VERSIONS.where(versions.c.clone_id == clone_id).order_by(versions.c.number.desc())
        return [Version(**row) for row in self._all(query)]

    def find_version(self, clone_id: CloneId, number: int) -> tuple[Version, bytes] | None:
        mine = sa.and_(versions.c.clone_id == clone_id, versions.c.number == number)
        found = self._all(_SEALED_VERSIONS.where(mine))
        if not found:
            return None
        sealed = bytes(found[0].pop("sealed"))
        return Version(**found[0]), sealed

    def find_to_run(self, version_id: str) -> SealedVersion | None:
        with self._database.read() as connection:
            found = connection.execute(_TO_RUN, {"version_id": version_id}).one_or_none()
        if found is None:
            return None
        version = Version(*found[: len(_VERSION)])
        row = found._mapping
        return SealedVersion(_clone(row, prefix="clone_"), _key(row, prefix="clone_"), version, bytes(row["sealed"]))

    def list_reported(self, *, limit: int) -> Sequence[Reported]:
        waiting = (
            sa.select(
                reports.c.clone_id, sa.func.count().label("reports"), sa.func.max(reports.c.at_ms).label("newest_ms")
            )
            .where(reports.c.decision_id.is_(None))
            .group_by(reports.c.clone_id)
            .subquery()
        )
        newest = sa.and_(reports.c.clone_id == waiting.c.clone_id, reports.c.at_ms == waiting.c.newest_ms)
        reason = sa.select(sa.func.max(reports.c.reason)).where(newest).scalar_subquery().label("reason")
        query = (
            sa.select(clones, waiting.c.reports, waiting.c.newest_ms, reason)
            .join_from(clones, waiting, clones.c.clone_id == waiting.c.clone_id)
            .order_by(waiting.c.reports.desc(), waiting.c.newest_ms.desc(), clones.c.clone_id)
            .limit(limit)
        )
        return [Reported(_clone(row), row["reports"], row["reason"], row["newest_ms"]) for row in self._all(query)]

    def _all(self, query: sa.Select[Any]) -> list[dict[str, Any]]:
        with self._database.read() as connection:
            return [{str(name): value for name, value in row.items()} for row in connection.execute(query).mappings()]


def _find_draft(connection: sa.Connection, clone_id: CloneId) -> Draft | None:
    row = connection.execute(sa.select(drafts).where(drafts.c.clone_id == clone_id)).mappings().one_or_none()
    return None if row is None else Draft(**{**row, "sealed": bytes(row["sealed"])})


def _clone_row(clone: Clone) -> dict[str, Any]:
    row = msgspec.structs.asdict(clone)
    hidden = row.pop("hidden")
    return row | {
        "hidden_reason": None if hidden is None else hidden.reason,
        "hidden_ms": None if hidden is None else hidden.at_ms,
    }


def _clone(row: Mapping[Any, Any], *, prefix: str = "") -> Clone:
    hidden_ms = row[f"{prefix}hidden_ms"]
    hidden = None if hidden_ms is None else Hidden(row[f"{prefix}hidden_reason"], hidden_ms)
    plain = {name: row[f"{prefix}{name}"] for name in Clone.__struct_fields__ if name != "hidden"}
    return Clone(**plain, hidden=hidden)


def _key_row(key: SealedKey) -> dict[str, Any]:
    return {"key_id": key.key_id, "wrapped_key": key.wrapped}


def _key(row: Mapping[Any, Any], *, prefix: str = "") -> SealedKey:
    return SealedKey(row[f"{prefix}key_id"], bytes(row[f"{prefix}wrapped_key"]))
