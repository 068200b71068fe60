"""The nouns of perpetuals: a market's parameters, a position, and what one event does to it. Frozen values."""

from enum import StrEnum

import msgspec

from pump_party.domains.prop_engine.book import NOTHING_CONSUMED, BookFill, ConsumedDepth
from pump_party.domains.prop_engine.model import Pressure, SpotParams
from pump_party.domains.prop_interface.contract import Side
from pump_party.kernel.ids import AccountId, Market

LONG, SHORT, FLAT = 1, -1, 0


class MarginTier(msgspec.Struct, frozen=True):
    """From this notional on at most this leverage. The maintenance rate is half of the initial one at that leverage."""

    lower_micros: int
    max_leverage: int


class PerpParams(msgspec.Struct, frozen=True):
    """One perpetual market's parameters (sections 7 and 8).

    `pricing` is what an order is priced by, the same ladder as spot; its fee is the taker's. `maker_fee_ppm` is for
    an order that rested. Funding rates are in parts per billion, tiers start at 0 and go up.
    """

    pricing: SpotParams
    maker_fee_ppm: int
    tiers: tuple[MarginTier, ...]
    interest_8h_ppb: int
    premium_clamp_ppb: int
    funding_cap_1h_ppb: int
    liquidation_fee_ppm: int


class PerpPosition(msgspec.Struct, frozen=True, gc=False):
    """What an account has open in a perpetual market. The entry price is entry cost over quantity, never stored.

    `direction` is LONG, SHORT or FLAT; `leverage` is that of the newest order that grew the position. The three sums
    are over the position's whole life: `realised_pnl_micros` is what the account bore or gained, without fees and
    without what insurance covered; `fees_micros` has liquidation fees in it.

    `breach_ms` is when the tick was published that found the margin too small, 0 when the newest one found it enough
    or could not be trusted;
    `partial_ms` is when a first part was liquidated, None outside a liquidation; `funded_hour` is the last hour since
    the epoch that was funded.
    """

    account_id: AccountId
    market: Market
    direction: int
    quantity_nanos: int
    entry_cost_micros: int
    margin_micros: int
    leverage: int
    realised_pnl_micros: int
    fees_micros: int
    funding_micros: int
    buy_pressure: Pressure
    sell_pressure: Pressure
    breach_ms: int
    partial_ms: int | None
    funded_hour: int
    consumed: ConsumedDepth = NOTHING_CONSUMED


class PerpEvent(StrEnum):
    """What happened to a position: it grew, shrank by its owner's order, was liquidated, paid or received funding."""

    OPEN = "open"
    CLOSE = "close"
    LIQUIDATION = "liquidation"
    FUNDING = "funding"


class PerpChange(msgspec.Struct, frozen=True, gc=False):
    """One event and every amount it moved, signed from the side it is named for; `position` is the one after it.

    `cash + margin + fee + insurance = realised + funding`: the right side is what the venue's PnL and funding accounts
    pay. `shortfall_micros` is the part of a loss that the margin could not cover; insurance pays it, so it is in
    `insurance_change_micros` already, next to the liquidation fee that insurance received.
    """

    event: PerpEvent
    position: PerpPosition
    cash_change_micros: int
    margin_change_micros: int
    fee_micros: int = 0
    liquidation_fee_micros: int = 0
    realised_pnl_micros: int = 0
    funding_micros: int = 0
    shortfall_micros: int = 0
    insurance_change_micros: int = 0
    side: Side | None = None
    quantity_nanos: int = 0
    price_e8: int = 0
    gross_micros: int = 0
    half_spread_e8: int = 0
    impact_e8: int = 0
    book: BookFill | None = None


class Maintenance(msgspec.Struct, frozen=True):
    """A tier's maintenance margin, `(notional * rate - deduction) / denominator`, kept in integers."""

    tier: int
    rate: int
    deduction: int
    denominator: int
