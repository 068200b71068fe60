"""`pump-party` with a clock that a test puts forward through a file: slots come when they are wanted.

Run as `python leaping_product.py FILE ARGUMENTS...`. All else is the product; what it measures by other clocks runs on.
"""

import mmap
import sys
import time
from pathlib import Path
from unittest.mock import patch

from pump_party.apps.cli.main import main
from pump_party.platform.clock import SystemClock

AHEAD_BYTES = 8
SLOT_MS = 60_000
BEFORE_SLOT_MS = 3_000
"""Time for fresh prices: those from before a leap are old after it."""


def make_clock_file(file: Path) -> list[str | Path]:
    """A clock that is not ahead yet. Returns the command that runs the product by it."""
    file.write_bytes(bytes(AHEAD_BYTES))
    return [sys.executable, Path(__file__), file]


def leap_to_next_slot(file: Path) -> None:
    """Put the clock forward until shortly before the next whole minute."""
    ahead_ms = int.from_bytes(file.read_bytes())
    now_ms = time.time_ns() // 1_000_000 + ahead_ms
    left_ms = SLOT_MS - now_ms % SLOT_MS
    with file.open("r+b") as opened:  # in place: it is mapped
        opened.write((ahead_ms + max(0, left_ms - BEFORE_SLOT_MS)).to_bytes(AHEAD_BYTES))


def run_ahead(file: Path, arguments: list[str]) -> int:
    with file.open("rb") as opened, mmap.mmap(opened.fileno(), AHEAD_BYTES, prot=mmap.PROT_READ) as ahead:
        now_ms = SystemClock.now_ms
        with patch.object(SystemClock, "now_ms", lambda clock: now_ms(clock) + int.from_bytes(ahead[:AHEAD_BYTES])):
            return main(arguments)


if __name__ == "__main__":
    sys.exit(run_ahead(Path(sys.argv[1]), sys.argv[2:]))
