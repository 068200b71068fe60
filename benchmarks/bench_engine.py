"""Durable atomic orders per second: engine and database with everything included, beside pgbench's TPC-B.

Every order is a transaction's worth of work: idempotency record, evidence, five ledger postings, hash chain, position,
account and outbox row, fsynced before it is answered. Calls come from an event loop that keeps a number outstanding.
"""

import asyncio
import statistics
import tempfile
import time
from contextlib import closing

import uvloop

from benchmarks.exchange import Exchange, frozen_garbage
from benchmarks.pgbench import CLIENTS, Peer, best_clients, durable_postgres
from benchmarks.report import AT_LEAST, AT_MOST, Row, Target
from pump_party.domains.prop_interface.contract import PlaceOrder

ROUNDS = 3
OUTSTANDING = (32, 256, 1024)
RATE_MAX = 40_000
"""Orders prepared per second of a run; more than any run can use."""

OFFERED_PER_SECOND = 5_000
WARM_UP_SECONDS = 1.0

POSTGRES_TARGET = Target(AT_LEAST, 2.5)
SQLITE_TARGET = Target(AT_LEAST, 3.5)
LATENCY_TARGET = Target(AT_MOST, 25, of_ratio=False)


def run(*, quick: bool) -> list[Row]:
    seconds = 1 if quick else 4
    peers: dict[int, list[float]] = {clients: [] for clients in CLIENTS}
    rates: dict[tuple[str, int], list[float]] = {}
    cpu: dict[str, list[float]] = {}
    offered: list[tuple[float, float, float]] = []
    with tempfile.TemporaryDirectory(prefix="pump-party-bench-") as folder, durable_postgres() as server:
        peer = Peer(server)
        opened = {
            "Postgres": Exchange(data_dir=folder, database_url=server.url),
            "SQLite": Exchange(data_dir=folder),
        }
        with closing(opened["Postgres"]), closing(opened["SQLite"]):
            for exchange in opened.values():
                _saturate(exchange, outstanding=OUTSTANDING[-1], seconds=WARM_UP_SECONDS)
            for _ in range(ROUNDS):
                for clients in CLIENTS:
                    peers[clients].append(peer.transactions_per_second(clients=clients, seconds=max(2, seconds)))
                    for name, exchange in opened.items():
                        for outstanding in _outstanding_of(clients):
                            rate, cpu_us = _saturate(exchange, outstanding=outstanding, seconds=seconds)
                            rates.setdefault((name, outstanding), []).append(rate)
                            if outstanding == OUTSTANDING[-1]:
                                cpu.setdefault(name, []).append(cpu_us)
                offered.append(_offer(opened["SQLite"], seconds=2 * seconds))
            for exchange in opened.values():
                exchange.check()
    return [*_rate_rows(peers, rates, cpu), *_latency_rows(offered)]


def _outstanding_of(clients: int) -> tuple[int, ...]:
    """Which loads follow which peer run, so that product and peer alternate."""
    return OUTSTANDING[:1] if clients == CLIENTS[0] else OUTSTANDING[1:]


def _saturate(exchange: Exchange, *, outstanding: int, seconds: float) -> tuple[float, float]:
    """Orders answered per second while `outstanding` calls are always waiting, and this process's CPU us per order."""
    exchange.flow.prepare(int(RATE_MAX * seconds))
    with frozen_garbage():
        return uvloop.run(_keep_outstanding(exchange, outstanding=outstanding, seconds=seconds))


async def _keep_outstanding(exchange: Exchange, *, outstanding: int, seconds: float) -> tuple[float, float]:
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
    return answered / elapsed, cpu_seconds / answered * 1e6


def _offer(exchange: Exchange, *, seconds: float) -> tuple[float, float, float]:
    """Offer orders at a fixed rate whatever the answers do. Returns the rate answered, p50 and p99 in ms."""
    count = int(OFFERED_PER_SECOND * seconds)
    exchange.flow.prepare(count)
    with frozen_garbage():
        return uvloop.run(_offer_at_rate(exchange, count))


async def _offer_at_rate(exchange: Exchange, count: int) -> tuple[float, float, float]:
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
            await asyncio.sleep(0.0005)
        calls.append(asyncio.create_task(call(exchange.flow.next(), due)))
    await asyncio.gather(*calls)
    elapsed = time.perf_counter() - started
    ticking.cancel()
    cuts = statistics.quantiles(latencies, n=100)
    return count / elapsed, cuts[49] * 1e3, cuts[98] * 1e3


def _rate_rows(
    peers: dict[int, list[float]], rates: dict[tuple[str, int], list[float]], cpu: dict[str, list[float]]
) -> list[Row]:
    clients = best_clients(peers)
    rows = []
    for name, target in (("Postgres", POSTGRES_TARGET), ("SQLite", SQLITE_TARGET)):
        best = max(OUTSTANDING, key=lambda outstanding: statistics.median(rates[name, outstanding]))
        rows += [
            Row(
                name=f"{name}, {outstanding} orders outstanding",
                unit="orders/s",
                samples=tuple(rates[name, outstanding]),
                peer_name=f"TPC-B/s, {clients} clients",
                peer_samples=tuple(peers[clients]),
                target=target if outstanding == best else None,
            )
            for outstanding in OUTSTANDING
        ]
        rows.append(Row(name=f"{name}, CPU of the engine's process", unit="us/order", samples=tuple(cpu[name])))
    return rows


def _latency_rows(offered: list[tuple[float, float, float]]) -> list[Row]:
    rates, medians, tails = zip(*offered, strict=True)
    label = f"SQLite at {OFFERED_PER_SECOND:,}/s offered"
    return [
        Row(name=f"{label}, answered", unit="orders/s", samples=rates),
        Row(name=f"{label}, p50", unit="ms", samples=medians),
        Row(name=f"{label}, p99", unit="ms", samples=tails, target=LATENCY_TARGET),
    ]
