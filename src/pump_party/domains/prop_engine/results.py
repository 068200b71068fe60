"""What equity marks say of an account: return, drawdown, how its day began. Integers only (METRICS, sections 1, 2)."""

from collections.abc import Mapping

import msgspec

from pump_party.domains.prop_engine.curve import DAY_MS, MarkPrice, day_of
from pump_party.domains.prop_engine.model import Account, Standing
from pump_party.kernel.ids import Market
from pump_party.kernel.money import PPM, ceil_div

NO_PRICES: Mapping[Market, MarkPrice] = {}


def return_ppm(start_micros: int, equity_micros: int) -> int:
    """Net return, rounded down."""
    return (equity_micros - start_micros) * PPM // start_micros


def drawdown_ppm(peak_micros: int, equity_micros: int) -> int:
    """Distance below the peak, rounded up."""
    return ceil_div((peak_micros - equity_micros) * PPM, peak_micros)


class DayStart(msgspec.Struct, frozen=True, gc=False):
    """Where an account stood at 00:00 UTC; on its first day the start capital."""

    equity_micros: int
    standing_micros: int
    max_drawdown_ppm: int
    fills: int


def next_standing(
    account: Account,
    standing: Standing | None,
    equity_micros: int,
    *,
    at_ms: int,
    started_ms: int,
    exposed_micros: int = 0,
    gross_exposed_micros: int = 0,
    prices: Mapping[Market, MarkPrice] = NO_PRICES,
) -> Standing:
    """Fold one more equity mark in. A new cycle starts afresh: the first mark counts from the start capital.

    The liquidation value is that of an account without positions: whoever holds some replaces it.
    """
    before = None if standing is None or standing.cycle != account.cycle else standing
    peak_micros, worst_ppm, marks, exposure, signed, weighed_ms = account.start_micros, 0, 0, 0, 0, 0
    if before is not None:
        peak_micros, worst_ppm, marks = before.peak_micros, before.max_drawdown_ppm, before.marks
        exposure, signed, weighed_ms = exposure_until(before, at_ms)
    peak_micros = max(peak_micros, equity_micros)
    worst_ppm = max(worst_ppm, drawdown_ppm(peak_micros, equity_micros))
    day = _day(account, before, equity_micros, worst_ppm, at_ms)
    # By place, in the order of the fields: by name takes three times as long, and there is one after every fill.
    return Standing(
        account.account_id,
        account.user_id,
        account.kind.value,
        account.cycle,
        account.version,
        account.start_micros,
        equity_micros,
        peak_micros,
        worst_ppm,
        account.fills,
        marks + 1,
        at_ms,
        started_ms,
        equity_micros,  # what closing everything would leave, of an account that holds nothing
        exposed_micros,
        gross_exposed_micros,
        day.equity_micros,
        exposure,
        signed,
        weighed_ms,
        day.standing_micros,
        day.max_drawdown_ppm,
        day.fills,
        prices,
    )


def _day(account: Account, before: Standing | None, equity_micros: int, worst_ppm: int, at_ms: int) -> DayStart:
    """Of the day of a mark that follows a standing: the last mark before midnight where this one is not of midnight."""
    if before is None:
        return DayStart(account.start_micros, account.start_micros, 0, 0)
    if at_ms % DAY_MS == 0 and at_ms > before.as_of_ms:
        return DayStart(equity_micros, equity_micros, worst_ppm, account.fills)
    if day_of(at_ms) == day_of(before.as_of_ms):
        return DayStart(
            before.day_start_micros, before.day_standing_micros, before.day_max_drawdown_ppm, before.day_fills
        )
    return DayStart(before.equity_micros, before.standing_micros, before.max_drawdown_ppm, before.fills)


def exposure_until(standing: Standing, at_ms: int) -> tuple[int, int, int]:
    """(exposure, signed exposure, time weighed) once the newest mark has counted until `at_ms`."""
    lasted_ms = max(0, at_ms - standing.as_of_ms)
    if standing.equity_micros <= 0:
        return standing.exposure_ppm_ms, standing.signed_exposure_ppm_ms, standing.weighed_ms
    return (
        standing.exposure_ppm_ms + standing.gross_exposed_micros * PPM // standing.equity_micros * lasted_ms,
        standing.signed_exposure_ppm_ms + standing.exposed_micros * PPM // standing.equity_micros * lasted_ms,
        standing.weighed_ms + lasted_ms,
    )
