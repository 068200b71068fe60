"""Who is eligible in a race and where everybody ends (METRICS, section 5). Exact fractions; equals share a rank."""

from collections.abc import Sequence
from fractions import Fraction

from pump_party.domains.contests.model import Entry, Ineligible, Participation, RaceRule, RankBy, Ranked

DRAWDOWN_FLOOR_PPM = 50_000
"""Without it one tiny trade with next to no drawdown would have the best ratio of all."""


def score(*, return_ppm: int, drawdown_ppm: int) -> Fraction:
    """Return over drawdown, the drawdown counted as at least 5 %; a loss is measured without the drawdown's help."""
    divisor = max(drawdown_ppm, DRAWDOWN_FLOOR_PPM) if return_ppm > 0 else DRAWDOWN_FLOOR_PPM
    return Fraction(return_ppm, divisor)


def check_eligibility(participation: Participation, rule: RaceRule, *, start_ms: int) -> Ineligible | None:
    """Why this entrant is not ranked, or None."""
    if participation.entered_ms >= start_ms:
        return Ineligible.ENTERED_LATE
    if participation.disqualified:
        return Ineligible.DISQUALIFIED
    if participation.active_days < rule.min_active_days:
        return Ineligible.TOO_FEW_ACTIVE_DAYS
    if participation.exposure_ppm is None or participation.exposure_ppm < rule.min_exposure_ppm:
        return Ineligible.TOO_LITTLE_EXPOSURE
    return Ineligible.TOO_DEEP_DRAWDOWN if participation.drawdown_ppm > rule.max_drawdown_ppm else None


def rank(entries: Sequence[Entry], *, by: RankBy = RankBy.ROMAD) -> list[Ranked]:
    """Best first, then those without a rank. Ties go to return, drawdown, turnover; never to time or id.

    Who shares a rank stands in order of id, which means nothing.
    """
    eligible = sorted((entry for entry in entries if entry.eligible), key=lambda entry: entry.entry_id)
    merits = {entry.entry_id: _merit(entry, by) for entry in eligible}
    eligible.sort(key=lambda entry: merits[entry.entry_id], reverse=True)
    ranked: list[Ranked] = []
    for place, entry in enumerate(eligible, start=1):
        shares = place > 1 and merits[eligible[place - 2].entry_id] == merits[entry.entry_id]
        ranked.append(Ranked(entry.entry_id, ranked[-1].rank if shares else place))
    unranked = sorted(entry.entry_id for entry in entries if not entry.eligible)
    return [*ranked, *(Ranked(entry_id, None) for entry_id in unranked)]


def _merit(entry: Entry, by: RankBy) -> tuple[Fraction, int, int, int]:
    """Compared from the left, more is better."""
    return _first_merit(entry, by), entry.return_ppm, -entry.drawdown_ppm, -entry.turnover_ppm


def _first_merit(entry: Entry, by: RankBy) -> Fraction:
    match by:
        case RankBy.ROMAD:
            return score(return_ppm=entry.return_ppm, drawdown_ppm=entry.drawdown_ppm)
        case RankBy.RETURN:
            return Fraction(entry.return_ppm)
        case RankBy.TIMING_ALPHA:
            assert entry.timing_alpha_ppm is not None, entry
            return Fraction(entry.timing_alpha_ppm)
