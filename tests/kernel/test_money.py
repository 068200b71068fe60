import pytest
from hypothesis import given
from hypothesis import strategies as st

from pump_party.kernel.errors import Invalid
from pump_party.kernel.money import ceil_div, format_decimal, parse_decimal


@pytest.mark.parametrize(
    ("text", "micros"),
    [
        ("0", 0),
        ("1", 1_000_000),
        ("0.000001", 1),
        ("150.415017", 150_415_017),
        ("999999999999999", 999999999999999 * 10**6),
    ],
)
def test_a_decimal_string_is_read_exactly(text: str, micros: int) -> None:
    assert parse_decimal(text, decimals=6, field="amount") == micros


@pytest.mark.parametrize(
    "bad",
    [
        1,
        1.5,
        None,
        True,
        [],
        "",
        " 1",
        "1 ",
        "+1",
        "-1",
        "-0",
        "01",
        ".5",
        "1.",
        "1e3",
        "1e309",
        "NaN",
        "Infinity",
        "0x1",
        "1,5",
        "1_000",
        "١",
        "1" * 16,
        "10" * 40,
        "1.0000001",
        "1.00000000000000000000",
    ],
)
def test_anything_else_is_refused_by_name(bad: object) -> None:
    with pytest.raises(Invalid) as refused:
        parse_decimal(bad, decimals=6, field="amount")
    assert refused.value.field == "amount"
    assert refused.value.code in {"not_a_decimal", "too_many_decimals"}


@given(st.integers(min_value=0, max_value=10**21), st.sampled_from([6, 8, 9]))
def test_what_is_written_is_read_back(value: int, decimals: int) -> None:
    text = format_decimal(value, decimals)
    if value < 10 ** (15 + decimals):
        assert parse_decimal(text, decimals=decimals, field="amount") == value
    assert format_decimal(-value, decimals) == (f"-{text}" if value else "0")


@given(st.integers(), st.integers(min_value=1))
def test_ceil_div_is_the_smallest_integer_not_below_the_quotient(a: int, b: int) -> None:
    assert (ceil_div(a, b) - 1) * b < a <= ceil_div(a, b) * b
