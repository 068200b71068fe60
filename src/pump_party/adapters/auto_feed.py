"""`auto`: live prices when they can be had at start, otherwise SYNTHETIC until the next start.

The choice is made once. Whichever side has lost stops and says so, so a synthetic price never follows or precedes a
live one on a market of the same run, and an internet connection that comes or goes later cannot move anyone's equity
from one world to the other: live sources that fall silent halt their markets.
"""

import asyncio
from collections.abc import Callable, Sequence

from pump_party.domains.marketdata.book import OrderBook
from pump_party.domains.marketdata.contract import Candle, PerpContext, SourceState
from pump_party.domains.marketdata.model import PriceSource, RawPayload, Tick, TickSink

LIVE_WAIT_S = 4.0
FAILURES_ENOUGH = 2
"""When every live source has failed this often, waiting longer is of no use."""


class StartRace:
    """Decides once between live sources and their stand-in."""

    def __init__(self, *, wait_s: float = LIVE_WAIT_S) -> None:
        self._wait_s = wait_s
        self._decided = asyncio.Event()
        self._failures: dict[str, int] = {}
        self.live_won: bool | None = None

    def enter(self, source: str) -> None:
        self._failures[source] = 0

    def price_came(self) -> None:
        self._decide(live_won=True)

    def failed(self, source: str) -> None:
        self._failures[source] += 1
        if min(self._failures.values()) >= FAILURES_ENOUGH:
            self._decide(live_won=False)

    async def decision(self) -> bool:
        """Whether live prices won; waits until that is known."""
        await self._decided.wait()
        return bool(self.live_won)

    async def referee(self) -> bool:
        """As `decision`, but decides for the stand-in when no price has come in time."""
        try:
            async with asyncio.timeout(self._wait_s):
                return await self.decision()
        except TimeoutError:
            self._decide(live_won=False)
            return await self.decision()

    def _decide(self, *, live_won: bool) -> None:
        if self.live_won is None:
            self.live_won = live_won
            self._decided.set()


class LiveContender:
    """A live source that stops for good when the stand-in has won."""

    def __init__(self, source: PriceSource, race: StartRace) -> None:
        self.name, self.feed, self.label = source.name, source.feed, source.label
        self._source = source
        self._race = race
        race.enter(source.name)

    async def run(self, sink: TickSink) -> None:
        running = asyncio.ensure_future(self._source.run(_RacingSink(sink, self._race)))
        decision = asyncio.ensure_future(self._race.decision())
        try:
            await asyncio.wait((running, decision), return_when=asyncio.FIRST_COMPLETED)
            if self._race.live_won is not False:
                await running
        finally:
            decision.cancel()
            running.cancel()
        await _stand_by(sink, self.name, "no live price came at start: SYNTHETIC until the next start")


class StandIn:
    """The synthetic source, which runs only when no live price came in time."""

    def __init__(self, source: PriceSource, race: StartRace) -> None:
        self.name, self.feed, self.label = source.name, source.feed, source.label
        self._source = source
        self._race = race

    async def run(self, sink: TickSink) -> None:
        if await self._race.referee():
            await _stand_by(sink, self.name, "live prices came at start")
        await self._source.run(sink)


async def _stand_by(sink: TickSink, source: str, reason: str) -> None:
    sink.state_changed(source, SourceState.STOPPED, reason)
    await asyncio.get_running_loop().create_future()


class _RacingSink:
    """Tells the race what a live source reports, and lets nothing of a loser through."""

    def __init__(self, sink: TickSink, race: StartRace) -> None:
        self._sink = sink
        self._race = race

    def observed(self, raw: RawPayload, ticks: Sequence[Tick]) -> None:
        if ticks:
            self._race.price_came()
        self._unless_lost(lambda: self._sink.observed(raw, ticks))

    def quote_asset_rate(self, source: str, rate_e8: int, publish_ms: int) -> None:
        self._unless_lost(lambda: self._sink.quote_asset_rate(source, rate_e8, publish_ms))

    def book_changed(self, book: OrderBook) -> None:
        self._unless_lost(lambda: self._sink.book_changed(book))

    def context_changed(self, context: PerpContext) -> None:
        self._unless_lost(lambda: self._sink.context_changed(context))

    def earlier_candles(self, source: str, candles: Sequence[Candle]) -> None:
        self._unless_lost(lambda: self._sink.earlier_candles(source, candles))

    def state_changed(self, source: str, state: SourceState, error: str | None = None) -> None:
        self._unless_lost(lambda: self._sink.state_changed(source, state, error))
        if state is SourceState.RECONNECTING:
            self._race.failed(source)

    def _unless_lost(self, report: Callable[[], None]) -> None:
        if self._race.live_won is not False:
            report()
