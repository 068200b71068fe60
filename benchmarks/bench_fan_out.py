"""CPU per delivered price at 1,000 and 5,000 sockets: the gateway beside nginx with nchan, and how late prices arrive.

The gateway runs alone (`pump-party ws`, Postgres and Redis), so that its process's CPU is the fan-out's and no other.
Both get the same message bytes from this process at the same rate, over Redis and over HTTP; all sockets are here.
"""

import asyncio
import resource
import statistics
import tempfile
import time
from contextlib import ExitStack
from pathlib import Path

import msgspec
import uvloop
from tests.services import Postgres, Redis

from benchmarks.audience import Audience, Gateway, NchanSender, Sender
from benchmarks.nchan import CONNECTIONS_MAX, Nchan
from benchmarks.product import Product
from benchmarks.report import AT_MOST, Row, Target
from pump_party.bootstrap.services import Services, build
from pump_party.config import Settings

ROUNDS = 3
SOCKETS = (1_000, 5_000)
MESSAGES_PER_SECOND = 20_000
"""Delivered, whatever the number of sockets: rate times sockets."""

QUIET_SECONDS = 0.3
DELIVERED_SHARE_MIN = 0.5
TARGET = Target(AT_MOST, 1.1)


class Window(msgspec.Struct, frozen=True):
    """What one stretch of publishing cost per delivery, how late deliveries were, and what share there was of them."""

    cpu_us: float
    p50_ms: float
    p99_ms: float
    delivered_share: float


def run(*, quick: bool) -> list[Row]:
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (max(soft, min(hard, CONNECTIONS_MAX)), hard))
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="pump-party-bench-")))
        server, cache = stack.enter_context(Postgres()), stack.enter_context(Redis())
        settings = Settings(data_dir=str(folder), rate_limits=False, database_url=server.url, redis_url=cache.url)
        services = build(settings)
        stack.callback(services.close)
        options = {"database_url": server.url, "redis_url": cache.url}
        product = stack.enter_context(Product("ws", data_dir=folder, options=options))
        product.wait_until_listening()
        nchan = stack.enter_context(Nchan())
        return uvloop.run(_measure(services, product, nchan, seconds=1 if quick else 6))


async def _measure(services: Services, product: Product, nchan: Nchan, *, seconds: int) -> list[Row]:
    ours, theirs = Audience(), Audience()
    gateway, peer = Gateway(services, product), NchanSender(nchan, ours)
    rows: list[Row] = []
    for sockets in SOCKETS:
        await ours.grow(sockets, gateway)
        await theirs.grow(sockets, peer)
        await asyncio.to_thread(product.settle)
        hertz = MESSAGES_PER_SECOND / sockets
        our_windows, their_windows = [], []
        for _ in range(ROUNDS + 1):
            our_windows.append(await _publish(ours, gateway, hertz=hertz, seconds=seconds))
            their_windows.append(await _publish(theirs, peer, hertz=hertz, seconds=seconds))
        # The first round warms up.
        rows += _rows(f"{sockets:,} sockets at {hertz:g}/s", our_windows[1:], their_windows[1:])
    ours.leave()
    theirs.leave()
    return rows


async def _publish(audience: Audience, sender: Sender, *, hertz: float, seconds: float) -> Window:
    """Publish at a rate for a while, until everything has arrived everywhere."""
    audience.start()
    count = int(hertz * seconds)
    cpu_started, started = sender.cpu_seconds(), time.perf_counter()
    for number in range(count):
        await asyncio.sleep(max(0.0, started + number / hertz - time.perf_counter()))
        publish_ms = time.time_ns() // 1_000_000
        audience.published(publish_ms)
        await sender.publish(publish_ms)
    expected = count * len(audience)
    await _arrive(audience, expected)
    delivered = len(audience.latencies)
    if delivered < DELIVERED_SHARE_MIN * expected:
        raise RuntimeError(f"{delivered} of {expected} messages arrived")
    cuts = statistics.quantiles(audience.latencies, n=100)
    cpu_us = (sender.cpu_seconds() - cpu_started) / delivered * 1e6
    return Window(cpu_us, cuts[49] * 1e3, cuts[98] * 1e3, delivered / expected)


async def _arrive(audience: Audience, expected: int) -> None:
    """Wait for the last delivery. A price that a newer one overtook never arrives: the gateway conflates."""
    before = -1
    while before < len(audience.latencies) < expected:
        before = len(audience.latencies)
        await asyncio.sleep(QUIET_SECONDS)


def _rows(label: str, ours: list[Window], theirs: list[Window]) -> list[Row]:
    figures = (("CPU per delivered price", "us", "cpu_us"), ("delivery p50", "ms", "p50_ms"), ("p99", "ms", "p99_ms"))
    return [
        Row(
            name=f"{label}, {what}",
            unit=unit,
            samples=tuple(getattr(window, field) for window in ours),
            peer_name="nchan",
            peer_samples=tuple(getattr(window, field) for window in theirs),
            target=TARGET if field == "cpu_us" else None,
            note=_conflation(ours) if field == "cpu_us" else "",
        )
        for what, unit, field in figures
    ]


def _conflation(windows: list[Window]) -> str:
    share = min(window.delivered_share for window in windows)
    return "" if share == 1 else f"{1 - share:.0%} of the prices were overtaken by a newer one before they were sent"
