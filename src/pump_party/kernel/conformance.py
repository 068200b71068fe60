"""Compare what the product computes with a file of vectors: expected integers, section by section.

The file's form is `exec-vectors/1`: an object with a section per subject, each with cases that hold inputs and `out`.
A domain supplies a check per section; here the file is read, outcomes are compared and mismatches named.
Names of the file and ours: lamports are nanos of the base asset; cash, `quote`, `gross`, `fee`, `dcash` and every
other USDC amount are micros; `mid`, `conf`, `px_e8` are e8; `dsol` and `qty` are nanos; rates are ppm unless `ppb`.
"""

import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Annotated, Any, TypeVar

import msgspec

from pump_party.kernel.errors import Invalid
from pump_party.kernel.money import E8_DECIMALS, INT64_MAX, MICROS_DECIMALS, NANOS_DECIMALS

SCHEMA = "exec-vectors/1"
UNITS = {
    "cash": f"1e-{MICROS_DECIMALS}",
    "sol": f"1e-{NANOS_DECIMALS}",
    "price": f"1e-{E8_DECIMALS}",
    "rate": "ppm",
}
NOT_RUN = frozenset({"properties"})
"""Sections that state what held over random orders; the product's own property tests assert those."""

ABSENT = "(absent)"
REJECT = "reject"

Integer = Annotated[int, msgspec.Meta(ge=-INT64_MAX, le=INT64_MAX)]
NotNegative = Annotated[int, msgspec.Meta(ge=0, le=INT64_MAX)]
Positive = Annotated[int, msgspec.Meta(ge=1, le=INT64_MAX)]

Vectors = Mapping[str, Any]


class Outcome(msgspec.Struct, frozen=True):
    """One case: what the file expects and what the product gives, both in the file's words."""

    case: str
    expected: Any
    got: Any


Check = Callable[[Vectors], Iterable[Outcome]]
"""Runs one section of the file. Raises Invalid, by `malformed`, for a case that cannot be read."""


class Mismatch(msgspec.Struct, frozen=True):
    case: str
    field: str
    expected: Any
    got: Any


class SectionReport(msgspec.Struct, frozen=True):
    """`note` says why a section has no cases that were run; a section that `fails` without a mismatch is unknown."""

    section: str
    cases: int
    mismatches: tuple[Mismatch, ...]
    note: str = ""
    fails: bool = False


class Report(msgspec.Struct, frozen=True):
    """Conforms when every section of the file is known and no value differs."""

    conforms: bool
    cases: int
    mismatches: int
    sections: tuple[SectionReport, ...]


def run(content: bytes, checks: Sequence[Mapping[str, Check]]) -> Report:
    """Run every section of the file. Several checks of one section add up.

    Raises Invalid, naming section, case and field, for a file that is not of the form.
    """
    vectors = _decode(content)
    known: dict[str, list[Check]] = {"schema": [_check_schema], "units": [_check_units]}
    for mapping in checks:
        for section, check in mapping.items():
            known.setdefault(section, []).append(check)
    sections = [_run_section(section, vectors, known) for section in vectors]
    sections += [SectionReport(name, 0, (), "not in the file") for name in known if name not in vectors]
    cases = sum(section.cases for section in sections)
    if not cases:
        raise malformed("holds no case to compare")
    return Report(
        conforms=not any(section.fails or section.mismatches for section in sections),
        cases=cases,
        mismatches=sum(len(section.mismatches) for section in sections),
        sections=tuple(sections),
    )


def malformed(problem: str, *, section: str = "", case: str = "", field: str = "") -> Invalid:
    """The refusal of a file, with the place of the problem in front."""
    place = ": ".join(part for part in (section, f"case {case}" if case else "", field) if part)
    return Invalid(f"{place}: {problem}" if place else f"the file {problem}", code="malformed_vectors", field=field)


T = TypeVar("T")


def read(raw: Any, kind: type[T], *, section: str, case: str = "") -> T:
    """Read a part of the file into a struct. Fields the struct does not name are ignored."""
    try:
        return msgspec.convert(raw, kind)
    except msgspec.ValidationError as error:
        problem, _, path = str(error).partition(" - at `")
        field = path.removesuffix("`").removeprefix("$").removeprefix(".")
        missing = re.fullmatch(r"Object missing required field `(.+)`", problem)
        if missing:
            field, problem = f"{field}.{missing[1]}".removeprefix("."), "is missing"
        raise malformed(problem, section=section, case=case, field=field) from error


def cases_of(vectors: Vectors, section: str) -> list[tuple[str, Any]]:
    """The cases of a section with what to call them: number and name. A section of one case is the case itself."""
    raw = vectors[section]
    rows = raw if isinstance(raw, list) else [raw]
    named = []
    for number, row in enumerate(rows, start=1):
        if not isinstance(row, dict):
            raise malformed("is not an object", section=section, case=f"#{number}")
        name = row.get("name")
        named.append((f"#{number} {name}" if isinstance(name, str) and name else f"#{number}", row))
    return named


def expected_of(row: Mapping[str, Any], *, section: str, case: str) -> Any:
    """What the file says comes out of a case."""
    if "out" not in row:
        raise malformed("is missing", section=section, case=case, field="out")
    return row["out"]


def compare(expected: Any, got: Any, field: str = "") -> Iterator[tuple[str, Any, Any]]:
    """Every place where the two differ, as (field, expected, got). Types count: 1 is neither true nor "1"."""
    if isinstance(expected, dict) and isinstance(got, dict):
        if (REJECT in expected) != (REJECT in got):
            yield field, expected, got
            return
        for key in dict.fromkeys([*expected, *got]):
            yield from compare(expected.get(key, ABSENT), got.get(key, ABSENT), f"{field}.{key}" if field else key)
    elif isinstance(expected, list) and isinstance(got, list) and len(expected) == len(got):
        for index, (one, other) in enumerate(zip(expected, got, strict=True)):
            yield from compare(one, other, f"{field}[{index}]")
    elif type(expected) is not type(got) or expected != got:
        yield field, expected, got


def _decode(content: bytes) -> dict[str, Any]:
    try:
        vectors = msgspec.json.decode(content)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise malformed(f"is not JSON: {error}") from error
    if not isinstance(vectors, dict):
        raise malformed("is not a JSON object")
    return vectors


def _run_section(section: str, vectors: Vectors, known: Mapping[str, Sequence[Check]]) -> SectionReport:
    if section in NOT_RUN:
        return SectionReport(section, 0, (), "not run: statements about random orders")
    if section not in known:
        return SectionReport(section, 0, (), "unknown section", fails=True)
    outcomes = [outcome for check in known[section] for outcome in check(vectors)]
    mismatches = tuple(
        Mismatch(outcome.case, field, expected, got)
        for outcome in outcomes
        for field, expected, got in compare(outcome.expected, outcome.got)
    )
    return SectionReport(section, len(outcomes), mismatches)


def _check_schema(vectors: Vectors) -> Iterator[Outcome]:
    yield Outcome("", vectors["schema"], SCHEMA)


def _check_units(vectors: Vectors) -> Iterator[Outcome]:
    """The text is for people; what counts is the power of ten in it, or that a rate is in ppm."""
    units = read(vectors["units"], dict[str, str], section="units")
    for name, text in units.items():
        spoken = UNITS.get(name, ABSENT)
        said = re.search(r"1e-\d+|\bppm\b", text)
        yield Outcome(name, text if said is None else said[0], spoken)
