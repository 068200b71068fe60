from typing import Any

import pytest

from pump_party.domains.prop_engine.conformance_perp import CHECKS
from pump_party.kernel.conformance import compare
from pump_party.kernel.errors import Invalid

SHORT = {
    "name": "P01 open 4 SOL SHORT 5x",
    "side": "SHORT",
    "qty": 4_000_000_000,
    "px_e8": 20_000_000_000,
    "leverage": 5,
    "out": {
        "notional": 800_000_000,
        "initial_margin": 160_000_000,
        "fee": 360_000,
        "entry_cost": 800_000_000,
        "maint_margin": 20_000_000,
        "liq_px_e8": 23_414_634_146,
        "hyperliquid_form_e8": "23414634146.341465",
    },
}
CLOSED = {"realised": 15_000_000, "fee": 128_250, "entry_cost_left": 500_000_000, "qty_left": 2_500_000_000}
AT_210 = {"equity": 120_000_000, "maint_margin": 21_000_000, "liquidate": False}
AT_235 = {
    "realised": -140_000_000,
    "fee": 423_000,
    "liq_fee": 2_350_000,
    "returned_to_user": 17_227_000,
    "bad_debt": 0,
}


def mismatches(spec_vectors: dict[str, Any], *cases: dict[str, Any]) -> list[tuple[str, Any, Any]]:
    outcomes = CHECKS["perp"]({"params": spec_vectors["params"], "perp": list(cases)})
    return [found for outcome in outcomes for found in compare(outcome.expected, outcome.got)]


def named(name: str, out: dict[str, Any], **fields: Any) -> dict[str, Any]:
    return {"name": name, "out": out, **fields}


def test_cases_that_state_their_inputs_by_name_go_on_from_the_open_case(spec_vectors: dict[str, Any]):
    found = mismatches(
        spec_vectors,
        SHORT,
        named("P10 close 1.5 of 4 SOL short at 190", CLOSED),
        named("P11 5x short at mark 21000000000", AT_210),
        named("P12 liquidated at 235.00: some margin returned", AT_235),
        named("P12 gap to mark 23500000000", AT_235),
    )
    assert found == []


def test_fields_of_a_case_say_the_same_as_its_name(spec_vectors: dict[str, Any]):
    position = {"side": "SHORT", "qty": 4_000_000_000}
    found = mismatches(
        spec_vectors,
        SHORT,
        named("P10", CLOSED, **position, close_qty=1_500_000_000, px_e8=19_000_000_000),
        named("P11", AT_210, **position, leverage=5, mark_e8=21_000_000_000),
        named("P12", AT_235, **position, leverage=5, px_e8=23_500_000_000),
    )
    assert found == []


def test_the_position_meant_is_found_among_others(spec_vectors: dict[str, Any]):
    others = [
        {**SHORT, "qty": 9_000_000_000, "px_e8": 25_000_000_000, "leverage": 2, "out": {"ignored": 0}},
        {**SHORT, "side": "LONG", "px_e8": 30_000_000_000, "out": {"ignored": 0}},
        {**SHORT, "px_e8": 26_000_000_000, "out": {"ignored": 0}},
    ]
    cases = [
        SHORT,
        *others,
        named("P10 close 1.5 of 4 SOL short at 190", CLOSED),
        named("P11 5x short at mark 210.00", AT_210),
        named("P12 liquidated at 235.00", AT_235),
    ]
    found = mismatches(spec_vectors, *cases)
    assert {field for field, _, _ in found} <= {"ignored", *SHORT["out"]}
    assert all(expected in (0, "(absent)") for _, expected, _ in found)


def test_a_leverage_that_no_case_opened_is_opened_at_the_price_of_one(spec_vectors: dict[str, Any]):
    long = {**SHORT, "side": "LONG", "leverage": 10}
    long["out"] = {**SHORT["out"], "initial_margin": 80_000_000, "liq_px_e8": 18_461_538_462}
    del long["out"]["hyperliquid_form_e8"]
    assert mismatches(spec_vectors, long, named("P11 5x short at mark 210.00", AT_210)) == []


@pytest.mark.parametrize(
    ("case", "field"),
    [
        (named("P10 close 1.5 of 4 SOL short at 190", {**CLOSED, "fee": 1}), "fee"),
        (named("P10 close 1.6 of 4 SOL short at 190", {**CLOSED, "fee": 136_800, "realised": 16_000_000}), "qty_left"),
        (named("P11 5x short at mark 210.00", {**AT_210, "liquidate": True}), "liquidate"),
        (named("P12 liquidated at 235.00", {**AT_235, "bad_debt": 1}), "bad_debt"),
    ],
)
def test_a_wrong_value_is_told(spec_vectors: dict[str, Any], case: dict[str, Any], field: str):
    assert field in {told for told, _, _ in mismatches(spec_vectors, SHORT, case)}


@pytest.mark.parametrize("stated", ["23414634146.341475", "23414634147.341465", "soon", "1/0", 7, None])
def test_the_other_venue_is_compared_at_the_precision_of_a_double(spec_vectors: dict[str, Any], stated: Any):
    case = {**SHORT, "out": {**SHORT["out"], "hyperliquid_form_e8": stated}}
    assert mismatches(spec_vectors, case) == [("hyperliquid_form_e8", stated, "23414634146.341463")]


def test_the_other_venue_may_lose_digits_where_its_terms_cancel(spec_vectors: dict[str, Any]):
    # 10 - 9.75 / 0.975 in doubles: a position without leverage is never liquidated, and exactly this is 0.
    case = {"name": "P01", "side": "LONG", "qty": 7_000_000_000, "px_e8": 1_000_000_000, "leverage": 1}
    case["out"] = {"hyperliquid_form_e8": "1.1920928955078125e-07"}
    assert "hyperliquid_form_e8" not in {field for field, _, _ in mismatches(spec_vectors, case)}


@pytest.mark.parametrize(
    "case",
    [
        named("P10 close some of it", CLOSED),
        named("P10 close 5 of 4 SOL short at 190", CLOSED),
        named("P10 close 1.5.5 of 4 SOL short at 190", CLOSED),
        named("P11 5x at mark 210", AT_210),
        named("P12 liquidated", AT_235),
    ],
)
def test_a_name_that_does_not_say_its_inputs_is_refused(spec_vectors: dict[str, Any], case: dict[str, Any]):
    with pytest.raises(Invalid, match=r"perp: case #2 .*: name: "):
        mismatches(spec_vectors, SHORT, case)


def test_a_position_that_nobody_opened_is_refused(spec_vectors: dict[str, Any]):
    with pytest.raises(Invalid, match="no case before it opens"):
        mismatches(spec_vectors, named("P10 close 1.5 of 4 SOL short at 190", CLOSED))
