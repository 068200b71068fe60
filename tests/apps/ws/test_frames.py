"""Anything at all may arrive on a socket."""

import asyncio
import json
from random import Random
from typing import Any

import msgspec
from picows import WSMsgType
from tests.apps.ws.stage import SOL, Stage, User, run

from pump_party.bootstrap.services import Services


def test_random_and_mutated_frames_never_bring_the_gateway_down(services: Services) -> None:
    async def scenario(stage: Stage) -> None:
        user, random = stage.user(), Random(11)
        seeds = _seeds(user)
        client = await stage.signed_in(user)
        for number in range(3_000):
            if client.closed is not None:
                client = await stage.signed_in(user)
            kind, payload, fin = _mutated(random, seeds)
            client.transport.send(kind, payload, fin=fin)
            if number % 50 == 0:
                await asyncio.sleep(0.005)
        last = await stage.signed_in(user)
        assert (await last.ask(type="ping"))["type"] == "pong"
        assert "internal_error" not in {frame.get("code") for frame in client.frames}

    settings = msgspec.structs.replace(services.settings, rate_limits=False)
    run(services, scenario, settings=settings)


def test_random_bytes_on_the_connection_never_bring_the_gateway_down(services: Services) -> None:
    async def scenario(stage: Stage) -> None:
        random = Random(12)
        upgrade = (
            b"GET /v1/stream HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
            b"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n\r\n"
        )
        for number in range(200):
            reader, writer = await asyncio.open_connection("127.0.0.1", stage.port)
            writer.write((upgrade if number % 2 else b"") + random.randbytes(random.randrange(1, 400)))
            writer.write_eof()
            await asyncio.wait_for(reader.read(), 5)
            writer.close()
        client = await stage.signed_in(stage.user())
        assert (await client.ask(type="ping"))["type"] == "pong"

    run(services, scenario, settings=msgspec.structs.replace(services.settings, rate_limits=False))


def _seeds(user: User) -> list[bytes]:
    frames: list[dict[str, Any]] = [
        {"type": "ping", "id": "a"},
        {"type": "authenticate", "ticket": "x"},
        {"type": "subscribe", "channel": "price", "markets": [SOL]},
        {"type": "subscribe", "channel": "account", "account_id": user.account_id, "after_seq": 0},
        {"type": "unsubscribe", "channel": "price", "market": SOL},
        user.order("fuzz", quantity="0.01"),
    ]
    return [json.dumps(frame).encode() for frame in frames]


def _mutated(random: Random, seeds: list[bytes]) -> tuple[WSMsgType, bytes, bool]:
    payload = bytearray(random.choice(seeds))
    for _ in range(random.choice([0, 1, 1, 2, 8])):
        place = random.randrange(len(payload))
        match random.randrange(4):
            case 0:
                payload[place] = random.randrange(256)
            case 1:
                del payload[place : place + random.randrange(1, 8)]
                payload = payload or bytearray(b" ")
            case 2:
                payload[place:place] = random.randbytes(random.randrange(1, 8))
            case _:
                payload[place:place] = random.choice([b"null", b"1e309", b'"', b"{", b"]", b"\\u0000", b"-0"])
    kind = random.choices([WSMsgType.TEXT, WSMsgType.CONTINUATION, WSMsgType.BINARY], [50, 1, 1])[0]
    return kind, bytes(payload), random.random() > 0.02
