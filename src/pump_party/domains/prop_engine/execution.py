"""Decide what a market order does to an account: execution model `spot-v1`, oracle mode (section 6.1).

Pure and integer only: the same inputs give the same fill on every machine. Every rounding goes against the trader.
"""

from msgspec.structs import replace

from pump_party.domains.prop_engine.model import MarketOrder, Pressure, SpotFill, SpotParams
from pump_party.domains.prop_interface.contract import RejectCode, Side
from pump_party.kernel.money import NOTIONAL_DIVISOR, PPM, ceil_div

BASIS_POINTS = 10**4


def price_spot(
    order: MarketOrder,
    *,
    mid_e8: int,
    conf_e8: int,
    publish_ms: int,
    pressure: Pressure,
    params: SpotParams,
    fill_ms: int,
) -> SpotFill | RejectCode:
    """Price the whole order on one tick, or say why not.

    Checks in this order: BAD_REQUEST, LOT_SIZE, PRICE_STALE, PRICE_UNCERTAIN, MIN_NOTIONAL, MAX_NOTIONAL,
    SLIPPAGE_LIMIT. Whether the account can pay is `check_funds`.
    """
    refused = check_order(order, params) or check_price(
        mid_e8=mid_e8, conf_e8=conf_e8, publish_ms=publish_ms, params=params, fill_ms=fill_ms
    )
    if refused is not None:
        return refused

    half_spread_e8 = max(
        ceil_div(conf_e8 * params.conf_mult_ppm, PPM), ceil_div(mid_e8 * params.min_half_spread_ppm, PPM)
    )
    used_micros = decayed_pressure(pressure, params, fill_ms=fill_ms)
    notional_micros = _notional_before_impact(order, mid_e8, half_spread_e8, params)
    impact_e8 = ceil_div(mid_e8 * (2 * used_micros + notional_micros), 2 * params.depth_per_bp_micros * BASIS_POINTS)
    fill = _fill_at(order, mid_e8, half_spread_e8, impact_e8, notional_micros, used_micros, params)
    return check_result(fill, order, mid_e8=mid_e8, params=params) or fill


def check_price(*, mid_e8: int, conf_e8: int, publish_ms: int, params: SpotParams, fill_ms: int) -> RejectCode | None:
    """Refuse a price that is too old or too uncertain to fill on."""
    if fill_ms - publish_ms > params.max_tick_age_ms:
        return RejectCode.PRICE_STALE
    return RejectCode.PRICE_UNCERTAIN if conf_e8 * PPM > params.max_conf_ppm * mid_e8 else None


def check_result(fill: SpotFill, order: MarketOrder, *, mid_e8: int, params: SpotParams) -> RejectCode | None:
    """Refuse a fill that is too small, too large, or too far from the mid."""
    if fill.gross_micros < params.min_notional_micros:
        return RejectCode.MIN_NOTIONAL
    if fill.gross_micros > params.max_notional_micros:
        return RejectCode.MAX_NOTIONAL
    limit_ppm = params.max_slippage_ppm
    if order.max_slippage_ppm is not None:
        limit_ppm = min(limit_ppm, order.max_slippage_ppm)
    return RejectCode.SLIPPAGE_LIMIT if abs(fill.price_e8 - mid_e8) * PPM > limit_ppm * mid_e8 else None


def price_limit(
    order: MarketOrder,
    limit_e8: int,
    *,
    mid_e8: int,
    conf_e8: int,
    publish_ms: int,
    pressure: Pressure,
    params: SpotParams,
    fill_ms: int,
) -> SpotFill | None:
    """A resting limit on the ladder: `rest_at` the price of a market order of its size."""
    market = price_spot(
        order,
        mid_e8=mid_e8,
        conf_e8=conf_e8,
        publish_ms=publish_ms,
        pressure=pressure,
        params=params,
        fill_ms=fill_ms,
    )
    return None if isinstance(market, RejectCode) else rest_at(market, limit_e8, params)


def rest_at(market: SpotFill, limit_e8: int, params: SpotParams) -> SpotFill | None:
    """Fill a resting limit at its own price, once the whole order could be filled strictly better. Else None.

    "Strictly" is the rule that a market must trade through a limit: at the price itself others queue before you. Size
    counts: spread, impact and tick rounding are those of a market order of this size. A book's depth stays consumed.
    """
    through = market.price_e8 < limit_e8 if market.side is Side.BUY else market.price_e8 > limit_e8
    if not through:
        return None
    used_micros = market.pressure_after_micros - (market.gross_micros if market.book is None else 0)
    rested = _filled(
        market.side, market.quantity_nanos, limit_e8, market.half_spread_e8, market.impact_e8, used_micros, params
    )
    if market.book is None:
        return rested
    return replace(rested, book=market.book, pressure_after_micros=market.pressure_after_micros)


def is_within(fill: SpotFill, limit_e8: int) -> bool:
    """Whether a price is no worse than the limit."""
    return fill.price_e8 <= limit_e8 if fill.side is Side.BUY else fill.price_e8 >= limit_e8


def check_funds(fill: SpotFill, *, cash_micros: int, held_nanos: int) -> RejectCode | None:
    """Refuse a fill the account cannot pay for or deliver."""
    if cash_micros + fill.cash_change_micros < 0:
        return RejectCode.INSUFFICIENT_FUNDS
    if held_nanos + fill.held_change_nanos < 0:
        return RejectCode.INSUFFICIENT_POSITION
    return None


def decayed_pressure(pressure: Pressure, params: SpotParams, *, fill_ms: int) -> int:
    """What is left of earlier orders' pressure: depth recovers at a constant rate."""
    elapsed_ms = max(0, fill_ms - pressure.at_ms)
    return max(0, pressure.micros - params.recovery_per_s_micros * elapsed_ms // 1000)


def check_order(order: MarketOrder, params: SpotParams) -> RejectCode | None:
    """Refuse an order that no price could fill."""
    if (order.quantity_nanos is None) == (order.quote_micros is None):
        return RejectCode.BAD_REQUEST
    if order.quantity_nanos is None:
        assert order.quote_micros is not None
        # A sale sized in quote would need the price before the price is known.
        return RejectCode.BAD_REQUEST if order.side is Side.SELL or order.quote_micros <= 0 else None
    if order.quantity_nanos <= 0:
        return RejectCode.BAD_REQUEST
    return RejectCode.LOT_SIZE if order.quantity_nanos % params.lot_nanos else None


def _notional_before_impact(order: MarketOrder, mid_e8: int, half_spread_e8: int, params: SpotParams) -> int:
    """The size that walks the ladder: the budget less its fee, or the quantity at the touch."""
    if order.quantity_nanos is None:
        assert order.quote_micros is not None
        return order.quote_micros * PPM // (PPM + params.taker_fee_ppm)
    touch_e8 = mid_e8 + half_spread_e8 if order.side is Side.BUY else mid_e8 - half_spread_e8
    return ceil_div(order.quantity_nanos * touch_e8, NOTIONAL_DIVISOR)


def _fill_at(
    order: MarketOrder,
    mid_e8: int,
    half_spread_e8: int,
    impact_e8: int,
    notional_micros: int,
    used_micros: int,
    params: SpotParams,
) -> SpotFill:
    tick_e8 = params.tick_e8
    away_e8 = half_spread_e8 + impact_e8
    buys = order.side is Side.BUY
    # The worse side of the tick for the trader. A sale can never be priced below zero.
    price_e8 = (
        ceil_div(mid_e8 + away_e8, tick_e8) * tick_e8 if buys else max(0, (mid_e8 - away_e8) // tick_e8 * tick_e8)
    )
    quantity_nanos = order.quantity_nanos
    if quantity_nanos is None:
        quantity_nanos = notional_micros * NOTIONAL_DIVISOR // price_e8 // params.lot_nanos * params.lot_nanos
    return _filled(order.side, quantity_nanos, price_e8, half_spread_e8, impact_e8, used_micros, params)


def _filled(
    side: Side,
    quantity_nanos: int,
    price_e8: int,
    half_spread_e8: int,
    impact_e8: int,
    used_micros: int,
    params: SpotParams,
) -> SpotFill:
    buys = side is Side.BUY
    product = quantity_nanos * price_e8
    gross_micros = ceil_div(product, NOTIONAL_DIVISOR) if buys else product // NOTIONAL_DIVISOR
    fee_micros = ceil_div(gross_micros * params.taker_fee_ppm, PPM)
    return SpotFill(
        side,
        quantity_nanos,
        price_e8,
        half_spread_e8,
        impact_e8,
        gross_micros,
        fee_micros,
        -(gross_micros + fee_micros) if buys else gross_micros - fee_micros,
        quantity_nanos if buys else -quantity_nanos,
        used_micros + gross_micros,
    )
