"""Counts what a source reports: its state, how often, how much of it is admitted."""

from collections import Counter, deque

from pump_party.domains.marketdata.admission import Verdict
from pump_party.domains.marketdata.contract import SourceHealth, SourceState
from pump_party.domains.marketdata.guards import LAG_WINDOW_MS, is_skewed

RATE_WINDOW_S = 60
ERROR_CHARACTERS_MAX = 200
LAG_SAMPLE_EVERY_MS = 100
LAG_SAMPLES_MAX = LAG_WINDOW_MS // LAG_SAMPLE_EVERY_MS
LAG_JUDGED_EVERY_MS = 1_000


class SourceMeter:
    """The health of one source."""

    def __init__(self, source: str) -> None:
        self._source = source
        self._state = SourceState.CONNECTING
        self._last_error: str | None = None
        self._last_tick_ms: int | None = None
        self._admitted = 0
        self._refused: Counter[Verdict] = Counter()
        self._reconnects = 0
        self._by_second: deque[tuple[int, int]] = deque(maxlen=RATE_WINDOW_S)

    def tick(self, verdict: Verdict, *, now_ms: int) -> None:
        if verdict is not Verdict.ADMIT:
            self._refused[verdict] += 1
            return
        self._admitted += 1
        self._last_tick_ms = now_ms
        second = now_ms // 1000
        if self._by_second and self._by_second[-1][0] == second:
            self._by_second[-1] = (second, self._by_second[-1][1] + 1)
        else:
            self._by_second.append((second, 1))

    def state_changed(self, state: SourceState, error: str | None) -> None:
        if state is SourceState.RECONNECTING and self._state is not state:
            self._reconnects += 1
        self._state = state
        if error is not None:
            self._last_error = error[:ERROR_CHARACTERS_MAX]

    def health(self, *, now_ms: int) -> SourceHealth:
        since = now_ms // 1000 - RATE_WINDOW_S
        return SourceHealth(
            source=self._source,
            state=self._state,
            last_tick_ms=self._last_tick_ms,
            age_ms=None if self._last_tick_ms is None else max(0, now_ms - self._last_tick_ms),
            rate_per_minute=sum(count for second, count in self._by_second if second > since),
            admitted=self._admitted,
            refused=self._refused.total(),
            reconnects=self._reconnects,
            last_error=self._last_error,
            updated_ms=now_ms,
            refused_by={verdict.value: count for verdict, count in self._refused.items()},
        )


class LagMeter:
    """How far `recv_ms` is from `publish_ms` for one source of one market, over LAG_WINDOW_MS.

    Samples at most every LAG_SAMPLE_EVERY_MS and judges at most every LAG_JUDGED_EVERY_MS, so that a fast feed
    costs no more than a slow one.
    """

    def __init__(self) -> None:
        self._lags: deque[tuple[int, int]] = deque(maxlen=LAG_SAMPLES_MAX)
        self._skewed = False
        self._judged_ms = 0

    def sample(self, *, publish_ms: int, recv_ms: int) -> None:
        if not self._lags or abs(recv_ms - self._lags[-1][0]) >= LAG_SAMPLE_EVERY_MS:
            self._lags.append((recv_ms, recv_ms - publish_ms))

    def is_skewed(self, *, now_ms: int) -> bool:
        if abs(now_ms - self._judged_ms) >= LAG_JUDGED_EVERY_MS:
            self._judged_ms = now_ms
            while self._lags and now_ms - self._lags[0][0] > LAG_WINDOW_MS:
                self._lags.popleft()
            self._skewed = is_skewed([lag_ms for _, lag_ms in self._lags])
        return self._skewed
