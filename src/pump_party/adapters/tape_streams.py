"""Recorded files as moments in tape order: what is shown, when, and the recorded bytes that prove it."""

import hashlib
import heapq
from collections.abc import Callable, Iterator, Sequence
from functools import cached_property
from pathlib import Path
from typing import NamedTuple

import msgspec

from pump_party.adapters.observed_price import BadPayload
from pump_party.adapters.reporting import Parser
from pump_party.adapters.tape_files import (
    BadRow,
    CandleFile,
    TapeBroken,
    TapeFile,
    capture_parser,
    find_files,
    parse_candle,
    parse_capture,
    read_lines,
    read_rows,
)
from pump_party.domains.marketdata.book import OrderBook
from pump_party.domains.marketdata.candle_path import tick_e8, tick_ms
from pump_party.domains.marketdata.candles import confidence_e8
from pump_party.domains.marketdata.model import Tick
from pump_party.domains.marketdata.registry import Registry
from pump_party.kernel.errors import Invalid
from pump_party.kernel.ids import Market

START_SKEW_MAX_MS = 3_600_000
"""Streams that begin within an hour of each other play together; others play after them."""


class Row:
    """The recorded bytes behind one or more moments."""

    def __init__(self, body: bytes) -> None:
        self.body = body

    @cached_property
    def sha256(self) -> str:
        return hashlib.sha256(self.body).hexdigest()


class Moment(NamedTuple):
    """A price on the tape. `at_ms` orders and paces the tape, `tape_ms` is the source's own time for the price."""

    at_ms: int
    tape_ms: int
    market: Market
    mid_e8: int
    conf_e8: int
    row: Row
    is_candle: bool
    book: OrderBook | None = None
    """The book as it was at this price, where the capture has one."""


class Complaint(NamedTuple):
    """A row that was skipped or a file that ended early."""

    where: str
    reason: str


Complain = Callable[[Complaint], None]


class TapeStream(NamedTuple):
    """Files that follow each other in time."""

    name: str
    files: tuple[TapeFile, ...]


def open_tape(folder: Path, registry: Registry) -> list[TapeStream]:
    """The streams of a tape, in name order. Raises Invalid when there is nothing to play."""
    files, skipped = find_files(folder, registry)
    if not files:
        seen = ", ".join(f"{file.path.name} ({file.reason})" for file in skipped[:5]) or "it is empty"
        raise Invalid(f"nothing to play in {folder}: {seen}", code="tape_unusable", field="feed")
    names = sorted({file.stream for file in files})
    return [TapeStream(name, tuple(file for file in files if file.stream == name)) for name in names]


def moments(stream: TapeStream, registry: Registry, ticks: Sequence[int], complain: Complain) -> Iterator[Moment]:
    """A stream from its beginning, in order of `at_ms`. `ticks` are the ticks of a candle that are shown."""
    for file in stream.files:
        try:
            if isinstance(file, CandleFile):
                yield from _candle_moments(file, ticks, complain)
            else:
                yield from _capture_moments(file.path, capture_parser(file.source, registry), complain)
        except TapeBroken as error:
            complain(Complaint(file.path.name, str(error)))


def segments(streams: Sequence[Iterator[Moment]]) -> Iterator[Iterator[Moment]]:
    """Group streams that can play together: each group from its latest start until its first stream ends."""
    waiting = sorted(((first, stream) for stream in streams if (first := next(stream, None))), key=lambda s: s[0].at_ms)
    while waiting:
        begin_ms = waiting[0][0].at_ms
        together = [(first, rest) for first, rest in waiting if first.at_ms - begin_ms <= START_SKEW_MAX_MS]
        waiting = waiting[len(together) :]
        yield _merged(together)


def _merged(streams: Sequence[tuple[Moment, Iterator[Moment]]]) -> Iterator[Moment]:
    start_ms = max(first.at_ms for first, _ in streams)
    heap = [(first.at_ms, number, first, rest) for number, (first, rest) in enumerate(streams)]
    heapq.heapify(heap)
    # Two recordings of one market are two prices of it: only the stream that shows it first is played.
    shown_by: dict[Market, int] = {}
    while True:
        at_ms, number, moment, rest = heap[0]
        if at_ms >= start_ms and shown_by.setdefault(moment.market, number) == number:
            yield moment
        following = next(rest, None)
        if following is None:
            return
        heapq.heapreplace(heap, (following.at_ms, number, following, rest))


def _candle_moments(file: CandleFile, ticks: Sequence[int], complain: Complain) -> Iterator[Moment]:
    last_ms = 0
    for number, line in read_rows(file.path):
        try:
            candle = parse_candle(line)
            if candle.open_ms <= last_ms:
                raise BadRow("not later than the row before")
        except BadRow as error:
            complain(Complaint(f"{file.path.name}:{number}", str(error)))
            continue
        last_ms = candle.open_ms
        row = Row(line)
        for tick in ticks:
            at_ms, mid_e8 = tick_ms(candle, tick), tick_e8(candle, tick)
            yield Moment(at_ms, at_ms, file.market, mid_e8, confidence_e8(mid_e8), row, True)


def _capture_moments(path: Path, parser: Parser, complain: Complain) -> Iterator[Moment]:
    last_ms = 0
    books: dict[Market, OrderBook] = {}
    for number, line in enumerate(read_lines(path), start=1):
        try:
            at_ms, body = parse_capture(line)
            if at_ms < last_ms:
                raise BadRow("earlier than the line before")
            row = Row(line)
            prices = parser.parse(body, row.sha256, at_ms)
        except (BadRow, BadPayload, msgspec.MsgspecError, RecursionError) as error:
            complain(Complaint(f"{path.name}:{number}", str(error)))
            continue
        last_ms = at_ms
        for price in prices:
            if isinstance(price, OrderBook):
                books[price.market] = price
            elif isinstance(price, Tick):
                book = books.get(price.market)
                yield Moment(at_ms, price.publish_ms, price.market, price.mid_e8, price.conf_e8, row, False, book)
