"""Read a model's answer: a proposal for every market it was asked about, or why it is none. Never repaired. Pure."""

import json
import re
import unicodedata
from collections.abc import Sequence
from functools import lru_cache
from typing import Any

import msgspec

from pump_party.domains.aitrading.invalidation import PRICE_KEY, unit_of_key
from pump_party.domains.aitrading.model import (
    REASON_CHARS_MAX,
    Direction,
    Invalidation,
    Proposal,
    ProposalAction,
    Question,
    Unusable,
    UnusableCode,
)
from pump_party.domains.clones.contract import Op
from pump_party.domains.marketdata.contract import Feature, FeatureUnit
from pump_party.kernel.errors import Invalid
from pump_party.kernel.ids import Market
from pump_party.kernel.json_depth import is_nested_beyond
from pump_party.kernel.money import E8_DECIMALS, INT64_MAX, MICROS_DECIMALS, NANOS_DECIMALS, PPM, parse_decimal

ANSWER_DEPTH_MAX = 16
"""Brackets within brackets: a decision has four."""

ANSWER_CHARS_MAX = 32_000
LEVERAGE_MAX = 1_000
"""Bounds of what is read at all; what is allowed is for the gates."""

SCHEMAS_KEPT = 256
"""Schemas of answers that are kept: clones that look at the same are asked by the same one."""

_DECIMALS = {
    FeatureUnit.PRICE: E8_DECIMALS,
    FeatureUnit.RATIO: MICROS_DECIMALS,
    FeatureUnit.INDEX: MICROS_DECIMALS,
    FeatureUnit.AMOUNT: NANOS_DECIMALS,
}
_PLACE = re.compile(r" - at `([^`]*)`\Z")
_HIDDEN = frozenset({"Cc", "Cf", "Cs", "Co", "Cn"})
_SEEN_CONTROLS = frozenset("\n\t\u200d")
"""Line breaks, tabs, and what joins the parts of an emoji."""


class _Condition(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    feature: str
    op: Op
    value: str | None
    than: str | None


class _Decision(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    market: str
    reason: str
    action: ProposalAction
    side: Direction | None
    share: str
    leverage: int
    stop_price: str | None
    target_price: str | None
    invalidation: _Condition | None
    confidence: str


class _Answer(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    decisions: tuple[_Decision, ...]


class _Refused(Exception):
    def __init__(self, code: UnusableCode, detail: str) -> None:
        super().__init__(detail)
        self.unusable = Unusable(code, detail)


_decode = msgspec.json.Decoder(_Answer).decode


@lru_cache(maxsize=SCHEMAS_KEPT)
def answer_schema(markets: tuple[Market, ...], features: tuple[Feature, ...]) -> dict[str, Any]:
    """JSON Schema of an answer, in the part of it that every provider's strict mode knows. Shared: never change it."""
    keys = [PRICE_KEY, *[feature.key for feature in features]]
    condition = _object(
        {
            "feature": {"type": "string", "enum": keys},
            "op": {"type": "string", "enum": [op.value for op in Op]},
            "value": {"type": ["string", "null"], "description": "a plain decimal; null when than is set"},
            "than": {"type": ["string", "null"], "enum": [*keys, None], "description": "null when value is set"},
        }
    )
    decision = _object(
        {
            "market": {"type": "string", "enum": list(markets)},
            "reason": {"type": "string", "description": f"at most {REASON_CHARS_MAX} characters"},
            "action": {"type": "string", "enum": [action.value for action in ProposalAction]},
            "side": {"type": ["string", "null"], "enum": [*[side.value for side in Direction], None]},
            "share": {"type": "string", "description": 'wanted share of equity, a decimal from "0" to "1"'},
            "leverage": {"type": "integer", "description": "1 for spot"},
            "stop_price": {"type": ["string", "null"], "description": "a plain decimal in USDC"},
            "target_price": {"type": ["string", "null"], "description": "a plain decimal in USDC"},
            "invalidation": {"anyOf": [condition, {"type": "null"}]},
            "confidence": {"type": "string", "description": 'a decimal from "0" to "1"'},
        }
    )
    return _object({"decisions": {"type": "array", "items": decision}})


def _object(properties: dict[str, Any]) -> dict[str, Any]:
    return {
        "type": "object",
        "properties": properties,
        "required": list(properties),
        "additionalProperties": False,
    }


def read_answer(question: Question, answer: str) -> tuple[Proposal, ...] | Unusable:
    """The answer's proposals in the order of the question's markets. No detail of a refusal quotes the answer."""
    try:
        decisions = _decisions(answer)
        _check_markets(question.markets, [decision.market for decision in decisions])
        features = {feature.key: feature for feature in question.features}
        read = {decision.market: _proposal(decision, features) for decision in decisions}
    except _Refused as refused:
        return refused.unusable
    return tuple([read[market] for market in question.markets])


def _decisions(answer: str) -> tuple[_Decision, ...]:
    if not answer.strip():
        raise _Refused(UnusableCode.EMPTY, "the answer is empty")
    if len(answer) > ANSWER_CHARS_MAX:
        raise _Refused(UnusableCode.TOO_LONG, f"the answer is longer than {ANSWER_CHARS_MAX} characters")
    try:
        content = answer.encode()
        if is_nested_beyond(content, ANSWER_DEPTH_MAX):
            raise _Refused(UnusableCode.WRONG_SHAPE, "at $")
        decoded = _decode(content)
    except msgspec.ValidationError as error:
        place = _PLACE.search(str(error))
        raise _Refused(UnusableCode.WRONG_SHAPE, f"at {place[1] if place else '$'}") from error
    except (msgspec.DecodeError, UnicodeError) as error:
        raise _Refused(UnusableCode.NOT_JSON, "the answer is not one JSON value") from error
    # A field given twice has two meanings; the decoder above takes the last without a word.
    try:
        json.loads(answer, object_pairs_hook=_refuse_repeated)
    except ValueError as error:
        raise _Refused(UnusableCode.NOT_JSON, "the answer is not one JSON value") from error
    return decoded.decisions


def _refuse_repeated(pairs: list[tuple[str, Any]]) -> None:
    if len({name for name, _ in pairs}) != len(pairs):
        raise _Refused(UnusableCode.REPEATED_FIELD, "an object names a field twice")


def _check_markets(asked: Sequence[Market], answered: Sequence[str]) -> None:
    if not set(answered) <= set(asked):
        raise _Refused(UnusableCode.UNKNOWN_MARKET, "a decision is about a market that was not asked about")
    if len(set(answered)) != len(answered):
        raise _Refused(UnusableCode.MARKET_TWICE, "a market has two decisions")
    missing = [market for market in asked if market not in answered]
    if missing:
        raise _Refused(UnusableCode.MARKET_MISSING, f"no decision about {', '.join(missing)}")


def _proposal(decision: _Decision, features: dict[str, Feature]) -> Proposal:
    market = Market(decision.market)
    _check_text(decision.reason, market)
    confidence = _decimal(decision.confidence, MICROS_DECIMALS, PPM, f"{market}: confidence")
    if decision.action in {ProposalAction.HOLD, ProposalAction.CLOSE}:
        return Proposal(market, decision.action, confidence_ppm=confidence, reason=decision.reason)
    if not 1 <= decision.leverage <= LEVERAGE_MAX:
        raise _Refused(UnusableCode.NUMBER_OUT_OF_RANGE, f"{market}: leverage")
    return Proposal(
        market=market,
        action=decision.action,
        side=decision.side,
        share_ppm=_decimal(decision.share, MICROS_DECIMALS, PPM, f"{market}: share"),
        leverage=decision.leverage,
        stop_price_e8=_price(decision.stop_price, f"{market}: stop_price"),
        target_price_e8=_price(decision.target_price, f"{market}: target_price"),
        invalidation=_invalidation(decision.invalidation, features, market),
        confidence_ppm=confidence,
        reason=decision.reason,
    )


def _price(text: str | None, place: str) -> int | None:
    return None if text is None else _decimal(text, E8_DECIMALS, INT64_MAX, place, least=1)


def _decimal(text: str, decimals: int, most: int, place: str, *, least: int = 0) -> int:
    try:
        value = parse_decimal(text, decimals=decimals, field=place)
    except Invalid as error:
        raise _Refused(UnusableCode.NUMBER_OUT_OF_RANGE, f"{place}: {error.code}") from error
    if not least <= value <= most:
        raise _Refused(UnusableCode.NUMBER_OUT_OF_RANGE, place)
    return value


def hides_something(text: str) -> bool:
    """Whether a text has characters that do not show: controls, marks of direction, halves of characters."""
    return any(unicodedata.category(char) in _HIDDEN and char not in _SEEN_CONTROLS for char in text)


def _check_text(text: str, market: Market) -> None:
    if len(text) > REASON_CHARS_MAX:
        raise _Refused(UnusableCode.TOO_LONG, f"{market}: reason")
    if hides_something(text):
        raise _Refused(UnusableCode.UNSAFE_TEXT, f"{market}: reason has characters that do not show")


def _invalidation(condition: _Condition | None, features: dict[str, Feature], market: Market) -> Invalidation | None:
    if condition is None:
        return None
    if (condition.value is None) == (condition.than is None):
        raise _bad_condition(market, "exactly one of value and than is needed")
    feature, unit = _operand(condition.feature, features, market)
    if condition.than is not None:
        than, other_unit = _operand(condition.than, features, market)
        if other_unit is not unit:
            raise _bad_condition(market, "the features have different units")
        if than == feature:
            raise _bad_condition(market, "a feature is compared with itself")
        if than is None:  # price above a feature is the feature below the price
            return Invalidation(None, Op.BELOW if condition.op is Op.ABOVE else Op.ABOVE, than=feature)
        return Invalidation(feature, condition.op, than=than)
    assert condition.value is not None
    place = f"{market}: invalidation"
    size = _decimal(condition.value.removeprefix("-"), _DECIMALS[unit], INT64_MAX, place)
    return Invalidation(feature, condition.op, value=-size if condition.value.startswith("-") else size)


def _operand(key: str, features: dict[str, Feature], market: Market) -> tuple[Feature | None, FeatureUnit]:
    if key == PRICE_KEY:
        return None, unit_of_key(None)
    feature = features.get(key)
    if feature is None:
        raise _bad_condition(market, "names a feature that is not of the list")
    return feature, unit_of_key(feature)


def _bad_condition(market: Market, problem: str) -> _Refused:
    return _Refused(UnusableCode.BAD_INVALIDATION, f"{market}: invalidation: {problem}")
