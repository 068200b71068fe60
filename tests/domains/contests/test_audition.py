from typing import Any

from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from pump_party.domains.contests.audition import DAY_MS, attempts_left, judge
from pump_party.domains.contests.model import (
    AUDITION_V1,
    AuditionCode,
    AuditionMark,
    AuditionOutcome,
    AuditionRule,
    AuditionState,
)
from pump_party.kernel.money import PPM

START = 10_000_000_000
LOSSES_ONLY = replace(AUDITION_V1, window_days=None)


def steady(
    days: int, *, daily: int = 200_000_000, fills: int = 2, alpha_ppm: int | None = 10_000
) -> list[AuditionMark]:
    return [AuditionMark(day, START + daily * day, fills, alpha_ppm) for day in range(1, days + 1)]


def state(marks: list[AuditionMark], rule: AuditionRule = AUDITION_V1) -> AuditionState:
    return judge(marks, rule, start_micros=START).state


def test_every_vector_gives_exactly_its_outcome(spec_vectors: dict[str, Any]):
    vectors = spec_vectors["audition"]
    rule = AuditionRule(**vectors["rule"])
    for case in vectors["cases"]:
        marks = [AuditionMark(day, equity, int(active)) for day, equity, active in case["marks"]]
        outcome = judge(marks, rule, start_micros=vectors["initial"])
        assert outcome == AuditionOutcome(
            AuditionState(case["out"]["state"]),
            case["out"]["code"] and AuditionCode(case["out"]["code"]),
            case["out"]["day"],
            case["out"]["equity"],
        ), case["name"]


def test_it_passes_at_the_first_mark_where_all_hold_and_each_condition_alone_keeps_it_open():
    assert judge(steady(9), AUDITION_V1, start_micros=START).day == 7
    assert state(steady(6)) is AuditionState.OPEN
    assert state(steady(7, daily=114_285_714)) is AuditionState.OPEN
    assert state(steady(7, fills=1)) is AuditionState.OPEN
    assert state(steady(7, alpha_ppm=9_999)) is AuditionState.OPEN
    assert state(steady(7, alpha_ppm=None)) is AuditionState.OPEN
    assert state(steady(7, daily=120_000_000)) is AuditionState.PASSED


def test_days_without_a_fill_are_not_active():
    idle = [replace(mark, fills=0 if mark.day == 4 else 10) for mark in steady(7)]
    assert state(idle) is AuditionState.OPEN
    assert state([*idle, AuditionMark(8, START + 1_400_000_000, 1, 10_000)]) is AuditionState.PASSED


def test_the_best_day_counts_though_it_is_long_over():
    marks = [
        AuditionMark(1, START + 500_000_000, 9, 10_000),
        *[replace(m, equity_micros=START + 500_000_000 + m.day) for m in steady(9)[1:]],
    ]
    climbing = [AuditionMark(9 + n, START + 500_000_000 + n * 250_000_000, 1, 10_000) for n in (1, 2)]
    assert state([*marks, *climbing]) is AuditionState.OPEN
    assert state([*marks, *climbing, AuditionMark(12, START + 1_250_000_000, 1, 10_000)]) is AuditionState.PASSED


def test_the_window_ends_an_audition_that_did_not_pass():
    flat = [AuditionMark(day, START, 1) for day in range(100, 131)]
    assert state(flat[:30]) is AuditionState.OPEN
    assert judge(flat, AUDITION_V1, start_micros=START) == AuditionOutcome(
        AuditionState.FAILED, AuditionCode.WINDOW_OVER, 130, START
    )


def test_nothing_has_happened_without_a_mark():
    assert judge([], AUDITION_V1, start_micros=START) == AuditionOutcome(AuditionState.OPEN, None, None, START)


@given(st.lists(st.integers(min_value=-500_000_000, max_value=500_000_000), max_size=40), st.integers(1, 5))
def test_it_fails_exactly_when_a_mark_is_below_a_floor(moves: list[int], marks_a_day: int):
    equity, day_start, below = START, START, False
    marks = []
    for index, move in enumerate(moves):
        if index % marks_a_day == 0:
            day_start = equity
        equity += move
        marks.append(AuditionMark(index // marks_a_day, equity, 0))
        below = below or equity < day_start - START * 40_000 // PPM or equity < START * 920_000 // PPM
    outcome = judge(marks, LOSSES_ONLY, start_micros=START)
    assert (outcome.state is AuditionState.FAILED) == below
    assert (outcome.code is not None) == below


@given(st.lists(st.tuples(st.integers(0, 3), st.integers(-400_000_000, 600_000_000)), max_size=30), st.integers(0, 30))
def test_what_has_ended_stays_ended(rows: list[tuple[int, int]], kept: int):
    marks, day, equity = [], 1, START
    for days, move in rows:
        day, equity = day + days, equity + move
        marks.append(AuditionMark(day, equity, 3, 20_000))
    before = judge(marks[:kept], AUDITION_V1, start_micros=START)
    if before.state is not AuditionState.OPEN:
        assert judge(marks, AUDITION_V1, start_micros=START) == before


def test_three_attempts_in_thirty_days_and_no_more():
    now_ms = 100 * DAY_MS
    attempts = [now_ms - 31 * DAY_MS, now_ms - 30 * DAY_MS, now_ms - 29 * DAY_MS, now_ms - 1]
    assert attempts_left(attempts, AUDITION_V1, now_ms=now_ms) == 1
    assert attempts_left([now_ms] * 5, AUDITION_V1, now_ms=now_ms) == 0
    assert attempts_left([now_ms] * 5, replace(AUDITION_V1, attempts_max=None), now_ms=now_ms) is None
