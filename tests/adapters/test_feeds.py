import subprocess
import sys
from pathlib import Path

import msgspec
import pytest

from pump_party.adapters.feeds import build_sources, random_share
from pump_party.config import Settings
from pump_party.domains.marketdata.registry import load_registry
from pump_party.kernel.errors import Invalid
from pump_party.platform.clock import ManualClock


def built(feed: str, clock: ManualClock, **settings: int) -> list[tuple[str, str, str]]:
    sources = build_sources(Settings(feed=feed, **settings), load_registry(), clock)
    return [(source.name, source.feed, source.label) for source in sources]


def test_each_feed_setting_names_its_sources(recorded_data: Path, clock: ManualClock):
    live = {
        "hyperliquid": ("hyperliquid", "live", "Hyperliquid"),
        "binance": ("binance", "live", "Binance"),
        "pyth": ("pyth", "live", "Pyth"),
        "jupiter": ("jupiter", "live", "Jupiter"),
    }
    synthetic = ("synthetic", "synthetic", "SYNTHETIC")
    assert built("hyperliquid+binance+pyth+jupiter", clock) == list(live.values())
    assert built("pyth+pyth", clock) == [live["pyth"]]
    assert built("auto", clock) == [live["hyperliquid"], live["binance"], synthetic]
    assert built("synthetic", clock) == built("synthetic:9", clock) == [synthetic]
    tape = f"tape:{recorded_data}/data/binance_usdm_1m"
    assert built(tape, clock, speed=60) == [("tape", "tape", "TAPE x60")]


def test_a_tape_that_is_not_there_stops_the_start(tmp_path: Path, clock: ManualClock):
    with pytest.raises(Invalid) as refused:
        built(f"tape:{tmp_path}/nothing", clock)
    assert refused.value.field == "feed"


def test_jitter_is_spread_between_nought_and_one():
    shares = [random_share() for _ in range(200)]
    assert 0 <= min(shares) < 0.2
    assert 0.8 < max(shares) < 1


def test_a_tape_or_synthetic_feed_does_not_load_the_http_client(recorded_data: Path):
    program = """
import sys
from pump_party.adapters.feeds import build_sources
from pump_party.config import Settings
from pump_party.domains.marketdata.registry import load_registry
from pump_party.platform.clock import SystemClock
for feed in ("synthetic", f"tape:{sys.argv[1]}", "auto"):
    build_sources(Settings(feed=feed), load_registry(), SystemClock())
import json
print(json.dumps(sorted({name.partition(".")[0] for name in sys.modules} & {"httpx2", "obstore"})))
"""
    folder = recorded_data / "data" / "binance_usdm_1m"
    done = subprocess.run([sys.executable, "-c", program, str(folder)], capture_output=True, check=True, timeout=60)
    assert msgspec.json.decode(done.stdout) == []
