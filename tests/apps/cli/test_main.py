import argparse
import json
import re
import sqlite3
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from pump_party.apps.cli.main import build_parser, main
from pump_party.apps.workers import WORKER_NAMES
from pump_party.bootstrap.database import open_database
from pump_party.config import RULES, load_settings
from pump_party.db.marketdata import MarketDataStore
from pump_party.domains.marketdata.admission import Quarantine
from pump_party.domains.marketdata.store import Batch
from pump_party.kernel.ids import Market


def test_help_names_every_command_with_examples(capsys):
    with pytest.raises(SystemExit) as ended:
        main(["--help"])
    assert ended.value.code == 0
    text = capsys.readouterr().out
    for command in ("up", "api", "ws", "worker", "config", "db", "market", "account", "conformance", "tape"):
        assert re.search(rf"^    {command}\s", text, re.MULTILINE)
    assert "examples:" in text


def test_help_and_config_load_nothing_heavy():
    code = (
        "import sys; from pump_party.apps.cli.main import main\n"
        "try: main(['--help'])\nexcept SystemExit: pass\n"
        "main(['config'])\n"
        "print([name for name in ('sqlalchemy', 'litestar', 'uvicorn', 'picows', 'psycopg') if name in sys.modules])"
    )
    ran = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=60)
    assert ran.stdout.splitlines()[-1] == "[]"


def test_every_worker_has_its_module_and_no_module_lacks_its_name():
    folder = Path(sys.modules["pump_party.apps.cli.main"].__file__).parents[1] / "workers"
    loops = {path.stem for path in folder.glob("*.py") if "async def run(" in path.read_text()}
    assert loops == set(WORKER_NAMES)
    assert build_parser(with_tape=True).parse_args(["worker", "prune"]).name == "prune"


def test_every_command_that_reports_can_print_json():
    commands = dict(leaves(build_parser(with_tape=True)))
    assert {"config", "db check", "market resume", "account show", "account pause", "tape info"} <= commands.keys()
    silent = {name for name, parser in commands.items() if "--json" not in parser.format_help()}
    assert silent == {"up", "api", "ws", "worker"}, "what only runs has nothing to report"


def leaves(parser: argparse.ArgumentParser) -> Iterator[tuple[str, argparse.ArgumentParser]]:
    """Every command with its parser."""
    branches = [action for action in parser._actions if isinstance(action, argparse._SubParsersAction)]
    if not branches:
        yield parser.prog.removeprefix("pump-party "), parser
    for branch in branches:
        for command in branch.choices.values():
            yield from leaves(command)


def test_config_shows_every_setting_with_secrets_hidden(capsys, monkeypatch):
    monkeypatch.setenv("PUMP_PARTY_PYTH_API_KEY", "hunter2")
    monkeypatch.setenv("PUMP_PARTY_SPEED", "7")
    assert main(["config", "--json", "--port", "9000"]) == 0
    rows = {row["name"]: row for row in json.loads(capsys.readouterr().out)}
    assert set(rows) == {f"PUMP_PARTY_{name.upper()}" for name in RULES}
    assert (rows["PUMP_PARTY_SPEED"]["value"], rows["PUMP_PARTY_PORT"]["value"]) == (7, 9000)
    assert main(["config"]) == 0
    text = capsys.readouterr().out
    assert "* PUMP_PARTY_SPEED" in text
    assert "hunter2" not in text


@pytest.mark.parametrize("command", [["config"], ["up"], ["db", "info"], ["api"], ["worker", "prune"]])
def test_a_bad_setting_stops_every_command_with_one_line(capsys, monkeypatch, command):
    monkeypatch.setenv("PUMP_PARTY_GROUP_COMMIT_BATCH", "0")
    assert main(command) == 2
    error = capsys.readouterr().err
    assert error == "pump-party: PUMP_PARTY_GROUP_COMMIT_BATCH: '0' is out of range; allowed: 1 to 1024\n"


@pytest.mark.parametrize("command", [["api"], ["ws"], ["worker", "relay_outbox"]])
def test_a_part_alone_needs_postgres_and_redis(capsys, command):
    assert main(command) == 2
    error = capsys.readouterr().err
    assert "PUMP_PARTY_DATABASE_URL and PUMP_PARTY_REDIS_URL" in error
    assert "pump-party up" in error


def test_an_unreachable_postgres_is_one_line_within_seconds(capsys, monkeypatch, tmp_path):
    monkeypatch.setenv("PUMP_PARTY_DATABASE_URL", "postgresql://u:hunter2@127.0.0.1:1/d")
    started = time.monotonic()
    assert main(["db", "upgrade", "--data-dir", str(tmp_path)]) == 2
    assert time.monotonic() - started < 10
    error = capsys.readouterr().err
    assert error.startswith("pump-party: the database does not answer")
    assert error.count("\n") == 1
    assert "hunter2" not in error


def test_a_folder_that_cannot_be_written_is_one_line(capsys, tmp_path):
    (tmp_path / "file").write_text("")
    assert main(["up", "--data-dir", str(tmp_path / "file" / "data")]) == 2
    error = capsys.readouterr().err
    assert error.startswith("pump-party: Not a directory")
    assert error.count("\n") == 1


def test_the_database_is_upgraded_described_and_proven(capsys, tmp_path):
    folder = ["--data-dir", str(tmp_path), "--json"]
    assert main(["db", "upgrade", *folder]) == 0
    assert json.loads(capsys.readouterr().out)["at_head"] is True
    assert main(["db", "info", *folder]) == 0
    facts = json.loads(capsys.readouterr().out)
    assert (facts["engine"], facts["at_head"]) == ("SQLite", True)
    assert main(["db", "check", *folder]) == 0
    assert json.loads(capsys.readouterr().out)["problems"] == []
    assert main(["db", "check", "--data-dir", str(tmp_path)]) == 0
    assert "everything balances" in capsys.readouterr().out


@pytest.mark.parametrize(
    "command",
    [
        ["db", "check"],
        ["db", "info"],
        ["market", "resume", "SOL-USDC", "--operator", "ann", "--reason", "checked"],
        ["account", "pause", "01900000-0000-7000-8000-0000000000ff", "--reason", "checked"],
    ],
)
def test_a_folder_without_a_database_is_refused_rather_than_found_in_order(capsys, tmp_path, command):
    folder = tmp_path / "mistyped"
    assert main([*command, "--data-dir", str(folder)]) == 2
    assert capsys.readouterr().err.startswith(f"pump-party: there is no database in {folder}")
    assert not folder.exists()


def test_a_database_of_another_version_is_proven_by_that_version(capsys, tmp_path, sqlite_path):
    with closing(sqlite3.connect(sqlite_path)) as connection, connection:
        connection.execute("UPDATE alembic_version SET version_num = '0001'")
    assert main(["db", "check", "--data-dir", str(sqlite_path.parent)]) == 2
    assert "pump-party db upgrade" in capsys.readouterr().err


def test_unknown_words_are_refused_with_usage(capsys):
    for words in (["nonsense"], ["worker", "nonsense"], ["db"], []):
        with pytest.raises(SystemExit) as ended:
            main(words)
        assert ended.value.code == 2
        assert "usage: pump-party" in capsys.readouterr().err


def test_two_operators_resume_a_quarantined_market_and_one_does_not(capsys, tmp_path, clock):
    settings = load_settings({"data_dir": str(tmp_path)})
    with closing(open_database(settings)) as database:
        halted = Quarantine(Market("SOL-USDC"), clock.now_ms(), "binance", 15_000_000_000, 17_000_000_000, "ab")
        MarketDataStore(database).write(
            Batch("live", clock.now_ms(), candles=[], charts={}, refusals=[], quarantines=[halted], ends=[])
        )
    said = []
    for operator in ("ann", "ann", "bob"):
        command = ["market", "resume", "SOL-USDC", "--operator", operator, "--reason", "two venues agree"]
        assert main([*command, "--data-dir", str(tmp_path)]) in (0, 2)
        said.append(capsys.readouterr())
    assert "a second operator must approve too" in said[0].out
    assert "150 jumped to 170" in said[0].out
    assert "resumes with its next tick" in said[2].out
    assert main(["market", "resume", "NOPE", "--operator", "a", "--reason", "b", "--data-dir", str(tmp_path)]) == 2
