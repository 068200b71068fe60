"""Brings admitted ticks to the orders that wait for them, and ends those whose tick did not come in time.

One matcher is active per deployment. Ticks that the bus lost are not made good: an order then fills on the next one,
or times out. While the database is away ticks wait here, and fill what they would have filled.
"""

import asyncio
import time
from collections import deque
from collections.abc import Callable
from contextlib import aclosing

import msgspec

from pump_party.apps.workers.leading import is_set_within, lead
from pump_party.bootstrap.services import Services
from pump_party.domains.marketdata.contract import Quote
from pump_party.kernel.errors import Unavailable
from pump_party.platform.bus import TICK_CHANNEL
from pump_party.platform.logging import get_logger

WORKER = "match_orders"
TICKS_WAITING_MAX = 10_000
"""Beyond this only the newest tick of each market stays: a matcher that lags catches up instead of falling back."""

TICKS_PER_ROUND_MAX = 100
EXPIRE_EVERY_S = 0.25
RETRY_S = 0.25

log = get_logger(WORKER)
_decode = msgspec.json.Decoder(list[Quote]).decode


async def run(services: Services, *, stop: asyncio.Event) -> None:
    """Match until `stop` is set, whenever no other process does."""
    await lead(services, WORKER, lambda ended: _match(services, ended), stop=stop)


async def _match(services: Services, ended: asyncio.Event) -> None:
    matcher = _Matcher(services)
    listening = asyncio.create_task(matcher.listen())
    matching = asyncio.create_task(matcher.run(ended))
    try:
        await asyncio.wait([listening, matching], return_when=asyncio.FIRST_COMPLETED)
        if listening.done():
            listening.result()
        await matching
    finally:
        for task in (listening, matching):
            task.cancel()
        await asyncio.gather(listening, matching, return_exceptions=True)


class _Matcher:
    """Ticks in line, and the one thread at a time that hands them to the engine in their order."""

    def __init__(self, services: Services) -> None:
        self._services = services
        self._waiting: deque[Quote] = deque()
        self._arrived = asyncio.Event()
        self._is_away = False

    async def listen(self) -> None:
        async with aclosing(self._services.bus.listen([TICK_CHANNEL])) as messages:  # type: ignore[type-var]
            async for channel, message in messages:
                if channel:
                    self._take(message)

    def _take(self, message: bytes) -> None:
        try:
            quotes = _decode(message)
        except msgspec.DecodeError as error:
            log.warning("bus_message_refused", channel=TICK_CHANNEL, reason=str(error))
            return
        self._waiting.extend(quotes)
        if len(self._waiting) > TICKS_WAITING_MAX:
            newest = {quote.market: quote for quote in self._waiting}
            given_up = len(self._waiting) - len(newest)
            self._waiting = deque(newest.values())
            self._services.metrics.ticks_unmatched(given_up)
            log.warning("ticks_given_up", count=given_up)
        self._arrived.set()

    async def run(self, ended: asyncio.Event) -> None:
        expire_at = time.monotonic()
        while not ended.is_set():
            self._arrived.clear()
            done = await self._take_ticks()
            # What has arrived goes first: it may be the tick that an order would else be refused for missing.
            if done and not self._waiting and time.monotonic() >= expire_at:
                done = await self._act(lambda: self._services.prop.expire_orders())
                expire_at = time.monotonic() + EXPIRE_EVERY_S
            if not done:
                await is_set_within(ended, RETRY_S)
            elif not self._waiting:
                await is_set_within(self._arrived, expire_at - time.monotonic())

    async def _take_ticks(self) -> bool:
        """Hand over what waits, at most a round of it. False when the database is away: then it goes on waiting."""
        quotes = [self._waiting.popleft() for _ in range(min(len(self._waiting), TICKS_PER_ROUND_MAX))]
        if not quotes:
            return True
        started = time.perf_counter()
        done = await self._act(lambda: self._services.prop.take_ticks(quotes))
        if done:
            lag_ms = max(0, self._services.clock.now_ms() - quotes[0].recv_ms)
            self._services.metrics.ticks_matched(
                len(quotes), duration_s=time.perf_counter() - started, lag_s=lag_ms / 1000
            )
        else:
            self._waiting.extendleft(reversed(quotes))
        return done

    async def _act(self, work: Callable[[], int]) -> bool:
        try:
            ended = await asyncio.to_thread(work)
        except Unavailable as error:
            self._services.metrics.worker_failed(WORKER)
            if not self._is_away:
                log.warning("matching_waits", code=error.code, reason=error.reason)
            self._is_away = True
            return False
        if self._is_away:
            self._is_away = False
            log.info("matching_goes_on")
        # Orders that moved on without ending are announced too: the relay finds them with its next look.
        if ended:
            self._services.outbox.notify()
            self._services.metrics.orders_ended(ended)
        return True
