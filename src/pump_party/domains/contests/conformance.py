"""What the vectors say of races and auditions (sections `ranking` and `audition`, and the score of `metrics`)."""

from collections.abc import Iterator, Mapping
from typing import Any

import msgspec

from pump_party.domains.contests.audition import judge
from pump_party.domains.contests.model import AuditionMark, AuditionRule, Entry
from pump_party.domains.contests.ranking import rank, score
from pump_party.kernel.conformance import (
    Check,
    Integer,
    NotNegative,
    Outcome,
    Positive,
    Vectors,
    cases_of,
    expected_of,
    malformed,
    read,
)


class _Entry(msgspec.Struct, frozen=True):
    id: str
    eligible: bool
    r_ppm: Integer
    mdd_ppm: NotNegative
    turnover_ppm: Integer

    def entry(self) -> Entry:
        return Entry(self.id, self.eligible, self.r_ppm, self.mdd_ppm, self.turnover_ppm)


class _Race(msgspec.Struct, frozen=True):
    entries: list[_Entry]
    out: list[tuple[str, Integer | None]]
    scores: dict[str, str] | None = None


class _Measured(msgspec.Struct, frozen=True):
    r_ppm: Integer
    mdd_ppm: NotNegative


class _Auditions(msgspec.Struct, frozen=True):
    rule: AuditionRule
    initial: Positive
    cases: list[dict[str, Any]]


class _AuditionCase(msgspec.Struct, frozen=True):
    marks: list[tuple[Integer, Integer, bool]]


def _check_ranking(vectors: Vectors) -> Iterator[Outcome]:
    """Who shares a rank may stand in any order."""
    for case, row in cases_of(vectors, "ranking"):
        race = read(row, _Race, section="ranking", case=case)
        entries = [entry.entry() for entry in race.entries]
        expected = _once(race.out, case, "out")
        _once([(entry.entry_id, None) for entry in entries], case, "entries")
        if race.scores is not None:
            scores = {e.entry_id: str(score(return_ppm=e.return_ppm, drawdown_ppm=e.drawdown_ppm)) for e in entries}
            yield Outcome(f"{case} scores", race.scores, scores)
        yield Outcome(f"{case} ranks", expected, {ranked.entry_id: ranked.rank for ranked in rank(entries)})
        yield Outcome(f"{case} best first", _is_ordered(race.out), True)


def _is_ordered(out: list[tuple[str, int | None]]) -> bool:
    places = [place for _, place in out]
    return places == sorted(places, key=lambda place: (place is None, place or 0))


def _once(pairs: list[tuple[str, int | None]], case: str, field: str) -> dict[str, int | None]:
    by_id = dict(pairs)
    if len(by_id) < len(pairs):
        raise malformed("names an entry twice", section="ranking", case=case, field=field)
    return by_id


def _check_score(vectors: Vectors) -> Iterator[Outcome]:
    for case, row in cases_of(vectors, "metrics"):
        if "score" in row:
            measured = read(row, _Measured, section="metrics", case=case)
            exact = score(return_ppm=measured.r_ppm, drawdown_ppm=measured.mdd_ppm)
            yield Outcome(f"{case} score", row["score"], str(exact))


def _check_audition(vectors: Vectors) -> Iterator[Outcome]:
    """A mark says whether there was a fill, not how many; the alpha gate is not part of the vectors."""
    for group, section in cases_of(vectors, "audition"):
        auditions = read(section, _Auditions, section="audition", case=group)
        for case, row in cases_of({"audition": auditions.cases}, "audition"):
            given = read(row, _AuditionCase, section="audition", case=case)
            marks = [AuditionMark(day, equity, int(filled)) for day, equity, filled in given.marks]
            outcome = judge(marks, auditions.rule, start_micros=auditions.initial)
            got = {
                "state": outcome.state.value,
                "code": None if outcome.code is None else outcome.code.value,
                "day": outcome.day,
                "equity": outcome.equity_micros,
            }
            yield Outcome(case, expected_of(row, section="audition", case=case), got)


CHECKS: Mapping[str, Check] = {"ranking": _check_ranking, "audition": _check_audition, "metrics": _check_score}
