"""Fold fills into positions, and value them. `equity = start + realised + unrealised - fees`, exactly."""

from collections.abc import Sequence

import msgspec

from pump_party.domains.prop_engine.model import NO_PRESSURE, Account, Position, Pressure, SpotFill
from pump_party.domains.prop_engine.perp_model import PerpPosition
from pump_party.domains.prop_interface.contract import Side
from pump_party.kernel.ids import AccountId, Market
from pump_party.kernel.money import NOTIONAL_DIVISOR, ceil_div


class Holdings(msgspec.Struct, frozen=True):
    """An account and what it holds; positions that are flat now but were traded in this cycle are among them."""

    account: Account
    positions: Sequence[Position]
    perps: Sequence[PerpPosition]


def empty_position(account_id: AccountId, market: Market) -> Position:
    return Position(account_id, market, 0, 0, 0, 0, NO_PRESSURE, NO_PRESSURE)


def apply_fill(position: Position, fill: SpotFill, *, fill_ms: int) -> tuple[Position, int]:
    """Returns the position after the fill and the PnL it realised, in micros, fees not included.

    A partial sale removes its share of the cost, rounded up: the gain is rounded down.
    """
    pressure = Pressure(fill.pressure_after_micros, fill_ms)
    consumed = position.consumed if fill.book is None else fill.book.consumed_after
    if fill.side is Side.BUY:
        return (
            Position(
                position.account_id,
                position.market,
                position.quantity_nanos + fill.quantity_nanos,
                position.cost_micros + fill.gross_micros,
                position.realised_pnl_micros,
                position.fees_micros + fill.fee_micros,
                pressure,
                position.sell_pressure,
                position.held_nanos,
                consumed,
            ),
            0,
        )
    assert 0 < fill.quantity_nanos <= position.quantity_nanos
    cost_removed_micros = ceil_div(position.cost_micros * fill.quantity_nanos, position.quantity_nanos)
    realised_pnl_micros = fill.gross_micros - cost_removed_micros
    return (
        Position(
            position.account_id,
            position.market,
            position.quantity_nanos - fill.quantity_nanos,
            position.cost_micros - cost_removed_micros,
            position.realised_pnl_micros + realised_pnl_micros,
            position.fees_micros + fill.fee_micros,
            position.buy_pressure,
            pressure,
            position.held_nanos,
            consumed,
        ),
        realised_pnl_micros,
    )


def value_micros(quantity_nanos: int, mark_e8: int) -> int:
    """What a holding is worth at a mark, rounded down."""
    return quantity_nanos * mark_e8 // NOTIONAL_DIVISOR
