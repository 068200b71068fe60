"""The peer of the order figures: pgbench's TPC-B, five statements a transaction, prepared, every commit durable.

The cluster is a temporary one with fsync on. Product and peer get the same server, settings and loopback connection.
"""

import re
import statistics
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager

from tests.services import Postgres, ServiceMissing

SETTINGS = ("shared_buffers=512MB", "max_wal_size=4GB", "checkpoint_timeout=30min")
SCALE = 32
"""As many branches as clients at most, as pgbench's manual asks, or clients queue for a branch row."""

CLIENTS = (8, 32)
JOBS = 2
DATABASE = "pgbench"


class Peer:
    """TPC-B on a cluster of its own; `url` of `server` is free for the product."""

    def __init__(self, server: Postgres) -> None:
        self._pgbench = server.binaries / "pgbench"
        if not self._pgbench.exists():
            raise ServiceMissing("the benchmarks need pgbench: `apt-get install postgresql-contrib`")
        self._url = server.url.rsplit("/", 1)[0] + f"/{DATABASE}"
        self._run(["-i", "-q", "-I", "dtGvp", "-s", str(SCALE)], create=server)

    def transactions_per_second(self, *, clients: int, seconds: int) -> float:
        return self._rate(clients, ["-T", str(seconds)])

    def milliseconds(self, *, transactions: int, clients: int) -> float:
        """The time this many transactions take, without the time to connect."""
        each = transactions // clients
        return each * clients / self._rate(clients, ["-t", str(each)]) * 1000

    def _rate(self, clients: int, until: list[str]) -> float:
        output = self._run(["-n", "-M", "prepared", "-c", str(clients), "-j", str(JOBS), *until])
        found = re.search(r"^tps = ([\d.]+)", output, re.MULTILINE)
        assert found is not None, output
        return float(found.group(1))

    def _run(self, arguments: list[str], *, create: Postgres | None = None) -> str:
        if create is not None:
            subprocess.run([create.binaries / "createdb", "--maintenance-db", create.url, DATABASE], check=True)
        done = subprocess.run([self._pgbench, *arguments, self._url], capture_output=True, text=True, check=False)
        if done.returncode != 0:
            raise RuntimeError(f"pgbench failed: {done.stderr.strip()}")
        return done.stdout


def best_clients(rates: dict[int, list[float]]) -> int:
    """The number of clients with which pgbench did best: what the product is measured against."""
    return max(rates, key=lambda clients: statistics.median(rates[clients]))


@contextmanager
def durable_postgres() -> Iterator[Postgres]:
    """A temporary cluster with every durability setting on."""
    with Postgres(durable=True, settings=SETTINGS) as server:
        yield server
