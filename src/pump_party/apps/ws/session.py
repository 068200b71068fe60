"""One connection: signs in with a ticket, subscribes, places orders. Knows the limits of a single socket.

Frames are answered in order, except orders: up to ORDERS_IN_FLIGHT_MAX are under way at once and each is answered when
it is decided. Beyond that the socket is not read, which slows the client down without refusing anything.
"""

import asyncio
from collections import deque
from collections.abc import Callable, Coroutine
from typing import TYPE_CHECKING, Any, Final, cast

import msgspec
import structlog
from picows import WSCloseCode, WSFrame, WSListener, WSMsgType, WSTransport

from pump_party.apps.ws.fan_out import Outlet
from pump_party.apps.ws.following import Following
from pump_party.apps.ws.frames import (
    Authenticate,
    Authenticated,
    CancelOrderFrame,
    ClientFrame,
    OrderFrame,
    Ping,
    PlaceOrderFrame,
    Pong,
    Subscribe,
    Unsubscribe,
    error_frame,
    explain,
    read_frame,
    text_frame,
)
from pump_party.apps.ws.order_frames import answer_order, internal_error
from pump_party.domains.users.contract import Principal
from pump_party.kernel.errors import Conflict, RateLimited, Refusal, Unauthenticated
from pump_party.platform.limits import Bucket, Limit, take

if TYPE_CHECKING:
    from pump_party.apps.ws.gateway import Gateway

MESSAGE_BYTES_MAX: Final = 16 * 1024
SIGN_IN_S: Final = 10.0
CLOSE_GRACE_S: Final = 1.0
"""A peer that does not answer a close within this time is cut off."""
FRAMES_PER_SOCKET: Final = Limit(name="socket_frames", burst=40, per_minute=1_200)
"""Frames that are not orders: 20 a second."""
FRAMES_WAITING_MAX: Final = 64
ORDERS_IN_FLIGHT_MAX: Final = 256
ORDERS_HELD_MAX: Final = 2_048
"""Orders that were already in the read buffer when reading stopped."""

NORMAL: Final = 1000
PROTOCOL_ERROR: Final = 1002
ABNORMAL: Final = 1006
UNAUTHENTICATED: Final = 4001
REVOKED: Final = 4003
TOO_SLOW: Final = 4008
TOO_MANY: Final = 4009
UNSUPPORTED: Final = 1003
TOO_BIG: Final = 1009
RESTART: Final = 1012

_log = structlog.get_logger("socket")


class Session(WSListener):
    """The state machine of one socket: connected, signed in, closed."""

    def __init__(self, gateway: "Gateway") -> None:
        super().__init__()
        self._gateway = gateway
        self._services = gateway.services
        self._loop = asyncio.get_running_loop()
        self._transport: WSTransport | None = None
        self.address = ""
        self.principal: Principal | None = None
        self.outlet: Outlet
        self._following: Following
        self._bucket: Bucket | None = None
        self._parts: bytearray | None = None
        self._waiting: deque[ClientFrame] = deque()
        self._worker: asyncio.Task[None] | None = None
        self._orders: set[asyncio.Task[None]] = set()
        self._held: deque[OrderFrame] = deque()
        self._sign_in_timer: asyncio.TimerHandle | None = None
        self._finishing = False
        self._close_code: int | None = None

    # --- what picows calls

    def on_ws_connected(self, transport: WSTransport) -> None:
        self._transport = transport
        peer = transport.underlying_transport.get_extra_info("peername")
        self.address = str(peer[0]) if peer else "unknown"
        self.outlet = Outlet(transport, self._gateway.board, lambda: self.close(TOO_SLOW, "too slow"))
        self._following = Following(self._gateway, self.outlet)
        self._sign_in_timer = self._loop.call_later(SIGN_IN_S, self.close, UNAUTHENTICATED, "no ticket in time")
        refusal = self._gateway.admit(self)
        if refusal is not None:
            self.close(*refusal)

    def on_ws_frame(self, transport: WSTransport, frame: WSFrame) -> None:
        kind = frame.msg_type
        if self._close_code is not None:
            if kind == WSMsgType.CLOSE:
                transport.disconnect()
        elif kind == WSMsgType.TEXT and frame.fin and self._parts is None:
            self._receive(frame.get_payload_as_memoryview())
        elif kind in (WSMsgType.TEXT, WSMsgType.CONTINUATION):
            self._assemble(kind, frame)
        elif kind == WSMsgType.PING:
            if self._spend():
                transport.send_pong(frame.get_payload_as_bytes())
        elif kind == WSMsgType.PONG:
            self._spend()
        elif kind == WSMsgType.CLOSE:
            self.close(cast("int", frame.get_close_code()) or NORMAL, "")
            transport.disconnect()
        else:
            self.close(UNSUPPORTED, "frames are JSON text")

    def on_ws_disconnected(self, transport: WSTransport) -> None:  # noqa: ARG002 - the listener's signature
        if self._sign_in_timer is not None:
            self._sign_in_timer.cancel()
        self._following.leave_all()
        self._waiting.clear()
        self._held.clear()
        self.outlet.close()
        self._gateway.forget(self, self._close_code or ABNORMAL)

    def pause_writing(self) -> None:
        self.outlet.pause()

    def resume_writing(self) -> None:
        self.outlet.resume()

    # --- what the gateway calls

    def close(self, code: int, reason: str) -> None:
        """Send what waits and a close frame; cut the connection if the peer does not close in time."""
        if self._close_code is not None or self._transport is None:
            return
        self._close_code = code
        self.outlet.flush()
        self.outlet.close()
        self._reading().resume_reading()  # to hear the peer's close
        self._transport.send_close(cast("WSCloseCode", code), reason.encode())
        self._loop.call_later(CLOSE_GRACE_S, self._transport.disconnect, False)

    async def finish_orders(self) -> None:
        """Take nothing more and wait for the answers of the orders that were taken."""
        self._finishing = True
        self._reading().pause_reading()
        while self._orders:
            await asyncio.wait(self._orders)

    # --- frames in

    def _assemble(self, kind: WSMsgType, frame: WSFrame) -> None:
        if (kind == WSMsgType.TEXT) == (self._parts is not None):
            self.close(PROTOCOL_ERROR, "fragments out of order")
            return
        parts = self._parts = self._parts if self._parts is not None else bytearray()
        parts += frame.get_payload_as_memoryview()
        if len(parts) > MESSAGE_BYTES_MAX:
            self.close(TOO_BIG, "message too large")
        elif frame.fin:
            self._parts = None
            self._receive(bytes(parts))

    def _receive(self, text: bytes | memoryview) -> None:
        try:
            frame = read_frame(text)
        except (msgspec.DecodeError, UnicodeDecodeError) as error:
            if self._spend():
                refusal = explain(error, text)
                self._services.metrics.refused(refusal.code)
                self.outlet.send(text_frame(refusal))
                self._require_sign_in()
            return
        if isinstance(frame, OrderFrame) and self.principal is not None:
            self._take_order(frame, self.principal)
        elif self._spend():
            self._waiting.append(frame)
            if len(self._waiting) > FRAMES_WAITING_MAX:
                self.close(TOO_MANY, "too many frames")
            elif self._worker is None:
                self._worker = self._loop.create_task(self._work())

    def _spend(self) -> bool:
        """Take one token of the socket's frame limit; without one the socket is closed."""
        if not self._services.settings.rate_limits:
            return True
        now_ms = self._services.clock.now_ms()
        self._bucket, wait_ms = take(FRAMES_PER_SOCKET, self._bucket, now_ms=now_ms)
        if wait_ms:
            self.close(TOO_MANY, "too many frames")
        return wait_ms == 0

    def _require_sign_in(self) -> None:
        if self.principal is None:
            self.close(UNAUTHENTICATED, "sign in first")

    # --- orders

    def _take_order(self, frame: OrderFrame, principal: Principal) -> None:
        if len(self._orders) < ORDERS_IN_FLIGHT_MAX:
            task = self._loop.create_task(self._place(frame, principal))
            self._orders.add(task)
            task.add_done_callback(self._order_done)
            return
        if not self._held:
            self._reading().pause_reading()
        self._held.append(frame)
        if len(self._held) > ORDERS_HELD_MAX:
            self.close(TOO_MANY, "too many orders at once")

    async def _place(self, frame: OrderFrame, principal: Principal) -> None:
        self.outlet.send(await answer_order(self._services, principal, frame))

    def _order_done(self, task: asyncio.Task[None]) -> None:
        self._orders.discard(task)
        if self._held and self.principal is not None:
            self._take_order(self._held.popleft(), self.principal)
            if not self._held and not self._finishing:
                self._reading().resume_reading()

    def _reading(self) -> asyncio.ReadTransport:
        assert self._transport is not None
        return self._transport.underlying_transport

    # --- everything else, one at a time

    async def _work(self) -> None:
        try:
            while self._waiting and self._close_code is None:
                await self._answer(self._waiting.popleft())
        finally:
            self._worker = None

    async def _answer(self, frame: ClientFrame) -> None:
        try:
            if self.principal is None and not isinstance(frame, Authenticate):
                raise Unauthenticated("sign in first: send authenticate with a ticket")
            await self._handlers[type(frame)](self, frame)
        except Refusal as refusal:
            self._services.metrics.refused(refusal.code)
            self.outlet.send(text_frame(error_frame(refusal, frame.id)))
            self._require_sign_in()
        except Exception:  # noqa: BLE001 - one frame's fault must not take the socket down
            _log.exception("frame_failed", kind=type(frame).__name__)
            self.outlet.send(text_frame(internal_error(frame.id)))

    async def _authenticate(self, frame: Authenticate) -> None:
        if self.principal is not None:
            raise Conflict("this socket is signed in already", code="already_authenticated")
        payload = await self._services.tickets.redeem(frame.ticket)
        if payload is None:
            raise Unauthenticated("the ticket is unknown, used or expired", code="ticket_invalid", field="ticket")
        principal = msgspec.json.decode(payload, type=Principal)
        if not await asyncio.to_thread(self._services.users.is_valid, principal):
            raise Unauthenticated("the session is no longer valid", code="session_invalid")
        if self._close_code is not None:
            return
        if not self._gateway.sign_in(self, principal):
            self.outlet.send(text_frame(error_frame(_too_many_sockets(), frame.id)))
            self.close(TOO_MANY, "too many sockets")
            return
        self.principal = principal
        if self._sign_in_timer is not None:
            self._sign_in_timer.cancel()
        self.outlet.send(text_frame(Authenticated(user_id=principal.user_id, id=frame.id)))

    async def _subscribe(self, frame: Subscribe) -> None:
        assert self.principal is not None
        await self._following.subscribe(frame, self.principal)

    async def _unsubscribe(self, frame: Unsubscribe) -> None:
        await self._following.unsubscribe(frame)

    async def _ping(self, frame: Ping) -> None:
        self.outlet.send(text_frame(Pong(server_ms=self._services.clock.now_ms(), id=frame.id)))

    async def _order(self, frame: OrderFrame) -> None:
        """An order that waited behind the sign-in."""
        assert self.principal is not None
        self._take_order(frame, self.principal)

    _handlers: Final[dict[type, Callable[..., Coroutine[Any, Any, None]]]] = {
        Authenticate: _authenticate,
        PlaceOrderFrame: _order,
        CancelOrderFrame: _order,
        Subscribe: _subscribe,
        Unsubscribe: _unsubscribe,
        Ping: _ping,
    }


def _too_many_sockets() -> Refusal:
    return RateLimited("too many open sockets; close one first", retry_after_ms=1_000)
