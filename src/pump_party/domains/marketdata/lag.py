"""How far an oracle runs behind an exchange (execution model, section 5).

The lag is the shift that makes their mids correlate best. Both series are sampled on one grid, each point holding
until the next. A window in which prices hardly move together says nothing and gives no lag.
"""

from collections.abc import Sequence
from itertools import accumulate
from operator import mul

from pump_party.kernel.money import ceil_div

GRID_MS = 100
WINDOW_MS = 60_000
LAG_MS_MAX = 6_000
"""The longest lag looked for: an order waits no longer for its tick."""

Point = tuple[int, int]
"""(time_ms, mid_e8)."""


def measure_lag(oracle: Sequence[Point], exchange: Sequence[Point]) -> int | None:
    """The lag in the newest window that both series cover, to GRID_MS; None when it cannot be told.

    Points are in order of time. Of shifts that fit equally well the longest is the lag.
    """
    if not oracle or not exchange:
        return None
    end_ms = min(oracle[-1][0], exchange[-1][0])
    begin_ms = end_ms - WINDOW_MS
    if oracle[0][0] > begin_ms or exchange[0][0] > begin_ms - LAG_MS_MAX:
        return None
    behind = _sampled(oracle, begin_ms, end_ms)
    ahead = _sampled(exchange, begin_ms - LAG_MS_MAX, end_ms)
    return _best_shift(behind, ahead)


def percentile_99(lags_ms: Sequence[int]) -> int:
    """The smallest lag that 99 of a hundred do not exceed."""
    return sorted(lags_ms)[ceil_div(99 * len(lags_ms), 100) - 1]


def _sampled(points: Sequence[Point], begin_ms: int, end_ms: int) -> list[int]:
    """Prices at every step of the grid, relative to the first one."""
    samples = []
    at = 0
    for time_ms in range(begin_ms, end_ms + 1, GRID_MS):
        while at + 1 < len(points) and points[at + 1][0] <= time_ms:
            at += 1
        samples.append(points[at][1])
    return [sample - samples[0] for sample in samples]


def _best_shift(behind: Sequence[int], ahead: Sequence[int]) -> int | None:
    """Pearson's correlation without a root: covariances are compared squared, over the variance of the shifted side."""
    count = len(behind)
    total = sum(behind)
    spread = count * sum(map(mul, behind, behind)) - total * total
    sums = list(accumulate(ahead, initial=0))
    squares = list(accumulate(map(mul, ahead, ahead), initial=0))
    best: tuple[int, int] | None = None
    best_shift = 0
    for shift in range(LAG_MS_MAX // GRID_MS + 1):
        begin = len(ahead) - count - shift
        window = ahead[begin : begin + count]
        window_total = sums[begin + count] - sums[begin]
        window_spread = count * (squares[begin + count] - squares[begin]) - window_total * window_total
        covariance = count * sum(map(mul, behind, window)) - total * window_total
        # A correlation under one half is noise.
        if covariance <= 0 or 4 * covariance * covariance < spread * window_spread or window_spread == 0:
            continue
        if best is None or covariance * covariance * best[1] >= best[0] * window_spread:
            best, best_shift = (covariance * covariance, window_spread), shift
    return None if best is None else best_shift * GRID_MS
