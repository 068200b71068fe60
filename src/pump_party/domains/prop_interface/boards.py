"""What a leaderboard is asked and answers: who is ranked, over which time, by what."""

from collections.abc import Sequence
from enum import StrEnum

import msgspec

from pump_party.domains.prop_interface.words import AccountKind
from pump_party.kernel.ids import AccountId, UserId

RANKED_MAX = 10_000
"""Accounts of people that are compared: of more those whose standing equity is highest."""

AROUND_ME = 2
"""Rows above and below one's own that come with it where it is not among the rows asked for."""


class BoardWindow(StrEnum):
    """Since when a return counts. All but `cycle` begin at 00:00 UTC: of today, or so many days before."""

    TODAY = "today"
    WEEK = "7d"
    MONTH = "30d"
    CYCLE = "cycle"


class BoardMetric(StrEnum):
    """What ranks: the return of the window, or the smallest drawdown of the whole cycle. Ties go by the other."""

    RETURN = "return"
    DRAWDOWN = "drawdown"


class BoardQuery(msgspec.Struct, frozen=True, kw_only=True):
    """`people` adds their practice accounts, `clones` are accounts that clones trade. `viewer` is whose row is looked
    for.
    """

    window: BoardWindow = BoardWindow.CYCLE
    metric: BoardMetric = BoardMetric.RETURN
    people: bool = True
    clones: Sequence[AccountId] = ()
    viewer: UserId | None = None
    limit: int


class LeaderboardRow(msgspec.Struct, frozen=True):
    """`rank_before` is the rank when the day began, among those that are on the board now; None where there was none.

    `return_ppm` is of the window; drawdown, fills and marks are of the whole cycle.
    """

    rank: int
    rank_before: int | None
    account_id: AccountId
    user_id: UserId
    kind: AccountKind
    equity_micros: int
    return_ppm: int
    max_drawdown_ppm: int
    fills: int
    marks: int
    as_of_ms: int
    standing_micros: int
    """What closing every position then would have left, fees included. Returns are its."""

    held_return_ppm: int | None = None
    """What holding the benchmark over the same time would have made, sold now; None without prices."""

    random_return_ppm: int | None = None
    """The same of the median of those who toss coins."""


class BoardView(msgspec.Struct, frozen=True):
    """The first rows, and the viewer's best one with those around it where it is not among them.

    `from_ms` is when the window began, None for whole cycles. `compared_ms` is the time of `rank_before`, None where
    the window began at that very time. `complete` is False when more accounts were there than are compared.
    """

    rows: tuple[LeaderboardRow, ...]
    mine: LeaderboardRow | None
    around: tuple[LeaderboardRow, ...]
    ranked: int
    complete: bool
    from_ms: int | None
    compared_ms: int | None
