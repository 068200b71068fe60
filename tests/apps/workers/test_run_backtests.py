"""The worker of backtests plays what waits; what a killed worker left, the next one plays with the same hash."""

import asyncio
import shutil
import signal
import subprocess
import sys
import time
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path

import msgspec
import pytest
from tests.domains.backtests.tapes import crossing, walk

from pump_party.apps.workers import run_backtests
from pump_party.bootstrap.services import Services, build
from pump_party.config import Settings
from pump_party.domains.backtests.contract import BacktestState, BacktestView, StartBacktest
from pump_party.domains.clones.contract import canonical
from pump_party.kernel.ids import UserId

ALICE = UserId("01900000-0000-7000-8000-00000000a11c")
MINUTES = 1_500
PATIENCE_S = 60.0

WORKER = """
import asyncio, sys, msgspec
from pump_party.apps.workers import run_backtests
from pump_party.bootstrap.services import build
from pump_party.config import Settings

settings = msgspec.json.decode(sys.argv[1], type=Settings)
asyncio.run(run_backtests.run(build(settings), stop=asyncio.Event()))
"""


@pytest.fixture
def settings(sqlite_template: Path, tmp_path: Path) -> Settings:
    shutil.copy(sqlite_template, tmp_path / "pump_party.sqlite3")
    folder = tmp_path / "tapes" / "walk"
    folder.mkdir(parents=True)
    rows = ["date,open,high,low,close,volume"]
    for c in walk(MINUTES):
        at = datetime.fromtimestamp(c.open_ms // 1000, UTC).isoformat()
        prices = (f"{e8 // 10**8}.{e8 % 10**8:08}" for e8 in (c.open_e8, c.high_e8, c.low_e8, c.close_e8))
        rows.append(",".join([at, *prices, "1"]))
    (folder / "SOL-USDC-1m.csv").write_text("\n".join(rows) + "\n")
    return Settings(data_dir=str(tmp_path))


def start(services: Services, key: str) -> BacktestView:
    command = StartBacktest(user_id=ALICE, idempotency_key=key, tape="walk", strategy=canonical(crossing()))
    return services.backtests.start(command)


def until(services: Services, view: BacktestView, *states: BacktestState) -> BacktestView:
    until_s = time.monotonic() + PATIENCE_S
    while time.monotonic() < until_s:
        found = services.backtests.one(ALICE, view.backtest_id)
        if found.state in states:
            return found
        time.sleep(0.02)
    raise AssertionError(f"still {found.state.value}")


async def work_until_done(services: Services, view: BacktestView) -> BacktestView:
    stop = asyncio.Event()
    worker = asyncio.create_task(run_backtests.run(services, stop=stop))
    try:
        return await asyncio.to_thread(until, services, view, BacktestState.DONE, BacktestState.FAILED)
    finally:
        stop.set()
        await worker


def test_what_a_killed_worker_left_is_played_by_the_next_with_the_same_hash(settings: Settings):
    with closing(build(settings)) as services:
        left = start(services, "left")
        lost = subprocess.Popen([sys.executable, "-c", WORKER, msgspec.json.encode(settings)])
        until(services, left, BacktestState.RUNNING)
        lost.send_signal(signal.SIGKILL)
        assert lost.wait(PATIENCE_S) == -signal.SIGKILL
        assert services.backtests.one(ALICE, left.backtest_id).state is BacktestState.RUNNING

        undisturbed = start(services, "undisturbed")
        done = [asyncio.run(work_until_done(services, view)) for view in (left, undisturbed)]
    assert [view.state for view in done] == [BacktestState.DONE] * 2
    assert done[0].result_hash == done[1].result_hash
    assert done[0].summary == done[1].summary


def test_a_worker_that_is_told_to_stop_does_so_at_once_and_loses_nothing(settings: Settings):
    async def stopped_while_it_plays(services: Services, view: BacktestView) -> None:
        stop = asyncio.Event()
        worker = asyncio.create_task(run_backtests.run(services, stop=stop))
        await asyncio.to_thread(until, services, view, BacktestState.RUNNING)
        stop.set()
        async with asyncio.timeout(5):
            await worker

    with closing(build(settings)) as services:
        view = start(services, "one")
        asyncio.run(stopped_while_it_plays(services, view))
        assert asyncio.run(work_until_done(services, view)).state is BacktestState.DONE
