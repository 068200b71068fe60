"""Build rule sets from data: `rules.toml` for the model's parameters, the asset registry for tick and lot sizes."""

from collections.abc import Iterable, Mapping, Sequence
from hashlib import sha256
from typing import Any

import msgspec

from pump_party.domains.marketdata.contract import Asset, MarketKind
from pump_party.domains.prop_engine.chain import canonical
from pump_party.domains.prop_engine.model import SpotParams
from pump_party.domains.prop_engine.perp_model import PerpParams
from pump_party.domains.prop_engine.perp_rules import build_perp_params
from pump_party.domains.prop_engine.risk import NO_LIMITS, RiskRules
from pump_party.domains.prop_engine.rule_set import RuleSet
from pump_party.domains.prop_interface.contract import AccountKind, FillMode, PriceMode
from pump_party.kernel.ids import Market


def build_rule_sets(
    document: Mapping[str, Any], perpetuals: Mapping[str, Any], assets: Sequence[Asset]
) -> dict[str, RuleSet]:
    """Rule sets by name. A parameter that is missing or misspelt raises msgspec.ValidationError at start."""
    rule_sets = {}
    for name, entry in document["rule_sets"].items():
        spot = _spot_params(document["spot"][entry["spot"]], assets)
        perp = {}
        if "perp" in entry:
            perp = build_perp_params(
                perpetuals, document["spot"], assets, version=entry["perp"], fees=entry.get("perp_fees")
            )
        fill_mode = FillMode(entry["fill_mode"])
        price_mode = PriceMode(entry.get("price_mode", "oracle"))
        risk = msgspec.convert(entry["risk"], RiskRules) if "risk" in entry else NO_LIMITS
        rule_sets[name] = RuleSet(
            name=name,
            kind=AccountKind(entry["kind"]),
            start_micros=entry["start_micros"],
            contest_eligible=entry["contest_eligible"],
            params_sha256=params_sha256(spot.values(), perp.values(), fill_mode, price_mode, risk),
            spot=spot,
            perp=perp,
            risk=risk,
            fill_mode=fill_mode,
            price_mode=price_mode,
            default=entry.get("default", False),
        )
    return rule_sets


def contest_latencies_ms(rule_sets: Iterable[RuleSet]) -> dict[Market, int]:
    """How long an order waits at least, by market, under the rules that count for a contest."""
    latencies: dict[Market, int] = {}
    for rules in rule_sets:
        if rules.contest_eligible:
            for params in (*rules.spot.values(), *(perp.pricing for perp in rules.perp.values())):
                waits_ms = params.latency_ms if rules.fill_mode is FillMode.NEXT_TICK else 0
                latencies[params.market] = min(waits_ms, latencies.get(params.market, waits_ms))
    return latencies


def _spot_params(parameters: Mapping[str, Any], assets: Sequence[Asset]) -> dict[Market, SpotParams]:
    return {
        asset.market: msgspec.convert(
            {"market": asset.market, "tick_e8": asset.tick_e8, "lot_nanos": asset.lot_nanos, **parameters},
            SpotParams,
        )
        for asset in assets
        if asset.kind is MarketKind.SPOT
    }


def params_sha256(
    spot: Iterable[SpotParams], perp: Iterable[PerpParams], fill_mode: FillMode, price_mode: PriceMode, risk: RiskRules
) -> str:
    """The version of a set of parameters: hex SHA-256 of their canonical lines, a line for each market and rule.

    What a rule set does not have, it does not hash: an older version keeps its name when the model grows.
    """
    lines = [canonical({k: str(v) for k, v in msgspec.structs.asdict(p).items() if v != 0}) for p in spot]
    lines += [msgspec.json.encode(p, order="sorted") for p in perp]
    if fill_mode is not FillMode.LATEST:
        lines.append(fill_mode.value.encode())
    if price_mode is not PriceMode.ORACLE:
        lines.append(price_mode.value.encode())
    if risk is not NO_LIMITS:
        lines.append(msgspec.json.encode(risk, order="sorted"))
    return sha256(b"\n".join(sorted(lines))).hexdigest()
