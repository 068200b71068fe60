"""CPU per delivered price at 1,000 and 5,000 sockets: the gateway beside nginx with nchan, and how late prices arrive.

The gateway runs alone (`pump-party ws`, Postgres and Redis), so that its process's CPU is the fan-out's and no other.
Both get the same message bytes from this process at the same rate, over Redis and over HTTP; all sockets are here.
"""

import asyncio
import json
import resource
import statistics
import tempfile
import time
from collections.abc import Awaitable, Callable
from contextlib import ExitStack
from pathlib import Path

import msgspec
import uvloop
from tests.services import Postgres, Redis
from tests.wallets import SolanaWallet

from benchmarks.connections import RestConnection, SocketConnection
from benchmarks.nchan import CONNECTIONS_MAX, Nchan
from benchmarks.product import Product
from benchmarks.report import AT_MOST, Row, Target
from pump_party.bootstrap import Services, build
from pump_party.config import Settings
from pump_party.domains.marketdata.contract import Quote
from pump_party.domains.users.contract import ChallengePurpose
from pump_party.kernel.ids import Market
from pump_party.platform.bus import PRICE_CHANNEL

SOL = Market("SOL-USDC")
ROUNDS = 3
MESSAGES_PER_SECOND = 20_000
"""Delivered, whatever the number of sockets: rate times sockets."""

SOCKETS = (1_000, 5_000)
CONNECTING_AT_ONCE = 100
QUIET_SECONDS = 0.5
DELIVERED_SHARE_MIN = 0.9
TARGET = Target(AT_MOST, 1.1)

Publish = Callable[[], Awaitable[int]]


class Audience:
    """Sockets that wait for prices. Each delivery is timed from the moment its price was published."""

    def __init__(self) -> None:
        self.published: dict[int, float] = {}
        self.latencies: list[float] = []
        self.sockets: list[SocketConnection] = []
        self.message = b""

    def take(self, _connection: object, payload: bytes) -> None:
        now = time.perf_counter()
        start = payload.find(b'"publish_ms":') + 13
        published = self.published.get(int(payload[start : start + 13]))
        if published is not None:
            self.latencies.append(now - published)
            self.message = payload

    async def join(self, count: int, connect: Callable[[], Awaitable[SocketConnection]]) -> None:
        turn = asyncio.Semaphore(CONNECTING_AT_ONCE)

        async def one() -> None:
            async with turn:
                socket = await connect()
                socket.on_answer = self.take
                self.sockets.append(socket)

        await asyncio.gather(*(one() for _ in range(count - len(self.sockets))))

    def leave(self) -> None:
        for socket in self.sockets:
            socket.close()
        self.sockets.clear()


class Window:
    """What one stretch of publishing cost and how it arrived."""

    def __init__(self, cpu_us: float, p50_ms: float, p99_ms: float) -> None:
        self.cpu_us, self.p50_ms, self.p99_ms = cpu_us, p50_ms, p99_ms


def run(*, quick: bool) -> list[Row]:
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (max(soft, min(hard, CONNECTIONS_MAX)), hard))
    seconds = 2 if quick else 6
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="pump-party-bench-")))
        server, cache = stack.enter_context(Postgres()), stack.enter_context(Redis())
        options = {"database_url": server.url, "redis_url": cache.url}
        services = build(Settings(data_dir=str(folder), rate_limits=False, **options))
        stack.callback(services.close)
        product = stack.enter_context(Product("ws", data_dir=folder, options=options))
        product.wait_until_listening()
        nchan = stack.enter_context(Nchan())
        return uvloop.run(_measure(services, product, nchan, seconds=seconds))


async def _measure(services: Services, product: Product, nchan: Nchan, *, seconds: int) -> list[Row]:
    gateway_audience, nchan_audience = Audience(), Audience()
    principal = _sign_in(services)
    loop = asyncio.get_running_loop()
    _, poster = await loop.create_connection(RestConnection, "127.0.0.1", nchan.port)

    async def connect_to_gateway() -> SocketConnection:
        _, socket = await loop.create_connection(SocketConnection, "127.0.0.1", product.ws_port)
        await socket.upgrade("/v1/stream")
        ticket, _ = await services.tickets.issue(principal)
        await socket.ask(type="authenticate", ticket=ticket)
        await socket.ask(type="subscribe", channel="price", market=SOL)
        return socket

    async def connect_to_nchan() -> SocketConnection:
        _, socket = await loop.create_connection(SocketConnection, "127.0.0.1", nchan.port)
        await socket.upgrade("/subscribe")
        return socket

    async def publish_to_gateway() -> int:
        quote = _quote(services)
        gateway_audience.published[quote.publish_ms] = time.perf_counter()
        await services.bus.publish(PRICE_CHANNEL, [msgspec.json.encode(quote)])
        return quote.publish_ms

    async def publish_to_nchan() -> int:
        now_ms = services.clock.now_ms()
        frame = json.loads(gateway_audience.message) | {"publish_ms": now_ms}
        nchan_audience.published[now_ms] = time.perf_counter()
        nchan.publish(poster, msgspec.json.encode(frame))
        return now_ms

    rows: list[Row] = []
    for sockets in SOCKETS:
        await gateway_audience.join(sockets, connect_to_gateway)
        await nchan_audience.join(sockets, connect_to_nchan)
        hertz = MESSAGES_PER_SECOND / sockets
        ours: list[Window] = []
        theirs: list[Window] = []
        for number in range(ROUNDS + 1):
            our_window = await _window(gateway_audience, publish_to_gateway, product.cpu_seconds, hertz, seconds)
            their_window = await _window(nchan_audience, publish_to_nchan, nchan.cpu_seconds, hertz, seconds)
            if number > 0:  # The first round warms up.
                ours.append(our_window)
                theirs.append(their_window)
        rows += _rows(sockets, hertz, ours, theirs)
    gateway_audience.leave()
    nchan_audience.leave()
    poster.close()
    return rows


async def _window(
    audience: Audience, publish: Publish, cpu_seconds: Callable[[], float], hertz: float, seconds: float
) -> Window:
    """Publish at a rate for a while, until everything has arrived everywhere."""
    audience.latencies = []
    audience.published.clear()
    count = int(hertz * seconds)
    cpu_started, started = cpu_seconds(), time.perf_counter()
    for number in range(count):
        await asyncio.sleep(max(0.0, started + number / hertz - time.perf_counter()))
        await publish()
    expected = count * len(audience.sockets)
    await _arrived(audience, expected)
    delivered = len(audience.latencies)
    if delivered < DELIVERED_SHARE_MIN * expected:
        raise RuntimeError(f"{delivered} of {expected} messages arrived")
    cuts = statistics.quantiles(audience.latencies, n=100)
    return Window((cpu_seconds() - cpu_started) / delivered * 1e6, cuts[49] * 1e3, cuts[98] * 1e3)


async def _arrived(audience: Audience, expected: int) -> None:
    """Wait for the last delivery. A price that a newer one overtook never arrives: the gateway conflates."""
    before = -1
    while before < len(audience.latencies) < expected:
        before = len(audience.latencies)
        await asyncio.sleep(QUIET_SECONDS)


def _rows(sockets: int, hertz: float, ours: list[Window], theirs: list[Window]) -> list[Row]:
    label = f"{sockets:,} sockets at {hertz:g}/s each"
    return [
        Row(
            name=f"{label}, CPU per delivered price",
            unit="us",
            samples=tuple(window.cpu_us for window in ours),
            peer_name="us nchan",
            peer_samples=tuple(window.cpu_us for window in theirs),
            target=TARGET,
        ),
        Row(
            name=f"{label}, p50 to the last hop",
            unit="ms",
            samples=tuple(window.p50_ms for window in ours),
            peer_name="ms nchan",
            peer_samples=tuple(window.p50_ms for window in theirs),
        ),
        Row(
            name=f"{label}, p99 to the last hop",
            unit="ms",
            samples=tuple(window.p99_ms for window in ours),
            peer_name="ms nchan",
            peer_samples=tuple(window.p99_ms for window in theirs),
        ),
    ]


def _quote(services: Services) -> Quote:
    now_ms = services.clock.now_ms()
    mid_e8 = 15_000_000_000 + now_ms % 1_000_000
    return Quote(SOL, mid_e8, 2_000_000, now_ms, now_ms, 0, "bench", "ab" * 32, "synthetic")


def _sign_in(services: Services) -> bytes:
    wallet = SolanaWallet(1)
    challenge = services.users.create_challenge(
        chain=wallet.chain, address=wallet.address, purpose=ChallengePurpose.SIGN_IN
    )
    session = services.users.create_session(
        challenge_id=challenge.challenge_id,
        signature=wallet.sign(challenge.message),
        signed_message=None,
        user_agent="benchmark",
    )
    return msgspec.json.encode(services.users.authenticate_session(session.token))
