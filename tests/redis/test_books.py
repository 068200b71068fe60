import pytest
from tests.conftest import START_MS

from pump_party.domains.marketdata.contract import BOOK_DEPTH_MAX, Book, BooksWriter
from pump_party.kernel.errors import Unavailable
from pump_party.kernel.ids import Market
from pump_party.kernel.money import INT64_MAX
from pump_party.redis.books import RedisBooks

SOL, BTC, ETH = Market("SOL-USDC"), Market("BTC-USDC"), Market("ETH-USDC")


def book(market: Market, seq: int, depth: int = 2) -> Book:
    bids = tuple((10**15 - n, INT64_MAX - n) for n in range(depth))
    asks = tuple((10**15 + 1 + n, n + 1) for n in range(depth))
    return Book(market, bids, asks, seq, START_MS, START_MS + 5, "binance", "ab" * 32)


def test_the_latest_book_of_each_market_is_read_back_whole(books: BooksWriter) -> None:
    deep = book(SOL, 9, BOOK_DEPTH_MAX)
    books.put([book(SOL, 8), book(BTC, 1)])
    books.put([deep])

    assert books.latest([SOL, ETH, BTC]) == {SOL: deep, BTC: book(BTC, 1)}


def test_a_market_without_a_book_is_absent(books: BooksWriter) -> None:
    books.put([])
    assert books.latest([SOL]) == {}
    assert books.latest([]) == {}


def test_a_cache_that_is_away_is_unavailable_and_not_an_empty_book() -> None:
    with pytest.raises(Unavailable) as refusal:
        RedisBooks("redis://127.0.0.1:1/0").latest([SOL])
    assert refusal.value.code == "cache_unavailable"
