"""When a tick may have made a condition true: at its price, beside the features of its minute. Pure.

The same live and in backtests. What is due here is judged by `Decider.due` before anything is given up.
"""

from collections.abc import Iterable, Mapping

from pump_party.domains.aitrading.invalidation import holds
from pump_party.domains.aitrading.model import Invalidation, OpenInvalidation
from pump_party.domains.clones.contract import Op
from pump_party.domains.marketdata.contract import Feature, MarketSnapshot
from pump_party.kernel.ids import Market

CONDITION_MINUTE_MS = 60_000
"""Features change with complete bars."""


def condition_features(condition: Invalidation) -> tuple[Feature, ...]:
    """None for a condition on the price alone."""
    return tuple(feature for feature in (condition.feature, condition.than) if feature is not None)


def is_true_of_price(condition: Invalidation, mid_e8: int) -> bool:
    """Whether a condition on the price alone holds at it; False for every other."""
    return not condition_features(condition) and holds(condition, mid_e8, None)


def is_true_of_tick(condition: Invalidation, mid_e8: int, snapshot: MarketSnapshot | None) -> bool:
    """The same for any condition; without a snapshot those on features are not judged."""
    if condition_features(condition):
        return snapshot is not None and holds(condition, mid_e8, snapshot)
    return is_true_of_price(condition, mid_e8)


def may_hold_within(condition: Invalidation, *, low_e8: int, high_e8: int) -> bool:
    """Whether any tick between two prices could make it true: one on features always may."""
    if condition_features(condition):
        return True
    return is_true_of_price(condition, high_e8 if condition.op is Op.ABOVE else low_e8)


def features_of(conditions: Iterable[OpenInvalidation]) -> Mapping[Market, tuple[Feature, ...]]:
    """What is to be read of which market to judge them."""
    wanted: dict[Market, set[Feature]] = {}
    for held in conditions:
        features = condition_features(held.condition)
        if features:
            wanted.setdefault(held.market, set()).update(features)
    return {market: tuple(sorted(found, key=lambda feature: feature.key)) for market, found in wanted.items()}
