import asyncio
import contextlib
from collections.abc import AsyncIterator, Sequence

from tests.adapters.venues import Close, Collected, Hold, SocketVenue

from pump_party.adapters.auto_feed import LiveContender, StandIn, StartRace
from pump_party.adapters.hyperliquid import HyperliquidSource
from pump_party.adapters.synthetic import SyntheticSource
from pump_party.domains.marketdata.contract import SourceState
from pump_party.domains.marketdata.model import PriceSource, RawPayload, TickSink
from pump_party.domains.marketdata.registry import load_registry
from pump_party.kernel.ids import Market
from pump_party.platform.clock import SystemClock

BOOK = b'{"channel":"l2Book","data":{"coin":"BTC","levels":[[{"px":"99.0"}],[{"px":"101.0"}]],"time":1737918868877}}'
NOWHERE = "ws://127.0.0.1:1"


@contextlib.asynccontextmanager
async def auto(live_urls: Sequence[str], *, wait_s: float) -> AsyncIterator[tuple[Collected, list[PriceSource]]]:
    race = StartRace(wait_s=wait_s)
    sources: list[PriceSource] = []
    for number, url in enumerate(live_urls):
        live = HyperliquidSource(
            {"BTC": Market("BTC-USDC")},
            ws_url=url,
            rest_url="http://127.0.0.1:1",
            clock=SystemClock(),
            jitter=lambda: 0.0,
        )
        live.name = f"live{number}"
        sources.append(LiveContender(live, race))
    sources.append(StandIn(SyntheticSource(load_registry().assets(), seed=1, clock=SystemClock()), race))
    sink = Collected()
    tasks = [asyncio.ensure_future(source.run(sink)) for source in sources]
    try:
        yield sink, sources
        assert not any(task.done() for task in tasks)
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


def feeds(sink: Collected) -> set[str]:
    return {tick.source for tick in sink.ticks}


def test_a_live_price_in_time_keeps_synthetic_prices_away_for_good():
    async def scenario() -> None:
        async with SocketVenue([[BOOK, Close]]).open() as venue:
            async with auto([venue.url, NOWHERE], wait_s=1.5) as (sink, sources):
                await sink.until(lambda: sink.ticks)
                await asyncio.sleep(1.6)  # longer than the race; the live source comes and goes meanwhile
            assert feeds(sink) == {"hyperliquid"}
            assert ("synthetic", SourceState.STOPPED, "live prices came at start") in sink.states
            assert [source.feed for source in sources] == ["live", "live", "synthetic"]

    asyncio.run(scenario())


def test_when_no_live_source_can_be_reached_synthetic_prices_come_at_once_and_live_sources_stop_saying_so():
    async def scenario() -> None:
        began = asyncio.get_running_loop().time()
        async with auto([NOWHERE, NOWHERE], wait_s=60) as (sink, _):
            await sink.until(lambda: len(sink.raws) >= 2)
        assert asyncio.get_running_loop().time() - began < 5
        assert feeds(sink) == {"synthetic"}
        stopped = [(source, error) for source, state, error in sink.states if state is SourceState.STOPPED]
        reason = "no live price came at start: SYNTHETIC until the next start"
        assert sorted(stopped) == [("live0", reason), ("live1", reason)]

    asyncio.run(scenario())


def test_a_live_price_that_comes_too_late_is_not_mixed_with_synthetic_ones():
    async def scenario() -> None:
        async with SocketVenue([[Hold]]).open() as venue, auto([venue.url], wait_s=0.2) as (sink, _):
            await sink.until(lambda: sink.ticks)
            venue.scripts = [[BOOK, Hold]]
            await asyncio.sleep(0.5)
        assert feeds(sink) == {"synthetic"}
        assert len(venue.paths) == 1

    asyncio.run(scenario())


def test_what_a_loser_says_while_it_is_being_stopped_is_not_heard():
    synthetic = SyntheticSource(load_registry().assets(), seed=1, clock=SystemClock())

    class Stubborn:
        name, feed, label = "stubborn", "live", "Stubborn"

        async def run(self, sink: TickSink) -> None:
            try:
                await asyncio.Event().wait()
            finally:
                raw = RawPayload(source=self.name, recv_ms=1, sha256="00" * 32, body=b"{}")
                sink.observed(raw, ())
                sink.quote_asset_rate(self.name, 1, 1)
                sink.state_changed(self.name, SourceState.LIVE)

    async def scenario() -> None:
        race, sink = StartRace(wait_s=0.05), Collected()
        sources = [LiveContender(Stubborn(), race), StandIn(synthetic, race)]
        tasks = [asyncio.ensure_future(source.run(sink)) for source in sources]
        await sink.until(lambda: sink.ticks)
        await asyncio.sleep(0.05)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        assert {raw.source for raw in sink.raws} == {"synthetic"}
        assert sink.rates == []
        assert ("stubborn", SourceState.LIVE, None) not in sink.states

    asyncio.run(scenario())


def test_a_loser_gives_its_connection_up():
    async def scenario() -> None:
        async with SocketVenue([[Close]]).open() as venue, auto([venue.url], wait_s=60) as (sink, _):
            await sink.until(lambda: sink.ticks)
            tries = len(venue.paths)
            await asyncio.sleep(1.2)  # the next try would come within a second
        assert len(venue.paths) == tries

    asyncio.run(scenario())
