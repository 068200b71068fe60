"""What an account holds of a market, spot or perpetual, in one form: sizes, and shares of equity. Pure.

Shares are cut towards zero; they inform rules and prompts. What is traded is computed in `sizing.py`.
"""

import msgspec

from pump_party.domains.prop_interface.contract import AccountView
from pump_party.kernel.ids import Market
from pump_party.kernel.money import NOTIONAL_DIVISOR, PPM

LONG, FLAT, SHORT = 1, 0, -1


class Holding(msgspec.Struct, frozen=True):
    """A position. `direction` is 1 long, -1 short, 0 none; a spot position has no margin."""

    direction: int
    quantity_nanos: int
    cost_micros: int = 0
    margin_micros: int = 0
    is_perp: bool = False

    def value_micros(self, mid_e8: int) -> int:
        """Its absolute value at a price, rounded down."""
        return self.quantity_nanos * mid_e8 // NOTIONAL_DIVISOR

    def unrealised_micros(self, mid_e8: int) -> int:
        return self.direction * (self.quantity_nanos * mid_e8 - self.cost_micros * NOTIONAL_DIVISOR) // NOTIONAL_DIVISOR


NOTHING = Holding(FLAT, 0)


def holding_of(account: AccountView, market: Market) -> Holding:
    """A market is either spot or perpetual, so that at most one position is found."""
    for perp in account.perps:
        if perp.market == market:
            if not perp.quantity_nanos:
                return NOTHING
            return Holding(
                perp.direction, perp.quantity_nanos, perp.entry_cost_micros, perp.margin_micros, is_perp=True
            )
    for spot in account.positions:
        if spot.market == market:
            return Holding(LONG, spot.quantity_nanos, spot.cost_micros) if spot.quantity_nanos else NOTHING
    return NOTHING


def share_ppm(holding: Holding, *, mid_e8: int, equity_micros: int) -> int:
    """The position's share of equity, negative when short; of a perpetual the share of its margin."""
    if holding.direction == FLAT or equity_micros <= 0:
        return 0
    tied_micros = holding.margin_micros if holding.is_perp else holding.value_micros(mid_e8)
    return holding.direction * (tied_micros * PPM // equity_micros)


def exposure_ppm(holding: Holding, *, mid_e8: int, equity_micros: int, leverage: int) -> int:
    """What the position's value comes to as a share of equity at that leverage, negative when short."""
    if holding.direction == FLAT or equity_micros <= 0:
        return 0
    return holding.direction * (holding.value_micros(mid_e8) * PPM // (equity_micros * leverage))


def return_ppm(holding: Holding, *, mid_e8: int) -> int:
    """The unrealised profit over what the position cost; of a perpetual over its margin. Rounded down."""
    basis_micros = holding.margin_micros if holding.is_perp else holding.cost_micros
    if basis_micros <= 0:
        return 0
    return holding.unrealised_micros(mid_e8) * PPM // basis_micros
