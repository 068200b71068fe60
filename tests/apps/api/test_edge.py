"""What protects the process as a whole: how many requests may be under way at once."""

import socket
import time
from collections.abc import Callable, Iterator

import pytest
from tests.apps.api.stage import Api

MAX = 3
SLOW_REQUEST = (
    b"POST /v1/auth/challenges HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n"
    b"content-type: application/json\r\ncontent-length: 2\r\n\r\n{"
)


@pytest.fixture
def busy(api: Api, monkeypatch) -> Iterator[list[socket.socket]]:
    """As many requests as may be under way, each with half of its body sent."""
    held = [socket.create_connection(("127.0.0.1", api.port), timeout=10) for _ in range(MAX)]
    try:
        for connection in held:
            connection.sendall(SLOW_REQUEST)
        wait_until(lambda: in_flight(MAX) in api.client.get("/metrics").text)
        # Only now: the requests that ask whether all have arrived count too.
        monkeypatch.setattr("pump_party.apps.api.edge.REQUESTS_IN_FLIGHT_MAX", MAX)
        yield held
    finally:
        for connection in held:
            connection.close()
        wait_until(lambda: in_flight(0) in api.client.get("/metrics").text)


def in_flight(count: int) -> str:
    """How /metrics says so."""
    return f"requests_in_flight {float(count)}\n"


def wait_until(condition: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 5
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.01)


def test_requests_beyond_those_that_may_be_under_way_are_told_to_come_back(api: Api, busy: list[socket.socket]):
    refused = api.client.get("/v1/markets")
    assert (refused.status_code, refused.json()["code"]) == (503, "overloaded")
    assert int(refused.headers["retry-after"]) >= 1

    busy[0].sendall(b"}")
    assert busy[0].recv(100).startswith(b"HTTP/1.1 422"), "what was let in is finished"
    wait_until(lambda: api.client.get("/v1/markets").status_code == 200)


def test_an_overloaded_process_still_says_that_it_lives_and_how_much_it_does(api: Api, busy: list[socket.socket]):
    assert api.client.get("/v1/health/live").status_code == 200
    assert in_flight(MAX) in api.client.get("/metrics").text
