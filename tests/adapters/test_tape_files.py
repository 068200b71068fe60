import gzip
from pathlib import Path

import pytest

from pump_party.adapters.tape_files import (
    LINE_BYTES_MAX,
    BadRow,
    CandleFile,
    CaptureFile,
    TapeBroken,
    find_files,
    parse_candle,
    parse_capture,
    read_lines,
    read_rows,
)
from pump_party.domains.marketdata.registry import load_registry
from pump_party.kernel.errors import Invalid

REGISTRY = load_registry()


def test_recorded_folders_are_sorted_into_candles_captures_and_what_is_not_played(recorded_data: Path):
    files, skipped = find_files(recorded_data / "data" / "binance_usdm_1m", REGISTRY)
    assert {(file.path.name[:3], file.market) for file in files if isinstance(file, CandleFile)} == {
        ("BTC", "BTC-USDC"),
        ("ETH", "ETH-USDC"),
        ("SOL", "SOL-USDC"),
    }
    assert len(skipped) == 6

    files, skipped = find_files(recorded_data / "data" / "raw_streams", REGISTRY)
    assert {(file.stream, file.source) for file in files if isinstance(file, CaptureFile)} == {
        ("hyperliquid_btcusd", "hyperliquid"),
        ("spot_btcusdt", "binance"),
        ("spot_ethusdt", "binance"),
    }
    assert [file.path.name for file in skipped] == ["LICENSE"]


def test_a_single_file_is_a_tape_too_and_a_missing_one_is_refused(recorded_data: Path, tmp_path: Path):
    name = "SOL_USDT_USDT-1m-futures.csv.gz"
    files, _ = find_files(recorded_data / "data" / "binance_usdm_1m" / name, REGISTRY)
    assert [file.path.name for file in files] == [name]
    with pytest.raises(Invalid) as refused:
        find_files(tmp_path / "nothing", REGISTRY)
    assert (refused.value.code, refused.value.field) == ("tape_missing", "feed")


def test_candles_of_a_market_that_is_not_listed_are_not_played(tmp_path: Path):
    (tmp_path / "PEPE_USDT_USDT-1m-futures.csv").write_text("date,open,high,low,close,volume\n")
    files, skipped = find_files(tmp_path, REGISTRY)
    assert (files, skipped[0].reason) == ([], "no market of the registry is called PEPE_USDT_USDT")


@pytest.mark.parametrize(
    ("row", "reason"),
    [
        (b"2025-05-04T15:33:00+00:00,1,2,1,1", "not a row"),
        (b"2025-05-04T15:33:00+00:00,1,2,1,1,5,6", "not a row"),
        (b"", "not a row"),
        (b"\xff", "not a row"),
        (b"yesterday,1,2,1,1,5", "not a row"),
        (b"2025-05-04T15:33:00,1,2,1,1,5", "no time zone"),
        (b"2025-05-04T15:33:01+00:00,1,2,1,1,5", "start of a minute"),
        (b"1970-01-01T00:00:00+00:00,1,2,1,1,5", "start of a minute"),
        (b"2025-05-04T15:33:00+00:00,1,2,0,1,5", "low"),
        (b"2025-05-04T15:33:00+00:00,3,2,1,1,5", "low"),
        (b"2025-05-04T15:33:00+00:00,1,2,1.5,1.7,5", "low"),
        (b"2025-05-04T15:33:00+00:00,-1,2,1,1,5", "open must be"),
        (b"2025-05-04T15:33:00+00:00,1e0,2,1,1,5", "open must be"),
        (b"2025-05-04T15:33:00+00:00,nan,2,1,1,5", "open must be"),
        (b"2025-05-04T15:33:00+00:00,1,2,1,1.123456789,5", "close has more than 8 decimals"),
    ],
)
def test_a_bad_candle_is_refused_with_what_is_wrong(row: bytes, reason: str):
    with pytest.raises(BadRow, match=reason):
        parse_candle(row)


@pytest.mark.parametrize(
    "line", [b"", b"{}", b"1723161253937085768", b"17231612 {}", b"1723161253937085768 []", b"x {}"]
)
def test_a_bad_capture_line_is_refused(line: bytes):
    with pytest.raises(BadRow):
        parse_capture(line)


def test_a_capture_line_is_local_nanoseconds_and_the_message():
    assert parse_capture(b'1723161253937085768 {"a": 1}') == (1_723_161_253_937, b'{"a": 1}')


def test_a_truncated_or_damaged_file_is_broken_and_so_is_an_endless_line(tmp_path: Path):
    whole = gzip.compress(b"one\ntwo\n" * 1_000)
    (tmp_path / "truncated.gz").write_bytes(whole[:-12])
    (tmp_path / "damaged.gz").write_bytes(whole[:-10] + b"0123456789")
    (tmp_path / "other.gz").write_bytes(b"not gzip at all")
    (tmp_path / "endless.csv").write_bytes(b"x" * (LINE_BYTES_MAX + 1))
    for name in ("truncated.gz", "damaged.gz", "other.gz", "endless.csv"):
        with pytest.raises(TapeBroken, match=name):
            list(read_lines(tmp_path / name))


def test_a_table_with_other_columns_is_broken(tmp_path: Path):
    table = tmp_path / "SOL-USDC-1m.csv"
    table.write_text("time,open,high,low,close,volume\n")
    with pytest.raises(TapeBroken, match="columns"):
        read_rows(table)


def test_candles_named_by_any_market_of_a_base_are_its_price(tmp_path: Path):
    for market in ("SOL-USDC", "SOL-PERP", "XRP-PERP"):
        (tmp_path / f"{market}-1m.csv").write_text("date,open,high,low,close,volume\n")
    files, _ = find_files(tmp_path, REGISTRY)
    assert [file.market for file in files] == ["SOL-USDC", "SOL-USDC", "XRP-PERP"]
