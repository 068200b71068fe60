"""Hold an order against the risk rules of its account: what it would make of the exposure to its market. Pure.

What counts is the worst case: every order of one side fills, and the position that stands against them was closed
before. So neither many small orders nor a close at the right moment go where one large order may not.
"""

from collections.abc import Iterable

import msgspec

from pump_party.domains.marketdata.contract import Quote
from pump_party.domains.prop_engine.model import Order
from pump_party.domains.prop_engine.risk import RiskRules, check_order
from pump_party.domains.prop_engine.working import reference_e8, terms_of
from pump_party.domains.prop_interface.contract import PlaceOrder, RejectCode, Side
from pump_party.kernel.money import NOTIONAL_DIVISOR, ceil_div


class Exposure(msgspec.Struct, frozen=True):
    """What an account has in a market at its mid: the signed position, and what waiting orders would add to it."""

    position_micros: int
    buying_micros: int
    selling_micros: int

    def worst_micros(self, side: Side) -> int:
        """The largest position that waiting orders could make on a side: what stands against it may close first."""
        if side is Side.BUY:
            return max(self.position_micros, 0) + self.buying_micros
        return max(-self.position_micros, 0) + self.selling_micros

    def with_order(self, side: Side, micros: int) -> "Exposure":
        if side is Side.BUY:
            return Exposure(self.position_micros, self.buying_micros + micros, self.selling_micros)
        return Exposure(self.position_micros, self.buying_micros, self.selling_micros + micros)


def exposure_of(position_nanos: int, waiting: Iterable[Order], quote: Quote, *, is_perp: bool) -> Exposure:
    """`position_nanos` is signed; `waiting` are the open orders of the market."""
    position_micros = abs(position_nanos) * quote.mid_e8 // NOTIONAL_DIVISOR
    exposure = Exposure(position_micros if position_nanos >= 0 else -position_micros, 0, 0)
    for order in waiting:
        exposure = exposure.with_order(order.side, added_micros(order, quote, is_perp=is_perp))
    return exposure


def only_reduces(order: Order | PlaceOrder, *, is_perp: bool) -> bool:
    """Whether the order cannot open a position, whatever becomes of the one there is before it fills."""
    return terms_of(order).reduce_only or (not is_perp and order.side is Side.SELL)


def added_micros(order: Order | PlaceOrder, quote: Quote, *, is_perp: bool) -> int:
    """The exposure an order may add: nothing when it only reduces, as every sale of a spot market does.

    A sale may fill far above its limit: it counts at the mid at least.
    """
    terms = terms_of(order)
    if only_reduces(order, is_perp=is_perp):
        return 0
    if order.quantity_nanos is None:
        return max(0, order.quote_micros or 0)
    price_e8 = reference_e8(terms, quote)
    if order.side is Side.SELL:
        price_e8 = max(price_e8, quote.mid_e8)
    return ceil_div(max(0, order.quantity_nanos) * price_e8, NOTIONAL_DIVISOR)


def places_of(order: Order | PlaceOrder, *, waits: bool = True) -> int:
    """How many orders may wait for its sake at a time: itself, then in its place the exits it attaches."""
    terms = terms_of(order)
    return max(int(waits), (terms.stop_price_e8 is not None) + (terms.target_price_e8 is not None))


def check_limits(
    rules: RiskRules,
    command: PlaceOrder,
    exposure: Exposure | None,
    quote: Quote | None,
    *,
    is_perp: bool,
    orders_last_minute: int,
) -> RejectCode | None:
    """Why the rules forbid the order, or None. Without a price only its market and the rate can be judged."""
    worst = 0
    if exposure is not None and quote is not None:
        added = added_micros(command, quote, is_perp=is_perp)
        worst = exposure.with_order(command.side, added).worst_micros(command.side)
    return check_order(
        rules,
        market=command.market,
        leverage=terms_of(command).leverage or 1,
        opens=not only_reduces(command, is_perp=is_perp),
        worst_position_micros=worst,
        orders_last_minute=orders_last_minute,
    )
