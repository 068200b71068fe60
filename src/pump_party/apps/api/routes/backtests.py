"""Backtests: what can be played, asking for one, looking at it while it runs and when it is done."""

from typing import Annotated

from litestar import delete, get, post
from litestar.openapi import ResponseSpec
from litestar.params import JSONBody, QueryParameter
from litestar.status_codes import HTTP_202_ACCEPTED
from litestar.types import Scope

from pump_party.apps.api.auth import Access
from pump_party.apps.api.calls import Call, call_of
from pump_party.apps.api.codec import ApiResponse, Document, refuse_body
from pump_party.apps.api.parameters import PAGE_DEFAULT, Cursor, PageLimit, PathText, access, checked_id
from pump_party.apps.api.schemas.backtests import (
    BacktestBody,
    BacktestComparison,
    BacktestDecisions,
    BacktestResult,
    Backtests,
    Tapes,
    render_comparison,
    render_decisions,
    render_result,
    render_tape,
)
from pump_party.apps.backtest_wire import Backtest, render_backtest
from pump_party.domains.backtests.contract import COMPARED_MAX, StartBacktest

HTML = "text/html; charset=utf-8"
IDS_CHARS_MAX = COMPARED_MAX * 37

BacktestIds = Annotated[str, QueryParameter(max_length=IDS_CHARS_MAX, description="ids, separated by commas")]


@get("/v1/tapes", opt=access(Access.READ), tags=["backtests"])
async def list_tapes(scope: Scope) -> Tapes:
    """What backtests can be played over on this server."""
    call = call_of(scope)
    return Tapes([render_tape(view) for view in await call.run(call.services.backtests.tapes)])


@post(
    "/v1/backtests",
    status_code=HTTP_202_ACCEPTED,
    opt=access(Access.SESSION, idempotent=True),
    tags=["backtests"],
)
async def start_backtest(scope: Scope, data: JSONBody[BacktestBody]) -> Backtest:
    """Queue a backtest. It runs by itself; ask for it until its `state` is `done`, `failed` or `cancelled`."""
    call = call_of(scope)
    command = StartBacktest(
        user_id=call.user_id(),
        idempotency_key=call.idempotency_key(),
        tape=data.tape,
        strategy=bytes(data.strategy) or None,
        clone_id=None if data.clone_id is None else checked_id(data.clone_id, "clone"),
        version=data.version,
        name=data.name,
        rule_set=data.rule_set,
        from_ms=data.from_ms,
        to_ms=data.to_ms,
        use_models=data.use_models,
    )
    return render_backtest(await call.run(call.services.backtests.start, command))


@get("/v1/backtests", opt=access(Access.READ), tags=["backtests"])
async def list_backtests(scope: Scope) -> Backtests:
    """Your backtests, newest first: those under way and the newest that have ended."""
    call = call_of(scope)
    views = await call.run(call.services.backtests.mine, call.user_id())
    return Backtests([render_backtest(view) for view in views])


@get("/v1/backtests/compare", opt=access(Access.READ), tags=["backtests"])
async def compare_backtests(scope: Scope, ids: BacktestIds) -> BacktestComparison:
    """Finished backtests of one tape and span, side by side."""
    call = call_of(scope)
    wanted = [checked_id(one, "backtest") for one in ids.split(",")]
    return render_comparison(await call.run(call.services.backtests.compare, call.user_id(), wanted))


@get(
    "/v1/backtests/compare/page",
    opt=access(Access.READ),
    tags=["backtests"],
    responses={200: ResponseSpec(str, media_type="text/html", generate_examples=False, description="A page to keep")},
)
async def read_comparison_page(scope: Scope, ids: BacktestIds) -> ApiResponse:
    """Finished backtests of one tape and span on one page, their curves in one chart, to keep or to pass on."""
    from pump_party.apps.backtest_page import render_comparison as render_page

    call = call_of(scope)
    wanted = [checked_id(one, "backtest") for one in ids.split(",")]
    view = await call.run(call.services.backtests.compare, call.user_id(), wanted)
    return _kept_page(call, await call.run(render_page, view), "comparison.html")


@get("/v1/backtests/{backtest_id:str}", opt=access(Access.READ), tags=["backtests"])
async def read_backtest(scope: Scope, backtest_id: PathText) -> Backtest:
    """How far it is, or what it came to."""
    call = call_of(scope)
    backtest_id = checked_id(backtest_id, "backtest")
    return render_backtest(await call.run(call.services.backtests.one, call.user_id(), backtest_id))


@delete("/v1/backtests/{backtest_id:str}", status_code=200, opt=access(Access.SESSION), tags=["backtests"])
async def cancel_backtest(scope: Scope, backtest_id: PathText) -> Backtest:
    """End one that waits or runs. One that has ended is answered as it ended."""
    call = call_of(scope)
    refuse_body(call.body)
    backtest_id = checked_id(backtest_id, "backtest")
    return render_backtest(await call.run(call.services.backtests.cancel, call.user_id(), backtest_id))


@get("/v1/backtests/{backtest_id:str}/result", opt=access(Access.READ), tags=["backtests"])
async def read_backtest_result(scope: Scope, backtest_id: PathText) -> BacktestResult:
    """Figures, curve and how its decisions ended."""
    call = call_of(scope)
    backtest_id = checked_id(backtest_id, "backtest")
    return render_result(await call.run(call.services.backtests.result, call.user_id(), backtest_id))


@get("/v1/backtests/{backtest_id:str}/decisions", opt=access(Access.READ), tags=["backtests"])
async def list_backtest_decisions(
    scope: Scope, backtest_id: PathText, cursor: Cursor = None, limit: PageLimit = PAGE_DEFAULT
) -> BacktestDecisions:
    """Every decision that was more than to hold, oldest first."""
    call = call_of(scope)
    backtest_id = checked_id(backtest_id, "backtest")
    reading = call.services.backtests.decisions
    return render_decisions(await call.run(reading, call.user_id(), backtest_id, cursor=cursor, limit=limit))


@get(
    "/v1/backtests/{backtest_id:str}/page",
    opt=access(Access.READ),
    tags=["backtests"],
    responses={200: ResponseSpec(str, media_type="text/html", generate_examples=False, description="A page to keep")},
)
async def read_backtest_page(scope: Scope, backtest_id: PathText) -> ApiResponse:
    """The result as one page with charts that needs nothing else, to keep or to pass on."""
    from pump_party.apps.backtest_page import render_page

    call = call_of(scope)
    backtest_id = checked_id(backtest_id, "backtest")
    view = await call.run(call.services.backtests.result, call.user_id(), backtest_id)
    return _kept_page(call, await call.run(render_page, view.played), f"backtest-{backtest_id}.html")


def _kept_page(call: Call, page: str, name: str) -> ApiResponse:
    """A page that the browser keeps under this name."""
    call.response_headers.append((b"content-disposition", f'attachment; filename="{name}"'.encode()))
    return ApiResponse(Document(body=page.encode(), content_type=HTML.encode()))
