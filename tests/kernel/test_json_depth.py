"""Nesting is told without parsing, and agrees with what was nested."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pump_party.kernel.json_depth import is_nested_beyond

VALUES = st.recursive(
    st.none() | st.integers() | st.text(alphabet='[]{}"\\ab'),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.text(alphabet='[{"\\', max_size=3), inner, max_size=3)
    ),
)


def depth_of(value: object) -> int:
    if isinstance(value, dict):
        return 1 + max(map(depth_of, value.values()), default=0)
    return 1 + max(map(depth_of, value), default=0) if isinstance(value, list) else 0


@given(VALUES, st.integers(0, 6))
def test_it_agrees_with_the_depth_of_the_value(value: object, depth_max: int) -> None:
    assert is_nested_beyond(json.dumps(value).encode(), depth_max) is (depth_of(value) > depth_max)


@pytest.mark.parametrize("content", [b"[" * 1_000_000, b'{"a":' * 200_000, b"[]" * 10 + b"[" * 100_000])
def test_what_would_follow_a_parser_down_is_refused(content: bytes) -> None:
    assert is_nested_beyond(content, 64)
