"""Accounts, orders and their history, the leaderboard."""

from litestar import get, post
from litestar.params import JSONBody
from litestar.types import Scope

from pump_party.apps.api.auth import Access
from pump_party.apps.api.calls import call_of
from pump_party.apps.api.codec import refuse_body
from pump_party.apps.api.parameters import (
    LEADERBOARD_DEFAULT,
    PAGE_DEFAULT,
    Cursor,
    LeaderboardLimit,
    PageLimit,
    PathText,
    access,
    checked_id,
)
from pump_party.apps.api.schemas.prop import (
    Account,
    AccountBody,
    Accounts,
    EquityPage,
    FillPage,
    Leaderboard,
    LedgerPage,
    OrderPage,
    Preview,
    render_account,
    render_equity_item,
    render_fill_item,
    render_leaderboard,
    render_ledger_item,
    render_preview,
)
from pump_party.apps.order_wire import OrderBody, OrderBodyOut, parse_order, render_order
from pump_party.domains.prop_interface.contract import OpenAccount, ResetAccount
from pump_party.kernel.ids import AccountId

PREVIEW_KEY = "preview"
"""A preview changes nothing, so its command's key is never recorded."""


@post("/v1/accounts", opt=access(Access.TRADE, idempotent=True), tags=["accounts"])
async def open_account(scope: Scope, data: JSONBody[AccountBody]) -> Account:
    """Open a practice account with virtual cash."""
    call = call_of(scope)
    command = OpenAccount(call.user_id(), data.kind, call.idempotency_key())
    return render_account(await call.run(call.services.prop.open_account, command))


@get("/v1/accounts", opt=access(Access.READ), tags=["accounts"])
async def list_accounts(scope: Scope) -> Accounts:
    call = call_of(scope)
    views = await call.run(call.services.prop.accounts, call.user_id())
    return Accounts([render_account(view) for view in views])


@get("/v1/accounts/{account_id:str}", opt=access(Access.READ), tags=["accounts"])
async def read_account(scope: Scope, account_id: PathText) -> Account:
    """Cash, positions at the current marks, equity and its identity."""
    call = call_of(scope)
    account_id = checked_id(account_id, "account")
    return render_account(await call.run(call.services.prop.account, call.user_id(), account_id))


@post(
    "/v1/accounts/{account_id:str}/reset",
    status_code=200,
    opt=access(Access.TRADE, idempotent=True),
    tags=["accounts"],
)
async def reset_account(scope: Scope, account_id: PathText) -> Account:
    """Start a new cycle with fresh virtual cash. History stays."""
    call = call_of(scope)
    refuse_body(call.body)
    account = AccountId(checked_id(account_id, "account"))
    command = ResetAccount(call.user_id(), account, call.idempotency_key())
    return render_account(await call.run(call.services.prop.reset_account, command))


@post("/v1/accounts/{account_id:str}/orders", opt=access(Access.TRADE, idempotent=True), tags=["orders"])
async def place_order(scope: Scope, account_id: PathText, data: JSONBody[OrderBody]) -> OrderBodyOut:
    """Place a market order. A rejected order is recorded too: look at `status` and `reject_code`."""
    call = call_of(scope)
    command = parse_order(
        data,
        call.services.registry,
        user_id=call.user_id(),
        account_id=checked_id(account_id, "account"),
        idempotency_key=call.idempotency_key(),
    )
    return render_order(await call.services.orders.submit(command))


@post("/v1/accounts/{account_id:str}/orders/preview", status_code=200, opt=access(Access.READ), tags=["orders"])
async def preview_order(scope: Scope, account_id: PathText, data: JSONBody[OrderBody]) -> Preview:
    """What the order would cost now. Changes nothing."""
    call = call_of(scope)
    command = parse_order(
        data,
        call.services.registry,
        user_id=call.user_id(),
        account_id=checked_id(account_id, "account"),
        idempotency_key=PREVIEW_KEY,
    )
    return render_preview(await call.run(call.services.prop.preview_order, command))


@get("/v1/accounts/{account_id:str}/orders", opt=access(Access.READ), tags=["orders"])
async def list_orders(
    scope: Scope, account_id: PathText, cursor: Cursor = None, limit: PageLimit = PAGE_DEFAULT
) -> OrderPage:
    call = call_of(scope)
    account_id = checked_id(account_id, "account")
    page = await call.run(call.services.prop.orders, call.user_id(), account_id, cursor=cursor, limit=limit)
    return OrderPage([render_order(order) for order in page.items], page.next_cursor)


@get("/v1/accounts/{account_id:str}/orders/{order_id:str}", opt=access(Access.READ), tags=["orders"])
async def read_order(scope: Scope, account_id: PathText, order_id: PathText) -> OrderBodyOut:
    call = call_of(scope)
    account_id, order_id = checked_id(account_id, "account"), checked_id(order_id, "order")
    return render_order(await call.run(call.services.prop.order, call.user_id(), account_id, order_id))


@get("/v1/accounts/{account_id:str}/fills", opt=access(Access.READ), tags=["orders"])
async def list_fills(
    scope: Scope, account_id: PathText, cursor: Cursor = None, limit: PageLimit = PAGE_DEFAULT
) -> FillPage:
    call = call_of(scope)
    account_id = checked_id(account_id, "account")
    page = await call.run(call.services.prop.fills, call.user_id(), account_id, cursor=cursor, limit=limit)
    return FillPage([render_fill_item(fill) for fill in page.items], page.next_cursor)


@get("/v1/accounts/{account_id:str}/ledger", opt=access(Access.READ), tags=["accounts"])
async def list_ledger(
    scope: Scope, account_id: PathText, cursor: Cursor = None, limit: PageLimit = PAGE_DEFAULT
) -> LedgerPage:
    call = call_of(scope)
    account_id = checked_id(account_id, "account")
    page = await call.run(call.services.prop.ledger, call.user_id(), account_id, cursor=cursor, limit=limit)
    return LedgerPage([render_ledger_item(entry) for entry in page.items], page.next_cursor)


@get("/v1/accounts/{account_id:str}/equity", opt=access(Access.READ), tags=["accounts"])
async def list_equity(
    scope: Scope, account_id: PathText, cursor: Cursor = None, limit: PageLimit = PAGE_DEFAULT
) -> EquityPage:
    call = call_of(scope)
    account_id = checked_id(account_id, "account")
    page = await call.run(call.services.prop.equity, call.user_id(), account_id, cursor=cursor, limit=limit)
    return EquityPage([render_equity_item(mark) for mark in page.items], page.next_cursor)


@get("/v1/leaderboards/practice", opt=access(Access.PUBLIC), tags=["leaderboards"])
async def practice_leaderboard(scope: Scope, limit: LeaderboardLimit = LEADERBOARD_DEFAULT) -> Leaderboard:
    """Practice accounts by equity, with drawdown and sample size."""
    call = call_of(scope)
    rows = await call.run(call.services.prop.leaderboard, limit=limit)
    names = await call.run(call.services.users.display_names, [row.user_id for row in rows])
    mine = None if call.principal is None else call.principal.user_id
    return render_leaderboard(rows, names, mine=mine, now_ms=call.services.clock.now_ms())
