import pytest
from hypothesis import given
from hypothesis import strategies as st

from pump_party.domains.marketdata.contract import (
    UNIT_SCALE,
    CandleInterval,
    Feature,
    FeatureName,
    FeatureUnit,
    feature_problem,
    parse_feature,
    unit_of,
)
from pump_party.kernel.errors import Invalid

FEATURES = st.builds(
    Feature,
    name=st.sampled_from(FeatureName),
    interval=st.none() | st.sampled_from(CandleInterval),
    period=st.none() | st.integers(-5, 300),
)


def test_a_feature_is_written_as_its_key():
    assert Feature(FeatureName.EMA, CandleInterval.H1, 20).key == "ema(1h,20)"
    assert Feature(FeatureName.MACD, CandleInterval.M5).key == "macd(5m)"
    assert Feature(FeatureName.FUNDING).key == "funding"


@given(FEATURES)
def test_every_feature_that_exists_reads_back_from_its_key_and_no_other_does(feature: Feature):
    if feature_problem(feature) is None:
        assert parse_feature(feature.key) == feature
    else:
        with pytest.raises(Invalid):
            parse_feature(feature.key)


@pytest.mark.parametrize(
    "text", ["", "ema", "ema(1h)", "ema(1h,)", "ema(2h,20)", "ema(1h,1)", "ema(1h,201)", "EMA(1h,20)", "ema(1h,20) "]
)
def test_other_texts_are_not_features(text: str):
    with pytest.raises(Invalid):
        parse_feature(text)


def test_every_feature_has_a_unit_and_every_unit_a_scale():
    assert {unit_of(name) for name in FeatureName} == set(FeatureUnit) == set(UNIT_SCALE)
    assert unit_of(FeatureName.MACD_SIGNAL) is FeatureUnit.PRICE
    assert unit_of(FeatureName.OPEN_INTEREST) is FeatureUnit.AMOUNT


def test_a_feature_says_what_is_wrong_with_it():
    assert feature_problem(Feature(FeatureName.FUNDING, CandleInterval.H1)) == "funding takes no interval"
    assert feature_problem(Feature(FeatureName.CLOSE)) == "close needs an interval"
    assert feature_problem(Feature(FeatureName.MACD, CandleInterval.M1, 12)) == "macd takes no period"
    assert feature_problem(Feature(FeatureName.SMA, CandleInterval.M1)) == "sma needs a period of 2 to 200"
    hourly = Feature(FeatureName.OPEN_INTEREST_CHANGE, CandleInterval.M1, 2)
    assert feature_problem(hourly) == "open_interest_change needs an interval of 1h or 1d: open interest is kept hourly"
