"""First answers, kept under the caller's key in the transaction of the effect, so that a repeat changes nothing."""

from collections.abc import Callable, Sequence

import msgspec
import sqlalchemy as sa

from pump_party.db.engine import Bytes, Database, Int64, Text, metadata
from pump_party.kernel.errors import IdempotencyMismatch
from pump_party.platform.idempotency import RequestKey

CONCURRENT_FIRST_USES_MAX = 3

records = sa.Table(
    "platform_idempotency",
    metadata,
    sa.Column("scope", Text, primary_key=True),
    sa.Column("key", Text, primary_key=True),
    sa.Column("request_sha256", Text, nullable=False),
    sa.Column("response", Bytes, nullable=False),
    sa.Column("at_ms", Int64, nullable=False),
    sa.Index("platform_idempotency_at", "at_ms"),
    sqlite_strict=True,
)


class AnswerStore:
    """Implements `platform.idempotency.Answers`."""

    def __init__(self, database: Database, *, kept: Sequence[str] = ()) -> None:
        """Answers whose scope ends with one of `kept` are never deleted."""
        self._database = database
        self._others = [~records.c.scope.endswith(end) for end in kept]

    def prune(self, *, before_ms: int, limit: int) -> int:
        mine = sa.tuple_(records.c.scope, records.c.key)
        old = sa.select(records.c.scope, records.c.key).where(records.c.at_ms < before_ms, *self._others)
        with self._database.write() as connection:
            return connection.execute(sa.delete(records).where(mine.in_(old.limit(limit)))).rowcount


def idempotent(
    database: Database,
    request: RequestKey,
    *,
    at_ms: int,
    effect: Callable[[sa.Connection], bytes],
) -> bytes:
    """Run `effect` in one transaction with its record, or return the first answer.

    Of concurrent first uses one commits; the others fail on the record's key, roll back and return that answer.
    Raises IdempotencyMismatch.
    """
    for attempt in range(1, CONCURRENT_FIRST_USES_MAX + 1):
        try:
            with database.write() as connection:
                earlier = recall(connection, request)
                if earlier is not None:
                    return earlier
                response = effect(connection)
                remember(connection, request, response, at_ms=at_ms)
            return response
        except sa.exc.IntegrityError:
            if attempt == CONCURRENT_FIRST_USES_MAX:
                raise
    raise AssertionError("the loop returns or raises")


def recall(connection: sa.Connection, request: RequestKey) -> bytes | None:
    """The first answer given under this key, or None. Raises IdempotencyMismatch for another request."""
    row = connection.execute(
        sa.select(records.c.request_sha256, records.c.response).where(
            records.c.scope == request.scope, records.c.key == request.key
        )
    ).one_or_none()
    if row is None:
        return None
    if row.request_sha256 != request.request_sha256:
        raise IdempotencyMismatch
    return bytes(row.response)


def remember(connection: sa.Connection, request: RequestKey, response: bytes, *, at_ms: int) -> None:
    """Keep an answer. A concurrent first use makes this raise IntegrityError, which undoes the caller's effect."""
    row = msgspec.structs.asdict(request) | {"response": response, "at_ms": at_ms}
    connection.execute(sa.insert(records).values(row))
