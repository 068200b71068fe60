"""Rule sets on the wire."""

import msgspec

from pump_party.domains.prop_interface.contract import AccountKind, FillMode, MarketRulesView, RuleSetView
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


class RuleSet(msgspec.Struct, frozen=True):
    """What an account plays by. `next_tick` fills nothing on a price that could have been seen before the order."""

    name: str
    kind: AccountKind
    fill_mode: FillMode
    contest_eligible: bool
    default: bool
    start: str
    params_sha256: str
    markets: list[MarketRules]


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
