"""The peer of the replay figures: NautilusTrader's BacktestEngine, in an environment of its own with its own packages.

The product's side starts `nautilus_replay.py` there and reads one JSON line from it.
"""

import json
import subprocess
import tempfile
from collections.abc import Sequence
from pathlib import Path

import msgspec
from tests.services import ServiceMissing

from benchmarks.recording import Candle

ROOT = Path(__file__).parents[1]
NAME = "NautilusTrader"
PYTHON = ROOT / ".cache" / "bench" / "bin" / "python"
SCRIPT = Path(__file__).with_name("nautilus_replay.py")
EMA_SCRIPT = Path(__file__).with_name("nautilus_ema.py")


class Replayed(msgspec.Struct, frozen=True):
    """What a replay took, from its first tick to its last, and what it did."""

    seconds: float
    cpu_seconds: float
    ticks: int
    orders: int
    filled: int
    version: str = ""


def replay(candles: Sequence[Candle], *, every: int, half_spread_ppm: int) -> Replayed:
    """Replay the candles with a market order at every so many of them, bought and sold in turn."""
    return run_script(NAME, SCRIPT, candles, every, half_spread_ppm)


def cross(candles: Sequence[Candle], *, strategies: int, half_spread_ppm: int) -> Replayed:
    """Replay the candles to so many EMA crosses at once, each with averages of its own."""
    return run_script(NAME, EMA_SCRIPT, candles, strategies, half_spread_ppm)


def run_script(name: str, script: Path, candles: Sequence[Candle], *arguments: int) -> Replayed:
    """Run a script of the peers' environment over candles. Raises ServiceMissing, RuntimeError."""
    if not PYTHON.exists():
        raise ServiceMissing(f"this benchmark needs {name}: run `make bench`, which installs it")
    with tempfile.NamedTemporaryFile("w", suffix=".json") as file:
        json.dump([(candle.at_ms, candle.close_e8) for candle in candles], file)
        file.flush()
        command = [PYTHON, script, file.name, *map(str, arguments)]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise RuntimeError(f"{name}'s replay failed: {done.stderr.strip()[-2000:]}")
    return msgspec.json.decode(done.stdout.strip().splitlines()[-1], type=Replayed)
