from decimal import Context, Decimal, localcontext
from statistics import NormalDist

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pump_party.domains.prop_engine import normal

KNOWN = {
    "0": "0.5",
    "1": "0.84134474606854294858523254563203747674",
    "-3": "0.0013498980316300945266518147675949773778",
}


@pytest.mark.parametrize(("z", "probability"), KNOWN.items())
def test_phi_is_that_of_the_tables(z: str, probability: str):
    assert abs(normal.cumulative(Decimal(z)) - Decimal(probability)) < Decimal("1e-31")


@given(st.decimals(min_value=-8, max_value=8, places=6))
def test_phi_agrees_with_another_implementation(z: Decimal):
    assert float(normal.cumulative(z)) == pytest.approx(NormalDist().cdf(float(z)), rel=1e-9, abs=1e-15)


@settings(max_examples=25)
@given(st.integers(min_value=1, max_value=10**12 - 1))
def test_the_quantile_undoes_phi_to_forty_digits(millionths_of_millionths: int):
    probability = Decimal(millionths_of_millionths).scaleb(-12)
    with localcontext(Context(prec=60)):
        assert abs(normal.cumulative(normal.quantile(probability)) - probability) < Decimal("1e-40")


def test_far_out_everything_is_certain_and_the_middle_is_zero():
    assert (normal.cumulative(Decimal(40)), normal.cumulative(Decimal(-40))) == (1, 0)
    assert normal.quantile(Decimal("0.5")) == 0
    assert normal.quantile(Decimal("0.975")) == normal.quantile(Decimal("0.025")).copy_negate()
