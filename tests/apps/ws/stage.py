"""The gateway, the relay and everything below them, for real, with clients that speak WebSocket."""

import asyncio
import json
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import asynccontextmanager
from dataclasses import replace
from itertools import count
from typing import Any

import msgspec
import uvloop
from picows import WSFrame, WSListener, WSMsgType, WSTransport, ws_connect
from tests.wallets import SolanaWallet

from pump_party.apps.workers import match_orders, relay_outbox
from pump_party.apps.ws import gateway
from pump_party.bootstrap.services import Services
from pump_party.domains.marketdata.contract import Quote
from pump_party.domains.prop_interface.contract import AccountKind, AccountView, OpenAccount
from pump_party.domains.users.contract import ChallengePurpose, Principal
from pump_party.kernel.ids import Market
from pump_party.platform.bus import PRICE_CHANNEL, TICK_CHANNEL

SOL = Market("SOL-USDC")
BTC = Market("BTC-USDC")
ANSWER_S = 20.0

_numbers = count(1)


class Client(WSListener):
    """A program on the other end. Keeps what it receives; `closed` is the close code once there is one."""

    def __init__(self) -> None:
        super().__init__()
        self.frames: list[dict[str, Any]] = []
        self.closed: int | None = None
        self.pings = 0
        self._news = asyncio.Event()
        self.transport: WSTransport

    def on_ws_connected(self, transport: WSTransport) -> None:
        self.transport = transport

    def on_ws_frame(self, transport: WSTransport, frame: WSFrame) -> None:
        if frame.msg_type == WSMsgType.TEXT:
            self.frames.append(json.loads(frame.get_payload_as_bytes()))
        elif frame.msg_type == WSMsgType.PING:
            self.pings += 1
            transport.send_pong(frame.get_payload_as_bytes())
        elif frame.msg_type == WSMsgType.CLOSE:
            self.closed = int(frame.get_close_code())
            transport.send_close(frame.get_close_code())
            transport.disconnect()
        self._news.set()

    def on_ws_disconnected(self, transport: WSTransport) -> None:
        self.closed = self.closed or 1006
        self._news.set()

    def send(self, frame: dict[str, Any] | bytes | str) -> None:
        data = frame if isinstance(frame, bytes | str) else json.dumps(frame)
        self.transport.send(WSMsgType.TEXT, data)

    async def until(self, seen: Callable[[dict[str, Any]], bool]) -> dict[str, Any]:
        """The first frame so far or to come that satisfies `seen`."""
        position = 0
        async with asyncio.timeout(ANSWER_S):
            while True:
                while position < len(self.frames):
                    if seen(self.frames[position]):
                        return self.frames[position]
                    position += 1
                assert self.closed is None, f"closed {self.closed} after {self.frames[-3:]}"
                await self._wait()

    async def ask(self, **frame: Any) -> dict[str, Any]:
        """Send a frame and wait for the answer that carries its id."""
        frame_id = f"ask-{next(_numbers)}"
        self.send({**frame, "id": frame_id})
        return await self.until(lambda answer: answer.get("id") == frame_id)

    async def until_closed(self) -> int:
        async with asyncio.timeout(ANSWER_S):
            while self.closed is None:
                await self._wait()
        return self.closed

    def of(self, *types: str) -> list[dict[str, Any]]:
        return [frame for frame in self.frames if frame["type"] in types]

    async def _wait(self) -> None:
        self._news.clear()
        await self._news.wait()


class User:
    """Somebody with a session and an account."""

    def __init__(self, stage: "Stage", number: int, rule_set: str | None) -> None:
        services = stage.services
        wallet = SolanaWallet(number)
        challenge = services.users.create_challenge(
            chain=wallet.chain, address=wallet.address, purpose=ChallengePurpose.SIGN_IN
        )
        signed_in = services.users.create_session(
            challenge_id=challenge.challenge_id,
            signature=wallet.sign(challenge.message),
            signed_message=None,
            user_agent="test",
        )
        self.principal: Principal = services.users.authenticate_session(signed_in.token)
        self.account: AccountView = services.prop.open_account(
            OpenAccount(self.principal.user_id, AccountKind.PRACTICE, "open", rule_set)
        )
        self.account_id = self.account.account_id
        self._services = services

    async def ticket(self) -> str:
        return (await self._services.tickets.issue(msgspec.json.encode(self.principal)))[0]

    def order(self, key: str, **more: Any) -> dict[str, Any]:
        """A place_order frame: one SOL unless told otherwise."""
        frame = {"market": SOL, "side": "buy", "quantity": "1"} | more
        return {"type": "place_order", "account_id": self.account_id, "idempotency_key": key, "id": key} | frame


class Stage:
    def __init__(self, services: Services) -> None:
        self.services = services
        self.gateway = gateway.Gateway(services)
        self.port = 0
        self._prices = count(150_00000000, 1_000_000)

    def user(self, number: int = 1, *, rule_set: str | None = None) -> User:
        return User(self, number, rule_set)

    def quote(self, market: Market = SOL, **more: Any) -> Quote:
        now_ms = self.services.clock.now_ms()
        fields = {"mid_e8": next(self._prices), "conf_e8": 1_000_000, "publish_ms": now_ms, "recv_ms": now_ms}
        fixed = {"slot": 1, "source": "test", "tick_sha256": "ab" * 32, "feed": "synthetic"}
        return Quote(market=market, **(fields | fixed | more))

    async def price(self, market: Market = SOL, **more: Any) -> Quote:
        """A price arrives: in the cache and on the bus, as the ingest worker does it."""
        quote = self.quote(market, **more)
        self.services.quotes.put([quote])
        await self.services.bus.publish(PRICE_CHANNEL, [msgspec.json.encode(quote)])
        await self.services.bus.publish(TICK_CHANNEL, [msgspec.json.encode([quote])])
        return quote

    async def connect(self, *, origin: str | None = None, path: str = "/v1/stream", **more: Any) -> Client:
        headers = {"Origin": origin} if origin else {}
        _, client = await ws_connect(
            Client, f"ws://127.0.0.1:{self.port}{path}", extra_headers=headers, enable_auto_pong=False, **more
        )
        assert isinstance(client, Client)
        return client

    async def signed_in(self, user: User) -> Client:
        client = await self.connect()
        answer = await client.ask(type="authenticate", ticket=await user.ticket())
        assert answer["type"] == "authenticated", answer
        return client

    async def following(self, user: User, **more: Any) -> Client:
        client = await self.signed_in(user)
        answer = await client.ask(type="subscribe", channel="account", account_id=user.account_id, **more)
        assert answer["type"] == "subscribed", answer
        return client


@asynccontextmanager
async def staged(
    services: Services, *, relaying: bool = True, matching: bool = False, **replaced: Any
) -> AsyncIterator[Stage]:
    """Run the gateway and, unless told otherwise, the relay; on demand also what ends the orders that wait."""
    services = replace(services, **replaced)
    stage = Stage(services)
    stop = asyncio.Event()
    started: asyncio.Future[int] = asyncio.get_running_loop().create_future()
    await stage.price()
    serving = stage.gateway.serve(host="127.0.0.1", port=0, stop=stop, started=started)
    tasks = [asyncio.create_task(serving)]
    if relaying:
        tasks.append(asyncio.create_task(relay_outbox.run(services, stop=stop)))
    if matching:
        tasks.append(asyncio.create_task(match_orders.run(services, stop=stop)))
    await asyncio.wait([started, tasks[0]], return_when=asyncio.FIRST_COMPLETED)
    stage.port = await started
    try:
        yield stage
    finally:
        stop.set()
        await asyncio.gather(*tasks)


def run(
    services: Services,
    scenario: Callable[[Stage], Coroutine[Any, Any, None]],
    *,
    matching: bool = False,
    **replaced: Any,
) -> None:
    """Run a scenario on a stage of its own, in the event loop of production."""

    async def on_stage() -> None:
        async with staged(services, matching=matching, **replaced) as stage:
            await scenario(stage)

    uvloop.run(on_stage())
