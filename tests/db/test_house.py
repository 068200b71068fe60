"""Clones that ship with the product, on services as they are built: there once, public, trading, in nobody's way."""

import shutil
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from pathlib import Path

import pytest

from pump_party.bootstrap.house import open_house
from pump_party.bootstrap.services import Services, build
from pump_party.config import Settings
from pump_party.domains.aitrading.house import CADENCE_S_MIN
from pump_party.domains.aitrading.run_views import DeploymentState
from pump_party.domains.clones.contract import load_house
from pump_party.domains.prop_interface.contract import BoardQuery
from pump_party.kernel.errors import Invalid
from pump_party.kernel.ids import HOUSE_USER, UserId

HOUSE = len(load_house())
ALICE = UserId("01890000-0000-7000-8000-00000000000a")

Start = Callable[..., Services]


@pytest.fixture
def start(sqlite_template: Path, tmp_path: Path) -> Iterator[Start]:
    """Processes on one data folder."""
    shutil.copy(sqlite_template, tmp_path / "pump_party.sqlite3")
    with ExitStack() as stack:

        def build_one(**settings: bool) -> Services:
            services = build(Settings(data_dir=str(tmp_path), **settings))  # type: ignore[arg-type]
            stack.callback(services.close)
            return services

        yield build_one


def test_the_house_clones_trade_for_everybody_to_see(start: Start):
    services = start()
    assert open_house(services) == HOUSE
    shown = services.clones.directory(cursor=None, limit=50).clones
    assert {clone.owner_name for clone in shown} == {"Pump Party"}
    assert {clone.name for clone in shown} == {f"House {strategy.title}" for strategy in load_house().values()}
    trading = services.aitrading.deployments([clone.clone_id for clone in shown])
    assert {one.state for one in trading.values()} == {DeploymentState.RUNNING}
    assert min(one.cadence_s for one in trading.values()) == CADENCE_S_MIN
    assert len(trading) == HOUSE


def test_no_contest_has_a_house_clone_and_a_board_has_it_as_a_clone_alone(start: Start):
    services = start()
    open_house(services)
    accounts = services.prop.accounts(HOUSE_USER)
    assert {(account.rule_set, account.contest_eligible) for account in accounts} == {("house-v1", False)}
    services.prop.mark_accounts()
    people = services.leaderboards.board(BoardQuery(limit=100))
    assert [row for row in people.rows if row.user_id == HOUSE_USER] == []
    trading, complete = services.showcase.trading_accounts()
    assert (set(trading), complete) == ({account.account_id for account in accounts}, True)
    assert set(services.clones.public_clones(list(trading.values()))) == set(trading.values())


def test_many_starts_at_once_and_one_after_another_make_each_of_them_once(start: Start):
    processes = [start() for _ in range(3)]
    with ThreadPoolExecutor(len(processes)) as pool:
        assert set(pool.map(open_house, processes)) == {HOUSE}
    assert open_house(start()) == HOUSE
    assert len(processes[0].clones.my_clones(HOUSE_USER)) == HOUSE
    assert len(processes[0].prop.accounts(HOUSE_USER)) == HOUSE


def test_one_that_was_stopped_stays_stopped(start: Start):
    services = start()
    open_house(services)
    clone_id = services.clones.my_clones(HOUSE_USER)[0].clone_id
    services.aitrading.stop(HOUSE_USER, clone_id)
    assert open_house(services) == HOUSE
    assert services.aitrading.deployments([clone_id])[clone_id].state is DeploymentState.STOPPED


def test_where_none_is_wanted_there_is_none(start: Start):
    services = start(house_clones=False)
    assert open_house(services) == 0
    assert services.clones.my_clones(HOUSE_USER) == []


@pytest.mark.parametrize("name", ["House Momentum", "h0use-cat", "HOUSE.9"])
def test_nobody_else_has_a_name_of_the_house(start: Start, name: str):
    services = start()
    with pytest.raises(Invalid):
        services.clones.create_clone(ALICE, name=name, bio="", idempotency_key="one")
    services.clones.create_clone(ALICE, name="Housecat", bio="", idempotency_key="two")
