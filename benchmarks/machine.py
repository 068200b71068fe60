"""What the figures were measured on."""

import os
import platform
import re
import sqlite3
import tempfile
import time
from pathlib import Path
from typing import Any

SYNC_TRIES = 200


def describe() -> dict[str, Any]:
    cpu = re.search(r"^model name\s*:\s*(.+)$", Path("/proc/cpuinfo").read_text(), re.MULTILINE)
    memory = re.search(r"^MemTotal:\s*(\d+)", Path("/proc/meminfo").read_text(), re.MULTILINE)
    return {
        "cpu": cpu.group(1) if cpu else platform.machine(),
        "cores": os.cpu_count(),
        "memory_gib": round(int(memory.group(1)) / 2**20) if memory else None,
        "kernel": ".".join(platform.release().split(".")[:2]),
        "python": platform.python_version(),
        "sqlite": sqlite3.sqlite_version,
        "fdatasync_us": round(fdatasync_us()),
        "load_average": round(os.getloadavg()[0], 2),
    }


def fdatasync_us() -> float:
    """Microseconds to make one 8 KiB write durable where the databases lie: what every commit pays at least."""
    block = bytes(8192)
    with tempfile.NamedTemporaryFile() as file:
        started = time.perf_counter()
        for _ in range(SYNC_TRIES):
            os.pwrite(file.fileno(), block, 0)
            os.fdatasync(file.fileno())
        return (time.perf_counter() - started) / SYNC_TRIES * 1e6


def sentence(facts: dict[str, Any]) -> str:
    return (
        f"{facts['cores']} cores of {facts['cpu']}, {facts['memory_gib']} GiB, Linux {facts['kernel']}, "
        f"Python {facts['python']}, SQLite {facts['sqlite']}, fdatasync {facts['fdatasync_us']} us, "
        f"load average {facts['load_average']} before the run"
    )
