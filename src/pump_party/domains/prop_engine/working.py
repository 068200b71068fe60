"""The life of an order that waits: what is held for it, which ticks concern it, what a tick makes of it.

Execution model section 5; limits, triggers and exits as in docs/domains/prop_engine.md. Pure: a decision is a value.
"""

from enum import StrEnum

from msgspec.structs import replace

from pump_party.domains.marketdata.contract import Book, Quote
from pump_party.domains.prop_engine.execution import is_within
from pump_party.domains.prop_engine.matching import hold_for
from pump_party.domains.prop_engine.model import (
    MarketOrder,
    OpenOrder,
    Order,
    Position,
    Pressure,
    SpotFill,
    SpotParams,
)
from pump_party.domains.prop_engine.pricing import Prices, fresh_book, price_order, price_resting
from pump_party.domains.prop_engine.rule_set import RuleSet
from pump_party.domains.prop_interface.contract import (
    CancelReason,
    FillMode,
    OrderKind,
    OrderStage,
    OrderTerms,
    PlaceOrder,
    PriceMode,
    RejectCode,
    Side,
    TimeInForce,
)
from pump_party.kernel.ids import Market
from pump_party.kernel.money import NOTIONAL_DIVISOR, PPM, ceil_div

PLAIN = OrderTerms()
"""What a market order without terms asks for."""

TICK_GRACE_MS = 1_000
"""A tick that was received in time may still be on its way to the engine: so long past its deadline an order waits."""

TRIGGERED = (OrderKind.STOP, OrderKind.TAKE_PROFIT)


AT_ITS_LIMIT = (OrderStage.RESTING, OrderStage.CANCELLING)


class Change(StrEnum):
    """What a tick does to an open order short of ending it."""

    NOTHING = "nothing"
    RESTS = "rests"
    TRIGGERS = "triggers"


Step = Change | SpotFill | RejectCode | CancelReason
"""What becomes of an open order at a tick: it stays, moves on, fills, fails, or is cancelled."""


def terms_of(order: Order | PlaceOrder) -> OrderTerms:
    return PLAIN if order.terms is None else order.terms


def is_immediate(terms: OrderTerms, mode: FillMode) -> bool:
    """Whether the order is decided on the newest quote, now. A trigger always waits."""
    return mode is FillMode.LATEST and terms.kind not in TRIGGERED


def check_terms(command: PlaceOrder, params: SpotParams, *, is_perp: bool) -> RejectCode | None:
    """Refuse terms that contradict each other or the market. Sizes are checked when the order is priced as well."""
    terms = terms_of(command)
    if terms.is_liquidation or terms.is_closing or terms.parent_id is not None:
        return RejectCode.BAD_REQUEST
    prices = (terms.limit_price_e8, terms.trigger_price_e8, terms.stop_price_e8, terms.target_price_e8)
    if any(p is not None and (p <= 0 or p % params.tick_e8) for p in prices):
        return RejectCode.BAD_REQUEST
    if not _is_consistent(command, terms, is_perp=is_perp):
        return RejectCode.BAD_REQUEST
    if command.quantity_nanos is None:
        return None
    if command.quantity_nanos <= 0:
        return RejectCode.BAD_REQUEST
    return RejectCode.LOT_SIZE if command.quantity_nanos % params.lot_nanos else None


def _is_consistent(command: PlaceOrder, terms: OrderTerms, *, is_perp: bool) -> bool:
    kind, sells = terms.kind, command.side is Side.SELL
    whole_position = command.quantity_nanos is None and command.quote_micros is None
    one_size = (command.quantity_nanos is None) != (command.quote_micros is None)
    may_reduce = sells or is_perp
    return (
        (one_size or (whole_position and terms.reduce_only))
        and (command.quote_micros is None or _takes_a_budget(command, kind, is_perp=is_perp))
        and (terms.limit_price_e8 is not None) == (kind is OrderKind.LIMIT)
        and (terms.trigger_price_e8 is not None) == (kind in TRIGGERED)
        and (terms.time_in_force is TimeInForce.GTC or kind is OrderKind.LIMIT)
        and (may_reduce or not terms.reduce_only)
        and (terms.leverage is None or (is_perp and terms.leverage >= 1))
        and _exits_are_apart(command, terms, is_perp=is_perp)
    )


def _takes_a_budget(command: PlaceOrder, kind: OrderKind, *, is_perp: bool) -> bool:
    """Only a purchase at the market can be sized by what it may cost."""
    return kind is OrderKind.MARKET and command.side is Side.BUY and not is_perp and (command.quote_micros or 0) > 0


def _exits_are_apart(command: PlaceOrder, terms: OrderTerms, *, is_perp: bool) -> bool:
    """Exits belong to an order that opens a position, the stop on the losing side of the target."""
    stop_e8, target_e8 = terms.stop_price_e8, terms.target_price_e8
    if stop_e8 is None and target_e8 is None:
        return True
    sells = command.side is Side.SELL
    if terms.reduce_only or (sells and not is_perp):
        return False
    return stop_e8 is None or target_e8 is None or (stop_e8 > target_e8 if sells else stop_e8 < target_e8)


def reference_e8(terms: OrderTerms, quote: Quote) -> int:
    """The price an order is first sized at: its limit, the worse of trigger and mid, or the mid."""
    if terms.limit_price_e8 is not None:
        return terms.limit_price_e8
    return max(terms.trigger_price_e8 or 0, quote.mid_e8)


def check_size(command: PlaceOrder, price_e8: int, params: SpotParams) -> RejectCode | None:
    """Refuse at once what could only fail later: an order too small or too large at the price it waits for."""
    if command.quantity_nanos is None:
        gross_micros = command.quote_micros
    else:
        gross_micros = ceil_div(command.quantity_nanos * price_e8, NOTIONAL_DIVISOR)
    if gross_micros is None:
        return None
    if gross_micros < params.min_notional_micros:
        return RejectCode.MIN_NOTIONAL
    return RejectCode.MAX_NOTIONAL if gross_micros > params.max_notional_micros else None


def hold(command: PlaceOrder, base: str, price_e8: int, params: SpotParams) -> tuple[str, int]:
    """(asset, amount) to set aside. A limit costs its price at most; a reducing order needs nothing of its own."""
    terms = terms_of(command)
    if terms.reduce_only:
        return base, 0
    if terms.limit_price_e8 is not None and command.side is Side.BUY:
        assert command.quantity_nanos is not None
        gross_micros = ceil_div(command.quantity_nanos * terms.limit_price_e8, NOTIONAL_DIVISOR)
        return "USDC", gross_micros + ceil_div(gross_micros * params.taker_fee_ppm, PPM)
    return hold_for(
        command.side,
        quantity_nanos=command.quantity_nanos,
        quote_micros=command.quote_micros,
        last_mid_e8=price_e8,
        base=base,
        taker_fee_ppm=params.taker_fee_ppm,
    )


def accepted(order: Order, held_asset: str, held_amount: int, rules: RuleSet, params: SpotParams) -> OpenOrder:
    """How an order starts to wait: armed at its trigger, or for the first tick after its latency."""
    terms = terms_of(order)
    if terms.kind in TRIGGERED:
        return armed(order, held_asset, held_amount)
    return waiting(
        OpenOrder(order, OrderStage.WAITING, 0, None, None, None, held_asset, held_amount),
        rules,
        params,
        from_ms=order.created_ms,
    )


def armed(order: Order, held_asset: str, held_amount: int) -> OpenOrder:
    terms = terms_of(order)
    assert terms.trigger_price_e8 is not None
    # A stop guards against the price running away; a take-profit waits for it to come.
    falls = (order.side is Side.SELL) == (terms.kind is OrderKind.STOP)
    at_or_below, at_or_above = (terms.trigger_price_e8, None) if falls else (None, terms.trigger_price_e8)
    return OpenOrder(order, OrderStage.ARMED, order.created_ms, None, at_or_below, at_or_above, held_asset, held_amount)


def waiting(open_order: OpenOrder, rules: RuleSet, params: SpotParams, *, from_ms: int) -> OpenOrder:
    """Wait for a tick from here on. Triggers and limits that may rest have no deadline: they outlive a silent feed."""
    terms = terms_of(open_order.order)
    latency_ms = params.latency_ms if rules.fill_mode is FillMode.NEXT_TICK else 0
    rests = terms.kind in TRIGGERED or (terms.kind is OrderKind.LIMIT and terms.time_in_force is TimeInForce.GTC)
    return OpenOrder(
        open_order.order,
        OrderStage.WAITING,
        from_ms + latency_ms,
        None if rests else from_ms + params.max_wait_ms,
        None,
        None,
        open_order.held_asset,
        open_order.held_amount,
    )


def resting(open_order: OpenOrder) -> OpenOrder:
    """Rest at the limit: only a mid beyond it can fill the order."""
    limit_e8 = terms_of(open_order.order).limit_price_e8
    assert limit_e8 is not None
    below, above = (limit_e8, None) if open_order.order.side is Side.BUY else (None, limit_e8)
    return OpenOrder(
        open_order.order,
        OrderStage.RESTING,
        open_order.due_ms,
        None,
        below,
        above,
        open_order.held_asset,
        open_order.held_amount,
    )


def concerns(open_order: OpenOrder, quote: Quote) -> bool:
    """Whether this tick can do anything to the order."""
    return (
        quote.halt_reason is None
        and quote.publish_ms > open_order.due_ms
        and (open_order.at_or_below_e8 is None or quote.mid_e8 <= open_order.at_or_below_e8)
        and (open_order.at_or_above_e8 is None or quote.mid_e8 >= open_order.at_or_above_e8)
    )


def is_late(open_order: OpenOrder, received_ms: int) -> bool:
    """Whether a tick received then is too late for the order."""
    return open_order.deadline_ms is not None and received_ms > open_order.deadline_ms


def is_overdue(open_order: OpenOrder, now_ms: int) -> bool:
    """Whether the order need not wait any more for a tick that was received in time."""
    return is_late(open_order, now_ms - TICK_GRACE_MS)


def is_in_flight(open_order: OpenOrder, rules: RuleSet, *, now_ms: int) -> bool:
    """Whether the order cannot be called back: its tick may be known to whoever sees the true price earlier.

    Over when its tick has not come in the time there is for it: then only a silent or halted market holds the order.
    """
    if open_order.stage is not OrderStage.WAITING or rules.fill_mode is not FillMode.NEXT_TICK:
        return False
    params = _pricing(rules, open_order.order.market)
    return now_ms <= open_order.due_ms - params.latency_ms + params.max_wait_ms + TICK_GRACE_MS


def called_back(open_order: OpenOrder, rules: RuleSet, *, now_ms: int) -> OpenOrder | None:
    """A resting order whose cancel was asked for now; None when the cancel takes effect at once.

    Whoever sees the true price before the oracle could otherwise keep his limits only where nobody takes them. Nobody
    has seen the price that an armed order would fill at.
    """
    if open_order.stage is not OrderStage.RESTING or rules.fill_mode is not FillMode.NEXT_TICK:
        return None
    deadline_ms = now_ms + _pricing(rules, open_order.order.market).max_wait_ms
    # Every tick is looked at until the cancel is in effect, not only those through the limit.
    return replace(
        open_order, stage=OrderStage.CANCELLING, deadline_ms=deadline_ms, at_or_below_e8=None, at_or_above_e8=None
    )


def is_called_back(open_order: OpenOrder, publish_ms: int, params: SpotParams) -> bool:
    """Whether the cancel of the order is in effect at a tick published then."""
    if open_order.stage is not OrderStage.CANCELLING:
        return False
    assert open_order.deadline_ms is not None
    return publish_ms > open_order.deadline_ms - params.max_wait_ms + params.latency_ms


def _pricing(rules: RuleSet, market: Market) -> SpotParams:
    perp = rules.perp.get(market)
    return rules.spot[market] if perp is None else perp.pricing


def prices_for(
    open_order: OpenOrder, quote: Quote, book: Book | None, rules: RuleSet, params: SpotParams
) -> Prices | None:
    """What a tick prices the order by; None to wait, because the book could have been seen before the latency ended."""
    fresh = fresh_book(book, params, fill_ms=quote.recv_ms) if rules.price_mode is PriceMode.BOOK else None
    if fresh is not None and fresh.publish_ms < open_order.due_ms:
        return None
    return Prices(quote, fresh)


def step(open_order: OpenOrder, position: Position, prices: Prices, rules: RuleSet, params: SpotParams) -> Step:
    """What a tick that concerns the order does to it. Funds are checked by the caller."""
    if open_order.stage is OrderStage.ARMED and rules.fill_mode is FillMode.NEXT_TICK:
        return Change.TRIGGERS
    market = sized(open_order.order, position)
    if market is None:
        return CancelReason.POSITION_CLOSED
    terms = terms_of(open_order.order)
    pressure, fill_ms = pressure_of(position, market.side), prices.quote.recv_ms
    if open_order.stage in AT_ITS_LIMIT:
        assert terms.limit_price_e8 is not None
        rested = price_resting(
            market,
            terms.limit_price_e8,
            prices,
            pressure=pressure,
            consumed=position.consumed,
            params=params,
            fill_ms=fill_ms,
        )
        return Change.NOTHING if rested is None else rested
    if is_late(open_order, fill_ms):
        return RejectCode.PRICE_TIMEOUT
    decided = price_order(market, prices, pressure=pressure, consumed=position.consumed, params=params, fill_ms=fill_ms)
    if terms.kind in TRIGGERED and decided in NOT_NOW:
        return Change.NOTHING
    return decided if terms.limit_price_e8 is None else arrived(decided, terms)


def arrived(decided: SpotFill | RejectCode, terms: OrderTerms) -> SpotFill | RejectCode | CancelReason | Change:
    """A limit meets its first price: it fills if that is within the limit, else it rests or, IOC, is cancelled."""
    assert terms.limit_price_e8 is not None
    if isinstance(decided, SpotFill) and is_within(decided, terms.limit_price_e8):
        return decided
    if isinstance(decided, RejectCode) and decided not in NOT_NOW:
        return decided
    return CancelReason.IOC if terms.time_in_force is TimeInForce.IOC else Change.RESTS


NOT_NOW = (
    RejectCode.PRICE_STALE,
    RejectCode.PRICE_UNCERTAIN,
    RejectCode.PRICE_DIVERGENCE,
    RejectCode.INSUFFICIENT_DEPTH,
    RejectCode.SLIPPAGE_LIMIT,
    RejectCode.MARKET_HALTED,
)
"""Reasons that pass: a resting or triggered order outlives them."""


def closes_all(order: Order | PlaceOrder) -> bool:
    return order.quantity_nanos is None and order.quote_micros is None


def sized(order: Order | PlaceOrder, position: Position) -> MarketOrder | None:
    """The order as the market sees it. One without a size closes the position; None when there is none."""
    quantity_nanos = order.quantity_nanos
    if closes_all(order):
        quantity_nanos = position.quantity_nanos
        if quantity_nanos == 0:
            return None
    return MarketOrder(order.side, quantity_nanos, order.quote_micros, order.max_slippage_ppm)


def pressure_of(position: Position, side: Side) -> Pressure:
    return position.buy_pressure if side is Side.BUY else position.sell_pressure


def exit_terms(order: Order) -> list[OrderTerms]:
    """The exits this order attaches to the position it opens: a stop below, a target above."""
    terms = terms_of(order)
    exits = ((OrderKind.STOP, terms.stop_price_e8), (OrderKind.TAKE_PROFIT, terms.target_price_e8))
    return [
        OrderTerms(kind=kind, trigger_price_e8=price_e8, reduce_only=True, parent_id=order.order_id)
        for kind, price_e8 in exits
        if price_e8 is not None
    ]
