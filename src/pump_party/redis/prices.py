"""The current price of every market and the health of every source, as JSON in Redis."""

from collections.abc import Mapping, Sequence
from typing import cast

import msgspec

from pump_party.domains.marketdata.contract import MarketLag, PerpContext, Quote, SourceHealth
from pump_party.kernel.ids import Market
from pump_party.redis import keys
from pump_party.redis.client import open_client, unavailable_when_away

_encode = msgspec.json.encode
_decode_quote = msgspec.json.Decoder(Quote).decode
_decode_lag = msgspec.json.Decoder(MarketLag).decode
_decode_context = msgspec.json.Decoder(PerpContext).decode
_decode_health = msgspec.json.Decoder(SourceHealth).decode


class RedisQuotes:
    """Implements `marketdata.contract.QuotesWriter`. Safe to call from threads."""

    def __init__(self, url: str) -> None:
        self._redis = open_client(url)

    def latest(self, markets: Sequence[Market]) -> Mapping[Market, Quote]:
        """One round trip, whatever the number of markets: this is on the way of every order."""
        if not markets:
            return {}
        with unavailable_when_away():
            found = cast("list[bytes | None]", self._redis.mget([keys.quote(market) for market in markets]))
        return {market: _decode_quote(text) for market, text in zip(markets, found, strict=True) if text is not None}

    def put(self, quotes: Sequence[Quote]) -> None:
        if quotes:
            with unavailable_when_away():
                self._redis.mset({keys.quote(quote.market): _encode(quote) for quote in quotes})

    def put_health(self, health: Sequence[SourceHealth]) -> None:
        if health:
            with unavailable_when_away():
                self._redis.hset(keys.SOURCE_HEALTH, mapping={one.source: _encode(one) for one in health})

    def health(self) -> Sequence[SourceHealth]:
        with unavailable_when_away():
            found = cast("dict[bytes, bytes]", self._redis.hgetall(keys.SOURCE_HEALTH))
        return sorted((_decode_health(text) for text in found.values()), key=lambda one: one.source)

    def put_lags(self, lags: Sequence[MarketLag]) -> None:
        if lags:
            with unavailable_when_away():
                self._redis.hset(keys.MARKET_LAG, mapping={lag.market: _encode(lag) for lag in lags})

    def lags(self) -> Mapping[Market, MarketLag]:
        with unavailable_when_away():
            found = cast("dict[bytes, bytes]", self._redis.hgetall(keys.MARKET_LAG))
        return {lag.market: lag for lag in map(_decode_lag, found.values())}

    def put_contexts(self, contexts: Sequence[PerpContext]) -> None:
        if contexts:
            with unavailable_when_away():
                self._redis.hset(keys.PERP_CONTEXT, mapping={one.market: _encode(one) for one in contexts})

    def contexts(self) -> Mapping[Market, PerpContext]:
        with unavailable_when_away():
            found = cast("dict[bytes, bytes]", self._redis.hgetall(keys.PERP_CONTEXT))
        return {one.market: one for one in map(_decode_context, found.values())}

    def close(self) -> None:
        self._redis.close()
