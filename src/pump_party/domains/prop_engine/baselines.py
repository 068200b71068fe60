"""What no skill would have made of the same prices under the same fees: holding, and tossing a coin.

Orders are priced by the execution model like anyone's. Chance comes from a seed: the same seed trades the same.
"""

from bisect import bisect_left
from collections.abc import Iterable, Sequence
from hashlib import sha256
from itertools import pairwise

import msgspec

from pump_party.domains.prop_engine.curve import EquityMark
from pump_party.domains.prop_engine.execution import price_spot
from pump_party.domains.prop_engine.metrics import max_drawdown_ppm
from pump_party.domains.prop_engine.model import NO_PRESSURE, MarketOrder, SpotFill, SpotParams
from pump_party.domains.prop_engine.portfolio import value_micros
from pump_party.domains.prop_engine.results import return_ppm
from pump_party.domains.prop_interface.contract import Side
from pump_party.kernel.money import NOTIONAL_DIVISOR, PPM

TOSS_EVERY_MS = 6 * 3_600_000

TOSSERS = 20
"""How many toss a coin; the median of an even number is the lower one."""


class Price(msgspec.Struct, frozen=True):
    """One point of a series, oldest first."""

    at_ms: int
    mid_e8: int
    conf_e8: int


class Baseline(msgspec.Struct, frozen=True):
    """Equity at every price, then once more after everything was sold at the last one."""

    marks: tuple[EquityMark, ...]
    fills: int
    fees_micros: int
    return_ppm: int
    max_drawdown_ppm: int


class NoSkill(msgspec.Struct, frozen=True):
    """A series of prices and those who tossed coins along it: what no skill has made since any of its times."""

    prices: Sequence[Price]
    params: SpotParams
    start_micros: int
    tossers: Sequence[Baseline]

    def returns_ppm(self, started_ms: int) -> tuple[int, int] | None:
        """(holding, the median tosser) from the first price since then until all is sold; None without a price."""
        first = bisect_left(self.prices, started_ms, key=_at_ms)
        if first == len(self.prices):
            return None
        held = buy_and_hold((self.prices[first], self.prices[-1]), self.params, start_micros=self.start_micros)
        entered_micros = held.marks[0].equity_micros
        return held.return_ppm, median_ppm(self._begun_ppm(t, first, entered_micros) for t in self.tossers)

    def _begun_ppm(self, tosser: Baseline, first: int, entered_micros: int) -> int:
        """What he would have made had he begun at that price: who held by then would have had to buy first."""
        then, last = tosser.marks[first], tosser.marks[-1]
        left_micros = entered_micros if then.exposed_micros else self.start_micros
        return last.equity_micros * left_micros * PPM // (then.equity_micros * self.start_micros) - PPM


class _Book(msgspec.Struct, frozen=True):
    cash_micros: int
    held_nanos: int = 0
    fills: int = 0
    fees_micros: int = 0


class Tossed(msgspec.Struct, frozen=True):
    """What tossing coins came to. `books` are each from a price on, by its place; `sold` is after all was sold."""

    start_micros: int
    books: Sequence[tuple[int, _Book]]
    sold: _Book
    return_ppm: int

    def along(self, prices: Sequence[Price]) -> Baseline:
        """With marks at the prices it was made of."""
        marks = []
        for (first, book), (end, _) in pairwise([*self.books, (len(prices), self.sold)]):
            cash_micros, held_nanos = book.cash_micros, book.held_nanos
            for price in prices[first:end]:
                worth_micros = held_nanos * price.mid_e8 // NOTIONAL_DIVISOR
                marks.append(EquityMark(price.at_ms, cash_micros + worth_micros, worth_micros))
        return _finished(self.books[-1][1], self.sold, marks, prices, start_micros=self.start_micros)


def buy_and_hold(prices: Sequence[Price], params: SpotParams, *, start_micros: int) -> Baseline:
    """Everything into the market at the first price that fills, out at the last."""
    book, marks = _Book(start_micros), []
    for price in prices:
        if not book.held_nanos:
            book = _buy(book, price, params, quote_micros=book.cash_micros)
        marks.append(_mark(book, price))
    return _finished(book, _sell(book, prices[-1], params), marks, prices, start_micros=start_micros)


def toss_coins(
    prices: Sequence[Price],
    params: SpotParams,
    *,
    start_micros: int,
    seed: str,
    size_ppm: int = PPM,
    toss_every_ms: int = TOSS_EVERY_MS,
) -> Tossed:
    """Toss a coin at the first price of every period: hold `size_ppm` of the equity, or nothing."""
    book, books, place = _Book(start_micros), [], 0
    while place < len(prices):
        price = prices[place]
        period = price.at_ms // toss_every_ms
        wants = _coin(seed, period)
        if wants and not book.held_nanos:
            book = _buy(book, price, params, quote_micros=book.cash_micros * size_ppm // PPM)
        elif not wants:
            book = _sell(book, price, params)
        books.append((place, book))
        place = bisect_left(prices, (period + 1) * toss_every_ms, place + 1, key=_at_ms)
    sold = _sell(book, prices[-1], params)
    end_micros = _mark(sold, prices[-1]).equity_micros
    return Tossed(start_micros, books, sold, return_ppm(start_micros, end_micros))


def random_trader(prices: Sequence[Price], params: SpotParams, *, start_micros: int, seed: str) -> Baseline:
    """`toss_coins` with marks."""
    return toss_coins(prices, params, start_micros=start_micros, seed=seed).along(prices)


def no_skill(prices: Sequence[Price], params: SpotParams, *, start_micros: int) -> NoSkill:
    tossers = [random_trader(prices, params, start_micros=start_micros, seed=str(n)) for n in range(TOSSERS)]
    return NoSkill(prices, params, start_micros, tossers)


def median_ppm(returns_ppm: Iterable[int]) -> int:
    ordered = sorted(returns_ppm)
    return ordered[(len(ordered) - 1) // 2]


def _coin(seed: str, period: int) -> bool:
    return sha256(f"{seed}|{period}".encode()).digest()[0] % 2 == 1


def _buy(book: _Book, price: Price, params: SpotParams, *, quote_micros: int) -> _Book:
    return _trade(book, MarketOrder(Side.BUY, None, quote_micros, None), price, params)


def _sell(book: _Book, price: Price, params: SpotParams) -> _Book:
    if not book.held_nanos:
        return book
    return _trade(book, MarketOrder(Side.SELL, book.held_nanos, None, None), price, params)


def _trade(book: _Book, order: MarketOrder, price: Price, params: SpotParams) -> _Book:
    """The book after the order, or as it was when the execution model refuses."""
    fill = price_spot(
        order,
        mid_e8=price.mid_e8,
        conf_e8=price.conf_e8,
        publish_ms=price.at_ms,
        pressure=NO_PRESSURE,
        params=params,
        fill_ms=price.at_ms,
    )
    if not isinstance(fill, SpotFill):
        return book
    return _Book(
        book.cash_micros + fill.cash_change_micros,
        book.held_nanos + fill.held_change_nanos,
        book.fills + 1,
        book.fees_micros + fill.fee_micros,
    )


def _mark(book: _Book, price: Price) -> EquityMark:
    worth_micros = value_micros(book.held_nanos, price.mid_e8)
    return EquityMark(price.at_ms, book.cash_micros + worth_micros, worth_micros)


def _finished(
    book: _Book, sold: _Book, marks: list[EquityMark], prices: Sequence[Price], *, start_micros: int
) -> Baseline:
    assert prices, "a baseline needs a price"
    if book.held_nanos:
        # Where the last price may not fill, what is held stays at its mark.
        marks.append(_mark(sold, prices[-1]))
    equity = [start_micros, *[mark.equity_micros for mark in marks]]
    return Baseline(
        marks=tuple(marks),
        fills=sold.fills,
        fees_micros=sold.fees_micros,
        return_ppm=return_ppm(start_micros, equity[-1]),
        max_drawdown_ppm=max_drawdown_ppm(equity),
    )


def _at_ms(price: Price) -> int:
    return price.at_ms
