"""Hyperliquid's public order books: WebSocket, and REST snapshots while the socket is away.

Mid and confidence come from the best levels (`observed_price.mid_of_book`), the publish time is the book's own
`time`. `bbo` brings every change of the best levels, `l2Book` a snapshot at least twice a second, so that a quiet
market is told from a dead connection. A snapshot is also the whole book: it has no number but its time.

`activeAssetCtx` brings premium, funding and open interest of the venue's perpetual, `metaAndAssetCtxs` those of all.
"""

import asyncio
from collections.abc import Callable, Mapping, Sequence
from decimal import Decimal
from functools import partial
from typing import Annotated

import msgspec

from pump_party.adapters.observed_price import PRICE_E8_MAX, BadPayload, check_time, level_of, mid_of_book, scaled
from pump_party.adapters.reconnect import Backoff, keep_connected
from pump_party.adapters.reporting import Report, SourceFailed
from pump_party.adapters.web_socket import SILENCE_MAX_S, listen
from pump_party.domains.marketdata.book import BookChange, OrderBook, begin
from pump_party.domains.marketdata.contract import PerpContext
from pump_party.domains.marketdata.model import Tick, TickSink
from pump_party.kernel.ids import Market
from pump_party.kernel.money import E8_DECIMALS, INT64_MAX, NANOS_DECIMALS
from pump_party.platform.clock import Clock

NAME = "hyperliquid"
LEVELS_MAX = 200
SNAPSHOT_EVERY_S = 2.0
CONTEXTS_EVERY_MS = 10_000
"""How often contexts are asked for over REST: the question weighs as much as ten books."""

COINS_MAX = 2_000
FRACTION_PPB_MAX = 10**9
"""A premium or an hour's funding beyond the whole price is garbage."""

PPB_DECIMALS = 9

_PING = b'{"method":"ping"}'
_UNPRICED = frozenset(("subscriptionResponse", "pong", "trades"))


class HyperliquidSource:
    """Books of the given coins. `jitter` returns a number in [0, 1)."""

    name = NAME
    feed = "live"
    label = "Hyperliquid"

    def __init__(
        self,
        coins: Mapping[str, Market],
        *,
        ws_url: str,
        rest_url: str,
        clock: Clock,
        jitter: Callable[[], float],
        silence_max_s: float = SILENCE_MAX_S,
    ) -> None:
        self._parser = HyperliquidParser(coins, NAME)
        self._coins = tuple(coins)
        self._ws_url = ws_url
        self._info_url = f"{rest_url.rstrip('/')}/info"
        self._clock = clock
        self._jitter = jitter
        self._silence_max_s = silence_max_s

    async def run(self, sink: TickSink) -> None:
        report = Report(self.name, sink, self._clock)
        await keep_connected(self._connect, report, Backoff(self._jitter), lambda s: self._snapshots(report, s))

    async def _connect(self, report: Report) -> None:
        await listen(
            self._ws_url,
            hello=[
                msgspec.json.encode({"method": "subscribe", "subscription": {"type": kind, "coin": coin}})
                for coin in self._coins
                for kind in ("l2Book", "bbo", "activeAssetCtx")
            ],
            keepalive=_PING,
            on_message=lambda body: report.payload(body, self._parser),
            silence_max_s=self._silence_max_s,
        )

    async def _snapshots(self, report: Report, seconds: float) -> None:
        """Fetch books over REST until it is time to try the socket again."""
        # The HTTP client costs start time and memory: it is not loaded while the socket stands.
        from pump_party.adapters.http_reply import fetch, http_client

        try:
            async with asyncio.timeout(seconds), http_client() as client:
                contexts_ms = 0
                while True:
                    for coin in self._coins:
                        question = {"type": "l2Book", "coin": coin}
                        report.payload(await fetch(client, "POST", self._info_url, json=question), self._parser)
                    if self._clock.now_ms() - contexts_ms >= CONTEXTS_EVERY_MS:
                        contexts_ms = self._clock.now_ms()
                        question = {"type": "metaAndAssetCtxs"}
                        report.payload(await fetch(client, "POST", self._info_url, json=question), self._parser)
                    await asyncio.sleep(SNAPSHOT_EVERY_S)
        except TimeoutError:
            return
        except SourceFailed as failure:
            report.trouble(f"REST: {failure}")
            await asyncio.sleep(seconds)


class HyperliquidParser:
    """Socket messages and `/info` replies. Payloads of coins it was not given carry no price."""

    def __init__(self, coins: Mapping[str, Market], source: str) -> None:
        self._coins = coins
        self._source = source
        self._book_ms: dict[str, int] = {}

    def parse(self, body: bytes, sha256: str, recv_ms: int) -> Sequence[Tick | OrderBook | PerpContext]:
        if body[:1] == b"[":
            return self._contexts(_ALL.decode(body), sha256, recv_ms)
        message = _MESSAGE.decode(body)
        if message.channel is None:
            return self._snapshot(_BOOK.decode(body), sha256, recv_ms)
        if message.channel == "l2Book":
            return self._snapshot(_BOOK.decode(message.data), sha256, recv_ms)
        if message.channel == "bbo":
            best = _BEST.decode(message.data)
            bid, ask = best.bbo
            return self._tick(best.coin, [bid] if bid else [], [ask] if ask else [], best.time, sha256, recv_ms)
        if message.channel == "activeAssetCtx":
            active = _ACTIVE.decode(message.data)
            return self._context(active.coin, active.ctx, sha256, recv_ms)
        if message.channel in _UNPRICED:
            return ()
        raise BadPayload(f"unexpected channel {message.channel[:40]!r}")

    def _contexts(self, everything: "_All", sha256: str, recv_ms: int) -> Sequence[PerpContext]:
        meta, contexts = everything
        if len(meta.universe) != len(contexts):
            raise BadPayload("there is not one context of each coin")
        named = zip(meta.universe, contexts, strict=True)
        return [found for coin, one in named for found in self._context(coin.name, one, sha256, recv_ms)]

    def _context(self, coin: str, said: "_Context", sha256: str, recv_ms: int) -> Sequence[PerpContext]:
        market = self._coins.get(coin)
        if market is None:
            return ()
        fraction = partial(scaled, decimals=PPB_DECIMALS, most=FRACTION_PPB_MAX)
        price = partial(scaled, decimals=E8_DECIMALS, most=PRICE_E8_MAX)
        oracle_e8, mark_e8 = price(said.oraclePx, field="oraclePx"), price(said.markPx, field="markPx")
        open_interest_nanos = scaled(said.openInterest, NANOS_DECIMALS, most=INT64_MAX, field="openInterest")
        if min(oracle_e8, mark_e8) <= 0 or open_interest_nanos < 0:
            raise BadPayload("a context has a price or an open interest below zero")
        context = PerpContext(
            market=market,
            premium_ppb=None if said.premium is None else fraction(said.premium, field="premium"),
            funding_1h_ppb=fraction(said.funding, field="funding"),
            open_interest_nanos=open_interest_nanos,
            oracle_e8=oracle_e8,
            mark_e8=mark_e8,
            recv_ms=recv_ms,
            source=self._source,
            sha256=sha256,
        )
        return (context,)

    def _snapshot(self, book: "_Book", sha256: str, recv_ms: int) -> Sequence[Tick | OrderBook]:
        ticks = self._tick(book.coin, book.levels[0][:1], book.levels[1][:1], book.time, sha256, recv_ms)
        if not ticks or book.time <= self._book_ms.get(book.coin, 0):
            return ticks
        bids, asks = ([level_of(one.px, one.sz) for one in side if one.sz is not None] for side in book.levels)
        if (len(bids), len(asks)) != (len(book.levels[0]), len(book.levels[1])):
            return ticks
        self._book_ms[book.coin] = book.time
        whole = BookChange(bids, asks, book.time, book.time, book.time, recv_ms, sha256)
        begun = begin(self._coins[book.coin], self._source, whole)
        # The book comes first: its price is a tick of it.
        return (begun, *ticks) if isinstance(begun, OrderBook) else ticks

    def _tick(
        self, coin: str, bids: Sequence["_Level"], asks: Sequence["_Level"], time_ms: int, sha256: str, recv_ms: int
    ) -> Sequence[Tick]:
        market = self._coins.get(coin)
        if market is None or not bids or not asks:
            return ()
        mid_e8, conf_e8 = mid_of_book(bids[0].px, asks[0].px)
        return (
            Tick(
                market=market,
                mid_e8=mid_e8,
                conf_e8=conf_e8,
                publish_ms=check_time(time_ms, field="time"),
                slot=0,
                recv_ms=recv_ms,
                source=self._source,
                raw_sha256=sha256,
            ),
        )


class _Level(msgspec.Struct):
    px: Decimal
    sz: Decimal | None = None


_Levels = Annotated[list[_Level], msgspec.Meta(max_length=LEVELS_MAX)]


class _Book(msgspec.Struct):
    coin: str
    levels: tuple[_Levels, _Levels]
    time: int


class _Best(msgspec.Struct):
    coin: str
    bbo: tuple[_Level | None, _Level | None]
    time: int


class _Context(msgspec.Struct):
    funding: Decimal
    openInterest: Decimal  # noqa: N815  the venue's name
    oraclePx: Decimal  # noqa: N815
    markPx: Decimal  # noqa: N815
    premium: Decimal | None = None


class _Active(msgspec.Struct):
    coin: str
    ctx: _Context


class _Coin(msgspec.Struct):
    name: str


class _Universe(msgspec.Struct):
    universe: Annotated[list[_Coin], msgspec.Meta(max_length=COINS_MAX)]


_All = tuple[_Universe, Annotated[list[_Context], msgspec.Meta(max_length=COINS_MAX)]]


class _Message(msgspec.Struct):
    channel: str | None = None
    data: msgspec.Raw = msgspec.Raw()


_MESSAGE = msgspec.json.Decoder(_Message)
_BOOK = msgspec.json.Decoder(_Book)
_ACTIVE = msgspec.json.Decoder(_Active)
_ALL = msgspec.json.Decoder(_All)
_BEST = msgspec.json.Decoder(_Best)
