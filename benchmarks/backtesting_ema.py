"""Run backtesting.py with EMA crosses, one after another: backtesting_ema.py FILE STRATEGIES HALF_SPREAD_PPM.

FILE is JSON, [[milliseconds, price in 1e-8], ...]: closes of minutes. Every strategy holds one SOL while its faster
average is above its slower one. Timed are the runs, which end with its statistics; the table is made before.
"""

import json
import os
import sys
import time
import warnings
from pathlib import Path

warnings.simplefilter("ignore")
os.environ["TQDM_DISABLE"] = "1"

import backtesting  # noqa: E402  it asks the environment when it is imported
import pandas as pd  # noqa: E402
from backtesting import Backtest, Strategy  # noqa: E402

FAST_SHORTEST = 8
SLOWER_BY = 20
CASH = 1_000_000


def average(closes: pd.Series, period: int) -> pd.Series:
    return pd.Series(closes).ewm(span=period, adjust=False, min_periods=period).mean()


class Cross(Strategy):
    """One SOL while the fast average is above the slow one."""

    fast = FAST_SHORTEST
    orders = 0

    def init(self) -> None:
        self.faster = self.I(average, self.data.Close, self.fast)
        self.slower = self.I(average, self.data.Close, self.fast + SLOWER_BY)

    def next(self) -> None:
        if (self.faster[-1] > self.slower[-1]) == bool(self.position):
            return
        if self.position:
            self.position.close()
        else:
            self.buy(size=1)
        Cross.orders += 1


def main() -> None:
    path, count, half_spread_ppm = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
    rows = json.loads(Path(path).read_text())
    closes = [price_e8 / 1e8 for _, price_e8 in rows]
    times = pd.to_datetime([at_ms for at_ms, _ in rows], unit="ms")
    prices = dict.fromkeys(("Open", "High", "Low", "Close"), closes)
    table = pd.DataFrame(prices | {"Volume": 1.0}, index=times)
    spread = 2 * half_spread_ppm / 1e6
    # Made for each run anew: it keeps the statistics of the one before.
    runs = [Backtest(table, Cross, cash=CASH, spread=spread, finalize_trades=False) for _ in range(count)]
    filled = 0
    started, cpu_started = time.perf_counter(), time.process_time()
    for number, run in enumerate(runs):
        statistics = run.run(fast=FAST_SHORTEST + number)
        closed, still_open = statistics["_trades"], statistics["_strategy"].trades
        filled += 2 * len(closed) + len(still_open)
    seconds, cpu_seconds = time.perf_counter() - started, time.process_time() - cpu_started
    took = {"seconds": seconds, "cpu_seconds": cpu_seconds}
    did = {"ticks": len(rows) * count, "orders": Cross.orders, "filled": filled}
    print(json.dumps({**took, **did, "version": backtesting.__version__}))


if __name__ == "__main__":
    main()
