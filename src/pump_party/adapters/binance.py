"""Binance's public spot books over one combined WebSocket stream.

Mid and confidence come from `bookTicker` (`observed_price.mid_of_book`). A spot `bookTicker` has no time, so its
publish time is the newest event time the venue sent for that symbol on this connection (`depth@100ms`, `trade`):
the venue's clock, at most one depth interval too old, never too young. Before the first such event there is no price.

Books come from the same depth events and one REST snapshot each (`binance_books`).
"""

import asyncio
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from decimal import Decimal

import msgspec

from pump_party.adapters.binance_books import SNAPSHOT_LEVELS, BinanceBooks, DepthEvent, DepthSnapshot
from pump_party.adapters.observed_price import BadPayload, check_time, mid_of_book
from pump_party.adapters.reconnect import Backoff, keep_connected
from pump_party.adapters.reporting import Report, SourceFailed
from pump_party.adapters.web_socket import SILENCE_MAX_S, listen
from pump_party.domains.marketdata.book import OrderBook
from pump_party.domains.marketdata.model import Tick, TickSink
from pump_party.kernel.ids import Market
from pump_party.platform.clock import Clock

NAME = "binance"
SNAPSHOT_PAUSE_S = 1.0
"""How often a connection looks for missing books. A snapshot weighs 50 of the 6,000 a minute that the venue allows."""

SNAPSHOT_RETRY_S = 5.0


class BinanceSource:
    """Books of the given symbols ("SOLUSDC"). `jitter` returns a number in [0, 1)."""

    name = NAME
    feed = "live"
    label = "Binance"

    def __init__(
        self,
        symbols: Mapping[str, Market],
        *,
        ws_url: str,
        rest_url: str,
        clock: Clock,
        jitter: Callable[[], float],
        silence_max_s: float = SILENCE_MAX_S,
        snapshot_pause_s: float = SNAPSHOT_PAUSE_S,
    ) -> None:
        streams = "/".join(f"{symbol.lower()}@{kind}" for symbol in symbols for kind in ("bookTicker", "depth@100ms"))
        self._url = f"{ws_url.rstrip('/')}/stream?streams={streams}"
        self._symbols = symbols
        self._clock = clock
        self._jitter = jitter
        self._silence_max_s = silence_max_s
        self._snapshot_url = f"{rest_url.rstrip('/')}/api/v3/depth"
        self._snapshot_pause_s = snapshot_pause_s

    async def run(self, sink: TickSink) -> None:
        await keep_connected(self._connect, Report(self.name, sink, self._clock), Backoff(self._jitter))

    async def _connect(self, report: Report) -> None:
        parser = BinanceParser(self._symbols, NAME)
        snapshots = asyncio.ensure_future(self._begin_books(report, parser))
        try:
            await listen(
                self._url,
                hello=(),
                keepalive=None,
                on_message=lambda body: report.payload(body, parser),
                silence_max_s=self._silence_max_s,
            )
        finally:
            snapshots.cancel()
            with suppress(asyncio.CancelledError):
                await snapshots

    async def _begin_books(self, report: Report, parser: "BinanceParser") -> None:
        """Fetch a snapshot of every book that is missing one, for as long as the connection stands."""
        while True:
            await asyncio.sleep(self._snapshot_pause_s)
            try:
                for symbol in parser.books.missing():
                    report.payload(await self._snapshot(symbol), SnapshotParser(parser.books, symbol))
            except SourceFailed as failure:
                report.trouble(f"no book: {failure}")
                await asyncio.sleep(max(failure.retry_after_s, SNAPSHOT_RETRY_S))

    async def _snapshot(self, symbol: str) -> bytes:
        # The HTTP client costs start time and memory: it is not loaded while no book is missing.
        from pump_party.adapters.http_reply import fetch, http_client

        async with http_client() as client:
            question = {"symbol": symbol, "limit": str(SNAPSHOT_LEVELS)}
            return await fetch(client, "GET", self._snapshot_url, params=question)


class BinanceParser:
    """Messages of one connection, in order: event times are carried over to the book tickers that follow."""

    def __init__(self, symbols: Mapping[str, Market], source: str) -> None:
        self._symbols = symbols
        self._source = source
        self._event_ms: dict[str, int] = {}
        self.books = BinanceBooks(symbols, source)

    def parse(self, body: bytes, sha256: str, recv_ms: int) -> Sequence[Tick | OrderBook]:
        message = _MESSAGE.decode(body)
        if message.stream is None:
            return self._without_stream(body, sha256, recv_ms)
        kind = message.stream.partition("@")[2]
        if kind == "bookTicker":
            return self._tick(_BOOK_TICKER.decode(message.data), sha256, recv_ms)
        if kind == "trade":
            event = _EVENT.decode(message.data)
            self._heard(event.symbol, event.time_ms)
            return ()
        if kind.startswith("depth@"):
            depth = _DEPTH.decode(message.data)
            self._heard(depth.symbol, depth.time_ms)
            return self.books.changed(depth, sha256, recv_ms)
        raise BadPayload(f"unexpected stream {message.stream[:40]!r}")

    def _heard(self, symbol: str, event_ms: int) -> None:
        self._event_ms[symbol] = max(self._event_ms.get(symbol, 0), check_time(event_ms, field="E"))

    def _without_stream(self, body: bytes, sha256: str, recv_ms: int) -> Sequence[OrderBook]:
        reply = _UNSTREAMED.decode(body)
        # A REST depth snapshot, as recordings have it, names no symbol; an answer to a subscription has an id.
        if reply.lastUpdateId is not None:
            return SnapshotParser(self.books, None).parse(body, sha256, recv_ms)
        if reply.id is None:
            raise BadPayload("neither a stream message nor a known reply")
        return ()

    def _tick(self, book: "_BookTicker", sha256: str, recv_ms: int) -> Sequence[Tick]:
        market = self._symbols.get(book.symbol)
        publish_ms = self._event_ms.get(book.symbol)
        if market is None or publish_ms is None:
            return ()
        mid_e8, conf_e8 = mid_of_book(book.bid, book.ask)
        return (
            Tick(
                market=market,
                mid_e8=mid_e8,
                conf_e8=conf_e8,
                publish_ms=publish_ms,
                slot=book.update_id,
                recv_ms=recv_ms,
                source=self._source,
                raw_sha256=sha256,
            ),
        )


class SnapshotParser:
    """REST depth snapshots of one symbol, which they do not name."""

    def __init__(self, books: BinanceBooks, symbol: str | None) -> None:
        self._books = books
        self._symbol = symbol

    def parse(self, body: bytes, sha256: str, recv_ms: int) -> Sequence[OrderBook]:
        return self._books.began(_SNAPSHOT.decode(body), self._symbol, sha256, recv_ms)


class _BookTicker(msgspec.Struct):
    symbol: str = msgspec.field(name="s")
    update_id: int = msgspec.field(name="u")
    bid: Decimal = msgspec.field(name="b")
    ask: Decimal = msgspec.field(name="a")


class _Event(msgspec.Struct):
    symbol: str = msgspec.field(name="s")
    time_ms: int = msgspec.field(name="E")


class _Unstreamed(msgspec.Struct):
    lastUpdateId: int | None = None  # noqa: N815 - the venue's name
    id: int | str | None = None


class _Message(msgspec.Struct):
    stream: str | None = None
    data: msgspec.Raw = msgspec.Raw()


_MESSAGE = msgspec.json.Decoder(_Message)
_BOOK_TICKER = msgspec.json.Decoder(_BookTicker)
_DEPTH = msgspec.json.Decoder(DepthEvent)
_SNAPSHOT = msgspec.json.Decoder(DepthSnapshot)
_EVENT = msgspec.json.Decoder(_Event)
_UNSTREAMED = msgspec.json.Decoder(_Unstreamed)
