"""Read the execution parameters of a file of vectors: its names, then ours."""

from itertools import pairwise
from typing import Any

import msgspec

from pump_party.domains.prop_engine.model import SpotParams
from pump_party.domains.prop_engine.perp_model import MarginTier, PerpParams
from pump_party.kernel.conformance import NotNegative, Positive, Vectors, malformed, read
from pump_party.kernel.ids import Market


class PricingInFile(msgspec.Struct, frozen=True):
    """Amounts are micros, a lot is nanos of the base asset."""

    market: str
    model: str
    tick_e8: Positive
    lot_lamports: Positive
    min_notional: NotNegative
    max_notional: NotNegative
    conf_mult_ppm: NotNegative
    min_half_spread_ppm: NotNegative
    depth_per_bp: Positive
    recovery_per_s: NotNegative
    taker_fee_ppm: NotNegative
    max_conf_ppm: NotNegative
    max_slippage_ppm: NotNegative
    latency_ms: NotNegative
    max_wait_ms: NotNegative
    max_tick_age_ms: NotNegative
    l2_participation_ppm: NotNegative
    l2_divergence_ppm: NotNegative

    def ours(self) -> SpotParams:
        return SpotParams(
            market=Market(self.market),
            model=self.model,
            tick_e8=self.tick_e8,
            lot_nanos=self.lot_lamports,
            min_notional_micros=self.min_notional,
            max_notional_micros=self.max_notional,
            conf_mult_ppm=self.conf_mult_ppm,
            min_half_spread_ppm=self.min_half_spread_ppm,
            depth_per_bp_micros=self.depth_per_bp,
            recovery_per_s_micros=self.recovery_per_s,
            taker_fee_ppm=self.taker_fee_ppm,
            max_conf_ppm=self.max_conf_ppm,
            max_slippage_ppm=self.max_slippage_ppm,
            max_tick_age_ms=self.max_tick_age_ms,
            latency_ms=self.latency_ms,
            max_wait_ms=self.max_wait_ms,
        )


class TierInFile(msgspec.Struct, frozen=True):
    lower: NotNegative
    max_lev: Positive


class PerpInFile(PricingInFile, frozen=True):
    interest_8h_ppb: int
    premium_clamp_ppb: NotNegative
    funding_cap_1h_ppb: NotNegative
    liq_fee_ppm: NotNegative
    tiers: list[TierInFile]


def spot_in_file(vectors: Vectors) -> PricingInFile:
    return read(_params(vectors).get("spot"), PricingInFile, section="params", case="spot")


def perp_in_file(vectors: Vectors) -> PerpParams:
    """The file's perpetual market. Nothing of it is about orders that rest, so they pay the taker's fee."""
    given = read(_params(vectors).get("perp"), PerpInFile, section="params", case="perp")
    lowers = [tier.lower for tier in given.tiers]
    if not lowers or lowers[0] != 0 or any(low >= high for low, high in pairwise(lowers)):
        raise malformed("start at 0 and go up", section="params", case="perp", field="tiers")
    return PerpParams(
        pricing=given.ours(),
        maker_fee_ppm=given.taker_fee_ppm,
        tiers=tuple(MarginTier(tier.lower, tier.max_lev) for tier in given.tiers),
        interest_8h_ppb=given.interest_8h_ppb,
        premium_clamp_ppb=given.premium_clamp_ppb,
        funding_cap_1h_ppb=given.funding_cap_1h_ppb,
        liquidation_fee_ppm=given.liq_fee_ppm,
    )


def _params(vectors: Vectors) -> dict[str, Any]:
    return read(vectors.get("params"), dict[str, Any], section="params")
