"""What simulated clients ask for: orders of every kind and size, sensible and not."""

import msgspec

from pump_party.domains.prop_engine.model import SpotParams
from pump_party.domains.prop_interface.contract import OrderKind, OrderTerms, PlaceOrder, Side, TimeInForce
from pump_party.kernel.dice import Dice
from pump_party.kernel.ids import AccountId, Market, UserId
from pump_party.kernel.money import MICROS, NOTIONAL_DIVISOR, PPM

_replace = msgspec.structs.replace


class Client(msgspec.Struct, frozen=True):
    """An account and who owns it."""

    user_id: UserId
    account_id: AccountId
    rule_set: str


def random_order(
    dice: Dice, client: Client, key: str, params: SpotParams, *, mid_e8: int, held_nanos: int, is_perp: bool
) -> PlaceOrder:
    """An order that a client might send, one in eight of them malformed."""
    may_sell = is_perp or held_nanos or dice.chance(100_000)
    side = dice.pick((Side.BUY, Side.SELL)) if may_sell else Side.BUY
    order = PlaceOrder(client.user_id, client.account_id, key, params.market, side)
    order = _replace(
        order,
        quantity_nanos=_quantity(dice, params, mid_e8=mid_e8, held_nanos=held_nanos, is_perp=is_perp),
        max_slippage_ppm=dice.weighted(((8, None), (1, dice.between(0, 2_000)), (1, PPM))),
        client_order_id=dice.weighted(((9, None), (1, f"mine-{dice.between(1, 3)}"))),
    )
    terms = _terms(dice, params, side, mid_e8=mid_e8, is_perp=is_perp)
    if terms.reduce_only and dice.chance(700_000):
        order = _replace(order, quantity_nanos=None)
    if side is Side.BUY and terms.kind is OrderKind.MARKET and not is_perp and dice.chance(300_000):
        order = _replace(order, quantity_nanos=None, quote_micros=dice.between(1, 12_000 * MICROS))
    order = _replace(order, terms=None if terms == OrderTerms() else terms)
    return _malformed(dice, order) if dice.chance(125_000) else order


def _quantity(dice: Dice, params: SpotParams, *, mid_e8: int, held_nanos: int, is_perp: bool) -> int:
    lot = params.lot_nanos
    if held_nanos and dice.chance(400_000):
        return max(lot, held_nanos * dice.pick((1, 1, 2, 4)) // dice.pick((1, 2, 3)) // lot * lot)
    most = 250_000 if is_perp else 12_000
    usdc = dice.weighted(((1, dice.between(1, 9)), (6, dice.between(10, 3_000)), (3, dice.between(3_000, most))))
    return max(lot, usdc * MICROS * NOTIONAL_DIVISOR // mid_e8 // lot * lot)


def _terms(dice: Dice, params: SpotParams, side: Side, *, mid_e8: int, is_perp: bool) -> OrderTerms:
    kind = dice.weighted(((5, OrderKind.MARKET), (3, OrderKind.LIMIT), (2, OrderKind.STOP), (1, OrderKind.TAKE_PROFIT)))

    def near(spread_ppm: int = 25_000) -> int:
        off = PPM + dice.between(-spread_ppm, spread_ppm)
        return max(1, mid_e8 * off // PPM // params.tick_e8) * params.tick_e8

    terms = OrderTerms(kind=kind, leverage=dice.pick((1, 2, 5, 10, 20, 20)) if is_perp else None)
    if kind is OrderKind.LIMIT:
        in_force = dice.pick((TimeInForce.GTC, TimeInForce.GTC, TimeInForce.IOC))
        terms = _replace(terms, limit_price_e8=near(), time_in_force=in_force)
    elif kind is not OrderKind.MARKET:
        terms = _replace(terms, trigger_price_e8=near())
    if (is_perp or side is Side.SELL) and dice.chance(200_000):
        return _replace(terms, reduce_only=True)
    if (is_perp or side is Side.BUY) and dice.chance(250_000):
        low, high = sorted((near(), near()))
        stop, target = (low, high) if side is Side.BUY else (high, low)
        which = dice.pick((0, 1, 2))
        return _replace(
            terms, stop_price_e8=None if which == 1 else stop, target_price_e8=None if which == 2 else target
        )
    return terms


def _malformed(dice: Dice, order: PlaceOrder) -> PlaceOrder:
    terms = order.terms or OrderTerms()
    quantity = order.quantity_nanos or 1
    return dice.pick(
        (
            _replace(order, quantity_nanos=quantity + 1),
            _replace(order, quantity_nanos=0),
            _replace(order, quantity_nanos=-quantity),
            _replace(order, quantity_nanos=quantity * 1_000),
            _replace(order, quantity_nanos=None, quote_micros=None),
            _replace(order, quantity_nanos=quantity, quote_micros=MICROS),
            _replace(order, market=Market("NONE-USDC")),
            _replace(order, terms=_replace(terms, limit_price_e8=12_345)),
            _replace(order, terms=_replace(terms, trigger_price_e8=0)),
            _replace(order, terms=_replace(terms, leverage=1_000)),
            _replace(order, terms=_replace(terms, reduce_only=True)),
            _replace(order, terms=_replace(terms, is_liquidation=True)),
        )
    )
