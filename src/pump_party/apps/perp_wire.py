"""Perpetual positions, and what a fill did to one, on the wire: the same over REST and the socket."""

from typing import Literal

import msgspec

from pump_party.apps.amounts import e8_or_null, micros_or_null
from pump_party.domains.prop_interface.contract import PerpFillEvent, PerpFillView, PerpPositionView
from pump_party.kernel.money import E8, MICROS, NANOS, ceil_div, format_e8, format_micros, format_nanos

PerpSide = Literal["long", "short"]


class PerpPosition(msgspec.Struct, frozen=True):
    """An open perpetual position; `side` is null once it is closed.

    `cost` is the notional at entry, `entry_price` cost over quantity, rounded against you. `liquidation_price` is where
    the margin becomes too small, null when no price gets there. Mark and what depends on it are null without a price.
    """

    market: str
    side: PerpSide | None
    quantity: str
    cost: str
    entry_price: str | None
    margin: str
    leverage: int
    realised_pnl: str
    fees: str
    funding: str
    liquidation_price: str | None
    mark: str | None
    mark_age_ms: int | None
    unrealised_pnl: str | None


class PerpFill(msgspec.Struct, frozen=True):
    """What a fill did to a perpetual position; side, leverage and quantity are the position's afterwards.

    `margin_change` is the account's. `liquidation_fee` is part of the fill's fee; `shortfall` is the loss beyond the
    margin, which insurance paid.
    """

    event: PerpFillEvent
    side: PerpSide | None
    leverage: int
    position_quantity: str
    margin_change: str
    liquidation_fee: str
    shortfall: str


def render_perp(view: PerpPositionView) -> PerpPosition:
    return PerpPosition(
        market=view.market,
        side=_side(view.direction),
        quantity=format_nanos(view.quantity_nanos),
        cost=format_micros(view.entry_cost_micros),
        entry_price=_entry_price(view),
        margin=format_micros(view.margin_micros),
        leverage=view.leverage,
        realised_pnl=format_micros(view.realised_pnl_micros),
        fees=format_micros(view.fees_micros),
        funding=format_micros(view.funding_micros),
        liquidation_price=e8_or_null(view.liquidation_e8),
        mark=e8_or_null(view.mark_e8),
        mark_age_ms=view.mark_age_ms,
        unrealised_pnl=micros_or_null(view.unrealised_pnl_micros),
    )


def render_perp_fill(perp: PerpFillView) -> PerpFill:
    return PerpFill(
        perp.event,
        _side(perp.direction),
        perp.leverage,
        format_nanos(perp.position_quantity_nanos),
        format_micros(perp.margin_change_micros),
        format_micros(perp.liquidation_fee_micros),
        format_micros(perp.shortfall_micros),
    )


def _side(direction: int) -> PerpSide | None:
    if direction == 0:
        return None
    return "long" if direction > 0 else "short"


def _entry_price(view: PerpPositionView) -> str | None:
    if view.quantity_nanos == 0:
        return None
    scaled = view.entry_cost_micros * NANOS * E8
    divisor = MICROS * view.quantity_nanos
    return format_e8(ceil_div(scaled, divisor) if view.direction > 0 else scaled // divisor)
