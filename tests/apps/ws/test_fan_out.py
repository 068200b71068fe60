"""Slow consumers: the quick ones do not notice, and nothing piles up."""

import asyncio
import json
import socket
from collections.abc import Coroutine
from typing import Any

import msgspec
import pytest
import uvloop
from tests.apps.ws.stage import BTC, SOL, Stage, User, staged

from pump_party.apps.ws import gateway
from pump_party.bootstrap.services import Services
from pump_party.db.outbox import append
from pump_party.platform.bus import PRICE_CHANNEL
from pump_party.platform.outbox import OutboxMessage


class Stalled:
    """A client that upgrades and signs in, and then reads only when told to."""

    def __init__(self, connection: socket.socket) -> None:
        self._connection = connection
        self._received = b""

    @classmethod
    async def connect(cls, stage: Stage, user: User, *frames: dict[str, Any]) -> "Stalled":
        connection = socket.socket()
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4_096)
        connection.setblocking(False)
        loop = asyncio.get_running_loop()
        await loop.sock_connect(connection, ("127.0.0.1", stage.port))
        await loop.sock_sendall(
            connection,
            b"GET /v1/stream HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
            b"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n\r\n",
        )
        client = cls(connection)
        while b"\r\n\r\n" not in client._received:
            client._received += await loop.sock_recv(connection, 4_096)
        client._received = client._received.split(b"\r\n\r\n", 1)[1]
        for frame in ({"type": "authenticate", "ticket": await user.ticket()}, *frames):
            payload = json.dumps(frame).encode().ljust(126)
            await loop.sock_sendall(connection, b"\x81\xfe" + len(payload).to_bytes(2, "big") + bytes(4) + payload)
        answers = await client.read(1 + len(frames))
        assert {opcode for opcode, _ in answers} == {1}
        return client

    async def read(self, number: int | None = None) -> list[tuple[int, bytes]]:
        """Read frames, (opcode, payload): so many, or until the connection ends."""
        frames: list[tuple[int, bytes]] = []
        loop = asyncio.get_running_loop()
        async with asyncio.timeout(10):
            while number is None or len(frames) < number:
                frame = self._take()
                if frame is not None:
                    frames.append(frame)
                    continue
                try:
                    chunk = await loop.sock_recv(self._connection, 65_536)
                except ConnectionResetError:
                    return frames
                if not chunk:
                    return frames
                self._received += chunk
        return frames

    def _take(self) -> tuple[int, bytes] | None:
        data = self._received
        if len(data) < 2:
            return None
        size, start = data[1], 2
        if size == 126:
            size, start = int.from_bytes(data[2:4], "big"), 4
        assert size < 127 or start == 4
        if len(data) < start + size:
            return None
        self._received = data[start + size :]
        return data[0] & 15, data[start : start + size]

    def close(self) -> None:
        self._connection.close()


@pytest.fixture(params=["uvloop", "asyncio"])
def run(request: pytest.FixtureRequest) -> Any:
    def run_scenario(scenario: Coroutine[Any, Any, None]) -> None:
        uvloop.run(scenario) if request.param == "uvloop" else asyncio.run(scenario)

    return run_scenario


def unlimited(services: Services) -> dict[str, Any]:
    return {"settings": msgspec.structs.replace(services.settings, rate_limits=False)}


def bulky(user: User, first: int, number: int) -> list[OutboxMessage]:
    """Rejections with a long client_order_id, a kilobyte each: they fill kernel buffers quickly."""
    event = {
        "account_id": user.account_id, "order_id": "o", "client_order_id": "x" * 8_000, "market": SOL, "side": "buy",
        "status": "rejected", "reject_code": "LOT_SIZE", "version": 1, "cash_micros": 0,
        "held_micros": 0, "at_ms": 1,
    }  # fmt: skip
    payload = msgspec.Raw(json.dumps(event).encode())
    return [
        OutboxMessage("account", user.account_id, seq, "order_rejected", payload, 1)
        for seq in range(first, first + number)
    ]


def store(services: Services, messages: list[OutboxMessage]) -> None:
    with services.database.write() as connection:
        append(connection, messages)
    services.outbox.notify()


def test_a_price_that_comes_late_never_replaces_a_newer_one(services: Services, run: Any) -> None:
    async def scenario() -> None:
        async with staged(services) as stage:
            client = await stage.signed_in(stage.user())
            await client.ask(type="subscribe", channel="price", markets=[SOL, BTC])
            newest = await stage.price(SOL, mid_e8=200_00000000)
            await client.until(lambda frame: frame.get("price") == "200")
            late = stage.quote(SOL, mid_e8=190_00000000, recv_ms=newest.recv_ms - 1)
            await services.bus.publish(PRICE_CHANNEL, [msgspec.json.encode(late)])
            await stage.price(BTC, mid_e8=60_000_00000000)
            await client.until(lambda frame: frame.get("price") == "60000")
            assert client.of("price_update")[-1]["market"] == BTC
            assert "190" not in [frame["price"] for frame in client.of("price_update")]

    run(scenario())


def test_prices_for_a_stalled_socket_conflate_to_the_newest_and_cost_no_memory(services: Services, run: Any) -> None:
    async def scenario() -> None:
        async with staged(services, **unlimited(services)) as stage:
            user, quick = stage.user(1), await stage.signed_in(stage.user(2))
            await stage.price(BTC, mid_e8=1)
            prices = {"type": "subscribe", "channel": "price", "markets": [SOL, BTC]}
            slow = await Stalled.connect(stage, user, prices)
            await quick.ask(**prices)
            board = stage.gateway.board
            async with asyncio.timeout(20):
                while not board.stalled:
                    await stage.price(SOL, source="s" * 15_000)
                    await asyncio.sleep(0.006)
            for _ in range(20):
                await stage.price(SOL)
                await asyncio.sleep(0.006)
            [outlet] = board.stalled
            assert (outlet.has_pending(), outlet.missed) == (False, {SOL})
            last = await stage.price(SOL)
            wanted = str(last.mid_e8 / 10**8)
            await quick.until(lambda frame: frame.get("price") == wanted)

            seen: list[bytes] = []
            while not seen or json.loads(seen[-1]).get("price") != wanted:
                seen += [payload for opcode, payload in await slow.read(1) if opcode == 1]
            assert len(seen) < len(quick.of("price_update"))
            slow.close()

    run(scenario())


def test_a_socket_that_leaves_its_private_frames_is_closed_with_4008_and_resumes_without_loss(
    services: Services, run: Any
) -> None:
    async def scenario() -> None:
        async with staged(services, **unlimited(services)) as stage:
            user = stage.user()
            follow = {"type": "subscribe", "channel": "account", "account_id": user.account_id}
            slow = await Stalled.connect(stage, user, follow)
            quick = await stage.following(user)
            for page in range(40):
                store(services, bulky(user, 1 + page * 50, 50))
                await quick.until(lambda frame, newest=(page + 1) * 50: frame.get("seq") == newest)
            assert [frame["seq"] for frame in quick.of("order_reject")] == list(range(1, 2_001))

            assert b'pump_party_socket_closes_total{code="4008"} 1.0' in services.metrics.render()
            frames = await slow.read()
            seqs = [json.loads(payload)["seq"] for opcode, payload in frames if opcode == 1]
            assert seqs == list(range(1, len(seqs) + 1))
            assert len(seqs) < 2_000
            slow.close()
            back = await stage.following(user, after_seq=len(seqs))
            await back.until(lambda frame: frame.get("seq") == 2_000 and frame["type"] == "order_reject")
            assert [frame["seq"] for frame in back.of("order_reject")] == list(range(len(seqs) + 1, 2_001))

    run(scenario())


def test_a_replay_waits_for_a_slow_reader_instead_of_closing_it(services: Services, run: Any) -> None:
    async def scenario() -> None:
        async with staged(services, **unlimited(services)) as stage:
            user = stage.user()
            for page in range(12):
                store(services, bulky(user, 1 + page * 100, 100))
            follow = {"type": "subscribe", "channel": "account", "account_id": user.account_id, "after_seq": 0}
            slow = await Stalled.connect(stage, user, follow)
            seqs: list[int] = []
            while len(seqs) < 1_200:
                await asyncio.sleep(0.01)
                seqs += [json.loads(payload)["seq"] for opcode, payload in await slow.read(40) if opcode == 1]
            assert seqs == list(range(1, 1_201))
            slow.close()

    run(scenario())


def test_a_socket_that_takes_nothing_for_long_is_closed(
    services: Services, run: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(gateway, "STALLED_S", 0.3)

    async def scenario() -> None:
        async with staged(services, **unlimited(services)) as stage:
            user = stage.user()
            slow = await Stalled.connect(stage, user, {"type": "subscribe", "channel": "price", "market": SOL})
            board = stage.gateway.board
            async with asyncio.timeout(20):
                while not board.stalled:
                    await stage.price(SOL, source="s" * 60_000)
                    await asyncio.sleep(0.007)
                while board._wanted:
                    await asyncio.sleep(0.05)
            slow.close()

    run(scenario())


def test_a_dead_peer_is_found_by_its_silence(services: Services, run: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(gateway, "PING_S", 0.3)

    async def scenario() -> None:
        async with staged(services) as stage:
            dead = await Stalled.connect(stage, stage.user(1))
            alive = await stage.signed_in(stage.user(2))
            frames = await dead.read()
            assert frames[0][0] == 9
            assert (await alive.ask(type="ping"))["type"] == "pong"
            assert alive.pings > 0
            dead.close()

    run(scenario())
