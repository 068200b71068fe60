"""Bare client connections for load: bytes that were made before, sent as they are, and as little parsing as will do.

A load generator shares the machine with what it loads, so every microsecond here is one less for the product.
"""

import asyncio
import json
import os
from base64 import b64encode
from collections import deque
from collections.abc import Callable
from typing import Any, cast

PONG = 0x8A
PING_OPCODE = 0x9
CLOSE_OPCODE = 0x8
TEXT_OPCODE = 0x1
MASK = b"\x00\x00\x00\x00"
"""A client must mask; a mask of zeros leaves the payload as it is."""

Answered = Callable[[Any, bytes], None]


class RestConnection(asyncio.Protocol):
    """One keep-alive HTTP connection. `on_answer(connection, body)` is told of every answer, in order."""

    def __init__(self) -> None:
        self.on_answer: Answered = lambda _connection, _body: None
        self._transport: asyncio.Transport
        self._buffer = b""
        self._waiting: deque[asyncio.Future[tuple[int, bytes]]] = deque()
        self.statuses: dict[int, int] = {}

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)
        self.write = self._transport.write

    def data_received(self, data: bytes) -> None:
        buffer = self._buffer + data if self._buffer else data
        while True:
            end = buffer.find(b"\r\n\r\n")
            if end < 0:
                break
            length = _content_length(buffer, end)
            if len(buffer) < end + 4 + length:
                break
            status, body = int(buffer[9:12]), buffer[end + 4 : end + 4 + length]
            buffer = buffer[end + 4 + length :]
            self.statuses[status] = self.statuses.get(status, 0) + 1
            if self._waiting:
                self._waiting.popleft().set_result((status, body))
            else:
                self.on_answer(self, body)
        self._buffer = buffer

    async def ask(self, method: str, path: str, body: object = None, **headers: str) -> Any:
        """One request and its JSON answer. Raises for any status of 400 and above."""
        future: asyncio.Future[tuple[int, bytes]] = asyncio.get_running_loop().create_future()
        self._waiting.append(future)
        self.write(http_request(method, path, b"" if body is None else json.dumps(body).encode(), **headers))
        status, answer = await future
        if status >= 400:
            raise RuntimeError(f"{method} {path}: {status} {answer.decode()}")
        return json.loads(answer) if answer else None

    def close(self) -> None:
        self._transport.close()


class SocketConnection(asyncio.Protocol):
    """One WebSocket. `on_answer(connection, payload)` is told of every text frame."""

    def __init__(self) -> None:
        self.on_answer: Answered = lambda _connection, _payload: None
        self.closed: bytes | None = None
        self._transport: asyncio.Transport
        self._buffer = b""
        self._open: asyncio.Future[None] = asyncio.get_running_loop().create_future()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)
        self.write = self._transport.write

    async def upgrade(self, path: str) -> None:
        key = b64encode(os.urandom(16)).decode()
        self.write(
            f"GET {path} HTTP/1.1\r\nHost: localhost\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"
            f"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: {key}\r\n\r\n".encode()
        )
        await self._open

    def data_received(self, data: bytes) -> None:
        buffer = self._buffer + data if self._buffer else data
        if not self._open.done():
            end = buffer.find(b"\r\n\r\n")
            if end < 0:
                self._buffer = buffer
                return
            if not buffer.startswith(b"HTTP/1.1 101"):
                self._open.set_exception(RuntimeError(buffer[:200].decode(errors="replace")))
                return
            self._open.set_result(None)
            buffer = buffer[end + 4 :]
        position, size = 0, len(buffer)
        while size - position >= 2:
            length, start = buffer[position + 1], position + 2
            if length == 126:
                start += 2
                if size < start:
                    break
                length = buffer[start - 2] << 8 | buffer[start - 1]
            elif length == 127:
                start += 8
                if size < start:
                    break
                length = int.from_bytes(buffer[start - 8 : start], "big")
            if size < start + length:
                break
            self._take(buffer[position] & 0x0F, buffer[start : start + length])
            position = start + length
        self._buffer = buffer[position:]

    def _take(self, opcode: int, payload: bytes) -> None:
        if opcode == TEXT_OPCODE:
            self.on_answer(self, payload)
        elif opcode == PING_OPCODE:
            self.write(bytes((PONG, 0x80 | len(payload))) + MASK + payload)
        elif opcode == CLOSE_OPCODE:
            self.closed = payload

    def connection_lost(self, exc: Exception | None) -> None:
        self.closed = self.closed or str(exc).encode()

    async def ask(self, **frame: object) -> dict[str, Any]:
        """Send a frame and return the next text frame that carries its id."""
        answered: asyncio.Future[dict[str, Any]] = asyncio.get_running_loop().create_future()
        before = self.on_answer

        def take(_connection: object, payload: bytes) -> None:
            answer = json.loads(payload)
            if answer.get("id") == "ask" and not answered.done():
                answered.set_result(answer)

        self.on_answer = take
        self.write(client_frame(json.dumps({**frame, "id": "ask"}).encode()))
        answer = await answered
        self.on_answer = before
        if answer["type"] == "error":
            raise RuntimeError(f"{frame['type']}: {answer}")
        return answer

    def close(self) -> None:
        self._transport.close()


def http_request(method: str, path: str, body: bytes, **headers: str) -> bytes:
    """A request as it goes over the connection. Header names are given with underscores."""
    lines = [f"{method} {path} HTTP/1.1", "Host: localhost", f"Content-Length: {len(body)}"]
    if body:
        lines.append("Content-Type: application/json")
    lines += [f"{name.replace('_', '-')}: {value}" for name, value in headers.items()]
    return "\r\n".join(lines).encode() + b"\r\n\r\n" + body


def client_frame(payload: bytes) -> bytes:
    """A masked text frame as it goes over the connection."""
    size = len(payload)
    if size < 126:
        return bytes((0x81, 0x80 | size)) + MASK + payload
    return b"\x81\xfe" + size.to_bytes(2, "big") + MASK + payload


def _content_length(buffer: bytes, end: int) -> int:
    found = buffer.find(b"content-length: ", 0, end)
    if found < 0:
        found = buffer.find(b"Content-Length: ", 0, end)
    if found < 0:
        return 0
    return int(buffer[found + 16 : buffer.find(b"\r", found + 16)])
