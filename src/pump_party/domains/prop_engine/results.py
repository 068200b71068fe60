"""What equity marks say of an account: drawdown, return, rank. Integers only (METRICS, sections 1 and 2)."""

from collections.abc import Mapping, Sequence

import msgspec

from pump_party.domains.prop_engine.curve import DAY_MS, MarkPrice, day_of
from pump_party.domains.prop_engine.model import Account, Standing
from pump_party.domains.prop_interface.contract import LeaderboardRow
from pump_party.kernel.ids import Market
from pump_party.kernel.money import PPM, ceil_div

NO_PRICES: Mapping[Market, MarkPrice] = {}


def return_ppm(start_micros: int, equity_micros: int) -> int:
    """Net return, rounded down."""
    return (equity_micros - start_micros) * PPM // start_micros


def drawdown_ppm(peak_micros: int, equity_micros: int) -> int:
    """Distance below the peak, rounded up."""
    return ceil_div((peak_micros - equity_micros) * PPM, peak_micros)


def day_start_micros(standing: Standing, at_ms: int) -> int:
    """What the account was worth at 00:00 UTC of the day of `at_ms`, which no mark has followed: its start capital on
    the first day, the last mark before midnight where none is of midnight itself.
    """
    return standing.day_start_micros if day_of(at_ms) == day_of(standing.as_of_ms) else standing.equity_micros


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
    peak_micros, worst_ppm, marks = account.start_micros, 0, 0
    day_micros, exposure, signed, weighed_ms = account.start_micros, 0, 0, 0
    if before is not None:
        peak_micros, worst_ppm, marks = before.peak_micros, before.max_drawdown_ppm, before.marks
        starts_day = at_ms % DAY_MS == 0 and at_ms > before.as_of_ms
        day_micros = equity_micros if starts_day else day_start_micros(before, at_ms)
        exposure, signed, weighed_ms = exposure_until(before, at_ms)
    peak_micros = max(peak_micros, equity_micros)
    return Standing(
        account_id=account.account_id,
        user_id=account.user_id,
        kind=account.kind.value,
        cycle=account.cycle,
        version=account.version,
        start_micros=account.start_micros,
        equity_micros=equity_micros,
        peak_micros=peak_micros,
        max_drawdown_ppm=max(worst_ppm, drawdown_ppm(peak_micros, equity_micros)),
        fills=account.fills,
        marks=marks + 1,
        as_of_ms=at_ms,
        started_ms=started_ms,
        standing_micros=equity_micros,
        exposed_micros=exposed_micros,
        gross_exposed_micros=gross_exposed_micros,
        day_start_micros=day_micros,
        exposure_ppm_ms=exposure,
        signed_exposure_ppm_ms=signed,
        weighed_ms=weighed_ms,
        prices=prices,
    )


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


def rank(standings: Sequence[Standing]) -> list[LeaderboardRow]:
    """By the return of what closing everything would leave, then smaller drawdown.

    Equal accounts share a rank; time and id never break a tie.
    """
    ordered = sorted(
        standings, key=lambda s: (-return_ppm(s.start_micros, s.standing_micros), s.max_drawdown_ppm, s.account_id)
    )
    rows: list[LeaderboardRow] = []
    for place, standing in enumerate(ordered, start=1):
        row = LeaderboardRow(
            rank=place,
            account_id=standing.account_id,
            user_id=standing.user_id,
            equity_micros=standing.equity_micros,
            return_ppm=return_ppm(standing.start_micros, standing.standing_micros),
            max_drawdown_ppm=standing.max_drawdown_ppm,
            fills=standing.fills,
            marks=standing.marks,
            as_of_ms=standing.as_of_ms,
            standing_micros=standing.standing_micros,
        )
        if rows and (rows[-1].return_ppm, rows[-1].max_drawdown_ppm) == (row.return_ppm, row.max_drawdown_ppm):
            row = msgspec.structs.replace(row, rank=rows[-1].rank)
        rows.append(row)
    return rows
