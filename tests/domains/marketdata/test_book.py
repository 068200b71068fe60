import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.domains.marketdata.feeds import NOW_MS, SOL

from pump_party.domains.marketdata import book as books
from pump_party.domains.marketdata.book import BookChange, BookFault, OrderBook, begin, follow, shown
from pump_party.domains.marketdata.contract import BOOK_DEPTH_MAX, Book, Level
from pump_party.kernel.ids import Market


def change(
    bids: list[Level], asks: list[Level], *, first_seq: int = 1, last_seq: int | None = None, recv_ms: int = NOW_MS
) -> BookChange:
    last_seq = first_seq if last_seq is None else last_seq
    return BookChange(bids, asks, first_seq, last_seq, NOW_MS, recv_ms, f"{last_seq:064x}")


def book(bids: list[Level], asks: list[Level], *, seq: int = 10) -> OrderBook:
    begun = begin(SOL, "binance", change(bids, asks, first_seq=seq))
    assert isinstance(begun, OrderBook)
    return begun


BASE = book([(99, 5), (98, 6)], [(101, 7), (102, 8)])


def test_a_change_sets_sizes_and_removes_levels_and_names_the_payload_it_came_from():
    after = follow(BASE, change([(99, 0), (97, 3)], [(101, 9)], first_seq=11, last_seq=14))
    assert isinstance(after, OrderBook)
    assert shown(after, SOL) == Book(
        SOL, ((98, 6), (97, 3)), ((101, 9), (102, 8)), 14, NOW_MS, NOW_MS, "binance", f"{14:064x}"
    )
    assert BASE.bids == {99: 5, 98: 6}


def test_changes_follow_each_other_by_their_numbers():
    # first, last | what becomes of a book as of 10
    for first, last, outcome in (
        (11, 11, "moves"),
        (9, 12, "moves"),
        (11, 15, "moves"),
        (9, 10, "known"),
        (3, 4, "known"),
        (12, 13, "gap"),
    ):
        after = follow(BASE, change([(50, 1)], [], first_seq=first, last_seq=last))
        if outcome == "moves":
            assert isinstance(after, OrderBook)
            assert (after.seq, after.bids[50]) == (last, 1)
        elif outcome == "known":
            assert after is BASE
        else:
            assert after is BookFault.GAP


@pytest.mark.parametrize("crossing", [([(101, 1)], []), ([(105, 1)], []), ([], [(99, 1)]), ([], [(90, 1)])])
def test_a_crossed_or_locked_book_is_refused(crossing):
    bids, asks = crossing
    assert follow(BASE, change(bids, asks, first_seq=11)) is BookFault.CROSSED
    assert begin(SOL, "binance", change([*BASE.bids.items(), *bids], [*BASE.asks.items(), *asks])) is BookFault.CROSSED


def test_a_price_may_move_through_the_book_in_one_change():
    after = follow(BASE, change([(101, 4)], [(101, 0)], first_seq=11))
    assert isinstance(after, OrderBook)
    assert (max(after.bids), min(after.asks)) == (101, 102)


def test_a_side_may_be_empty():
    assert shown(book([], [(101, 1)]), SOL).bids == ()


def test_only_the_best_levels_are_kept_and_fewer_are_shown(monkeypatch):
    monkeypatch.setattr(books, "LEVELS_KEPT_MAX", 150)
    deep = book([(1_000 - n, n + 1) for n in range(300)], [(1_001 + n, n + 1) for n in range(300)])
    assert (len(deep.bids), min(deep.bids)) == (150, 851)
    assert (len(deep.asks), max(deep.asks)) == (150, 1_150)
    best = shown(deep, Market("SOL-PERP"))
    assert best.market == "SOL-PERP"
    assert best.bids == tuple((1_000 - n, n + 1) for n in range(BOOK_DEPTH_MAX))
    assert best.asks == tuple((1_001 + n, n + 1) for n in range(BOOK_DEPTH_MAX))


levels = st.lists(st.tuples(st.integers(1, 60), st.integers(0, 3)), max_size=6)


@given(st.lists(st.tuples(levels, levels), max_size=20))
def test_a_followed_book_is_what_its_changes_add_up_to_and_never_crossed(changes):
    current, bids, asks = BASE, dict(BASE.bids), dict(BASE.asks)
    for more_bids, more_asks in changes:
        after = follow(current, change(more_bids, more_asks, first_seq=current.seq + 1))
        expected_bids = {p: s for p, s in (bids | dict(more_bids)).items() if s}
        expected_asks = {p: s for p, s in (asks | dict(more_asks)).items() if s}
        if expected_bids and expected_asks and max(expected_bids) >= min(expected_asks):
            assert after is BookFault.CROSSED
            continue
        assert isinstance(after, OrderBook)
        assert (after.bids, after.asks) == (expected_bids, expected_asks)
        current, bids, asks = after, expected_bids, expected_asks
