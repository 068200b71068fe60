"""Markets, prices, candles."""

from functools import partial

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
    FeatureAsOf,
    FeatureKeys,
    Interval,
    PathText,
    access,
)
from pump_party.apps.api.schemas.marketdata import (
    Candles,
    Features,
    Market,
    Markets,
    OrderBook,
    render_book,
    render_candle,
    render_features,
    render_market,
)
from pump_party.domains.marketdata.contract import CandleInterval, parse_feature
from pump_party.kernel.errors import NotFound
from pump_party.kernel.ids import Market as MarketName


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


@get("/v1/markets/{market:str}/features", opt=access(Access.PUBLIC), tags=["markets"])
async def read_features(scope: Scope, market: PathText, feature: FeatureKeys, as_of_ms: FeatureAsOf = None) -> Features:
    """What a clone may know of a market: indicators, funding, open interest, book imbalance, and nothing newer.

    Without `as_of_ms` as of the newest price. A number is null where history is too short or nothing was observed.
    """
    call = call_of(scope)
    features = [parse_feature(key) for key in feature]
    reading = partial(call.services.memory.snapshots, as_of_ms=as_of_ms, interval=CandleInterval.M1, candles=0)
    snapshots = await call.run(reading, {MarketName(market): features})
    if not snapshots:
        raise NotFound("the market has no price then", code="price_unknown", field="as_of_ms")
    return render_features(snapshots[MarketName(market)])
