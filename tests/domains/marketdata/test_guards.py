import pytest
from tests.domains.marketdata.feeds import e8

from pump_party.domains.marketdata.guards import is_depegged, is_skewed


@pytest.mark.parametrize(
    ("lags_ms", "skewed"),
    [
        ([], False),
        ([9_000], False),
        ([9_000, 9_000], False),
        ([9_000, 9_000, 9_000], True),
        ([3_000, 3_000, 3_000], False),
        ([3_001, 3_001, 3_001], True),
        ([-2_000, -2_000, -2_000], False),
        ([-2_001, -2_001, -2_001], True),
        ([0, 0, 60_000], False),
        ([0, 60_000, 60_000], True),
        ([0, 0, 60_000, 60_000], True),
        ([0, 0, -60_000, -60_000], True),
        ([0, 0, 0, 60_000], False),
    ],
)
def test_a_clock_is_skewed_when_the_median_lag_leaves_its_range(lags_ms, skewed):
    assert is_skewed(lags_ms) is skewed


@pytest.mark.parametrize(
    ("rate", "depegged"),
    [("1", False), ("1.01", False), ("0.99", False), ("1.01000001", True), ("0.98999999", True), ("0", True)],
)
def test_the_quote_asset_is_depegged_when_more_than_one_percent_off(rate, depegged):
    assert is_depegged(e8(rate)) is depegged
