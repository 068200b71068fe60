"""The newest order book of every market, as JSON in Redis."""

from collections.abc import Mapping, Sequence
from typing import cast

import msgspec

from pump_party.domains.marketdata.contract import Book
from pump_party.kernel.ids import Market
from pump_party.redis import keys
from pump_party.redis.client import open_client, unavailable_when_away

_encode = msgspec.json.encode
_decode = msgspec.json.Decoder(Book).decode


class RedisBooks:
    """Implements `marketdata.contract.BooksWriter`. Safe to call from threads."""

    def __init__(self, url: str) -> None:
        self._redis = open_client(url)

    def latest(self, markets: Sequence[Market]) -> Mapping[Market, Book]:
        if not markets:
            return {}
        with unavailable_when_away():
            found = cast("list[bytes | None]", self._redis.mget([keys.book(market) for market in markets]))
        return {market: _decode(text) for market, text in zip(markets, found, strict=True) if text is not None}

    def put(self, books: Sequence[Book]) -> None:
        if books:
            with unavailable_when_away():
                self._redis.mset({keys.book(book.market): _encode(book) for book in books})

    def close(self) -> None:
        self._redis.close()
