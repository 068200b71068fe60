"""Orders per second through the whole product: wire, sign-in, engine, database and back, load from a second process.

`pump-party up` runs as its own process with request limits off and the synthetic feed. The load generator and, with
Postgres, the server share the machine's cores with it; pgbench has the machine to itself in its turn.
"""

import tempfile
from contextlib import ExitStack
from pathlib import Path

from tests.services import Redis

from benchmarks.load import LoadProcess, Outcome, Ports, Run
from benchmarks.pgbench import CLIENTS, Peer, best_clients, durable_postgres
from benchmarks.product import Product
from benchmarks.report import AT_LEAST, Row, Target

ROUNDS = 3
WINDOWS = {"socket": 16, "rest": 1}
"""Orders outstanding per connection: a program pipelines on a socket, and waits for each answer over REST."""

TARGETS = {("SQLite", "socket"): Target(AT_LEAST, 2.0), ("SQLite", "rest"): Target(AT_LEAST, 0.7)}
REFUSED_SHARE_MAX = 0.03
WARM_UP_SECONDS = 1.0


def run(*, quick: bool) -> list[Row]:
    seconds = 1 if quick else 4
    peers: dict[int, list[float]] = {clients: [] for clients in CLIENTS}
    outcomes: dict[tuple[str, str], list[Outcome]] = {}
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="pump-party-bench-")))
        server = stack.enter_context(durable_postgres())
        cache = stack.enter_context(Redis())
        peer = Peer(server)
        products = {
            "SQLite": Product(data_dir=folder / "sqlite"),
            "Postgres + Redis": Product(
                data_dir=folder / "postgres", options={"database_url": server.url, "redis_url": cache.url}
            ),
        }
        for product in products.values():
            stack.enter_context(product)
            product.wait_until_open()
        loads = {
            name: stack.enter_context(LoadProcess(Ports(product.port, product.ws_port)))
            for name, product in products.items()
        }
        for name, load in loads.items():
            load.run(Run("socket", WARM_UP_SECONDS, WINDOWS["socket"]))
            products[name].settle()
        for _ in range(ROUNDS):
            for clients, transport in zip(CLIENTS, WINDOWS, strict=True):
                peers[clients].append(peer.transactions_per_second(clients=clients, seconds=max(2, int(seconds))))
                for name, load in loads.items():
                    outcome = load.run(Run(transport, seconds, WINDOWS[transport]))
                    _check(name, transport, outcome)
                    outcomes.setdefault((name, transport), []).append(outcome)
                    products[name].settle()
    return _rows(peers, outcomes)


def _check(name: str, transport: str, outcome: Outcome) -> None:
    if sum(outcome.refused.values()) > REFUSED_SHARE_MAX * outcome.answered:
        raise RuntimeError(f"{name} over {transport}: of {outcome.answered} orders were refused: {outcome.refused}")


def _rows(peers: dict[int, list[float]], outcomes: dict[tuple[str, str], list[Outcome]]) -> list[Row]:
    best = best_clients(peers)
    rows = []
    for (name, transport), runs in sorted(outcomes.items(), reverse=True):
        label = f"{name}, orders over the socket" if transport == "socket" else f"{name}, orders over REST"
        latest = sorted(runs, key=lambda run: run.rate)[len(runs) // 2]
        rows.append(
            Row(
                name=label,
                unit="orders/s",
                samples=tuple(outcome.rate for outcome in runs),
                peer_name=f"TPC-B/s, {best} clients",
                peer_samples=tuple(peers[best]),
                target=TARGETS.get((name, transport)),
                note=f"answered in {latest.p50_ms:.1f} ms (p50), {latest.p99_ms:.1f} ms (p99); "
                f"the load generator took {latest.load_cpu_share:.0%} of a core",
            )
        )
    return rows
