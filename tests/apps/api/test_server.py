"""Limits on connections, which no request shows, and what leaves for them together."""

import asyncio
import socket
import time
from contextlib import ExitStack
from typing import cast

import pytest
from tests.apps.api.stage import running_api

from pump_party.apps.api.server import JoinedWrites
from pump_party.config import Settings

MAX = 3
REQUEST = b"GET /v1/health/live HTTP/1.1\r\nhost: localhost\r\n\r\n"


def ask(connection: socket.socket) -> bytes:
    """The status line of the answer; nothing from a connection that was cut off."""
    answer = b""
    try:
        connection.sendall(REQUEST)
        while not answer.endswith(b'{"status":"ok"}') and (part := connection.recv(1_000)):
            answer += part
    except ConnectionError:
        pass
    return answer[:12]


def test_a_connection_too_many_is_cut_off_and_the_others_never_notice(sqlite_path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr("pump_party.apps.api.server.CONNECTIONS_MAX", MAX)
    with running_api(Settings(data_dir=str(sqlite_path.parent))) as api, ExitStack() as stack:

        def connect() -> socket.socket:
            return stack.enter_context(socket.create_connection(("127.0.0.1", api.port), timeout=10))

        held = [connect() for _ in range(MAX)]
        assert [ask(connection) for connection in held] == [b"HTTP/1.1 200"] * MAX
        assert [ask(connect()) for _ in range(5)] == [b""] * 5
        assert [ask(connection) for connection in held] == [b"HTTP/1.1 200"] * MAX

        held[0].close()
        deadline = time.monotonic() + 5
        while ask(connect()) != b"HTTP/1.1 200":
            assert time.monotonic() < deadline


class Wire:
    """What a transport was told, in order."""

    def __init__(self) -> None:
        self.told: list[bytes | str] = []

    def write(self, data: bytes) -> None:
        self.told.append(data)

    def close(self) -> None:
        self.told.append("close")

    def is_closing(self) -> bool:
        return "close" in self.told


HEAD = b"HTTP/1.1 200 OK\r\n\r\n"


def test_the_head_of_an_answer_leaves_with_its_body() -> None:
    async def answer() -> list[bytes | str]:
        wire = Wire()
        joined = JoinedWrites(cast(asyncio.Transport, wire), asyncio.get_running_loop())
        for _ in range(2):
            joined.write(HEAD)
            joined.write(b"body")
        joined.write(b"more")
        await asyncio.sleep(0)
        return wire.told

    assert asyncio.run(answer()) == [HEAD + b"body", HEAD + b"body", b"more"]


def test_a_head_that_is_alone_leaves_at_the_next_turn_and_before_the_end() -> None:
    async def answer() -> list[bytes | str]:
        wire = Wire()
        joined = JoinedWrites(cast(asyncio.Transport, wire), asyncio.get_running_loop())
        joined.write(HEAD)
        assert wire.told == []
        await asyncio.sleep(0)
        assert wire.told == [HEAD]
        joined.write(HEAD)
        joined.close()
        await asyncio.sleep(0)
        assert joined.is_closing()
        return wire.told

    assert asyncio.run(answer()) == [HEAD, HEAD, "close"]
