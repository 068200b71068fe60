"""Perpetual positions on the wire, the same over REST and the socket."""

from typing import Literal

import msgspec

from pump_party.domains.prop_interface.contract import PerpPositionView
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


def render_perp(view: PerpPositionView) -> PerpPosition:
    return PerpPosition(
        market=view.market,
        side=side_of(view.direction),
        quantity=format_nanos(view.quantity_nanos),
        cost=format_micros(view.entry_cost_micros),
        entry_price=_entry_price(view),
        margin=format_micros(view.margin_micros),
        leverage=view.leverage,
        realised_pnl=format_micros(view.realised_pnl_micros),
        fees=format_micros(view.fees_micros),
        funding=format_micros(view.funding_micros),
        liquidation_price=_e8(view.liquidation_e8),
        mark=_e8(view.mark_e8),
        mark_age_ms=view.mark_age_ms,
        unrealised_pnl=None if view.unrealised_pnl_micros is None else format_micros(view.unrealised_pnl_micros),
    )


def side_of(direction: int) -> PerpSide | None:
    if direction == 0:
        return None
    return "long" if direction > 0 else "short"


def _entry_price(view: PerpPositionView) -> str | None:
    if view.quantity_nanos == 0:
        return None
    scaled = view.entry_cost_micros * NANOS * E8
    divisor = MICROS * view.quantity_nanos
    return format_e8(ceil_div(scaled, divisor) if view.direction > 0 else scaled // divisor)


def _e8(value: int | None) -> str | None:
    return None if value is None else format_e8(value)
