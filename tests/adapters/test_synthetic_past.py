import asyncio
import itertools

from tests.adapters.venues import running

from pump_party.adapters.synthetic import synthetic_path
from pump_party.adapters.synthetic_past import PAST_MS, SyntheticWithPast, made_up_past
from pump_party.domains.marketdata.candles import INTERVAL_MS, MINUTE_MS
from pump_party.domains.marketdata.contract import CandleInterval
from pump_party.domains.marketdata.registry import load_registry
from pump_party.kernel.ids import Market
from pump_party.platform.clock import SystemClock

ASSETS = load_registry().observed()
SOL = Market("SOL-USDC")
NOW_MS = 1_750_000_012_345


def test_the_past_has_a_candle_of_every_whole_interval_and_ends_where_prices_begin():
    candles = made_up_past(ASSETS, seed=5, until_ms=NOW_MS)
    begins = next(synthetic_path(ASSETS, seed=5, start_ms=NOW_MS))
    for asset in ASSETS:
        for interval, length_ms in INTERVAL_MS.items():
            told = [candle for candle in candles if (candle.market, candle.interval) == (asset.market, interval)]
            opens = [candle.open_ms for candle in told]
            assert all(after - before == length_ms for before, after in itertools.pairwise(opens))
            assert all(opened % length_ms == 0 for opened in opens)
            if not told:  # a day and a half need not hold a whole day
                assert interval is CandleInterval.D1
                continue
            assert opens[-1] + length_ms <= NOW_MS < opens[-1] + 2 * length_ms
            assert all(c.low_e8 <= min(c.open_e8, c.close_e8) <= max(c.open_e8, c.close_e8) <= c.high_e8 for c in told)
            assert all(candle.complete and candle.ticks == 0 for candle in told)
        minutes = [c for c in candles if (c.market, c.interval) == (asset.market, CandleInterval.M1)]
        assert len(minutes) >= PAST_MS // MINUTE_MS - 1
        assert abs(minutes[-1].close_e8 - begins[asset.market][0]) < 0.02 * begins[asset.market][0]


def test_a_seed_has_one_past():
    assert made_up_past(ASSETS, seed=5, until_ms=NOW_MS) == made_up_past(ASSETS, seed=5, until_ms=NOW_MS)
    assert made_up_past(ASSETS, seed=6, until_ms=NOW_MS) != made_up_past(ASSETS, seed=5, until_ms=NOW_MS)


def test_the_market_tells_its_past_beside_its_prices():
    async def listen() -> None:
        async with running(SyntheticWithPast(ASSETS, seed=1, clock=SystemClock(), after_s=0)) as sink:
            await sink.until(lambda: sink.earlier and sink.ticks)
            told = {candle.interval for candle in sink.earlier if candle.market == SOL}
            # A day and a half before the afternoon holds no whole day.
            assert told | {CandleInterval.D1} == set(INTERVAL_MS)

    asyncio.run(listen())
