"""Fill a market order from a recorded order book: execution model, section 6.2.

Levels are walked best first, at most the participation of each displayed size. What an account takes stays consumed
until a snapshot with another sequence number and another size at that level arrives.
"""

from collections.abc import Sequence

import msgspec
from msgspec.structs import replace

from pump_party.domains.marketdata.contract import Book, Level
from pump_party.domains.prop_interface.contract import RejectCode, Side
from pump_party.kernel.money import NOTIONAL_DIVISOR, PPM, ceil_div


class BookRules(msgspec.Struct, frozen=True):
    """How a book may be used; pinned with the parameters of a market."""

    participation_ppm: int = 500_000
    divergence_ppm: int = 10_000


BOOK_RULES = BookRules()


class ConsumedLevel(msgspec.Struct, frozen=True):
    """What was taken of a level: the size it displayed and the sequence number of the book it was taken from."""

    side: Side
    price_e8: int
    size_nanos: int
    seq: int
    taken_nanos: int


class ConsumedDepth(msgspec.Struct, frozen=True):
    """What one account has taken of one market's book and not got back. Stored by the caller, bounded by the book."""

    levels: tuple[ConsumedLevel, ...] = ()


NOTHING_CONSUMED = ConsumedDepth()


class BookFill(msgspec.Struct, frozen=True):
    """What an order does at a book. `legs` are (price_e8, quantity_nanos) in the order taken."""

    side: Side
    quantity_nanos: int
    legs: tuple[Level, ...]
    average_price_e8: int
    mid_e8: int
    gross_micros: int
    fee_micros: int
    cash_change_micros: int
    consumed_after: ConsumedDepth
    source: str
    seq: int
    publish_ms: int
    sha256: str


def walk_book(
    book: Book,
    *,
    side: Side,
    quantity_nanos: int,
    oracle_mid_e8: int,
    taker_fee_ppm: int,
    consumed: ConsumedDepth = NOTHING_CONSUMED,
    rules: BookRules = BOOK_RULES,
) -> BookFill | RejectCode:
    """Fill the whole quantity, or say why not: PRICE_DIVERGENCE, then INSUFFICIENT_DEPTH.

    `consumed` is what earlier fills left; `consumed_after` of the fill replaces it. Lots, notional, slippage and funds
    are the caller's checks.
    """
    assert quantity_nanos > 0
    mid_e8 = mid_of(book)
    if mid_e8 is None:
        return RejectCode.INSUFFICIENT_DEPTH
    if abs(mid_e8 - oracle_mid_e8) * PPM > rules.divergence_ppm * oracle_mid_e8:
        return RejectCode.PRICE_DIVERGENCE
    consumed = still_consumed(consumed, book)
    levels = book.asks if side is Side.BUY else book.bids
    legs = _legs(levels, quantity_nanos, _taken_at(consumed, side), rules)
    if legs is None:
        return RejectCode.INSUFFICIENT_DEPTH

    buys = side is Side.BUY
    product = sum(price_e8 * taken_nanos for price_e8, taken_nanos in legs)
    gross_micros = ceil_div(product, NOTIONAL_DIVISOR) if buys else product // NOTIONAL_DIVISOR
    fee_micros = ceil_div(gross_micros * taker_fee_ppm, PPM)
    return BookFill(
        side=side,
        quantity_nanos=quantity_nanos,
        legs=legs,
        average_price_e8=ceil_div(product, quantity_nanos) if buys else product // quantity_nanos,
        mid_e8=mid_e8,
        gross_micros=gross_micros,
        fee_micros=fee_micros,
        cash_change_micros=-(gross_micros + fee_micros) if buys else gross_micros - fee_micros,
        consumed_after=_consume(consumed, side, legs, book),
        source=book.source,
        seq=book.seq,
        publish_ms=book.publish_ms,
        sha256=book.sha256,
    )


def affordable_nanos(
    book: Book,
    *,
    budget_micros: int,
    consumed: ConsumedDepth = NOTHING_CONSUMED,
    rules: BookRules = BOOK_RULES,
) -> int | None:
    """The most a purchase can take for the budget, fees aside; None when the book is shorter than the budget."""
    taken = _taken_at(still_consumed(consumed, book), Side.BUY)
    left = budget_micros * NOTIONAL_DIVISOR
    quantity_nanos = 0
    for price_e8, size_nanos in book.asks:
        available_nanos = max(0, size_nanos * rules.participation_ppm // PPM - taken.get(price_e8, 0))
        take_nanos = min(available_nanos, left // price_e8)
        quantity_nanos += take_nanos
        left -= take_nanos * price_e8
        if take_nanos < available_nanos:
            return quantity_nanos
    return None


def mid_of(book: Book) -> int | None:
    """Half way between the best levels, rounded down; None when a side is empty."""
    return (book.bids[0][0] + book.asks[0][0]) // 2 if book.bids and book.asks else None


def still_consumed(consumed: ConsumedDepth, book: Book) -> ConsumedDepth:
    """What a snapshot leaves consumed: the levels of its own sequence number, and those whose size is the same."""
    sizes = {Side.BUY: dict(book.asks), Side.SELL: dict(book.bids)}
    kept = (
        level
        for level in consumed.levels
        if book.seq == level.seq or sizes[level.side].get(level.price_e8, 0) == level.size_nanos
    )
    return ConsumedDepth(tuple(kept))


def _legs(
    levels: Sequence[Level], quantity_nanos: int, taken: dict[int, int], rules: BookRules
) -> tuple[Level, ...] | None:
    legs = []
    missing_nanos = quantity_nanos
    for price_e8, size_nanos in levels:
        available_nanos = size_nanos * rules.participation_ppm // PPM - taken.get(price_e8, 0)
        take_nanos = min(missing_nanos, available_nanos)
        if take_nanos > 0:
            legs.append((price_e8, take_nanos))
            missing_nanos -= take_nanos
        if missing_nanos == 0:
            return tuple(legs)
    return None


def _taken_at(consumed: ConsumedDepth, side: Side) -> dict[int, int]:
    return {level.price_e8: level.taken_nanos for level in consumed.levels if level.side is side}


def _consume(consumed: ConsumedDepth, side: Side, legs: Sequence[Level], book: Book) -> ConsumedDepth:
    after = {(level.side, level.price_e8): level for level in consumed.levels}
    sizes = dict(book.asks if side is Side.BUY else book.bids)
    for price_e8, take_nanos in legs:
        fresh = ConsumedLevel(side, price_e8, sizes[price_e8], book.seq, 0)
        level = after.get((side, price_e8), fresh)
        after[side, price_e8] = replace(level, seq=book.seq, taken_nanos=level.taken_nanos + take_nanos)
    return ConsumedDepth(tuple(after.values()))
