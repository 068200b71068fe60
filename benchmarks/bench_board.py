"""Value a million accounts with three positions each and find the best hundred: exact integers, on one core.

Two worlds: every account holds the same three markets, or any three of six, which makes twenty groups of accounts.
Beside it: adding up the same arrays once, the least that anything reading them can take.
"""

import time
from collections.abc import Callable, Mapping
from itertools import combinations

import numpy as np

from benchmarks.report import AT_MOST, Row, Target
from pump_party.domains.prop_engine.board import Board, Column, mark_to_market, top
from pump_party.kernel.ids import Market
from pump_party.kernel.money import NOTIONAL_DIVISOR

ROUNDS = 9
BEST = 100
POSITIONS = 3
MILLION = 1_000_000
BUDGET_MS_PER_MILLION = 30
PROVEN = 1_000
"""Accounts valued once more with Python's own integers."""

MIDS = {
    Market("SOL-PERP"): 15_023_456_789,
    Market("BTC-PERP"): 10_912_345_000_000,
    Market("ETH-PERP"): 412_345_000_000,
    Market("BNB-PERP"): 98_765_400_000,
    Market("XRP-PERP"): 234_567_890,
    Market("DOGE-PERP"): 19_876_543,
}
NET_MICROS = (5_000_000_000, 15_000_000_000)
POSITION_MICROS = 4_000_000_000
"""Longs and shorts of up to this value."""


def run(*, quick: bool) -> list[Row]:
    rows = []
    for accounts in (MILLION,) if quick else (MILLION, 10 * MILLION):
        for name, markets in (("the same three markets", POSITIONS), ("any three of six", len(MIDS))):
            board = _board(accounts, list(MIDS)[:markets])
            _prove(board)
            valued, passed = [], []
            for _ in range(ROUNDS):
                valued.append(_milliseconds(lambda board=board: top(mark_to_market(board, MIDS), BEST)))
                passed.append(_milliseconds(lambda board=board: _read_once(board)))
            rows.append(
                Row(
                    name=f"{accounts:,} accounts, {name}: mark and best {BEST}",
                    unit="ms",
                    samples=tuple(valued),
                    peer_name="ms to add the arrays up",
                    peer_samples=tuple(passed),
                    target=Target(AT_MOST, BUDGET_MS_PER_MILLION * accounts / MILLION, of_ratio=False),
                )
            )
    return rows


def _board(accounts: int, markets: list[Market]) -> Board:
    """As `board_of` lays it out: accounts that hold the same three markets lie next to each other."""
    random = np.random.default_rng(1)
    columns = []
    groups = list(combinations(markets, POSITIONS))
    bounds = [accounts * number // len(groups) for number in range(len(groups) + 1)]
    for held, first, end in zip(groups, bounds, bounds[1:], strict=False):
        for market in held:
            most = POSITION_MICROS * NOTIONAL_DIVISOR // MIDS[market]
            columns.append(Column(market, first, random.integers(-most, most, end - first, dtype=np.int64)))
    return Board(random.integers(*NET_MICROS, accounts, dtype=np.int64), columns, range(accounts))


def _prove(board: Board) -> None:
    """A sample is exactly what Python's integers make of it, and the best are the best."""
    equity = mark_to_market(board, MIDS)
    expected = _expected(board, MIDS)
    if equity[:PROVEN].tolist() != expected:
        raise RuntimeError("the board differs from exact arithmetic")
    best = np.argsort(-equity, kind="stable")[:BEST]
    if top(equity, BEST).tolist() != best.tolist():
        raise RuntimeError(f"the best {BEST} are not the best")


def _expected(board: Board, mids: Mapping[Market, int]) -> list[int]:
    equity = board.net_micros[:PROVEN].tolist()
    for column in board.columns:
        for row, quantity in enumerate(column.quantities[:PROVEN].tolist(), start=column.first_row):
            if row < PROVEN:
                equity[row] += quantity * mids[column.market] // NOTIONAL_DIVISOR
    return equity


def _read_once(board: Board) -> int:
    return int(board.net_micros.sum()) + sum(int(column.quantities.sum()) for column in board.columns)


def _milliseconds(work: Callable[[], object]) -> float:
    started = time.perf_counter()
    work()
    return (time.perf_counter() - started) * 1000
