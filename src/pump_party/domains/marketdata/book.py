"""Order books: a snapshot and the changes that follow it in sequence. A gap or a crossed book means: begin again.

A book is never repaired: what does not follow, or has a bid at or above an ask, is a fault, and the source fetches a
new snapshot. Prices are e8, sizes nanos; sizes are absolute, and zero removes a level.
"""

from collections.abc import Iterable, Mapping, Sequence
from enum import StrEnum
from heapq import nlargest, nsmallest

import msgspec

from pump_party.domains.marketdata.contract import BOOK_DEPTH_MAX, Book, Level
from pump_party.kernel.ids import Market
from pump_party.kernel.money import PPM

LEVELS_KEPT_MAX = 1_000
"""Levels of a side that are kept, the best ones: more than a price moves through between two snapshots."""

IMBALANCE_LEVELS = 10
"""Best levels of a side that its imbalance is made of."""


class BookFault(StrEnum):
    """Why a book must begin again."""

    GAP = "gap"
    CROSSED = "crossed"


class BookChange(msgspec.Struct, frozen=True):
    """Levels that changed, numbered from `first_seq` to `last_seq`."""

    bids: Sequence[Level]
    asks: Sequence[Level]
    first_seq: int
    last_seq: int
    publish_ms: int
    recv_ms: int
    sha256: str


class OrderBook(msgspec.Struct, frozen=True):
    """A whole book as of `seq`. `sha256` is that of the payload that changed it last."""

    market: Market
    source: str
    bids: Mapping[int, int]
    asks: Mapping[int, int]
    seq: int
    publish_ms: int
    recv_ms: int
    sha256: str


def begin(market: Market, source: str, snapshot: BookChange) -> OrderBook | BookFault:
    """The book that a snapshot shows, as of its `last_seq`."""
    empty = OrderBook(market, source, {}, {}, snapshot.first_seq - 1, 0, 0, "")
    return _changed(empty, snapshot)


def follow(book: OrderBook, change: BookChange) -> OrderBook | BookFault:
    """The book after a change; the same book when it already knows it."""
    if change.last_seq <= book.seq:
        return book
    if change.first_seq > book.seq + 1:
        return BookFault.GAP
    return _changed(book, change)


def shown(book: OrderBook, market: Market) -> Book:
    """The best levels of a book, as a book of one of the markets it prices."""
    return Book(
        market=market,
        bids=tuple(nlargest(BOOK_DEPTH_MAX, book.bids.items())),
        asks=tuple(nsmallest(BOOK_DEPTH_MAX, book.asks.items())),
        seq=book.seq,
        publish_ms=book.publish_ms,
        recv_ms=book.recv_ms,
        source=book.source,
        sha256=book.sha256,
    )


def imbalance_ppm(book: Book) -> int | None:
    """How much more is bid than asked near the price, of both: 1,000,000 is all bid. None for an empty book."""
    bid_nanos, ask_nanos = (sum(size for _, size in side[:IMBALANCE_LEVELS]) for side in (book.bids, book.asks))
    both_nanos = bid_nanos + ask_nanos
    return (2 * (bid_nanos - ask_nanos) * PPM + both_nanos) // (2 * both_nanos) if both_nanos else None


def _changed(book: OrderBook, change: BookChange) -> OrderBook | BookFault:
    bids = _with(book.bids, change.bids)
    asks = _with(book.asks, change.asks)
    if bids and asks and max(bids) >= min(asks):
        return BookFault.CROSSED
    return OrderBook(
        market=book.market,
        source=book.source,
        bids=_best(bids, nlargest(LEVELS_KEPT_MAX, bids)) if len(bids) > LEVELS_KEPT_MAX else bids,
        asks=_best(asks, nsmallest(LEVELS_KEPT_MAX, asks)) if len(asks) > LEVELS_KEPT_MAX else asks,
        seq=change.last_seq,
        publish_ms=change.publish_ms,
        recv_ms=change.recv_ms,
        sha256=change.sha256,
    )


def _with(levels: Mapping[int, int], changes: Sequence[Level]) -> dict[int, int]:
    after = dict(levels)
    for price_e8, size_nanos in changes:
        assert price_e8 > 0
        assert size_nanos >= 0
        if size_nanos:
            after[price_e8] = size_nanos
        else:
            after.pop(price_e8, None)
    return after


def _best(levels: Mapping[int, int], prices: Iterable[int]) -> dict[int, int]:
    return {price_e8: levels[price_e8] for price_e8 in prices}
