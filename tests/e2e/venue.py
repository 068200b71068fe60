"""A venue of the tests' own that the product reads as Binance: prices stand still until a test moves them."""

import asyncio
import threading
import time
from decimal import Decimal
from typing import Self
from urllib.parse import parse_qs, urlsplit

import msgspec
from picows import WSFrame, WSListener, WSMsgType, WSTransport, WSUpgradeRequest, ws_create_server

PRICES = {"SOLUSDC": Decimal(150), "BTCUSDC": Decimal(100_000), "ETHUSDC": Decimal(3_000)}
HALF_SPREAD = Decimal("0.01")
SAY_EVERY_S = 0.2
START_MAX_S = 10


class Venue(threading.Thread):
    """Books that are told five times a second, on every connection. While `silent`, connections stay open."""

    def __init__(self) -> None:
        super().__init__(daemon=True)
        self.prices = dict(PRICES)
        self.silent = False
        self.url = ""
        self._connections: set[_Connection] = set()
        self._updates = 0
        self._open = threading.Event()
        self._enough = threading.Event()

    def __enter__(self) -> Self:
        self.start()
        assert self._open.wait(START_MAX_S)
        return self

    def __exit__(self, *_: object) -> None:
        self._enough.set()
        self.join()

    def reset(self) -> None:
        self.prices = dict(PRICES)
        self.silent = False

    def move(self, symbol: str, price: str) -> None:
        """Tell another price from now on: less than 5% away, or the product quarantines the market."""
        assert symbol in self.prices
        self.prices[symbol] = Decimal(price)

    def run(self) -> None:
        asyncio.run(self._serve())

    async def _serve(self) -> None:
        server = await ws_create_server(self._accept, "127.0.0.1", 0)
        self.url = f"ws://127.0.0.1:{server.sockets[0].getsockname()[1]}"
        self._open.set()
        while not self._enough.is_set():
            if not self.silent:
                self._updates += 1
                for connection in self._connections:
                    for symbol, price in self.prices.items():
                        connection.tell(symbol, price, self._updates)
            await asyncio.sleep(SAY_EVERY_S)
        server.close()

    def _accept(self, request: WSUpgradeRequest) -> WSListener:
        streams = parse_qs(urlsplit(request.path.decode()).query)["streams"][0].split("/")
        return _Connection(self._connections, frozenset(streams))


class _Connection(WSListener):
    def __init__(self, connections: "set[_Connection]", streams: frozenset[str]) -> None:
        super().__init__()
        self._connections = connections
        self._streams = streams
        self._transport: WSTransport | None = None

    def on_ws_connected(self, transport: WSTransport) -> None:
        self._transport = transport
        self._connections.add(self)

    def on_ws_disconnected(self, transport: WSTransport) -> None:
        self._connections.discard(self)

    def on_ws_frame(self, transport: WSTransport, frame: WSFrame) -> None:
        if frame.msg_type == WSMsgType.PING:
            transport.send_pong(frame.get_payload_as_bytes())

    def tell(self, symbol: str, price: Decimal, update: int) -> None:
        bid, ask = str(price - HALF_SPREAD), str(price + HALF_SPREAD)
        event = {"e": "depthUpdate", "E": time.time_ns() // 1_000_000, "s": symbol, "U": 1, "u": 2, "b": [], "a": []}
        book = {"u": update, "s": symbol, "b": bid, "B": "10", "a": ask, "A": "10"}
        for kind, data in (("depth@100ms", event), ("bookTicker", book)):
            stream = f"{symbol.lower()}@{kind}"
            if stream in self._streams and self._transport is not None:
                body = msgspec.json.encode({"stream": stream, "data": data})
                self._transport.send(WSMsgType.TEXT, body)
