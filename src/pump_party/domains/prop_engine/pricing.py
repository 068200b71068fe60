"""Price a market order: on the order book where the rules say so and a fresh one exists, else on the ladder.

Execution model, section 6. Both give a `SpotFill`; the checks before and after are the same.
"""

import msgspec

from pump_party.domains.marketdata.contract import Book, Quote
from pump_party.domains.prop_engine.book import BookFill, ConsumedDepth, affordable_nanos, walk_book
from pump_party.domains.prop_engine.execution import (
    check_order,
    check_price,
    check_result,
    decayed_pressure,
    price_spot,
    rest_at,
)
from pump_party.domains.prop_engine.model import MarketOrder, Pressure, SpotFill, SpotParams
from pump_party.domains.prop_interface.contract import RejectCode, Side
from pump_party.kernel.money import PPM


class Prices(msgspec.Struct, frozen=True, gc=False):
    """What an order is priced by at one moment. Without a book it walks the synthetic ladder around the mid."""

    quote: Quote
    book: Book | None = None


def price_order(
    order: MarketOrder,
    prices: Prices,
    *,
    pressure: Pressure,
    consumed: ConsumedDepth,
    params: SpotParams,
    fill_ms: int,
) -> SpotFill | RejectCode:
    """Price the whole order, or say why not; checks as in `price_spot`, then PRICE_DIVERGENCE, INSUFFICIENT_DEPTH."""
    quote, book = prices.quote, prices.book
    if book is None:
        return price_spot(
            order,
            mid_e8=quote.mid_e8,
            conf_e8=quote.conf_e8,
            publish_ms=quote.publish_ms,
            pressure=pressure,
            params=params,
            fill_ms=fill_ms,
        )
    refused = check_order(order, params) or check_price(
        mid_e8=quote.mid_e8, conf_e8=quote.conf_e8, publish_ms=quote.publish_ms, params=params, fill_ms=fill_ms
    )
    if refused is not None:
        return refused
    quantity_nanos = _quantity(order, book, consumed, params)
    if isinstance(quantity_nanos, RejectCode):
        return quantity_nanos
    walked = walk_book(
        book,
        side=order.side,
        quantity_nanos=quantity_nanos,
        oracle_mid_e8=quote.mid_e8,
        taker_fee_ppm=params.taker_fee_ppm,
        consumed=consumed,
    )
    if isinstance(walked, RejectCode):
        return walked
    fill = _as_fill(walked, book, decayed_pressure(pressure, params, fill_ms=fill_ms))
    return check_result(fill, order, mid_e8=quote.mid_e8, params=params) or fill


def _as_fill(walked: BookFill, book: Book, pressure_micros: int) -> SpotFill:
    """Half the book's spread, and the way from its best level to the average, stand for spread and impact."""
    buys = walked.side is Side.BUY
    best_e8 = (book.asks if buys else book.bids)[0][0]
    return SpotFill(
        walked.side,
        walked.quantity_nanos,
        walked.average_price_e8,
        abs(best_e8 - walked.mid_e8),
        abs(walked.average_price_e8 - best_e8),
        walked.gross_micros,
        walked.fee_micros,
        walked.cash_change_micros,
        walked.quantity_nanos if buys else -walked.quantity_nanos,
        pressure_micros,
        walked,
    )


def price_resting(
    order: MarketOrder,
    limit_e8: int,
    prices: Prices,
    *,
    pressure: Pressure,
    consumed: ConsumedDepth,
    params: SpotParams,
    fill_ms: int,
) -> SpotFill | None:
    """Fill a resting limit at its own price, once the whole order could be filled strictly better. Else None."""
    market = price_order(order, prices, pressure=pressure, consumed=consumed, params=params, fill_ms=fill_ms)
    return None if isinstance(market, RejectCode) else rest_at(market, limit_e8, params)


def fresh_book(book: Book | None, params: SpotParams, *, fill_ms: int) -> Book | None:
    """The book, unless its source has been silent for longer than a tick may be old."""
    return None if book is None or fill_ms - book.publish_ms > params.max_tick_age_ms else book


def _quantity(order: MarketOrder, book: Book, consumed: ConsumedDepth, params: SpotParams) -> int | RejectCode:
    if order.quantity_nanos is not None:
        return order.quantity_nanos
    assert order.quote_micros is not None
    budget_micros = order.quote_micros * PPM // (PPM + params.taker_fee_ppm)
    affordable = affordable_nanos(book, budget_micros=budget_micros, consumed=consumed)
    if affordable is None:
        return RejectCode.INSUFFICIENT_DEPTH
    return affordable // params.lot_nanos * params.lot_nanos or RejectCode.MIN_NOTIONAL
