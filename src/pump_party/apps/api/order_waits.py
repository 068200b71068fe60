"""Lets a request wait for the end of an accepted order, without asking the database again and again.

Whoever waits is woken by the account's events on the bus. An order is read once after the bus is heard, so that nothing
falls between the answer of the engine and the first event; and again whenever the bus lost something.
"""

import asyncio
from collections.abc import Callable
from contextlib import aclosing
from typing import Final

import msgspec

from pump_party.apps.api.threads import Threads
from pump_party.bootstrap.services import Services
from pump_party.domains.prop_interface.contract import FillView, OrderStage, OrderStatus, OrderView, RejectCode
from pump_party.events.prop_engine import OrderFilled, OrderRejected, OrderUpdated
from pump_party.kernel.errors import Unavailable
from pump_party.kernel.ids import UserId
from pump_party.platform.bus import ACCOUNT_CHANNEL
from pump_party.platform.logging import get_logger
from pump_party.platform.outbox import OutboxMessage

WAITS_MAX: Final = 1_000
"""Requests that wait at a time; one more is answered at once, so that waiting never crowds out other requests."""

IDLE_S: Final = 30.0
"""Without anybody waiting for this long, the bus is no longer listened to."""

_log = get_logger("order_waits")
_decode_message = msgspec.json.Decoder(OutboxMessage).decode
_decode_filled = msgspec.json.Decoder(OrderFilled).decode
_decode_fill = msgspec.json.Decoder(FillView).decode
_decode_rejected = msgspec.json.Decoder(OrderRejected).decode
_decode_updated = msgspec.json.Decoder(OrderUpdated).decode
_decode_order = msgspec.json.Decoder(OrderView).decode


class _Wait:
    """One request waiting for one order. `order` is the newest that is known of it."""

    __slots__ = ("must_read", "news", "order")

    def __init__(self, order: OrderView, *, must_read: bool) -> None:
        self.order = order
        self.must_read = must_read
        self.news = asyncio.Event()


class OrderWaits:
    """All waiting requests of a process. Use from one event loop."""

    def __init__(self, services: Services, threads: Threads) -> None:
        self._services = services
        self._threads = threads
        self._waits: dict[str, list[_Wait]] = {}
        self._count = 0
        self._listener: asyncio.Task[None] | None = None
        self._hears = False
        self._idle_since = 0.0
        self._closed = False

    async def settle(self, order: OrderView, user_id: UserId, *, wait_ms: int) -> OrderView:
        """The order when it has ended, rests or is armed; as it is after `wait_ms` at the latest."""
        if wait_ms == 0 or not _may_end_soon(order) or self._closed or self._count >= WAITS_MAX:
            return order
        wait = _Wait(order, must_read=self._hears)
        self._waits.setdefault(order.account_id, []).append(wait)
        self._counted(1)
        self._listen()
        try:
            async with asyncio.timeout(wait_ms / 1000):
                await self._settled(wait, user_id)
        except TimeoutError:
            pass
        finally:
            self._forget(wait)
        return wait.order

    def close(self) -> None:
        """Answer everybody who waits, with the order as it is."""
        self._closed = True
        for waits in self._waits.values():
            for wait in waits:
                wait.news.set()
        if self._listener is not None:
            self._listener.cancel()

    async def _settled(self, wait: _Wait, user_id: UserId) -> None:
        while _may_end_soon(wait.order) and not self._closed:
            if wait.must_read:
                wait.must_read = False
                await self._read(wait, user_id)
            else:
                await wait.news.wait()
                wait.news.clear()

    async def _read(self, wait: _Wait, user_id: UserId) -> None:
        order = wait.order
        try:
            read = await self._threads.run(self._services.prop.order, user_id, order.account_id, order.order_id)
        except Unavailable as refusal:
            # The events may still come.
            _log.warning("wait_could_not_read", reason=refusal.reason)
            return
        if _may_end_soon(wait.order):
            wait.order = read

    def _forget(self, wait: _Wait) -> None:
        account_id = wait.order.account_id
        self._waits[account_id].remove(wait)
        if not self._waits[account_id]:
            del self._waits[account_id]
        self._counted(-1)

    def _counted(self, change: int) -> None:
        self._count += change
        self._services.metrics.orders_awaited(self._count)
        if self._count == 0:
            self._idle_since = asyncio.get_running_loop().time()

    # --- the bus

    def _listen(self) -> None:
        if self._listener is None:
            self._listener = asyncio.create_task(self._bring_events())

    async def _bring_events(self) -> None:
        loop = asyncio.get_running_loop()
        try:
            async with aclosing(self._services.bus.listen([ACCOUNT_CHANNEL])) as messages:  # type: ignore[type-var]
                async for channel, message in messages:
                    if not channel:
                        self._start_to_hear()
                    elif self._count:
                        self._take(message)
                    elif loop.time() - self._idle_since > IDLE_S:
                        break
                self._listener, self._hears = None, False
        except asyncio.CancelledError:
            raise
        except Exception as error:  # noqa: BLE001 - waiting is a courtesy; the order stands without it
            _log.error("listening_failed", exc_info=error)
            self._listener, self._hears = None, False

    def _start_to_hear(self) -> None:
        self._hears = True
        for waits in self._waits.values():
            for wait in waits:
                wait.must_read = True
                wait.news.set()

    def _take(self, text: bytes) -> None:
        try:
            message = _decode_message(text)
            waits = self._waits.get(message.subject)
            change = None if waits is None else _change_of(message)
        except msgspec.DecodeError as error:
            _log.warning("bus_message_refused", channel=ACCOUNT_CHANNEL, reason=str(error))
            return
        if waits is None or change is None:
            return
        order_id, changed = change
        for wait in waits:
            if wait.order.order_id == order_id and _may_end_soon(wait.order):
                wait.order = changed(wait.order)
                wait.news.set()


def _may_end_soon(order: OrderView) -> bool:
    """Whether the order waits for a tick that is due, and not for a price that may never come."""
    return order.status is OrderStatus.ACCEPTED and order.stage is OrderStage.WAITING


def _change_of(message: OutboxMessage) -> tuple[str, Callable[[OrderView], OrderView]] | None:
    """Which order an event is about, and what it makes of it. None for what is about none."""
    replace = msgspec.structs.replace
    ended = {"held_amount": 0, "held_asset": None, "stage": None}
    match message.kind:
        case OrderFilled.KIND:
            filled = _decode_filled(message.payload)
            fill = _decode_fill(filled.fill)
            return filled.order_id, lambda o: replace(o, status=OrderStatus.FILLED, fill=fill, **ended)
        case OrderRejected.KIND:
            rejected = _decode_rejected(message.payload)
            code = RejectCode(rejected.reject_code)
            return rejected.order_id, lambda o: replace(o, status=OrderStatus.REJECTED, reject_code=code, **ended)
        case OrderUpdated.KIND:
            updated = _decode_order(_decode_updated(message.payload).order)
            return updated.order_id, lambda _: updated
        case _:
            return None
