"""A peer of the backtest figures: backtesting.py, in the environment of its own that NautilusTrader has, too."""

from collections.abc import Sequence
from pathlib import Path

from benchmarks.nautilus import PYTHON, Replayed, run_script
from benchmarks.recording import Candle

SCRIPT = Path(__file__).with_name("backtesting_ema.py")


def is_installed() -> bool:
    """Whether `make bench` has installed it."""
    return any(PYTHON.parents[1].glob("lib/python*/site-packages/backtesting"))


def cross_one_by_one(candles: Sequence[Candle], *, strategies: int, half_spread_ppm: int) -> Replayed:
    """Replay the candles to so many EMA crosses, one after the other, each with averages of its own."""
    return run_script("backtesting.py", SCRIPT, candles, strategies, half_spread_ppm)
