import json

import pytest

from pump_party.kernel.conformance import ABSENT, Outcome, Vectors, compare, malformed, run
from pump_party.kernel.errors import Invalid


def differences(expected: object, got: object) -> list[tuple[str, object, object]]:
    return list(compare(expected, got))


def sums(vectors: Vectors):
    for number, row in enumerate(vectors["sums"]):
        if "of" not in row:
            raise malformed("is missing", section="sums", case=f"#{number}", field="of")
        yield Outcome(f"#{number}", row["out"], sum(row["of"]))


def report(**document: object):
    return run(json.dumps(document).encode(), [{"sums": sums}, {"sums": lambda _: [Outcome("again", 1, 1)]}])


def test_types_count():
    assert differences(1, 1) == []
    assert differences(1, True) == [("", 1, True)]
    assert differences(1, "1") == [("", 1, "1")]
    assert differences(None, 0) == [("", None, 0)]


def test_the_place_of_a_difference_is_named():
    assert differences({"a": [{"b": 1}, 2]}, {"a": [{"b": 3}, 2]}) == [("a[0].b", 1, 3)]
    assert differences({"a": 1, "c": 2}, {"a": 1, "b": 3}) == [("c", 2, ABSENT), ("b", ABSENT, 3)]
    assert differences([1], [1, 2]) == [("", [1], [1, 2])]


def test_a_rejection_and_a_fill_differ_as_a_whole():
    assert differences({"reject": "A"}, {"reject": "B"}) == [("reject", "A", "B")]
    assert differences({"reject": "A"}, {"fee": 1, "qty": 2}) == [("", {"reject": "A"}, {"fee": 1, "qty": 2})]


def test_checks_of_one_section_add_up():
    found = report(sums=[{"of": [1, 2], "out": 3}, {"of": [1, 2], "out": 4}])
    assert (found.conforms, found.cases, found.mismatches) == (False, 3, 1)
    [section] = [section for section in found.sections if section.cases]
    assert [(m.case, m.expected, m.got) for m in section.mismatches] == [("#1", 4, 3)]


def test_an_unknown_section_fails_a_left_out_one_does_not():
    found = report(schema="exec-vectors/1", more=[])
    assert not found.conforms
    assert {s.section: s.note for s in found.sections if s.note} == {
        "more": "unknown section",
        "sums": "not in the file",
        "units": "not in the file",
    }
    assert report(schema="exec-vectors/1").conforms


def test_another_schema_or_unit_is_a_mismatch():
    assert report(schema="exec-vectors/2").mismatches == 1
    assert report(units={"cash": "uUSDC=1e-6 USDC", "rate": "ppm unless named ppb"}).conforms
    assert report(units={"cash": "cents=1e-2 USD"}).mismatches == 1
    assert report(units={"speed": "1e-3"}).mismatches == 1


def test_a_malformed_case_is_refused_with_its_place():
    with pytest.raises(Invalid, match="sums: case #0: of: is missing"):
        report(sums=[{}])
