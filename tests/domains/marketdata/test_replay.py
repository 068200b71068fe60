"""Recorded candles, replayed as ticks, ingested and read back."""

import asyncio
import csv
import gzip
from contextlib import suppress
from datetime import datetime
from itertools import islice
from pathlib import Path

import pytest
from tests.domains.marketdata.feeds import REGISTRY, e8

from pump_party.adapters.tape import TapeSource
from pump_party.db.engine import Database
from pump_party.db.marketdata import MarketDataStore
from pump_party.domains.marketdata.contract import CandleInterval
from pump_party.domains.marketdata.ingest import Ingest
from pump_party.kernel.ids import Market
from pump_party.platform.clock import ManualClock
from pump_party.platform.metrics import Metrics

TAPE = "data/binance_usdm_1m"
MINUTES = 30


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


def _replay(folder: Path, store: MarketDataStore, clock: ManualClock, *, speed: int) -> Ingest:
    end_ms = clock.now_ms() + (MINUTES + 2) * 60_000 // speed

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
