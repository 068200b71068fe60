import argparse
import gzip
from pathlib import Path
from typing import Any

import msgspec
import pytest

from pump_party.apps.cli import tape

HEADER = "date,open,high,low,close,volume"
ROWS = [f"2025-05-04T15:{minute}:00+00:00,146.7,146.8,146.6,146.75,10.5" for minute in (30, 31, 32, 36)]


def call(*words: str) -> int:
    parser = argparse.ArgumentParser()
    tape.add_parser(parser.add_subparsers(dest="command"))
    return tape.run(parser.parse_args(["tape", *words]))


def answer(capsys: pytest.CaptureFixture[str]) -> Any:
    return msgspec.json.decode(capsys.readouterr().out)


def table(path: Path, rows: list[str]) -> Path:
    path.write_text("\n".join([HEADER, *rows]) + "\n")
    return path


def test_info_tells_the_range_rows_and_gaps_of_the_recorded_month(
    recorded_data: Path, capsys: pytest.CaptureFixture[str]
):
    assert call("info", str(recorded_data / "data/binance_usdm_1m/SOL_USDT_USDT-1m-futures.csv.gz"), "--json") == 0
    (file,) = answer(capsys)["files"]
    assert (file["markets"], file["rows"], file["gaps"], file["bad_rows"]) == (["SOL-USDC"], 43_200, 0, 0)
    assert (file["first_ms"], file["last_ms"]) == (1_746_372_780_000, 1_748_964_720_000)


def test_info_tells_what_a_capture_holds_and_what_is_not_played(
    recorded_data: Path, capsys: pytest.CaptureFixture[str]
):
    assert call("info", str(recorded_data / "data" / "raw_streams"), "--json") == 0
    found = answer(capsys)
    assert [(file["rows"], file["prices"], file["bad_rows"]) for file in found["files"]] == [
        (55, 46, 0),
        (41_249, 28_040, 0),
        (33_618, 24_076, 0),
    ]
    assert [file["name"] for file in found["skipped"]] == ["LICENSE"]


def test_info_tells_the_funding_tables_and_a_bad_rate(tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    table(tmp_path / "SOL-USDC-1m.csv", ROWS)
    funding = tmp_path / "SOL_USDT_USDT-8h-funding_rate.csv"
    funding.write_text("date,funding_rate\n2025-05-04T16:00:00+00:00,1e-5\n")
    assert call("info", str(tmp_path), "--json") == 0
    found = answer(capsys)
    assert [(file["kind"], file["markets"], file["rows"]) for file in found["files"][1:]] == [
        ("funding", ["SOL-USDC"], 1)
    ]
    assert found["skipped"] == []
    funding.write_text("date,funding_rate\n2025-05-04T16:00:00+00:00,NaN\n")
    assert call("info", str(tmp_path)) == 1
    assert "line 2: not a funding rate" in capsys.readouterr().out


def test_info_counts_missing_candles_and_fails_on_bad_rows(tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    table(tmp_path / "SOL-USDC-1m.csv", [*ROWS, ROWS[0], "garbage"])
    assert call("info", str(tmp_path)) == 1
    shown = capsys.readouterr().out
    assert "4 rows, 4 with a price, 2 bad, 1 gaps (3 candles missing)" in shown
    assert "SOL-USDC-1m.csv:6: not later than the row before" in shown
    assert "SOL-USDC-1m.csv:7: not a row" in shown


def test_import_keeps_the_rows_as_they_are_under_the_name_of_their_market(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
):
    source = table(tmp_path / "SOL_USDT_USDT-1m-futures.csv", ROWS)
    assert call("import", str(source), str(tmp_path / "tape"), "--json") == 0
    taken = answer(capsys)
    assert (taken["name"], taken["rows"], taken["missing"]) == ("SOL-USDC-1m.csv.gz", 4, 3)
    (file,) = (tmp_path / "tape").iterdir()
    assert gzip.decompress(file.read_bytes()) == source.read_bytes()
    assert call("info", str(tmp_path / "tape")) == 0


def test_import_of_another_name_needs_the_market_to_be_told(tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    source = table(tmp_path / "download.csv", ROWS)
    assert call("import", str(source), str(tmp_path / "tape")) == 1
    assert "--market" in capsys.readouterr().err
    assert call("import", str(source), str(tmp_path / "tape"), "--market", "DOGE-USDC") == 1
    assert call("import", str(source), str(tmp_path / "tape"), "--market", "BTC-USDC") == 0
    assert call("import", str(source), str(tmp_path / "tape"), "--market", "BTC-USDC") == 1
    assert "there already" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("rows", "reason"),
    [
        ([*ROWS, ROWS[1]], "not later than the row before"),
        ([ROWS[0].replace("146.8", "146.1")], "not 0 < low"),
        ([], "there are no rows"),
    ],
)
def test_import_takes_nothing_of_a_table_with_a_bad_row(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], rows: list[str], reason: str
):
    source = table(tmp_path / "SOL-USDC-1m.csv", rows)
    assert call("import", str(source), str(tmp_path / "tape")) == 1
    assert reason in capsys.readouterr().err
    assert not (tmp_path / "tape").exists()


def test_only_live_sources_are_recorded(tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    assert call("record", str(tmp_path), "--feed", "synthetic", "--seconds", "1") == 1
    assert "not live" in capsys.readouterr().err
    assert list(tmp_path.iterdir()) == []


def test_a_recording_without_a_payload_fails_and_names_the_error(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setenv("PUMP_PARTY_BINANCE_WS_URL", "ws://127.0.0.1:1")
    assert call("record", str(tmp_path), "--feed", "binance", "--seconds", "1", "--json") == 1
    recording = answer(capsys)
    assert (recording["files"], recording["payloads"]) == ([], 0)
    assert recording["errors"]["binance"].startswith("cannot connect")


@pytest.mark.parametrize("seconds", ["0", "-1", "1.5", "forever", "99999999"])
def test_a_duration_out_of_range_is_refused(tmp_path: Path, seconds: str):
    with pytest.raises(SystemExit):
        call("record", str(tmp_path), "--seconds", seconds)


def test_a_missing_folder_is_refused(tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    assert call("info", str(tmp_path / "nothing")) == 1
    assert "there is no tape at" in capsys.readouterr().err
