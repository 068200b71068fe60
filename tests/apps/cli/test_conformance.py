import json
import subprocess
import sys
from collections.abc import Iterator
from contextlib import suppress
from copy import deepcopy
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from pump_party.apps.cli import conformance
from pump_party.apps.cli.main import main
from pump_party.bootstrap.offline import check_conformance
from pump_party.kernel.errors import Invalid

SECTIONS = (
    *("schema", "units", "params", "normalise", "admit", "select", "spot", "l2", "ledger", "perp", "settle"),
    *("integrity", "reserve", "metrics", "ranking", "audition"),
)
EXPECTED_KEYS = {
    *("out", "scores", "postings", "canonical", "leaf_hashes", "roots", "chain"),
    *("r_ppm", "mdd_ppm", "ratios_365", "score", "model", "jump_confirm_ticks", "schema", "units"),
}
INPUT_TOO = {"r_ppm", "mdd_ppm"}
"""What a case of one list states as input, a case of another as its outcome."""


@pytest.fixture(scope="module")
def vectors(recorded_data: Path) -> dict[str, Any]:
    return json.loads((recorded_data / "spec/vectors.json").read_bytes())


def report_on(document: Any):
    return check_conformance(json.dumps(document).encode())


def leaves(node: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    if isinstance(node, dict | list):
        for key, value in node.items() if isinstance(node, dict) else enumerate(node):
            yield from leaves(value, (*path, key))
    else:
        yield path


def at(node: Any, path: tuple[Any, ...]) -> Any:
    for key in path:
        node = node[key]
    return node


def changed(document: Any, path: tuple[Any, ...], value: Any) -> Any:
    document = deepcopy(document)
    at(document, path[:-1])[path[-1]] = value
    return document


def expected_leaves(document: dict[str, Any], section: str) -> list[tuple[Any, ...]]:
    paths = (path for path in leaves(document[section], (section,)) if set(path) & EXPECTED_KEYS)
    if section in ("ranking", "metrics"):
        paths = (path for path in paths if not (set(path) & INPUT_TOO and set(path) & {"entries", "timing_alpha"}))
    # Names and assets of postings say which value is meant; the rest are values.
    return [path for path in paths if path[-1] not in ("name", "account", "asset")]


def wrong(value: Any) -> Any:
    """Another value of the same kind: its last digit is another, or its last letter."""
    match value:
        case bool():
            return not value
        case int():
            return value + 1
        case None:
            return 7
        case str() if any(c.isdigit() for c in value):
            last = max(n for n, c in enumerate(value) if c.isdigit())
            return value[:last] + str((int(value[last]) + 5) % 10) + value[last + 1 :]
        case _:
            return f"X{value}".replace("ppm", "bps")


def test_the_engine_conforms_to_the_vectors_in_every_section(vectors: dict[str, Any]):
    report = report_on(vectors)
    assert [(s.section, m) for s in report.sections for m in s.mismatches] == []
    assert report.conforms
    run = {section.section for section in report.sections if section.cases}
    assert run == set(SECTIONS)
    assert {section.section: section.note for section in report.sections if section.note} == {
        "properties": "not run: statements about random orders"
    }


@pytest.mark.parametrize("section", SECTIONS)
def test_any_expected_value_that_differs_is_a_mismatch_of_its_section(vectors: dict[str, Any], section: str):
    paths = expected_leaves(vectors, section)
    assert paths
    for path in paths:
        value = at(vectors, path)
        report = report_on(changed(vectors, path, wrong(value)))
        assert not report.conforms, path
        assert {s.section for s in report.sections if s.mismatches} == {section}, path


def test_both_values_are_told_and_the_exit_code_is_1(vectors: dict[str, Any], tmp_path: Path, capsys: Any):
    file = tmp_path / "vectors.json"
    file.write_text(json.dumps(changed(vectors, ("spot", 0, "out", "fee"), 105_218)))
    assert main(["conformance", str(file)]) == 1
    out = capsys.readouterr().out
    assert "MISMATCH #1 S01 buy 1 SOL: fee: expected 105218, got 105217" in out
    assert "spot           22 cases    1 mismatches" in out
    assert out.splitlines()[-1] == "99 cases, 1 mismatches"

    assert main(["conformance", str(file), "--json"]) == 1
    told = json.loads(capsys.readouterr().out)
    assert (told["conforms"], told["mismatches"]) == (False, 1)
    [spot] = [section for section in told["sections"] if section["section"] == "spot"]
    assert spot["mismatches"] == [{"case": "#1 S01 buy 1 SOL", "field": "fee", "expected": 105218, "got": 105217}]


def test_a_file_that_agrees_ends_with_0(vectors: dict[str, Any], tmp_path: Path, capsys: Any):
    file = tmp_path / "vectors.json"
    file.write_text(json.dumps(vectors))
    assert main(["conformance", str(file)]) == 0
    assert "99 cases, 0 mismatches" in capsys.readouterr().out


def test_a_fill_where_a_rejection_was_expected_is_one_mismatch(vectors: dict[str, Any]):
    report = report_on(changed(vectors, ("spot", 0, "out"), {"reject": "PRICE_STALE"}))
    [mismatch] = [m for section in report.sections for m in section.mismatches]
    assert (mismatch.expected, mismatch.got["fee"]) == ({"reject": "PRICE_STALE"}, 105_217)


def test_a_value_that_is_missing_or_too_much_is_a_mismatch(vectors: dict[str, Any]):
    less, more = deepcopy(vectors), deepcopy(vectors)
    del less["settle"][0]["out"]["d"]
    more["settle"][0]["out"]["e"] = 0
    for document, expected, got in ((less, "(absent)", 0), (more, 0, "(absent)")):
        [mismatch] = [m for section in report_on(document).sections for m in section.mismatches]
        assert (mismatch.expected, mismatch.got) == (expected, got)


def test_a_section_nobody_knows_fails_and_is_named(vectors: dict[str, Any], tmp_path: Path, capsys: Any):
    file = tmp_path / "vectors.json"
    file.write_text(json.dumps({**vectors, "options": []}))
    assert main(["conformance", str(file)]) == 1
    out = capsys.readouterr().out
    assert "options      unknown section" in out
    assert out.splitlines()[-1].endswith("unknown: options")


def test_sections_may_be_left_out(vectors: dict[str, Any]):
    report = report_on({name: vectors[name] for name in ("schema", "settle")})
    assert report.conforms
    assert {s.section for s in report.sections if s.note == "not in the file"} == set(SECTIONS) - {"schema", "settle"}


def test_parameters_are_those_of_the_file(vectors: dict[str, Any]):
    document = changed(vectors, ("params", "spot", "taker_fee_ppm"), 800)
    report = report_on(document)
    assert {s.section for s in report.sections if s.mismatches} == {"spot", "l2", "ledger", "reserve"}
    stricter = changed(vectors, ("params", "spot", "jump_ppm"), 100)
    assert [m.got for s in report_on(stricter).sections for m in s.mismatches] == ["QUARANTINE_JUMP"]


def test_optional_fields_may_be_left_out(vectors: dict[str, Any]):
    document = deepcopy(vectors)
    for case in document["spot"]:
        if case["fill_ms"] == case["tick"]["recv_ms"]:
            del case["fill_ms"]
        for side in ("u_buy", "u_sell"):
            if case["account"][side] == [0, 0]:
                del case["account"][side]
        del case["tick"]["slot"], case["name"]
        case["order"].setdefault("max_slippage_ppm", None)
    del document["ledger"]
    assert report_on(document).conforms


@pytest.mark.parametrize(
    ("path", "place"),
    [
        (("spot", 0, "order", "side"), "spot: case #1 S01 buy 1 SOL: order.side: is missing"),
        (("spot", 0, "account", "cash"), "spot: case #1 S01 buy 1 SOL: account.cash: is missing"),
        (("spot", 2, "tick"), "spot: case #3 S03 buy 1,000 USDC fee-inclusive: tick: is missing"),
        (("spot", 0, "out"), "spot: case #1 S01 buy 1 SOL: out: is missing"),
        (("params", "spot", "lot_lamports"), "params: case spot: lot_lamports: is missing"),
        (("params", "perp", "tiers", 1, "max_lev"), "params: case perp: tiers[1].max_lev: is missing"),
        (("normalise", 1, "input", "expo"), "normalise: case #2: input.expo: is missing"),
        (("admit", 0, "now_ms"), "admit: case #1 ok: now_ms: is missing"),
        (("l2", 0, "levels"), "l2: case #1 B01 buy 50 SOL walks 2 levels at 50% participation: levels: is missing"),
        (("ledger", 0, "name"), "ledger: case #1: name: is missing"),
        (("perp", 0, "qty"), "perp: case #1 P01 open 10 SOL LONG 10x: qty: is missing"),
        (("perp", 10, "name"), "perp: case #11: name: states its inputs neither"),
        (("settle", 0, "weights_ppm"), "settle: case #1 X01 three winners, odd pool: weights_ppm: is missing"),
        (("integrity", "genesis"), "integrity: case #1: genesis: is missing"),
        (("reserve", 0, "last_mid"), "reserve: case #1: last_mid: is missing"),
        (("metrics", "equity_daily"), "metrics: case #1: equity_daily: is missing"),
        (("ranking", "entries", 0, "mdd_ppm"), "ranking: case #1: entries[0].mdd_ppm: is missing"),
        (("audition", "rule", "target_ppm"), "audition: case #1: rule.target_ppm: is missing"),
        (("audition", "cases", 0, "marks"), "audition: case #1 U01 steady pass on day 7: marks: is missing"),
    ],
)
def test_a_missing_field_is_named_with_its_section_and_case(vectors: dict[str, Any], path: tuple[Any, ...], place: str):
    document = deepcopy(vectors)
    del at(document, path[:-1])[path[-1]]
    with pytest.raises(Invalid) as refused:
        report_on(document)
    assert refused.value.detail.startswith(place)


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"", "is not JSON"),
        (b"{", "is not JSON"),
        (b"\xff\xfe", "is not JSON"),
        (b"[]", "is not a JSON object"),
        (b"{}", "holds no case"),
        (b'{"properties": {}}', "holds no case"),
        (b'{"spot": [{"name": "no parameters"}]}', "params: "),
        (b'{"settle": [7]}', "settle: case #1: is not an object"),
    ],
)
def test_a_file_of_another_form_ends_with_2_and_says_why(content: bytes, reason: str, tmp_path: Path, capsys: Any):
    file = tmp_path / "vectors.json"
    file.write_bytes(content)
    assert main(["conformance", str(file)]) == 2
    told = capsys.readouterr().err
    assert str(file) in told
    assert reason in told


def test_a_file_that_is_nested_without_end_ends_with_2(tmp_path: Path):
    # In a process of its own: a library of other tests lifts the limit on recursion that the product runs under.
    file = tmp_path / "vectors.json"
    file.write_bytes(b"[" * 100_000)
    command = [Path(sys.executable).parent / "pump-party", "conformance", file]
    ran = subprocess.run(command, capture_output=True, text=True, check=False, timeout=60)
    assert ran.returncode == 2
    assert "is not JSON" in ran.stderr


def test_a_file_that_cannot_be_read_ends_with_2(tmp_path: Path, capsys: Any, monkeypatch: pytest.MonkeyPatch):
    assert main(["conformance", str(tmp_path / "none.json")]) == 2
    assert "No such file" in capsys.readouterr().err
    assert main(["conformance", str(tmp_path)]) == 2
    capsys.readouterr()
    monkeypatch.setattr(conformance, "FILE_BYTES_MAX", 10)
    (tmp_path / "long.json").write_text(" " * 11)
    assert main(["conformance", str(tmp_path / "long.json")]) == 2
    assert "larger" in capsys.readouterr().err


junk = st.sampled_from([None, True, 0, 1, -1, 7, 1.5, 2**63, -(2**80), "", "x", "7", [], [0], {}, {"reject": "X"}])


@settings(max_examples=400, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.data())
def test_whatever_is_in_a_file_it_is_compared_or_refused(vectors: dict[str, Any], data: st.DataObject):
    section = data.draw(st.sampled_from(SECTIONS))
    document, path, node = vectors, (section,), vectors[section]
    while isinstance(node, dict | list) and node and data.draw(st.booleans() | st.just(True)):
        key = data.draw(st.sampled_from(list(node) if isinstance(node, dict) else range(len(node))))
        path, node = (*path, key), node[key]
    document = changed(document, path, data.draw(junk))
    with suppress(Invalid):
        report = report_on(document)
        assert report.conforms == (not any(s.mismatches or s.fails for s in report.sections))
