"""`pump-party tape`: record live sources, import candle tables, look at what is on a tape."""

import argparse
import sys
from datetime import UTC, datetime
from pathlib import Path
from time import monotonic
from typing import Protocol

import msgspec

from pump_party.bootstrap.ingestion import open_tapes
from pump_party.config import load_settings
from pump_party.kernel.errors import Refusal

SECONDS_MAX = 7 * 24 * 3600
PROGRESS_EVERY_S = 1.0


class TapeFile(Protocol):
    """What is shown of a file."""

    name: str
    kind: str
    markets: list[str]
    first_ms: int | None
    last_ms: int | None
    rows: int
    prices: int
    bad_rows: int
    gaps: int
    missing: int
    problems: list[str]


def add_parser(subparsers: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Declare `tape record|import|info`."""
    tape = subparsers.add_parser("tape", help="record, import and inspect recorded prices")
    commands = tape.add_subparsers(dest="tape_command", required=True, metavar="COMMAND")

    record = commands.add_parser("record", help="write what live sources send, as raw captures")
    record.add_argument("folder", type=Path, metavar="DIR")
    record.add_argument("--feed", default="hyperliquid+binance", help="sources, joined by + (default: %(default)s)")
    record.add_argument("--seconds", type=_seconds, default=60, help="how long (default: %(default)s)")

    take_in = commands.add_parser("import", help="check a table of one-minute candles and add it to a tape")
    take_in.add_argument("file", type=Path, metavar="FILE.csv")
    take_in.add_argument("folder", type=Path, metavar="DIR")
    take_in.add_argument("--market", help="the market it is of, when its name does not tell")

    info = commands.add_parser("info", help="files, markets, range, rows, gaps and bad rows of a tape")
    info.add_argument("folder", type=Path, metavar="DIR")

    for command in (record, take_in, info):
        command.add_argument("--json", action="store_true", help="print JSON")


def run(args: argparse.Namespace) -> int:
    """0 when it is done; 1, with the reason, when it is not, or when the tape has bad rows."""
    try:
        return _COMMANDS[args.tape_command](args, _Progress())
    except Refusal as refusal:
        print(f"pump-party tape: {refusal.detail}", file=sys.stderr)
    except OSError as error:
        print(f"pump-party tape: {error}", file=sys.stderr)
    return 1


def _record(args: argparse.Namespace, progress: "_Progress") -> int:
    settings = load_settings({"feed": args.feed})
    recording = open_tapes().record(args.folder, settings, progress.tell, seconds=args.seconds)
    lines = [f"{args.folder / name}" for name in recording.files]
    lines += [f"{source}: {error}" for source, error in recording.errors.items()]
    progress.end()
    _print(args, recording, [*lines, f"{recording.payloads} payloads"])
    return 0 if recording.payloads else 1


def _import(args: argparse.Namespace, progress: "_Progress") -> int:
    taken = open_tapes().import_candles(args.file, args.folder, progress.tell, market=args.market)
    progress.end()
    _print(args, taken, _describe(taken))
    return 0


def _info(args: argparse.Namespace, progress: "_Progress") -> int:
    found = open_tapes().info(args.folder, progress.tell)
    progress.end()
    lines = [line for file in found.files for line in _describe(file)]
    lines += [f"{file.name}: not played: {file.reason}" for file in found.skipped]
    _print(args, found, lines or ["nothing here"])
    return 1 if not found.files or any(file.problems for file in found.files) else 0


_COMMANDS = {"record": _record, "import": _import, "info": _info}


def _describe(file: TapeFile) -> list[str]:
    counts = f"{file.rows} rows, {file.prices} with a price, {file.bad_rows} bad, {file.gaps} gaps"
    if file.missing:
        counts += f" ({file.missing} candles missing)"
    span = f"{_utc(file.first_ms)} to {_utc(file.last_ms)}"
    markets = " ".join(file.markets) or "no market"
    return [f"{file.name}: {file.kind}, {markets}, {span}, {counts}", *(f"  {problem}" for problem in file.problems)]


def _utc(time_ms: int | None) -> str:
    if time_ms is None:
        return "-"
    return datetime.fromtimestamp(time_ms // 1000, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def _print(args: argparse.Namespace, result: msgspec.Struct, lines: list[str]) -> None:
    print(msgspec.json.encode(result).decode() if args.json else "\n".join(lines))


def _seconds(text: str) -> int:
    if not text.isascii() or not text.isdigit() or not 1 <= int(text) <= SECONDS_MAX:
        raise argparse.ArgumentTypeError(f"{text!r} is not a whole number from 1 to {SECONDS_MAX}")
    return int(text)


class _Progress:
    """At most one line a second on standard error, the newest; on a terminal always the same line."""

    def __init__(self) -> None:
        self._on_terminal = sys.stderr.isatty()
        self._next_s = monotonic() + PROGRESS_EVERY_S

    def tell(self, text: str) -> None:
        if monotonic() < self._next_s:
            return
        self._next_s = monotonic() + PROGRESS_EVERY_S
        if self._on_terminal:
            print(f"\r\x1b[K{text}", end="", file=sys.stderr, flush=True)
        else:
            print(text, file=sys.stderr, flush=True)

    def end(self) -> None:
        if self._on_terminal:
            print("\r\x1b[K", end="", file=sys.stderr, flush=True)
