"""Accounts and their history on the wire. Orders are in `apps/order_wire.py`."""

from typing import Annotated

import msgspec

from pump_party.apps.amounts import e8_or_null, micros_or_null, nanos_or_null
from pump_party.apps.order_wire import (
    CASH_ASSET,
    BookFill,
    Evidence,
    OrderBodyOut,
    format_held,
    render_fill,
)
from pump_party.apps.perp_wire import PerpFill, PerpPosition, render_perp
from pump_party.domains.prop_interface.contract import (
    AccountKind,
    AccountStatus,
    AccountView,
    EquityMark,
    FillView,
    LedgerEntryView,
    OrderStatus,
    PositionView,
    PreviewView,
    RejectCode,
    Side,
    StatusReason,
)
from pump_party.kernel.money import E8, MICROS, NANOS, format_e8, format_micros, format_nanos


class AccountBody(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """`kind` is `practice`. `rule_set` names one of that kind of `GET /v1/rule-sets`; without it the default is taken.

    Under `next_tick` the account trades as contests do: that is your choice.
    """

    kind: AccountKind
    rule_set: Annotated[str, msgspec.Meta(min_length=1, max_length=64)] | None = None


class Position(msgspec.Struct, frozen=True):
    """A holding; `held` of it is set aside for open orders. What depends on the price is null while there is none."""

    market: str
    quantity: str
    cost: str
    average_price: str | None
    realised_pnl: str
    fees: str
    mark: str | None
    mark_age_ms: int | None
    value: str | None
    unrealised_pnl: str | None
    held: str


class Account(msgspec.Struct, frozen=True):
    """An account. equity = start + realised_pnl + unrealised_pnl + funding - fees + residual, and residual is always 0.

    `cash` is free; `held` is set aside for open orders, `margin` for perpetual positions. Only an `active` account
    takes orders. `status_reason` says by a code why another one is not active, `status_detail` in words.
    """

    account_id: str
    kind: AccountKind
    rule_set: str
    params_sha256: str
    contest_eligible: bool
    cycle: int
    opened_ms: int
    version: int
    seq: int
    start: str
    cash: str
    equity: str | None
    realised_pnl: str
    unrealised_pnl: str | None
    fees: str
    residual: str | None
    positions: list[Position]
    status: AccountStatus
    held: str
    margin: str
    funding: str
    open_orders: int
    perps: list[PerpPosition]
    status_reason: StatusReason | None
    status_detail: str | None


class Accounts(msgspec.Struct, frozen=True):
    items: list[Account]


class Preview(msgspec.Struct, frozen=True):
    """What an order would do now: its `status`, or the `reject_code` it would end with.

    Amounts are those of a fill at this moment's price, null where there would be none. An order that waits sets `held`
    of `held_asset` aside. For a perpetual `position_after` is negative when short; `margin` and `liquidation_price` are
    those of the whole position afterwards.
    """

    market: str
    side: Side
    reject_code: RejectCode | None
    mid: str | None
    age_ms: int | None
    price: str | None
    quantity: str | None
    gross: str | None
    fee: str | None
    half_spread: str | None
    impact: str | None
    cash_after: str | None
    position_after: str | None
    status: OrderStatus
    held: str
    held_asset: str | None
    leverage: int | None
    margin: str | None
    liquidation_price: str | None


class FillItem(msgspec.Struct, frozen=True):
    fill_id: str
    order_id: str
    market: str
    side: Side
    price: str
    quantity: str
    gross: str
    fee: str
    half_spread: str
    impact: str
    realised_pnl: str
    filled_ms: int
    version: int
    evidence: Evidence
    perp: PerpFill | None
    book: BookFill | None


class LedgerItem(msgspec.Struct, frozen=True):
    """One posting of a transfer. `amount` is in units of `asset`."""

    version: int
    leg: int
    kind: str
    ledger_account: str
    asset: str
    amount: str
    balance_after: str
    order_id: str | None
    at_ms: int
    record_sha256: str


class EquityItem(msgspec.Struct, frozen=True):
    at_ms: int
    cycle: int
    equity: str


class CancelledOrders(msgspec.Struct, frozen=True):
    """The orders that the request ended or called back (`cancelling`), oldest first."""

    items: list[OrderBodyOut]


class OrderPage(msgspec.Struct, frozen=True):
    """Newest first; `next_cursor` continues, null is the end."""

    items: list[OrderBodyOut]
    next_cursor: str | None


class FillPage(msgspec.Struct, frozen=True):
    """Newest first; `next_cursor` continues, null is the end."""

    items: list[FillItem]
    next_cursor: str | None


class LedgerPage(msgspec.Struct, frozen=True):
    """Newest first; `next_cursor` continues, null is the end."""

    items: list[LedgerItem]
    next_cursor: str | None


class EquityPage(msgspec.Struct, frozen=True):
    """Newest first; `next_cursor` continues, null is the end."""

    items: list[EquityItem]
    next_cursor: str | None


def render_account(view: AccountView) -> Account:
    return Account(
        account_id=view.account_id,
        kind=view.kind,
        rule_set=view.rule_set,
        params_sha256=view.params_sha256,
        contest_eligible=view.contest_eligible,
        cycle=view.cycle,
        opened_ms=view.opened_ms,
        version=view.version,
        seq=view.seq,
        start=format_micros(view.start_micros),
        cash=format_micros(view.cash_micros),
        equity=micros_or_null(view.equity_micros),
        realised_pnl=format_micros(view.realised_pnl_micros),
        unrealised_pnl=micros_or_null(view.unrealised_pnl_micros),
        fees=format_micros(view.fees_micros),
        residual=micros_or_null(view.residual_micros),
        positions=[_position(position) for position in view.positions],
        status=view.status,
        held=format_micros(view.held_micros),
        margin=format_micros(view.margin_micros),
        funding=format_micros(view.funding_micros),
        open_orders=view.open_orders,
        perps=[render_perp(perp) for perp in view.perps],
        status_reason=view.status_reason,
        status_detail=view.status_detail,
    )


def _position(view: PositionView) -> Position:
    return Position(
        market=view.market,
        quantity=format_nanos(view.quantity_nanos),
        cost=format_micros(view.cost_micros),
        average_price=_average_price(view),
        realised_pnl=format_micros(view.realised_pnl_micros),
        fees=format_micros(view.fees_micros),
        mark=e8_or_null(view.mark_e8),
        mark_age_ms=view.mark_age_ms,
        value=micros_or_null(view.value_micros),
        unrealised_pnl=micros_or_null(view.unrealised_pnl_micros),
        held=format_nanos(view.held_nanos),
    )


def _average_price(view: PositionView) -> str | None:
    """Cost over quantity, rounded down to a price; null without a holding."""
    if view.quantity_nanos == 0:
        return None
    return format_e8(view.cost_micros * NANOS * E8 // (MICROS * view.quantity_nanos))


def render_preview(view: PreviewView) -> Preview:
    return Preview(
        market=view.market,
        side=view.side,
        reject_code=view.reject_code,
        mid=e8_or_null(view.mid_e8),
        age_ms=view.age_ms,
        price=e8_or_null(view.price_e8),
        quantity=nanos_or_null(view.quantity_nanos),
        gross=micros_or_null(view.gross_micros),
        fee=micros_or_null(view.fee_micros),
        half_spread=e8_or_null(view.half_spread_e8),
        impact=e8_or_null(view.impact_e8),
        cash_after=micros_or_null(view.cash_after_micros),
        position_after=nanos_or_null(view.position_after_nanos),
        status=view.status,
        held=format_held(view.held_amount, view.held_asset),
        held_asset=view.held_asset,
        leverage=view.leverage,
        margin=micros_or_null(view.margin_micros),
        liquidation_price=e8_or_null(view.liquidation_e8),
    )


def render_fill_item(view: FillView) -> FillItem:
    fill = render_fill(view)
    return FillItem(
        fill_id=fill.fill_id,
        order_id=view.order_id,
        market=view.market,
        side=view.side,
        price=fill.price,
        quantity=fill.quantity,
        gross=fill.gross,
        fee=fill.fee,
        half_spread=fill.half_spread,
        impact=fill.impact,
        realised_pnl=fill.realised_pnl,
        filled_ms=fill.filled_ms,
        version=view.version,
        evidence=fill.evidence,
        perp=fill.perp,
        book=fill.book,
    )


def render_ledger_item(view: LedgerEntryView) -> LedgerItem:
    write = format_micros if view.asset == CASH_ASSET else format_nanos
    return LedgerItem(
        version=view.version,
        leg=view.leg,
        kind=view.kind,
        ledger_account=view.ledger_account,
        asset=view.asset,
        amount=write(view.amount),
        balance_after=write(view.balance_after),
        order_id=view.order_id,
        at_ms=view.at_ms,
        record_sha256=view.record_sha256,
    )


def render_equity_item(mark: EquityMark) -> EquityItem:
    return EquityItem(at_ms=mark.at_ms, cycle=mark.cycle, equity=format_micros(mark.equity_micros))
