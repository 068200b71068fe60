"""Works off the slots in which clones decide, and holds the conditions on their positions against every tick.

One worker is active per deployment. Whoever takes over brings to an end what was left undone, and does nothing twice.
"""

import asyncio
import time
from collections import deque
from contextlib import aclosing

import msgspec

from pump_party.apps.workers.leading import is_set_within, lead
from pump_party.bootstrap.house import open_house
from pump_party.bootstrap.services import Services
from pump_party.domains.marketdata.contract import Quote
from pump_party.kernel.errors import Refusal, Unavailable
from pump_party.platform.bus import TICK_CHANNEL
from pump_party.platform.jobs import Job
from pump_party.platform.logging import get_logger

WORKER = "run_decisions"
LOOK_EVERY_S = 0.25
"""For slots whose time has come. Slots are whole minutes; this is what they lag at most."""

FIRST_PRICE_WITHIN_S = 20.0
"""After a start, what waits is decided at the first price. Without one in this time it fails, and says so."""

RELOAD_EVERY_S = 2.0
RETRY_S = 1.0
TICKS_WAITING_MAX = 10_000
"""Beyond this only the newest tick of each market stays."""

log = get_logger(WORKER)
_decode = msgspec.json.Decoder(list[Quote]).decode


async def run(services: Services, *, stop: asyncio.Event) -> None:
    """Decide until `stop` is set, whenever no other process does. A slot under way is brought to its end first."""
    await asyncio.to_thread(services.decisions.prepare)
    await lead(services, WORKER, lambda ended: _decide(services, ended), stop=stop)


async def _decide(services: Services, ended: asyncio.Event) -> None:
    await _await_price(services, ended)
    taken = await asyncio.to_thread(services.decisions.take_over)
    if taken:
        log.info("runs_taken_up", runs=taken)
    watch = _Watch(services)
    tasks = [asyncio.create_task(watch.listen()), asyncio.create_task(watch.run(ended))]
    slots = asyncio.create_task(_work_off_slots(services, ended))
    house = asyncio.create_task(_open_house(services, ended))
    try:
        await asyncio.wait([slots, *tasks], return_when=asyncio.FIRST_COMPLETED)
        for task in tasks:
            if task.done():
                task.result()
        await slots
    finally:
        for task in (slots, house, *tasks):
            task.cancel()
        await asyncio.gather(slots, house, *tasks, return_exceptions=True)


async def _await_price(services: Services, ended: asyncio.Event) -> None:
    """A product that was down in a slot comes back before its feed has: decided at once, the slot would be lost."""
    until = time.monotonic() + FIRST_PRICE_WITHIN_S
    while time.monotonic() < until and not ended.is_set():
        if await asyncio.to_thread(_has_price, services):
            return
        await is_set_within(ended, LOOK_EVERY_S)


def _has_price(services: Services) -> bool:
    now_ms = services.clock.now_ms()
    markets = [asset.market for asset in services.registry.assets()]
    try:
        return any(quote.halted(now_ms) is None for quote in services.quotes.latest(markets).values())
    except Unavailable:
        return False


async def _open_house(services: Services, ended: asyncio.Event) -> None:
    """Once there is a price: until then the start has other things to do."""
    markets = [asset.market for asset in services.registry.assets()]
    while not ended.is_set():
        try:
            if await asyncio.to_thread(services.quotes.latest, markets):
                opened = await asyncio.to_thread(open_house, services)
                services.outbox.notify()
                log.info("house_clones", clones=opened)
                return
        except Unavailable as error:
            _failed(services, error)
        await is_set_within(ended, RETRY_S)


async def _work_off_slots(services: Services, ended: asyncio.Event) -> None:
    under_way: set[asyncio.Task[None]] = set()
    while not ended.is_set():
        try:
            jobs = await asyncio.to_thread(services.decisions.due_slots)
        except Unavailable as error:
            _failed(services, error)
            await is_set_within(ended, RETRY_S)
            continue
        for job in jobs:
            task = asyncio.create_task(_work_off(services, job))
            under_way.add(task)
            task.add_done_callback(under_way.discard)
        await is_set_within(ended, LOOK_EVERY_S)
    await asyncio.gather(*under_way)


async def _work_off(services: Services, job: Job) -> None:
    try:
        await asyncio.to_thread(services.decisions.work_off, job)
    except Refusal as refusal:
        _failed(services, refusal)


def _failed(services: Services, refusal: Refusal) -> None:
    services.metrics.worker_failed(WORKER)
    log.warning("decisions_wait", code=refusal.code, reason=refusal.reason)


class _Watch:
    """Ticks in line, and the one thread at a time that holds conditions against them."""

    def __init__(self, services: Services) -> None:
        self._services = services
        self._waiting: deque[Quote] = deque()
        self._arrived = asyncio.Event()

    async def listen(self) -> None:
        async with aclosing(self._services.bus.listen([TICK_CHANNEL])) as messages:  # type: ignore[type-var]
            async for channel, message in messages:
                if channel:
                    self._take(message)

    def _take(self, message: bytes) -> None:
        try:
            self._waiting.extend(_decode(message))
        except msgspec.DecodeError as error:
            log.warning("bus_message_refused", channel=TICK_CHANNEL, reason=str(error))
            return
        if len(self._waiting) > TICKS_WAITING_MAX:
            self._waiting = deque({quote.market: quote for quote in self._waiting}.values())
        self._arrived.set()

    async def run(self, ended: asyncio.Event) -> None:
        reload_at = time.monotonic()
        while not ended.is_set():
            self._arrived.clear()
            try:
                if time.monotonic() >= reload_at:
                    await asyncio.to_thread(self._services.decisions.reload_conditions)
                    reload_at = time.monotonic() + RELOAD_EVERY_S
                quotes, self._waiting = list(self._waiting), deque()
                if quotes:
                    await asyncio.to_thread(self._services.decisions.take_ticks, quotes)
            except Refusal as refusal:
                _failed(self._services, refusal)
                await is_set_within(ended, RETRY_S)
            if not self._waiting:
                await is_set_within(self._arrived, reload_at - time.monotonic())
