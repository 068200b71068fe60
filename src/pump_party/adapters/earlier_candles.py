"""What a venue tells of the time before this run, so that charts and indicators do not begin empty.

Asked once at the start and once more when the minute in which the run began is over: that one closes the hole between
the venue's candles and those made of prices that came in. Nothing waits for it, and a venue that does not answer
leaves a chart that begins now.
"""

import asyncio
import hashlib
from collections.abc import Awaitable, Callable, Mapping, Sequence
from decimal import Decimal
from functools import partial
from typing import TYPE_CHECKING, Annotated, Protocol

import msgspec

from pump_party.adapters.observed_price import PRICE_E8_MAX, BadPayload, check_time, scaled
from pump_party.adapters.reporting import UNREADABLE, SourceFailed
from pump_party.domains.marketdata.candles import INTERVAL_MS
from pump_party.domains.marketdata.contract import Candle, CandleInterval
from pump_party.domains.marketdata.model import PriceSource, RawPayload, TickSink
from pump_party.kernel.ids import Market
from pump_party.kernel.money import E8_DECIMALS
from pump_party.platform.clock import Clock
from pump_party.platform.logging import get_logger

if TYPE_CHECKING:
    import httpx2

AT_START: Mapping[CandleInterval, int] = {
    CandleInterval.M1: 1_000,
    CandleInterval.M5: 1_000,
    CandleInterval.H1: 1_000,
    CandleInterval.D1: 365,
}
"""How many candles of each interval are asked for; a thousand are the most that Binance tells at once."""

ONCE_MORE: Mapping[CandleInterval, int] = {CandleInterval.M1: 10, CandleInterval.M5: 3}
ONCE_MORE_AFTER_S = 90.0

PAUSE_S = 0.25
"""Between two questions. Hyperliquid weighs all of a start's at two thirds of what it allows a minute."""

FAILURES_MAX = 3
"""In a row; one market that a venue does not list is no reason to ask for no other."""

CANDLES_MAX = 5_000

log = get_logger("earlier_candles")


class Chronicle(Protocol):
    """A venue that tells candles of the past."""

    async def ask(self, client: "httpx2.AsyncClient", symbol: str, interval: CandleInterval, count: int) -> bytes:
        """The newest `count`, the forming one among them. Raises SourceFailed."""
        ...

    def candles(self, body: bytes, market: Market, interval: CandleInterval) -> Sequence[Candle]:
        """Raises BadPayload."""
        ...


class WithEarlierCandles:
    """A source that tells what was before it, beside what is."""

    def __init__(
        self,
        source: PriceSource,
        chronicle: Chronicle,
        symbols: Mapping[str, Market],
        *,
        clock: Clock,
        wait: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        self.name, self.feed, self.label = source.name, source.feed, source.label
        self._source = source
        self._chronicle = chronicle
        self._symbols = symbols
        self._clock = clock
        self._wait = wait

    async def run(self, sink: TickSink) -> None:
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(self._tell(sink))
            tasks.create_task(self._source.run(sink))

    async def _tell(self, sink: TickSink) -> None:
        told = await self._ask_all(sink, AT_START)
        await self._wait(ONCE_MORE_AFTER_S)
        await self._ask_all(sink, ONCE_MORE if told else AT_START)

    async def _ask_all(self, sink: TickSink, counts: Mapping[CandleInterval, int]) -> bool:
        """False when the venue was given up, which is told in the log once."""
        # The HTTP client costs start time and memory: it is not loaded while nothing is asked.
        from pump_party.adapters.http_reply import http_client

        failures = 0
        async with http_client() as client:
            for interval, count in counts.items():
                for symbol, market in self._symbols.items():
                    try:
                        body = await self._chronicle.ask(client, symbol, interval, count)
                        self._pass_on(sink, body, market, interval)
                        failures = 0
                    except (SourceFailed, *UNREADABLE) as failure:
                        failures += 1
                        if failures == FAILURES_MAX:
                            log.warning("earlier_candles_missing", source=self.name, reason=str(failure))
                            return False
                    await self._wait(PAUSE_S)
        return True

    def _pass_on(self, sink: TickSink, body: bytes, market: Market, interval: CandleInterval) -> None:
        sha256 = hashlib.sha256(body).hexdigest()
        sink.observed(RawPayload(source=self.name, recv_ms=self._clock.now_ms(), sha256=sha256, body=body), ())
        sink.earlier_candles(self.name, self._chronicle.candles(body, market, interval))


class HyperliquidChronicle:
    """`candleSnapshot` of `/info`."""

    def __init__(self, rest_url: str, clock: Clock) -> None:
        self._url = f"{rest_url.rstrip('/')}/info"
        self._clock = clock

    async def ask(self, client: "httpx2.AsyncClient", symbol: str, interval: CandleInterval, count: int) -> bytes:
        from pump_party.adapters.http_reply import fetch

        now_ms = self._clock.now_ms()
        span = {"startTime": now_ms - count * INTERVAL_MS[interval], "endTime": now_ms}
        question = {"type": "candleSnapshot", "req": {"coin": symbol, "interval": interval.value, **span}}
        return await fetch(client, "POST", self._url, json=question)

    def candles(self, body: bytes, market: Market, interval: CandleInterval) -> Sequence[Candle]:
        told = _HYPERLIQUID.decode(body)
        return [_candle(market, interval, one.t, one.o, one.h, one.l, one.c) for one in told if one.i == interval.value]


class BinanceChronicle:
    """`/api/v3/klines`."""

    def __init__(self, rest_url: str) -> None:
        self._url = f"{rest_url.rstrip('/')}/api/v3/klines"

    async def ask(self, client: "httpx2.AsyncClient", symbol: str, interval: CandleInterval, count: int) -> bytes:
        from pump_party.adapters.http_reply import fetch

        question = {"symbol": symbol, "interval": interval.value, "limit": str(count)}
        return await fetch(client, "GET", self._url, params=question)

    def candles(self, body: bytes, market: Market, interval: CandleInterval) -> Sequence[Candle]:
        told = _BINANCE.decode(body)
        return [_candle(market, interval, one.open_ms, one.open, one.high, one.low, one.close) for one in told]


def _candle(
    market: Market, interval: CandleInterval, open_ms: int, open_: Decimal, high: Decimal, low: Decimal, close: Decimal
) -> Candle:
    price = partial(scaled, decimals=E8_DECIMALS, most=PRICE_E8_MAX)
    open_e8, close_e8 = price(open_, field="open"), price(close, field="close")
    high_e8, low_e8 = price(high, field="high"), price(low, field="low")
    if not 0 < low_e8 <= min(open_e8, close_e8) <= max(open_e8, close_e8) <= high_e8:
        raise BadPayload("a candle's prices are not within its range")
    if check_time(open_ms, field="open time") % INTERVAL_MS[interval]:
        raise BadPayload("a candle does not begin with its interval")
    return Candle(market, interval, open_ms, open_e8, high_e8, low_e8, close_e8, ticks=0, complete=True)


class _HyperliquidCandle(msgspec.Struct):
    t: int
    i: str
    o: Decimal
    h: Decimal
    l: Decimal  # noqa: E741  the venue's name
    c: Decimal


class _Kline(msgspec.Struct, array_like=True):
    open_ms: int
    open: Decimal
    high: Decimal
    low: Decimal
    close: Decimal


_HYPERLIQUID = msgspec.json.Decoder(Annotated[list[_HyperliquidCandle], msgspec.Meta(max_length=CANDLES_MAX)])
_BINANCE = msgspec.json.Decoder(Annotated[list[_Kline], msgspec.Meta(max_length=CANDLES_MAX)])
