"""From the start of the process to the first tradable price, and what the process weighs once it runs."""

import tempfile
import time
from pathlib import Path

from benchmarks.product import Product
from benchmarks.recording import DATA
from benchmarks.report import AT_MOST, Row, Target

STARTS = 3
SPEED = 60
TAPE = "binance_usdm_1m"
START_TARGET = Target(AT_MOST, 3, of_ratio=False)
MEMORY_TARGET = Target(AT_MOST, 220, of_ratio=False)


def run(*, quick: bool) -> list[Row]:
    seconds = 8 if quick else 60
    tape = DATA / TAPE
    feed = f"tape:{tape}" if tape.is_dir() else "synthetic"
    options = {"feed": feed, "speed": SPEED}
    with tempfile.TemporaryDirectory(prefix="pump-party-bench-") as name:
        folder = Path(name)
        starts = []
        for number in range(STARTS):
            with Product(data_dir=folder / str(number), options=options) as product:
                starts.append(product.wait_until_open())
        with Product(data_dir=folder / "memory", options=options) as product:
            product.wait_until_open()
            page_bytes = product.page_bytes()
            cpu_started, started = product.cpu_seconds(), time.monotonic()
            time.sleep(seconds)
            cpu_share = (product.cpu_seconds() - cpu_started) / (time.monotonic() - started)
            memory = product.resident_mib()
    what = "tape feed at 60x" if feed != "synthetic" else "synthetic feed: no recorded data beside the repository"
    return [
        Row(
            name="process start to the first tradable price",
            unit="s",
            samples=tuple(starts),
            target=START_TARGET,
            note=f"a new data folder each time, migrations included; {what}",
        ),
        Row(
            name=f"resident memory after {seconds} s",
            unit="MiB",
            samples=(memory,),
            target=MEMORY_TARGET,
            note=f"everything in one process, {what}; the page ({page_bytes / 1024:,.0f} KiB with assets) was served",
        ),
        Row(name="CPU while nobody trades", unit="% of a core", samples=(100 * cpu_share,)),
    ]
