"""A backtest in a process of its own: the same bytes as here, ended when it is not wanted, alone when it dies."""

import subprocess
import sys
import threading
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from pathlib import Path

import msgspec
import pytest
from tests.domains.aitrading.answers import answer, opening
from tests.domains.aitrading.worlds import SOL, prompt_strategy
from tests.domains.backtests.tapes import MINUTE_MS, START_MS, crossing, walk

from pump_party.adapters.backtest_player import ProcessPlayer
from pump_party.bootstrap.backtests import PLAYER_MODULE, load_strategy, play_backtest
from pump_party.bootstrap.database import open_database
from pump_party.config import Settings
from pump_party.domains.backtests.contract import ModelUse, UseModels
from pump_party.domains.backtests.played import read_played
from pump_party.domains.backtests.store import PlayerEnded, PlayRequest
from pump_party.domains.backtests.thinking import Asked, KeptAnswer
from pump_party.domains.clones.contract import Strategy, canonical
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


class Nobody:
    """Has no answer to anything."""

    def of(self, asked: Sequence[Asked]) -> Sequence[KeptAnswer] | None:
        del asked
        return None


NOBODY = Nobody()


def player(settings: Settings) -> ProcessPlayer:
    return ProcessPlayer(PLAYER, msgspec.json.encode(settings))


def request(tape: str = "walk", strategy: Strategy | None = None) -> PlayRequest:
    return PlayRequest(
        name="mine",
        strategy=msgspec.Raw(canonical(strategy or crossing())),
        tape=tape,
        rule_set="practice-next-v1",
        from_ms=START_MS,
        to_ms=START_MS + MINUTES * MINUTE_MS,
    )


def test_the_result_is_that_of_the_same_backtest_here(settings: Settings, tmp_path: Path):
    told: list[int] = []
    body = player(settings).play(request(), lambda done: told.append(done) is None, NOBODY)
    assert body is not None
    mine = tmp_path / "mine.json"
    mine.write_bytes(canonical(crossing()))
    here, _ = play_backtest(
        [load_strategy(str(mine))],
        tmp_path / "tapes" / "walk",
        from_ms=None,
        to_ms=None,
        rule_set=None,
        progress=lambda _what, _done, _total: None,
        settings=settings,
        use_models=UseModels.RECORDED,
    )
    assert read_played(body) == here
    assert told[0] == 0


def test_what_cannot_be_played_is_refused_as_it_would_be_here(settings: Settings):
    with pytest.raises(Invalid) as refused:
        player(settings).play(request("nowhere"), lambda _done: True, NOBODY)
    assert (refused.value.code, refused.value.field) == ("tape_not_found", "tape")
    gone = msgspec.structs.replace(settings, data_dir=settings.data_dir + "/gone")
    with pytest.raises(Unavailable):
        player(gone).play(request(), lambda _done: True, NOBODY)


def test_one_that_is_not_wanted_any_more_ends_at_once(settings: Settings):
    told: list[int] = []

    def not_wanted(done: int) -> bool:
        told.append(done)
        return False

    assert player(settings).play(request("synthetic"), not_wanted, NOBODY) is None
    assert len(told) == 1


def test_a_process_that_dies_is_told_with_its_code(settings: Settings):
    dying = ProcessPlayer([sys.executable, "-c", "import os; os._exit(3)"], msgspec.json.encode(settings))
    with pytest.raises(PlayerEnded, match="process"):
        dying.play(request(), lambda _done: True, NOBODY)


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


class Answering:
    """Answers what a function says, and keeps what was asked."""

    def __init__(self, say: Callable[[int], str | None]) -> None:
        self._say = say
        self.asked: list[Asked] = []

    def of(self, asked: Sequence[Asked]) -> Sequence[KeptAnswer] | None:
        self.asked += asked
        said = self._say(len(self.asked))
        return None if said is None else [KeptAnswer(said, None, 10, 2, 3)] * len(asked)


def thinking() -> PlayRequest:
    return request(strategy=prompt_strategy("buy low", candles=2))


def test_what_the_process_asks_is_answered_here_and_decides_there(settings: Settings):
    answering = Answering(lambda number: answer(opening(SOL)) if number == 1 else None)
    body = player(settings).play(thinking(), lambda _done: True, answering)
    assert body is not None
    (outcome,) = read_played(body).outcomes
    assert len(answering.asked) == outcome.slots == 4
    assert {one.model for one in answering.asked} == {"openai:gpt"}
    assert len({one.key for one in answering.asked}) == 4
    assert {d.code: d.count for d in outcome.decisions} == {"allowed": 1, "answer_missing": 3}
    assert outcome.models == ModelUse(4, 3, 0, 10, 2, 3, 0)
    assert len(outcome.fills) == 1


def test_one_that_is_not_wanted_any_more_ends_while_it_waits_for_an_answer(settings: Settings):
    asked, let_go = threading.Event(), threading.Event()

    def say(_number: int) -> str | None:
        asked.set()
        let_go.wait(30)
        return None

    try:
        assert player(settings).play(thinking(), lambda _done: not asked.is_set(), Answering(say)) is None
    finally:
        let_go.set()


def test_an_answer_that_cannot_be_had_ends_it_with_the_reason(settings: Settings):
    def say(_number: int) -> str | None:
        raise Unavailable("the database does not answer")

    with pytest.raises(Unavailable, match="database"):
        player(settings).play(thinking(), lambda _done: True, Answering(say))
