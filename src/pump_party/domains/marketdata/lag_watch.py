"""One base's oracle lag while prices come in: the newest points of both sides and the lags measured so far."""

from collections import deque
from collections.abc import Sequence

from pump_party.domains.marketdata.contract import MarketLag
from pump_party.domains.marketdata.lag import LAG_MS_MAX, WINDOW_MS, Point, measure_lag, percentile_99
from pump_party.kernel.ids import Market

ORACLES = frozenset(("pyth",))
EXCHANGES = frozenset(("binance", "hyperliquid"))
POINT_EVERY_MS = 50
POINTS_MAX = 2 * (WINDOW_MS + LAG_MS_MAX) // POINT_EVERY_MS
LAGS_KEPT_MAX = 360
LAGS_MIN = 6
"""Fewer measurements say nothing about the worst of a hundred."""


def pair(sources: Sequence[str]) -> tuple[str, str] | None:
    """The oracle and the exchange to compare: the first of each in the order of the configuration."""
    oracle = next((source for source in sources if source in ORACLES), None)
    exchange = next((source for source in sources if source in EXCHANGES), None)
    return None if oracle is None or exchange is None else (oracle, exchange)


class LagWatch:
    """`heard` is called in the event loop; `measure` may be called from a thread."""

    def __init__(self, oracle: str, exchange: str) -> None:
        self._points: dict[str, deque[Point]] = {
            oracle: deque(maxlen=POINTS_MAX),
            exchange: deque(maxlen=POINTS_MAX),
        }
        self._oracle = oracle
        self._exchange = exchange
        self._lags_ms: deque[int] = deque(maxlen=LAGS_KEPT_MAX)
        self._measured: Point | None = None

    def heard(self, source: str, publish_ms: int, mid_e8: int) -> None:
        points = self._points.get(source)
        if points is None:
            return
        if points and publish_ms == points[-1][0]:
            points[-1] = publish_ms, mid_e8
        elif not points or publish_ms - points[-1][0] >= POINT_EVERY_MS:
            points.append((publish_ms, mid_e8))

    def measure(self, market: Market, *, now_ms: int) -> MarketLag | None:
        """Measure the newest window, once; None when it tells nothing new or too little is known."""
        # Copying a deque is one step for other threads.
        oracle, exchange = list(self._points[self._oracle]), list(self._points[self._exchange])
        if not oracle or oracle[-1] == self._measured:
            return None
        self._measured = oracle[-1]
        lag_ms = measure_lag(oracle, exchange)
        if lag_ms is None:
            return None
        self._lags_ms.append(lag_ms)
        if len(self._lags_ms) < LAGS_MIN:
            return None
        return MarketLag(market, lag_ms, percentile_99(self._lags_ms), len(self._lags_ms), now_ms)
