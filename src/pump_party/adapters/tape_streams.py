"""Recorded files as moments in tape order: what is shown, when, and the recorded bytes that prove it."""

import hashlib
import heapq
from bisect import bisect_right
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
from pump_party.adapters.tape_funding import SettledRate, read_settled
from pump_party.domains.marketdata.book import OrderBook
from pump_party.domains.marketdata.candle_path import tick_e8, tick_ms
from pump_party.domains.marketdata.candles import confidence_e8
from pump_party.domains.marketdata.contract import PerpContext
from pump_party.domains.marketdata.model import Tick
from pump_party.domains.marketdata.perp_context import SAMPLE_STANDS_MS
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

    context: PerpContext | None = None
    """What was known of the perpetual at this price: the newest of the capture, of candles what was settled last."""


class Complaint(NamedTuple):
    """A row that was skipped or a file that ended early."""

    where: str
    reason: str


Complain = Callable[[Complaint], None]


class TapeStream(NamedTuple):
    """Files that follow each other in time, and the rates that were settled beside candles."""

    name: str
    files: tuple[TapeFile, ...]
    settled: Sequence[SettledRate] = ()


def open_tape(folder: Path, registry: Registry) -> list[TapeStream]:
    """The streams of a tape, in name order. Raises Invalid when there is nothing to play or a funding table is bad."""
    files, skipped = find_files(folder, registry)
    if not files:
        seen = ", ".join(f"{file.path.name} ({file.reason})" for file in skipped[:5]) or "it is empty"
        raise Invalid(f"nothing to play in {folder}: {seen}", code="tape_unusable", field="feed")
    settled = read_settled(folder, registry)
    streams: dict[str, TapeStream] = {}
    for file in files:
        rates = settled.get(file.market, ()) if isinstance(file, CandleFile) else ()
        before = streams.get(file.stream, TapeStream(file.stream, (), rates))
        streams[file.stream] = before._replace(files=(*before.files, file))
    return [streams[name] for name in sorted(streams)]


def moments(stream: TapeStream, registry: Registry, ticks: Sequence[int], complain: Complain) -> Iterator[Moment]:
    """A stream from its beginning, in order of `at_ms`. `ticks` are the ticks of a candle that are shown."""
    for file in stream.files:
        try:
            if isinstance(file, CandleFile):
                yield from _candle_moments(file, stream.settled, ticks, complain)
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


def _candle_moments(
    file: CandleFile, settled: Sequence[SettledRate], ticks: Sequence[int], complain: Complain
) -> Iterator[Moment]:
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
        row, context = Row(line), _standing(file.market, settled, candle.open_ms)
        for tick in ticks:
            at_ms, mid_e8 = tick_ms(candle, tick), tick_e8(candle, tick)
            yield Moment(at_ms, at_ms, file.market, mid_e8, confidence_e8(mid_e8), row, True, context=context)


def _standing(market: Market, settled: Sequence[SettledRate], at_ms: int) -> PerpContext | None:
    """What was settled last by then, told anew with every minute as a venue tells it."""
    count = bisect_right(settled, at_ms, key=lambda rate: rate.sample.at_ms)
    if not count or at_ms - settled[count - 1].sample.at_ms > SAMPLE_STANDS_MS:
        return None
    sample, row = settled[count - 1]
    digest = hashlib.sha256(row).hexdigest()
    rate = sample.funding_1h_ppb
    return PerpContext(market, None, rate, None, None, None, at_ms, "", digest, settled_ms=sample.at_ms)


def _capture_moments(path: Path, parser: Parser, complain: Complain) -> Iterator[Moment]:
    last_ms = 0
    books: dict[Market, OrderBook] = {}
    contexts: dict[Market, PerpContext] = {}
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
            elif isinstance(price, PerpContext):
                contexts[price.market] = price
            elif isinstance(price, Tick):
                market, book, context = price.market, books.get(price.market), contexts.get(price.market)
                yield Moment(at_ms, price.publish_ms, market, price.mid_e8, price.conf_e8, row, False, book, context)
