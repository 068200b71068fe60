"""Tables of users, then their store. Only hashes of tokens and keys are ever written."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import msgspec
import sqlalchemy as sa

from pump_party.db import idempotency
from pump_party.db.engine import Bytes, Database, Int64, Text, metadata
from pump_party.db.outbox import append_next
from pump_party.domains.users.contract import ChallengePurpose, Scope
from pump_party.domains.users.model import ApiKey, Challenge, Session, User, Wallet
from pump_party.events.users import SessionsRevoked
from pump_party.kernel.ids import CloneId
from pump_party.platform.bus import SESSION_CHANNEL
from pump_party.platform.idempotency import RequestKey

users = sa.Table(
    "users_users",
    metadata,
    sa.Column("user_id", Text, primary_key=True),
    sa.Column("created_at_ms", Int64, nullable=False),
    sqlite_strict=True,
)

wallets = sa.Table(
    "users_wallets",
    metadata,
    sa.Column("wallet_id", Text, primary_key=True),
    sa.Column("user_id", Text, sa.ForeignKey("users_users.user_id"), nullable=False),
    sa.Column("identity", Text, nullable=False, unique=True),
    sa.Column("chain", Text, nullable=False),
    sa.Column("address", Text, nullable=False),
    sa.Column("linked_at_ms", Int64, nullable=False),
    sa.Index("users_wallets_user", "user_id"),
    sqlite_strict=True,
)

challenges = sa.Table(
    "users_challenges",
    metadata,
    sa.Column("challenge_id", Text, primary_key=True),
    sa.Column("purpose", Text, nullable=False),
    sa.Column("user_id", Text),
    sa.Column("chain", Text, nullable=False),
    sa.Column("address", Text, nullable=False),
    sa.Column("message", Text, nullable=False),
    sa.Column("issued_at_ms", Int64, nullable=False),
    sa.Column("expires_at_ms", Int64, nullable=False),
    sa.Column("used_at_ms", Int64),
    sa.Index("users_challenges_address", "address", "issued_at_ms"),
    sa.Index("users_challenges_expiry", "expires_at_ms"),
    sqlite_strict=True,
)

sessions = sa.Table(
    "users_sessions",
    metadata,
    sa.Column("session_id", Text, primary_key=True),
    sa.Column("user_id", Text, sa.ForeignKey("users_users.user_id"), nullable=False),
    sa.Column("wallet_id", Text, sa.ForeignKey("users_wallets.wallet_id"), nullable=False),
    sa.Column("token_sha256", Bytes, nullable=False, unique=True),
    sa.Column("user_agent", Text, nullable=False),
    sa.Column("created_at_ms", Int64, nullable=False),
    sa.Column("last_seen_ms", Int64, nullable=False),
    sa.Column("expires_at_ms", Int64, nullable=False),
    sa.Column("ends_at_ms", Int64, nullable=False),
    sa.Index("users_sessions_user", "user_id", "created_at_ms"),
    sa.Index("users_sessions_expiry", "expires_at_ms"),
    sqlite_strict=True,
)

api_keys = sa.Table(
    "users_api_keys",
    metadata,
    sa.Column("api_key_id", Text, primary_key=True),
    sa.Column("user_id", Text, sa.ForeignKey("users_users.user_id"), nullable=False),
    sa.Column("name", Text, nullable=False),
    sa.Column("scopes", Text, nullable=False),
    sa.Column("prefix", Text, nullable=False),
    sa.Column("key_sha256", Bytes, nullable=False, unique=True),
    sa.Column("created_at_ms", Int64, nullable=False),
    sa.Column("last_used_ms", Int64),
    sa.Index("users_api_keys_user", "user_id"),
    sqlite_strict=True,
)

# Asked by every request: built once, since building a statement costs more than running it.
_SESSION_BY_TOKEN = sa.select(sessions).where(sessions.c.token_sha256 == sa.bindparam("token_sha256"))
_CLONE = ":"
_API_KEY_BY_KEY = sa.select(api_keys).where(api_keys.c.key_sha256 == sa.bindparam("key_sha256"))


class UserTransaction:
    """Implements `domains.users.store.Transaction` on one open connection."""

    def __init__(self, database: Database, connection: sa.Connection) -> None:
        self._database = database
        self._connection = connection

    def lock_user(self, user_id: str) -> bool:
        # SQLite has one writer at a time and ignores FOR UPDATE.
        query = sa.select(users.c.user_id).where(users.c.user_id == user_id).with_for_update()
        return self._connection.execute(query).first() is not None

    def add_user(self, user: User) -> None:
        self._connection.execute(sa.insert(users).values(msgspec.structs.asdict(user)))

    def remove_user(self, user_id: str) -> None:
        self._connection.execute(sa.delete(users).where(users.c.user_id == user_id))

    def find_wallet(self, identity: str) -> Wallet | None:
        row = self._connection.execute(sa.select(wallets).where(wallets.c.identity == identity)).one_or_none()
        return None if row is None else Wallet(**row._mapping)

    def add_wallet(self, wallet: Wallet) -> Wallet:
        insert = self._database.insert(wallets)
        self._connection.execute(insert.values(msgspec.structs.asdict(wallet)).on_conflict_do_nothing())
        standing = self.find_wallet(wallet.identity)
        assert standing is not None
        return standing

    def count_wallets(self, user_id: str) -> int:
        return self._count(wallets, user_id)

    def add_session(self, session: Session) -> None:
        self._connection.execute(sa.insert(sessions).values(msgspec.structs.asdict(session)))

    def keep_newest_sessions(self, user_id: str, *, count: int) -> Sequence[str]:
        newest = (
            sa.select(sessions.c.session_id)
            .where(sessions.c.user_id == user_id)
            .order_by(sessions.c.created_at_ms.desc(), sessions.c.session_id.desc())
            .limit(count)
        )
        return self._delete_sessions(sessions.c.user_id == user_id, sessions.c.session_id.not_in(newest))

    def delete_sessions(self, user_id: str, *, session_id: str | None = None) -> Sequence[str]:
        one = [] if session_id is None else [sessions.c.session_id == session_id]
        return self._delete_sessions(sessions.c.user_id == user_id, *one)

    def _delete_sessions(self, *conditions: sa.ColumnElement[bool]) -> Sequence[str]:
        delete = sa.delete(sessions).where(*conditions).returning(sessions.c.session_id)
        return sorted(self._connection.execute(delete).scalars())

    def add_api_key(self, key: ApiKey) -> None:
        row = msgspec.structs.asdict(key) | {"scopes": _scopes_text(key)}
        del row["clone_id"]
        self._connection.execute(sa.insert(api_keys).values(row))

    def count_api_keys(self, user_id: str) -> int:
        return self._count(api_keys, user_id)

    def delete_api_key(self, user_id: str, api_key_id: str) -> bool:
        delete = sa.delete(api_keys).where(api_keys.c.user_id == user_id, api_keys.c.api_key_id == api_key_id)
        return self._connection.execute(delete).rowcount == 1

    def recall(self, request: RequestKey) -> bytes | None:
        return idempotency.recall(self._connection, request)

    def remember(self, request: RequestKey, response: bytes, *, at_ms: int) -> None:
        idempotency.remember(self._connection, request, response, at_ms=at_ms)

    def publish(self, event: SessionsRevoked) -> None:
        append_next(
            self._connection,
            channel=SESSION_CHANNEL,
            subject=event.user_id,
            kind=event.KIND,
            payload=msgspec.json.encode(event),
            at_ms=event.at_ms,
        )

    def _count(self, table: sa.Table, user_id: str) -> int:
        query = sa.select(sa.func.count()).select_from(table).where(table.c.user_id == user_id)
        return int(self._connection.execute(query).scalar_one())


class UserStore:
    """Implements `domains.users.store.Store`. Safe to call from threads."""

    def __init__(self, database: Database) -> None:
        self._database = database

    @contextmanager
    def transaction(self) -> Iterator[UserTransaction]:
        with self._database.write() as connection:
            yield UserTransaction(self._database, connection)

    def add_challenge(self, challenge: Challenge, *, kept_per_wallet: int) -> None:
        newest = (
            sa.select(challenges.c.challenge_id)
            .where(challenges.c.address == challenge.address)
            .order_by(challenges.c.issued_at_ms.desc(), challenges.c.challenge_id.desc())
            .limit(kept_per_wallet - 1)
        )
        older = sa.delete(challenges).where(
            challenges.c.address == challenge.address, challenges.c.challenge_id.not_in(newest)
        )
        with self._database.write() as connection:
            connection.execute(older)
            connection.execute(sa.insert(challenges).values(msgspec.structs.asdict(challenge)))

    def find_challenge(self, challenge_id: str) -> Challenge | None:
        row = self._one(sa.select(challenges).where(challenges.c.challenge_id == challenge_id))
        return None if row is None else Challenge(**row | {"purpose": ChallengePurpose(row["purpose"])})

    def spend_challenge(
        self, challenge_id: str, *, purpose: ChallengePurpose, user_id: str | None, now_ms: int
    ) -> bool:
        spend = (
            sa.update(challenges)
            .where(
                challenges.c.challenge_id == challenge_id,
                challenges.c.purpose == purpose,
                challenges.c.user_id.is_not_distinct_from(user_id),
                challenges.c.used_at_ms.is_(None),
                challenges.c.expires_at_ms > now_ms,
            )
            .values(used_at_ms=now_ms)
        )
        with self._database.write() as connection:
            return connection.execute(spend).rowcount == 1

    def find_session(self, token_sha256: bytes) -> Session | None:
        row = self._one(_SESSION_BY_TOKEN, token_sha256=token_sha256)
        return None if row is None else Session(**row)

    def touch_session(self, session_id: str, *, seen_ms: int, expires_at_ms: int) -> None:
        touch = (
            sa.update(sessions)
            .where(sessions.c.session_id == session_id, sessions.c.last_seen_ms < seen_ms)
            .values(last_seen_ms=seen_ms, expires_at_ms=expires_at_ms)
        )
        with self._database.write() as connection:
            connection.execute(touch)

    def list_sessions(self, user_id: str, *, now_ms: int) -> Sequence[tuple[Session, str]]:
        query = (
            sa.select(sessions, wallets.c.address.label("wallet_address"))
            .join_from(sessions, wallets, sessions.c.wallet_id == wallets.c.wallet_id)
            .where(sessions.c.user_id == user_id, sessions.c.expires_at_ms > now_ms)
            .order_by(sessions.c.created_at_ms.desc(), sessions.c.session_id.desc())
        )
        rows = [(dict(row), row["wallet_address"]) for row in self._all(query)]
        return [(Session(**{name: row[name] for name in Session.__struct_fields__}), address) for row, address in rows]

    def has_session(self, session_id: str, *, now_ms: int) -> bool:
        query = sa.select(sessions.c.session_id).where(
            sessions.c.session_id == session_id, sessions.c.expires_at_ms > now_ms
        )
        return self._one(query) is not None

    def find_api_key(self, key_sha256: bytes) -> ApiKey | None:
        row = self._one(_API_KEY_BY_KEY, key_sha256=key_sha256)
        return None if row is None else _api_key(row)

    def touch_api_key(self, api_key_id: str, *, used_ms: int) -> None:
        with self._database.write() as connection:
            connection.execute(
                sa.update(api_keys).where(api_keys.c.api_key_id == api_key_id).values(last_used_ms=used_ms)
            )

    def list_api_keys(self, user_id: str) -> Sequence[ApiKey]:
        query = (
            sa.select(api_keys)
            .where(api_keys.c.user_id == user_id)
            .order_by(api_keys.c.created_at_ms.desc(), api_keys.c.api_key_id.desc())
        )
        return [_api_key(row) for row in self._all(query)]

    def has_api_key(self, api_key_id: str) -> bool:
        return self._one(sa.select(api_keys.c.api_key_id).where(api_keys.c.api_key_id == api_key_id)) is not None

    def find_user(self, user_id: str) -> User | None:
        row = self._one(sa.select(users).where(users.c.user_id == user_id))
        return None if row is None else User(**row)

    def list_wallets(self, user_id: str) -> Sequence[Wallet]:
        query = sa.select(wallets).where(wallets.c.user_id == user_id).order_by(wallets.c.wallet_id)
        return [Wallet(**row) for row in self._all(query)]

    def prune(self, *, challenges_before_ms: int, sessions_before_ms: int, limit: int) -> int:
        old_challenges = _expired(challenges.c.challenge_id, challenges.c.expires_at_ms, challenges_before_ms, limit)
        old_sessions = _expired(sessions.c.session_id, sessions.c.expires_at_ms, sessions_before_ms, limit)
        with self._database.write() as connection:
            return sum(connection.execute(delete).rowcount for delete in (old_challenges, old_sessions))

    def _one(self, query: sa.Select[Any], **values: object) -> dict[str, Any] | None:
        with self._database.read() as connection:
            row = connection.execute(query, values).mappings().one_or_none()
            return None if row is None else {str(name): value for name, value in row.items()}

    def _all(self, query: sa.Select[Any]) -> list[dict[str, Any]]:
        with self._database.read() as connection:
            return [{str(name): value for name, value in row.items()} for row in connection.execute(query).mappings()]


def _expired(key: sa.Column[Any], expires_at_ms: sa.Column[Any], before_ms: int, limit: int) -> sa.Delete:
    """Delete in batches, so that the database's writer is never held for long."""
    chosen = sa.select(key).where(expires_at_ms <= before_ms).limit(limit)
    return sa.delete(key.table).where(key.in_(chosen))


def _api_key(row: dict[str, Any]) -> ApiKey:
    texts, _, clone_id = row["scopes"].partition(_CLONE)
    scopes = tuple([Scope(text) for text in texts.split()])
    return ApiKey(**row | {"scopes": scopes, "clone_id": CloneId(clone_id) if clone_id else None})


def _scopes_text(key: ApiKey) -> str:
    """The scopes of a key; where it is for one clone, with that clone behind a colon."""
    scopes = " ".join(key.scopes)
    return scopes if key.clone_id is None else f"{scopes}{_CLONE}{key.clone_id}"
