"""Orders priced on an order book, on a real database: the walk, consumed depth, no book, a book seen too early."""

import msgspec
import pytest
from tests.db.desk import ALICE, LATENCY_MS, ONE_SOL, Desk, holds_nothing
from tests.domains.prop_engine.markets import SOL, SOL_PERP

from pump_party.db.engine import Database
from pump_party.db.prop_check import check
from pump_party.domains.marketdata.contract import Book, Level
from pump_party.domains.prop_interface.contract import OrderKind, OrderStatus, RejectCode
from pump_party.kernel.ids import Market
from pump_party.platform.clock import ManualClock

ASKS: tuple[Level, ...] = ((15_024_000_000, 40 * ONE_SOL), (15_025_000_000, 80 * ONE_SOL))
BIDS: tuple[Level, ...] = ((15_023_000_000, 50 * ONE_SOL), (15_022_000_000, 90 * ONE_SOL))


def book(desk: Desk, *, seq: int = 1, publish_ms: int, asks: tuple[Level, ...] = ASKS, market: Market = SOL) -> Book:
    return Book(market, BIDS, asks, seq, publish_ms, publish_ms, "binance", "cd" * 32)


@pytest.fixture
def desk(database: Database, clock: ManualClock) -> Desk:
    return Desk(database, clock, "practice-book-v1")


def tick_with_book(desk: Desk, *, seq: int = 1, asks: tuple[Level, ...] = ASKS) -> int:
    """A tick after the latency, and a book published with it."""
    desk.books.set(book(desk, seq=seq, publish_ms=desk.clock.now_ms() + LATENCY_MS + 1, asks=asks, market=desk.market))
    return desk.tick(150.23)


def test_an_order_walks_the_book_and_its_evidence_names_it(desk: Desk) -> None:
    placed = desk.place("buy", 50 * ONE_SOL)
    assert tick_with_book(desk) == 1
    fill = desk.order(placed).fill
    assert fill is not None
    assert (fill.price_e8, fill.gross_micros, fill.fee_micros) == (15_024_600_000, 7_512_300_000, 5_258_610)
    assert fill.book is not None
    assert fill.book.legs == ((15_024_000_000, 20 * ONE_SOL), (15_025_000_000, 30 * ONE_SOL))
    assert (fill.book.source, fill.book.seq, fill.book.sha256) == ("binance", 1, "cd" * 32)
    assert desk.view().positions[0].cost_micros == 7_512_300_000
    assert holds_nothing(desk)


def test_depth_stays_consumed_until_the_level_shows_another_size(desk: Desk) -> None:
    desk.place("buy", 20 * ONE_SOL)
    tick_with_book(desk)
    second = desk.place("buy", 20 * ONE_SOL)
    tick_with_book(desk, seq=2)
    again = desk.order(second).fill
    assert again is not None
    assert again.book is not None
    assert again.book.legs == ((15_025_000_000, 20 * ONE_SOL),)

    third = desk.place("buy", 20 * ONE_SOL)
    tick_with_book(desk, seq=3, asks=((15_024_000_000, 41 * ONE_SOL), ASKS[1]))
    fresh = desk.order(third).fill
    assert fresh is not None
    assert fresh.book is not None
    assert fresh.book.legs[0][0] == 15_024_000_000
    assert holds_nothing(desk)


def test_more_than_half_the_shown_depth_is_refused(desk: Desk) -> None:
    placed = desk.place("buy", 61 * ONE_SOL)
    tick_with_book(desk)
    assert desk.order(placed).reject_code is RejectCode.INSUFFICIENT_DEPTH
    by_budget = desk.place("buy", None, quote_micros=9_900_000_000)
    tick_with_book(desk)
    assert desk.order(by_budget).reject_code is RejectCode.INSUFFICIENT_DEPTH
    assert holds_nothing(desk)


def test_a_budget_buys_what_it_can_pay_and_never_more(desk: Desk) -> None:
    placed = desk.place("buy", None, quote_micros=5_000_000_000)
    tick_with_book(desk)
    fill = desk.order(placed).fill
    assert fill is not None
    assert 4_990_000_000 < fill.gross_micros + fill.fee_micros <= 5_000_000_000
    assert holds_nothing(desk)


def test_a_book_far_from_the_oracle_is_refused(desk: Desk) -> None:
    placed = desk.place("buy", ONE_SOL)
    far = tuple((price * 102 // 100, size) for price, size in ASKS)
    desk.books.set(book(desk, publish_ms=desk.clock.now_ms() + LATENCY_MS + 1, asks=far))
    desk.tick(147)
    assert desk.order(placed).reject_code is RejectCode.PRICE_DIVERGENCE
    assert holds_nothing(desk)


def test_a_book_that_could_have_been_seen_fills_nothing(desk: Desk) -> None:
    placed = desk.place("buy", ONE_SOL)
    desk.books.set(book(desk, publish_ms=desk.clock.now_ms() + LATENCY_MS - 1))
    assert desk.tick(150.23) == 0
    assert desk.order(placed).status is OrderStatus.ACCEPTED
    assert tick_with_book(desk, seq=2) == 1
    assert desk.order(placed).status is OrderStatus.FILLED


def test_without_a_fresh_book_the_ladder_prices_the_order(desk: Desk) -> None:
    placed = desk.place("buy", ONE_SOL)
    desk.books.set(book(desk, publish_ms=desk.clock.now_ms() - 60_000))
    desk.tick(150.23)
    fill = desk.order(placed).fill
    assert fill is not None
    assert fill.book is None
    assert fill.impact_e8 > 0


def test_a_resting_limit_may_fill_on_the_book_before_the_oracle_trades_through(desk: Desk) -> None:
    placed = desk.place("buy", ONE_SOL, kind=OrderKind.LIMIT, limit_price_e8=15_020_000_000)
    tick_with_book(desk)
    assert desk.order(placed).status is OrderStatus.ACCEPTED
    cheaper = ((15_019_000_000, 40 * ONE_SOL),)
    below = ((15_018_000_000, 40 * ONE_SOL),)
    now_ms = desk.clock.now_ms() + LATENCY_MS + 1
    desk.books.set(Book(SOL, below, cheaper, 9, now_ms, now_ms, "binance", "cd" * 32))
    assert desk.tick(150.19) == 1
    fill = desk.order(placed).fill
    assert fill is not None
    assert fill.price_e8 == 15_020_000_000
    (held,) = desk.store.account(ALICE, desk.account_id).positions
    assert held.buy_pressure.micros == 0, "what a book gave it shows as gone itself; the ladder was not used"
    assert holds_nothing(desk)


def test_perpetuals_walk_the_book_too_and_what_they_take_stays_consumed(database: Database, clock: ManualClock) -> None:
    desk = Desk(database, clock, "practice-book-v1", SOL_PERP)
    desk.place("buy", 20 * ONE_SOL, leverage=10)
    tick_with_book(desk)
    second = desk.place("buy", 10 * ONE_SOL, leverage=10)
    tick_with_book(desk, seq=2)
    fill = desk.order(second).fill
    assert fill is not None
    assert fill.book is not None
    assert fill.perp is not None
    assert fill.book.legs == ((15_025_000_000, 10 * ONE_SOL),)
    assert desk.engine.account(ALICE, desk.account_id).residual_micros == 0
    assert check(database).problems == []


def test_a_book_that_cannot_take_a_position_does_not_keep_it_from_liquidation(
    database: Database, clock: ManualClock
) -> None:
    desk = Desk(database, clock, "practice-book-v1", SOL_PERP)
    desk.place("buy", 50 * ONE_SOL, leverage=10)
    tick_with_book(desk)
    for seq in (2, 3, 4):
        # Fresh, and far from the oracle: no price for anybody's order.
        desk.books.set(book(desk, seq=seq, publish_ms=desk.clock.now_ms() + LATENCY_MS + 1, market=SOL_PERP))
        desk.tick(130)
    (perp,) = [p for p in desk.view().perps if p.market == SOL_PERP] or [None]
    assert perp is None or perp.quantity_nanos == 0
    assert desk.view().residual_micros == 0
    assert check(database).problems == []


def test_a_stop_that_meets_a_thin_book_waits_for_a_better_one(desk: Desk) -> None:
    desk.place("buy", 50 * ONE_SOL)
    tick_with_book(desk)
    stop = desk.place("sell", 50 * ONE_SOL, kind=OrderKind.STOP, trigger_price_e8=150 * 10**8, reduce_only=True)
    thin: tuple[Level, ...] = ((14_990_000_000, ONE_SOL),)
    for seq, bids in ((2, thin), (3, thin), (4, ((14_990_000_000, 200 * ONE_SOL),))):
        shown = book(desk, seq=seq, publish_ms=desk.clock.now_ms() + LATENCY_MS + 1)
        asks: tuple[Level, ...] = ((14_991_000_000, 200 * ONE_SOL),)
        desk.books.set(msgspec.structs.replace(shown, bids=bids, asks=asks))
        desk.tick(149.9)
    assert desk.order(stop).status is OrderStatus.FILLED
