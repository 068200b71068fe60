"""`pump-party` with a clock that a test puts forward through a file: slots come when they are wanted.

Run as `python leaping_product.py FILE STEP ARGUMENTS...`. All else is the product; what it measures by other clocks
runs on. With a STEP such as `before_commit:1` it kills itself, as `kill -9` would, when a slot that was leapt to comes
to its second step of that name.
"""

import mmap
import os
import signal
import sys
import threading
import time
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path
from typing import Any
from unittest.mock import patch

from pump_party.adapters.object_store import ObjectStore
from pump_party.apps.cli.main import main
from pump_party.bootstrap import database
from pump_party.db.faulty import FaultyDatabase
from pump_party.domains.aitrading.work import DecisionWork
from pump_party.platform.clock import SystemClock

AHEAD_BYTES = 8
SLOT_MS = 60_000
BEFORE_SLOT_MS = 3_000
"""Time for fresh prices: those from before a leap are old after it."""

IMMORTAL = "never"


def make_clock_file(file: Path) -> None:
    """A clock that is not ahead yet."""
    file.write_bytes(bytes(AHEAD_BYTES))


def command_by(file: Path, dies_at: str = IMMORTAL) -> list[str | Path]:
    """The command that runs the product by this clock."""
    return [sys.executable, Path(__file__), file, dies_at]


def leap_to_next_slot(file: Path) -> None:
    """Put the clock forward until shortly before the next whole minute."""
    ahead_ms = int.from_bytes(file.read_bytes())
    now_ms = time.time_ns() // 1_000_000 + ahead_ms
    left_ms = SLOT_MS - now_ms % SLOT_MS
    with file.open("r+b") as opened:  # in place: it is mapped
        opened.write((ahead_ms + max(1, left_ms - BEFORE_SLOT_MS)).to_bytes(AHEAD_BYTES))


def run_ahead(file: Path, dies_at: str, arguments: list[str]) -> int:
    with file.open("rb") as opened, mmap.mmap(opened.fileno(), AHEAD_BYTES, prot=mmap.PROT_READ) as mapped:

        def ahead_ms() -> int:
            return int.from_bytes(mapped[:AHEAD_BYTES])

        now_ms = SystemClock.now_ms
        with ExitStack() as patches:
            patches.enter_context(patch.object(SystemClock, "now_ms", lambda clock: now_ms(clock) + ahead_ms()))
            if dies_at != IMMORTAL:
                _make_mortal(patches, dies_at, ahead_ms)
            return main(arguments)


def _make_mortal(patches: ExitStack, dies_at: str, ahead_ms: Callable[[], int]) -> None:
    """Only what works off a slot after a leap counts: neither the start nor what others do at the same time."""
    name, _, places = dies_at.partition(":")
    left, begun_ms, slot = [int(places)], ahead_ms(), threading.local()
    work_off, put_at = DecisionWork.work_off, ObjectStore.put_at

    def reached(step: str) -> None:
        if step != name or not getattr(slot, "is_under_way", False):
            return
        if left[0] == 0:
            os.kill(os.getpid(), signal.SIGKILL)
        left[0] -= 1

    def watched(work: DecisionWork, job: Any) -> int:
        slot.is_under_way = ahead_ms() > begun_ms
        try:
            return work_off(work, job)
        finally:
            slot.is_under_way = False

    def put(store: ObjectStore, place: str, body: bytes) -> bool:
        reached("before_artifact")
        kept = put_at(store, place, body)
        reached("after_artifact")
        return kept

    patches.enter_context(patch.object(database, "Database", lambda url: FaultyDatabase(url, reached)))
    patches.enter_context(patch.object(DecisionWork, "work_off", watched))
    patches.enter_context(patch.object(ObjectStore, "put_at", put))


if __name__ == "__main__":
    sys.exit(run_ahead(Path(sys.argv[1]), sys.argv[2], sys.argv[3:]))
