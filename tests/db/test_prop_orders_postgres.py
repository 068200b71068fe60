from contextlib import closing

import pytest
from tests.db.desk import ALICE, BOB, ONE_SOL, Desk
from tests.domains.prop_engine.markets import order

from pump_party.db.engine import Database
from pump_party.db.faulty import DatabaseStep, FaultyDatabase
from pump_party.db.prop_orders_postgres import _PostgresOrders
from pump_party.domains.prop_engine.store import Batch
from pump_party.domains.prop_interface.contract import AccountKind, OpenAccount
from pump_party.platform.clock import ManualClock

TEXTS = ("NULL", "null", "", " ", "{a,b}", 'say "ü" \\ and go', "a\nb\tc", '\\"', "\\", "'; --", "🙂", "%s")


def test_a_text_is_stored_as_it_is_whatever_is_in_it(postgres_database: Database, clock: ManualClock) -> None:
    desk = Desk(postgres_database, clock, "practice-v2")
    commands = [
        order(ALICE, desk.account_id, f"key-{number}", "buy", ONE_SOL // 100, client_order_id=text)
        for number, text in enumerate((*TEXTS, None))
    ]
    placed = desk.engine.place_orders(commands)
    assert not [outcome for outcome in placed if isinstance(outcome, Exception)]
    stored = desk.engine.orders(ALICE, desk.account_id, cursor=None, limit=50).items
    assert [view.client_order_id for view in reversed(stored)] == [*TEXTS, None]
    assert desk.problems() == []


def test_a_tick_that_is_written_in_parts_is_one_transaction(
    postgres_url: str, clock: ManualClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    steps: list[str] = []
    parts: list[int] = []
    record = _PostgresOrders.record

    def recorded(transaction: _PostgresOrders, batch: Batch) -> None:
        parts.append(len(batch.orders))
        record(transaction, batch)

    with closing(FaultyDatabase(postgres_url, steps.append)) as database:
        desk = Desk(database, clock, "practice-next-v1")
        bobs = desk.engine.open_account(OpenAccount(BOB, AccountKind.PRACTICE, "bob", "practice-next-v1"))
        desk.engine.place_orders([order(BOB, bobs.account_id, "bob", "buy", ONE_SOL)])
        desk.place()
        monkeypatch.setattr(_PostgresOrders, "part_orders", 1)
        monkeypatch.setattr(_PostgresOrders, "record", recorded)
        steps.clear()
        assert desk.tick(150) == 2
        assert parts == [1, 1]
        assert steps.count(DatabaseStep.BEFORE_COMMIT) == 1
        assert desk.problems() == []
