"""The WebSocket gateway: listens, lets sockets in, and brings the bus to them.

It holds nothing that matters: a client that reconnects, to this process or another, misses nothing, because prices
are snapshots and private frames are read from the outbox.
"""

import asyncio
from collections import Counter
from collections.abc import Awaitable, Callable, Coroutine, Sequence
from contextlib import suppress
from typing import Any, Final

import msgspec
import structlog
from picows import (
    WSAutoPingStrategy,
    WSUpgradeRequest,
    WSUpgradeResponse,
    WSUpgradeResponseWithListener,
    ws_create_server,
)

from pump_party.apps.ws.account_feed import account_feed
from pump_party.apps.ws.backtest_feed import BacktestFeed
from pump_party.apps.ws.clone_feed import clone_feed
from pump_party.apps.ws.clone_trades import CloneTrades
from pump_party.apps.ws.fan_out import PriceBoard
from pump_party.apps.ws.session import MESSAGE_BYTES_MAX, RESTART, REVOKED, SIGN_IN_S, TOO_MANY, TOO_SLOW, Session
from pump_party.bootstrap.services import Services
from pump_party.domains.marketdata.contract import Quote
from pump_party.domains.users.contract import Principal
from pump_party.events.users import SessionsRevoked
from pump_party.kernel.errors import Unavailable
from pump_party.platform.bus import ACCOUNT_CHANNEL, BACKTEST_CHANNEL, CLONE_CHANNEL, PRICE_CHANNEL, SESSION_CHANNEL
from pump_party.platform.outbox import OutboxMessage

PATH: Final = b"/v1/stream"
SOCKETS_MAX: Final = 20_000
SOCKETS_PER_USER: Final = 8
SOCKETS_PER_ADDRESS: Final = 32
BACKLOG: Final = 1_024
READ_BUFFER_BYTES: Final = 4_096
"""Per socket, to begin with: most send little; it grows under those that send much."""
PING_S: Final = 20.0
"""A silent peer is pinged after this long, and is dead when it does not answer for as long again."""
WATCH_S: Final = 1.0
STALLED_S: Final = 15.0
"""A socket that takes nothing for this long is closed, however little waits for it."""
VALIDITY_CHECK_S: Final = 60.0
VALIDITY_PAGE: Final = 100
SHUTDOWN_S: Final = 3.0

_log = structlog.get_logger("gateway")
_decode_quote = msgspec.json.Decoder(Quote).decode
_decode_message = msgspec.json.Decoder(OutboxMessage).decode
_decode_revoked = msgspec.json.Decoder(SessionsRevoked).decode


async def serve(
    services: Services, *, host: str, port: int, stop: asyncio.Event, started: asyncio.Future[int] | None = None
) -> None:
    """Serve until `stop` is set, then close every socket with 1012. `started` gets the port when sockets may come."""
    await Gateway(services).serve(host=host, port=port, stop=stop, started=started)


class Gateway:
    """All sockets of this process and what they share."""

    def __init__(self, services: Services) -> None:
        self.services = services
        self.board = PriceBoard(services.clock, services.metrics)
        self.feed = account_feed(services.outbox, services.metrics)
        self.clones = clone_feed(services.outbox, services.metrics)
        self.trades = CloneTrades(services.aitrading, services.prop, services.outbox, services.metrics)
        self.backtests = BacktestFeed(services.outbox, services.metrics)
        self._markets = [asset.market for asset in services.registry.assets()]
        self._origins = services.settings.origins()
        self._sessions: set[Session] = set()
        self._by_user: dict[str, set[Session]] = {}
        self._per_address: Counter[str] = Counter()
        self._user_seqs: dict[str, int] = {}
        self._closing = False

    async def serve(self, *, host: str, port: int, stop: asyncio.Event, started: asyncio.Future[int] | None) -> None:
        await self.refresh_prices()
        server = await self._open(host, port)
        port = server.sockets[0].getsockname()[1]
        works: tuple[Callable[[], Coroutine[Any, Any, None]], ...] = (self.listen, self.board.run, self.watch)
        tasks = [asyncio.create_task(work()) for work in works]
        stopping = asyncio.create_task(stop.wait())
        try:
            _log.info("gateway_started", host=host, port=port)
            if started is not None:
                started.set_result(port)
            await asyncio.wait([*tasks, stopping], return_when=asyncio.FIRST_COMPLETED)
            for task in tasks:
                if task.done():
                    task.result()
        finally:
            server.close()
            await self.close_all()
            for running in (*tasks, stopping):
                running.cancel()
            await asyncio.gather(*tasks, stopping, return_exceptions=True)

    async def _open(self, host: str, port: int) -> asyncio.Server:
        return await ws_create_server(
            self.upgrade,
            host,
            port,
            websocket_handshake_timeout=SIGN_IN_S,
            enable_auto_ping=True,
            auto_ping_idle_timeout=PING_S,
            auto_ping_reply_timeout=PING_S,
            auto_ping_strategy=WSAutoPingStrategy.PING_PERIODICALLY,
            enable_auto_pong=False,
            max_frame_size=MESSAGE_BYTES_MAX,
            read_buffer_init_size=READ_BUFFER_BYTES,
            backlog=BACKLOG,
        )

    # --- sockets

    def upgrade(self, request: WSUpgradeRequest) -> Session | WSUpgradeResponseWithListener:
        """Let a connection become a socket: right path, allowed Origin. Programs send no Origin; all need a ticket."""
        if request.path.split(b"?", 1)[0] != PATH:
            return _refuse(404, b"the stream is at /v1/stream")
        origin = request.headers.get("origin")
        if origin is not None and origin not in self._origins:
            return _refuse(403, b"this origin may not open sockets")
        if self._closing or len(self._sessions) >= SOCKETS_MAX:
            return _refuse(503, b"no more sockets here; try again")
        if "upgrade" in request.headers.get("connection", "").lower().replace(" ", "").split(","):
            # Firefox sends "keep-alive, Upgrade", which picows does not take for an upgrade.
            request.headers["connection"] = "Upgrade"
        return Session(self)

    def admit(self, session: Session) -> tuple[int, str] | None:
        """Count a new socket. Returns the close code and reason when its address has too many."""
        self._sessions.add(session)
        self._per_address[session.address] += 1
        self.services.metrics.sockets_open(len(self._sessions))
        limited = self.services.settings.rate_limits
        if limited and self._per_address[session.address] > SOCKETS_PER_ADDRESS:
            return TOO_MANY, "too many sockets from this address"
        return None

    def sign_in(self, session: Session, principal: Principal) -> bool:
        """Count a socket for its user; False when the user has too many."""
        mine = self._by_user.setdefault(principal.user_id, set())
        if self.services.settings.rate_limits and len(mine) >= SOCKETS_PER_USER:
            return False
        mine.add(session)
        # Whatever was revoked between the ticket and now is found by the next look at the outbox.
        self._user_seqs.pop(principal.user_id, None)
        return True

    def forget(self, session: Session, code: int) -> None:
        self._sessions.discard(session)
        self._per_address[session.address] -= 1
        if self._per_address[session.address] <= 0:
            del self._per_address[session.address]
        if session.principal is not None:
            mine = self._by_user[session.principal.user_id]
            mine.discard(session)
            if not mine:
                del self._by_user[session.principal.user_id]
                self._user_seqs.pop(session.principal.user_id, None)
        self.services.metrics.sockets_open(len(self._sessions))
        self.services.metrics.socket_closed(code)

    async def close_all(self) -> None:
        """Answer the orders that were taken, then close every socket with 1012."""
        self._closing = True
        with suppress(TimeoutError):
            async with asyncio.timeout(SHUTDOWN_S):
                await asyncio.gather(*(session.finish_orders() for session in self._sessions))
        for session in tuple(self._sessions):
            session.close(RESTART, "restarting; connect again")
        with suppress(TimeoutError):
            async with asyncio.timeout(SHUTDOWN_S):
                while self._sessions:
                    await asyncio.sleep(0.01)

    # --- the bus

    async def listen(self) -> None:
        """Bring every message of the bus to the sockets it concerns."""
        takers: dict[str, Callable[[bytes], None]] = {
            PRICE_CHANNEL: lambda message: self.board.update([_decode_quote(message)]),
            ACCOUNT_CHANNEL: lambda message: self._tell_of_account(_decode_message(message)),
            CLONE_CHANNEL: lambda message: self.clones.deliver(_decode_message(message)),
            BACKTEST_CHANNEL: lambda message: self.backtests.deliver(_decode_message(message)),
            SESSION_CHANNEL: self._revoke,
        }
        async for channel, message in self.services.bus.listen(tuple(takers)):
            if not channel:
                await self._try(self._make_good)
                continue
            try:
                takers[channel](message)
            except msgspec.DecodeError as error:
                _log.warning("bus_message_refused", channel=channel, reason=str(error))

    def _tell_of_account(self, message: OutboxMessage) -> None:
        self.feed.deliver(message)
        self.trades.deliver(message)

    def _revoke(self, message: bytes) -> None:
        revoked = _decode_revoked(_decode_message(message).payload)
        for session in tuple(self._by_user.get(revoked.user_id, ())):
            if session.principal is not None and session.principal.credential_id() in revoked.session_ids:
                session.close(REVOKED, "session revoked")

    async def _make_good(self) -> None:
        """After a time without the bus: everything it could have said is looked up."""
        await self.refresh_prices()
        for feed in (self.feed, self.clones, self.trades, self.backtests):
            await feed.check(patient=False)
        await self._check_validity([s for sessions in self._by_user.values() for s in sessions])

    # --- what does not depend on the bus

    async def watch(self) -> None:
        """Every second, make good what the bus lost and close what must not stay open."""
        loop = asyncio.get_running_loop()
        checked_at_s = loop.time()
        while True:
            await asyncio.sleep(WATCH_S)
            self._close_stalled()
            self.board.check_silence()
            feeds = (self.feed.check, self.clones.check, self.trades.check, self.backtests.check)
            for check in (self.refresh_prices, *feeds, self._check_users):
                await self._try(check)
            if loop.time() - checked_at_s >= VALIDITY_CHECK_S:
                checked_at_s = loop.time()
                everyone = [session for sessions in self._by_user.values() for session in sessions]
                await self._try(lambda everyone=everyone: self._check_validity(everyone))  # type: ignore[misc]

    async def refresh_prices(self) -> None:
        quotes = await asyncio.to_thread(self.services.quotes.latest, self._markets)
        self.board.update(list(quotes.values()))

    async def _check_users(self) -> None:
        """Look for revocations that the bus lost: a user's events are numbered like an account's."""
        users = list(self._by_user)
        if not users:
            return
        newest = await asyncio.to_thread(self.services.outbox.latest_seqs, users)
        suspects = [user for user in users if self._user_seqs.get(user, -1) < newest.get(user, 0)]
        await self._check_validity([s for user in suspects for s in self._by_user.get(user, ())])
        self._user_seqs.update((user, newest.get(user, 0)) for user in suspects if user in self._by_user)

    async def _check_validity(self, sessions: Sequence[Session]) -> None:
        for start in range(0, len(sessions), VALIDITY_PAGE):
            asked = [
                (session, session.principal)
                for session in sessions[start : start + VALIDITY_PAGE]
                if session.principal is not None
            ]
            valid = await asyncio.to_thread(lambda asked=asked: [self.services.users.is_valid(p) for _, p in asked])  # type: ignore[misc]
            for (session, _), stands in zip(asked, valid, strict=True):
                if not stands:
                    session.close(REVOKED, "session ended")

    def _close_stalled(self) -> None:
        now_s = asyncio.get_running_loop().time()
        slow = {outlet for outlet in self.board.stalled if now_s - outlet.paused_at_s > STALLED_S}
        if slow:
            for session in [session for session in self._sessions if session.outlet in slow]:
                session.close(TOO_SLOW, "too slow")

    async def _try(self, check: Callable[[], Awaitable[None]]) -> None:
        try:
            await check()
        except Unavailable as refusal:
            _log.warning("check_postponed", reason=refusal.reason)


def _refuse(status: int, body: bytes) -> WSUpgradeResponseWithListener:
    return WSUpgradeResponseWithListener(WSUpgradeResponse.create_error_response(status, body), None)
