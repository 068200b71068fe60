"""`pump-party backtest`: a result with its hash, or every reason why there is none."""

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import msgspec
import pytest
from tests.domains.backtests.tapes import START_MS, crossing, walk

from pump_party.apps.cli.main import main
from pump_party.domains.clones.contract import canonical

MINUTES = 300


@pytest.fixture
def tape(tmp_path: Path) -> Path:
    rows = [
        ",".join(
            [
                datetime.fromtimestamp(c.open_ms // 1000, UTC).isoformat(),
                *(f"{price_e8 // 10**8}.{price_e8 % 10**8:08}" for price_e8 in (c.open_e8, c.high_e8, c.low_e8)),
                f"{c.close_e8 // 10**8}.{c.close_e8 % 10**8:08}",
                "1",
            ]
        )
        for c in walk(MINUTES)
    ]
    folder = tmp_path / "walk"
    folder.mkdir()
    (folder / "SOL-USDC-1m.csv").write_text("\n".join(["date,open,high,low,close,volume", *rows]) + "\n")
    return folder


@pytest.fixture
def strategy(tmp_path: Path) -> Path:
    path = tmp_path / "mine.json"
    path.write_bytes(canonical(crossing()))
    return path


def backtest(tape: Path, *words: str) -> int:
    return main(["backtest", *words, "--tape", str(tape)])


def answer(capsys: pytest.CaptureFixture[str]) -> Any:
    return msgspec.json.decode(capsys.readouterr().out)


def test_json_has_the_result_hash_and_the_metrics_and_the_same_ones_again(
    tape: Path, strategy: Path, capsys: pytest.CaptureFixture[str]
):
    assert backtest(tape, str(strategy), "--json") == 0
    first = answer(capsys)
    assert backtest(tape, str(strategy), "--json") == 0
    assert answer(capsys) == first
    assert len(first["result_hash"]) == 64
    assert first["metrics"]["fills"] > 10
    assert (first["tape"], first["feed"], first["candles"]) == ("walk", "tape", MINUTES)
    assert (first["from_ms"], first["to_ms"]) == (START_MS, START_MS + MINUTES * 60_000)
    assert sum(first["outcomes"][0]["decisions"].values()) == first["outcomes"][0]["slots"] == MINUTES - 1


def test_a_terminal_gets_a_column_for_each_strategy_and_a_page_on_request(
    tape: Path, strategy: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
):
    page = tmp_path / "report.html"
    other = tmp_path / "other.json"
    other.write_bytes(canonical(crossing(share_ppm=100_000)))
    assert backtest(tape, str(strategy), str(other), "--html", str(page)) == 0
    shown = capsys.readouterr().out
    assert "walk (TAPE)" in shown
    assert "mine" in shown
    assert "other" in shown
    assert shown.count("result  ") == 2
    text = page.read_text()
    assert "<svg" in text
    assert "http://" not in text.replace("http://www.w3.org/", "")


def test_dates_cut_the_tape(tape: Path, strategy: Path, capsys: pytest.CaptureFixture[str]):
    assert backtest(tape, str(strategy), "--json", "--from", "2025-06-16T01:00", "--to", "2025-06-16T02:00") == 0
    found = answer(capsys)
    assert found["to_ms"] - found["from_ms"] == 3_600_000


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["house:nothing"], "there are momentum, mean_reversion"),
        (["nowhere.json"], "there is no file nowhere.json"),
        (["mine", "--from", "2025-06-16T02:00", "--to", "2025-06-16T01:00"], "--from is not before --to"),
        (["mine", "--from", "2026-01-01"], "nothing between these times"),
        (["mine", "--rule-set", "none"], "is none of"),
        (["house:funding_carry"], "walk has no minutes of BTC-PERP, ETH-PERP"),
    ],
)
def test_what_cannot_be_played_is_said_in_one_line(
    tape: Path, strategy: Path, words: list[str], said: str, capsys: pytest.CaptureFixture[str]
):
    assert backtest(tape, *[str(strategy) if word == "mine" else word for word in words]) == 2
    shown = capsys.readouterr()
    assert shown.out == ""
    assert said in shown.err
    assert shown.err.count("\n") == 1


def test_a_date_that_is_none_ends_with_the_usage(tape: Path, capsys: pytest.CaptureFixture[str]):
    with pytest.raises(SystemExit) as ended:
        backtest(tape, "house:random", "--from", "yesterday")
    assert ended.value.code == 2
    assert "yesterday is not a date such as 2025-05-10" in capsys.readouterr().err


def test_every_problem_of_a_strategy_is_shown_with_its_path(
    tape: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
):
    bad = tmp_path / "bad.json"
    node = {"kind": "asset", "id": "NO", "markets": ["DOGE-MOON"]}
    bad.write_bytes(msgspec.json.encode({"schema": "strategy/1", "nodes": [node], "edges": []}))
    assert backtest(tape, str(bad)) == 2
    head, *problems = capsys.readouterr().err.splitlines()
    assert head.endswith("bad.json cannot run:")
    assert len(problems) > 2
    assert any(line.startswith("  nodes[0].id: ") or "nodes.0.id" in line for line in problems)
    assert any("markets" in line for line in problems)


def test_a_file_that_is_no_json_and_a_damaged_tape_are_named(
    tape: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
):
    (tmp_path / "text.json").write_text("momentum, please")
    assert backtest(tape, str(tmp_path / "text.json")) == 2
    assert "text.json cannot run:" in capsys.readouterr().err
    with (tape / "SOL-USDC-1m.csv").open("a") as table:
        table.write("garbage\n")
    assert backtest(tape, "house:random") == 2
    assert f"SOL-USDC-1m.csv, line {MINUTES + 2}: " in capsys.readouterr().err
