"""Local servers that answer as a venue would, and a sink that remembers what it was told."""

import asyncio
import contextlib
import gzip
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from picows import WSFrame, WSListener, WSMsgType, WSTransport, WSUpgradeRequest, ws_create_server

from pump_party.domains.marketdata.book import OrderBook
from pump_party.domains.marketdata.contract import Candle, PerpContext, SourceState
from pump_party.domains.marketdata.model import PriceSource, RawPayload, Tick

WAIT_MAX_S = 10.0

GARBAGE = (
    b"",
    b"\x00\xff\xfe",
    b"null",
    b"[]",
    b"42",
    b'"text"',
    b"{",
    b"{}",
    b"<html>bad gateway</html>",
    b"[" * 100_000,
    b'{"channel":' + b"[" * 100_000,
)
"""What no source ever means."""


class Collected:
    """A sink that remembers."""

    def __init__(self) -> None:
        self.raws: list[RawPayload] = []
        self.ticks: list[Tick] = []
        self.books: list[OrderBook] = []
        self.contexts: list[PerpContext] = []
        self.earlier: list[Candle] = []
        self.rates: list[tuple[str, int, int]] = []
        self.states: list[tuple[str, SourceState, str | None]] = []
        self._changed = asyncio.Event()

    def observed(self, raw: RawPayload, ticks: Sequence[Tick]) -> None:
        self.raws.append(raw)
        self.ticks.extend(ticks)
        self._changed.set()

    def quote_asset_rate(self, source: str, rate_e8: int, publish_ms: int) -> None:
        self.rates.append((source, rate_e8, publish_ms))
        self._changed.set()

    def book_changed(self, book: OrderBook) -> None:
        self.books.append(book)
        self._changed.set()

    def context_changed(self, context: PerpContext) -> None:
        self.contexts.append(context)
        self._changed.set()

    def earlier_candles(self, source: str, candles: Sequence[Candle]) -> None:
        self.earlier.extend(candles)
        self._changed.set()

    def state_changed(self, source: str, state: SourceState, error: str | None = None) -> None:
        self.states.append((source, state, error))
        self._changed.set()

    @property
    def errors(self) -> list[str]:
        return [error for _, _, error in self.states if error is not None]

    async def until(self, condition: Callable[[], object]) -> None:
        async with asyncio.timeout(WAIT_MAX_S):
            while not condition():
                self._changed.clear()
                await self._changed.wait()


@contextlib.asynccontextmanager
async def running(source: PriceSource) -> AsyncIterator[Collected]:
    """Run a source for the length of a block. What it raises fails the test."""
    sink = Collected()
    task = asyncio.ensure_future(source.run(sink))
    try:
        yield sink
        assert not task.done() or task.result() is None
    finally:
        task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await task


class Close:
    """In a script: end the connection here."""


class Hold:
    """In a script: keep the connection open and say nothing more."""


Script = Sequence[bytes | type[Close] | type[Hold]]


@dataclass
class SocketVenue:
    """A WebSocket server. Connection n plays script n, the last script for all that follow."""

    scripts: Sequence[Script]
    url: str = ""
    paths: list[str] = field(default_factory=list)
    heard: list[bytes] = field(default_factory=list)
    transports: list[WSTransport] = field(default_factory=list)

    @contextlib.asynccontextmanager
    async def open(self) -> AsyncIterator["SocketVenue"]:
        server = await ws_create_server(self._accept, "127.0.0.1", 0)
        self.url = f"ws://127.0.0.1:{server.sockets[0].getsockname()[1]}"
        try:
            yield self
        finally:
            server.close()

    def _accept(self, request: WSUpgradeRequest) -> WSListener:
        script = self.scripts[min(len(self.paths), len(self.scripts) - 1)]
        self.paths.append(request.path.decode())
        return _Player(script, self)

    def send(self, message: bytes) -> None:
        """Say one thing more on the newest connection."""
        self.transports[-1].send(WSMsgType.TEXT, message)


class _Player(WSListener):
    def __init__(self, script: Script, venue: SocketVenue) -> None:
        super().__init__()
        self._script = script
        self._venue = venue

    def on_ws_connected(self, transport: WSTransport) -> None:
        self._venue.transports.append(transport)
        asyncio.ensure_future(self._play(transport))  # noqa: RUF006 - ends with the loop

    def on_ws_frame(self, transport: WSTransport, frame: WSFrame) -> None:
        if frame.msg_type == WSMsgType.TEXT:
            self._venue.heard.append(frame.get_payload_as_bytes())

    async def _play(self, transport: WSTransport) -> None:
        for item in self._script:
            if item is Close:
                transport.disconnect()
                return
            if item is Hold or transport.is_disconnected:
                return
            assert isinstance(item, bytes)
            transport.send(WSMsgType.TEXT, item)
            await asyncio.sleep(0)
        transport.disconnect()


@dataclass
class Reply:
    """An HTTP reply, its chunks sent as they are; `hold` keeps the connection open after them."""

    status: int = 200
    chunks: Sequence[bytes] = (b"",)
    headers: Sequence[str] = ("content-type: application/json",)
    hold: bool = False


@dataclass
class Request:
    method: str
    path: str
    headers: dict[str, str]
    body: bytes


@dataclass
class HttpVenue:
    """An HTTP server. Request n gets reply n, the last reply for all that follow; or what `answer` returns."""

    replies: Sequence[Reply] = ()
    answer: Callable[[Request], Reply] | None = None
    url: str = ""
    requests: list[Request] = field(default_factory=list)

    @contextlib.asynccontextmanager
    async def open(self) -> AsyncIterator["HttpVenue"]:
        server = await asyncio.start_server(self._serve, "127.0.0.1", 0)
        self.url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
        try:
            yield self
        finally:
            server.close()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(ConnectionError, asyncio.IncompleteReadError):
            head = (await reader.readuntil(b"\r\n\r\n")).decode()
            first, *lines = head.split("\r\n")
            method, path, _ = first.split(" ")
            headers = {name.lower(): value for name, _, value in (line.partition(": ") for line in lines)}
            body = await reader.readexactly(int(headers.get("content-length", "0")))
            request = Request(method, path, headers, body)
            self.requests.append(request)
            reply = (
                self.answer(request) if self.answer else self.replies[min(len(self.requests), len(self.replies)) - 1]
            )
            fields = "".join(f"{line}\r\n" for line in reply.headers)
            writer.write(f"HTTP/1.1 {reply.status} X\r\n{fields}connection: close\r\n\r\n".encode())
            for chunk in reply.chunks:
                writer.write(chunk)
                await writer.drain()
            if reply.hold:
                await reader.read()
        writer.close()


def capture_bodies(path: Path) -> Iterator[bytes]:
    """The messages of a raw capture, as the venue sent them."""
    with gzip.open(path, "rb") as lines:
        for line in lines:
            yield line.rstrip(b"\n").partition(b" ")[2]
