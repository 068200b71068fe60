from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pump_party.adapters.observed_price import BadPayload, digits_of, mid_of_book


@pytest.mark.parametrize(
    ("bid", "ask", "mid_e8", "conf_e8"),
    [
        ("105055.0", "105056.0", 10505550000000, 1050555000),  # half a dollar is less than the floor of 1 bp
        ("99", "101", 10_000_000_000, 100_000_000),
        ("61837.63000000", "61837.64000000", 6183763500000, 618376350),
        ("0.00000001", "0.00000002", 1, 2),  # the mid floors, the confidence covers it
        ("100", "100.00000001", 10_000_000_000, 1_000_000),
    ],
)
def test_the_mid_is_halfway_and_the_confidence_half_the_spread_but_never_below_one_basis_point(
    bid: str, ask: str, mid_e8: int, conf_e8: int
):
    assert mid_of_book(Decimal(bid), Decimal(ask)) == (mid_e8, conf_e8)


@given(
    bid=st.decimals(min_value="0.00001", max_value="1000000", places=5),
    spread=st.decimals(min_value="0.00001", max_value="1000", places=5),
)
def test_both_sides_of_the_book_lie_within_the_confidence_of_the_mid(bid: Decimal, spread: Decimal):
    mid_e8, conf_e8 = mid_of_book(bid, bid + spread)
    assert (mid_e8 - conf_e8) <= bid * 10**8
    assert (mid_e8 + conf_e8) >= (bid + spread) * 10**8


@pytest.mark.parametrize("text", ["0", "-1", "NaN", "Infinity", "-Infinity", "1e30", "1e-30", "1" * 40, "0.0"])
def test_a_number_that_is_no_price_is_refused(text: str):
    with pytest.raises(BadPayload):
        digits_of(Decimal(text), field="price")


@pytest.mark.parametrize(("bid", "ask"), [("10", "10"), ("11", "10"), ("10.00", "10"), ("99999999", "999999999")])
def test_a_crossed_locked_or_absurd_book_is_refused(bid: str, ask: str):
    with pytest.raises(BadPayload):
        mid_of_book(Decimal(bid), Decimal(ask))
