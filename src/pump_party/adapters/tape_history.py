"""A folder of recorded minutes, read whole, as backtests play it: `domains.backtests.model.Tape`."""

from bisect import bisect_left
from collections.abc import Callable, Mapping, Sequence
from hashlib import sha256
from pathlib import Path

from pump_party.adapters.tape_files import BadRow, CandleFile, TapeBroken, find_files, parse_candle, read_rows
from pump_party.adapters.tape_funding import read_funding
from pump_party.domains.aitrading.contract import Read
from pump_party.domains.marketdata.bars import aggregated, arrays_of
from pump_party.domains.marketdata.candle_history import CandleHistory, Recording
from pump_party.domains.marketdata.candle_path import TICKS, RecordedCandle
from pump_party.domains.marketdata.candles import MINUTE_MS, Candle, CandleArrays, CandleInterval, minute_sha256
from pump_party.domains.marketdata.contract import MarketKind, MarketSnapshot
from pump_party.domains.marketdata.features import Indicators
from pump_party.domains.marketdata.perp_samples import PerpSample, standing_sample
from pump_party.domains.marketdata.registry import Registry
from pump_party.kernel.errors import Invalid
from pump_party.kernel.ids import Market

MINUTES_MAX = 2_200_000
"""Of all files together: about four years of one market, or a year of four."""

PROGRESS_EVERY_ROWS = 5_000

Tell = Callable[[str, int], None]


def read_tape(folder: Path, registry: Registry, indicators: Indicators, tell: Tell) -> "RecordedTape":
    """Read every table of candles and of funding of a folder. `tell` hears of the file and how many rows were read.

    Raises Invalid when there is none, when a row is damaged, or when there are more than MINUTES_MAX.
    """
    files = [file for file in find_files(folder, registry)[0] if isinstance(file, CandleFile)]
    if not files:
        raise Invalid(f"there are no one-minute candles in {folder}", code="tape_empty", field="tape")
    minutes: dict[Market, list[RecordedCandle]] = {}
    for file in files:
        kept = minutes.setdefault(file.market, [])
        _read(file, kept, tell)
        if sum(map(len, minutes.values())) > MINUTES_MAX:
            raise Invalid(f"{folder} holds more than {MINUTES_MAX} minutes", code="tape_too_large", field="tape")
    return RecordedTape(folder.resolve().name, "tape", minutes, registry, indicators, read_funding(folder, registry))


class RecordedTape:
    """Recorded minutes of the markets that share each price, in memory."""

    def __init__(
        self,
        name: str,
        feed: str,
        minutes: Mapping[Market, Sequence[RecordedCandle]],
        registry: Registry,
        indicators: Indicators,
        samples: Mapping[Market, Sequence[PerpSample]] | None = None,
    ) -> None:
        """`minutes`, and the `samples` of its perpetuals, are by the market that is observed, in order of time."""
        self.name = name
        self.feed = feed
        self._minutes = {observed: list(candles) for observed, candles in minutes.items() if candles}
        self._observed = {
            asset.market: registry.priced_as(asset.market)
            for asset in registry.assets()
            if registry.priced_as(asset.market) in self._minutes
        }
        self._opened = {observed: [c.open_ms for c in candles] for observed, candles in self._minutes.items()}
        digests = {observed: _digests(candles) for observed, candles in self._minutes.items()}
        arrays = {observed: _arrays(observed, candles) for observed, candles in self._minutes.items()}
        sampled = {observed: found for observed, found in (samples or {}).items() if observed in arrays}
        self.sha256 = _content_sha256(digests, sampled)
        self._samples = {
            market: sampled.get(observed, ())
            for market, observed in self._observed.items()
            if registry.asset(market).kind is MarketKind.PERP
        }
        self.markets = frozenset(self._observed)
        by_market = {
            market: Recording(arrays[observed], digests[observed], self._samples.get(market, ()))
            for market, observed in self._observed.items()
        }
        self.memory = CandleHistory(by_market, indicators, feed=feed)
        self.candles = _Candles({market: arrays[observed] for market, observed in self._observed.items()})

    def span_ms(self, markets: Sequence[Market]) -> tuple[int, int]:
        """From the first minute that all of these markets have to the end of the last. Raises Invalid."""
        missing = sorted(set(markets) - self.markets)
        if missing:
            names = ", ".join(missing)
            raise Invalid(f"{self.name} has no minutes of {names}", code="market_not_on_tape", field="tape")
        opened = [self._opened[self._observed[market]] for market in markets]
        from_ms, to_ms = max(o[0] for o in opened), min(o[-1] for o in opened) + MINUTE_MS
        if from_ms >= to_ms:
            raise Invalid(f"{self.name} has no minute of all these markets", code="no_common_time", field="tape")
        return from_ms, to_ms

    def reader(self, read: Read) -> Callable[[int], Mapping[Market, MarketSnapshot]]:
        return self.memory.reader(read.wanted, interval=read.interval, candles=read.candles)

    def funding_1h_ppb(self, market: Market, *, at_ms: int) -> int | None:
        sample = standing_sample(self._samples.get(market, ()), at_ms)
        return None if sample is None else sample.funding_1h_ppb

    def minutes(self, market: Market, *, from_ms: int, to_ms: int) -> Sequence[RecordedCandle | None]:
        observed = self._observed[market]
        first = bisect_left(self._opened[observed], from_ms)
        last = bisect_left(self._opened[observed], to_ms)
        candles, count = self._minutes[observed][first:last], (to_ms - from_ms) // MINUTE_MS
        if len(candles) == count:
            return candles
        found: list[RecordedCandle | None] = [None] * count
        for candle in candles:
            found[(candle.open_ms - from_ms) // MINUTE_MS] = candle
        return found


class _Candles:
    """Implements `marketdata.contract.Candles` over arrays of minutes."""

    def __init__(self, minutes: Mapping[Market, CandleArrays]) -> None:
        self._minutes = minutes
        self._longer: dict[tuple[Market, CandleInterval], CandleArrays] = {}

    def candles(self, market: str, interval: CandleInterval, *, before_ms: int | None, limit: int) -> Sequence[Candle]:
        key = (Market(market), interval)
        if key[0] not in self._minutes:
            return []
        if key not in self._longer:
            self._longer[key] = aggregated(self._minutes[key[0]], interval)
        found = self._longer[key]
        end = len(found.open_ms) if before_ms is None else int(found.open_ms.searchsorted(before_ms))
        part = slice(max(0, end - limit), end)
        columns = (found.open_ms, found.opens_e8, found.highs_e8, found.lows_e8, found.closes_e8, found.ticks)
        rows = zip(*(column[part].tolist() for column in columns), strict=True)
        return [
            Candle(key[0], interval, open_ms, open_e8, high_e8, low_e8, close_e8, ticks, complete=True)
            for open_ms, open_e8, high_e8, low_e8, close_e8, ticks in rows
        ][::-1]


def _read(file: CandleFile, kept: list[RecordedCandle], tell: Tell) -> None:
    number = 0
    try:
        for number, row in read_rows(file.path):
            candle = parse_candle(row)
            if kept and candle.open_ms <= kept[-1].open_ms:
                raise BadRow("not later than the row before")
            kept.append(candle)
            if number % PROGRESS_EVERY_ROWS == 0:
                tell(file.path.name, number)
    except BadRow as error:
        raise Invalid(f"{file.path.name}, line {number}: {error}", code="tape_bad", field="tape") from error
    except TapeBroken as error:
        raise Invalid(str(error), code="tape_bad", field="tape") from error


def _arrays(market: Market, candles: Sequence[RecordedCandle]) -> CandleArrays:
    return arrays_of(
        [
            Candle(
                market, CandleInterval.M1, c.open_ms, c.open_e8, c.high_e8, c.low_e8, c.close_e8, TICKS, complete=True
            )
            for c in candles
        ]
    )


def _digests(candles: Sequence[RecordedCandle]) -> bytes:
    return b"".join(minute_sha256(c.open_ms, c.open_e8, c.high_e8, c.low_e8, c.close_e8) for c in candles)


def _content_sha256(digests: Mapping[Market, bytes], samples: Mapping[Market, Sequence[PerpSample]]) -> str:
    """The same minutes and samples of the same markets have the same hash, however they are filed."""
    told = sha256()
    for market, digest in sorted(digests.items()):
        told.update(f"{market} {len(digest)}\n".encode() + digest)
    for market, found in sorted(samples.items()):
        for one in found:
            told.update(f"{market} {one.at_ms} {one.funding_1h_ppb} {one.open_interest_nanos}\n".encode())
    return told.hexdigest()
