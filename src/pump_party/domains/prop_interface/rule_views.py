"""The rules an account can be opened under, as prop trading answers them."""

import msgspec

from pump_party.domains.prop_interface.words import AccountKind, Drawdown, FillMode, PriceMode
from pump_party.kernel.ids import Market


class MarketRulesView(msgspec.Struct, frozen=True):
    """The parameters by which orders of one market fill (execution model, section 7)."""

    market: Market
    model: str
    tick_e8: int
    lot_nanos: int
    min_notional_micros: int
    max_notional_micros: int
    conf_mult_ppm: int
    min_half_spread_ppm: int
    depth_per_bp_micros: int
    recovery_per_s_micros: int
    taker_fee_ppm: int
    max_conf_ppm: int
    max_slippage_ppm: int
    max_tick_age_ms: int
    latency_ms: int
    max_wait_ms: int


class PerpRulesView(msgspec.Struct, frozen=True):
    """The parameters of one perpetual market: how its orders fill, then section 8 of the execution model.

    `tiers` are (lower_micros, max_leverage): the leverage a position of at least that notional may have. The
    maintenance margin is half of the initial one at that leverage.
    """

    pricing: MarketRulesView
    maker_fee_ppm: int
    tiers: tuple[tuple[int, int], ...]
    interest_8h_ppb: int
    premium_clamp_ppb: int
    funding_cap_1h_ppb: int
    liquidation_fee_ppm: int


class RiskLimitsView(msgspec.Struct, frozen=True):
    """What an account may order and lose; None is no limit. Losses are shares of the start capital."""

    max_leverage: int | None
    max_position_micros: int | None
    orders_per_minute: int | None
    daily_loss_ppm: int | None
    total_loss_ppm: int | None
    drawdown: Drawdown
    allowed_markets: tuple[Market, ...] | None


class RuleSetView(msgspec.Struct, frozen=True):
    """What an account can be opened under. `default`: what its kind gets when none is named; `risk`: None is none."""

    name: str
    kind: AccountKind
    fill_mode: FillMode
    contest_eligible: bool
    default: bool
    start_micros: int
    params_sha256: str
    markets: tuple[MarketRulesView, ...]
    price_mode: PriceMode = PriceMode.ORACLE
    perps: tuple[PerpRulesView, ...] = ()
    risk: RiskLimitsView | None = None
