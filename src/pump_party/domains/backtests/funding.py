"""What an hour of funding costs in a backtest. Pure.

A recording has the rates that a venue settled, not the premiums they came from. Every full hour a position is charged
an hour's part of the rate that was settled last by then, as the funding feature shows it; where no rate stands, the
rules charge their interest alone.
"""

from pump_party.domains.marketdata.contract import HourPremium
from pump_party.domains.prop_interface.contract import PerpRulesView

FUNDING_PERIOD_HOURS = 8
SOURCE = "settled rate"
"""Named in the evidence instead of a venue's premium."""


def premium_for(rate_1h_ppb: int, rules: PerpRulesView) -> int:
    """The premium for which the rules charge exactly this rate (up to their cap): their clamp, undone."""
    rate_8h_ppb = FUNDING_PERIOD_HOURS * rate_1h_ppb
    if rate_8h_ppb == rules.interest_8h_ppb:
        return rate_8h_ppb
    clamp_ppb = rules.premium_clamp_ppb
    return rate_8h_ppb + (clamp_ppb if rate_8h_ppb > rules.interest_8h_ppb else -clamp_ppb)


def hour_premium(rate_1h_ppb: int, hour_ms: int, rules: PerpRulesView) -> HourPremium:
    return HourPremium(hour_ms, premium_for(rate_1h_ppb, rules), 1, SOURCE)
