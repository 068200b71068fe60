import pytest
from hypothesis import given
from hypothesis import strategies as st

from pump_party.domains.marketdata.normalise import EXPONENT_MAX, EXPONENT_MIN, normalise


def test_every_normalise_vector_gives_exactly_its_integers(spec_vectors):
    assert spec_vectors["normalise"]
    for vector in spec_vectors["normalise"]:
        mid_e8, conf_e8 = normalise(**vector["input"])
        assert {"mid_e8": mid_e8, "conf_e8": conf_e8} == vector["out"], vector["input"]


@given(
    price=st.integers(-(10**20), 10**20),
    conf=st.integers(0, 10**20),
    expo=st.integers(EXPONENT_MIN, EXPONENT_MAX),
)
def test_the_interval_always_covers_the_published_one(price, conf, expo):
    mid_e8, conf_e8 = normalise(price, conf, expo)
    scale = 10 ** (-EXPONENT_MIN)
    published = scale * 10 ** (expo + 8) if expo >= -8 else scale // 10 ** (-8 - expo)
    assert (mid_e8 - conf_e8) * scale <= (price - conf) * published
    assert (mid_e8 + conf_e8) * scale >= (price + conf) * published
    assert mid_e8 * scale <= price * published


@pytest.mark.parametrize("expo", [EXPONENT_MIN - 1, EXPONENT_MAX + 1, 10**9, -(10**9)])
def test_an_exponent_out_of_range_is_refused_before_it_is_a_huge_number(expo):
    with pytest.raises(ValueError, match="exponent"):
        normalise(1, 1, expo)


def test_a_negative_confidence_is_refused():
    with pytest.raises(ValueError, match="negative"):
        normalise(1, -1, -8)
