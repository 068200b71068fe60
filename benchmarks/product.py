"""The product as a user runs it: a `pump-party` process of its own, watched from outside through /proc."""

import http.client
import json
import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from tests.services import ServiceMissing, die_with_parent, free_port

COMMAND = Path(sys.executable).parent / "pump-party"
START_SECONDS_MAX = 60.0
STOP_SECONDS_MAX = 15.0
POLL_SECONDS = 0.01
MARKET = "/v1/markets/SOL-USDC"


class Product:
    """One process: `pump-party up`, or a part of it. Ports are free ones; limits on requests are off."""

    def __init__(self, part: str = "up", *, data_dir: Path, options: Mapping[str, object] | None = None) -> None:
        data_dir.mkdir(parents=True, exist_ok=True)
        self.port, self.ws_port = free_port(), free_port()
        self._log = data_dir / f"{part}-{self.port}.log"
        settings = {
            "data_dir": data_dir,
            "port": self.port,
            "ws_port": self.ws_port,
            "rate_limits": "false",
            "feed": "synthetic",
            **(options or {}),
        }
        # Without compiled modules a start, and the first use of every module, is a compiler's time.
        environment = {
            name: value
            for name, value in os.environ.items()
            if not name.startswith("PUMP_PARTY_") and name != "PYTHONDONTWRITEBYTECODE"
        }
        environment |= {f"PUMP_PARTY_{name.upper()}": str(value) for name, value in settings.items()}
        self.started = time.monotonic()
        with self._log.open("wb") as log:
            self._process = subprocess.Popen(
                [COMMAND, *part.split()],
                env=environment,
                stdout=log,
                stderr=log,
                preexec_fn=lambda: die_with_parent(signal.SIGKILL),  # noqa: PLW1509 (one system call, no lock)
            )
        self.pid = self._process.pid

    def wait_until_open(self) -> float:
        """Wait for the first tradable price. Returns the seconds since the process was started."""
        self._wait(lambda: (self.get(MARKET) or {}).get("state") == "open")
        return time.monotonic() - self.started

    def wait_until_listening(self) -> None:
        """Wait for the gateway's port."""
        self._wait(lambda: _status(self.ws_port, "/") is not None)

    def get(self, path: str) -> dict[str, Any] | None:
        """The JSON at a path, or None while nobody answers."""
        answer = _answer(self.port, path)
        return None if answer is None or answer[0] != 200 else json.loads(answer[1])

    def page_bytes(self) -> int:
        """Load the page and everything it names, as a browser would. Returns the bytes."""
        status, page = _answer(self.port, "/") or (0, b"")
        if status != 200:
            raise ServiceMissing("the page is not built: run `make run` once, or `python3 scripts/setup.py web`")
        assets = set(re.findall(rb'(?:src|href)="(/[^"]+)"', page))
        return len(page) + sum(len((_answer(self.port, path.decode()) or (0, b""))[1]) for path in assets)

    def cpu_seconds(self) -> float:
        return cpu_seconds(self.pid)

    def resident_mib(self) -> float:
        found = re.search(r"^VmRSS:\s*(\d+) kB", Path(f"/proc/{self.pid}/status").read_text(), re.MULTILINE)
        assert found is not None
        return int(found.group(1)) / 1024

    def settle(self) -> None:
        """Wait until the process has finished what a load left behind, such as events to relay."""
        for _ in range(40):
            before = self.cpu_seconds()
            time.sleep(0.25)
            if self.cpu_seconds() - before < 0.05:
                return

    def close(self) -> None:
        if self._process.poll() is None:
            self._process.send_signal(signal.SIGTERM)
            try:
                self._process.wait(STOP_SECONDS_MAX)
            except subprocess.TimeoutExpired:
                self._process.kill()
                self._process.wait()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, _: TracebackType | None) -> None:
        self.close()
        if error is not None and self._log.exists():
            error.add_note(f"the product's last words:\n{self._log.read_text(errors='replace')[-2000:]}")

    def _wait(self, happened: Any) -> None:
        deadline = time.monotonic() + START_SECONDS_MAX
        while not happened():
            if self._process.poll() is not None or time.monotonic() > deadline:
                raise RuntimeError(f"the product did not start:\n{self._log.read_text(errors='replace')[-2000:]}")
            time.sleep(POLL_SECONDS)


def cpu_seconds(pid: int) -> float:
    """Time on a processor of a process's threads that live. Counted in nanoseconds: the better known times of a
    process come in hundredths of a second, a twentieth of what a brief run takes.
    """
    total_ns = 0
    for thread in Path(f"/proc/{pid}/task").glob("*/schedstat"):
        with suppress(OSError):  # it has just ended
            total_ns += int(thread.read_text().split()[0])
    return total_ns / 1e9


def _answer(port: int, path: str) -> tuple[int, bytes] | None:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=5)
    try:
        connection.request("GET", path)
        response = connection.getresponse()
        return response.status, response.read()
    except (OSError, http.client.HTTPException):
        return None
    finally:
        connection.close()


def _status(port: int, path: str) -> int | None:
    answer = _answer(port, path)
    return None if answer is None else answer[0]
