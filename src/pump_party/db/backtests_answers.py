"""The table of what models answered in backtests, then its store. What they said is in the object store, sealed."""

from collections.abc import Mapping, Sequence

import sqlalchemy as sa

from pump_party.db import backtests_gone
from pump_party.db.engine import Database, Int64, Text, metadata
from pump_party.domains.backtests.contract import ANSWERS_PER_USER_MAX
from pump_party.domains.backtests.store import AnswerRow
from pump_party.kernel.ids import UserId

answers = sa.Table(
    "backtests_answers",
    metadata,
    sa.Column("user_id", Text, primary_key=True),
    sa.Column("answer_key", Text, primary_key=True),
    sa.Column("model", Text, nullable=False),
    sa.Column("context_sha256", Text, nullable=False),
    sa.Column("prompt_sha256", Text, nullable=False),
    sa.Column("template", Text, nullable=False),
    sa.Column("place", Text, nullable=False),
    sa.Column("failure", Text),
    sa.Column("tokens_in", Int64, nullable=False),
    sa.Column("tokens_out", Int64, nullable=False),
    sa.Column("cost_micros", Int64),
    sa.Column("price_table", Text),
    sa.Column("at_ms", Int64, nullable=False),
    sa.Index("backtests_answers_age", "user_id", "at_ms"),
    sqlite_strict=True,
    sqlite_with_rowid=False,
)

_FIELDS = AnswerRow.__struct_fields__


class AnswerStore:
    """Implements `domains.backtests.store.AnswerStore`. Safe to call from threads."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def find(self, user_id: UserId, keys: Sequence[str]) -> Mapping[str, AnswerRow]:
        query = sa.select(answers).where(answers.c.user_id == user_id, answers.c.answer_key.in_(keys))
        with self._database.read() as connection:
            rows = connection.execute(query).all()
        return {row.answer_key: AnswerRow(**{name: getattr(row, name) for name in _FIELDS}) for row in rows}

    def keep(self, user_id: UserId, rows: Sequence[AnswerRow]) -> None:
        insert = self._database.insert(answers)
        changed = {c.name: insert.excluded[c.name] for c in answers.c if not c.primary_key}
        upsert = insert.on_conflict_do_update(index_elements=["user_id", "answer_key"], set_=changed)
        values = [{"user_id": user_id} | {name: getattr(row, name) for name in _FIELDS} for row in rows]
        own = answers.c.user_id == user_id
        found = sa.select(answers.c.answer_key, answers.c.place).where(own)
        replaced = found.where(answers.c.answer_key.in_([row.answer_key for row in rows]))
        beyond = found.order_by(answers.c.at_ms.desc(), answers.c.answer_key).offset(ANSWERS_PER_USER_MAX)
        with self._database.write() as connection:
            before = {row.place for row in connection.execute(replaced)} - {row.place for row in rows}
            connection.execute(upsert, values)
            old = connection.execute(beyond).all()
            if old:
                keys = [row.answer_key for row in old]
                connection.execute(sa.delete(answers).where(own, answers.c.answer_key.in_(keys)))
            backtests_gone.note(self._database, connection, {*before, *(row.place for row in old)})
