"""Read market memory: a million steps over a recording, and the first read of a minute where the service runs."""

import tempfile
import time
from contextlib import closing
from pathlib import Path

import numpy as np

from benchmarks.report import AT_MOST, Row, Target
from pump_party.adapters.indicators import TaLibIndicators
from pump_party.db.engine import Database
from pump_party.db.marketdata import MarketDataStore
from pump_party.db.marketdata_memory import MarketMemoryStore
from pump_party.db.migrate import upgrade
from pump_party.domains.marketdata.bars import CandleArrays, candles_before, runs_of
from pump_party.domains.marketdata.candle_history import SHA256_BYTES, CandleHistory, Recording
from pump_party.domains.marketdata.candles import MINUTE_MS
from pump_party.domains.marketdata.contract import CandleInterval, Feature, FeatureName
from pump_party.domains.marketdata.memory import LiveMemory
from pump_party.domains.marketdata.registry import load_registry
from pump_party.domains.marketdata.store import Batch
from pump_party.kernel.ids import Market
from pump_party.platform.clock import ManualClock
from pump_party.redis.memory import MemoryBooks, MemoryQuotes

BUDGET_US_PER_READ = 2.5
ROUNDS = 3
LIVE_MARKETS = 6
LIVE_MINUTES = 1_100
START_MS = 1_700_000_040_000
M1 = CandleInterval.M1
FEATURES = (Feature(FeatureName.EMA, M1, 20), Feature(FeatureName.EMA, M1, 50), Feature(FeatureName.RSI, M1, 14))


def run(*, quick: bool) -> list[Row]:
    minutes = 100_000 if quick else 1_000_000
    walk = _walk(minutes)
    rows = []
    for candles in (0, 20):
        samples = tuple(_us_per_read(walk, candles) for _ in range(ROUNDS))
        rows.append(
            Row(
                name=f"recording, 3 features, {candles} candles, CPU per read",
                unit="us",
                samples=samples,
                target=None if candles else Target(AT_MOST, BUDGET_US_PER_READ, of_ratio=False),
                note=f"{minutes:,} minutes in order, {len(walk.open_ms) // 1_000:,} thousand reads",
            )
        )
    first, again = zip(*(_live_ms(_walk(LIVE_MINUTES)) for _ in range(ROUNDS)), strict=True)
    what = f"live, {LIVE_MARKETS} markets, 3 features, 30 candles"
    rows.append(Row(name=f"{what}, first read of a minute", unit="ms", samples=first))
    rows.append(Row(name=f"{what}, every other", unit="ms", samples=again))
    return rows


def _walk(minutes: int) -> CandleArrays:
    dice = np.random.default_rng(20)
    closes = (1.4e10 * np.exp(np.cumsum(dice.normal(0, 5e-4, minutes)))).astype(np.int64)
    opens = np.concatenate((closes[:1], closes[:-1]))
    reach = dice.integers(0, 10**7, minutes)
    highs, lows = np.maximum(opens, closes) + reach, np.minimum(opens, closes) - reach
    open_ms = START_MS + MINUTE_MS * np.arange(minutes, dtype=np.int64)
    return CandleArrays(open_ms, opens, highs, lows, closes, np.full(minutes, 60, dtype=np.int64))


def _us_per_read(walk: CandleArrays, candles: int) -> float:
    market, count = Market("SOL-USDC"), len(walk.open_ms)
    recording = Recording(walk, bytes(SHA256_BYTES) * count)
    read = CandleHistory({market: recording}, TaLibIndicators(), feed="tape").reader(
        {market: FEATURES}, interval=M1, candles=candles
    )
    read(START_MS + MINUTE_MS)
    started = time.process_time()
    for minute in range(1, count + 1):
        found = read(START_MS + minute * MINUTE_MS)
    taken = time.process_time() - started
    assert found[market].mid_e8 == walk.closes_e8[-1]
    return taken / count * 1e6


def _live_ms(walk: CandleArrays) -> tuple[float, float]:
    """The first read after a candle was completed, and the next one, in wall time."""
    registry, end_ms = load_registry(), int(walk.open_ms[-1]) + MINUTE_MS
    markets = [asset.market for asset in registry.assets()][:LIVE_MARKETS]
    (walked,) = runs_of(walk, M1)
    with tempfile.TemporaryDirectory() as folder, closing(Database(f"sqlite:///{Path(folder) / 'db'}")) as database:
        upgrade(database)
        for market in markets:
            candles = candles_before(market, M1, walked, end_ms // MINUTE_MS, LIVE_MINUTES)
            batch = Batch("live", 0, candles, {market: end_ms}, refusals=(), quarantines=(), ends=())
            MarketDataStore(database).write(batch)
        clock, store, indicators = ManualClock(end_ms), MarketMemoryStore(database), TaLibIndicators()
        memory = LiveMemory(store, MemoryQuotes(), MemoryBooks(), clock, registry, indicators)
        wanted = dict.fromkeys(markets, FEATURES)
        taken = []
        for as_of_ms in (end_ms - MINUTE_MS, end_ms, end_ms):
            started = time.perf_counter()
            found = memory.snapshots(wanted, as_of_ms=as_of_ms, interval=M1, candles=30)
            taken.append((time.perf_counter() - started) * 1e3)
            assert len(found) == LIVE_MARKETS
    return taken[1], taken[2]
