"""Build rule sets from data: `rules.toml` for the model's parameters, the asset registry for tick and lot sizes."""

from collections.abc import Mapping, Sequence
from hashlib import sha256
from typing import Any

import msgspec

from pump_party.domains.marketdata.contract import Asset, MarketKind
from pump_party.domains.prop_engine.chain import canonical
from pump_party.domains.prop_engine.model import FillMode, RuleSet, SpotParams
from pump_party.domains.prop_interface.contract import AccountKind


def build_rule_sets(document: Mapping[str, Any], assets: Sequence[Asset]) -> dict[str, RuleSet]:
    """Rule sets by name. A parameter that is missing or misspelt raises msgspec.ValidationError at start."""
    rule_sets = {}
    for name, entry in document["rule_sets"].items():
        spot = {
            asset.market: msgspec.convert(
                {
                    "market": asset.market,
                    "tick_e8": asset.tick_e8,
                    "lot_nanos": asset.lot_nanos,
                    **document["spot"][entry["spot"]],
                },
                SpotParams,
            )
            for asset in assets
            if asset.kind is MarketKind.SPOT
        }
        rule_sets[name] = RuleSet(
            name=name,
            kind=AccountKind(entry["kind"]),
            start_micros=entry["start_micros"],
            contest_eligible=entry["contest_eligible"],
            params_sha256=params_sha256(spot.values()),
            spot=spot,
            fill_mode=FillMode(entry["fill_mode"]),
            default=entry.get("default", False),
        )
    return rule_sets


def params_sha256(params: Any) -> str:
    """The version of a set of parameters: hex SHA-256 of their canonical lines, one market a line."""
    # What a parameter set does not have, it does not hash: an older version keeps its name when models grow.
    lines = sorted(canonical({k: str(v) for k, v in msgspec.structs.asdict(p).items() if v != 0}) for p in params)
    return sha256(b"\n".join(lines)).hexdigest()
