"""Say what is on a tape, take candle tables into one, and record one."""

import asyncio
from collections.abc import Callable
from pathlib import Path

import msgspec

from pump_party.adapters.feeds import FeedSettings, build_sources
from pump_party.adapters.observed_price import BadPayload
from pump_party.adapters.tape_files import (
    BadRow,
    CandleFile,
    CaptureFile,
    TapeBroken,
    capture_parser,
    find_files,
    parse_candle,
    parse_capture,
    read_lines,
    read_rows,
)
from pump_party.adapters.tape_funding import FundingFile, funding_files, read_rates
from pump_party.adapters.tape_recorder import record
from pump_party.adapters.whole_file import WholeFile
from pump_party.domains.marketdata.candle_path import CANDLE_MS
from pump_party.domains.marketdata.contract import FEED_SILENT_MS
from pump_party.domains.marketdata.model import Tick
from pump_party.domains.marketdata.registry import Registry
from pump_party.kernel.errors import Invalid
from pump_party.platform.clock import Clock

PROBLEMS_SHOWN_MAX = 20
PROGRESS_EVERY_ROWS = 10_000

Tell = Callable[[str], None]


class TapeFileInfo(msgspec.Struct, kw_only=True):
    """What is in one file.

    A gap is a missing candle, or silence of a capture for as long as it takes to halt a market. `missing` counts the
    candles that the gaps lack, `prices` the rows that carry a price, `problems` tells the first of the bad rows.
    """

    name: str
    kind: str
    stream: str
    markets: list[str] = []
    first_ms: int | None = None
    last_ms: int | None = None
    rows: int = 0
    prices: int = 0
    bad_rows: int = 0
    gaps: int = 0
    missing: int = 0
    problems: list[str] = []


class SkippedFileInfo(msgspec.Struct, frozen=True):
    name: str
    reason: str


class Recording(msgspec.Struct, frozen=True):
    """What was recorded: the finished files, how many payloads, and the last error of each source that had one."""

    files: list[str]
    payloads: int
    errors: dict[str, str]


class TapeInfo(msgspec.Struct, frozen=True):
    """A folder, file by file."""

    folder: str
    files: list[TapeFileInfo]
    skipped: list[SkippedFileInfo]


class Tapes:
    """The tapes of this machine. `tell` hears of progress, often; show of it what fits."""

    def __init__(self, registry: Registry, clock: Clock) -> None:
        self._registry = registry
        self._clock = clock

    def info(self, folder: Path, tell: Tell) -> TapeInfo:
        """Read every file to its end. Raises Invalid when there is no such path."""
        files, skipped = find_files(folder, self._registry)
        infos = [
            _inspect_candles(file, tell)
            if isinstance(file, CandleFile)
            else _inspect_capture(file, self._registry, tell)
            for file in files
        ]
        tables = funding_files(folder, self._registry)
        infos += [_inspect_funding(table) for table in tables]
        unknown = [file for file in skipped if file.path not in {table.path for table in tables}]
        return TapeInfo(str(folder), infos, [SkippedFileInfo(file.path.name, file.reason) for file in unknown])

    def import_candles(self, source: Path, folder: Path, tell: Tell, *, market: str | None) -> TapeFileInfo:
        """Check a candle table and keep it in a tape folder, rows unchanged, named for its market.

        Without `market` the file's name must tell it. Raises Invalid for any bad row; gaps are allowed and reported.
        """
        file = _candle_file(source, self._registry, market)
        info = _inspect_candles(file, tell)
        if info.problems or info.rows == 0:
            raise Invalid(info.problems[0] if info.problems else "there are no rows", code="tape_bad", field="file")
        folder.mkdir(parents=True, exist_ok=True)
        target = folder / f"{file.market}-1m.csv.gz"
        if target.exists():
            raise Invalid(f"{target} is there already", code="tape_exists", field="folder")
        whole = WholeFile(target)
        for line in read_lines(source):
            whole.write(line + b"\n")
        whole.finish()
        info.name = target.name
        return info

    def record(self, folder: Path, settings: FeedSettings, tell: Tell, *, seconds: int) -> Recording:
        """Write what the configured sources send for a while. Blocks for that long. Raises Invalid for other feeds."""
        sources = build_sources(settings, self._registry, self._clock, with_past=False)
        if any(source.feed != "live" for source in sources):
            raise Invalid(f"{settings.feed} is not live: only live sources are recorded", code="not_live", field="feed")
        recorder = asyncio.run(record(sources, folder, self._clock, seconds=seconds, tell=tell))
        return Recording(sorted(recorder.finished), recorder.payloads, recorder.errors)


def _candle_file(source: Path, registry: Registry, market: str | None) -> CandleFile:
    if not source.is_file():
        raise Invalid(f"there is no file {source}", code="tape_missing", field="file")
    if market is not None:
        return CandleFile(source, registry.priced_as(market))
    files, skipped = find_files(source, registry)
    if files and isinstance(files[0], CandleFile):
        return files[0]
    reason = skipped[0].reason if skipped else "it is a raw capture"
    raise Invalid(f"{source.name}: {reason}; --market names the market of a table", code="tape_bad", field="file")


def _inspect_candles(file: CandleFile, tell: Tell) -> TapeFileInfo:
    info = TapeFileInfo(name=file.path.name, kind="candles", stream=file.stream, markets=[file.market])
    try:
        for number, line in read_rows(file.path):
            try:
                opened_ms = parse_candle(line).open_ms
                if info.last_ms is not None and opened_ms <= info.last_ms:
                    raise BadRow("not later than the row before")
            except BadRow as error:
                _note_bad(info, number, error)
                continue
            if info.last_ms is not None and opened_ms - info.last_ms > CANDLE_MS:
                info.gaps += 1
                info.missing += (opened_ms - info.last_ms) // CANDLE_MS - 1
            info.prices += 1
            _count(info, opened_ms, tell)
    except TapeBroken as error:
        info.problems.append(str(error))
    return info


def _inspect_capture(file: CaptureFile, registry: Registry, tell: Tell) -> TapeFileInfo:
    info = TapeFileInfo(name=file.path.name, kind="capture", stream=file.stream)
    parser = capture_parser(file.source, registry)
    try:
        for number, line in enumerate(read_lines(file.path), start=1):
            try:
                at_ms, body = parse_capture(line)
                if info.last_ms is not None and at_ms < info.last_ms:
                    raise BadRow("earlier than the line before")
                ticks = [price for price in parser.parse(body, "", at_ms) if isinstance(price, Tick)]
            except (BadRow, BadPayload, msgspec.MsgspecError, RecursionError) as error:
                _note_bad(info, number, error)
                continue
            info.gaps += info.last_ms is not None and at_ms - info.last_ms > FEED_SILENT_MS
            info.prices += bool(ticks)
            info.markets = sorted({*info.markets, *(tick.market for tick in ticks)})
            _count(info, at_ms, tell)
    except TapeBroken as error:
        info.problems.append(str(error))
    return info


def _inspect_funding(table: FundingFile) -> TapeFileInfo:
    info = TapeFileInfo(name=table.path.name, kind="funding", stream=f"{table.market} funding", markets=[table.market])
    try:
        times = [rate.sample.at_ms for rate in read_rates(table)]
    except Invalid as error:
        info.bad_rows, info.problems = 1, [error.detail]
        return info
    if times:
        info.rows, info.first_ms, info.last_ms = len(times), times[0], times[-1]
    return info


def _count(info: TapeFileInfo, at_ms: int, tell: Tell) -> None:
    info.rows += 1
    info.last_ms = at_ms
    if info.first_ms is None:
        info.first_ms = at_ms
    if info.rows % PROGRESS_EVERY_ROWS == 0:
        tell(f"{info.name}: {info.rows} rows")


def _note_bad(info: TapeFileInfo, number: int, error: Exception) -> None:
    info.bad_rows += 1
    if len(info.problems) < PROBLEMS_SHOWN_MAX:
        info.problems.append(f"{info.name}:{number}: {error}")
