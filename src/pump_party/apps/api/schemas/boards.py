"""The leaderboard and the latest decisions of all clones, on the wire."""

from collections.abc import Mapping
from enum import StrEnum

import msgspec

from pump_party.apps.decision_wire import Decision, render_run
from pump_party.domains.aitrading.contract import RunPage
from pump_party.domains.clones.contract import PublicClone
from pump_party.domains.prop_interface.contract import BoardMetric, BoardQuery, BoardView, BoardWindow, LeaderboardRow
from pump_party.kernel.ids import AccountId, CloneId, UserId
from pump_party.kernel.money import format_micros


class Traders(StrEnum):
    """Whose accounts are ranked."""

    ALL = "all"
    PEOPLE = "people"
    CLONES = "clones"


class Trader(StrEnum):
    """Who trades an account: its owner, or a clone of the owner's."""

    PERSON = "person"
    CLONE = "clone"


class NotRanked(StrEnum):
    """Why the board has no row of yours: nobody is signed in, or nothing of yours meets what the board asks for."""

    SIGNED_OUT = "signed_out"
    NOTHING_RANKED = "nothing_ranked"


class CloneFace(msgspec.Struct, frozen=True):
    """Whom a row or a decision is of. While a name is hidden, `name` is a neutral one."""

    clone_id: CloneId
    name: str
    avatar_seed: int
    owner_name: str


class LeaderboardItem(msgspec.Struct, frozen=True):
    """`standing_equity` is what closing everything would leave, fees included: ranks and returns are its.

    `trader` says who trades the account. Of a clone `clone` says which; which account it trades is not told. `mine` are
    your own accounts and those of your clones. `rank_before` is the rank at the board's `compared_ms`, null where there
    was none. `return_ppm` is of the board's window, drawdown, fills and marks are of the whole cycle.

    `held_return_ppm` is what holding SOL would have made over the same time, `random_return_ppm` what the median of 20
    coin tossers gained: both pay the same fees and sell now; null while no prices are stored.
    """

    rank: int
    rank_before: int | None
    trader: Trader
    display_name: str
    account_id: str | None
    clone: CloneFace | None
    equity: str
    standing_equity: str
    return_ppm: int
    max_drawdown_ppm: int
    fills: int
    marks: int
    as_of_ms: int
    held_return_ppm: int | None
    random_return_ppm: int | None
    mine: bool


class Leaderboard(msgspec.Struct, frozen=True):
    """The first of `ranked` accounts. Those ranked have filled in their cycle and, but for whole cycles, traded or held
    something since `from_ms`.

    A window begins at `from_ms`, 00:00 UTC; it is null for whole cycles. `compared_ms`, the last 00:00 UTC, is the time
    of `rank_before`: ranked in the same way among those who are on the board now; null where the window begins then.
    `complete` is false when there were more accounts than are compared: at most 10,000 of people, those whose standing
    equity is highest, and the 2,000 clones deployed last.

    `me` is your best row, also where it is not among the items; then `around` is it with its neighbours. `me_absent`
    says why there is none.
    """

    items: list[LeaderboardItem]
    window: BoardWindow
    metric: BoardMetric
    traders: Traders
    from_ms: int | None
    compared_ms: int | None
    as_of_ms: int
    ranked: int
    complete: bool
    me: LeaderboardItem | None
    me_absent: NotRanked | None
    around: list[LeaderboardItem]


class LatestDecision(msgspec.Struct, frozen=True):
    clone: CloneFace
    decision: Decision


class LatestDecisions(msgspec.Struct, frozen=True):
    """Of all clones, newest slot first; `next_cursor` continues, null is the end."""

    items: list[LatestDecision]
    next_cursor: str | None


class Faces(msgspec.Struct, frozen=True):
    """By what the rows of a board are shown: names of people, and the clone of every account that one trades."""

    people: Mapping[UserId, str]
    clones: Mapping[AccountId, PublicClone]


def render_board(
    view: BoardView, faces: Faces, query: BoardQuery, traders: Traders, *, complete: bool, now_ms: int
) -> Leaderboard:
    """The board as one person sees it. Without rows it is as of now."""

    def item(row: LeaderboardRow) -> LeaderboardItem:
        return _item(row, faces, viewer=query.viewer)

    absent = NotRanked.SIGNED_OUT if query.viewer is None else NotRanked.NOTHING_RANKED
    return Leaderboard(
        items=[item(row) for row in view.rows],
        window=query.window,
        metric=query.metric,
        traders=traders,
        from_ms=view.from_ms,
        compared_ms=view.compared_ms,
        as_of_ms=max((row.as_of_ms for row in view.rows), default=now_ms),
        ranked=view.ranked,
        complete=complete and view.complete,
        me=None if view.mine is None else item(view.mine),
        me_absent=absent if view.mine is None else None,
        around=[item(row) for row in view.around],
    )


def _item(row: LeaderboardRow, faces: Faces, *, viewer: UserId | None) -> LeaderboardItem:
    clone = faces.clones.get(row.account_id)
    return LeaderboardItem(
        rank=row.rank,
        rank_before=row.rank_before,
        trader=Trader.PERSON if clone is None else Trader.CLONE,
        display_name=faces.people[row.user_id] if clone is None else clone.name,
        account_id=row.account_id if clone is None else None,
        clone=None if clone is None else _face(clone),
        equity=format_micros(row.equity_micros),
        standing_equity=format_micros(row.standing_micros),
        return_ppm=row.return_ppm,
        max_drawdown_ppm=row.max_drawdown_ppm,
        fills=row.fills,
        marks=row.marks,
        as_of_ms=row.as_of_ms,
        held_return_ppm=row.held_return_ppm,
        random_return_ppm=row.random_return_ppm,
        mine=row.user_id == viewer,
    )


def _face(clone: PublicClone) -> CloneFace:
    return CloneFace(clone.clone_id, clone.name, clone.avatar_seed, clone.owner_name)


def render_latest(page: RunPage, clones: Mapping[CloneId, PublicClone]) -> LatestDecisions:
    items = []
    for run in page.runs:
        decision = render_run(run)
        assert isinstance(decision, Decision), "everybody is sent the public form"
        items.append(LatestDecision(_face(clones[run.clone_id]), decision))
    return LatestDecisions(items, page.next_cursor)
