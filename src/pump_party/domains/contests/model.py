"""The nouns of auditions and races. Frozen values, integers with their unit; who is judged is an id."""

from enum import StrEnum

import msgspec


class AuditionRule(msgspec.Struct, frozen=True):
    """What an audition asks for. Shares are of the start capital, the best day's of the profit.

    A limit that is None, or a minimum of 0, does not apply. Attempts are counted over `attempts_window_days`.
    """

    target_ppm: int
    daily_loss_ppm: int
    total_loss_ppm: int
    best_day_ppm: int
    min_active_days: int
    min_fills: int = 0
    min_timing_alpha_ppm: int | None = None
    window_days: int | None = None
    attempts_max: int | None = None
    attempts_window_days: int = 30


AUDITION_V1 = AuditionRule(
    target_ppm=80_000,
    daily_loss_ppm=40_000,
    total_loss_ppm=80_000,
    best_day_ppm=400_000,
    min_active_days=7,
    min_fills=10,
    min_timing_alpha_ppm=10_000,
    window_days=30,
    attempts_max=3,
)


class AuditionMark(msgspec.Struct, frozen=True):
    """One equity mark. `day` is a UTC day number, `fills` how many there were since the mark before.

    The passing mark needs standing equity: what is left after everything were sold. `timing_alpha_ppm` is that of the
    attempt so far, None while it is unknown.
    """

    day: int
    equity_micros: int
    fills: int
    timing_alpha_ppm: int | None = None


class AuditionState(StrEnum):
    OPEN = "OPEN"
    PASSED = "PASSED"
    FAILED = "FAILED"


class AuditionCode(StrEnum):
    """Why an audition failed, in the order the checks are made."""

    DAILY_LOSS = "DAILY_LOSS"
    TOTAL_LOSS = "TOTAL_LOSS"
    WINDOW_OVER = "WINDOW_OVER"


class AuditionOutcome(msgspec.Struct, frozen=True):
    """How an audition stands, and the mark that decided it; the newest one while it is open."""

    state: AuditionState
    code: AuditionCode | None
    day: int | None
    equity_micros: int


class RankBy(StrEnum):
    """What a race is won by; pinned before entries open."""

    ROMAD = "romad"
    RETURN = "return"
    TIMING_ALPHA = "timing_alpha"


class RaceRule(msgspec.Struct, frozen=True):
    """Who is ranked at all. Limits are inclusive."""

    min_active_days: int = 3
    min_exposure_ppm: int = 50_000
    max_drawdown_ppm: int = 250_000


class Participation(msgspec.Struct, frozen=True):
    """What eligibility looks at. `exposure_ppm` is weighted with time, None when no time passed."""

    entered_ms: int
    disqualified: bool
    active_days: int
    exposure_ppm: int | None
    drawdown_ppm: int


class Ineligible(StrEnum):
    """Why an entrant has no rank, in the order the checks are made."""

    ENTERED_LATE = "ENTERED_LATE"
    DISQUALIFIED = "DISQUALIFIED"
    TOO_FEW_ACTIVE_DAYS = "TOO_FEW_ACTIVE_DAYS"
    TOO_LITTLE_EXPOSURE = "TOO_LITTLE_EXPOSURE"
    TOO_DEEP_DRAWDOWN = "TOO_DEEP_DRAWDOWN"


class Entry(msgspec.Struct, frozen=True):
    """The result a race ranks. `timing_alpha_ppm` is needed only where a race is won by it."""

    entry_id: str
    eligible: bool
    return_ppm: int
    drawdown_ppm: int
    turnover_ppm: int
    timing_alpha_ppm: int | None = None


class Ranked(msgspec.Struct, frozen=True):
    """`rank` is None for an entry that is not eligible. Two of rank 1 are followed by rank 3."""

    entry_id: str
    rank: int | None
