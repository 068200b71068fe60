"""The small periodic workers: they work at once, outlast an outage, and stop when told."""

import asyncio
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest
import sqlalchemy as sa

from pump_party.apps.workers import every as every_module
from pump_party.apps.workers import mark_accounts, prune
from pump_party.apps.workers.every import every
from pump_party.bootstrap.services import Services, build
from pump_party.config import Settings
from pump_party.db.idempotency import remember
from pump_party.db.jobs import JobStore, complete, schedule
from pump_party.domains.prop_interface.contract import AccountKind, OpenAccount
from pump_party.kernel.errors import Unavailable
from pump_party.kernel.ids import UserId
from pump_party.platform.clock import ManualClock
from pump_party.platform.idempotency import RequestKey
from pump_party.platform.ids import Ids


@pytest.fixture
def services(sqlite_path: Path) -> Iterator[Services]:
    with closing(build(Settings(data_dir=str(sqlite_path.parent)))) as built:
        yield built


async def until(stop: asyncio.Event, running, condition) -> None:
    task = asyncio.create_task(running)
    async with asyncio.timeout(10):
        while not condition():
            await asyncio.sleep(0.01)
        stop.set()
        await task


def test_rounds_go_on_after_the_database_was_away(services: Services, monkeypatch):
    monkeypatch.setattr(every_module, "RETRY_S", 0.01)
    rounds = []

    def work() -> int:
        rounds.append("away" if len(rounds) < 2 else "done")
        if rounds[-1] == "away":
            raise Unavailable("away", code="database_unavailable")
        return 1

    async def run() -> None:
        stop = asyncio.Event()
        await until(stop, every(3600, work, name="test", services=services, stop=stop), lambda: "done" in rounds)

    asyncio.run(run())
    assert rounds == ["away", "away", "done"]
    assert 'pump_party_worker_failures_total{worker="test"} 2.0' in services.metrics.render().decode()


def test_a_fault_of_the_program_ends_the_worker(services: Services):
    async def run() -> None:
        await every(1, lambda: 1 / 0, name="test", services=services, stop=asyncio.Event())

    with pytest.raises(ZeroDivisionError):
        asyncio.run(run())


def test_accounts_are_marked_for_the_leaderboard(services: Services):
    user_id = UserId(services.ids.new())
    account = services.prop.open_account(OpenAccount(user_id, AccountKind.PRACTICE, "k"))

    async def run() -> None:
        stop = asyncio.Event()
        await until(stop, mark_accounts.run(services, stop=stop), lambda: marks() > 0)

    def marks() -> int:
        return len(services.prop.equity(user_id, account.account_id, cursor=None, limit=10).items)

    assert marks() == 0
    asyncio.run(run())


def test_what_expired_is_pruned_batch_by_batch(services: Services, monkeypatch):
    batches = [500, 500, 3, 0]
    asked = []

    def one_batch() -> int:
        asked.append(batches[len(asked)] if len(asked) < len(batches) else 0)
        return asked[-1]

    monkeypatch.setattr(services.users, "prune", one_batch)

    async def run() -> None:
        stop = asyncio.Event()
        await until(stop, prune.run(services, stop=stop), lambda: len(asked) == len(batches))

    asyncio.run(run())
    assert asked == batches


def test_jobs_that_were_done_and_requests_that_were_answered_long_ago_are_pruned_but_none_about_money(
    services: Services,
):
    database, long_ago = services.database, Ids(ManualClock(1_600_000_000_000))
    with database.write() as connection:
        schedule(connection, ids=long_ago, kind="backtest", key="a", payload="", run_at_ms=0)
    (job,) = JobStore(database).claim("backtest", now_ms=1, lease_ms=1, limit=1)
    with database.write() as connection:
        complete(connection, job)
        for scope in ("ann", "ann/accounts", "ann/account/reset"):
            remember(connection, RequestKey(scope, "key", "ab"), b"answer", at_ms=1)

    def left() -> int:
        counts = [sa.text(f"SELECT count(*) FROM platform_{table}") for table in ("jobs", "idempotency")]
        with database.read() as connection:
            return sum(connection.execute(count).scalar_one() for count in counts)

    async def run() -> None:
        stop = asyncio.Event()
        await until(stop, prune.run(services, stop=stop), lambda: left() == 2)

    assert left() == 4
    asyncio.run(run())
    assert left() == 2
