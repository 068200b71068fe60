"""Whatever stands in a strategy: it is told as a problem, or harmless."""

from typing import Any

import msgspec
from hypothesis import given
from hypothesis import strategies as st
from tests.domains.clones.strategies import (
    KNOWN,
    Json,
    clause,
    compare,
    encode,
    feature,
    nested,
    number,
    rule,
    sound,
    target,
)

from pump_party.domains.clones.strategy import Strategy
from pump_party.domains.clones.validation import problems, read

json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=8) | st.floats(allow_nan=False),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner, max_size=4),
    max_leaves=12,
)


def plant(strategy: Json, path: list[int], value: Any) -> None:
    place: Any = strategy
    for step in path[:-1]:
        inner = list(place.values()) if isinstance(place, dict) else place
        if not isinstance(inner, list) or not inner:
            break
        place = inner[step % len(inner)]
    if isinstance(place, dict) and place:
        place[sorted(place)[path[-1] % len(place)]] = value
    elif isinstance(place, list) and place:
        place[path[-1] % len(place)] = value


paths = st.lists(st.integers(0, 30), min_size=1, max_size=8)


@given(plants=st.lists(st.tuples(paths, json_values), min_size=1, max_size=4))
def test_whatever_is_planted_in_a_strategy_is_told_or_harmless(plants: list[tuple[list[int], Any]]):
    strategy = sound(decider=rule(clause(compare(feature(), "above", number("1"))), clause(nested(3), target(5))))
    for path, value in plants:
        plant(strategy, path, value)

    validation = read(encode(strategy), KNOWN)

    assert (validation.strategy is None) == bool(validation.problems)
    try:
        strict = msgspec.json.decode(encode(strategy), type=Strategy)
    except msgspec.ValidationError:
        assert validation.problems
    else:
        assert validation.problems == problems(strict, KNOWN)
