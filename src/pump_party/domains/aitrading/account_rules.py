"""What sizing and gates need of the rules an account plays by, market by market. Pure."""

from collections.abc import Mapping

import msgspec

from pump_party.domains.prop_interface.contract import MarketRulesView, RuleSetView
from pump_party.kernel.ids import Market


class MarketRules(msgspec.Struct, frozen=True):
    """`tiers` are (lower_micros, max_leverage) of a perpetual, empty for spot."""

    market: Market
    tick_e8: int
    lot_nanos: int
    min_notional_micros: int
    max_notional_micros: int
    max_slippage_ppm: int
    taker_fee_ppm: int
    max_tick_age_ms: int
    tiers: tuple[tuple[int, int], ...] = ()

    @property
    def is_perp(self) -> bool:
        return bool(self.tiers)

    def max_leverage(self, notional_micros: int) -> int:
        """The leverage a position of that notional may have; 1 for spot."""
        allowed = 1
        for lower_micros, max_leverage in self.tiers:
            if notional_micros >= lower_micros:
                allowed = max_leverage
        return allowed


class AccountRules(msgspec.Struct, frozen=True):
    """The markets an account may trade, and the caps of its risk rules; None is no cap."""

    markets: Mapping[Market, MarketRules]
    max_leverage: int | None
    max_position_micros: int | None


def account_rules(rule_set: RuleSetView) -> AccountRules:
    markets = {rules.market: _market_rules(rules, ()) for rules in rule_set.markets}
    markets |= {perp.pricing.market: _market_rules(perp.pricing, perp.tiers) for perp in rule_set.perps}
    risk = rule_set.risk
    if risk is None:
        return AccountRules(markets, None, None)
    if risk.allowed_markets is not None:
        markets = {market: rules for market, rules in markets.items() if market in risk.allowed_markets}
    return AccountRules(markets, risk.max_leverage, risk.max_position_micros)


def _market_rules(rules: MarketRulesView, tiers: tuple[tuple[int, int], ...]) -> MarketRules:
    return MarketRules(
        rules.market,
        rules.tick_e8,
        rules.lot_nanos,
        rules.min_notional_micros,
        rules.max_notional_micros,
        rules.max_slippage_ppm,
        rules.taker_fee_ppm,
        rules.max_tick_age_ms,
        tiers,
    )
