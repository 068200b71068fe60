"""Recorded files as they are: candle tables (`NAME-1m*.csv[.gz]`) and raw captures (`<local ns> <json>` lines, gzip).

Files are read as streams; nothing here holds a whole file.
"""

import gzip
import re
import zlib
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import BinaryIO, cast

import msgspec

from pump_party.adapters.binance import BinanceParser
from pump_party.adapters.hyperliquid import HyperliquidParser
from pump_party.adapters.observed_price import PRICE_E8_MAX, TIME_MS_MAX, TIME_MS_MIN
from pump_party.adapters.reporting import Parser
from pump_party.domains.marketdata.candle_path import CANDLE_MS, RecordedCandle
from pump_party.domains.marketdata.registry import Registry
from pump_party.kernel.errors import Invalid
from pump_party.kernel.ids import Market
from pump_party.kernel.money import E8_DECIMALS, parse_decimal

LINE_BYTES_MAX = 4 * 1024 * 1024
CANDLE_COLUMNS = b"date,open,high,low,close,volume"
FILES_MAX = 10_000

_CANDLE_NAME = re.compile(r"(?P<symbol>.+?)-1m(-\w+)?\.csv(\.gz)?")
_CAPTURE_NAME = re.compile(r"(?P<stream>.+?)(_\d{8}(T\d{6}Z)?)?\.gz")
_CAPTURE_LINE = re.compile(rb"(\d{13})(\d{6}) (\{.*\})", re.DOTALL)
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MILLISECOND = timedelta(milliseconds=1)


class BadRow(Exception):
    """A row or line that is not what its file promises. It is skipped, counted and named."""


class TapeBroken(Exception):
    """A file that cannot be read any further."""


class CandleFile(msgspec.Struct, frozen=True):
    """One market's one-minute candles."""

    path: Path
    market: Market

    @property
    def stream(self) -> str:
        return f"{self.market} candles"


class CaptureFile(msgspec.Struct, frozen=True):
    """One source's raw messages. Files of one `stream` follow each other by name."""

    path: Path
    stream: str
    source: str


class SkippedFile(msgspec.Struct, frozen=True):
    """A file of the folder that is not played, and why."""

    path: Path
    reason: str


TapeFile = CandleFile | CaptureFile


def find_files(folder: Path, registry: Registry) -> tuple[list[TapeFile], list[SkippedFile]]:
    """What can be played in a folder (or the one file named), and what not. Raises Invalid for a missing path."""
    if folder.is_file():
        paths = [folder]
    elif folder.is_dir():
        paths = sorted(path for path in folder.iterdir() if path.is_file())
    else:
        raise Invalid(f"there is no tape at {folder}", code="tape_missing", field="feed")
    if len(paths) > FILES_MAX:
        raise Invalid(f"{folder} holds more than {FILES_MAX} files", code="tape_too_large", field="feed")
    files: list[TapeFile] = []
    skipped: list[SkippedFile] = []
    for path in paths:
        found = _classify(path, registry)
        if isinstance(found, SkippedFile):
            skipped.append(found)
        else:
            files.append(found)
    return files, skipped


def read_lines(path: Path) -> Iterator[bytes]:
    """Lines without their end. Raises TapeBroken for a damaged file or an endless line."""
    try:
        with _open(path) as stream:
            while line := stream.readline(LINE_BYTES_MAX + 1):
                if len(line) > LINE_BYTES_MAX:
                    raise TapeBroken(f"{path.name}: a line of more than {LINE_BYTES_MAX} bytes")
                yield line.rstrip(b"\r\n")
    except (OSError, EOFError, zlib.error) as error:
        raise TapeBroken(f"{path.name}: {error}") from error


def read_rows(path: Path) -> Iterator[tuple[int, bytes]]:
    """(line number, row) of a candle table below its header. Raises TapeBroken when the header is another one."""
    lines = enumerate(read_lines(path), start=1)
    if next(lines, (1, b""))[1] != CANDLE_COLUMNS:
        raise TapeBroken(f"{path.name}: the columns are not {CANDLE_COLUMNS.decode()}")
    return lines


def parse_candle(row: bytes) -> RecordedCandle:
    """Raises BadRow, saying what is wrong."""
    try:
        date, *prices, _volume = row.decode("ascii").split(",")
        opened = datetime.fromisoformat(date)
        open_e8, high_e8, low_e8, close_e8 = (
            parse_decimal(price, decimals=E8_DECIMALS, field=name)
            for price, name in zip(prices, ("open", "high", "low", "close"), strict=True)
        )
    except Invalid as error:
        raise BadRow(f"{error.field} {error.detail}") from error
    except ValueError as error:
        raise BadRow("not a row of date, open, high, low, close, volume") from error
    if opened.tzinfo is None:
        raise BadRow("the date has no time zone")
    open_ms = (opened - _EPOCH) // _MILLISECOND
    if open_ms % CANDLE_MS != 0 or not TIME_MS_MIN <= open_ms <= TIME_MS_MAX:
        raise BadRow("the date is not the start of a minute of this century")
    if not 0 < low_e8 <= min(open_e8, close_e8) <= max(open_e8, close_e8) <= high_e8 <= PRICE_E8_MAX:
        raise BadRow("not 0 < low <= open, close <= high")
    return RecordedCandle(open_ms=open_ms, open_e8=open_e8, high_e8=high_e8, low_e8=low_e8, close_e8=close_e8)


def parse_capture(line: bytes) -> tuple[int, bytes]:
    """(local time in ms, JSON body) of a capture line. Raises BadRow."""
    match = _CAPTURE_LINE.fullmatch(line)
    if match is None:
        raise BadRow("not a line of nanoseconds and a JSON object")
    at_ms = int(match[1])
    if not TIME_MS_MIN <= at_ms <= TIME_MS_MAX:
        raise BadRow("the time is not in nanoseconds since 1970")
    return at_ms, match[3]


def capture_parser(source: str, registry: Registry) -> Parser:
    """The live adapter's own parser, with every name a recording may use for a market."""
    # Pyth and Jupiter bring the HTTP client along, which a tape of candles does not need.
    names = registry.symbols("tape")
    if source == "hyperliquid":
        return HyperliquidParser(names, source)
    if source == "binance":
        return BinanceParser(names, source)
    if source == "pyth":
        from pump_party.adapters.pyth import PythParser

        return PythParser(registry.symbols(source), registry.quote_symbols(source), source)
    assert source == "jupiter"
    from pump_party.adapters.jupiter import JupiterParser

    return JupiterParser(registry.symbols(source), registry.quote_symbols(source), source)


_SIGNS: Mapping[bytes, str] = {
    b'"channel":': "hyperliquid",
    b'"stream":': "binance",
    b'"parsed":': "pyth",
    b'"usdPrice":': "jupiter",
}


def _classify(path: Path, registry: Registry) -> TapeFile | SkippedFile:
    candles = _CANDLE_NAME.fullmatch(path.name)
    if candles is not None:
        symbol = candles["symbol"]
        market = registry.symbols("tape").get(symbol) or (registry.priced_as(symbol) if registry.has(symbol) else None)
        if market is None:
            return SkippedFile(path, f"no market of the registry is called {symbol}")
        return CandleFile(path, market)
    capture = _CAPTURE_NAME.fullmatch(path.name)
    if capture is None or path.name.endswith(".csv.gz"):
        return SkippedFile(path, "neither one-minute candles nor a raw capture")
    source = _source_of(path)
    if source is None:
        return SkippedFile(path, "not a raw capture of a known source")
    return CaptureFile(path, capture["stream"], source)


def _source_of(path: Path) -> str | None:
    try:
        first = next(read_lines(path), b"")
        _, body = parse_capture(first)
    except (TapeBroken, BadRow):
        return None
    return next((source for sign, source in _SIGNS.items() if sign in body), None)


def _open(path: Path) -> BinaryIO:
    if path.suffix == ".gz":
        return cast(BinaryIO, gzip.open(path, "rb"))
    return path.open("rb")
