"""The tapes a server can play: folders of recordings, the one its own feed plays, what it stored, a made-up month.

Implements `domains.backtests.store.Shelf`.
"""

import re
import threading
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from pump_party.adapters import synthetic_tape
from pump_party.adapters.tape_files import BadRow, CandleFile, TapeBroken, find_files, parse_candle, read_rows
from pump_party.domains.backtests.views import TapeMarket, TapeView
from pump_party.domains.marketdata.candle_path import RecordedCandle
from pump_party.domains.marketdata.candles import MINUTE_MS
from pump_party.domains.marketdata.features import Indicators
from pump_party.domains.marketdata.perp_samples import PerpSample
from pump_party.domains.marketdata.registry import Registry
from pump_party.kernel.errors import Invalid
from pump_party.kernel.ids import Market

if TYPE_CHECKING:
    from pump_party.adapters.tape_history import RecordedTape, Tell

FEED, STORED, SYNTHETIC = "feed", "stored", "synthetic"
RESERVED = frozenset({FEED, STORED, SYNTHETIC})
FOLDERS_MAX = 200

_FOLDER_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}", re.ASCII)

Signature = tuple[tuple[str, int, int], ...]
Span = tuple[int, int]


class Stored(NamedTuple):
    """What the database has: by observed market the span, and how to read the minutes and samples before a time."""

    feed: str
    spans: Mapping[Market, Span]
    minutes: Callable[[Market, int], Sequence[RecordedCandle]]
    samples: Callable[[Market, int], Sequence[PerpSample]]


class TapeShelf:
    """Looks at the disk whenever it is asked; a folder that has not changed is read once. Safe for threads."""

    def __init__(
        self, folder: Path, feed: Path | None, registry: Registry, stored: Callable[[], Stored | None]
    ) -> None:
        self._folder = folder
        self._feed = feed
        self._registry = registry
        self._stored = stored
        self._lock = threading.Lock()
        self._known: dict[Path, tuple[Signature, Mapping[Market, Span]]] = {}

    def tapes(self) -> Sequence[TapeView]:
        views = [
            self._view(name, f"recording {name}", "tape", spans)
            for name, path in self._folders().items()
            if (spans := self._spans(path))
        ]
        if self._feed is not None and (spans := self._spans(self._feed)):
            views.append(self._view(FEED, f"the tape this server plays: {self._feed.name}", "tape", spans))
        stored = self._stored()
        if stored is not None:
            views.append(self._view(STORED, "minutes this server stored", stored.feed, stored.spans))
        from_ms = synthetic_tape.FROM_MS
        month = (from_ms, from_ms + synthetic_tape.MINUTES * MINUTE_MS)
        made_up = {asset.market: month for asset in self._registry.observed()}
        views.append(self._view(SYNTHETIC, "a made-up month", "synthetic", made_up))
        return views

    def open(self, name: str, indicators: Indicators, *, to_ms: int, tell: "Tell") -> "RecordedTape":
        """The tape in memory; of what is stored only what was before `to_ms`. Raises Invalid, Unavailable."""
        # Arrays are no part of the start of a server.
        from pump_party.adapters.tape_history import RecordedTape, read_tape

        if name == SYNTHETIC:
            minutes = synthetic_tape.synthetic_minutes(self._registry.observed())
            return RecordedTape(SYNTHETIC, "synthetic", minutes, self._registry, indicators)
        if name == STORED:
            stored = self._stored()
            if stored is None:
                raise Invalid("nothing is stored", code="tape_not_found", field="tape")
            kept = {market: stored.minutes(market, to_ms) for market in stored.spans}
            samples = {market: stored.samples(market, to_ms) for market in stored.spans}
            return RecordedTape(STORED, stored.feed, kept, self._registry, indicators, samples)
        path = self._feed if name == FEED else self._folders().get(name)
        if path is None:
            raise Invalid("is no tape of this server", code="tape_not_found", field="tape")
        return read_tape(path, self._registry, indicators, tell)

    def _folders(self) -> dict[str, Path]:
        if not self._folder.is_dir():
            return {}
        paths = sorted(path for path in self._folder.iterdir() if path.is_dir())[:FOLDERS_MAX]
        return {p.name: p for p in paths if _FOLDER_NAME.fullmatch(p.name) and p.name not in RESERVED}

    def _spans(self, path: Path) -> Mapping[Market, Span]:
        """By observed market. A folder that cannot be read has none."""
        try:
            files = [file for file in find_files(path, self._registry)[0] if isinstance(file, CandleFile)]
            stats = [(file.path.name, file.path.stat()) for file in files]
            signature = tuple((name, stat.st_mtime_ns, stat.st_size) for name, stat in stats)
            with self._lock:
                known = self._known.get(path)
                if known is None or known[0] != signature:
                    known = self._known[path] = signature, _spans_of(files)
            return known[1]
        except (Invalid, BadRow, TapeBroken, OSError):
            return {}

    def _view(self, name: str, title: str, feed: str, spans: Mapping[Market, Span]) -> TapeView:
        assets = [asset for asset in self._registry.assets() if self._registry.priced_as(asset.market) in spans]
        markets = [TapeMarket(asset.market, *spans[self._registry.priced_as(asset.market)]) for asset in assets]
        return TapeView(name, title, feed, tuple(markets))


def _spans_of(files: Sequence[CandleFile]) -> Mapping[Market, Span]:
    spans: dict[Market, Span] = {}
    for file in files:
        first = last = None
        for _, row in read_rows(file.path):
            first, last = first or row, row
        if first is None or last is None:
            continue
        from_ms, to_ms = parse_candle(first).open_ms, parse_candle(last).open_ms + MINUTE_MS
        known = spans.get(file.market, (from_ms, to_ms))
        spans[file.market] = min(known[0], from_ms), max(known[1], to_ms)
    return spans
