"""What the tests of the ingest worker run: a source that says what it is told, the worker, things that go away."""

import asyncio
import hashlib
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import replace

from pump_party.apps.workers import ingest_prices
from pump_party.bootstrap.services import Services
from pump_party.db.marketdata import MarketDataStore
from pump_party.domains.marketdata.contract import SourceState
from pump_party.domains.marketdata.ingest import Ingest
from pump_party.domains.marketdata.model import RawPayload, Tick, TickSink
from pump_party.kernel.errors import Unavailable
from pump_party.kernel.ids import Market
from pump_party.kernel.money import E8
from pump_party.platform.clock import SystemClock

SOL = Market("SOL-USDC")
HZ = 20
PATIENCE_S = 10.0


class TestSource:
    """Reports what the test says, as fast as it says it."""

    __test__ = False
    feed = "live"
    label = "TEST"

    def __init__(self, name: str = "hyperliquid", failures: int = 0) -> None:
        self.name = name
        self.sink: TickSink | None = None
        self.runs = 0
        self._failures = failures
        self._slot = 0

    async def run(self, sink: TickSink) -> None:
        self.runs += 1
        if self.runs <= self._failures:
            raise RuntimeError("a bug in the source")
        sink.state_changed(self.name, SourceState.LIVE)
        self.sink = sink
        await asyncio.Event().wait()

    async def price(self, price: int, *, market: Market = SOL) -> None:
        await until(lambda: self.sink is not None)
        assert self.sink is not None
        self._slot += 1
        body = f"{self.name} {price} {self._slot}".encode()
        sha256 = hashlib.sha256(body).hexdigest()
        now_ms = SystemClock().now_ms()
        raw = RawPayload(source=self.name, recv_ms=now_ms, sha256=sha256, body=body)
        one = Tick(
            market=market,
            mid_e8=price * E8,
            conf_e8=E8 // 100,
            publish_ms=now_ms,
            slot=self._slot,
            recv_ms=now_ms,
            source=self.name,
            raw_sha256=sha256,
        )
        self.sink.observed(raw, (one,))


def ingestion_of(services: Services, *sources: TestSource, payloads: object | None = None) -> Ingest:
    return Ingest(
        registry=services.registry,
        store=MarketDataStore(services.database),
        clock=services.clock,
        metrics=services.metrics,
        sources=sources,
        payloads=payloads,
    )


@asynccontextmanager
async def running(services: Services, ingestion: object) -> AsyncIterator[asyncio.Event]:
    stop = asyncio.Event()
    worker = asyncio.create_task(ingest_prices.run(services, ingestion, stop=stop))
    try:
        yield stop
    finally:
        stop.set()
        async with asyncio.timeout(PATIENCE_S):
            await worker


async def until(condition: Callable[[], object]) -> None:
    async with asyncio.timeout(PATIENCE_S):
        while not condition():
            await asyncio.sleep(0.005)


class Away:
    """Something real, behind a connection that comes and goes."""

    def __init__(self, real: object) -> None:
        self._real = real
        self.away = False

    def __getattr__(self, name: str) -> object:
        if self.away:
            raise Unavailable("away", code="away")
        return getattr(self._real, name)


def with_(services: Services, **changes: object) -> Services:
    return replace(services, **changes)
