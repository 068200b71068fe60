"""Rule sets on the wire."""

import msgspec

from pump_party.apps.amounts import micros_or_null
from pump_party.domains.prop_interface.contract import (
    AccountKind,
    Drawdown,
    FillMode,
    MarketRulesView,
    PerpRulesView,
    PriceMode,
    RiskLimitsView,
    RuleSetView,
)
from pump_party.kernel.money import format_e8, format_micros, format_nanos


class MarketRules(msgspec.Struct, frozen=True):
    """The parameters of one market. Rates are parts per million; amounts are USDC, `lot` is of the base asset."""

    market: str
    model: str
    tick: str
    lot: str
    min_notional: str
    max_notional: str
    conf_mult_ppm: int
    min_half_spread_ppm: int
    depth_per_bp: str
    recovery_per_s: str
    taker_fee_ppm: int
    max_conf_ppm: int
    max_slippage_ppm: int
    max_tick_age_ms: int
    latency_ms: int
    max_wait_ms: int


class LeverageTier(msgspec.Struct, frozen=True):
    """From this notional on, in USDC, a position may have at most this leverage.

    The maintenance margin is half of the initial one at that leverage.
    """

    lower: str
    max_leverage: int


class PerpRules(msgspec.Struct, frozen=True):
    """The parameters of one perpetual market. Rates are parts per million, or parts per billion where they say so."""

    pricing: MarketRules
    maker_fee_ppm: int
    tiers: list[LeverageTier]
    interest_8h_ppb: int
    premium_clamp_ppb: int
    funding_cap_1h_ppb: int
    liquidation_fee_ppm: int


class RiskLimits(msgspec.Struct, frozen=True):
    """What an account may order and lose; null is no limit. Losses are shares of the start capital."""

    max_leverage: int | None
    max_position: str | None
    orders_per_minute: int | None
    daily_loss_ppm: int | None
    total_loss_ppm: int | None
    drawdown: Drawdown
    allowed_markets: list[str] | None


class RuleSet(msgspec.Struct, frozen=True):
    """What an account plays by. `next_tick` fills nothing on a price that could have been seen before the order.

    `book` prices a fill by the market's order book while it has a fresh one. `perps` are its perpetual markets.
    """

    name: str
    kind: AccountKind
    fill_mode: FillMode
    contest_eligible: bool
    default: bool
    start: str
    params_sha256: str
    markets: list[MarketRules]
    price_mode: PriceMode
    perps: list[PerpRules]
    risk: RiskLimits | None


class RuleSets(msgspec.Struct, frozen=True):
    items: list[RuleSet]


def render_rule_set(view: RuleSetView) -> RuleSet:
    return RuleSet(
        name=view.name,
        kind=view.kind,
        fill_mode=view.fill_mode,
        contest_eligible=view.contest_eligible,
        default=view.default,
        start=format_micros(view.start_micros),
        params_sha256=view.params_sha256,
        markets=[_market_rules(market) for market in view.markets],
        price_mode=view.price_mode,
        perps=[_perp_rules(perp) for perp in view.perps],
        risk=None if view.risk is None else _risk_limits(view.risk),
    )


def _risk_limits(view: RiskLimitsView) -> RiskLimits:
    return RiskLimits(
        max_leverage=view.max_leverage,
        max_position=micros_or_null(view.max_position_micros),
        orders_per_minute=view.orders_per_minute,
        daily_loss_ppm=view.daily_loss_ppm,
        total_loss_ppm=view.total_loss_ppm,
        drawdown=view.drawdown,
        allowed_markets=None if view.allowed_markets is None else list(view.allowed_markets),
    )


def _perp_rules(view: PerpRulesView) -> PerpRules:
    return PerpRules(
        pricing=_market_rules(view.pricing),
        maker_fee_ppm=view.maker_fee_ppm,
        tiers=[LeverageTier(format_micros(lower), leverage) for lower, leverage in view.tiers],
        interest_8h_ppb=view.interest_8h_ppb,
        premium_clamp_ppb=view.premium_clamp_ppb,
        funding_cap_1h_ppb=view.funding_cap_1h_ppb,
        liquidation_fee_ppm=view.liquidation_fee_ppm,
    )


def _market_rules(view: MarketRulesView) -> MarketRules:
    return MarketRules(
        market=view.market,
        model=view.model,
        tick=format_e8(view.tick_e8),
        lot=format_nanos(view.lot_nanos),
        min_notional=format_micros(view.min_notional_micros),
        max_notional=format_micros(view.max_notional_micros),
        conf_mult_ppm=view.conf_mult_ppm,
        min_half_spread_ppm=view.min_half_spread_ppm,
        depth_per_bp=format_micros(view.depth_per_bp_micros),
        recovery_per_s=format_micros(view.recovery_per_s_micros),
        taker_fee_ppm=view.taker_fee_ppm,
        max_conf_ppm=view.max_conf_ppm,
        max_slippage_ppm=view.max_slippage_ppm,
        max_tick_age_ms=view.max_tick_age_ms,
        latency_ms=view.latency_ms,
        max_wait_ms=view.max_wait_ms,
    )
