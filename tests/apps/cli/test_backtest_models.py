"""`pump-party backtest` with prompts: a model on this machine is asked once, and never again for the same result."""

from pathlib import Path
from typing import Any

import msgspec
import pytest
from tests.adapters.model_server import Asked, Reply, answering
from tests.apps.cli.test_backtest import backtest, tape  # noqa: F401
from tests.apps.cli.test_models import serving
from tests.domains.aitrading.answers import answer, opening
from tests.domains.aitrading.worlds import prompt_strategy

from pump_party.domains.clones.contract import canonical, clone_node

SECRET = "canary-of-the-owner"
NOWHERE = "http://127.0.0.1:9"


@pytest.fixture
def thinking(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A strategy whose model is ours, in a file."""
    monkeypatch.setenv("PUMP_PARTY_DATA_DIR", str(tmp_path / "data"))
    monkeypatch.setenv("PUMP_PARTY_MODELS", "mine:good")
    monkeypatch.setenv("PUMP_PARTY_MODEL_KEYS", "mine=key")
    (tmp_path / "data").mkdir()
    strategy = prompt_strategy(f"{SECRET}: buy low", candles=2)
    clone = msgspec.structs.replace(clone_node(strategy), model="mine:good")
    nodes = tuple(clone if node.id == clone.id else node for node in strategy.nodes)
    path = tmp_path / "thinking.json"
    path.write_bytes(canonical(msgspec.structs.replace(strategy, nodes=nodes)))
    return path


def told(capsys: pytest.CaptureFixture[str]) -> tuple[Any, str]:
    captured = capsys.readouterr()
    return msgspec.json.decode(captured.out), captured.out + captured.err


def test_a_model_is_asked_once_and_the_result_is_repeated_without_a_network(
    tape: Path,  # noqa: F811
    thinking: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    asked: list[Asked] = []

    def reply(one: Asked) -> Reply:
        asked.append(one)
        return answering(answer(opening(reason=f"why: {SECRET}")))(one)

    with serving(reply) as url:
        monkeypatch.setenv("PUMP_PARTY_MODEL_URLS", f"mine={url}")
        assert backtest(tape, str(thinking), "--ask-models", "--json") == 0
        first, _ = told(capsys)
    assert first["asked"]["calls"] == len(asked) == first["outcomes"][0]["models"]["questions"] == 4
    assert SECRET in str(asked[0].body)

    monkeypatch.setenv("PUMP_PARTY_MODEL_URLS", f"mine={NOWHERE}")
    page = tmp_path / "page.html"
    assert backtest(tape, str(thinking), "--json", "--html", str(page)) == 0
    again, printed = told(capsys)
    assert again["asked"] is None
    assert {**again, "asked": first["asked"]} == first
    assert backtest(tape, str(thinking)) == 0
    assert "4 questions, 0 decisions without an answer" in (shown := capsys.readouterr().out)
    assert SECRET not in printed + shown + page.read_text()


def test_without_a_database_of_answers_it_says_where_to_look(
    tape: Path,  # noqa: F811
    thinking: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert backtest(tape, str(thinking)) == 2
    assert "there is no database" in capsys.readouterr().err


def test_a_model_that_is_not_offered_is_refused_before_anything_is_played(
    tape: Path,  # noqa: F811
    thinking: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setenv("PUMP_PARTY_MODELS", "")
    assert backtest(tape, str(thinking), "--ask-models") == 2
    assert "not offered here" in capsys.readouterr().err
