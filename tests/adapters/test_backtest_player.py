"""A backtest in a process of its own: the same bytes as here, ended when it is not wanted, alone when it dies."""

import subprocess
import sys
import time
from datetime import UTC, datetime
from pathlib import Path

import msgspec
import pytest
from tests.domains.backtests.tapes import MINUTE_MS, START_MS, crossing, walk

from pump_party.adapters.backtest_player import ProcessPlayer
from pump_party.bootstrap import load_strategy, play_backtest
from pump_party.bootstrap.backtests import PLAYER_MODULE
from pump_party.bootstrap.database import open_database
from pump_party.config import Settings
from pump_party.domains.backtests.played import read_played
from pump_party.domains.backtests.store import PlayerEnded, PlayRequest
from pump_party.domains.clones.contract import canonical
from pump_party.kernel.errors import Invalid, Unavailable

MINUTES = 300
PLAYER = [sys.executable, "-m", PLAYER_MODULE]


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    folder = tmp_path / "tapes" / "walk"
    folder.mkdir(parents=True)
    rows = ["date,open,high,low,close,volume"]
    for c in walk(MINUTES):
        at = datetime.fromtimestamp(c.open_ms // 1000, UTC).isoformat()
        prices = (f"{e8 // 10**8}.{e8 % 10**8:08}" for e8 in (c.open_e8, c.high_e8, c.low_e8, c.close_e8))
        rows.append(",".join([at, *prices, "1"]))
    (folder / "SOL-USDC-1m.csv").write_text("\n".join(rows) + "\n")
    found = Settings(data_dir=str(tmp_path))
    open_database(found).close()
    return found


def player(settings: Settings) -> ProcessPlayer:
    return ProcessPlayer(PLAYER, msgspec.json.encode(settings))


def request(tape: str = "walk") -> PlayRequest:
    return PlayRequest(
        name="mine",
        strategy=msgspec.Raw(canonical(crossing())),
        tape=tape,
        rule_set="practice-next-v1",
        from_ms=START_MS,
        to_ms=START_MS + MINUTES * MINUTE_MS,
    )


def test_the_result_is_that_of_the_same_backtest_here(settings: Settings, tmp_path: Path):
    told: list[int] = []
    body = player(settings).play(request(), lambda done: told.append(done) is None)
    assert body is not None
    mine = tmp_path / "mine.json"
    mine.write_bytes(canonical(crossing()))
    here = play_backtest(
        [load_strategy(str(mine))],
        tmp_path / "tapes" / "walk",
        from_ms=None,
        to_ms=None,
        rule_set=None,
        progress=lambda _what, _done, _total: None,
    )
    assert read_played(body) == here
    assert told[0] == 0


def test_what_cannot_be_played_is_refused_as_it_would_be_here(settings: Settings):
    with pytest.raises(Invalid) as refused:
        player(settings).play(request("nowhere"), lambda _done: True)
    assert (refused.value.code, refused.value.field) == ("tape_not_found", "tape")
    gone = msgspec.structs.replace(settings, data_dir=settings.data_dir + "/gone")
    with pytest.raises(Unavailable):
        player(gone).play(request(), lambda _done: True)


def test_one_that_is_not_wanted_any_more_ends_at_once(settings: Settings):
    began = time.monotonic()
    assert player(settings).play(request("synthetic"), lambda _done: False) is None
    assert time.monotonic() - began < 1


def test_a_process_that_dies_is_told_with_its_code(settings: Settings):
    dying = ProcessPlayer([sys.executable, "-c", "import os; os._exit(3)"], msgspec.json.encode(settings))
    with pytest.raises(PlayerEnded, match="process"):
        dying.play(request(), lambda _done: True)


def test_a_process_whose_server_was_killed_ends_by_itself(settings: Settings):
    """The pipe it writes to is closed by the system, however its reader ended."""
    process = subprocess.Popen(PLAYER, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    assert process.stdin is not None
    assert process.stdout is not None
    order = {"settings": settings, "request": request()}
    process.stdout.close()
    process.stdin.write(msgspec.json.encode(order) + b"\n")
    process.stdin.close()
    assert process.wait(30) != 0
