from tests.db.desk import ALICE, Desk

from pump_party.db.engine import Database
from pump_party.kernel.money import INT64_MAX
from pump_party.platform.clock import ManualClock


def test_a_batch_starts_from_every_column_as_it_is_stored(sqlite_database: Database, clock: ManualClock) -> None:
    desk = Desk(sqlite_database, clock, "practice-v2")
    desk.place(client_order_id='say "ü" \\ and go')
    with sqlite_database.write() as connection:
        connection.exec_driver_sql(
            "UPDATE prop_accounts SET fees_micros = ?, order_times = ?", (INT64_MAX, bytes(range(256)))
        )
        connection.exec_driver_sql("UPDATE prop_positions SET cost_micros = ?", (INT64_MAX - 1,))
    stored = desk.store.account(ALICE, desk.account_id)
    with desk.store.orders_transaction([(desk.account_id, desk.market, "k1")]) as transaction:
        assert transaction.accounts == {desk.account_id: stored.account}
        assert transaction.positions == {(p.account_id, p.market): p for p in stored.positions}
        assert list(transaction.earlier.values()) == [desk.store.order_by_key(desk.account_id, "k1")]
    assert stored.account.fees_micros == INT64_MAX
    assert stored.positions[0].cost_micros == INT64_MAX - 1
