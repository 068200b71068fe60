"""Whether the condition under which a position was to be given up has come true. Checked by the machine. Pure."""

from collections.abc import Sequence

from pump_party.domains.aitrading.gates import price_of
from pump_party.domains.aitrading.holding import FLAT, holding_of
from pump_party.domains.aitrading.model import Invalidation, OpenInvalidation, Proposal, ProposalAction, Seen
from pump_party.domains.clones.contract import Op
from pump_party.domains.marketdata.contract import Feature, FeatureUnit, MarketSnapshot, unit_of
from pump_party.kernel.ids import Market

PRICE_KEY = "price"
"""How the market's mid is written where a feature's key may stand."""


def due(conditions: Sequence[OpenInvalidation], seen: Seen) -> tuple[Proposal, ...]:
    """A `close` for every market with a position of which one condition holds, in the order of the conditions."""
    closing: dict[Market, Proposal] = {}
    for wanted in conditions:
        market = wanted.market
        if market in closing or holding_of(seen.account, market).direction == FLAT:
            continue
        price = price_of(seen, market)
        mid_e8 = None if price is None else price.mid_e8
        if holds(wanted.condition, mid_e8, seen.snapshots.get(market)):
            reason = f"invalidated: {key_of(wanted.condition.feature)} {wanted.condition.op.value}"
            closing[market] = Proposal(market, ProposalAction.CLOSE, reason=reason)
    return tuple(closing.values())


def holds(condition: Invalidation, mid_e8: int | None, snapshot: MarketSnapshot | None) -> bool:
    """Whether it holds. A number that is not known never closes a position."""
    left = _number(condition.feature, mid_e8, snapshot)
    right = condition.value if condition.than is None else _number(condition.than, mid_e8, snapshot)
    if left is None or right is None:
        return False
    return left > right if condition.op is Op.ABOVE else left < right


def unit_of_key(feature: Feature | None) -> FeatureUnit:
    return FeatureUnit.PRICE if feature is None else unit_of(feature.name)


def key_of(feature: Feature | None) -> str:
    return PRICE_KEY if feature is None else feature.key


def _number(feature: Feature | None, mid_e8: int | None, snapshot: MarketSnapshot | None) -> int | None:
    if feature is None:
        return mid_e8
    if snapshot is None:
        return None
    return next((reading.value for reading in snapshot.readings if reading.feature == feature), None)
