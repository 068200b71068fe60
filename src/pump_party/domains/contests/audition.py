"""Judge an audition by its equity marks (METRICS, section 4).

Limits are inclusive: exactly on the floor survives, one micro-USDC below fails. The daily floor starts from the equity
at midnight UTC, not from the balance, so a floating loss that was legal before midnight is not a breach after it.
"""

from collections.abc import Iterable

import msgspec

from pump_party.domains.contests.model import (
    AuditionCode,
    AuditionMark,
    AuditionOutcome,
    AuditionRule,
    AuditionState,
)
from pump_party.kernel.money import PPM

DAY_MS = 86_400_000


class _Course(msgspec.Struct):
    """What is remembered from mark to mark. `best_day_micros` is the largest gain of the days that have ended."""

    start_micros: int
    first_day: int
    day: int
    day_start_micros: int
    equity_micros: int
    best_day_micros: int = 0
    fills: int = 0
    active_days: int = 0
    last_active_day: int | None = None

    def take(self, mark: AuditionMark) -> None:
        if mark.day != self.day:
            self.best_day_micros = max(self.best_day_micros, self.equity_micros - self.day_start_micros)
            self.day, self.day_start_micros = mark.day, self.equity_micros
        self.equity_micros = mark.equity_micros
        self.fills += mark.fills
        if mark.fills and self.last_active_day != mark.day:
            self.last_active_day = mark.day
            self.active_days += 1


def judge(marks: Iterable[AuditionMark], rule: AuditionRule, *, start_micros: int) -> AuditionOutcome:
    """The outcome after these marks, oldest first. The first mark that breaks a limit or meets the goal ends it.

    The window begins with the day of the first mark.
    """
    course: _Course | None = None
    for mark in marks:
        if course is None:
            course = _Course(start_micros, mark.day, mark.day, start_micros, start_micros)
        course.take(mark)
        code = _breach(course, rule)
        if code is not None:
            return AuditionOutcome(AuditionState.FAILED, code, mark.day, mark.equity_micros)
        if _passes(course, rule, mark):
            return AuditionOutcome(AuditionState.PASSED, None, mark.day, mark.equity_micros)
    if course is None:
        return AuditionOutcome(AuditionState.OPEN, None, None, start_micros)
    return AuditionOutcome(AuditionState.OPEN, None, course.day, course.equity_micros)


def attempts_left(attempts_ms: Iterable[int], rule: AuditionRule, *, now_ms: int) -> int | None:
    """How many attempts the owner may still begin, by the times of the earlier ones; None is no limit."""
    if rule.attempts_max is None:
        return None
    since_ms = now_ms - rule.attempts_window_days * DAY_MS
    return max(0, rule.attempts_max - sum(at_ms > since_ms for at_ms in attempts_ms))


def _breach(course: _Course, rule: AuditionRule) -> AuditionCode | None:
    lost_today = course.day_start_micros - course.equity_micros
    if lost_today * PPM > rule.daily_loss_ppm * course.start_micros:
        return AuditionCode.DAILY_LOSS
    if (course.start_micros - course.equity_micros) * PPM > rule.total_loss_ppm * course.start_micros:
        return AuditionCode.TOTAL_LOSS
    if rule.window_days is not None and course.day - course.first_day >= rule.window_days:
        return AuditionCode.WINDOW_OVER
    return None


def _passes(course: _Course, rule: AuditionRule, mark: AuditionMark) -> bool:
    profit = course.equity_micros - course.start_micros
    best_day = max(course.best_day_micros, course.equity_micros - course.day_start_micros)
    alpha_ppm, wanted_ppm = mark.timing_alpha_ppm, rule.min_timing_alpha_ppm
    return (
        profit * PPM >= rule.target_ppm * course.start_micros
        and course.active_days >= rule.min_active_days
        and course.fills >= rule.min_fills
        and best_day * PPM <= rule.best_day_ppm * profit
        and (wanted_ppm is None or (alpha_ppm is not None and alpha_ppm >= wanted_ppm))
    )
