"""HTTP/1.1 to providers of language models: one question at a time on a connection, whole replies with limits.

The SDKs would read a reply that does not end into memory whole, and follow one down as deep as it goes. A pool of
connections looks at each of them for every request; here the one that was used last is used next.
"""

import asyncio
import time
from collections import deque

import httptools
import httpx2

from pump_party.kernel.json_depth import is_nested_beyond

CONNECT_TIMEOUT_S = 5.0
OTHER_ADDRESS_AFTER_S = 0.25
"""A host with several addresses is tried at the next one when the first has not answered by then."""

KEPT_S = 90.0
"""A connection waits for the next slot of a minute."""

REPLY_BYTES_MAX = 4 * 1024 * 1024
REPLY_DEPTH_MAX = 64
PORTS = {"http": 80, "https": 443}
OK = 200
PLAIN = b"identity"
"""A compressed reply would be counted before it grows."""

Origin = tuple[str, str, int]


class ReplyTooLong(Exception):
    """A reply beyond the limits; the text says which."""


class ModelLines(httpx2.AsyncBaseTransport):
    """A transport for `httpx2.AsyncClient`. Belongs to one event loop. There are as many lines as are used at once."""

    def __init__(self) -> None:
        self._context = httpx2.create_ssl_context(trust_env=False)
        self._idle: dict[Origin, deque[_Line]] = {}

    async def handle_async_request(self, request: httpx2.Request) -> httpx2.Response:
        request.headers["Accept-Encoding"] = PLAIN.decode()
        url = request.url
        origin = (url.scheme, url.host, url.port or PORTS[url.scheme])
        idle = self._idle.setdefault(origin, deque())
        written = _written(request, await request.aread())
        line = _usable(idle) or await self._opened(origin)
        try:
            response = await line.ask(written)
        except BaseException:
            line.close()
            raise
        idle.append(line)
        return response

    async def _opened(self, origin: Origin) -> "_Line":
        scheme, host, port = origin
        loop = asyncio.get_running_loop()
        context = self._context if scheme == "https" else None
        try:
            async with asyncio.timeout(CONNECT_TIMEOUT_S):
                _, line = await loop.create_connection(
                    _Line, host, port, ssl=context, happy_eyeballs_delay=OTHER_ADDRESS_AFTER_S
                )
        except TimeoutError as error:
            raise httpx2.ConnectTimeout(f"no connection within {CONNECT_TIMEOUT_S:g} s") from error
        except OSError as error:
            raise httpx2.ConnectError(type(error).__name__) from error
        return line

    async def aclose(self) -> None:
        for idle in self._idle.values():
            for line in idle:
                line.close()
        self._idle.clear()


def _usable(idle: "deque[_Line]") -> "_Line | None":
    while idle and not idle[0].is_usable:
        idle.popleft().close()
    while idle:
        line = idle.pop()
        if line.is_usable:
            return line
        line.close()
    return None


def _written(request: httpx2.Request, body: bytes) -> bytes:
    lines = [f"{request.method} ".encode() + request.url.raw_path + b" HTTP/1.1"]
    lines += [name + b": " + value for name, value in request.headers.raw]
    if any(b"\n" in line or b"\r" in line for line in lines):
        raise httpx2.LocalProtocolError("a line break in a header")
    return b"\r\n".join([*lines, b"", body])


class _Line(asyncio.Protocol):
    """One connection."""

    def __init__(self) -> None:
        self._transport: asyncio.Transport | None = None
        self._reply: asyncio.Future[httpx2.Response] | None = None
        self._used_s = 0.0
        self._begin()

    def _begin(self) -> None:
        self._parser = httptools.HttpResponseParser(self)
        self._bytes = 0
        self._headers: list[tuple[bytes, bytes]] = []
        self._has_headers = False
        self._body: list[bytes] = []

    @property
    def is_usable(self) -> bool:
        assert self._transport is not None
        return not self._transport.is_closing() and time.monotonic() - self._used_s < KEPT_S

    async def ask(self, written: bytes) -> httpx2.Response:
        """Raises httpx2.HTTPError, ReplyTooLong. A line that failed cannot be used again: close it."""
        assert self._transport is not None
        assert self._reply is None
        self._begin()
        self._reply = asyncio.get_running_loop().create_future()
        self._transport.write(written)
        response = await self._reply
        self._reply = None
        self._used_s = time.monotonic()
        # The SDK parses the reply.
        if is_nested_beyond(response.content, REPLY_DEPTH_MAX):
            raise ReplyTooLong(f"the reply is nested more than {REPLY_DEPTH_MAX} deep")
        return response

    def close(self) -> None:
        if self._transport is not None:
            self._transport.abort()

    # --- what the event loop calls ---

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport

    def data_received(self, data: bytes) -> None:
        self._bytes += len(data)
        if self._reply is None or self._reply.done():
            self.close()
        elif self._bytes > REPLY_BYTES_MAX:
            self._fail(ReplyTooLong(f"the provider sent more than {REPLY_BYTES_MAX} bytes"))
        else:
            try:
                self._parser.feed_data(data)
            except (httptools.HttpParserError, httptools.HttpParserUpgrade) as error:
                self._fail(httpx2.RemoteProtocolError(f"not a reply of HTTP/1.1: {type(error).__name__}"))

    def connection_lost(self, exc: Exception | None) -> None:
        names = {name.lower() for name, _ in self._headers}
        if exc is None and self._has_headers and not names & {b"content-length", b"transfer-encoding"}:
            # Without a length, the body is what comes until the end.
            self.on_message_complete()
        self._fail(httpx2.RemoteProtocolError("the connection was closed before the reply was complete"))

    def _fail(self, error: Exception) -> None:
        self.close()
        if self._reply is not None and not self._reply.done():
            self._reply.set_exception(error)

    # --- what the parser calls ---

    def on_header(self, name: bytes, value: bytes) -> None:
        if name.lower() == b"content-encoding" and value.lower() != PLAIN:
            self._fail(httpx2.RemoteProtocolError("the reply is compressed, which was not asked for"))
        self._headers.append((name, value))

    def on_headers_complete(self) -> None:
        self._has_headers = True

    def on_body(self, body: bytes) -> None:
        self._body.append(body)

    def on_message_complete(self) -> None:
        status = self._parser.get_status_code()
        if status < OK:
            # Only a word on the way: the reply comes after it.
            self._headers, self._has_headers = [], False
            return
        if self._reply is not None and not self._reply.done():
            content = b"".join(self._body)
            self._reply.set_result(httpx2.Response(status, headers=self._headers, content=content))
        if not self._parser.should_keep_alive():
            self.close()
