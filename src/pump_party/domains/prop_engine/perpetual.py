"""What orders, hours and ticks do to a perpetual position: execution model `perp-v1` (section 8).

Pure and integer only. Orders walk the ladder of `execution.py`; what a fill then does to a position is decided here.
Every rounding goes against the trader, and no event ever takes more than the position's margin and free cash.
"""

from msgspec.structs import replace

from pump_party.domains.marketdata.contract import Quote
from pump_party.domains.prop_engine.margin import (
    below_maintenance,
    funding_cash_micros,
    initial_margin_micros,
    maintenance,
    notional_micros,
)
from pump_party.domains.prop_engine.model import NO_PRESSURE, MarketOrder, Pressure, SpotFill, SpotParams
from pump_party.domains.prop_engine.perp_model import (
    FLAT,
    LONG,
    SHORT,
    PerpChange,
    PerpEvent,
    PerpParams,
    PerpPosition,
)
from pump_party.domains.prop_engine.pricing import Prices, price_order, price_resting
from pump_party.domains.prop_interface.contract import RejectCode, Side
from pump_party.kernel.ids import AccountId, Market
from pump_party.kernel.money import INT64_MAX, PPM, ceil_div

HOUR_MS = 3_600_000

PARTIAL_ABOVE_MICROS = 100_000 * 10**6
PARTIAL_PPM = 200_000
PARTIAL_WAIT_MS = 30_000
"""Above that notional that share is liquidated first, and the rest not before this time has passed."""


def flat_position(account_id: AccountId, market: Market) -> PerpPosition:
    return PerpPosition(account_id, market, FLAT, 0, 0, 0, 0, 0, 0, 0, NO_PRESSURE, NO_PRESSURE, 0, None, 0)


def funding_is_due(position: PerpPosition, publish_ms: int) -> bool:
    """Whether this admitted tick is the first of an hour the position has not been funded for."""
    return position.direction != FLAT and publish_ms // HOUR_MS > position.funded_hour


def pay_funding(position: PerpPosition, quote: Quote, *, rate_ppb_8h: int, params: PerpParams) -> PerpChange:
    """Move one hour's funding into or out of the margin; a payment is limited to the margin there is.

    Hours without an admitted tick are not made up for.
    """
    assert funding_is_due(position, quote.publish_ms)
    due = funding_cash_micros(
        direction=position.direction,
        quantity_nanos=position.quantity_nanos,
        mark_e8=quote.mid_e8,
        rate_ppb_8h=rate_ppb_8h,
        cap_1h_ppb=params.funding_cap_1h_ppb,
    )
    paid = max(due, -position.margin_micros)
    after = replace(
        position,
        margin_micros=position.margin_micros + paid,
        funding_micros=position.funding_micros + paid,
        funded_hour=quote.publish_ms // HOUR_MS,
    )
    return _balanced(PerpChange(PerpEvent.FUNDING, after, 0, paid, funding_micros=paid))


def trade(
    position: PerpPosition,
    order: MarketOrder,
    prices: Prices,
    *,
    fill_ms: int,
    leverage: int,
    reduce_only: bool,
    cash_micros: int,
    params: PerpParams,
    resting_at_e8: int | None = None,
) -> tuple[PerpChange, ...] | RejectCode:
    """Fill the whole order on one tick, or say why not; two changes when it turns the position round.

    An order that rests is SLIPPAGE_LIMIT until the tick would fill it strictly better, then fills at its own price.
    Checks per fill are those of `price_spot`, then MAX_LEVERAGE and INSUFFICIENT_FUNDS; before them BAD_REQUEST for a
    size in quote, and INSUFFICIENT_POSITION for a reduce-only order that would not only reduce. Closing a whole
    position has no minimum size: what was let in can always get out. Each change carries the position after it.
    """
    if order.quantity_nanos is None or order.quote_micros is not None or order.quantity_nanos <= 0:
        return RejectCode.BAD_REQUEST
    sizes = _sizes(position, order.side, order.quantity_nanos)
    if reduce_only and (position.direction == FLAT or len(sizes) != 1 or _grows(position, order.side)):
        return RejectCode.INSUFFICIENT_POSITION
    changes: list[PerpChange] = []
    for quantity_nanos in sizes:
        whole = not _grows(position, order.side) and quantity_nanos == position.quantity_nanos
        pricing = replace(params.pricing, min_notional_micros=0) if whole else params.pricing
        sized = replace(order, quantity_nanos=quantity_nanos)
        fill = (
            _price(position, sized, prices, pricing, fill_ms)
            if resting_at_e8 is None
            else _price_resting(position, sized, resting_at_e8, prices, params, fill_ms)
        )
        if isinstance(fill, RejectCode):
            return fill
        change = apply_fill(
            position,
            fill,
            leverage=leverage,
            cash_micros=cash_micros,
            publish_ms=prices.quote.publish_ms,
            fill_ms=fill_ms,
            params=params,
        )
        if isinstance(change, RejectCode):
            return change
        changes.append(change)
        position, cash_micros = change.position, cash_micros + change.cash_change_micros
    return tuple(changes)


def apply_fill(
    position: PerpPosition,
    fill: SpotFill,
    *,
    leverage: int,
    cash_micros: int,
    publish_ms: int,
    fill_ms: int,
    params: PerpParams,
) -> PerpChange | RejectCode:
    """What a priced fill does, whoever priced it. It must not turn the position round: `trade` splits such orders."""
    if _grows(position, fill.side):
        grown = _grow(position, fill, leverage=leverage, cash_micros=cash_micros, fill_ms=fill_ms, params=params)
        if isinstance(grown, RejectCode) or position.direction != FLAT:
            return grown
        # Funding is for those who hold a position when an hour begins.
        return replace(grown, position=replace(grown.position, funded_hour=publish_ms // HOUR_MS))
    return _shrink(position, fill, event=PerpEvent.CLOSE, liquidation_fee_ppm=0, fill_ms=fill_ms)


def _sizes(position: PerpPosition, side: Side, quantity_nanos: int) -> tuple[int, ...]:
    held = position.quantity_nanos
    if _grows(position, side) or quantity_nanos <= held:
        return (quantity_nanos,)
    return held, quantity_nanos - held


def _grows(position: PerpPosition, side: Side) -> bool:
    return position.direction in {FLAT, _direction(side)}


def _direction(side: Side) -> int:
    return LONG if side is Side.BUY else SHORT


def _price(
    position: PerpPosition, order: MarketOrder, prices: Prices, pricing: SpotParams, fill_ms: int
) -> SpotFill | RejectCode:
    return price_order(
        order,
        prices,
        pressure=position.buy_pressure if order.side is Side.BUY else position.sell_pressure,
        consumed=position.consumed,
        params=pricing,
        fill_ms=fill_ms,
    )


def _price_resting(
    position: PerpPosition, order: MarketOrder, limit_e8: int, prices: Prices, params: PerpParams, fill_ms: int
) -> SpotFill | RejectCode:
    fill = price_resting(
        order,
        limit_e8,
        prices,
        pressure=position.buy_pressure if order.side is Side.BUY else position.sell_pressure,
        consumed=position.consumed,
        params=replace(params.pricing, taker_fee_ppm=params.maker_fee_ppm),
        fill_ms=fill_ms,
    )
    return RejectCode.SLIPPAGE_LIMIT if fill is None else fill


def _grow(
    position: PerpPosition, fill: SpotFill, *, leverage: int, cash_micros: int, fill_ms: int, params: PerpParams
) -> PerpChange | RejectCode:
    """The added part brings its own margin at the order's leverage; the tier is that of the whole position."""
    quantity_nanos = position.quantity_nanos + fill.quantity_nanos
    tier = maintenance(notional_micros(quantity_nanos, fill.price_e8), params.tiers).tier
    if not 1 <= leverage <= params.tiers[tier].max_leverage:
        return RejectCode.MAX_LEVERAGE
    margin = initial_margin_micros(fill.gross_micros, leverage)
    cash_change = -(margin + fill.fee_micros)
    if cash_micros + cash_change < 0:
        return RejectCode.INSUFFICIENT_FUNDS

    after = replace(
        _pressed(position, fill, fill_ms),
        direction=_direction(fill.side),
        quantity_nanos=quantity_nanos,
        entry_cost_micros=position.entry_cost_micros + fill.gross_micros,
        margin_micros=position.margin_micros + margin,
        leverage=leverage,
        fees_micros=position.fees_micros + fill.fee_micros,
    )
    return _balanced(
        _with_fill(PerpChange(PerpEvent.OPEN, after, cash_change, margin, fee_micros=fill.fee_micros), fill)
    )


def _shrink(
    position: PerpPosition, fill: SpotFill, *, event: PerpEvent, liquidation_fee_ppm: int, fill_ms: int
) -> PerpChange:
    """Realise a part: loss, fee and liquidation fee come out of the margin in this order, each as far as it goes.

    An owner's partial close frees its share of the margin; a partial liquidation leaves what is left to the rest.
    """
    assert position.direction == -_direction(fill.side)
    assert 0 < fill.quantity_nanos <= position.quantity_nanos
    removed, realised = _realise(position, fill)

    left = position.margin_micros + realised
    shortfall = max(0, -left)
    left = max(0, left)
    fee = min(fill.fee_micros, left)
    left -= fee
    liquidation_fee = min(ceil_div(fill.gross_micros * liquidation_fee_ppm, PPM), left)
    left -= liquidation_fee

    quantity_nanos = position.quantity_nanos - fill.quantity_nanos
    share = ceil_div(position.margin_micros * quantity_nanos, position.quantity_nanos)
    margin = min(left, share) if event is PerpEvent.CLOSE or quantity_nanos == 0 else left
    after = replace(
        _pressed(position, fill, fill_ms),
        quantity_nanos=quantity_nanos,
        entry_cost_micros=position.entry_cost_micros - removed,
        margin_micros=margin,
        realised_pnl_micros=position.realised_pnl_micros + realised + shortfall,
        fees_micros=position.fees_micros + fee + liquidation_fee,
    )
    if quantity_nanos == 0:
        after = replace(after, direction=FLAT, leverage=0, breach_ms=0, partial_ms=None)
    change = PerpChange(
        event,
        after,
        cash_change_micros=left - margin,
        margin_change_micros=margin - position.margin_micros,
        fee_micros=fee,
        liquidation_fee_micros=liquidation_fee,
        realised_pnl_micros=realised,
        shortfall_micros=shortfall,
        insurance_change_micros=liquidation_fee - shortfall,
    )
    return _balanced(_with_fill(change, fill))


def _realise(position: PerpPosition, fill: SpotFill) -> tuple[int, int]:
    """The entry cost a fill removes and the PnL it realises."""
    removed = removed_cost_micros(position, fill.quantity_nanos)
    return removed, fill.gross_micros - removed if position.direction == LONG else removed - fill.gross_micros


def removed_cost_micros(position: PerpPosition, quantity_nanos: int) -> int:
    """A part's share of the entry cost, rounded so that the gain is smaller or the loss larger."""
    cost = position.entry_cost_micros * quantity_nanos
    return ceil_div(cost, position.quantity_nanos) if position.direction == LONG else cost // position.quantity_nanos


def _pressed(position: PerpPosition, fill: SpotFill, fill_ms: int) -> PerpPosition:
    pressure = Pressure(fill.pressure_after_micros, fill_ms)
    if fill.book is not None:
        position = replace(position, consumed=fill.book.consumed_after)
    if fill.side is Side.BUY:
        return replace(position, buy_pressure=pressure)
    return replace(position, sell_pressure=pressure)


def _with_fill(change: PerpChange, fill: SpotFill) -> PerpChange:
    return replace(
        change,
        side=fill.side,
        quantity_nanos=fill.quantity_nanos,
        price_e8=fill.price_e8,
        gross_micros=fill.gross_micros,
        half_spread_e8=fill.half_spread_e8,
        impact_e8=fill.impact_e8,
        book=fill.book,
    )


def _balanced(change: PerpChange) -> PerpChange:
    received = change.realised_pnl_micros + change.funding_micros
    moved = change.cash_change_micros + change.margin_change_micros
    assert moved + change.fee_micros + change.insurance_change_micros == received, change
    assert change.position.margin_micros >= 0, change
    return change


def suspended_by(quote: Quote, params: PerpParams) -> RejectCode | None:
    """Why a tick liquidates nobody and says nothing of any margin: MARKET_HALTED or PRICE_UNCERTAIN; else None."""
    if quote.halt_reason is not None:
        return RejectCode.MARKET_HALTED
    uncertain = quote.conf_e8 * PPM > params.pricing.max_conf_ppm * quote.mid_e8
    return RejectCode.PRICE_UNCERTAIN if uncertain else None


def watch(position: PerpPosition, quote: Quote, *, now_ms: int, params: PerpParams) -> tuple[PerpPosition, int]:
    """The position after it has seen an admitted tick, and how much of it must be liquidated now: mostly 0.

    Two consecutive ticks must find the margin too small. The one that called it cannot agree with itself, however
    often it is delivered, and an older one says nothing any more. While the market is halted or its price uncertain
    nothing is liquidated, and the agreement starts anew. A tick that finds enough margin ends a liquidation that has
    only begun.
    """
    if position.direction == FLAT or quote.publish_ms <= position.breach_ms:
        return position, 0
    if suspended_by(quote, params) is not None:
        return replace(position, breach_ms=0), 0
    if not below_maintenance(position, quote.mid_e8, params):
        return replace(position, breach_ms=0, partial_ms=None), 0

    seen = replace(position, breach_ms=quote.publish_ms)
    if not position.breach_ms:
        return seen, 0
    if position.partial_ms is not None:
        waited = now_ms - position.partial_ms >= PARTIAL_WAIT_MS
        return (seen, position.quantity_nanos) if waited else (position, 0)
    if notional_micros(position.quantity_nanos, quote.mid_e8) > PARTIAL_ABOVE_MICROS:
        lot = params.pricing.lot_nanos
        return seen, max(lot, position.quantity_nanos * PARTIAL_PPM // PPM // lot * lot)
    return seen, position.quantity_nanos


def liquidate(
    position: PerpPosition, quantity_nanos: int, prices: Prices, *, fill_ms: int, params: PerpParams
) -> PerpChange | RejectCode:
    """Close what `watch` asked for, whatever its size and slippage.

    A stale or uncertain price refuses it (PRICE_STALE, PRICE_UNCERTAIN): the next tick tries again.
    """
    side = Side.SELL if position.direction == LONG else Side.BUY
    unlimited = replace(
        params.pricing, min_notional_micros=0, max_notional_micros=INT64_MAX, max_slippage_ppm=INT64_MAX
    )
    fill = _price(position, MarketOrder(side, quantity_nanos, None, None), prices, unlimited, fill_ms)
    if isinstance(fill, RejectCode):
        return fill
    return apply_liquidation(position, fill, fill_ms=fill_ms, params=params)


def apply_liquidation(position: PerpPosition, fill: SpotFill, *, fill_ms: int, params: PerpParams) -> PerpChange:
    """What a priced liquidation does: fee, then liquidation fee, each limited to what is left; insurance the rest."""
    change = _shrink(
        position,
        fill,
        event=PerpEvent.LIQUIDATION,
        liquidation_fee_ppm=params.liquidation_fee_ppm,
        fill_ms=fill_ms,
    )
    if change.position.direction == FLAT:
        return change
    return replace(change, position=replace(change.position, partial_ms=fill_ms))
