"""Record what sources send, as raw captures that `tape:` replays."""

import asyncio
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from pathlib import Path

from pump_party.adapters.whole_file import WholeFile
from pump_party.domains.marketdata.book import OrderBook
from pump_party.domains.marketdata.contract import Candle, PerpContext, SourceState
from pump_party.domains.marketdata.model import PriceSource, RawPayload, Tick
from pump_party.platform.clock import Clock

NANOSECONDS = 1_000_000


class Recorder:
    """A sink that writes `<local ns> <json>` lines, one gzip file per source and day.

    Local time is the server clock's, in whole milliseconds.
    """

    def __init__(self, folder: Path, tell: Callable[[str], None]) -> None:
        self._folder = folder
        self._tell = tell
        self._open: dict[str, tuple[str, WholeFile]] = {}
        self.payloads = 0
        self.finished: list[str] = []
        self.errors: dict[str, str] = {}
        """The last error of each source that had one."""

    def observed(self, raw: RawPayload, ticks: Sequence[Tick]) -> None:  # noqa: ARG002 - every payload is kept
        if b"\n" in raw.body or not raw.body.startswith(b"{"):
            # A capture has one JSON object a line, and a payload is kept as it was sent or not at all.
            self.errors[raw.source] = "payloads that are not one line of JSON were left out"
            return
        self._file(raw).write(b"%d %s\n" % (raw.recv_ms * NANOSECONDS, raw.body))
        self.payloads += 1

    def quote_asset_rate(self, source: str, rate_e8: int, publish_ms: int) -> None:
        """Nothing to do: the rate is in the payload."""

    def book_changed(self, book: OrderBook) -> None:
        """Nothing to do: the book is in its payloads."""

    def context_changed(self, context: PerpContext) -> None:
        """Nothing to do: the context is in its payload."""

    def earlier_candles(self, source: str, candles: Sequence[Candle]) -> None:
        """Nothing to do: a capture begins when it begins."""

    def state_changed(self, source: str, state: SourceState, error: str | None = None) -> None:
        if error is not None:
            self.errors[source] = error
        self._tell(f"{source}: {state.value}{f' ({error})' if error else ''}")

    def finish(self) -> None:
        """Complete the files that are open."""
        for source in list(self._open):
            self._finish(source)

    def _file(self, raw: RawPayload) -> WholeFile:
        received = datetime.fromtimestamp(raw.recv_ms // 1000, UTC)
        day = received.strftime("%Y%m%d")
        if raw.source in self._open and self._open[raw.source][0] != day:
            self._finish(raw.source)
        if raw.source not in self._open:
            target = self._folder / f"{raw.source}_{received.strftime('%Y%m%dT%H%M%SZ')}.gz"
            self._open[raw.source] = day, WholeFile(target)
        return self._open[raw.source][1]

    def _finish(self, source: str) -> None:
        _, file = self._open.pop(source)
        file.finish()
        self.finished.append(file.target.name)


async def record(
    sources: Sequence[PriceSource], folder: Path, clock: Clock, *, seconds: int, tell: Callable[[str], None]
) -> Recorder:
    """Run the sources for a while and write what they send; the files are complete when this returns or fails."""
    folder.mkdir(parents=True, exist_ok=True)
    recorder = Recorder(folder, tell)
    tasks = [asyncio.ensure_future(source.run(recorder)) for source in sources]
    end_ms = clock.now_ms() + seconds * 1000
    try:
        while (left_ms := end_ms - clock.now_ms()) > 0:
            done, _ = await asyncio.wait(tasks, timeout=min(1.0, left_ms / 1000), return_when=asyncio.FIRST_COMPLETED)
            for task in done:
                task.result()
            tell(f"{seconds - max(0, left_ms) // 1000} of {seconds} s, {recorder.payloads} payloads")
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        recorder.finish()
    return recorder
