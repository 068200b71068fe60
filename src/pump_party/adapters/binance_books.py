"""Binance's spot books: a REST snapshot, then the depth events that follow it without a gap.

Events carry the numbers of the changes in them (`U` to `u`), a snapshot the number it includes (`lastUpdateId`).
Events wait until there is a snapshot; after a gap they wait for a new one.
"""

from collections import deque
from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Annotated

import msgspec

from pump_party.adapters.observed_price import check_time, level_of
from pump_party.domains.marketdata.book import BookChange, BookFault, OrderBook, begin, follow
from pump_party.kernel.ids import Market

SNAPSHOT_LEVELS = 1_000
EVENTS_WAITING_MAX = 600
"""A minute of events: a snapshot that takes longer is asked for again."""

LEVELS_MAX = 5_000

_Levels = Annotated[list[tuple[Decimal, Decimal]], msgspec.Meta(max_length=LEVELS_MAX)]


class DepthEvent(msgspec.Struct):
    symbol: str = msgspec.field(name="s")
    time_ms: int = msgspec.field(name="E")
    first_seq: int = msgspec.field(name="U")
    last_seq: int = msgspec.field(name="u")
    bids: _Levels = msgspec.field(name="b")
    asks: _Levels = msgspec.field(name="a")


class DepthSnapshot(msgspec.Struct):
    seq: int = msgspec.field(name="lastUpdateId")
    bids: _Levels
    asks: _Levels


class BinanceBooks:
    """The books of one connection."""

    def __init__(self, symbols: Mapping[str, Market], source: str) -> None:
        self._symbols = symbols
        self._source = source
        self._books: dict[str, OrderBook] = {}
        self._waiting: dict[str, deque[BookChange]] = {}

    def missing(self) -> Sequence[str]:
        """Symbols with events that wait for a snapshot."""
        return [symbol for symbol in self._waiting if symbol not in self._books]

    def changed(self, event: DepthEvent, sha256: str, recv_ms: int) -> Sequence[OrderBook]:
        """The book after an event; none while there is no snapshot that it follows."""
        if event.symbol not in self._symbols:
            return ()
        change = BookChange(
            bids=_levels(event.bids),
            asks=_levels(event.asks),
            first_seq=event.first_seq,
            last_seq=event.last_seq,
            publish_ms=check_time(event.time_ms, field="E"),
            recv_ms=recv_ms,
            sha256=sha256,
        )
        book = self._books.get(event.symbol)
        after = BookFault.GAP if book is None else follow(book, change)
        if isinstance(after, OrderBook):
            self._books[event.symbol] = after
            return () if after is book else (after,)
        if self._books.pop(event.symbol, None) is not None:
            self._waiting[event.symbol].clear()
        self._waiting.setdefault(event.symbol, deque(maxlen=EVENTS_WAITING_MAX)).append(change)
        return ()

    def began(self, snapshot: DepthSnapshot, symbol: str | None, sha256: str, recv_ms: int) -> Sequence[OrderBook]:
        """The book that a snapshot and the waiting events make; none when they do not follow it.

        A recorded snapshot names no symbol: it is used when only one was heard of.
        """
        if symbol is None and len(self._waiting) == 1:
            symbol = next(iter(self._waiting))
        if symbol is None or symbol not in self.missing():
            return ()
        waiting = self._waiting[symbol]
        whole = BookChange(
            bids=_levels(snapshot.bids),
            asks=_levels(snapshot.asks),
            first_seq=snapshot.seq,
            last_seq=snapshot.seq,
            # A snapshot has no time: that of the oldest event it may contain is never too young.
            publish_ms=waiting[0].publish_ms,
            recv_ms=recv_ms,
            sha256=sha256,
        )
        book = begin(self._symbols[symbol], self._source, whole)
        for change in waiting:
            if isinstance(book, OrderBook):
                book = follow(book, change)
        if not isinstance(book, OrderBook):
            return ()
        waiting.clear()
        self._books[symbol] = book
        return (book,)


def _levels(levels: Sequence[tuple[Decimal, Decimal]]) -> list[tuple[int, int]]:
    return [level_of(price, size) for price, size in levels]
