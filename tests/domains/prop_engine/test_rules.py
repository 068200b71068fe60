import msgspec
import pytest
from tests.domains.prop_engine.markets import ASSETS, SOL, SOL_PERP, rule_documents, rule_sets

from pump_party.domains.prop_engine.rules import build_rule_sets, contest_latencies_ms
from pump_party.domains.prop_interface.contract import AccountKind, FillMode

RULE_SETS = rule_sets()


def test_every_kind_of_account_has_one_rule_set_it_plays_by_unless_it_names_another() -> None:
    defaults = [rules.kind for rules in RULE_SETS.values() if rules.default]
    assert sorted(defaults) == sorted(AccountKind)


def test_accounts_keep_the_rules_they_were_opened_under() -> None:
    """A rule set stays as it is, also when the model grows: other conditions are another one with a name of its own."""
    assert {name: rules.params_sha256[:16] for name, rules in RULE_SETS.items()} == {
        "practice-v1": "c1e18bd841ba82c8",
        "practice-v2": "cac0379dfe77bc78",
        "practice-next-v1": "22d5e50867aadc80",
        "practice-book-v1": "6eed4c94f6e85026",
        "contest-v1": "22d5e50867aadc80",
        "clone-v1": "2a23061e1e0a8123",
        "house-v1": "2a23061e1e0a8123",
        "audition-v1": "df9b793eda5910e1",
        "race-v1": "325cdde8cac586f6",
    }
    assert RULE_SETS["practice-v1"].perp == {}


def test_rule_sets_that_differ_have_different_versions() -> None:
    versions = {rules.params_sha256 for rules in RULE_SETS.values()}
    same = [n for n, rules in RULE_SETS.items() if rules.params_sha256 == RULE_SETS["contest-v1"].params_sha256]
    assert same == ["practice-next-v1", "contest-v1"], "the same conditions, for practice and for contests"
    assert RULE_SETS["house-v1"].params_sha256 == RULE_SETS["clone-v1"].params_sha256
    assert len(versions) == len(RULE_SETS) - 2


def test_a_market_is_judged_by_the_shortest_wait_that_counts_for_a_contest() -> None:
    assert contest_latencies_ms(RULE_SETS.values()) == {asset.market: 1_500 for asset in ASSETS}
    rules, perpetuals = rule_documents()
    rules["spot"]["hasty"] = rules["spot"]["v2"] | {"latency_ms": 700}
    rules["rule_sets"]["hasty"] = rules["rule_sets"]["contest-v1"] | {"spot": "hasty", "default": False}
    judged = contest_latencies_ms(build_rule_sets(rules, perpetuals, ASSETS).values())
    assert (judged[SOL], judged[SOL_PERP]) == (700, 1_500)


def test_rules_that_fill_at_once_protect_no_market_and_practice_alone_judges_none() -> None:
    rules = RULE_SETS["practice-next-v1"]
    at_once = msgspec.structs.replace(rules, fill_mode=FillMode.LATEST)
    assert contest_latencies_ms([rules, at_once])[SOL] == 0
    assert contest_latencies_ms([RULE_SETS["practice-v2"]]) == {}


def test_a_market_takes_its_tick_and_lot_from_the_registry() -> None:
    rules = RULE_SETS["practice-v2"]
    assert (rules.spot[SOL].tick_e8, rules.spot[SOL].lot_nanos) == (10_000, 100_000)
    assert rules.perp[SOL_PERP].pricing.lot_nanos == 10_000_000


def test_a_misspelt_or_missing_parameter_stops_the_start() -> None:
    rules, perpetuals = rule_documents()
    del rules["spot"]["v2"]["taker_fee_ppm"]
    with pytest.raises(msgspec.ValidationError, match="taker_fee_ppm"):
        build_rule_sets(rules, perpetuals, ASSETS)
