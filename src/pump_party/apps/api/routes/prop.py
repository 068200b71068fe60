"""Accounts, orders and their history."""

from litestar import delete, get, post
from litestar.openapi import ResponseSpec
from litestar.params import JSONBody
from litestar.status_codes import HTTP_202_ACCEPTED
from litestar.types import Scope

from pump_party.apps.api.auth import Access
from pump_party.apps.api.calls import call_of
from pump_party.apps.api.codec import refuse_body
from pump_party.apps.api.parameters import (
    PAGE_DEFAULT,
    Cursor,
    OnlyMarket,
    OrderListStatus,
    PageLimit,
    PathText,
    WaitMs,
    access,
    checked_id,
)
from pump_party.apps.api.schemas.prop import (
    Account,
    AccountBody,
    Accounts,
    CancelledOrders,
    EquityPage,
    FillPage,
    LedgerPage,
    OrderPage,
    Preview,
    render_account,
    render_equity_item,
    render_fill_item,
    render_ledger_item,
    render_preview,
)
from pump_party.apps.api.schemas.rule_sets import RuleSets, render_rule_set
from pump_party.apps.order_wire import OrderBody, OrderBodyOut, parse_order, render_order
from pump_party.domains.prop_interface.contract import (
    AccountKind,
    CancelOrder,
    CancelOrders,
    OpenAccount,
    OrderStatus,
    ResetAccount,
)
from pump_party.kernel.errors import Invalid
from pump_party.kernel.ids import AccountId, Market

PREVIEW_KEY = "preview"
"""A preview changes nothing, so its command's key is never recorded."""


@get("/v1/rule-sets", opt=access(Access.PUBLIC), tags=["accounts"])
async def list_rule_sets(scope: Scope) -> RuleSets:
    """What accounts trade by: how orders fill, every parameter, and whether a contest may count it.

    You open accounts under those of the kind `practice`. A contest opens those of its entrants, a deployment that of
    its clone.
    """
    return RuleSets([render_rule_set(view) for view in call_of(scope).services.prop.rule_sets()])


@post("/v1/accounts", opt=access(Access.TRADE, idempotent=True), tags=["accounts"])
async def open_account(scope: Scope, data: JSONBody[AccountBody]) -> Account:
    """Open a practice account with virtual cash, under the rule set of the kind `practice` that you name.

    Accounts of another kind are not opened on request (`rule_set_not_offered`): one of a contest comes with the entry,
    one of a clone with its deployment.
    """
    call = call_of(scope)
    if data.kind is not AccountKind.PRACTICE:
        raise Invalid(
            f"accounts of the kind {data.kind.value} are not opened on request, only practice accounts",
            code="rule_set_not_offered",
            field="kind",
        )
    command = OpenAccount(call.user_id(), data.kind, call.idempotency_key(), data.rule_set)
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


@post(
    "/v1/accounts/{account_id:str}/orders",
    opt=access(Access.TRADE, idempotent=True),
    tags=["orders"],
    responses={202: ResponseSpec(OrderBodyOut, generate_examples=False, description="Accepted: it waits")},
)
async def place_order(
    scope: Scope, account_id: PathText, data: JSONBody[OrderBody], wait_ms: WaitMs = None
) -> OrderBodyOut:
    """Place an order. 201 with its end, also when that is a rejection; 202 when it is accepted and still waits.

    An order that fills on its next tick is waited for, up to `wait_ms`. One that rests at its limit or is armed at its
    trigger is answered at once.
    """
    call = call_of(scope)
    command = parse_order(
        data,
        call.services.registry,
        user_id=call.user_id(),
        account_id=checked_id(account_id, "account"),
        idempotency_key=call.idempotency_key(),
    )
    order = await call.services.orders.submit(command)
    if order.status is OrderStatus.ACCEPTED:
        longest_ms = call.services.settings.order_wait_ms
        order = await call.waits.settle(
            order, command.user_id, wait_ms=longest_ms if wait_ms is None else min(wait_ms, longest_ms)
        )
        if order.status is OrderStatus.ACCEPTED:
            call.answer_status = HTTP_202_ACCEPTED
    return render_order(order)


@post("/v1/accounts/{account_id:str}/orders/preview", status_code=200, opt=access(Access.READ), tags=["orders"])
async def preview_order(scope: Scope, account_id: PathText, data: JSONBody[OrderBody]) -> Preview:
    """What would become of the order now, and what it would cost at the current price. Changes nothing."""
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
    scope: Scope,
    account_id: PathText,
    status: OrderListStatus = None,
    cursor: Cursor = None,
    limit: PageLimit = PAGE_DEFAULT,
) -> OrderPage:
    """Orders that have ended, by their end; or, with `status=open`, those that wait."""
    call = call_of(scope)
    account_id = checked_id(account_id, "account")
    if status is not None:
        waiting = await call.run(call.services.prop.open_orders, call.user_id(), account_id)
        return OrderPage([render_order(order) for order in waiting], None)
    page = await call.run(call.services.prop.orders, call.user_id(), account_id, cursor=cursor, limit=limit)
    return OrderPage([render_order(order) for order in page.items], page.next_cursor)


@get("/v1/accounts/{account_id:str}/orders/{order_id:str}", opt=access(Access.READ), tags=["orders"])
async def read_order(scope: Scope, account_id: PathText, order_id: PathText) -> OrderBodyOut:
    call = call_of(scope)
    account_id, order_id = checked_id(account_id, "account"), checked_id(order_id, "order")
    return render_order(await call.run(call.services.prop.order, call.user_id(), account_id, order_id))


@delete(
    "/v1/accounts/{account_id:str}/orders/{order_id:str}", status_code=200, opt=access(Access.TRADE), tags=["orders"]
)
async def cancel_order(scope: Scope, account_id: PathText, order_id: PathText) -> OrderBodyOut:
    """End an accepted order and free what it holds. One that ended before is answered as it ended.

    Under `next_tick` an order in flight is answered as it waits. One that rests is `cancelling`: it ends at the first
    price published after the latency, or fills at one before.
    """
    call = call_of(scope)
    refuse_body(call.body)
    account, order_id = AccountId(checked_id(account_id, "account")), checked_id(order_id, "order")
    order = await call.run(call.services.prop.cancel_order, CancelOrder(call.user_id(), account, order_id))
    call.services.outbox.notify()
    return render_order(order)


@delete("/v1/accounts/{account_id:str}/orders", status_code=200, opt=access(Access.TRADE), tags=["orders"])
async def cancel_orders(scope: Scope, account_id: PathText, market: OnlyMarket = None) -> CancelledOrders:
    """Cancel every accepted order of the account, or of one market, in one step. Each as if it were cancelled alone."""
    call = call_of(scope)
    refuse_body(call.body)
    account = AccountId(checked_id(account_id, "account"))
    if market is not None:
        call.services.registry.asset(market)
    command = CancelOrders(call.user_id(), account, None if market is None else Market(market))
    cancelled = await call.run(call.services.prop.cancel_orders, command)
    call.services.outbox.notify()
    return CancelledOrders([render_order(order) for order in cancelled])


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
