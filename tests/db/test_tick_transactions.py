"""How many transactions a tick takes. SQLite, Postgres and in memory."""

from collections.abc import Iterator
from contextlib import closing

import pytest
from tests.db.desk import ONE_SOL, Desk
from tests.domains.prop_engine.markets import order

from pump_party.db.faulty import DatabaseStep, FaultyDatabase
from pump_party.domains.prop_engine import matcher
from pump_party.domains.prop_engine.memory_store import MemoryStore
from pump_party.domains.prop_engine.store import Batch
from pump_party.domains.prop_interface.contract import (
    BATCH_ORDERS_MAX,
    OPEN_ORDERS_MAX,
    AccountKind,
    OpenAccount,
    OrderView,
)
from pump_party.kernel.ids import UserId
from pump_party.platform.clock import ManualClock


class Counted:
    """A desk whose store counts its commits."""

    def __init__(self, desk: Desk, commits: list[str]) -> None:
        self.desk = desk
        self._commits = commits

    def commits_of_a_tick(self) -> int:
        self._commits.clear()
        self.desk.tick(150)
        return self._commits.count(DatabaseStep.BEFORE_COMMIT)


class CountedStore(MemoryStore):
    def __init__(self, commits: list[str]) -> None:
        super().__init__()
        self._commits = commits

    def keep(self, batch: Batch) -> None:
        self._commits.append(DatabaseStep.BEFORE_COMMIT)
        super().keep(batch)


@pytest.fixture(params=["sqlite", "postgres", "memory"])
def counted(request: pytest.FixtureRequest, clock: ManualClock) -> Iterator[Counted]:
    commits: list[str] = []
    if request.param == "memory":
        yield Counted(Desk(CountedStore(commits), clock, "practice-next-v1"), commits)
        return
    if request.param == "sqlite":
        url = f"sqlite:///{request.getfixturevalue('sqlite_path')}"
    else:
        url = request.getfixturevalue("postgres_url")
    with closing(FaultyDatabase(url, commits.append)) as database:
        yield Counted(Desk(database, clock, "practice-next-v1"), commits)


def wait_with_orders(desk: Desk, accounts: int, orders_each: int) -> list[OrderView]:
    placed: list[OrderView] = []
    for number in range(accounts):
        user_id = UserId(f"01900000-0000-7000-8000-{number:012x}")
        opened = desk.engine.open_account(OpenAccount(user_id, AccountKind.PRACTICE, "open", "practice-next-v1"))
        commands = [order(user_id, opened.account_id, f"k{n}", "buy", ONE_SOL // 10) for n in range(orders_each)]
        placed += [view for view in desk.engine.place_orders(commands) if isinstance(view, OrderView)]
    return placed


def test_a_tick_fills_all_that_waits_for_it_in_one_transaction(counted: Counted) -> None:
    accounts = BATCH_ORDERS_MAX // OPEN_ORDERS_MAX + 1
    placed = wait_with_orders(counted.desk, accounts, OPEN_ORDERS_MAX)
    assert len(placed) > BATCH_ORDERS_MAX
    assert counted.commits_of_a_tick() == 1
    assert sum(records.account.fills for records in counted.desk.records()) == len(placed)
    assert counted.desk.problems() == []


def test_a_tick_of_more_orders_than_one_transaction_holds_takes_them_page_by_page(
    counted: Counted, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(matcher, "TICK_ORDERS_MAX", 2)
    placed = wait_with_orders(counted.desk, 1, 3)
    assert counted.commits_of_a_tick() == 2
    assert sum(records.account.fills for records in counted.desk.records()) == len(placed)
