"""Decide by a rule block: the first clause whose condition holds says what is wanted. Pure, exact, and fast.

A rule is compiled once into closures. A number that is not known yet makes a comparison neither hold nor fail: `not`
of it is as unknown, and a clause whose condition is unknown does not hold.
"""

from collections.abc import Callable, Iterator
from hashlib import sha256

import msgspec

from pump_party.domains.aitrading.holding import (
    FLAT,
    LONG,
    SHORT,
    Holding,
    exposure_ppm,
    holding_of,
    return_ppm,
    share_ppm,
)
from pump_party.domains.aitrading.model import Direction, Proposal, ProposalAction, RuleDecision
from pump_party.domains.clones.contract import (
    AllOf,
    AnyOf,
    Chance,
    Close,
    Compare,
    Condition,
    Cross,
    FeatureOperand,
    Not,
    NumberOperand,
    Op,
    Operand,
    PositionFigure,
    PositionOperand,
    RuleAction,
    RuleNode,
    Target,
)
from pump_party.domains.marketdata.contract import UNIT_SCALE, Feature, FeatureReading, MarketSnapshot
from pump_party.domains.prop_interface.contract import AccountView
from pump_party.kernel.dice import Dice
from pump_party.kernel.ids import Market
from pump_party.kernel.money import PPM

NUMBER_DECIMALS = 9
_NUMBER_STEPS: int = 10**NUMBER_DECIMALS

_HOLD, _CLOSE = ProposalAction.HOLD, ProposalAction.CLOSE
_SLOT_STRIDE = 0x9E37_79B9_7F4A_7C15
_MASK = 2**64 - 1


class _Facts(msgspec.Struct, gc=False):
    """What conditions look at. `share` and `made` (the return) are of the position; `share` is None without equity."""

    readings: tuple[FeatureReading, ...]
    market: Market
    slot_ms: int
    share: int | None
    made: int


_Number = Callable[[_Facts], int | None]
"""An operand: its value in millionths of its unit's integer, None while it is unknown."""

_Test = Callable[[_Facts], bool | None]


def compile_rule(rule: RuleNode, features: tuple[Feature, ...]) -> RuleDecision:
    """Make a rule ready to run on snapshots whose readings are mostly these features in this order."""
    places = {feature: place for place, feature in enumerate(features)}
    clauses = [
        (_test(clause.when, places), clause.then, f"clause {number} of {rule.id}")
        for number, clause in enumerate(rule.clauses, start=1)
    ]
    none_holds = f"no clause of {rule.id} holds"
    looks = any(isinstance(operand, PositionOperand) for clause in rule.clauses for operand in operands(clause.when))

    def decide(snapshot: MarketSnapshot, account: AccountView, slot_ms: int) -> Proposal:
        market, mid_e8 = snapshot.market, snapshot.mid_e8
        holding = holding_of(account, market)
        share: int | None = 0
        made = 0
        if looks and holding.direction != FLAT:
            equity_micros = account.equity_micros
            share = None if equity_micros is None else share_ppm(holding, mid_e8=mid_e8, equity_micros=equity_micros)
            made = return_ppm(holding, mid_e8=mid_e8)
        facts = _Facts(snapshot.readings, market, slot_ms, share, made)
        for test, action, reason in clauses:
            if test(facts):
                return _proposal(action, market, mid_e8, holding, account.equity_micros, reason)
        return Proposal(market, _HOLD, reason=none_holds)

    return decide


def operands(condition: Condition) -> Iterator[Operand]:
    """Every operand of a condition."""
    match condition:
        case Compare() | Cross():
            yield condition.left
            yield condition.right
        case AllOf() | AnyOf():
            for inner in condition.conditions:
                yield from operands(inner)
        case Not():
            yield from operands(condition.condition)
        case _:
            return


def _proposal(
    action: RuleAction, market: Market, mid_e8: int, holding: Holding, equity_micros: int | None, reason: str
) -> Proposal:
    if isinstance(action, Target) and action.share_ppm:
        return _towards(action, market, mid_e8, holding, equity_micros, reason)
    if isinstance(action, Close | Target) and holding.direction != FLAT:
        return Proposal(market, _CLOSE, reason=reason)
    return Proposal(market, _HOLD, reason=reason)


def _towards(
    target: Target, market: Market, mid_e8: int, holding: Holding, equity_micros: int | None, reason: str
) -> Proposal:
    """Open, increase, turn round or reduce towards the target, unless the position is within the band around it."""
    direction = LONG if target.share_ppm > 0 else SHORT
    side, wanted = (Direction.LONG if direction == LONG else Direction.SHORT), abs(target.share_ppm)
    now = exposure_ppm(holding, mid_e8=mid_e8, equity_micros=equity_micros or 0, leverage=target.leverage)
    if holding.direction != FLAT and abs(target.share_ppm - now) <= target.band_ppm:
        return Proposal(market, _HOLD, reason=reason)
    if holding.direction == direction and abs(now) > wanted:
        return Proposal(market, ProposalAction.REDUCE, side, wanted, target.leverage, reason=reason)
    return Proposal(
        market,
        ProposalAction.OPEN,
        side,
        wanted,
        target.leverage,
        _away_e8(mid_e8, target.stop_ppm, -direction),
        _away_e8(mid_e8, target.target_ppm, direction),
        reason=reason,
    )


def _away_e8(mid_e8: int, distance_ppm: int | None, direction: int) -> int | None:
    """A price at that distance, rounded away from the mid."""
    if distance_ppm is None:
        return None
    return mid_e8 + direction * -(-mid_e8 * distance_ppm // PPM)


def _test(condition: Condition, places: dict[Feature, int]) -> _Test:
    match condition:
        case Compare():
            return _compare(_number(condition.left, places), condition.op, _number(condition.right, places))
        case Cross():
            return _cross(condition, places)
        case AllOf():
            return _all([_test(inner, places) for inner in condition.conditions])
        case AnyOf():
            return _any([_test(inner, places) for inner in condition.conditions])
        case Not():
            return _not(_test(condition.condition, places))
        case Chance():
            return _chance(condition)
        case _:
            return lambda _: True


def _compare(left: _Number, op: Op, right: _Number) -> _Test:
    above = op is Op.ABOVE

    def test(facts: _Facts) -> bool | None:
        one, other = left(facts), right(facts)
        if one is None or other is None:
            return None
        return one > other if above else one < other

    return test


def _cross(condition: Cross, places: dict[Feature, int]) -> _Test:
    now = _compare(_number(condition.left, places), condition.op, _number(condition.right, places))
    before = _compare(
        _number(condition.left, places, previous=True), condition.op, _number(condition.right, places, previous=True)
    )

    def test(facts: _Facts) -> bool | None:
        was, is_now = before(facts), now(facts)
        return None if was is None or is_now is None else is_now and not was

    return test


def _all(tests: list[_Test]) -> _Test:
    def test(facts: _Facts) -> bool | None:
        known: bool | None = True
        for one in tests:
            held = one(facts)
            if held is False:
                return False
            if held is None:
                known = None
        return known

    return test


def _any(tests: list[_Test]) -> _Test:
    def test(facts: _Facts) -> bool | None:
        known: bool | None = False
        for one in tests:
            held = one(facts)
            if held:
                return True
            if held is None:
                known = None
        return known

    return test


def _not(inner: _Test) -> _Test:
    def test(facts: _Facts) -> bool | None:
        held = inner(facts)
        return None if held is None else not held

    return test


def _chance(condition: Chance) -> _Test:
    """The same slot, market and seed give the same chance, live and in every replay."""
    ppm, seed, seeds = condition.ppm, condition.seed, dict[Market, int]()

    def test(facts: _Facts) -> bool:
        base = seeds.get(facts.market)
        if base is None:
            digest = sha256(f"{seed}|{facts.market}".encode()).digest()
            base = seeds[facts.market] = int.from_bytes(digest[:8], "big")
        return Dice(base ^ (facts.slot_ms * _SLOT_STRIDE & _MASK)).chance(ppm)

    return test


def _number(operand: Operand, places: dict[Feature, int], *, previous: bool = False) -> _Number:
    match operand:
        case FeatureOperand():
            return _reading(operand, places.get(operand.feature, 0), previous=previous)
        case NumberOperand():
            fixed = scaled(operand)
            return lambda _: fixed
        case PositionOperand(which=PositionFigure.SHARE):
            return lambda facts: None if facts.share is None else facts.share * PPM
        case PositionOperand():
            return lambda facts: facts.made * PPM


def _reading(operand: FeatureOperand, place: int, *, previous: bool) -> _Number:
    feature, scale = operand.feature, operand.scale_ppm

    def number(facts: _Facts) -> int | None:
        readings = facts.readings
        found = readings[place] if place < len(readings) else None
        if found is None or (found.feature is not feature and found.feature != feature):
            found = next((reading for reading in readings if reading.feature == feature), None)
            if found is None:
                return None
        value = found.previous if previous else found.value
        return None if value is None else value * scale

    return number


def scaled(operand: NumberOperand) -> int:
    """The number in millionths of its unit's integer: exact, since a number has at most nine decimals."""
    negative = operand.value.startswith("-")
    whole, _, fraction = operand.value.removeprefix("-").partition(".")
    nanos = int(whole + fraction.ljust(NUMBER_DECIMALS, "0"))
    value = nanos * UNIT_SCALE[operand.unit] * PPM // _NUMBER_STEPS
    return -value if negative else value
