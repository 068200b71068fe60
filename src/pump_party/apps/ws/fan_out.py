"""Puts frames on sockets: the newest price to everyone, private frames in order, and nothing piles up.

A frame is encoded once. What a socket gets within one turn of the event loop leaves in one write, because the
kernel's send is most of the cost. A socket whose kernel buffer is full gets no more writes: its prices conflate to
the newest per market, its private frames wait in a short queue, and when that overflows the socket is closed.
"""

import asyncio
import socket
from collections.abc import Callable, Collection, Sequence
from typing import Final

from picows import WSTransport

from pump_party.apps.ws.frames import PriceUpdate, text_frame
from pump_party.domains.marketdata.contract import HaltReason, MarketState, Quote
from pump_party.kernel.money import format_e8
from pump_party.platform.clock import Clock
from pump_party.platform.metrics import Metrics

PRIVATE_QUEUE_MAX: Final = 256
KERNEL_BUFFER_BYTES: Final = 65_536
"""Asked of the kernel per socket: a reader that stops is noticed early and costs little."""
PRICE_TICK_S: Final = 0.005
"""Prices that arrive within this time leave together."""
SOCKETS_PER_TURN: Final = 250
"""Sockets written to before other work of the event loop gets its turn."""


class Outlet:
    """The way out of one socket. `paused` is true while its kernel buffer is full, and for good once it is closed."""

    __slots__ = (
        "_board", "_drained", "_loop", "_on_overflow", "_pending", "_scheduled", "closed", "missed", "paused",
        "paused_at_s", "write",
    )  # fmt: skip

    def __init__(self, transport: WSTransport, board: "PriceBoard", on_overflow: Callable[[], None]) -> None:
        # With a high-water mark of zero the transport says when the kernel takes no more, and when it does again.
        transport.underlying_transport.set_write_buffer_limits(high=0)
        connection = transport.underlying_transport.get_extra_info("socket")
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, KERNEL_BUFFER_BYTES)
        self.write = transport.underlying_transport.write
        self.closed = False
        self.paused = False
        self.paused_at_s = 0.0
        self.missed: set[str] = set()
        self._board = board
        self._loop = asyncio.get_running_loop()
        self._on_overflow = on_overflow
        self._pending: list[bytes] = []
        self._scheduled = False
        self._drained: asyncio.Event | None = None

    def send(self, frame: bytes) -> None:
        """Queue a private frame or an answer; it leaves at the end of this turn, after those before it."""
        if self.closed:
            return
        self._pending.append(frame)
        if len(self._pending) > PRIVATE_QUEUE_MAX:
            if not self.paused:
                self.flush()
            else:
                self._on_overflow()
        elif not self._scheduled and not self.paused:
            self._scheduled = True
            self._loop.call_soon(self.flush)

    def has_pending(self) -> bool:
        return bool(self._pending)

    def flush(self) -> None:
        self._scheduled = False
        if self.paused:
            return
        parts = self._pending
        if self.missed:
            parts += self._board.current(self.missed)
            self.missed.clear()
        if parts:
            self._pending = []
            self.write(parts[0] if len(parts) == 1 else b"".join(parts))
        if self._drained is not None and not self.paused:
            self._drained.set()

    def pause(self) -> None:
        self.paused = True
        self.paused_at_s = self._loop.time()
        self._board.stalled.add(self)

    def resume(self) -> None:
        self._board.stalled.discard(self)
        if not self.closed:
            self.paused = False
            self.flush()

    def close(self) -> None:
        """Nothing more is written; waiting frames are dropped."""
        self._board.forget(self)
        self.closed = self.paused = True
        self._pending.clear()
        self.missed.clear()
        if self._drained is not None:
            self._drained.set()

    async def drained(self) -> None:
        """Wait until everything sent so far is in the kernel, or the socket is closed."""
        if not self.closed and (self.paused or self._pending):
            self._drained = asyncio.Event()
            await self._drained.wait()
            self._drained = None


class PriceBoard:
    """The newest quote of every market, and which socket wants which."""

    def __init__(self, clock: Clock, metrics: Metrics) -> None:
        self._clock = clock
        self._metrics = metrics
        self._quotes: dict[str, Quote] = {}
        self._halts: dict[str, HaltReason | None] = {}
        self._frames: dict[str, bytes] = {}
        self._changed: set[str] = set()
        self._news = asyncio.Event()
        self._groups: dict[frozenset[str], set[Outlet]] = {}
        self._wanted: dict[Outlet, frozenset[str]] = {}
        self.stalled: set[Outlet] = set()

    def update(self, quotes: Collection[Quote]) -> None:
        """Take quotes in any order: an older one than is known is ignored."""
        for quote in quotes:
            known = self._quotes.get(quote.market)
            if known is None or (known != quote and known.recv_ms <= quote.recv_ms):
                self._quotes[quote.market] = quote
                self._changed.add(quote.market)
        if self._changed:
            self._news.set()

    def check_silence(self) -> None:
        """A feed that has gone silent sends nothing, so the halt it causes is announced from here."""
        now_ms = self._clock.now_ms()
        for market, quote in self._quotes.items():
            if quote.halted(now_ms) != self._halts.get(market):
                self._changed.add(market)
                self._news.set()

    def subscribe(self, outlet: Outlet, markets: Collection[str]) -> None:
        """Add markets to a socket; their current prices follow at once."""
        self._regroup(outlet, self.wanted(outlet) | frozenset(markets))
        for market in markets:
            if market in self._quotes:
                outlet.send(self._render(self._quotes[market]))

    def unsubscribe(self, outlet: Outlet, markets: Collection[str]) -> None:
        self._regroup(outlet, self.wanted(outlet) - frozenset(markets))
        outlet.missed -= set(markets)

    def wanted(self, outlet: Outlet) -> frozenset[str]:
        return self._wanted.get(outlet, frozenset())

    def forget(self, outlet: Outlet) -> None:
        self._regroup(outlet, frozenset())
        self.stalled.discard(outlet)

    def current(self, markets: Collection[str]) -> list[bytes]:
        """What the last fan-out sent of these markets."""
        return [self._frames[market] for market in sorted(markets)]

    async def run(self) -> None:
        """Fan out until cancelled. What changes while a round is going on is part of the next."""
        while True:
            await self._news.wait()
            await asyncio.sleep(PRICE_TICK_S)
            self._news.clear()
            changed, self._changed = self._changed, set()
            for market in changed:
                self._frames[market] = self._render(self._quotes[market])
                self._halts[market] = self._quotes[market].halted(self._clock.now_ms())
            for wanted, outlets in list(self._groups.items()):
                await self._write_group(wanted & changed, list(outlets))

    async def _write_group(self, markets: frozenset[str], outlets: Sequence[Outlet]) -> None:
        if not markets:
            return
        frames = b"".join(self.current(markets))
        for start in range(0, len(outlets), SOCKETS_PER_TURN):
            turn = outlets[start : start + SOCKETS_PER_TURN]
            for outlet in turn:
                if outlet.paused or outlet.has_pending():
                    outlet.missed |= markets
                else:
                    outlet.write(frames)
            self._metrics.frames_sent("price_update", len(turn) * len(markets))
            await asyncio.sleep(0)

    def _regroup(self, outlet: Outlet, wanted: frozenset[str]) -> None:
        before = self._wanted.pop(outlet, None)
        if before is not None:
            self._groups[before].discard(outlet)
            if not self._groups[before]:
                del self._groups[before]
        if wanted:
            self._wanted[outlet] = wanted
            self._groups.setdefault(wanted, set()).add(outlet)

    def _render(self, quote: Quote) -> bytes:
        now_ms = self._clock.now_ms()
        halt = quote.halted(now_ms)
        return text_frame(
            PriceUpdate(
                market=quote.market,
                price=format_e8(quote.mid_e8),
                confidence=format_e8(quote.conf_e8),
                state=MarketState.OPEN if halt is None else MarketState.HALTED,
                halt_reason=halt,
                publish_ms=quote.publish_ms,
                chart_ms=quote.chart_ms(),
                age_ms=quote.age_ms(now_ms),
                source=quote.source,
                feed=quote.feed,
                tape_ms=quote.tape_ms,
            )
        )
