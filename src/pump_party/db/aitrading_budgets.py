"""Budgets of model calls: what a call may take is taken from them before it is made, in the transaction of its run."""

from collections import defaultdict
from collections.abc import Sequence

import sqlalchemy as sa

from pump_party.db.aitrading_rows import call_of, call_values
from pump_party.db.aitrading_tables import budgets, calls
from pump_party.db.engine import Database
from pump_party.domains.aitrading.budget import BudgetLimits, Spent, accounts_of
from pump_party.domains.aitrading.records import Call, CallState

Key = tuple[int, str, str]

_ADD = sa.text(
    "UPDATE aitrading_budgets SET tokens = tokens + :tokens, micros = micros + :micros"
    " WHERE day = :day AND scope = :scope AND subject = :subject"
)


def spent(connection: sa.Connection, day: int, scope: str, subject: str) -> Spent:
    row = connection.execute(sa.select(budgets.c.tokens, budgets.c.micros).where(*_is((day, scope, subject)))).first()
    return Spent() if row is None else Spent(row.tokens, row.micros)


def reserve(
    connection: sa.Connection, database: Database, wanted: Sequence[Call], limits: BudgetLimits
) -> Sequence[Call]:
    """Reserve what all three budgets of a call allow; returns the calls that one of them does not.

    A call that was reserved before is not reserved again.
    """
    if not wanted:
        return ()
    known = set(
        connection.execute(sa.select(calls.c.call_id).where(calls.c.call_id.in_([c.call_id for c in wanted]))).scalars()
    )
    fresh = [call for call in wanted if call.call_id not in known]
    left = _locked(connection, database, fresh)
    taken: list[Call] = []
    refused: list[Call] = []
    for call in fresh:
        keys = _keys(call)
        if all(left[key].allows(call, limits.of(key[1])) for key in keys):
            left |= {key: left[key].with_call(call) for key in keys}
            taken.append(call)
        else:
            refused.append(call)
    if taken:
        connection.execute(sa.insert(calls), [call_values(call) for call in taken])
        _add(connection, taken)
    return refused


def settle(connection: sa.Connection, settled: Sequence[Call]) -> None:
    """Put what calls took in the place of what was reserved for them. A call is settled once."""
    if not settled:
        return
    ids = sorted(call.call_id for call in settled)
    query = sa.select(calls).where(calls.c.call_id.in_(ids), calls.c.state == CallState.RESERVED.value)
    reserved = {
        row.call_id: call_of(row) for row in connection.execute(query.order_by(calls.c.call_id).with_for_update())
    }
    now = [call for call in settled if call.call_id in reserved]
    if not now:
        return
    changed = [c.name for c in calls.c if c.name not in ("call_id", "run_id", "clone_id", "user_id", "day", "model")]
    update = sa.update(calls).where(calls.c.call_id == sa.bindparam("mine"))
    update = update.values({name: sa.bindparam(f"new_{name}") for name in changed})
    rows = []
    for call in now:
        values = call_values(call)
        rows.append({"mine": call.call_id} | {f"new_{name}": values[name] for name in changed})
    connection.execute(update, rows)
    _add(connection, now, instead_of=[reserved[call.call_id] for call in now])


def _locked(connection: sa.Connection, database: Database, wanted: Sequence[Call]) -> dict[Key, Spent]:
    keys = sorted({key for call in wanted for key in _keys(call)})
    if not keys:
        return {}
    zeros = [{"day": day, "scope": scope, "subject": subject, "tokens": 0, "micros": 0} for day, scope, subject in keys]
    connection.execute(database.insert(budgets).on_conflict_do_nothing(), zeros)
    columns = sa.tuple_(budgets.c.day, budgets.c.scope, budgets.c.subject)
    query = sa.select(budgets).where(columns.in_(keys))
    locked = query.order_by(budgets.c.day, budgets.c.scope, budgets.c.subject).with_for_update()
    return {(r.day, r.scope, r.subject): Spent(r.tokens, r.micros) for r in connection.execute(locked)}


def _add(connection: sa.Connection, made: Sequence[Call], *, instead_of: Sequence[Call] = ()) -> None:
    sums: dict[Key, Spent] = defaultdict(Spent)
    for call in made:
        for key in _keys(call):
            sums[key] = sums[key].with_call(call)
    for call in instead_of:
        for key in _keys(call):
            sums[key] = sums[key].without_call(call)
    rows = [
        {"day": day, "scope": scope, "subject": subject, "tokens": change.tokens, "micros": change.micros}
        for (day, scope, subject), change in sorted(sums.items(), key=lambda item: item[0])
    ]
    connection.execute(_ADD, rows)


def _keys(call: Call) -> list[Key]:
    return [(call.day, scope, subject) for scope, subject in accounts_of(call)]


def _is(key: Key) -> Sequence[sa.ColumnElement[bool]]:
    return (budgets.c.day == key[0], budgets.c.scope == key[1], budgets.c.subject == key[2])
