"""Render the engine's records as the contract's views. Pure: prices and time are given."""

from collections.abc import Mapping, Sequence

from pump_party.domains.marketdata.contract import Quote
from pump_party.domains.prop_engine.ledger import read_postings
from pump_party.domains.prop_engine.model import (
    Account,
    Fill,
    JournalRecord,
    OpenOrder,
    Order,
    Position,
    RecordedOrder,
    SpotFill,
)
from pump_party.domains.prop_engine.portfolio import value_micros
from pump_party.domains.prop_interface.contract import (
    AccountView,
    CancelReason,
    EvidenceView,
    FillView,
    LedgerEntryView,
    OrderStatus,
    OrderView,
    PlaceOrder,
    PositionView,
    PreviewView,
    RejectCode,
)
from pump_party.kernel.ids import Market


def fill_view(fill: Fill) -> FillView:
    return FillView(
        fill.fill_id,
        fill.order_id,
        fill.market,
        fill.side,
        fill.price_e8,
        fill.quantity_nanos,
        fill.gross_micros,
        fill.fee_micros,
        fill.half_spread_e8,
        fill.impact_e8,
        fill.realised_pnl_micros,
        fill.filled_ms,
        fill.version,
        EvidenceView(
            fill.source,
            fill.publish_ms,
            fill.recv_ms,
            fill.filled_ms - fill.publish_ms,
            fill.mid_e8,
            fill.conf_e8,
            fill.tick_sha256,
            fill.tape_ms,
        ),
    )


def order_view(outcome: RecordedOrder | OpenOrder) -> OrderView:
    if isinstance(outcome, OpenOrder):
        return open_order_view(outcome)
    order, fill = outcome.order, outcome.fill
    if fill is None:
        return ended_order_view(order)
    return OrderView(
        order.order_id,
        order.account_id,
        order.client_order_id,
        order.market,
        order.side,
        order.quantity_nanos,
        order.quote_micros,
        order.max_slippage_ppm,
        OrderStatus.FILLED,
        None,
        order.created_ms,
        fill_view(fill),
        None,
        order.terms,
    )


def ended_order_view(order: Order) -> OrderView:
    """An order that ended without a fill."""
    code = order.reject_code
    cancelled = isinstance(code, CancelReason)
    return _order_view(
        order,
        OrderStatus.CANCELLED if cancelled else OrderStatus.REJECTED,
        reject_code=None if isinstance(code, CancelReason) else code,
        cancel_reason=code if isinstance(code, CancelReason) else None,
    )


def open_order_view(open_order: OpenOrder) -> OrderView:
    return _order_view(open_order.order, OrderStatus.ACCEPTED, held_amount=open_order.held_amount)


def _order_view(
    order: Order,
    status: OrderStatus,
    *,
    reject_code: RejectCode | None = None,
    cancel_reason: CancelReason | None = None,
    held_amount: int = 0,
) -> OrderView:
    return OrderView(
        order.order_id,
        order.account_id,
        order.client_order_id,
        order.market,
        order.side,
        order.quantity_nanos,
        order.quote_micros,
        order.max_slippage_ppm,
        status,
        reject_code,
        order.created_ms,
        None,
        cancel_reason,
        order.terms,
        held_amount,
    )


def preview_view(
    command: PlaceOrder,
    quote: Quote | None,
    fill: SpotFill | None,
    reject_code: RejectCode | None,
    *,
    cash_micros: int,
    held_nanos: int,
    now_ms: int,
) -> PreviewView:
    """A fill the account cannot pay for is shown with its amounts and the code, so that a person sees by how much."""
    return PreviewView(
        market=command.market,
        side=command.side,
        reject_code=reject_code,
        mid_e8=None if quote is None else quote.mid_e8,
        age_ms=None if quote is None else quote.age_ms(now_ms),
        price_e8=None if fill is None else fill.price_e8,
        quantity_nanos=None if fill is None else fill.quantity_nanos,
        gross_micros=None if fill is None else fill.gross_micros,
        fee_micros=None if fill is None else fill.fee_micros,
        half_spread_e8=None if fill is None else fill.half_spread_e8,
        impact_e8=None if fill is None else fill.impact_e8,
        cash_after_micros=None if fill is None else cash_micros + fill.cash_change_micros,
        position_after_nanos=None if fill is None else held_nanos + fill.held_change_nanos,
    )


def account_view(
    account: Account, positions: Sequence[Position], quotes: Mapping[Market, Quote], *, now_ms: int
) -> AccountView:
    """Value the account at the newest quotes. Flat positions without history in this cycle are left out."""
    rendered = tuple(
        _position_view(p, quotes.get(p.market), now_ms=now_ms) for p in sorted(positions, key=lambda p: p.market)
    )
    held = [p for p in rendered if p.quantity_nanos]
    priced = all(p.value_micros is not None for p in held)
    equity = unrealised = residual = None
    if priced:
        equity = (
            account.cash_micros + account.held_micros + account.margin_micros + sum(p.value_micros or 0 for p in held)
        )
        unrealised = sum(p.unrealised_pnl_micros or 0 for p in held)
        residual = equity - (
            account.start_micros
            + account.realised_pnl_micros
            + unrealised
            + account.funding_micros
            - account.fees_micros
        )
    return AccountView(
        account_id=account.account_id,
        kind=account.kind,
        rule_set=account.rule_set,
        params_sha256=account.params_sha256,
        contest_eligible=account.contest_eligible,
        cycle=account.cycle,
        opened_ms=account.opened_ms,
        version=account.version,
        seq=account.seq,
        start_micros=account.start_micros,
        cash_micros=account.cash_micros,
        equity_micros=equity,
        realised_pnl_micros=account.realised_pnl_micros,
        unrealised_pnl_micros=unrealised,
        fees_micros=account.fees_micros,
        residual_micros=residual,
        positions=rendered,
        status=account.status,
        held_micros=account.held_micros,
        margin_micros=account.margin_micros,
        funding_micros=account.funding_micros,
        open_orders=account.open_orders,
    )


def _position_view(position: Position, quote: Quote | None, *, now_ms: int) -> PositionView:
    value = None if quote is None else value_micros(position.quantity_nanos, quote.mid_e8)
    return PositionView(
        market=position.market,
        quantity_nanos=position.quantity_nanos,
        cost_micros=position.cost_micros,
        realised_pnl_micros=position.realised_pnl_micros,
        fees_micros=position.fees_micros,
        mark_e8=None if quote is None else quote.mid_e8,
        mark_age_ms=None if quote is None else quote.age_ms(now_ms),
        value_micros=value,
        unrealised_pnl_micros=None if value is None else value - position.cost_micros,
        held_nanos=position.held_nanos,
    )


def ledger_entries(record: JournalRecord) -> list[LedgerEntryView]:
    """The record's postings, last leg first, as a newest-first page wants them."""
    return [
        LedgerEntryView(
            version=record.version,
            leg=leg,
            kind=record.kind.value,
            ledger_account=posting.ledger_account,
            asset=posting.asset,
            amount=posting.amount,
            balance_after=posting.balance_after,
            order_id=record.order_id,
            at_ms=record.at_ms,
            record_sha256=record.sha256.hex(),
        )
        for leg, posting in reversed(list(enumerate(read_postings(record.postings))))
    ]
