"""What is wrong with a rule: units that do not match, numbers out of range, conditions nested too deep.

UNREAD may stand anywhere in it.
"""

import re
from collections.abc import Iterator

from msgspec import UnsetType

from pump_party.domains.clones.problem import UNREAD, Findings
from pump_party.domains.clones.problem import ProblemCode as Code
from pump_party.domains.clones.rule import (
    CLAUSES_MAX,
    CONDITION_DEPTH_MAX,
    CONDITIONS_PER_GROUP_MAX,
    LEVERAGE_MAX,
    PPM_MAX,
    SCALE_PPM_MAX,
    SEED_MAX,
    AllOf,
    AnyOf,
    Chance,
    Clause,
    Compare,
    Condition,
    Cross,
    FeatureOperand,
    Not,
    NumberOperand,
    Operand,
    PositionOperand,
    Target,
)
from pump_party.domains.clones.shape import read_items
from pump_party.domains.marketdata.contract import UNIT_SCALE, Feature, FeatureUnit, feature_problem, unit_of

_NUMBER = re.compile(r"-?(0|[1-9][0-9]{0,11})(?:\.([0-9]{1,9}))?", re.ASCII)


def check_clauses(clauses: tuple[Clause, ...], findings: Findings) -> None:
    """Note every problem of a rule that does not depend on the rest of the graph."""
    if clauses is not UNREAD and not 1 <= len(clauses) <= CLAUSES_MAX:
        findings.add("clauses", Code.CLAUSE_COUNT, f"a rule has 1 to {CLAUSES_MAX} clauses")
    for index, clause in read_items(clauses):
        _check_condition(clause.when, f"clauses[{index}].when", 1, findings)
        if isinstance(clause.then, Target):
            _check_target(clause.then, f"clauses[{index}].then", findings)


def features_of(clauses: tuple[Clause, ...]) -> set[Feature]:
    """The numbers of market memory that a rule compares."""
    return {feature for _, clause in read_items(clauses) for feature in _features(clause.when)}


def _features(condition: Condition) -> Iterator[Feature]:
    if isinstance(condition, Compare | Cross):
        for operand in (condition.left, condition.right):
            if isinstance(operand, FeatureOperand) and operand.feature is not UNREAD:
                yield operand.feature
    elif isinstance(condition, AllOf | AnyOf):
        for _, inner in read_items(condition.conditions):
            yield from _features(inner)
    elif isinstance(condition, Not):
        yield from _features(condition.condition)


def _check_condition(condition: Condition, at: str, depth: int, findings: Findings) -> None:
    if depth > CONDITION_DEPTH_MAX:
        findings.add(at, Code.TOO_DEEP, f"conditions may be nested {CONDITION_DEPTH_MAX} deep")
        return
    if isinstance(condition, AllOf | AnyOf):
        if condition.conditions is not UNREAD and not 1 <= len(condition.conditions) <= CONDITIONS_PER_GROUP_MAX:
            findings.add(at, Code.CONDITION_COUNT, f"a group has 1 to {CONDITIONS_PER_GROUP_MAX} conditions")
        for index, inner in read_items(condition.conditions):
            _check_condition(inner, f"{at}.conditions[{index}]", depth + 1, findings)
    elif isinstance(condition, Not):
        _check_condition(condition.condition, f"{at}.condition", depth + 1, findings)
    elif isinstance(condition, Compare | Cross):
        _check_comparison(condition, at, findings)
    elif isinstance(condition, Chance):
        findings.within(f"{at}.ppm", condition.ppm, low=0, high=PPM_MAX)
        findings.within(f"{at}.seed", condition.seed, low=0, high=SEED_MAX)


def _check_comparison(comparison: Compare | Cross, at: str, findings: Findings) -> None:
    for side, operand in (("left", comparison.left), ("right", comparison.right)):
        _check_operand(operand, f"{at}.{side}", findings)
        if isinstance(comparison, Cross) and isinstance(operand, PositionOperand):
            findings.add(f"{at}.{side}", Code.CROSS_OF_POSITION, "a position does not cross: compare it instead")
    left, right = _unit_of(comparison.left), _unit_of(comparison.right)
    if left is not UNREAD and right is not UNREAD and left is not right:
        findings.add(at, Code.UNIT_MISMATCH, f"compares {_kind(left)} with {_kind(right)}")
    if isinstance(comparison.left, NumberOperand) and isinstance(comparison.right, NumberOperand):
        findings.add(at, Code.CONSTANT_CONDITION, "compares two numbers: the answer is always the same")


def _unit_of(operand: Operand | UnsetType) -> FeatureUnit:
    """The unit of what is compared, UNREAD when that cannot be said."""
    unread: FeatureUnit = UNREAD
    match operand:
        case FeatureOperand():
            return unread if operand.feature is UNREAD else unit_of(operand.feature.name)
        case NumberOperand():
            return operand.unit
        case PositionOperand():
            return FeatureUnit.RATIO
    return unread


def _kind(unit: FeatureUnit) -> str:
    return f"{'an' if unit.value[0] in 'ai' else 'a'} {unit}"


def _check_operand(operand: Operand, at: str, findings: Findings) -> None:
    if isinstance(operand, FeatureOperand):
        problem = None if operand.feature is UNREAD else feature_problem(operand.feature)
        if problem is not None:
            findings.add(f"{at}.feature", Code.BAD_FEATURE, problem)
        findings.within(f"{at}.scale_ppm", operand.scale_ppm, low=-SCALE_PPM_MAX, high=SCALE_PPM_MAX)
        if operand.scale_ppm == 0:
            findings.add(f"{at}.scale_ppm", Code.OUT_OF_RANGE, "must not be 0")
    elif isinstance(operand, NumberOperand):
        _check_number(operand, f"{at}.value", findings)


def _check_number(operand: NumberOperand, at: str, findings: Findings) -> None:
    if operand.value is UNREAD:
        return
    match = _NUMBER.fullmatch(operand.value)
    if match is None:
        findings.add(at, Code.NOT_A_DECIMAL, 'must be a decimal string such as "0.5" or "-12"')
    elif operand.unit is not UNREAD:
        decimals = len(str(UNIT_SCALE[operand.unit])) - 1
        if len(match[2] or "") > decimals:
            findings.add(at, Code.TOO_MANY_DECIMALS, f"{_kind(operand.unit)} has at most {decimals} decimals")


def _check_target(target: Target, at: str, findings: Findings) -> None:
    findings.within(f"{at}.share_ppm", target.share_ppm, low=-PPM_MAX, high=PPM_MAX)
    findings.within(f"{at}.leverage", target.leverage, low=1, high=LEVERAGE_MAX)
    findings.within(f"{at}.band_ppm", target.band_ppm, low=0, high=PPM_MAX)
    if target.stop_ppm is not None:
        findings.within(f"{at}.stop_ppm", target.stop_ppm, low=1, high=PPM_MAX - 1)
    if target.target_ppm is not None:
        findings.within(f"{at}.target_ppm", target.target_ppm, low=1, high=PPM_MAX)
