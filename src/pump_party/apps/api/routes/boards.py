"""What everybody may see of everybody: the leaderboard, and what clones decided last."""

from collections.abc import Mapping, Sequence

from litestar import get
from litestar.types import Scope

from pump_party.apps.api.auth import Access
from pump_party.apps.api.calls import Call, call_of
from pump_party.apps.api.parameters import (
    LATEST_DEFAULT,
    LEADERBOARD_DEFAULT,
    Cursor,
    LeaderboardLimit,
    LeaderboardMetric,
    LeaderboardTraders,
    LeaderboardWindow,
    PageLimit,
    access,
)
from pump_party.apps.api.schemas.boards import (
    Faces,
    LatestDecisions,
    Leaderboard,
    Traders,
    render_board,
    render_latest,
)
from pump_party.domains.prop_interface.contract import BoardMetric, BoardQuery, BoardWindow, LeaderboardRow
from pump_party.kernel.ids import AccountId, CloneId


@get("/v1/leaderboards/practice", opt=access(Access.PUBLIC), tags=["leaderboards"])
async def practice_leaderboard(
    scope: Scope,
    window: LeaderboardWindow = BoardWindow.CYCLE,
    metric: LeaderboardMetric = BoardMetric.RETURN,
    traders: LeaderboardTraders = Traders.ALL,
    limit: LeaderboardLimit = LEADERBOARD_DEFAULT,
) -> Leaderboard:
    """People's practice accounts and the accounts of clones that trade, ranked, with sample size, beside holding and
    chance. What was ranked up to two seconds ago may be answered again.
    """
    call = call_of(scope)
    trading: Mapping[AccountId, CloneId] = {}
    complete = True
    if traders is not Traders.PEOPLE:
        trading, complete = await call.run(call.services.showcase.trading_accounts)
    query = BoardQuery(
        window=window,
        metric=metric,
        people=traders is not Traders.CLONES,
        clones=tuple(trading),
        viewer=None if call.principal is None else call.principal.user_id,
        limit=limit,
    )
    view = await call.run(call.services.leaderboards.board, query)
    mine = () if view.mine is None else (view.mine,)
    faces = await _faces(call, [*view.rows, *mine, *view.around], trading)
    return render_board(view, faces, query, traders, complete=complete, now_ms=call.services.clock.now_ms())


@get("/v1/decisions", opt=access(Access.PUBLIC), tags=["decisions"])
async def list_latest_decisions(
    scope: Scope, cursor: Cursor = None, limit: PageLimit = LATEST_DEFAULT
) -> LatestDecisions:
    """What all clones decided, newest slot first, in the form that everybody sees."""
    call = call_of(scope)
    page = await call.run(call.services.showcase.latest_decisions, cursor=cursor, limit=limit)
    clone_ids = sorted({run.clone_id for run in page.runs})
    return render_latest(page, await call.run(call.services.clones.public_clones, clone_ids))


async def _faces(call: Call, rows: Sequence[LeaderboardRow], trading: Mapping[AccountId, CloneId]) -> Faces:
    people = sorted({row.user_id for row in rows if row.account_id not in trading})
    shown = {row.account_id: trading[row.account_id] for row in rows if row.account_id in trading}
    clones = await call.run(call.services.clones.public_clones, sorted(set(shown.values()))) if shown else {}
    return Faces(
        await call.run(call.services.users.display_names, people),
        {account_id: clones[clone_id] for account_id, clone_id in shown.items()},
    )
