import pytest
from tests.conftest import START_MS

from pump_party.domains.marketdata.contract import (
    HaltReason,
    MarketLag,
    PerpContext,
    Quote,
    QuotesWriter,
    SourceHealth,
    SourceState,
)
from pump_party.kernel.errors import Unavailable
from pump_party.kernel.ids import Market
from pump_party.redis.prices import RedisQuotes

SOL, BTC, ETH = Market("SOL-USDC"), Market("BTC-USDC"), Market("ETH-USDC")


def quote(market: Market, mid_e8: int, **more: object) -> Quote:
    fixed = {"conf_e8": 1, "publish_ms": START_MS, "recv_ms": START_MS, "slot": 1, "source": "s", "tick_sha256": "ab"}
    return Quote(market=market, mid_e8=mid_e8, feed="tape", **(fixed | more))  # type: ignore[arg-type]


def health(source: str, admitted: int) -> SourceHealth:
    return SourceHealth(source, SourceState.LIVE, START_MS, 3, 60, admitted, 0, 0, None, START_MS)


def test_the_latest_quote_of_each_market_is_read_back_whole(quotes: QuotesWriter) -> None:
    sol = quote(SOL, 150_00000000, tape_ms=7, halt_reason=HaltReason.QUOTE_DEPEG)
    quotes.put([quote(SOL, 1), quote(BTC, 2)])
    quotes.put([sol])

    assert quotes.latest([SOL, ETH, BTC]) == {SOL: sol, BTC: quote(BTC, 2)}


def test_a_market_without_a_price_is_absent(quotes: QuotesWriter) -> None:
    assert quotes.latest([SOL]) == {}
    assert quotes.latest([]) == {}


def test_the_newest_health_of_each_source_is_read_back_by_name(quotes: QuotesWriter) -> None:
    assert list(quotes.health()) == []
    quotes.put_health([health("pyth", 1), health("binance", 2)])
    quotes.put_health([health("pyth", 9)])

    assert list(quotes.health()) == [health("binance", 2), health("pyth", 9)]


def test_the_newest_lag_of_each_market_is_read_back(quotes: QuotesWriter) -> None:
    assert quotes.lags() == {}
    quotes.put_lags([MarketLag(SOL, 400, 900, 6, START_MS), MarketLag(BTC, 100, 100, 9, START_MS)])
    quotes.put_lags([])
    quotes.put_lags([MarketLag(SOL, 500, 900, 7, START_MS + 1)])

    assert quotes.lags() == {
        SOL: MarketLag(SOL, 500, 900, 7, START_MS + 1),
        BTC: MarketLag(BTC, 100, 100, 9, START_MS),
    }


def test_the_newest_context_of_each_perpetual_is_read_back(quotes: QuotesWriter) -> None:
    def context(premium_ppb: int | None, recv_ms: int) -> PerpContext:
        return PerpContext(Market("SOL-PERP"), premium_ppb, -12_500, 10**12, 15 * 10**9, 15 * 10**9, recv_ms, "x", "ab")

    assert quotes.contexts() == {}
    quotes.put_contexts([context(-5, START_MS)])
    quotes.put_contexts([])
    quotes.put_contexts([context(None, START_MS + 1)])
    assert quotes.contexts() == {"SOL-PERP": context(None, START_MS + 1)}


def test_a_cache_that_is_away_is_unavailable_and_not_an_empty_market() -> None:
    with pytest.raises(Unavailable) as refusal:
        RedisQuotes("redis://127.0.0.1:1/0").latest([SOL])
    assert refusal.value.code == "cache_unavailable"
