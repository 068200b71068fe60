import asyncio
import itertools
import math
import statistics

import pytest
from tests.adapters.venues import Collected

from pump_party.adapters.synthetic import (
    CONFIDENCE_PPM_MAX,
    CONFIDENCE_PPM_MIN,
    MOVE_MAX,
    STEP_MS,
    SyntheticSource,
    synthetic_path,
)
from pump_party.domains.marketdata.contract import SourceState
from pump_party.domains.marketdata.registry import load_registry
from pump_party.kernel.ids import Market
from pump_party.platform.clock import ManualClock

ASSETS = load_registry().observed()
SOL, BTC = Market("SOL-USDC"), Market("BTC-USDC")
START_MS = 1_750_000_000_000
STEPS = 40_000

Step = dict[Market, tuple[int, int]]


@pytest.fixture(scope="module")
def steps() -> list[Step]:
    return list(itertools.islice(synthetic_path(ASSETS, seed=5, start_ms=START_MS), STEPS))


def returns(steps: list[Step], market: Market) -> list[float]:
    return [math.log(after[market][0] / before[market][0]) for before, after in itertools.pairwise(steps)]


def test_a_seed_and_a_start_time_decide_every_price(steps: list[Step]):
    again = list(itertools.islice(synthetic_path(ASSETS, seed=5, start_ms=START_MS), 1_000))
    other = list(itertools.islice(synthetic_path(ASSETS, seed=6, start_ms=START_MS), 1_000))
    assert again == steps[:1_000]
    assert other != again


def test_every_market_has_integer_prices_and_confidences_in_their_bounds(steps: list[Step]):
    for step in steps[:5_000]:
        assert set(step) == {asset.market for asset in ASSETS}
        for mid_e8, conf_e8 in step.values():
            assert type(mid_e8) is type(conf_e8) is int
            assert mid_e8 * CONFIDENCE_PPM_MIN <= conf_e8 * 10**6 <= mid_e8 * CONFIDENCE_PPM_MAX + 10**6


def test_no_step_is_large_enough_to_quarantine_a_market_yet_jumps_happen(steps: list[Step]):
    moves = [abs(move) for asset in ASSETS for move in returns(steps, asset.market)]
    assert max(moves) <= MOVE_MAX + 1e-6 < 0.05
    assert max(moves) > 0.003


def test_volatility_clusters_and_is_that_of_a_real_market(steps: list[Step]):
    moves = [abs(move) for move in returns(steps, SOL) if abs(move) < 0.002]
    assert statistics.correlation(moves[:-1], moves[1:]) > 0.05
    yearly = statistics.stdev(returns(steps, SOL)) * math.sqrt(365 * 24 * 3600 * 1000 / STEP_MS)
    assert 0.4 < yearly < 2.5


def test_markets_move_together(steps: list[Step]):
    assert statistics.correlation(returns(steps, SOL), returns(steps, BTC)) > 0.25


def test_ticks_come_with_server_times_and_say_that_they_are_synthetic(clock: ManualClock):
    class TimeIsUp(Exception):
        pass

    waited: list[float] = []

    async def wait(seconds: float) -> None:
        waited.append(seconds)
        clock.advance(round(seconds * 1000))
        if len(waited) == 10:
            raise TimeIsUp

    sink = Collected()
    source = SyntheticSource(ASSETS, seed=1, clock=clock, wait=wait)
    with pytest.raises(TimeIsUp):
        asyncio.run(source.run(sink))

    assert (source.feed, source.label) == ("synthetic", "SYNTHETIC")
    assert sink.states == [("synthetic", SourceState.LIVE, None)]
    ticks = [tick for tick in sink.ticks if tick.market == SOL]
    assert [tick.slot for tick in ticks] == list(range(1, 11))
    assert {after.publish_ms - before.publish_ms for before, after in itertools.pairwise(ticks)} == {STEP_MS}
    assert {tick.source for tick in sink.ticks} == {"synthetic"}
    assert all(tick.tape_ms is None and tick.recv_ms == tick.publish_ms for tick in sink.ticks)
    assert b'"synthetic":1' in sink.raws[0].body
    assert sink.raws[0].sha256 == sink.ticks[0].raw_sha256
