"""What equity marks say of an account: drawdown, return, rank. Integers only (METRICS, sections 1 and 2)."""

from collections.abc import Sequence

from pump_party.domains.prop_engine.model import Account, Standing
from pump_party.domains.prop_interface.contract import LeaderboardRow
from pump_party.kernel.money import PPM, ceil_div


def return_ppm(start_micros: int, equity_micros: int) -> int:
    """Net return, rounded down."""
    return (equity_micros - start_micros) * PPM // start_micros


def drawdown_ppm(peak_micros: int, equity_micros: int) -> int:
    """Distance below the peak, rounded up."""
    return ceil_div((peak_micros - equity_micros) * PPM, peak_micros)


def next_standing(account: Account, standing: Standing | None, equity_micros: int, *, at_ms: int) -> Standing:
    """Fold one more equity mark in. A new cycle starts afresh: the first mark counts from the start capital."""
    if standing is None or standing.cycle != account.cycle:
        peak_micros, worst_ppm, marks = account.start_micros, 0, 0
    else:
        peak_micros, worst_ppm, marks = standing.peak_micros, standing.max_drawdown_ppm, standing.marks
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
    )


def rank(standings: Sequence[Standing]) -> list[LeaderboardRow]:
    """By return, then smaller drawdown. Equal accounts share a rank; time and id never break a tie."""
    ordered = sorted(
        standings, key=lambda s: (-return_ppm(s.start_micros, s.equity_micros), s.max_drawdown_ppm, s.account_id)
    )
    rows: list[LeaderboardRow] = []
    for place, standing in enumerate(ordered, start=1):
        row = LeaderboardRow(
            rank=place,
            account_id=standing.account_id,
            user_id=standing.user_id,
            equity_micros=standing.equity_micros,
            return_ppm=return_ppm(standing.start_micros, standing.equity_micros),
            max_drawdown_ppm=standing.max_drawdown_ppm,
            fills=standing.fills,
            marks=standing.marks,
            as_of_ms=standing.as_of_ms,
        )
        if rows and (rows[-1].return_ppm, rows[-1].max_drawdown_ppm) == (row.return_ppm, row.max_drawdown_ppm):
            row = LeaderboardRow(rows[-1].rank, *[getattr(row, f) for f in row.__struct_fields__[1:]])
        rows.append(row)
    return rows
