"""Runs the API on uvicorn, with the limits uvicorn lacks: on connections, header size and header time."""

import asyncio
import contextlib
import socket
from collections.abc import Callable, Iterator, Sequence
from typing import Any, Final, cast

import uvicorn
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from pump_party.apps.api.app import create_app
from pump_party.bootstrap.services import Services

CONNECTIONS_MAX: Final = 4_000
HEAD_BYTES_MAX: Final = 16 * 1024
HEAD_SECONDS_MAX: Final = 10.0
KEEP_ALIVE_SECONDS: Final = 30
SHUTDOWN_SECONDS: Final = 8
BACKLOG: Final = 1_024


async def serve(
    services: Services, sockets: list[socket.socket], stop: asyncio.Event, on_started: Callable[[], None]
) -> None:
    """Answer on bound sockets until `stop`; then finish what is in flight, at most SHUTDOWN_SECONDS."""
    stopping: list[Callable[[], None]] = []
    server = _Server(
        on_started,
        uvicorn.Config(
            create_app(services, stopping.append),
            http=BoundedProtocol,
            ws="none",
            loop="none",
            lifespan="on",
            log_config=None,
            access_log=False,
            server_header=False,
            proxy_headers=bool(services.settings.trusted_proxies),
            forwarded_allow_ips=services.settings.trusted_proxies,
            timeout_keep_alive=KEEP_ALIVE_SECONDS,
            timeout_graceful_shutdown=SHUTDOWN_SECONDS,
            backlog=BACKLOG,
        ),
    )
    waiting = asyncio.create_task(_stop_when_asked(server, stop, stopping))
    try:
        await server.serve(sockets=sockets)
    finally:
        waiting.cancel()


async def _stop_when_asked(server: uvicorn.Server, stop: asyncio.Event, stopping: Sequence[Callable[[], None]]) -> None:
    await stop.wait()
    server.should_exit = True
    for end in stopping:
        end()


class _Server(uvicorn.Server):
    """Signals belong to the command line, which stops every part of the process."""

    def __init__(self, on_started: Callable[[], None], config: uvicorn.Config) -> None:
        super().__init__(config)
        self._on_started = on_started

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        self._on_started()

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield


class BoundedProtocol(HttpToolsProtocol):
    """Closes connections beyond a number, and those whose request head is too large or too slow."""

    def __init__(self, *arguments: Any, **options: Any) -> None:
        super().__init__(*arguments, **options)
        self._head_bytes = 0
        self._in_head = False
        self._head_deadline: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(transport)
        self.transport = cast("asyncio.Transport", JoinedWrites(transport, self.loop))
        if len(self.connections) > CONNECTIONS_MAX:
            transport.abort()
            return
        self._await_head()

    def connection_lost(self, exc: Exception | None) -> None:
        self._head_arrived()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        if self._in_head:
            self._head_bytes += len(data)
        super().data_received(data)
        if self._in_head and self._head_bytes > HEAD_BYTES_MAX and not self.transport.is_closing():
            self.transport.write(b"HTTP/1.1 431 Request Header Fields Too Large\r\nconnection: close\r\n\r\n")
            self.transport.close()

    def on_message_begin(self) -> None:
        super().on_message_begin()
        if not self._in_head:
            self._await_head()

    def on_headers_complete(self) -> None:
        self._head_arrived()
        super().on_headers_complete()

    def _await_head(self) -> None:
        self._in_head = True
        self._head_bytes = 0
        self._head_deadline = self.loop.call_later(HEAD_SECONDS_MAX, self._head_too_slow)

    def _head_arrived(self) -> None:
        self._in_head = False
        if self._head_deadline is not None:
            self._head_deadline.cancel()
            self._head_deadline = None

    def _head_too_slow(self) -> None:
        if not self.transport.is_closing():
            self.transport.write(b"HTTP/1.1 408 Request Timeout\r\nconnection: close\r\n\r\n")
            self.transport.close()


class JoinedWrites:
    """A transport where the head of an answer leaves with its body; one that is alone leaves at the loop's next turn.

    uvicorn writes each for itself: two system calls and two packets for every answer.
    """

    def __init__(self, transport: asyncio.Transport, loop: asyncio.AbstractEventLoop) -> None:
        self._transport = transport
        self._loop = loop
        self._head = b""
        self._later: asyncio.Handle | None = None

    def write(self, data: bytes) -> None:
        if self._later is not None:
            self._transport.write(self._taken() + data)
        elif data.startswith(b"HTTP/1.1 "):
            self._head = data
            self._later = self._loop.call_soon(self._send_head)
        else:
            self._transport.write(data)

    def close(self) -> None:
        self._send_head()
        self._transport.close()

    def _send_head(self) -> None:
        if self._later is not None:
            self._transport.write(self._taken())

    def _taken(self) -> bytes:
        head, later = self._head, self._later
        self._head, self._later = b"", None
        if later is not None:
            later.cancel()
        return head

    def __getattr__(self, name: str) -> Any:
        return getattr(self._transport, name)
