"""How the databases find what a tick concerns: through an index, never through all that rests in a market."""

from collections.abc import Callable, Sequence
from functools import partial

import pytest
import sqlalchemy as sa
from tests.domains.prop_engine.markets import SOL, SOL_PERP

from pump_party.db.engine import Database
from pump_party.db.prop_engine import PropStore
from pump_party.domains.prop_engine.store import Tick

ROWS = 20_000
NUMBERS = f"WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < {ROWS})"
RESTING = f"""
    INSERT INTO prop_open_orders (order_id, account_id, idempotency_key, request_sha256, market, side, quantity_nanos,
        created_ms, stage, due_ms, at_or_below_e8, at_or_above_e8, held_asset, held_amount)
    {NUMBERS} SELECT 'o' || (100000 + i), 'a' || (100000 + i), 'k' || i, BYTES, '{SOL}', 'buy', 1, 1, 'resting', i,
        CASE WHEN i % 2 = 0 THEN 1000 - i % 100 END, CASE WHEN i % 2 = 1 THEN 2000 + i % 100 END, 'USDC', 0 FROM n
"""
ACCOUNTS = f"""
    INSERT INTO prop_accounts (account_id, user_id, kind, rule_set, params_sha256, contest_eligible, opened_ms, cycle,
        version, seq, head, start_micros, cash_micros, realised_pnl_micros, fees_micros, fills)
    {NUMBERS} SELECT 'a' || (100000 + i), 'u', 'practice', 'r', '', 0, 1, 1, 1, 0, BYTES, 1, 1, 0, 0, 0 FROM n
"""
POSITIONS = f"""
    INSERT INTO prop_perp_positions (account_id, market, direction, quantity_nanos, entry_cost_micros, margin_micros,
        leverage, realised_pnl_micros, fees_micros, funding_micros, buy_pressure_micros, buy_pressure_ms,
        sell_pressure_micros, sell_pressure_ms, breach_ms, funded_hour, liquidation_e8)
    {NUMBERS} SELECT 'a' || (100000 + i), '{SOL_PERP}', CASE WHEN i % 2 = 0 THEN 1 ELSE -1 END, 1, 1, 1, 1, 0, 0, 0,
        0, 0, 0, 0, 0, 10, CASE WHEN i % 2 = 0 THEN 1000 - i % 100 ELSE 2000 + i % 100 END FROM n
"""
WATCHED = ("funding", "liquidation", "breach")
MID_E8 = 1_500
"""No order and no position of the tables is concerned at this price."""


def test_a_tick_finds_its_orders_among_many_that_rest_without_reading_those(database: Database) -> None:
    _fill(database, RESTING)
    find = partial(PropStore(database).due_orders, SOL, publish_ms=10**12, after="", limit=1_024)
    assert find(mid_e8=MID_E8) == []
    assert len(find(mid_e8=1_000)) == ROWS // 100
    assert len(find(mid_e8=2_001)) == ROWS // 100
    _reads_by_index(database, "prop_open_orders", ("time", "fall", "rise"), partial(find, mid_e8=MID_E8))


def test_a_tick_finds_the_positions_to_watch_without_reading_the_rest(database: Database) -> None:
    _fill(database, ACCOUNTS, POSITIONS)
    find = partial(PropStore(database).perps_to_watch, SOL_PERP, hour=10, after="", limit=1_024)
    assert find(mid_e8=MID_E8) == []
    assert len(find(mid_e8=1_000)) == ROWS // 100
    _reads_by_index(database, "prop_perp_positions", WATCHED, partial(find, mid_e8=MID_E8))


def test_a_round_of_ticks_that_concern_nobody_is_one_question_answered_by_indexes(database: Database) -> None:
    _fill(database, ACCOUNTS, POSITIONS, RESTING)
    store = PropStore(database)
    quiet = [Tick(SOL, 10**12, MID_E8, 10), Tick(SOL_PERP, 10**12, MID_E8, 10)]
    assert store.first_concerned(quiet) is None
    names = [f"prop_open_orders_by_{name}" for name in ("time", "fall", "rise")]
    names += [f"prop_perp_positions_by_{name}" for name in WATCHED]
    _plans_by_index(database, names, ("prop_open_orders", "prop_perp_positions"), lambda: store.first_concerned(quiet))


@pytest.mark.parametrize(
    ("tick", "concerns"),
    [
        (Tick(SOL, 10**12, 1_000, 10), True),
        (Tick(SOL, 10**12, 2_001, 10), True),
        (Tick(SOL, 1, 1_000, 10), False),
        (Tick(SOL_PERP, 10**12, 1_000, 10), True),
        (Tick(SOL_PERP, 10**12, 2_001, 10), True),
        (Tick(SOL_PERP, 10**12, MID_E8, 11), True),
        (Tick(SOL_PERP, 10**12, MID_E8, 10), False),
    ],
)
def test_a_round_starts_at_the_first_tick_that_fills_triggers_funds_or_liquidates(
    database: Database, tick: Tick, concerns: bool
) -> None:
    _fill(database, ACCOUNTS, POSITIONS, RESTING)
    quiet = Tick(SOL, 10**12, MID_E8, 10)
    assert PropStore(database).first_concerned([quiet, quiet, tick]) == (2 if concerns else None)


def _fill(database: Database, *statements: str) -> None:
    with database.write() as connection:
        for statement in statements:
            of_dialect = statement.replace("BYTES", "x''" if database.is_sqlite else "''::bytea")
            connection.execute(sa.text(of_dialect))
        connection.exec_driver_sql("ANALYZE")


def _reads_by_index(database: Database, table: str, names: Sequence[str], ask: Callable[[], object]) -> None:
    _plans_by_index(database, [f"{table}_by_{name}" for name in names], [table], ask)


def _plans_by_index(
    database: Database, indexes: Sequence[str], tables: Sequence[str], ask: Callable[[], object]
) -> None:
    asked: list[tuple[str, object]] = []

    def note(_connection: object, _cursor: object, statement: str, parameters: object, *_: object) -> None:
        asked.append((statement, parameters))

    sa.event.listen(sa.Engine, "before_cursor_execute", note)
    try:
        ask()
    finally:
        sa.event.remove(sa.Engine, "before_cursor_execute", note)
    ((statement, parameters),) = [(text, values) for text, values in asked if text.startswith(("SELECT", "WITH"))]
    explain = "EXPLAIN QUERY PLAN" if database.is_sqlite else "EXPLAIN"
    with database.read() as connection:
        plan = "\n".join(str(row[-1]) for row in connection.exec_driver_sql(f"{explain} {statement}", parameters))
    assert all(index in plan for index in indexes), plan
    assert not any(
        whole in plan for whole in ("Seq Scan", *(f"SCAN {table}" for table in tables), "_pkey", "PRIMARY KEY")
    ), plan
