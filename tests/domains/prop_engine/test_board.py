"""Arrays against Python's own integers."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pump_party.domains.prop_engine.board import BLOCK, QUANTITY_MAX, Board, Column, board_of, mark_to_market, top
from pump_party.domains.prop_engine.curve import MarkPrice
from pump_party.domains.prop_engine.valuation import Stake, worth_micros
from pump_party.kernel.ids import Market

MARKETS = [Market(f"{base}-PERP") for base in ("BNB", "BTC", "DOGE", "ETH", "SOL")]

mids = st.fixed_dictionaries({market: st.integers(1, 10**14) for market in MARKETS})
micros = st.integers(-(10**15), 10**15)


def quantities(largest: int) -> st.SearchStrategy[int]:
    near = [1, 2**25 - 1, 2**25, 2**25 + 1, 10**9, largest - 1, largest]
    return st.integers(-largest, largest).filter(bool) | st.sampled_from(near + [-n for n in near])


def stakes(largest: int) -> st.SearchStrategy[list[Stake]]:
    held = st.dictionaries(st.sampled_from(MARKETS), quantities(largest), max_size=3)
    return st.lists(st.builds(Stake, net_micros=micros, quantities=held), max_size=40)


def valued_one_by_one(accounts: list[Stake], prices: dict[Market, int]) -> list[int]:
    marks = {market: MarkPrice(mid_e8, 0) for market, mid_e8 in prices.items()}
    return [worth_micros(account, marks)[0] for account in accounts]


@given(accounts=stakes(QUANTITY_MAX - 1), prices=mids)
def test_every_account_is_worth_what_exact_integers_say(accounts: list[Stake], prices: dict[Market, int]) -> None:
    board = board_of(accounts)
    assert sorted(board.order) == list(range(len(accounts)))
    assert mark_to_market(board, prices).tolist() == valued_one_by_one([accounts[row] for row in board.order], prices)


@given(accounts=stakes(2**56), prices=st.fixed_dictionaries({market: st.integers(1, 10**12) for market in MARKETS}))
def test_quantities_beyond_both_halves_are_valued_exactly_too(accounts: list[Stake], prices: dict[Market, int]) -> None:
    board = board_of(accounts)
    assert mark_to_market(board, prices).tolist() == valued_one_by_one([accounts[row] for row in board.order], prices)


def test_columns_longer_than_a_block_are_valued_to_the_last_row() -> None:
    held = np.random.default_rng(3).integers(-(10**13), 10**13, 2 * BLOCK + 7)
    net = np.arange(len(held) + 5, dtype=np.int64)
    board = Board(net, [Column(MARKETS[0], 5, held)], range(len(net)))
    found = mark_to_market(board, {MARKETS[0]: 15_023_456_789})
    assert found[:5].tolist() == [0, 1, 2, 3, 4]
    assert found[5:].tolist() == [i + 5 + q * 15_023_456_789 // 10**11 for i, q in enumerate(held.tolist())]


def test_what_no_array_can_hold_is_not_valued_wrongly() -> None:
    board = board_of([Stake(0, {MARKETS[0]: 2**62})])
    with pytest.raises(AssertionError, match="more than an array can hold"):
        mark_to_market(board, {MARKETS[0]: 10**13})


@given(
    equities=st.lists(st.integers(-5, 5) | st.integers(-(10**18), 10**18), max_size=60),
    count=st.integers(1, 70),
    repeats=st.sampled_from([1, 700]),
)
def test_the_top_is_that_of_a_stable_sort(equities: list[int], count: int, repeats: int) -> None:
    values = equities * repeats
    expected = sorted(range(len(values)), key=lambda row: -values[row])[:count]
    assert top(np.array(values, dtype=np.int64), count).tolist() == expected
