"""Durable atomic orders per second: engine and database with everything included, beside pgbench's TPC-B.

Every order is a transaction's worth of work: idempotency record, evidence, five ledger postings, hash chain, position,
account and outbox row, fsynced before it is answered. Calls come from an event loop that keeps a number outstanding.
"""

import asyncio
import statistics
import tempfile
import time
from contextlib import closing

import msgspec
import uvloop

from benchmarks.exchange import Exchange, frozen_garbage
from benchmarks.pgbench import CLIENTS, Peer, best_clients, durable_postgres
from benchmarks.report import AT_LEAST, AT_MOST, Row, Target
from pump_party.domains.prop_interface.contract import PlaceOrder

ROUNDS = 3
OUTSTANDING = (32, 256, 1024, 4096)
RATE_MAX = 40_000
"""Orders prepared per second of a run; more than any run can use."""

OFFERED_PER_SECOND = 5_000
LOOK_SECONDS = 0.001
"""How often the load looks whether an order is due. The event loop's timers know milliseconds: half of one is no pause
at all, and the load would take the interpreter from what it measures."""

WARM_UP_SECONDS = 1.0

POSTGRES_TARGET = Target(AT_LEAST, 2.5)
SQLITE_TARGET = Target(AT_LEAST, 3.5)
LATENCY_TARGET = Target(AT_MOST, 25, of_ratio=False)


def run(*, quick: bool) -> list[Row]:
    seconds = 1 if quick else 4
    samples = Samples(OUTSTANDING[-1:] if quick else OUTSTANDING)
    with tempfile.TemporaryDirectory(prefix="pump-party-bench-") as folder, durable_postgres() as server:
        peer = Peer(server)
        with (
            closing(Exchange(data_dir=folder, database_url=server.url)) as postgres,
            closing(Exchange(data_dir=folder)) as sqlite,
        ):
            exchanges = {"Postgres": postgres, "SQLite": sqlite}
            for exchange in exchanges.values():
                _saturate(exchange, outstanding=OUTSTANDING[-1], seconds=WARM_UP_SECONDS)
            for _ in range(ROUNDS):
                for clients in CLIENTS:
                    rate = peer.transactions_per_second(clients=clients, seconds=max(2, seconds))
                    samples.peers[clients].append(rate)
                    for outstanding in samples.loads_after(clients):
                        for name, exchange in exchanges.items():
                            measured = _saturate(exchange, outstanding=outstanding, seconds=seconds)
                            samples.rates.setdefault((name, outstanding), []).append(measured)
                samples.offered.append(_offer(sqlite, seconds=2 * seconds))
            for exchange in exchanges.values():
                exchange.check()
    return samples.rows()


class Rate(msgspec.Struct, frozen=True):
    per_second: float
    cpu_us: float
    """CPU of this process per order: engine, event loop and, with SQLite, the database."""


class Latency(msgspec.Struct, frozen=True):
    answered_per_second: float
    p50_ms: float
    p99_ms: float


class Samples:
    """What the rounds measured so far. `loads` are the numbers of outstanding orders to measure."""

    def __init__(self, loads: tuple[int, ...]) -> None:
        self._loads = loads
        self.peers: dict[int, list[float]] = {clients: [] for clients in CLIENTS}
        self.rates: dict[tuple[str, int], list[Rate]] = {}
        self.offered: list[Latency] = []

    def loads_after(self, clients: int) -> list[int]:
        """Which loads follow which peer run, so that product and peer alternate."""
        first = clients == CLIENTS[0]
        return [load for load in self._loads if (load == OUTSTANDING[0]) == first]

    def rows(self) -> list[Row]:
        clients = best_clients(self.peers)
        rows = []
        for name, target in (("Postgres", POSTGRES_TARGET), ("SQLite", SQLITE_TARGET)):
            rates = {load: [rate.per_second for rate in self.rates[name, load]] for load in self._loads}
            best = max(rates, key=lambda load: statistics.median(rates[load]))
            rows += [
                Row(
                    name=f"{name}, {load} orders outstanding",
                    unit="orders/s",
                    samples=tuple(rates[load]),
                    peer_name=f"TPC-B/s, {clients} clients",
                    peer_samples=tuple(self.peers[clients]),
                    target=target if load == best else None,
                )
                for load in self._loads
            ]
            cpu = tuple(rate.cpu_us for rate in self.rates[name, best])
            rows.append(Row(name=f"{name}, CPU of the engine's process", unit="us/order", samples=cpu))
        return [*rows, *self._latency_rows()]

    def _latency_rows(self) -> list[Row]:
        label = f"SQLite at {OFFERED_PER_SECOND:,}/s offered"
        runs = self.offered
        return [
            Row(name=f"{label}, answered", unit="orders/s", samples=tuple(run.answered_per_second for run in runs)),
            Row(name=f"{label}, p50", unit="ms", samples=tuple(run.p50_ms for run in runs)),
            Row(name=f"{label}, p99", unit="ms", samples=tuple(run.p99_ms for run in runs), target=LATENCY_TARGET),
        ]


def _saturate(exchange: Exchange, *, outstanding: int, seconds: float) -> Rate:
    """Orders answered while `outstanding` calls are always waiting."""
    exchange.flow.prepare(int(RATE_MAX * seconds))
    with frozen_garbage():
        return uvloop.run(_keep_outstanding(exchange, outstanding=outstanding, seconds=seconds))


async def _keep_outstanding(exchange: Exchange, *, outstanding: int, seconds: float) -> Rate:
    ticking = asyncio.create_task(exchange.keep_ticking())
    started, cpu_started = time.perf_counter(), time.process_time()
    deadline = started + seconds
    answered = 0

    async def caller() -> None:
        nonlocal answered
        while time.perf_counter() < deadline:
            await exchange.submit(exchange.flow.next())
            answered += 1

    await asyncio.gather(*(caller() for _ in range(outstanding)))
    elapsed, cpu_seconds = time.perf_counter() - started, time.process_time() - cpu_started
    ticking.cancel()
    return Rate(answered / elapsed, cpu_seconds / answered * 1e6)


def _offer(exchange: Exchange, *, seconds: float) -> Latency:
    """Offer orders at a fixed rate whatever the answers do."""
    count = int(OFFERED_PER_SECOND * seconds)
    exchange.flow.prepare(count)
    with frozen_garbage():
        return uvloop.run(_offer_at_rate(exchange, count))


async def _offer_at_rate(exchange: Exchange, count: int) -> Latency:
    ticking = asyncio.create_task(exchange.keep_ticking())
    latencies: list[float] = []

    async def call(order: PlaceOrder, due: float) -> None:
        await exchange.submit(order)
        latencies.append(time.perf_counter() - due)

    started = time.perf_counter()
    calls: list[asyncio.Task[None]] = []
    for number in range(count):
        # Latency counts from when the order was due: a stall is charged to every order it delays.
        due = started + number / OFFERED_PER_SECOND
        while time.perf_counter() < due:
            await asyncio.sleep(LOOK_SECONDS)
        calls.append(asyncio.create_task(call(exchange.flow.next(), due)))
    await asyncio.gather(*calls)
    elapsed = time.perf_counter() - started
    ticking.cancel()
    cuts = statistics.quantiles(latencies, n=100)
    return Latency(count / elapsed, cuts[49] * 1e3, cuts[98] * 1e3)
