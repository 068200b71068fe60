"""The ingest worker: runs the price sources and sends out what comes of them. One is active per deployment.

Quotes go to the cache and, conflated to the fan-out rate, to the bus; a halt goes at once. The quote of every admitted
tick goes to the bus at once too. Candles and refusals go to the database once a second. A cache, bus or database that
is away costs nobody the newest state: it is sent when it is back.
"""

import asyncio
from collections.abc import Awaitable, Callable, Sequence

import msgspec

from pump_party.apps.workers.leading import is_set_within, lead
from pump_party.bootstrap.services import Services
from pump_party.domains.marketdata.contract import Feed, Ingestion, Quote
from pump_party.kernel.errors import Unavailable
from pump_party.kernel.ids import Market
from pump_party.platform.bus import PRICE_CHANNEL, TICK_CHANNEL
from pump_party.platform.logging import get_logger

WORKER = "ingest_prices"
WRITE_EVERY_S = 1.0
HEALTH_EVERY_S = 1.0
RECORD_EVERY_S = 0.5
BOOKS_EVERY_S = 0.25
CONTEXTS_EVERY_S = 1.0
LAGS_EVERY_S = 10.0
FEED_RESTART_S = 5.0
TICK_BATCH_S = 0.02
"""Ticks that follow each other within this time travel together; the first one does not wait."""

TICK_RETRY_S = 0.25
TICKS_PER_MESSAGE_MAX = 500

Work = Callable[[], Awaitable[None]]

log = get_logger(WORKER)
_encode = msgspec.json.Encoder().encode


async def run(services: Services, ingestion: Ingestion, *, stop: asyncio.Event) -> None:
    """Ingest until `stop` is set, whenever no other process does. What was taken in is written before it returns."""
    await lead(services, WORKER, lambda ended: _ingest(services, ingestion, ended), stop=stop)


async def _ingest(services: Services, ingestion: Ingestion, ended: asyncio.Event) -> None:
    await asyncio.to_thread(ingestion.begin)
    rounds = _Rounds(services, ended)
    outlet = _Outlet(services, ingestion)
    ingestion.on_halt(outlet.hurry.set)
    ticks = _TickOutlet(services, ingestion)
    ingestion.on_admitted(ticks.arrived.set)

    async def write() -> None:
        await asyncio.to_thread(ingestion.write)

    async def publish_health() -> None:
        outlet.measure_age()
        await asyncio.to_thread(services.quotes.put_health, ingestion.health())

    async def put_books() -> None:
        await asyncio.to_thread(services.books.put, ingestion.books())

    async def put_contexts() -> None:
        await asyncio.to_thread(services.quotes.put_contexts, ingestion.contexts())

    async def measure_lags() -> None:
        lags = await asyncio.to_thread(ingestion.measure_lags)
        await asyncio.to_thread(services.quotes.put_lags, lags)

    async def record() -> None:
        given_up = await asyncio.to_thread(ingestion.record)
        if given_up:
            log.warning("raw_payloads_given_up", count=given_up)

    async with asyncio.TaskGroup() as group:
        feeds = [group.create_task(_keep_running(feed, rounds)) for feed in ingestion.feeds]
        group.create_task(outlet.run(ended, rounds))
        group.create_task(ticks.run(ended, rounds))
        group.create_task(rounds.every(WRITE_EVERY_S, "write", write))
        group.create_task(rounds.every(HEALTH_EVERY_S, "health", publish_health))
        group.create_task(rounds.every(LAGS_EVERY_S, "lags", measure_lags))
        group.create_task(rounds.every(BOOKS_EVERY_S, "books", put_books))
        group.create_task(rounds.every(CONTEXTS_EVERY_S, "contexts", put_contexts))
        if services.settings.record_raw:
            group.create_task(rounds.every(RECORD_EVERY_S, "record", record))
        await ended.wait()
        for feed in feeds:
            feed.cancel()
        ticks.arrived.set()
    await rounds.once("ticks", ticks.send)
    await rounds.once("record", record)
    await rounds.once("write", write)


async def _keep_running(feed: Feed, rounds: "_Rounds") -> None:
    """Run a source until it ends. One that fails is told of and started again: a bug in it must not silence others."""
    while True:
        try:
            await feed.run()
        except Exception as error:
            log.error("source_failed", source=feed.name, exc_info=error)
            feed.failed(f"{type(error).__name__}: {error}")
            rounds.failed()
            await asyncio.sleep(FEED_RESTART_S)
        else:
            return


class _Outlet:
    """Sends quotes to the cache and the bus, each market at most at the fan-out rate except for a halt."""

    def __init__(self, services: Services, ingestion: Ingestion) -> None:
        self.hurry = asyncio.Event()
        self._services = services
        self._ingestion = ingestion
        self._slot_s = 1 / services.settings.price_fan_out_hz
        self._waiting: dict[Market, Quote] = {}
        self._newest: dict[Market, Quote] = {}

    def measure_age(self) -> None:
        now_ms = self._services.clock.now_ms()
        for market, quote in self._newest.items():
            self._services.metrics.price_age(market, quote.age_ms(now_ms) / 1000)

    async def run(self, ended: asyncio.Event, rounds: "_Rounds") -> None:
        loop = asyncio.get_running_loop()
        slot_at = loop.time()
        while not ended.is_set():
            await rounds.once("send", self._send)
            slot_at = max(slot_at + self._slot_s, loop.time())
            while await is_set_within(self.hurry, slot_at - loop.time()):
                self.hurry.clear()
                await rounds.once("send", self._send_halts)

    async def _send(self) -> None:
        await self._send_all(self._ingestion.due())

    async def _send_halts(self) -> None:
        await self._send_all(self._ingestion.due(halts_only=True))

    async def _send_all(self, due: Sequence[Quote]) -> None:
        newest = {quote.market: quote for quote in due}
        self._newest |= newest
        self._waiting |= newest
        quotes = list(self._waiting.values())
        if not quotes:
            return
        await asyncio.to_thread(self._services.quotes.put, quotes)
        await self._services.bus.publish(PRICE_CHANNEL, [_encode(quote) for quote in quotes])
        self._waiting.clear()


class _TickOutlet:
    """Sends the quote of every admitted tick to the bus, none conflated. While the bus is away they wait in line."""

    def __init__(self, services: Services, ingestion: Ingestion) -> None:
        self.arrived = asyncio.Event()
        self._bus = services.bus
        self._ingestion = ingestion
        self._unsent: Sequence[Quote] = ()

    async def run(self, ended: asyncio.Event, rounds: "_Rounds") -> None:
        while not ended.is_set():
            if not self._unsent:
                await self.arrived.wait()
            self.arrived.clear()
            await rounds.once("ticks", self.send)
            await asyncio.sleep(TICK_RETRY_S if self._unsent else TICK_BATCH_S)

    async def send(self) -> None:
        while unsent := self._unsent or self._ingestion.admitted():
            self._unsent = unsent
            await self._bus.publish(TICK_CHANNEL, [_encode(unsent[:TICKS_PER_MESSAGE_MAX])])
            self._unsent = unsent[TICKS_PER_MESSAGE_MAX:]


class _Rounds:
    """Repeats what may fail because something is away: says so once, goes on, says when it is back."""

    def __init__(self, services: Services, ended: asyncio.Event) -> None:
        self._metrics = services.metrics
        self._ended = ended
        self._away: set[str] = set()

    async def every(self, seconds: float, name: str, work: Work) -> None:
        while not self._ended.is_set():
            await self.once(name, work)
            await is_set_within(self._ended, seconds)

    async def once(self, name: str, work: Work) -> None:
        try:
            await work()
        except Unavailable as error:
            self.failed()
            if name not in self._away:
                self._away.add(name)
                log.warning("ingest_waits", round=name, code=error.code, reason=error.reason)
        else:
            if name in self._away:
                self._away.discard(name)
                log.info("ingest_goes_on", round=name)

    def failed(self) -> None:
        self._metrics.worker_failed(WORKER)
