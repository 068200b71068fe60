"""Markets, candles and sources on the wire."""

import msgspec

from pump_party.domains.marketdata.contract import (
    UNIT_SCALE,
    Book,
    Candle,
    FeatureReading,
    FeatureUnit,
    HaltReason,
    MarketKind,
    MarketSnapshot,
    MarketState,
    MarketView,
    SourceHealth,
    unit_of,
)
from pump_party.domains.marketdata.contract import PerpContext as ContextView
from pump_party.kernel.money import format_decimal, format_e8, format_nanos


class PerpContext(msgspec.Struct, frozen=True):
    """What the venue says of its own perpetual. `premium` and `funding_1h` are fractions of the price.

    Of a tape that has settled rates only these are known.
    """

    premium: str | None
    funding_1h: str
    open_interest: str | None
    oracle_price: str | None
    mark_price: str | None
    at_ms: int
    source: str


class Market(msgspec.Struct, frozen=True):
    """A market and its current price. `chart_ms` is tape time when the price is replayed, else `publish_ms`.

    `lag_ms` and `lag_p99_ms` are how far the oracle runs behind the exchange, `contest_eligible` whether the latency of
    orders covers that; null while it is not measured. `context` is a perpetual's, null while its venue says nothing.
    """

    market: str
    kind: MarketKind
    base: str
    quote: str
    state: MarketState
    halt_reason: HaltReason | None
    price: str | None
    confidence: str | None
    age_ms: int | None
    publish_ms: int | None
    chart_ms: int | None
    source: str | None
    feed: str | None
    tape_ms: int | None
    tick: str
    lot: str
    price_decimals: int
    quantity_decimals: int
    change_24h_ppm: int | None
    lag_ms: int | None
    lag_p99_ms: int | None
    contest_eligible: bool | None
    context: PerpContext | None


class Markets(msgspec.Struct, frozen=True):
    items: list[Market]


class CandleItem(msgspec.Struct, frozen=True):
    """`ticks` is how many prices came in; 0 for a candle that the venue told of the time before."""

    open_ms: int
    open: str
    high: str
    low: str
    close: str
    ticks: int
    complete: bool


class Candles(msgspec.Struct, frozen=True):
    """Newest first."""

    items: list[CandleItem]


class BookLevel(msgspec.Struct, frozen=True):
    price: str
    size: str


class OrderBook(msgspec.Struct, frozen=True):
    """Best levels first. `seq` grows with every change; `sha256` is that of the payload that changed the book last."""

    market: str
    bids: list[BookLevel]
    asks: list[BookLevel]
    seq: int
    publish_ms: int
    recv_ms: int
    age_ms: int
    source: str
    sha256: str


class FeatureItem(msgspec.Struct, frozen=True):
    """`previous` is the value one complete bar (or sample) earlier. Ratios are fractions, an index is 0 to 100."""

    feature: str
    unit: FeatureUnit
    value: str | None
    previous: str | None


class Features(msgspec.Struct, frozen=True):
    """A market as of `as_of_ms`, in chart time; `tick_sha256` is what proves the price."""

    market: str
    as_of_ms: int
    price: str
    confidence: str
    publish_ms: int
    feed: str
    tick_sha256: str
    items: list[FeatureItem]


class Sources(msgspec.Struct, frozen=True):
    feed: str
    sources: list[SourceHealth]


def render_market(view: MarketView) -> Market:
    asset, quote = view.asset, view.quote
    return Market(
        market=asset.market,
        kind=asset.kind,
        base=asset.base,
        quote=asset.quote,
        state=view.state,
        halt_reason=view.halt_reason,
        price=None if quote is None else format_e8(quote.mid_e8),
        confidence=None if quote is None else format_e8(quote.conf_e8),
        age_ms=view.age_ms,
        publish_ms=None if quote is None else quote.publish_ms,
        chart_ms=None if quote is None else quote.chart_ms(),
        source=None if quote is None else quote.source,
        feed=None if quote is None else quote.feed,
        tape_ms=None if quote is None else quote.tape_ms,
        tick=format_e8(asset.tick_e8),
        lot=format_nanos(asset.lot_nanos),
        price_decimals=asset.price_decimals,
        quantity_decimals=asset.quantity_decimals,
        change_24h_ppm=view.change_24h_ppm,
        lag_ms=None if view.lag is None else view.lag.lag_ms,
        lag_p99_ms=None if view.lag is None else view.lag.lag_p99_ms,
        contest_eligible=view.contest_eligible,
        context=None if view.context is None else _context(view.context),
    )


def _context(context: ContextView) -> PerpContext:
    # Nine decimals, as those of an amount.
    return PerpContext(
        premium=None if context.premium_ppb is None else format_nanos(context.premium_ppb),
        funding_1h=format_nanos(context.funding_1h_ppb),
        open_interest=None if context.open_interest_nanos is None else format_nanos(context.open_interest_nanos),
        oracle_price=None if context.oracle_e8 is None else format_e8(context.oracle_e8),
        mark_price=None if context.mark_e8 is None else format_e8(context.mark_e8),
        at_ms=context.recv_ms,
        source=context.source,
    )


def render_book(book: Book, *, now_ms: int) -> OrderBook:
    return OrderBook(
        market=book.market,
        bids=[BookLevel(format_e8(price_e8), format_nanos(size_nanos)) for price_e8, size_nanos in book.bids],
        asks=[BookLevel(format_e8(price_e8), format_nanos(size_nanos)) for price_e8, size_nanos in book.asks],
        seq=book.seq,
        publish_ms=book.publish_ms,
        recv_ms=book.recv_ms,
        age_ms=book.age_ms(now_ms),
        source=book.source,
        sha256=book.sha256,
    )


def render_features(snapshot: MarketSnapshot) -> Features:
    return Features(
        market=snapshot.market,
        as_of_ms=snapshot.as_of_ms,
        price=format_e8(snapshot.mid_e8),
        confidence=format_e8(snapshot.conf_e8),
        publish_ms=snapshot.publish_ms,
        feed=snapshot.feed,
        tick_sha256=snapshot.tick_sha256,
        items=[_render_reading(reading) for reading in snapshot.readings],
    )


def _render_reading(reading: FeatureReading) -> FeatureItem:
    unit = unit_of(reading.feature.name)
    decimals = len(str(UNIT_SCALE[unit])) - 1
    value, previous = (
        None if number is None else format_decimal(number, decimals) for number in (reading.value, reading.previous)
    )
    return FeatureItem(feature=reading.feature.key, unit=unit, value=value, previous=previous)


def render_candle(candle: Candle) -> CandleItem:
    return CandleItem(
        open_ms=candle.open_ms,
        open=format_e8(candle.open_e8),
        high=format_e8(candle.high_e8),
        low=format_e8(candle.low_e8),
        close=format_e8(candle.close_e8),
        ticks=candle.ticks,
        complete=candle.complete,
    )
