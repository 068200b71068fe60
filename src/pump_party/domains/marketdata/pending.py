"""What gathers between two writes of ingestion. Shared by the event loop and a thread."""

import threading
from collections import deque
from collections.abc import Iterable
from itertools import islice

from msgspec.structs import replace

from pump_party.domains.marketdata.admission import Quarantine, Verdict
from pump_party.domains.marketdata.candles import Chart
from pump_party.domains.marketdata.contract import Candle, CandleInterval, PerpHour
from pump_party.domains.marketdata.model import Tick
from pump_party.domains.marketdata.store import Batch, Moment, QuarantineEnd, Refusal
from pump_party.kernel.ids import Market
from pump_party.kernel.money import INT64_MAX

CANDLES_WAITING_MAX = 20_000
"""Candles kept while the database is away; beyond it the ones touched first are given up."""

REFUSALS_PER_WRITE_MAX = 10
"""Refused ticks of one verdict stored with one write: repeats never crowd out a jump. Source health counts them all."""

QUARANTINES_WAITING_MAX = 1_000

MOMENT_SLOT_MS = 100
"""Of prices closer together than this the newest is kept, with the widest confidence among them."""

MOMENTS_WAITING_MAX = 50_000
"""Moments kept while the database is away; of those given up the market looks silent, and an end moves."""

HOURS_WAITING_MAX = 1_000

EARLIER_WAITING_MAX = 100_000
EARLIER_PER_WRITE_MAX = 2_000
"""The past comes in at once and can wait: a write stays short."""

CandleKey = tuple[Market, CandleInterval, int]


class Pending:
    """Every method may be called from any thread and holds its lock only for moments."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._candles: dict[CandleKey, Candle] = {}
        self._charts: dict[Market, int] = {}
        self._refusals: dict[Verdict, list[Refusal]] = {verdict: [] for verdict in Verdict}
        self._perp_hours: dict[tuple[Market, int], PerpHour] = {}
        self._moments: dict[tuple[Market, int, bool], Moment] = {}
        self._earlier: deque[Candle] = deque(maxlen=EARLIER_WAITING_MAX)
        self._quarantines: list[Quarantine] = []
        self._ends: list[QuarantineEnd] = []

    def charted(self, market: Market, chart: Chart) -> None:
        with self._lock:
            self._charts[market] = chart.chart_ms
            for candle in chart.forming:
                self._candles[market, candle.interval, candle.open_ms] = candle
            while len(self._candles) > CANDLES_WAITING_MAX:
                del self._candles[next(iter(self._candles))]

    def told(self, earlier: Iterable[Candle]) -> None:
        with self._lock:
            self._earlier.extend(earlier)

    def moved(self, moment: Moment) -> None:
        """A market has a new price, or none any more."""
        key = moment.market, moment.at_ms // MOMENT_SLOT_MS, moment.is_halt
        with self._lock:
            before = self._moments.pop(key, None)
            if before is not None:
                moment = replace(moment, conf_e8=max(before.conf_e8, moment.conf_e8))
            self._moments[key] = moment
            while len(self._moments) > MOMENTS_WAITING_MAX:
                del self._moments[next(iter(self._moments))]

    def sampled(self, hour: PerpHour) -> None:
        key = hour.market, hour.hour_ms
        with self._lock:
            self._perp_hours[key] = hour
            while len(self._perp_hours) > HOURS_WAITING_MAX:
                del self._perp_hours[next(iter(self._perp_hours))]

    def refused(self, tick: Tick, verdict: Verdict, *, now_ms: int) -> None:
        with self._lock:
            alike = self._refusals[verdict]
            if len(alike) < REFUSALS_PER_WRITE_MAX:
                alike.append(_refusal(tick, verdict, now_ms=now_ms))

    def quarantined(self, quarantine: Quarantine) -> None:
        with self._lock:
            self._quarantines.append(quarantine)

    def ended(self, end: QuarantineEnd) -> None:
        with self._lock:
            self._ends.append(end)

    def take(self, *, feed: str, now_ms: int) -> Batch:
        """Everything that waits, which is then no longer waiting; of earlier candles a part."""
        with self._lock:
            batch = Batch(
                feed=feed,
                now_ms=now_ms,
                candles=tuple(self._candles.values()),
                charts=self._charts,
                refusals=[refusal for alike in self._refusals.values() for refusal in alike],
                quarantines=self._quarantines,
                ends=self._ends,
                moments=tuple(self._moments.values()),
                perp_hours=tuple(self._perp_hours.values()),
                earlier=[self._earlier.popleft() for _ in range(min(len(self._earlier), EARLIER_PER_WRITE_MAX))],
            )
            self._moments, self._perp_hours = {}, {}
            self._candles, self._charts = {}, {}
            self._refusals = {verdict: [] for verdict in Verdict}
            self._quarantines, self._ends = [], []
        return batch

    def put_back(self, batch: Batch) -> None:
        """Keep a batch that could not be written, under what has gathered since."""
        with self._lock:
            older = {(candle.market, candle.interval, candle.open_ms): candle for candle in batch.candles}
            merged = {**older, **self._candles}
            self._candles = dict(islice(merged.items(), max(0, len(merged) - CANDLES_WAITING_MAX), None))
            self._charts = {**batch.charts, **self._charts}
            waiting = {(m.market, m.at_ms // MOMENT_SLOT_MS, m.is_halt): m for m in batch.moments} | self._moments
            self._moments = dict(islice(waiting.items(), max(0, len(waiting) - MOMENTS_WAITING_MAX), None))
            self._perp_hours = {(h.market, h.hour_ms): h for h in batch.perp_hours} | self._perp_hours
            self._earlier.extendleft(reversed(batch.earlier))
            for refusal in batch.refusals:
                alike = self._refusals[refusal.verdict]
                if len(alike) < REFUSALS_PER_WRITE_MAX:
                    alike.append(refusal)
            self._quarantines = [*batch.quarantines, *self._quarantines][-QUARANTINES_WAITING_MAX:]
            self._ends = [*batch.ends, *self._ends][-QUARANTINES_WAITING_MAX:]


def _refusal(tick: Tick, verdict: Verdict, *, now_ms: int) -> Refusal:
    return Refusal(
        at_ms=now_ms,
        source=tick.source,
        market=tick.market,
        verdict=verdict,
        mid_e8=_int64(tick.mid_e8),
        conf_e8=_int64(tick.conf_e8),
        publish_ms=_int64(tick.publish_ms),
        slot=_int64(tick.slot),
        raw_sha256=tick.raw_sha256,
    )


def _int64(value: int) -> int:
    """The nearest storable number: a refused tick may carry any, and its payload has the exact one."""
    return min(max(value, -INT64_MAX), INT64_MAX)
