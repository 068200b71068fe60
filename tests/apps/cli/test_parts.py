"""The parts in processes of their own, meeting in Postgres and Redis."""

import contextlib
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator

import httpx2
import pytest
from tests.apps.cli.test_up import START_S, STOP_S, free_ports


@pytest.fixture
def start(postgres_url: str, redis_url: str, tmp_path) -> Iterator[object]:
    started: list[subprocess.Popen[str]] = []
    shared = {
        "PUMP_PARTY_DATABASE_URL": postgres_url,
        "PUMP_PARTY_REDIS_URL": redis_url,
        "PUMP_PARTY_LOG_FORMAT": "json",
        "PUMP_PARTY_DATA_DIR": str(tmp_path),
        "PUMP_PARTY_FEED": "synthetic",
    }

    def start_part(*words: object) -> subprocess.Popen[str]:
        command = [sys.executable, "-m", "pump_party.apps.cli.main", *map(str, words)]
        started.append(subprocess.Popen(command, stderr=subprocess.PIPE, text=True, env=os.environ | shared))
        return started[-1]

    yield start_part
    for process in started:
        process.kill()
        process.communicate()


def test_prices_of_a_worker_reach_every_api_in_processes_of_their_own(start):
    port, other_port, ws_port = free_ports(3)
    parts = [
        start("api", "--port", port),
        start("api", "--port", other_port),
        start("worker", "ingest_prices"),
        start("ws", "--ws-port", ws_port),
        start("worker", "ingest_prices"),
        start("worker", "relay_outbox"),
    ]
    deadline = time.monotonic() + START_S
    state = None
    while state != "open":
        assert time.monotonic() < deadline
        assert all(part.poll() is None for part in parts), [p.communicate()[1] for p in parts if p.poll() is not None]
        time.sleep(0.1)
        with contextlib.suppress(httpx2.TransportError):
            market = httpx2.get(f"http://127.0.0.1:{port}/v1/markets/SOL-USDC").json()
            state = market.get("state")
    assert market["feed"] == "synthetic"
    for one in (port, other_port):
        ready = httpx2.get(f"http://127.0.0.1:{one}/v1/health/ready")
        assert (ready.status_code, ready.json()["checks"]["cache"]) == (200, "ok")
        assert ready.json()["prices"][0]["state"] == "open"

    for part in parts:
        part.send_signal(signal.SIGTERM)
    for part in parts:
        _, err = part.communicate(timeout=STOP_S + START_S)
        assert (part.returncode, "Traceback" in err) == (0, False), err
