import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pump_party.domains.marketdata.contract import Book, Level
from pump_party.domains.prop_engine.book import (
    NOTHING_CONSUMED,
    BookFill,
    BookRules,
    ConsumedDepth,
    mid_of,
    still_consumed,
    walk_book,
)
from pump_party.domains.prop_interface.contract import RejectCode, Side
from pump_party.kernel.ids import Market
from pump_party.kernel.money import NANOS, PPM

FEE_PPM = 700
SOL = Market("SOL-USDC")


def book(bids: tuple[Level, ...], asks: tuple[Level, ...], *, seq: int = 1) -> Book:
    return Book(SOL, bids, asks, seq, 0, 0, "test", "ab" * 32)


def sol(*levels: tuple[str, float]) -> tuple[Level, ...]:
    return tuple((round(float(price) * 10**8), round(size * NANOS)) for price, size in levels)


BIDS = sol(("150.23", 50), ("150.22", 90))
ASKS = sol(("150.24", 40), ("150.25", 80), ("150.27", 200))


def walk(
    of: Book, side: Side, quantity: float, consumed: ConsumedDepth = NOTHING_CONSUMED, oracle_mid_e8: int | None = None
) -> BookFill | RejectCode:
    mid_e8 = mid_of(of) if oracle_mid_e8 is None else oracle_mid_e8
    return walk_book(
        of,
        side=side,
        quantity_nanos=round(quantity * NANOS),
        oracle_mid_e8=15_023_500_000 if mid_e8 is None else mid_e8,
        taker_fee_ppm=FEE_PPM,
        consumed=consumed,
    )


def legs_of(fill: BookFill | RejectCode) -> list[tuple[float, float]]:
    assert isinstance(fill, BookFill)
    return [(price / 10**8, size / NANOS) for price, size in fill.legs]


def test_the_vectors_are_reproduced(recorded_data):
    vectors = json.loads((recorded_data / "spec/vectors.json").read_text())
    params = vectors["params"]["spot"]
    rules = BookRules(params["l2_participation_ppm"], params["l2_divergence_ppm"])
    assert len(vectors["l2"]) >= 3
    for case in vectors["l2"]:
        levels = tuple(map(tuple, case["levels"]))
        best_e8 = levels[0][0]
        buys = case["side"] == "BUY"
        other = ((best_e8 - params["tick_e8"], NANOS),) if buys else ((best_e8 + params["tick_e8"], NANOS),)
        shown = book(other, levels) if buys else book(levels, other)
        fill = walk_book(
            shown,
            side=Side.BUY if buys else Side.SELL,
            quantity_nanos=case["qty"],
            oracle_mid_e8=best_e8,
            taker_fee_ppm=params["taker_fee_ppm"],
            rules=rules,
        )
        expected = case["out"]
        if "reject" in expected:
            assert fill == RejectCode(expected["reject"]), case["name"]
            continue
        assert isinstance(fill, BookFill), case["name"]
        assert {
            "side": fill.side.name,
            "qty": fill.quantity_nanos,
            "legs": [list(leg) for leg in fill.legs],
            "avg_px_e8": fill.average_price_e8,
            "gross": fill.gross_micros,
            "fee": fill.fee_micros,
            "dcash": fill.cash_change_micros,
        } == expected, case["name"]


def test_half_of_the_shown_depth_is_there_and_no_more():
    assert legs_of(walk(book(BIDS, ASKS), Side.BUY, 160)) == [(150.24, 20), (150.25, 40), (150.27, 100)]
    assert walk(book(BIDS, ASKS), Side.BUY, 160.000000001) is RejectCode.INSUFFICIENT_DEPTH


def test_a_book_without_a_side_has_no_depth():
    assert walk(book((), ASKS), Side.BUY, 1) is RejectCode.INSUFFICIENT_DEPTH
    assert walk(book(BIDS, ()), Side.SELL, 1) is RejectCode.INSUFFICIENT_DEPTH


def test_a_book_more_than_one_percent_from_the_oracle_is_not_traded_on():
    shown = book(sol(("149", 10)), sol(("151", 10)))
    # oracle | outcome: the limit is one percent of the oracle's mid, inclusive
    for oracle, diverges in (("148.51485149", False), ("148.51485148", True), ("148.6", False), ("151.6", True)):
        outcome = walk(shown, Side.BUY, 1, oracle_mid_e8=round(float(oracle) * 10**8))
        assert (outcome is RejectCode.PRICE_DIVERGENCE) == diverges, oracle
    exactly = book(sol(("100.5", 10)), sol(("101.5", 10)))
    assert isinstance(walk(exactly, Side.BUY, 1, oracle_mid_e8=100 * 10**8), BookFill)
    assert walk(exactly, Side.BUY, 1, oracle_mid_e8=100 * 10**8 - 1) is RejectCode.PRICE_DIVERGENCE


def test_what_was_taken_is_gone_until_another_snapshot_shows_another_size():
    first = walk(book(BIDS, ASKS, seq=1), Side.BUY, 30)
    assert legs_of(first) == [(150.24, 20), (150.25, 10)]
    taken = first.consumed_after

    # the same snapshot, and a new one with the same sizes: still gone
    for seq in (1, 2):
        again = walk(book(BIDS, ASKS, seq=seq), Side.BUY, 30, taken)
        assert legs_of(again) == [(150.25, 30)]
    # another size at the first level under the same number: still gone
    bigger = sol(("150.24", 60), ("150.25", 80), ("150.27", 200))
    assert legs_of(walk(book(BIDS, bigger, seq=1), Side.BUY, 30, taken))[0] == (150.24, 10)
    # another number and another size: that level is back, the other one is not
    assert legs_of(walk(book(BIDS, bigger, seq=2), Side.BUY, 70, taken)) == [(150.24, 30), (150.25, 30), (150.27, 10)]
    # a level that vanished and came back with its old size is a new level
    without = still_consumed(taken, book(BIDS, ASKS[1:], seq=2))
    assert legs_of(walk(book(BIDS, ASKS, seq=3), Side.BUY, 30, without)) == [(150.24, 20), (150.25, 10)]


def test_sides_are_consumed_apart():
    bought = walk(book(BIDS, ASKS), Side.BUY, 60)
    sold = walk(book(BIDS, ASKS), Side.SELL, 60, bought.consumed_after)
    assert legs_of(sold) == [(150.23, 25), (150.22, 35)]
    assert walk(book(BIDS, ASKS), Side.SELL, 60, sold.consumed_after) is RejectCode.INSUFFICIENT_DEPTH
    assert isinstance(walk(book(BIDS, ASKS), Side.BUY, 60, sold.consumed_after), BookFill)


sizes = st.integers(1, 10**12)


@given(
    st.lists(sizes, min_size=1, max_size=8),
    st.lists(st.integers(1, 10**12), min_size=1, max_size=6),
    st.sampled_from(Side),
)
def test_pieces_never_take_more_than_half_of_a_level_and_never_pay_less_than_the_whole(level_sizes, pieces, side):
    mid_e8 = 15_000_000_000
    asks = tuple((mid_e8 + 1 + n, size) for n, size in enumerate(level_sizes))
    bids = tuple((mid_e8 - 1 - n, size) for n, size in enumerate(level_sizes))
    shown = book(bids, asks)
    consumed, cash_micros, filled_nanos = NOTHING_CONSUMED, 0, 0
    for piece in pieces:
        fill = walk_book(
            shown, side=side, quantity_nanos=piece, oracle_mid_e8=mid_e8, taker_fee_ppm=FEE_PPM, consumed=consumed
        )
        if isinstance(fill, BookFill):
            assert sum(size for _, size in fill.legs) == piece
            consumed, cash_micros, filled_nanos = (
                fill.consumed_after,
                cash_micros + fill.cash_change_micros,
                filled_nanos + piece,
            )
    shown_sizes = dict(asks if side is Side.BUY else bids)
    assert all(level.taken_nanos <= shown_sizes[level.price_e8] * 500_000 // PPM for level in consumed.levels)
    assert sum(level.taken_nanos for level in consumed.levels) == filled_nanos
    assert len(consumed.levels) <= len(level_sizes)
    if filled_nanos:
        whole = walk_book(shown, side=side, quantity_nanos=filled_nanos, oracle_mid_e8=mid_e8, taker_fee_ppm=FEE_PPM)
        assert isinstance(whole, BookFill)
        assert cash_micros <= whole.cash_change_micros


@pytest.mark.parametrize("side", Side)
def test_a_fill_rounds_against_the_account(side):
    thin = book(((100_000_001, 3),), ((100_000_003, 7),))
    fill = walk_book(thin, side=side, quantity_nanos=1, oracle_mid_e8=100_000_002, taker_fee_ppm=FEE_PPM)
    assert isinstance(fill, BookFill)
    assert (fill.gross_micros, fill.fee_micros) == ((1, 1) if side is Side.BUY else (0, 0))
