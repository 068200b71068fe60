"""A past for the made-up market, so that its charts and indicators do not begin empty. As made up as the rest."""

import asyncio
from collections.abc import Sequence
from itertools import islice

from pump_party.adapters.synthetic import SyntheticSource, synthetic_path
from pump_party.domains.marketdata.candles import INTERVAL_MS, open_ms_of
from pump_party.domains.marketdata.contract import Asset, Candle, CandleInterval
from pump_party.domains.marketdata.model import TickSink
from pump_party.kernel.ids import Market
from pump_party.platform.clock import Clock

PAST_MS = 36 * INTERVAL_MS[CandleInterval.H1]
STEP_MS = 15_000
"""A candle of a minute is made of four prices."""

AFTER_S = 1.0
"""Drawing the past takes a third of a second of a core: the first prices go first."""


class SyntheticWithPast:
    """The synthetic market, which tells candles of its last day and a half when it begins."""

    def __init__(self, assets: Sequence[Asset], *, seed: int, clock: Clock, after_s: float = AFTER_S) -> None:
        self._source = SyntheticSource(assets, seed=seed, clock=clock)
        self.name, self.feed, self.label = self._source.name, self._source.feed, self._source.label
        self._assets = assets
        self._seed = seed
        self._clock = clock
        self._after_s = after_s

    async def run(self, sink: TickSink) -> None:
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(self._tell(sink))
            tasks.create_task(self._source.run(sink))

    async def _tell(self, sink: TickSink) -> None:
        await asyncio.sleep(self._after_s)
        candles = await asyncio.to_thread(made_up_past, self._assets, seed=self._seed, until_ms=self._clock.now_ms())
        sink.earlier_candles(self.name, candles)


def made_up_past(assets: Sequence[Asset], *, seed: int, until_ms: int) -> list[Candle]:
    """Candles of all intervals that ended by then, up to the price at which the path of this seed begins."""
    from_ms = open_ms_of(CandleInterval.H1, until_ms - PAST_MS)
    path = synthetic_path(assets, seed=~seed, start_ms=from_ms, step_ms=STEP_MS)
    steps = list(islice(path, (until_ms - from_ms) // STEP_MS))
    begins = next(synthetic_path(assets, seed=seed, start_ms=until_ms))
    candles = []
    for asset in assets:
        end_e8, begin_e8 = steps[-1][asset.market][0], begins[asset.market][0]
        prices = [step[asset.market][0] * begin_e8 // end_e8 for step in steps]
        for interval in INTERVAL_MS:
            candles += _candles(asset.market, interval, prices, from_ms=from_ms, until_ms=until_ms)
    return candles


def _candles(
    market: Market, interval: CandleInterval, prices: Sequence[int], *, from_ms: int, until_ms: int
) -> list[Candle]:
    """Of whole intervals only."""
    length_ms = INTERVAL_MS[interval]
    candles = []
    for open_ms in range(-(-from_ms // length_ms) * length_ms, until_ms - length_ms + 1, length_ms):
        first = (open_ms - from_ms) // STEP_MS
        part = prices[first : first + length_ms // STEP_MS]
        candles.append(
            Candle(market, interval, open_ms, part[0], max(part), min(part), part[-1], ticks=0, complete=True)
        )
    return candles
