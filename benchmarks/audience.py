"""Sockets that wait for prices, and the two that send them: the product's gateway and nchan."""

import asyncio
import json
import time
from collections.abc import Callable
from typing import Protocol

import msgspec
from tests.wallets import SolanaWallet

from benchmarks.connections import RestConnection, SocketConnection
from benchmarks.nchan import Nchan
from benchmarks.product import Product
from pump_party.apps.ws.gateway import SOCKETS_PER_USER
from pump_party.bootstrap.services import Services
from pump_party.domains.marketdata.contract import Quote
from pump_party.domains.users.contract import ChallengePurpose
from pump_party.kernel.ids import Market
from pump_party.platform.bus import PRICE_CHANNEL

SOL = Market("SOL-USDC")
CONNECTING_AT_ONCE = 32
PUBLISH_MS = b'"publish_ms":'
EPOCH_MS_DIGITS = 13


class Sender(Protocol):
    """Something that delivers one published price to every socket."""

    async def connect(self) -> SocketConnection:
        """A socket that is subscribed."""
        ...

    async def publish(self, publish_ms: int) -> None:
        """Hand a price over. Its bytes carry `publish_ms`."""
        ...

    def cpu_seconds(self) -> float: ...


class Gateway:
    """`pump-party ws`: prices reach it over Redis, as the ingest worker sends them."""

    def __init__(self, services: Services, product: Product) -> None:
        self._services = services
        self._port = product.ws_port
        self.cpu_seconds: Callable[[], float] = product.cpu_seconds
        self._principals: list[bytes] = []
        self._connected = 0

    async def connect(self) -> SocketConnection:
        _, socket = await asyncio.get_running_loop().create_connection(SocketConnection, "127.0.0.1", self._port)
        await socket.upgrade("/v1/stream")
        ticket, _ = await self._services.tickets.issue(self._next_principal())
        await socket.ask(type="authenticate", ticket=ticket)
        await socket.ask(type="subscribe", channel="price", market=SOL)
        return socket

    def _next_principal(self) -> bytes:
        """A new user for every few sockets."""
        if self._connected == len(self._principals) * SOCKETS_PER_USER:
            self._principals.append(_sign_in(self._services, number=len(self._principals) + 1))
        self._connected += 1
        return self._principals[-1]

    async def publish(self, publish_ms: int) -> None:
        mid_e8 = 15_000_000_000 + publish_ms % 1_000_000
        quote = Quote(SOL, mid_e8, 2_000_000, publish_ms, publish_ms, 0, "bench", "ab" * 32, "synthetic")
        await self._services.bus.publish(PRICE_CHANNEL, [msgspec.json.encode(quote)])


class NchanSender:
    """nginx: prices reach it as POSTs, with the bytes that the gateway sent for a price like it."""

    def __init__(self, nchan: Nchan, gateway: "Audience") -> None:
        self._nchan = nchan
        self._gateway = gateway
        self._poster: RestConnection | None = None
        self.cpu_seconds: Callable[[], float] = nchan.cpu_seconds

    async def connect(self) -> SocketConnection:
        _, socket = await asyncio.get_running_loop().create_connection(SocketConnection, "127.0.0.1", self._nchan.port)
        await socket.upgrade("/subscribe")
        return socket

    async def publish(self, publish_ms: int) -> None:
        if self._poster is None:
            loop = asyncio.get_running_loop()
            _, self._poster = await loop.create_connection(RestConnection, "127.0.0.1", self._nchan.port)
        frame = json.loads(self._gateway.newest) | {"publish_ms": publish_ms}
        self._nchan.publish(self._poster, msgspec.json.encode(frame))


class Audience:
    """The sockets of one sender. Each delivery is timed from the moment its price was published."""

    def __init__(self) -> None:
        self.latencies: list[float] = []
        self.newest = b""
        self._published: dict[int, float] = {}
        self._sockets: list[SocketConnection] = []

    def __len__(self) -> int:
        return len(self._sockets)

    async def grow(self, count: int, sender: Sender) -> None:
        """Connect more sockets until there are `count`."""
        turn = asyncio.Semaphore(CONNECTING_AT_ONCE)

        async def join() -> None:
            async with turn:
                socket = await sender.connect()
                socket.on_answer = self._take
                self._sockets.append(socket)

        await asyncio.gather(*(join() for _ in range(count - len(self._sockets))))

    def start(self) -> None:
        self.latencies = []
        self._published = {}

    def published(self, publish_ms: int) -> None:
        self._published[publish_ms] = time.perf_counter()

    def leave(self) -> None:
        for socket in self._sockets:
            socket.close()
        self._sockets.clear()

    def _take(self, _connection: object, payload: bytes) -> None:
        now = time.perf_counter()
        start = payload.find(PUBLISH_MS) + len(PUBLISH_MS)
        published = self._published.get(int(payload[start : start + EPOCH_MS_DIGITS]))
        if published is not None:
            self.latencies.append(now - published)
            self.newest = payload


def _sign_in(services: Services, *, number: int) -> bytes:
    """The principal of a real session, as a ticket carries it."""
    wallet = SolanaWallet(number)
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
