"""Limits on connections, which no request shows."""

import socket
import time
from contextlib import ExitStack

import pytest
from tests.apps.api.stage import running_api

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
