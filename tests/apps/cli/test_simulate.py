"""`pump-party simulate`: 200 seeds hold, a seed replays to the same hash, and what is broken is found and told."""

import os
import subprocess
import sys

import msgspec
import psycopg
import pytest

from pump_party.apps.cli.main import main
from pump_party.domains.prop_engine import ticks
from pump_party.domains.prop_engine.simulation.witness import Witness

SEEDS, STEPS, PARTS = 200, 20, 8


@pytest.mark.parametrize("part", range(PARTS))
def test_every_invariant_holds_after_every_step(part: int, capsys: pytest.CaptureFixture[str]) -> None:
    seeds = SEEDS // PARTS
    code = main(["simulate", "--seed", str(1 + part * seeds), "--seeds", str(seeds), "--steps", str(STEPS)])
    assert code == 0, "".join(capsys.readouterr())


def test_a_position_that_a_jump_opened_beyond_its_margin_is_the_next_ticks_to_find() -> None:
    assert main(["simulate", "--seed", "1063", "--steps", "150"]) == 0


def test_the_engine_closes_a_frozen_account_only_at_a_price_to_trust() -> None:
    assert main(["simulate", "--seed", "1795342779", "--steps", "140"]) == 0


def test_a_seed_has_one_history_in_every_process() -> None:
    def play(hash_seed: str) -> bytes:
        command = [
            sys.executable,
            "-m",
            "pump_party.apps.cli.main",
            "simulate",
            "--seed",
            "7",
            "--steps",
            "60",
            "--json",
        ]
        return subprocess.run(
            command, env=os.environ | {"PYTHONHASHSEED": hash_seed}, capture_output=True, check=True
        ).stdout

    assert play("1") == play("2")


def test_all_that_can_happen_happens_within_a_few_seeds(capsys: pytest.CaptureFixture[str]) -> None:
    main(["simulate", "--seeds", "12", "--steps", "150", "--json"])
    told = capsys.readouterr().out.splitlines()
    happened = {name for line in told for name in msgspec.json.decode(line)["counts"]}
    steps = ("before_load", "before_write", "before_commit", "after_commit")
    assert {f"crash {step}" for step in steps} | {"race before_write", "away before_commit"} <= happened
    assert {"filled", "PRICE_TIMEOUT", "MARKET_HALTED", "CANCELLED_BY_USER", "CANCELLED_IOC"} <= happened
    assert {
        "accept",
        "rest",
        "trigger",
        "cancel",
        "cancelling",
        "funding",
        "margin_call",
        "liquidation_suspended",
        "liquidation",
        "close",
    } <= happened
    assert {"book walk", "frozen", "ACCOUNT_FROZEN"} <= happened


def test_the_same_is_played_on_postgres_in_databases_that_are_gone_afterwards(
    postgres_url: str, capsys: pytest.CaptureFixture[str]
) -> None:
    def databases() -> list[str]:
        with psycopg.connect(postgres_url) as connection:
            return [name for (name,) in connection.execute("SELECT datname FROM pg_database ORDER BY datname")]

    before = databases()
    command = ["simulate", "--seed", "1", "--seeds", "6", "--steps", "60", "--json", "--database", postgres_url]
    assert main(command) == 0, "".join(capsys.readouterr())
    first = capsys.readouterr().out
    happened = {name for line in first.splitlines() for name in msgspec.json.decode(line)["counts"]}
    assert {"filled", "restart", "accept", "cancel"} <= happened
    assert main(command) == 0
    assert capsys.readouterr().out == first
    assert databases() == before


@pytest.mark.parametrize("url", ["sqlite:///x", "postgresql://nobody@127.0.0.1:1/none"])
def test_a_database_that_cannot_be_played_on_is_refused(url: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["simulate", "--database", url]) != 0
    assert capsys.readouterr().err


def test_what_does_not_hold_is_told_with_the_seed_and_what_was_done_last(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(ticks, "is_overdue", lambda *_: False)
    command = ["simulate", "--seeds", "50", "--steps", "150"]
    assert main(command) == 1
    first = capsys.readouterr()
    assert "had to be answered by" in first.err
    assert "pump-party simulate --seed" in first.err
    assert main(command) == 1
    assert capsys.readouterr() == first


@pytest.mark.filterwarnings("error")
def test_an_exception_is_a_finding_too(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Witness, "examine", lambda *_: 1 // 0)
    assert main(["simulate"]) == 1
    assert "ZeroDivisionError" in capsys.readouterr().err


def test_a_step_count_must_be_positive(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        main(["simulate", "--steps", "0"])
    assert "must be at least 1" in capsys.readouterr().err
