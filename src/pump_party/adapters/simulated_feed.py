"""Two quarrelling price sources for simulations: disorder, gaps, spikes, silence, uncertain prices, bad clocks, books.

Everything goes through the real admission, and all chance comes from dice: the same seed gives the same ticks.
"""

from collections.abc import Awaitable, Callable, Coroutine, Generator, Mapping, Sequence
from hashlib import sha256
from typing import Any

import msgspec

from pump_party.domains.marketdata.book import OrderBook
from pump_party.domains.marketdata.contract import BooksWriter, Ingestion, Quote, QuotesWriter
from pump_party.domains.marketdata.model import RawPayload, Tick, TickSink
from pump_party.kernel.dice import Dice
from pump_party.kernel.ids import Market
from pump_party.kernel.money import E8, INT64_MAX, NANOS, PPM
from pump_party.platform.clock import Clock

FEED = "live"
"""As a live one, so that a quarantine outlives a restart."""

SOL = Market("SOL-USDC")
START_E8 = {SOL: 150 * E8, Market("BTC-USDC"): 100_000 * E8}
MARKETS = (*START_E8, Market("SOL-PERP"), Market("BTC-PERP"))
"""The observed markets, and those that follow them."""

LEVELS = range(1, 6)

HISTORY_MAX = 8
"""Sent ticks that may come again."""

Mids = dict[Market, int]


class _Pause:
    """What a source awaits between two reports: it goes on when the simulation says so."""

    def __await__(self) -> Generator[None, None, None]:
        yield


def pause() -> Awaitable[None]:
    return _Pause()


class TrueMarket:
    """The price that the sources observe: a walk with quiet hours, trends and jumps."""

    def __init__(self, dice: Dice) -> None:
        self._dice = dice
        self.mids: Mids = dict(START_E8)
        self._drift_ppm = dict.fromkeys(START_E8, 0)

    def move(self) -> None:
        dice = self._dice
        for market, mid_e8 in self.mids.items():
            if dice.chance(60_000):
                self._drift_ppm[market] = dice.pick((0, 0, 0, 4_000, -4_000, 15_000, -15_000))
            span_ppm = dice.weighted(((10, 300), (3, 4_000), (1, 30_000)))
            moved_ppm = self._drift_ppm[market] + dice.between(-span_ppm, span_ppm)
            start_e8 = START_E8[market]
            self.mids[market] = min(10 * start_e8, max(start_e8 // 10, mid_e8 * (PPM + moved_ppm) // PPM))


class SimulatedSource:
    """Reports the true market, mostly. One report between two pauses."""

    feed = FEED
    label = "SIMULATED"

    def __init__(
        self, name: str, market: TrueMarket, clock: Clock, dice: Dice, wait: Callable[[], Awaitable[None]] = pause
    ) -> None:
        self.name = name
        self._market = market
        self._clock = clock
        self._dice = dice
        self._wait = wait
        self._silent = 0
        self._slow_ms = 0
        self._slot = 0
        self._sent: list[Tick] = []

    async def run(self, sink: TickSink) -> None:
        while True:
            self._report(sink)
            await self._wait()

    def _report(self, sink: TickSink) -> None:
        dice = self._dice
        if self._silent:
            self._silent -= 1
            return
        if dice.chance(15_000):
            self._silent = dice.between(1, 15)
        if dice.chance(10_000):
            self._slow_ms = dice.pick((0, 0, 900, 4_000))
        self._slot += 1
        ticks = [self._tick(market, mid_e8) for market, mid_e8 in self._market.mids.items()]
        if self._sent and dice.chance(80_000):
            ticks.insert(dice.between(0, len(ticks)), dice.pick(self._sent))
        if dice.chance(40_000):
            ticks.reverse()
        self._sent = [*self._sent, *ticks][-HISTORY_MAX:]
        body = msgspec.json.encode(ticks)
        sink.observed(RawPayload(self.name, self._clock.now_ms(), sha256(body).hexdigest(), body), ticks)
        if dice.chance(300_000):
            for market, mid_e8 in self._market.mids.items():
                sink.book_changed(self._book(market, mid_e8))

    def _book(self, market: Market, mid_e8: int) -> OrderBook:
        """A few levels a side around the true price, thin enough for an order to walk through several."""
        dice, now_ms = self._dice, self._clock.now_ms()
        step_e8 = mid_e8 // 5_000
        bids, asks = (
            {
                mid_e8 + side * number * step_e8: dice.between(1, 40) * NANOS * START_E8[SOL] // mid_e8
                for number in LEVELS
            }
            for side in (-1, 1)
        )
        evidence = sha256(f"{self.name}|{market}|{self._slot}|book".encode()).hexdigest()
        return OrderBook(market, self.name, bids, asks, self._slot, now_ms, now_ms, evidence)

    def _tick(self, market: Market, mid_e8: int) -> Tick:
        dice, now_ms = self._dice, self._clock.now_ms()
        conf_ppm = dice.weighted(((20, 100), (5, 1_500), (2, 20_000)))
        publish_ms = now_ms - self._slow_ms - dice.between(0, 400)
        wrong = dice.weighted(((480, ""), (4, "spike"), (3, "zero"), (3, "negative"), (3, "future"), (7, "past")))
        match wrong:
            case "spike":
                mid_e8 = min(INT64_MAX, mid_e8 * dice.pick((2, 1_000, 10**9)))
            case "zero":
                mid_e8 = 0
            case "negative":
                mid_e8 = -mid_e8
            case "future":
                publish_ms += dice.between(2_001, 10**7)
            case "past":
                publish_ms -= dice.between(1, 20_000)
        conf_e8 = max(0, mid_e8) * conf_ppm // PPM
        evidence = sha256(f"{self.name}|{market}|{self._slot}|{mid_e8}|{publish_ms}".encode()).hexdigest()
        return Tick(market, mid_e8, conf_e8, publish_ms, self._slot, now_ms, self.name, evidence)


class SimulatedFeed:
    """Two sources of one market, and what admission makes of them, step by step."""

    def __init__(self, clock: Clock, dice: Dice, cache: QuotesWriter, books: BooksWriter) -> None:
        self._market = TrueMarket(dice.fork())
        self._books = books
        self._cache = cache
        self._running: Sequence[Coroutine[Any, Any, None]] = ()
        self.sources = [SimulatedSource(name, self._market, clock, dice.fork()) for name in ("first", "second")]

    def report_to(self, ingestion: Ingestion) -> None:
        """`ingestion` was built for the sources."""
        self._ingestion = ingestion

    def begin(self) -> None:
        self._ingestion.begin()

    def step(self) -> Sequence[Quote]:
        self._market.move()
        if not self._running:  # not sooner: what never ran would be a coroutine that nobody awaited
            self._running = [feed.run() for feed in self._ingestion.feeds]
        for source in self._running:
            source.send(None)
        self._cache.put(self._ingestion.due())
        self._books.put(self._ingestion.books())
        return self._ingestion.admitted()

    def write(self) -> None:
        self._ingestion.write()

    def latest(self) -> Mapping[Market, Quote]:
        return self._cache.latest(MARKETS)
