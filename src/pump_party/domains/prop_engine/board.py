"""Value all accounts at once and find the best: exact integers in arrays. Pure.

`quantity * price` needs up to 2^100 and an array holds 2^63, so a quantity is split into two halves and a price into
whole micros per half and a remainder below the divisor. With `q = h * 2^25 + l` and `2^25 * p = A * D + a`,
`p = B * D + b`:

    floor(q * p / D) = h * A + l * B + floor((h * a + l * b) / D)

where every product stays below 2^63 while `|q| < 2^50`, 1.1 million units. Larger ones are valued one by one.
"""

from collections.abc import Mapping, Sequence
from itertools import groupby

import msgspec
import numpy as np
import numpy.typing as npt

from pump_party.domains.prop_engine.portfolio import value_micros
from pump_party.domains.prop_engine.valuation import Stake
from pump_party.kernel.ids import Market
from pump_party.kernel.money import INT64_MAX, NOTIONAL_DIVISOR

Micros = npt.NDArray[np.int64]
Rows = npt.NDArray[np.int64]

LOW_BITS = 25
LOW_MASK = (1 << LOW_BITS) - 1
QUANTITY_MAX = 1 << (2 * LOW_BITS)

BLOCK = 16_384
"""Elements worked on at a time: all intermediate arrays stay in the processor's own cache."""


class Column(msgspec.Struct, frozen=True):
    """What consecutive rows of the board hold of a market: signed quantities."""

    market: Market
    first_row: int
    quantities: Micros


class Board(msgspec.Struct, frozen=True):
    """Accounts as `valuation.Stake` has them: one sum each, and what is held. `order` says whose each row is."""

    net_micros: Micros
    columns: Sequence[Column]
    order: Sequence[int]


def board_of(stakes: Sequence[Stake]) -> Board:
    """Put accounts that hold the same markets next to each other, so that every column is in one piece."""
    markets = [tuple(sorted(stake.quantities)) for stake in stakes]
    order = sorted(range(len(stakes)), key=markets.__getitem__)
    columns: list[Column] = []
    first = 0
    for held, rows in groupby(order, key=markets.__getitem__):
        group = list(rows)
        columns.extend(
            Column(market, first, np.array([stakes[row].quantities[market] for row in group], dtype=np.int64))
            for market in held
        )
        first += len(group)
    net = np.array([stakes[row].net_micros for row in order], dtype=np.int64)
    return Board(net, columns, order)


def mark_to_market(board: Board, mids: Mapping[Market, int]) -> Micros:
    """Equity of every row: `net + sum(floor(quantity * mid / divisor))`. Every market held needs a mid."""
    equity = board.net_micros.copy()
    scratch = np.empty((4, BLOCK), dtype=np.int64)
    for column in board.columns:
        mid_e8, quantities = mids[column.market], column.quantities
        value = _values if _fits(quantities, mid_e8) else _large_values
        for start in range(0, len(quantities), BLOCK):
            block = quantities[start : start + BLOCK]
            row = column.first_row + start
            equity[row : row + len(block)] += value(block, mid_e8, scratch)
    return equity


def top(equity_micros: Micros, count: int) -> Rows:
    """The rows of the highest equities, best first; of equals the lower row."""
    if count >= len(equity_micros):
        return _best_first(equity_micros)
    kept: Rows = np.empty(0, dtype=np.int64)
    floor_micros: int | None = None
    for start in range(0, len(equity_micros), BLOCK):
        block = equity_micros[start : start + BLOCK]
        found = np.arange(len(block)) if floor_micros is None else np.flatnonzero(block > floor_micros)
        if not len(found):
            continue
        kept = np.concatenate((kept, found + start))
        if len(kept) >= count:
            kept = np.sort(kept[_best_first(equity_micros[kept])[:count]])
            floor_micros = int(equity_micros[kept].min())
    best: Rows = kept[_best_first(equity_micros[kept])]
    return best


def _best_first(equity_micros: Micros) -> Rows:
    rows: Rows = np.argsort(-equity_micros, kind="stable")
    return rows


def _fits(quantities: Micros, mid_e8: int) -> bool:
    largest = max(int(quantities.max(initial=0)), -int(quantities.min(initial=0)))
    assert largest * mid_e8 // NOTIONAL_DIVISOR < INT64_MAX // 4, "worth more than an array can hold"
    return largest < QUANTITY_MAX


def _values(quantities: Micros, mid_e8: int, scratch: Micros) -> Micros:
    high_whole, high_rest = divmod(mid_e8 << LOW_BITS, NOTIONAL_DIVISOR)
    low_whole, low_rest = divmod(mid_e8, NOTIONAL_DIVISOR)
    high, low, part = (row[: len(quantities)] for row in scratch[1:])
    value: Micros = scratch[0, : len(quantities)]
    np.right_shift(quantities, LOW_BITS, out=high)
    np.bitwise_and(quantities, LOW_MASK, out=low)
    np.multiply(high, high_rest, out=value)
    value += np.multiply(low, low_rest, out=part)
    np.floor_divide(value, NOTIONAL_DIVISOR, out=value)
    value += np.multiply(high, high_whole, out=part)
    value += np.multiply(low, low_whole, out=part)
    return value


def _large_values(quantities: Micros, mid_e8: int, _scratch: Micros) -> Micros:
    return np.array([value_micros(quantity, mid_e8) for quantity in quantities.tolist()], dtype=np.int64)
