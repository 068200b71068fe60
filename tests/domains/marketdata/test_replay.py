"""Recorded candles, replayed as ticks, ingested and read back."""

import asyncio
import csv
import gzip
from contextlib import suppress
from datetime import datetime
from itertools import islice
from pathlib import Path

import pytest
from tests.domains.marketdata.feeds import REGISTRY, SOL, e8
from tests.domains.marketdata.memories import Desk

from pump_party.adapters.tape import TapeSource
from pump_party.adapters.tape_funding import read_funding
from pump_party.db.engine import Database
from pump_party.db.marketdata import MarketDataStore
from pump_party.domains.marketdata.contract import CandleInterval, Feature, FeatureName, SettledFunding
from pump_party.domains.marketdata.ingest import Ingest
from pump_party.domains.marketdata.perp_samples import read_samples, standing_sample
from pump_party.kernel.ids import Market
from pump_party.platform.clock import ManualClock
from pump_party.platform.metrics import Metrics

TAPE = "data/binance_usdm_1m"
MINUTES = 30
FUNDING = Feature(FeatureName.FUNDING)


@pytest.mark.parametrize("speed", [60, 3600])
def test_a_replayed_recording_draws_exactly_the_recorded_candles(recorded_data, sqlite_database, clock, speed):
    store = MarketDataStore(sqlite_database)
    ingest = _replay(recorded_data / TAPE, store, clock, speed=speed)
    assert [health.refused for health in ingest.health()] == [0]
    for asset in REGISTRY.assets():
        if asset.base not in ("SOL", "BTC", "ETH"):
            assert store.candles(asset.market, CandleInterval.M1, before_ms=2**62, limit=1) == []
            continue
        drawn = {
            candle.open_ms: (candle.open_e8, candle.high_e8, candle.low_e8, candle.close_e8)
            for candle in store.candles(asset.market, CandleInterval.M1, before_ms=2**62, limit=1_000)
            if candle.complete
        }
        recorded = _recorded(recorded_data / TAPE, asset.base)
        assert len(drawn) >= MINUTES
        assert drawn == {open_ms: recorded[open_ms] for open_ms in drawn}


def test_larger_candles_are_made_of_the_minutes_in_them(recorded_data, sqlite_database: Database, clock):
    store = MarketDataStore(sqlite_database)
    _replay(recorded_data / TAPE, store, clock, speed=3600)
    sol = Market("SOL-USDC")
    minutes = store.candles(sol, CandleInterval.M1, before_ms=2**62, limit=1_000)
    for five in store.candles(sol, CandleInterval.M5, before_ms=2**62, limit=1_000):
        inside = [one for one in reversed(minutes) if five.open_ms <= one.open_ms < five.open_ms + 300_000]
        assert (five.open_e8, five.close_e8) == (inside[0].open_e8, inside[-1].close_e8)
        assert five.high_e8 == max(one.high_e8 for one in inside)
        assert five.low_e8 == min(one.low_e8 for one in inside)
        assert five.ticks == sum(one.ticks for one in inside)


def test_a_replayed_recording_funds_as_a_backtest_of_it_does_and_never_ahead(recorded_data, sqlite_database, clock):
    desk, perp = Desk(sqlite_database, clock), Market("SOL-PERP")
    samples = read_funding(recorded_data / TAPE, REGISTRY)[SOL]
    seen = set()
    for minutes in (20, 30, 9 * 60):
        ingest = _replay(recorded_data / TAPE, desk.store, clock, speed=3600, minutes=minutes)
        desk.quotes.put(ingest.due())
        snapshot = desk.memory.snapshots({perp: [FUNDING]}, as_of_ms=None, interval=CandleInterval.H1, candles=0)[perp]
        (reading,), recorded = snapshot.readings, read_samples(FUNDING, samples, snapshot.as_of_ms)
        assert reading.value == recorded.value is not None
        (quote,) = desk.quotes.latest([perp]).values()
        standing = standing_sample(samples, quote.chart_ms())
        assert quote.settled == SettledFunding(standing.at_ms, standing.funding_1h_ppb, "tape")
        assert quote.premium is None
        seen.add(quote.settled)
    assert len(seen) == 3
    assert reading.previous == recorded.previous is not None


def _replay(folder: Path, store: MarketDataStore, clock: ManualClock, *, speed: int, minutes: int = MINUTES) -> Ingest:
    end_ms = clock.now_ms() + (minutes + 2) * 60_000 // speed

    async def wait(seconds: float) -> None:
        clock.advance(round(seconds * 1000))
        if clock.now_ms() > end_ms:
            raise asyncio.CancelledError
        await asyncio.sleep(0)

    tape = TapeSource(folder, REGISTRY, speed=speed, loop=False, clock=clock, wait=wait)
    ingest = Ingest(registry=REGISTRY, store=store, clock=clock, metrics=Metrics(), sources=[tape])
    ingest.begin()

    async def play() -> None:
        with suppress(asyncio.CancelledError):
            await ingest.feeds[0].run()

    asyncio.run(play())
    ingest.write()
    return ingest


def _recorded(folder: Path, base: str) -> dict[int, tuple[int, ...]]:
    with gzip.open(folder / f"{base}_USDT_USDT-1m-futures.csv.gz", "rt") as file:
        return {
            int(datetime.fromisoformat(row["date"]).timestamp() * 1000): tuple(
                e8(row[column]) for column in ("open", "high", "low", "close")
            )
            for row in islice(csv.DictReader(file), 3 * MINUTES)
        }
