"""`pump-party up` as a process of its own: what a newcomer starts, sees and stops."""

import contextlib
import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import httpx2
import pytest

START_S = 60
STOP_S = 10


def free_ports(count: int) -> list[int]:
    with contextlib.ExitStack() as stack:
        sockets = [stack.enter_context(socket.create_server(("127.0.0.1", 0))) for _ in range(count)]
        return [bound.getsockname()[1] for bound in sockets]


class Process:
    def __init__(self, folder: Path, *, port: int, ws_port: int, feed: str = "synthetic") -> None:
        self.url = f"http://127.0.0.1:{port}"
        words = ["up", "--data-dir", folder, "--port", port, "--ws-port", ws_port, "--feed", feed]
        self._process = subprocess.Popen(
            [sys.executable, "-m", "pump_party.apps.cli.main", *map(str, words)],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            env=os.environ | {"PUMP_PARTY_LOG_FORMAT": "json"},
        )

    def wait_for_a_price(self) -> None:
        deadline = time.monotonic() + START_S
        while True:
            assert self._process.poll() is None, self._process.communicate()
            with contextlib.suppress(httpx2.TransportError):
                answer = httpx2.get(f"{self.url}/v1/markets/SOL-USDC")
                if answer.json().get("state") == "open":
                    return
            assert time.monotonic() < deadline
            time.sleep(0.05)

    def send(self, number: signal.Signals) -> None:
        self._process.send_signal(number)

    def end(self, timeout: float = START_S) -> tuple[int, str, str]:
        out, err = self._process.communicate(timeout=timeout)
        return self._process.returncode, out, err

    def kill(self) -> None:
        self._process.kill()
        self._process.communicate()


@pytest.fixture
def running(tmp_path: Path) -> Iterator[tuple[Process, Path, list[int]]]:
    ports = free_ports(2)
    process = Process(tmp_path / "data", port=ports[0], ws_port=ports[1])
    try:
        process.wait_for_a_price()
        yield process, tmp_path / "data", ports
    finally:
        process.kill()


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_it_starts_with_prices_and_says_where_and_a_signal_ends_it_cleanly(running, number):
    process, folder, ports = running
    assert httpx2.get(f"{process.url}/v1/health/ready").json()["status"] == "ok"
    process.send(number)
    code, out, err = process.end(STOP_S)
    assert code == 0, err
    assert f"page    http://localhost:{ports[0]}" in out
    assert f"stream  ws://localhost:{ports[1]}/v1/stream" in out
    assert "feed    synthetic" in out
    assert "prices  SYNTHETIC: made up\n" in out
    assert f"SQLite in {folder}" in out
    assert "ready in " in out
    assert "Traceback" not in err
    lines = [json.loads(line) for line in err.splitlines() if line.startswith("{")]
    ready = [line for line in lines if line["event"] == "request" and line["route"].startswith("/v1/markets")]
    assert ready
    assert {"request_id", "status", "duration_ms", "user_id"} <= ready[0].keys()


def test_a_second_one_on_the_same_folder_or_port_is_refused_with_the_next_step(running, tmp_path):
    process, folder, (port, ws_port) = running
    fresh = free_ports(2)
    for other, expected in (
        (Process(folder, port=fresh[0], ws_port=fresh[1]), "another pump-party runs on"),
        (Process(tmp_path / "b", port=port, ws_port=fresh[1]), f"port {port}: Address already in use"),
        (Process(tmp_path / "c", port=fresh[0], ws_port=ws_port), "choose another with --ws-port"),
    ):
        code, _, err = other.end()
        assert (code, expected in err, err.count("\n")) == (2, True, 1), err
    process.send(signal.SIGTERM)
    assert process.end(STOP_S)[0] == 0


def test_what_was_done_is_there_after_a_kill(running, tmp_path):
    process, folder, ports = running
    process.kill()
    again = Process(folder, port=ports[0], ws_port=ports[1])
    try:
        again.wait_for_a_price()
    finally:
        again.kill()


def test_auto_without_the_internet_says_that_its_prices_are_made_up(tmp_path, monkeypatch):
    for name in ("HYPERLIQUID_WS_URL", "BINANCE_WS_URL"):
        monkeypatch.setenv(f"PUMP_PARTY_{name}", "ws://127.0.0.1:1")
    monkeypatch.setenv("PUMP_PARTY_HYPERLIQUID_REST_URL", "http://127.0.0.1:1")
    ports = free_ports(2)
    process = Process(tmp_path, port=ports[0], ws_port=ports[1], feed="auto")
    try:
        process.wait_for_a_price()
        feed = httpx2.get(f"{process.url}/v1/config").json()["feed"]
        assert feed == {"kind": "synthetic", "label": "SYNTHETIC", "speed": "1"}
    finally:
        process.send(signal.SIGTERM)
        code, out, err = process.end(STOP_S)
    assert code == 0, err
    assert "feed    auto\n" in out
    assert "prices  SYNTHETIC: made up, because no live price came at start\n" in out


def test_a_feed_that_cannot_be_played_is_refused_at_start(tmp_path):
    ports = free_ports(2)
    process = Process(tmp_path, port=ports[0], ws_port=ports[1], feed=f"tape:{tmp_path / 'nothing'}")
    code, _, err = process.end()
    assert (code, "Traceback" in err) == (2, False), err
