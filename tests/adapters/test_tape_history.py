"""A folder of tables becomes a tape: every row is read or refused with its file and line."""

import gzip
from pathlib import Path

import pytest

from pump_party.adapters import tape_history
from pump_party.adapters.indicators import TaLibIndicators
from pump_party.adapters.tape_history import RecordedTape, read_tape
from pump_party.domains.marketdata.contract import CandleInterval
from pump_party.domains.marketdata.registry import load_registry
from pump_party.kernel.errors import Invalid
from pump_party.kernel.ids import Market

START_MS = 1_746_372_600_000
MINUTE_MS = 60_000
SOL, SOL_PERP, BTC = Market("SOL-USDC"), Market("SOL-PERP"), Market("BTC-USDC")
HEADER = "date,open,high,low,close,volume"
FUNDING = "SOL_USDT_USDT-8h-funding_rate.csv"


def row(minute: int, close: str = "146.75") -> str:
    return f"2025-05-04T15:{minute}:00+00:00,146.7,146.8,146.6,{close},10.5"


def write(folder: Path, name: str, *rows: str, header: str = HEADER) -> None:
    (folder / name).write_text("\n".join([header, *rows]) + "\n")


def read(folder: Path) -> RecordedTape:
    return read_tape(folder, load_registry(), TaLibIndicators(), lambda _name, _rows: None)


def refused(folder: Path) -> Invalid:
    with pytest.raises(Invalid) as told:
        read(folder)
    return told.value


def test_the_spot_market_and_its_perpetual_share_the_minutes_and_a_hole_stays_one(tmp_path: Path):
    write(tmp_path, "SOL-USDC-1m.csv", row(30), row(31), row(33))
    tape = read(tmp_path)
    assert tape.markets >= {SOL, SOL_PERP}
    assert tape.span_ms([SOL, SOL_PERP]) == (START_MS, START_MS + 4 * MINUTE_MS)
    for market in (SOL, SOL_PERP):
        minutes = tape.minutes(market, from_ms=START_MS, to_ms=START_MS + 4 * MINUTE_MS)
        close_e8 = 14_675_000_000
        assert [m and m.close_e8 for m in minutes] == [close_e8, close_e8, None, close_e8]
    newest = tape.candles.candles(SOL, CandleInterval.M5, before_ms=None, limit=5)
    assert [(c.open_ms, c.ticks) for c in newest] == [(START_MS, 180)]


def test_the_hash_is_of_the_content_and_not_of_the_files(tmp_path: Path):
    for name in ("plain", "packed", "other"):
        (tmp_path / name).mkdir()
    write(tmp_path / "plain", "SOL-USDC-1m.csv", row(30), row(31))
    with gzip.open(tmp_path / "packed" / "SOL_USDT_USDT-1m-futures.csv.gz", "wt") as packed:
        packed.write("\n".join([HEADER, row(30), row(31)]) + "\n")
    write(tmp_path / "other", "SOL-USDC-1m.csv", row(30), row(31, "146.76"))
    plain, packed_hash, other = (read(tmp_path / name).sha256 for name in ("plain", "packed", "other"))
    assert plain == packed_hash != other


def test_a_settled_rate_is_read_as_its_hours_part_and_stamped_with_its_minute(tmp_path: Path):
    write(tmp_path, "SOL-USDC-1m.csv", row(30))
    settled = "2025-05-04T08:00:00.001000+00:00,8e-05"
    write(tmp_path, FUNDING, settled, "2025-05-04T16:00:00+00:00,-0.00011194", header="date,funding_rate")
    tape = read(tmp_path)
    eight_ms = START_MS - 7 * 3_600_000 - 30 * MINUTE_MS
    rates = [tape.funding_1h_ppb(SOL_PERP, at_ms=eight_ms + hours * 3_600_000) for hours in (0, 7, 8)]
    assert rates == [10_000, 10_000, -13_992]


def test_a_bad_row_is_named_by_file_and_line(tmp_path: Path):
    write(tmp_path, "SOL-USDC-1m.csv", row(30), "garbage")
    told = refused(tmp_path)
    assert (told.code, told.field) == ("tape_bad", "tape")
    assert told.detail.startswith("SOL-USDC-1m.csv, line 3: not a row of")
    write(tmp_path, "SOL-USDC-1m.csv", row(31), row(30))
    assert "line 3: not later than the row before" in refused(tmp_path).detail


@pytest.mark.parametrize(
    ("rows", "why"),
    [
        (["x"], "line 2: not a row of date, funding_rate"),
        (["2025-05-04T08:00:00,1e-5"], "line 2: the date has no time zone"),
        (["2025-05-04T08:00:00+00:00,NaN"], "line 2: not a funding rate"),
        (["2025-05-04T08:00:00+00:00,2"], "line 2: not a funding rate"),
        (["2025-05-04T08:00:00+00:00,0"] * 2, "line 3: not later than the row before"),
    ],
)
def test_a_bad_rate_is_refused_and_never_read_as_no_funding(tmp_path: Path, rows: list[str], why: str):
    write(tmp_path, "SOL-USDC-1m.csv", row(30))
    write(tmp_path, FUNDING, *rows, header="date,funding_rate")
    told = refused(tmp_path)
    assert told.code == "tape_bad"
    assert why in told.detail


def test_a_folder_without_minutes_or_with_too_many_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    assert refused(tmp_path).code == "tape_empty"
    assert refused(tmp_path / "nothing").code == "tape_missing"
    write(tmp_path, "SOL-USDC-1m.csv", row(30), row(31))
    monkeypatch.setattr(tape_history, "MINUTES_MAX", 1)
    assert refused(tmp_path).code == "tape_too_large"


def test_markets_that_are_not_on_the_tape_or_never_together_are_refused(tmp_path: Path):
    write(tmp_path, "SOL-USDC-1m.csv", row(30))
    with pytest.raises(Invalid) as missing:
        read(tmp_path).span_ms([BTC, SOL])
    assert (missing.value.code, "BTC-USDC" in missing.value.detail) == ("market_not_on_tape", True)
    write(tmp_path, "BTC-USDC-1m.csv", row(45))
    with pytest.raises(Invalid) as apart:
        read(tmp_path).span_ms([BTC, SOL])
    assert apart.value.code == "no_common_time"
