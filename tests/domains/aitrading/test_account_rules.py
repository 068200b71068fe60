"""What gates and sizes take from a rule set: its markets, tiers and caps."""

import pytest
from tests.domains.aitrading.worlds import BTC_PERP, SOL, SOL_PERP, rule_sets

from pump_party.domains.aitrading.account_rules import account_rules


def test_markets_are_those_of_the_rule_set_that_its_risk_rules_allow():
    assert set(account_rules(rule_sets()["audition-v1"]).markets) == {SOL}
    assert {SOL, SOL_PERP, BTC_PERP} <= set(account_rules(rule_sets()["race-v1"]).markets)


def test_caps_are_those_of_the_risk_rules_and_none_is_none():
    race = account_rules(rule_sets()["race-v1"])
    assert (race.max_leverage, race.max_position_micros) == (10, 50_000_000_000)
    practice = account_rules(rule_sets()["practice-v2"])
    assert (practice.max_leverage, practice.max_position_micros) == (None, None)


@pytest.mark.parametrize(
    ("notional_micros", "leverage"), [(0, 20), (69_999_999_999_999, 20), (70_000_000_000_000, 10), (10**18, 10)]
)
def test_the_leverage_of_a_perpetual_falls_with_its_size(notional_micros: int, leverage: int):
    rules = account_rules(rule_sets()["practice-v2"]).markets
    assert rules[SOL_PERP].max_leverage(notional_micros) == leverage
    assert rules[SOL].max_leverage(notional_micros) == 1
    assert (rules[SOL].is_perp, rules[SOL_PERP].is_perp) == (False, True)
