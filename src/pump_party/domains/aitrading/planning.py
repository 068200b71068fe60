"""Make a strategy ready to decide with: what to read, what is allowed, and its rules compiled. Pure."""

from collections.abc import Iterator, Sequence

from pump_party.domains.aitrading.model import Limits, Plan, PlannedPath, Read
from pump_party.domains.aitrading.prompt import owner_text
from pump_party.domains.aitrading.rules import compile_rule, operands
from pump_party.domains.clones.contract import FeatureOperand, PromptNode, RuleNode, Strategy, StrategyPath, paths
from pump_party.domains.marketdata.contract import CandleInterval, Feature
from pump_party.kernel.ids import Market


def plan_of(strategy: Strategy) -> Plan:
    """`strategy` is valid: a rule compares what has one unit, and every path is complete."""
    planned = tuple([_planned(path) for path in paths(strategy)])
    clone = planned[0].path.clone
    markets = frozenset(market for one in planned for market in one.path.asset.markets)
    return Plan(
        paths=planned,
        reads=_reads(planned),
        limits=Limits(markets, clone.max_leverage, clone.max_position_ppm),
        cadence_s=clone.cadence_s,
        model=clone.model,
        needs_model=any(one.rule is None for one in planned),
    )


def _planned(path: StrategyPath) -> PlannedPath:
    features = tuple(sorted({*path.stream.features, *_features_of(path.decider)}, key=lambda feature: feature.key))
    key = ";".join(feature.key for feature in features)
    if isinstance(path.decider, RuleNode):
        return PlannedPath(path, features, key, compile_rule(path.decider, features))
    return PlannedPath(path, features, key, rule=None, owner=owner_text(path.decider.text))


def _features_of(decider: RuleNode | PromptNode) -> Iterator[Feature]:
    if isinstance(decider, RuleNode):
        for clause in decider.clauses:
            for operand in operands(clause.when):
                if isinstance(operand, FeatureOperand):
                    yield operand.feature


def _reads(planned: Sequence[PlannedPath]) -> tuple[Read, ...]:
    """One read for all streams that want the same candles."""
    wanted: dict[tuple[CandleInterval, int], dict[Market, tuple[Feature, ...]]] = {}
    for one in planned:
        stream = one.path.stream
        found = wanted.setdefault((stream.interval, stream.candles), {})
        found.update(dict.fromkeys(one.path.asset.markets, one.features))
    return tuple(Read(tuple(sorted(found.items())), *stream) for stream, found in wanted.items())
