"""Decide orders on perpetual markets: at once, when accepted, and at a tick. Pure; amounts come from `perpetual.py`."""

from pump_party.domains.prop_engine.margin import initial_margin_micros, notional_micros
from pump_party.domains.prop_engine.matching import CASH_ASSET, HOLD_MARGIN_PPM
from pump_party.domains.prop_engine.model import MarketOrder, OpenOrder, Order
from pump_party.domains.prop_engine.perp_model import FLAT, LONG, PerpChange, PerpParams, PerpPosition
from pump_party.domains.prop_engine.perpetual import trade
from pump_party.domains.prop_engine.pricing import Prices
from pump_party.domains.prop_engine.rule_set import RuleSet
from pump_party.domains.prop_engine.working import AT_ITS_LIMIT, NOT_NOW, TRIGGERED, Change, is_late, terms_of
from pump_party.domains.prop_interface.contract import (
    CancelReason,
    FillMode,
    OrderStage,
    OrderTerms,
    PlaceOrder,
    RejectCode,
    Side,
    TimeInForce,
)
from pump_party.kernel.money import PPM, ceil_div

Decision = tuple[PerpChange, ...] | RejectCode | CancelReason | Change


def leverage_of(terms: OrderTerms) -> int:
    return 1 if terms.leverage is None else terms.leverage


def sized(order: Order | PlaceOrder, position: PerpPosition) -> MarketOrder | None:
    """The order as the market sees it. One without a size closes the position; None when there is none."""
    quantity_nanos = order.quantity_nanos
    if quantity_nanos is None and order.quote_micros is None:
        if position.direction == FLAT:
            return None
        quantity_nanos = position.quantity_nanos
    return MarketOrder(order.side, quantity_nanos, order.quote_micros, order.max_slippage_ppm)


def decide(
    order: Order | PlaceOrder,
    position: PerpPosition,
    prices: Prices,
    *,
    fill_ms: int,
    cash_micros: int,
    params: PerpParams,
) -> Decision:
    """What an order that meets a price for the first time becomes; a limit beyond it rests or is cancelled."""
    terms = terms_of(order)
    market = sized(order, position)
    if market is None:
        return CancelReason.POSITION_CLOSED
    traded = trade(
        position,
        market,
        prices,
        fill_ms=fill_ms,
        leverage=leverage_of(terms),
        reduce_only=terms.reduce_only,
        cash_micros=cash_micros,
        params=params,
    )
    if terms.limit_price_e8 is None:
        return traded
    if isinstance(traded, tuple) and all(_is_within(c, terms.limit_price_e8) for c in traded):
        return traded
    if isinstance(traded, RejectCode) and traded not in NOT_NOW:
        return traded
    return CancelReason.IOC if terms.time_in_force is TimeInForce.IOC else Change.RESTS


def _is_within(change: PerpChange, limit_e8: int) -> bool:
    return change.price_e8 <= limit_e8 if change.side is Side.BUY else change.price_e8 >= limit_e8


def step(
    open_order: OpenOrder,
    position: PerpPosition,
    prices: Prices,
    rules: RuleSet,
    *,
    cash_micros: int,
    params: PerpParams,
) -> Decision:
    """What a tick that concerns an open order does to it; `cash_micros` is what it may spend."""
    if open_order.stage is OrderStage.ARMED and rules.fill_mode is FillMode.NEXT_TICK:
        return Change.TRIGGERS
    terms = terms_of(open_order.order)
    if open_order.stage in AT_ITS_LIMIT:
        return _step_resting(open_order, terms, position, prices, cash_micros=cash_micros, params=params)
    if is_late(open_order, prices.quote.recv_ms):
        return RejectCode.PRICE_TIMEOUT
    decided = decide(
        open_order.order, position, prices, fill_ms=prices.quote.recv_ms, cash_micros=cash_micros, params=params
    )
    return Change.NOTHING if terms.kind in TRIGGERED and decided in NOT_NOW else decided


def _step_resting(
    open_order: OpenOrder,
    terms: OrderTerms,
    position: PerpPosition,
    prices: Prices,
    *,
    cash_micros: int,
    params: PerpParams,
) -> Decision:
    market = sized(open_order.order, position)
    if market is None:
        return CancelReason.POSITION_CLOSED
    traded = trade(
        position,
        market,
        prices,
        fill_ms=prices.quote.recv_ms,
        leverage=leverage_of(terms),
        reduce_only=terms.reduce_only,
        cash_micros=cash_micros,
        params=params,
        resting_at_e8=terms.limit_price_e8,
    )
    return Change.NOTHING if traded in NOT_NOW else traded


def hold_micros(command: PlaceOrder, position: PerpPosition, price_e8: int, params: PerpParams) -> tuple[str, int]:
    """(asset, amount) to set aside: margin and fee of what would grow the position, 3 % dearer than the last mid."""
    terms = terms_of(command)
    if terms.reduce_only or command.quantity_nanos is None:
        return CASH_ASSET, 0
    closes = position.direction != FLAT and (position.direction == LONG) == (command.side is Side.SELL)
    growing_nanos = max(0, command.quantity_nanos - position.quantity_nanos) if closes else command.quantity_nanos
    dearer_ppm = 0 if terms.limit_price_e8 is not None else HOLD_MARGIN_PPM
    gross_micros = ceil_div(notional_micros(growing_nanos, price_e8) * (PPM + dearer_ppm), PPM)
    fee_micros = ceil_div(gross_micros * params.pricing.taker_fee_ppm, PPM)
    return CASH_ASSET, initial_margin_micros(gross_micros, leverage_of(terms)) + fee_micros
