"""A place in a strategy and what is wrong with it."""

from collections.abc import Iterable
from enum import StrEnum
from typing import Any, NamedTuple

import msgspec

from pump_party.domains.clones.strategy import Strategy

UNREAD: Any = msgspec.UNSET
"""Stands in a strategy where something could not be read. What depends on it is not judged."""


class ProblemCode(StrEnum):
    """What can be wrong with a strategy, in the order it is looked for."""

    NOT_JSON = "not_json"
    BAD_SHAPE = "bad_shape"
    UNKNOWN_FIELD = "unknown_field"
    TOO_MANY_BLOCKS = "too_many_blocks"
    BAD_NODE_ID = "bad_node_id"
    OUT_OF_RANGE = "out_of_range"
    TOO_MANY_FEATURES = "too_many_features"
    BAD_FEATURE = "bad_feature"
    DUPLICATE_FEATURE = "duplicate_feature"
    MARKET_COUNT = "market_count"
    UNKNOWN_MARKET = "unknown_market"
    DUPLICATE_MARKET = "duplicate_market"
    EMPTY_PROMPT = "empty_prompt"
    PROMPT_TOO_LONG = "prompt_too_long"
    INVISIBLE_CHARACTERS = "invisible_characters"
    BAD_CADENCE = "bad_cadence"
    BAD_MODEL = "bad_model"
    CLAUSE_COUNT = "clause_count"
    CONDITION_COUNT = "condition_count"
    TOO_DEEP = "too_deep"
    UNIT_MISMATCH = "unit_mismatch"
    CONSTANT_CONDITION = "constant_condition"
    CROSS_OF_POSITION = "cross_of_position"
    NOT_A_DECIMAL = "not_a_decimal"
    TOO_MANY_DECIMALS = "too_many_decimals"
    DUPLICATE_NODE_ID = "duplicate_node_id"
    NO_TRADING_CLONE = "no_trading_clone"
    SECOND_TRADING_CLONE = "second_trading_clone"
    NO_MODEL = "no_model"
    UNKNOWN_NODE = "unknown_node"
    DUPLICATE_EDGE = "duplicate_edge"
    EDGE_NOT_ALLOWED = "edge_not_allowed"
    NOTHING_LEADS_HERE = "nothing_leads_here"
    LEADS_NOWHERE = "leads_nowhere"
    TOO_MANY_MARKETS = "too_many_markets"
    MARKET_ON_SEVERAL_PATHS = "market_on_several_paths"
    ABOVE_POSITION_LIMIT = "above_position_limit"
    ABOVE_LEVERAGE_LIMIT = "above_leverage_limit"
    SHORT_ON_SPOT = "short_on_spot"
    LEVERAGE_ON_SPOT = "leverage_on_spot"


class WrongPlace(NamedTuple):
    """What cannot be read. `at` is a path from the value that was read, "" for the value itself."""

    at: str
    code: ProblemCode
    message: str


class Problem(msgspec.Struct, frozen=True):
    """`path` is the place in the JSON, such as "nodes[2].clauses[0].when"; `node_id` the block, None for the graph."""

    path: str
    node_id: str | None
    code: ProblemCode
    message: str


class Validation(msgspec.Struct, frozen=True):
    """`strategy` is None when there is a problem."""

    strategy: Strategy | None
    problems: tuple[Problem, ...]


class Findings:
    """Gathers the problems of one block. `at` is a path within the block, "" for the block itself."""

    def __init__(self, path: str, node_id: str | None, found: list[Problem]) -> None:
        self._path = path
        self._node_id = node_id
        self._found = found

    def add(self, at: str, code: ProblemCode, message: str) -> None:
        path = f"{self._path}.{at}" if self._path and at else self._path or at
        self._found.append(Problem(path, self._node_id, code, message))

    def add_all(self, wrong: Iterable[WrongPlace]) -> None:
        for place in wrong:
            self.add(place.at, place.code, place.message)

    def within(self, at: str, value: int, *, low: int, high: int) -> None:
        """Note a number outside of its bounds."""
        if value is not UNREAD and not low <= value <= high:
            self.add(at, ProblemCode.OUT_OF_RANGE, f"must be {low} to {high}, not {value}")
