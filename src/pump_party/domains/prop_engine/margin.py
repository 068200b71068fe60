"""Margin, liquidation price and funding of linear perpetuals: the arithmetic of `perp-v1` (section 8).

Pure and integer only. Every rounding goes against the trader.
"""

from functools import lru_cache
from itertools import pairwise
from math import lcm

from pump_party.domains.prop_engine.perp_model import FLAT, LONG, Maintenance, MarginTier, PerpParams, PerpPosition
from pump_party.kernel.money import NOTIONAL_DIVISOR, ceil_div

PPB = 10**9
FUNDING_PERIOD_HOURS = 8

ROUNDINGS_MICROS = 3
"""More than notional, maintenance margin and unrealised PnL are rounded by together: less than one each."""


def notional_micros(quantity_nanos: int, mark_e8: int) -> int:
    return ceil_div(quantity_nanos * mark_e8, NOTIONAL_DIVISOR)


def initial_margin_micros(notional: int, leverage: int) -> int:
    return ceil_div(notional, leverage)


def maintenance(notional: int, tiers: tuple[MarginTier, ...]) -> Maintenance:
    """The tier a notional falls into. A notional that equals a bound is in the upper tier."""
    lines = maintenance_lines(tiers)
    return lines[max(k for k, tier in enumerate(tiers) if tier.lower_micros <= notional)]


@lru_cache(maxsize=256)
def maintenance_lines(tiers: tuple[MarginTier, ...]) -> tuple[Maintenance, ...]:
    """Every tier's rate and deduction over one denominator; the margin is continuous where tiers meet."""
    denominator = lcm(*(2 * tier.max_leverage for tier in tiers))
    rates = [denominator // (2 * tier.max_leverage) for tier in tiers]
    deductions = [0]
    for tier, (below, rate) in zip(tiers[1:], pairwise(rates), strict=True):
        deductions.append(deductions[-1] + tier.lower_micros * (rate - below))
    return tuple(
        Maintenance(k, rate, deduction, denominator)
        for k, (rate, deduction) in enumerate(zip(rates, deductions, strict=True))
    )


def maintenance_margin_micros(notional: int, tiers: tuple[MarginTier, ...]) -> int:
    """Less equity than this and the position is liquidated."""
    line = maintenance(notional, tiers)
    return ceil_div(notional * line.rate - line.deduction, line.denominator)


def unrealised_pnl_micros(position: PerpPosition, mark_e8: int) -> int:
    product = position.quantity_nanos * mark_e8 - position.entry_cost_micros * NOTIONAL_DIVISOR
    return position.direction * product // NOTIONAL_DIVISOR


def position_equity_micros(position: PerpPosition, mark_e8: int) -> int:
    """Margin plus unrealised PnL: below zero the position is worth nothing, not a debt."""
    return position.margin_micros + unrealised_pnl_micros(position, mark_e8)


def below_maintenance(position: PerpPosition, mark_e8: int, params: PerpParams) -> bool:
    required = maintenance_margin_micros(notional_micros(position.quantity_nanos, mark_e8), params.tiers)
    return position_equity_micros(position, mark_e8) < required


def liquidation_price_e8(position: PerpPosition, params: PerpParams) -> int:
    """Where the margin becomes too small, for display; `below_maintenance` decides. 0 when no price gets there.

    Rates grow from tier to tier, so the margin required is the largest of the tiers' lines at any notional, and the
    first line met on the way is the one that counts.
    """
    return _first_crossing_e8(position, position.margin_micros, params)


def watch_price_e8(position: PerpPosition, params: PerpParams) -> int:
    """No mid on the safe side of this one is `below_maintenance`, roundings included: by it ticks find the position."""
    return _first_crossing_e8(position, position.margin_micros - ROUNDINGS_MICROS, params)


def _first_crossing_e8(position: PerpPosition, margin_micros: int, params: PerpParams) -> int:
    assert position.direction != FLAT
    prices = [_crossing_e8(position, margin_micros, line) for line in maintenance_lines(params.tiers)]
    return max(0, *prices) if position.direction == LONG else min(prices)


def _crossing_e8(position: PerpPosition, margin_micros: int, line: Maintenance) -> int:
    direction = position.direction
    own_micros = direction * position.entry_cost_micros - margin_micros
    numerator = (own_micros * line.denominator - line.deduction) * NOTIONAL_DIVISOR
    denominator = position.quantity_nanos * (direction * line.denominator - line.rate)
    return ceil_div(numerator, denominator) if direction == LONG else numerator // denominator


def funding_rate_ppb_8h(premium_ppb: int, params: PerpParams) -> int:
    """The rate longs pay shorts for eight hours, before the cap. Without a recorded premium it is the interest."""
    towards_interest = params.interest_8h_ppb - premium_ppb
    clamp = params.premium_clamp_ppb
    return premium_ppb + max(-clamp, min(clamp, towards_interest))


def funding_cash_micros(*, direction: int, quantity_nanos: int, mark_e8: int, rate_ppb_8h: int, cap_1h_ppb: int) -> int:
    """What a position receives for one hour, negative when it pays. The cap is on the hour's rate, either way."""
    cap = FUNDING_PERIOD_HOURS * cap_1h_ppb
    rate = max(-cap, min(cap, rate_ppb_8h))
    return -direction * quantity_nanos * mark_e8 * rate // (NOTIONAL_DIVISOR * FUNDING_PERIOD_HOURS * PPB)
