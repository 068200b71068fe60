"""Markets, prices, candles."""

from litestar import get
from litestar.types import Scope

from pump_party.apps.api.auth import Access
from pump_party.apps.api.calls import call_of
from pump_party.apps.api.parameters import (
    BOOK_DEPTH_DEFAULT,
    CANDLES_DEFAULT,
    BeforeMs,
    BookDepth,
    CandleLimit,
    Interval,
    PathText,
    access,
)
from pump_party.apps.api.schemas.marketdata import (
    Candles,
    Market,
    Markets,
    OrderBook,
    render_book,
    render_candle,
    render_market,
)


@get("/v1/markets", opt=access(Access.PUBLIC), tags=["markets"])
async def list_markets(scope: Scope) -> Markets:
    call = call_of(scope)
    return Markets([render_market(view) for view in await call.run(call.services.market_data.markets)])


@get("/v1/markets/{market:str}", opt=access(Access.PUBLIC), tags=["markets"])
async def read_market(scope: Scope, market: PathText) -> Market:
    """State and current price of a market."""
    call = call_of(scope)
    return render_market(await call.run(call.services.market_data.market, market))


@get("/v1/markets/{market:str}/book", opt=access(Access.PUBLIC), tags=["markets"])
async def read_book(scope: Scope, market: PathText, depth: BookDepth = BOOK_DEPTH_DEFAULT) -> OrderBook:
    """The newest order book of a market that a source has shown. Look at its age."""
    call = call_of(scope)
    book = await call.run(call.services.market_data.book, market, depth=depth)
    return render_book(book, now_ms=call.services.clock.now_ms())


@get("/v1/markets/{market:str}/candles", opt=access(Access.PUBLIC), tags=["markets"])
async def list_candles(
    scope: Scope,
    market: PathText,
    interval: Interval,
    before_ms: BeforeMs = None,
    limit: CandleLimit = CANDLES_DEFAULT,
) -> Candles:
    """Candles, newest first. The newest may still be forming."""
    call = call_of(scope)
    candles = await call.run(call.services.market_data.candles, market, interval, before_ms=before_ms, limit=limit)
    return Candles([render_candle(candle) for candle in candles])
