import sqlalchemy as sa
from tests.db.desk import ALICE, Desk

from pump_party.db.engine import Database
from pump_party.db.prop_tables import accounts, positions
from pump_party.kernel.money import INT64_MAX
from pump_party.platform.clock import ManualClock


def test_a_batch_starts_from_every_column_as_it_is_stored(database: Database, clock: ManualClock) -> None:
    desk = Desk(database, clock, "practice-v2")
    desk.place(client_order_id='say "ü" \\ and go')
    with database.write() as connection:
        connection.execute(sa.update(accounts).values(fees_micros=INT64_MAX, order_times=bytes(range(256))))
        connection.execute(sa.update(positions).values(cost_micros=INT64_MAX - 1))
    stored = desk.store.account(ALICE, desk.account_id)
    with desk.store.orders_transaction([(desk.account_id, desk.market, "k1")]) as transaction:
        assert transaction.accounts == {desk.account_id: stored.account}
        assert transaction.positions == {(p.account_id, p.market): p for p in stored.positions}
        assert list(transaction.earlier.values()) == [desk.store.order_by_key(desk.account_id, "k1")]
    assert stored.account.fees_micros == INT64_MAX
    assert stored.positions[0].cost_micros == INT64_MAX - 1
