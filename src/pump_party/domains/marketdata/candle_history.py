"""Market memory over recorded candles, for backtests: array reads, a block of bars at a time.

Gives the bytes that the live memory gave while the same candles were the newest. Not safe for threads: a backtest has
its own.
"""

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from itertools import repeat
from typing import Generic, NamedTuple, TypeVar

import msgspec

from pump_party.domains.marketdata.bars import (
    BLOCK,
    Integers,
    Run,
    aggregated,
    block_of,
    candles_before,
    column,
    run_at,
    runs_of,
)
from pump_party.domains.marketdata.candles import (
    CONFIDENCE_PPM,
    INTERVAL_MS,
    MINUTE_MS,
    Candle,
    CandleArrays,
    CandleInterval,
)
from pump_party.domains.marketdata.features import (
    Feature,
    FeatureName,
    FeatureReading,
    Indicators,
    MarketMemory,
    MarketSnapshot,
    check_wanted,
)
from pump_party.domains.marketdata.perp_samples import PerpSample, read_samples
from pump_party.kernel.ids import Market
from pump_party.kernel.money import PPM

READERS_MAX = 256
"""Prepared reads that are kept; beyond it all are made anew."""

COLUMNS_MAX = 4_096
"""Blocks of a feature that are kept of a recording; beyond it all are computed anew."""

SHA256_BYTES = 32
SHA256_CHARS = 2 * SHA256_BYTES

Wanted = Mapping[Market, Sequence[Feature]]
SnapshotRead = Callable[[int | None], Mapping[Market, MarketSnapshot]]
T = TypeVar("T")


class Recording(msgspec.Struct, frozen=True):
    """What was recorded of a market. `digests` are the SHA-256 of each minute (`candles.minute_sha256`), end to end.

    Markets that share the same `minutes` share what is made of them.
    """

    minutes: CandleArrays
    digests: bytes
    samples: Sequence[PerpSample] = ()


class CandleHistory:
    """Implements `features.MarketMemory`. Now is where a recording ends; a market without recording is absent."""

    def __init__(self, recordings: Mapping[Market, Recording], indicators: Indicators, *, feed: str) -> None:
        self._feed = feed
        charts: dict[int, _Chart] = {}
        for recording in recordings.values():
            if id(recording.minutes) not in charts:
                charts[id(recording.minutes)] = _Chart(recording, indicators)
        self._charts = {market: charts[id(recording.minutes)] for market, recording in recordings.items()}
        self._samples = {market: recording.samples for market, recording in recordings.items()}
        self._readers: dict[tuple[object, ...], SnapshotRead] = {}
        self._last: tuple[Wanted, CandleInterval, int, SnapshotRead | None] = {}, CandleInterval.M1, 0, None

    def snapshots(
        self, wanted: Wanted, *, as_of_ms: int | None, interval: CandleInterval, candles: int
    ) -> Mapping[Market, MarketSnapshot]:
        check_wanted({}, as_of_ms=as_of_ms, candles=candles)
        # A loop asks the same again and again: comparing what is the same object is cheaper than hashing it.
        last_wanted, last_interval, last_candles, last_reader = self._last
        if last_reader is not None and (last_interval, last_candles) == (interval, candles) and last_wanted == wanted:
            return last_reader(as_of_ms)
        key = (*((market, *features) for market, features in wanted.items()), interval, candles)
        reader = self._readers.get(key)
        if reader is None:
            if len(self._readers) >= READERS_MAX:
                self._readers.clear()
            reader = self._readers[key] = self.reader(wanted, interval=interval, candles=candles)
        self._last = {market: tuple(features) for market, features in wanted.items()}, interval, candles, reader
        return reader(as_of_ms)

    def reader(self, wanted: Wanted, *, interval: CandleInterval, candles: int) -> SnapshotRead:
        """The same read prepared once, for a loop over time. Raises Invalid."""
        check_wanted(wanted, as_of_ms=None, candles=candles)
        readers = [
            _MarketReader(market, self._charts[market], self._samples[market], self._feed, features, interval, candles)
            for market, features in wanted.items()
            if market in self._charts
        ]
        return _Readers(readers).at

    def pinned(self) -> MarketMemory:
        return self


class _Readers:
    """Snapshots of the same markets and features at one time after another. Fast where time goes forward."""

    def __init__(self, readers: "Sequence[_MarketReader]") -> None:
        self._reads = [reader.at for reader in readers]

    def at(self, as_of_ms: int | None) -> Mapping[Market, MarketSnapshot]:
        found = {}
        for read in self._reads:
            snapshot = read(as_of_ms)
            if snapshot is not None:
                found[snapshot.market] = snapshot
        return found


class _Chart:
    """A recording with what was made of it: runs of each interval, blocks of features."""

    def __init__(self, recording: Recording, indicators: Indicators) -> None:
        self.recording = recording
        self._indicators = indicators
        self._runs: dict[CandleInterval, tuple[Run, ...]] = {}
        self._columns: dict[tuple[Feature, int, int], list[int | None]] = {}

    @property
    def end_ms(self) -> int:
        opened = self.recording.minutes.open_ms
        return int(opened[-1]) + MINUTE_MS if len(opened) else 0

    def runs(self, interval: CandleInterval) -> tuple[Run, ...]:
        runs = self._runs.get(interval)
        if runs is None:
            runs = self._runs[interval] = runs_of(aggregated(self.recording.minutes, interval), interval)
        return runs

    def column(self, feature: Feature, run: Run, block: int) -> list[int | None]:
        key = (feature, run.first, block)
        values = self._columns.get(key)
        if values is None:
            if len(self._columns) >= COLUMNS_MAX:
                self._columns.clear()
            values = self._columns[key] = column(self._indicators, feature, run, block)
        return values

    def minutes(self, bar: int, features: Sequence[Feature]) -> "_Minutes | None":
        """The minutes of the bar's block; None where nothing is known of it."""
        run = run_at(self.runs(CandleInterval.M1), bar)
        if run is None:
            return None
        start, end = block_of(run, bar)
        part = slice(start - run.first, end - run.first)
        rows, mids = run.rows[part], run.closes_e8[part]
        ended_ms = self.recording.minutes.open_ms[rows] + (MINUTE_MS - 1)
        first, last = int(rows[0]), int(rows[-1])
        proofs = self.recording.digests[first * SHA256_BYTES : (last + 1) * SHA256_BYTES].hex()
        if last - first < len(rows) - 1:
            # A missing minute is proven by the one it continues.
            proofs = "".join([_proof(proofs, row) for row in (rows - first).tolist()])
        readings = self.readings(features, run, start, end)
        return start, mids.tolist(), _confidences_e8(mids), ended_ms.tolist(), proofs, readings

    def readings(self, features: Sequence[Feature], run: Run, start: int, end: int) -> list[tuple[FeatureReading, ...]]:
        """The readings of features of one interval at bars of one block."""
        by_feature = []
        for feature in features:
            values = self.column(feature, run, start // BLOCK)
            before = self.column(feature, run, start // BLOCK - 1)[-1] if start > run.first else None
            by_feature.append(map(FeatureReading, repeat(feature), values, [before, *values]))
        return list(zip(*by_feature, strict=True)) if features else [()] * (end - start)


def _confidences_e8(mids_e8: Integers) -> list[int]:
    """`candles.confidence_e8` of all at once."""
    confidences: list[int] = (-(-mids_e8 * CONFIDENCE_PPM // PPM)).tolist()
    return confidences


_Minutes = tuple[int, list[int], list[int], list[int], str, list[tuple[FeatureReading, ...]]]
"""The first minute; of each the mid, its confidence, when it was published; what proves them, end to end; features."""

NO_MINUTES: _Minutes = (0, [], [], [], "", [])


def _proof(proofs: str, place: int) -> str:
    return proofs[place * SHA256_CHARS : (place + 1) * SHA256_CHARS]


class _Blocks(Generic[T]):
    """One value per bar, made for the bars of a block when the first of them is read; the newest block is kept."""

    def __init__(self, runs: Sequence[Run], make: Callable[[Run, int, int], list[T]], unknown: T) -> None:
        self._runs = runs
        self._make = make
        self._unknown = unknown
        self._start = self._count = 0
        self._values: list[T] = []

    def at(self, bar: int) -> T:
        place = bar - self._start
        if 0 <= place < self._count:
            return self._values[place]
        run = run_at(self._runs, bar)
        if run is None:
            return self._unknown
        self._start, end = block_of(run, bar)
        self._values = self._make(run, self._start, end)
        self._count = len(self._values)
        return self._values[bar - self._start]


class _MarketReader:
    """One market's part of a prepared read."""

    def __init__(
        self,
        market: Market,
        chart: _Chart,
        samples: Sequence[PerpSample],
        feed: str,
        features: Sequence[Feature],
        interval: CandleInterval,
        candles: int,
    ) -> None:
        self.market = market
        self._feed = feed
        self._end_ms = chart.end_ms
        self._samples = samples
        self._candles_ms = INTERVAL_MS[interval]
        self._candles = _candle_blocks(market, chart, interval, candles) if candles else None
        ordered = sorted(set(features), key=lambda feature: feature.key)
        self._groups = [_group(chart, ordered, each) for each in CandleInterval]
        self._groups = [group for group in self._groups if group.features]
        self._sampled = [feature for feature in ordered if not _is_of_candles(feature)]
        made = [feature for group in self._groups for feature in group.features] + self._sampled
        self._places = [made.index(feature) for feature in ordered]
        by_minute = [feature for feature in ordered if feature.interval is CandleInterval.M1]
        # What changes every minute anyway is read with the minute's price; then nothing is left to merge.
        self._has_readings = by_minute == ordered
        features = by_minute if self._has_readings else ()
        self._load = partial(chart.minutes, features=features)
        self._minutes = NO_MINUTES

    def at(self, as_of_ms: int | None) -> MarketSnapshot | None:
        if as_of_ms is None or as_of_ms > self._end_ms:
            as_of_ms = self._end_ms
        bar = as_of_ms // MINUTE_MS - 1
        start, mids, confidences, ended_ms, proofs, readings = self._minutes
        place = bar - start
        if not 0 <= place < len(mids):
            loaded = self._load(bar)
            if loaded is None:
                return None
            start, mids, confidences, ended_ms, proofs, readings = self._minutes = loaded
            place = bar - start
        return MarketSnapshot(
            self.market,
            as_of_ms,
            mids[place],
            confidences[place],
            ended_ms[place],
            self._feed,
            proofs[place * SHA256_CHARS : (place + 1) * SHA256_CHARS],
            readings[place] if self._has_readings else self._merged(as_of_ms),
            () if self._candles is None else self._candles.at(as_of_ms // self._candles_ms - 1),
        )

    def _merged(self, as_of_ms: int) -> tuple[FeatureReading, ...]:
        if len(self._groups) == 1 and not self._sampled:
            (group,) = self._groups
            return group.rows.at(as_of_ms // group.interval_ms - 1)
        readings: list[FeatureReading] = []
        for group in self._groups:
            readings += group.rows.at(as_of_ms // group.interval_ms - 1)
        readings += [_sampled(feature, self._samples, as_of_ms) for feature in self._sampled]
        return tuple([readings[place] for place in self._places])


class _Group(NamedTuple):
    """The features of one interval."""

    features: Sequence[Feature]
    interval_ms: int
    rows: _Blocks[tuple[FeatureReading, ...]]


def _group(chart: _Chart, features: Sequence[Feature], interval: CandleInterval) -> _Group:
    of_interval = [feature for feature in features if feature.interval is interval and _is_of_candles(feature)]
    unknown = tuple(FeatureReading(feature, None, None) for feature in of_interval)
    runs = chart.runs(interval) if of_interval else ()
    return _Group(of_interval, INTERVAL_MS[interval], _Blocks(runs, partial(chart.readings, of_interval), unknown))


def _candle_blocks(market: Market, chart: _Chart, interval: CandleInterval, count: int) -> _Blocks[tuple[Candle, ...]]:
    def make(run: Run, start: int, end: int) -> list[tuple[Candle, ...]]:
        bars = candles_before(market, interval, run, end, end - start + count - 1)
        first = len(bars) - (end - start) + 1
        return [bars[max(0, last - count) : last] for last in range(first, len(bars) + 1)]

    return _Blocks[tuple[Candle, ...]](chart.runs(interval), make, ())


def _is_of_candles(feature: Feature) -> bool:
    return not feature.is_sampled and feature.name is not FeatureName.BOOK_IMBALANCE


def _sampled(feature: Feature, samples: Sequence[PerpSample], as_of_ms: int) -> FeatureReading:
    # A recording keeps no books.
    if feature.name is FeatureName.BOOK_IMBALANCE:
        return FeatureReading(feature, None, None)
    return read_samples(feature, samples, as_of_ms)
