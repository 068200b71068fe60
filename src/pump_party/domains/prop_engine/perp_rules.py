"""Build perpetual parameters from data: `perpetuals.toml`, the pricing of `rules.toml`, tick and lot sizes."""

from collections.abc import Mapping, Sequence
from itertools import pairwise
from typing import Any

import msgspec

from pump_party.domains.marketdata.contract import Asset, MarketKind
from pump_party.domains.prop_engine.perp_model import MarginTier, PerpParams
from pump_party.kernel.ids import Market
from pump_party.kernel.money import NOTIONAL_DIVISOR


def build_perp_params(
    document: Mapping[str, Any],
    pricing: Mapping[str, Any],
    assets: Sequence[Asset],
    *,
    version: str,
    fees: str | None = None,
) -> dict[Market, PerpParams]:
    """The parameters of every asset that is a perpetual market, at a fee schedule (by default the version's own).

    `pricing` is the `spot` table of rules.toml. What is missing or misspelt raises at start.
    """
    entry = dict(document["perp"][version])
    own_fees = entry.pop("fees")
    schedule = document["fees"][fees or own_fees]
    priced = {**pricing[entry.pop("pricing")], "model": entry.pop("model"), "taker_fee_ppm": schedule["taker_fee_ppm"]}
    built = {}
    for asset in assets:
        if asset.kind is not MarketKind.PERP:
            continue
        size = {"market": asset.market, "tick_e8": asset.tick_e8, "lot_nanos": asset.lot_nanos}
        params = msgspec.convert(
            {
                **entry,
                "pricing": {**priced, **size},
                "maker_fee_ppm": schedule["maker_fee_ppm"],
                "tiers": document["tiers"].get(asset.market, ()),
            },
            PerpParams,
        )
        _check(params.pricing.market, asset, params.tiers)
        built[asset.market] = params
    return built


def _check(market: Market, asset: Asset, tiers: tuple[MarginTier, ...]) -> None:
    if asset.tick_e8 * asset.lot_nanos % NOTIONAL_DIVISOR:
        raise ValueError(f"{market}: a lot times a tick is not a whole number of micro-USDC")
    if not tiers or tiers[0].lower_micros != 0:
        raise ValueError(f"{market}: the first tier starts at 0")
    for low, high in pairwise(tiers):
        if high.lower_micros <= low.lower_micros or not 1 <= high.max_leverage < low.max_leverage:
            raise ValueError(f"{market}: tiers go up in notional and down in leverage")
