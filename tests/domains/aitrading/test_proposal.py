"""Answers are read strictly or not at all: a proposal per market, or a code that says why there is none."""

import gzip
import json
from pathlib import Path
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.domains.aitrading.answers import answer, both, decision, opening, question
from tests.domains.aitrading.worlds import CLOSE, EMA, FUNDING, SOL, SOL_PERP, decider

from pump_party.domains.aitrading.model import (
    Direction,
    Invalidation,
    Proposal,
    ProposalAction,
    Unusable,
    UnusableCode,
)
from pump_party.domains.aitrading.proposal import ANSWER_CHARS_MAX
from pump_party.domains.clones.contract import Op


def read(text: str) -> tuple[Proposal, ...] | Unusable:
    return decider().read(question(), text)


def code(text: str) -> str:
    found = read(text)
    assert isinstance(found, Unusable), found
    return found.code.value


def test_a_full_answer_becomes_one_proposal_per_market_in_the_order_asked():
    text = answer(
        decision(SOL_PERP, action="close", side="short", share="0.7", reason="done", confidence="1"),
        opening(
            stop_price="140.25",
            target_price="150",
            invalidation={"feature": "ema(1h,20)", "op": "below", "value": "139.5", "than": None},
            confidence="0.65",
        ),
    )

    assert read(text) == (
        Proposal(
            SOL,
            ProposalAction.OPEN,
            Direction.LONG,
            250_000,
            1,
            140_2500_0000,
            150_0000_0000,
            Invalidation(EMA, Op.BELOW, value=139_5000_0000),
            650_000,
            "the trend is up",
        ),
        Proposal(SOL_PERP, ProposalAction.CLOSE, confidence_ppm=1_000_000, reason="done"),
    )


@pytest.mark.parametrize(
    ("condition", "expected"),
    [
        ({"feature": "price", "op": "below", "value": "139", "than": None}, Invalidation(None, Op.BELOW, 139 * 10**8)),
        (
            {"feature": "close(1h)", "op": "below", "value": None, "than": "ema(1h,20)"},
            Invalidation(CLOSE, Op.BELOW, than=EMA),
        ),
        (
            {"feature": "ema(1h,20)", "op": "below", "value": None, "than": "price"},
            Invalidation(None, Op.ABOVE, than=EMA),
        ),
        (
            {"feature": "funding", "op": "above", "value": "-0.0001", "than": None},
            Invalidation(FUNDING, Op.ABOVE, -100),
        ),
    ],
)
def test_an_invalidation_is_a_condition_that_the_machine_can_check(condition: dict[str, Any], expected: Invalidation):
    proposals = read(both(invalidation=condition))
    assert isinstance(proposals, tuple)
    assert proposals[0].invalidation == expected


@pytest.mark.parametrize(
    "condition",
    [
        {"feature": "macd(4h)", "op": "below", "value": "0", "than": None},
        {"feature": "If the price closes below 4000", "op": "below", "value": "0", "than": None},
        {"feature": "close(1h)", "op": "below", "value": None, "than": None},
        {"feature": "close(1h)", "op": "below", "value": "1", "than": "ema(1h,20)"},
        {"feature": "close(1h)", "op": "below", "value": None, "than": "funding"},
        {"feature": "close(1h)", "op": "below", "value": None, "than": "close(1h)"},
        {"feature": "price", "op": "below", "value": None, "than": "price"},
    ],
)
def test_a_condition_nobody_could_check_makes_the_answer_unusable(condition: dict[str, Any]):
    assert code(both(invalidation=condition)) == "bad_invalidation"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", "empty"),
        (" \n\t", "empty"),
        (both() + " " * ANSWER_CHARS_MAX, "too_long"),
        ("I would hold for now.", "not_json"),
        ("Here is my decision:\n" + both(), "not_json"),
        ("```json\n" + both() + "\n```", "not_json"),
        (both() + "\nLet me know!", "not_json"),
        (both()[:-1], "not_json"),
        (both() + both(), "not_json"),
        (both().replace("null", "NaN"), "not_json"),
        ("\ufeff" + both(), "not_json"),
        ("[" * 10_000, "wrong_shape"),
        (both(invalidation=[[[[]]]])[:-3], "wrong_shape"),
        ("\ud800", "not_json"),
        ("[]", "wrong_shape"),
        ("null", "wrong_shape"),
        ('"open"', "wrong_shape"),
        ('{"decisions": {}}', "wrong_shape"),
        ('{"decision": []}', "wrong_shape"),
        (json.dumps({"decisions": [opening(), decision(SOL_PERP)], "note": "x"}), "wrong_shape"),
        (both(tool="transfer"), "wrong_shape"),
        (both(share=0.25), "wrong_shape"),
        (both(leverage="3"), "wrong_shape"),
        (both(leverage=3.5), "wrong_shape"),
        (both(leverage=True), "wrong_shape"),
        (both(action="buy"), "wrong_shape"),
        (both(side="LONG"), "wrong_shape"),
        (both(invalidation="If 4-hour MACD crosses below 0"), "wrong_shape"),
        (both(confidence=None), "wrong_shape"),
        (both().replace('"share"', '"Share"'), "wrong_shape"),
        (both().replace('"action": "open"', '"action": "hold", "action": "open"'), "repeated_field"),
        (both().replace('{"decisions"', '{"decisions": [], "decisions"'), "repeated_field"),
        (answer(opening()), "market_missing"),
        (answer(), "market_missing"),
        (answer(opening(), decision(SOL_PERP), decision()), "market_twice"),
        (answer(opening(), decision(SOL_PERP), decision("DOGE-PERP")), "unknown_market"),
        (answer(opening("sol-usdc"), decision(SOL_PERP)), "unknown_market"),
        (both(reason="x" * 501), "too_long"),
        (both(reason="up\u202enwod"), "unsafe_text"),
        (both(reason="a\u0000b"), "unsafe_text"),
        (both(reason="a\u200bb"), "unsafe_text"),
        (both(reason="\x1b[31mred"), "unsafe_text"),
        (both(leverage=0), "number_out_of_range"),
        (both(leverage=-5), "number_out_of_range"),
        (both(leverage=1_001), "number_out_of_range"),
    ],
)
def test_what_is_not_the_answer_asked_for_is_named_and_not_repaired(text: str, expected: str):
    assert code(text) == expected


@pytest.mark.parametrize(
    "number",
    ["", "25%", "1e-1", ".25", "+0.25", "-0.25", "0,25", "0.2500000", "1.000001", "2", "NaN", "∞", "٠.٥", "0x1"],
)
def test_a_share_is_a_plain_decimal_from_0_to_1(number: str):
    assert code(both(share=number)) == "number_out_of_range"
    assert code(both(confidence=number)) == "number_out_of_range"


@pytest.mark.parametrize("number", ["0", "-1", "1e9", "99999999999999999999", "142.123456789", "$142", "142 USDC"])
def test_a_price_is_a_plain_positive_decimal(number: str):
    assert code(both(stop_price=number)) == "number_out_of_range"
    assert code(both(target_price=number)) == "number_out_of_range"


def test_a_refusal_never_quotes_the_answer():
    for text in (both(action="canary-4711"), both(**{"canary-4711": 1}), answer(opening("canary-4711")), "canary-4711"):
        found = read(text)
        assert isinstance(found, Unusable)
        assert "canary" not in found.detail


def test_of_a_hold_and_a_close_only_reason_and_confidence_are_read():
    proposals = read(
        answer(
            decision(side="short", share="0.9", leverage=0, stop_price="1", reason="wait", confidence="0.1"),
            decision(SOL_PERP, action="close", share="rubbish"),
        )
    )
    assert proposals == (
        Proposal(SOL, ProposalAction.HOLD, confidence_ppm=100_000, reason="wait"),
        Proposal(SOL_PERP, ProposalAction.CLOSE, confidence_ppm=500_000, reason="the trend is up"),
    )


def test_a_reason_may_have_several_lines_and_any_script():
    text = "naïve 上涨 📈\n- RSI < 30\n\t- Änderung"
    proposals = read(both(reason=text))
    assert isinstance(proposals, tuple)
    assert proposals[0].reason == text


JSON = st.recursive(
    st.one_of(st.none(), st.booleans(), st.integers(), st.floats(), st.text()),
    lambda inner: st.one_of(st.lists(inner), st.dictionaries(st.text(), inner)),
    max_leaves=12,
)


@given(st.one_of(st.text(), JSON.map(json.dumps), st.binary().map(lambda raw: raw.decode("latin-1"))))
def test_any_text_is_read_or_refused(text: str):
    assert isinstance(read(text), Unusable)


@given(field=st.sampled_from(sorted(decision())), value=JSON)
def test_any_value_in_any_field_is_read_or_refused(field: str, value: object):
    found = read(answer(opening(**{field: value}), decision(SOL_PERP)))
    assert isinstance(found, Unusable | tuple)
    if isinstance(found, tuple):
        assert 0 <= found[0].share_ppm <= 1_000_000
        assert 1 <= found[0].leverage <= 1_000


def test_the_schema_says_exactly_what_is_read():
    """Every object lists its fields, wants all of them and takes no others, as strict modes of providers demand."""
    schema = question().schema
    item = schema["properties"]["decisions"]["items"]
    assert set(item["required"]) == set(item["properties"]) == set(decision())
    assert item["properties"]["market"]["enum"] == [SOL, SOL_PERP]
    assert item["properties"]["invalidation"]["anyOf"][0]["properties"]["feature"]["enum"] == [
        "price",
        "close(1h)",
        "ema(1h,20)",
        "funding",
        "rsi(1h,14)",
    ]
    for found in _objects(schema):
        assert found["additionalProperties"] is False
        assert found["required"] == list(found["properties"])


def _objects(schema: object) -> list[dict[str, Any]]:
    if isinstance(schema, list):
        return [found for one in schema for found in _objects(one)]
    if not isinstance(schema, dict):
        return []
    own = [schema] if schema.get("type") == "object" else []
    return own + [found for one in schema.values() for found in _objects(one)]


def test_recorded_answers_of_models_to_another_prompt_are_unusable_and_never_repaired(recorded_data: Path):
    """Prose, lists of one-coin objects and conditions in words: what was picked out of such text once traded."""
    recorded = msgspec.json.decode(
        gzip.decompress((recorded_data / "data/alpha_arena/conversations.json.gz").read_bytes())
    )
    answers = [
        found if isinstance(found, str) else json.dumps(found)
        for talk in recorded["conversations"]
        for found in (talk["llm_response"], talk["cot_trace"])
        if found
    ]
    assert len(answers) > 100
    codes = {found.code for found in map(read, answers) if isinstance(found, Unusable)}
    assert all(isinstance(read(text), Unusable) for text in answers)
    assert UnusableCode.NOT_JSON in codes
    assert UnusableCode.WRONG_SHAPE in codes
