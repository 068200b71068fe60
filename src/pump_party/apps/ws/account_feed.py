"""What followers of an account are shown of its events."""

import msgspec

from pump_party.apps.order_wire import render_fill, render_order
from pump_party.apps.perp_wire import render_perp
from pump_party.apps.ws.frames import (
    AccountStatusFrame,
    OrderFillFrame,
    OrderRejectFrame,
    OrderUpdate,
    PortfolioUpdate,
    PositionNow,
    PositionUpdate,
    Subscribed,
    text_frame,
)
from pump_party.apps.ws.subject_feed import SubjectFeed
from pump_party.domains.prop_interface.contract import FillView, OrderStatus, OrderView, PerpPositionView
from pump_party.events.prop_engine import (
    AccountReset,
    AccountStatusChanged,
    OrderFilled,
    OrderRejected,
    OrderUpdated,
    PositionUpdated,
)
from pump_party.kernel.money import format_micros, format_nanos
from pump_party.platform.metrics import Metrics
from pump_party.platform.outbox import Outbox, OutboxMessage

_decode_filled = msgspec.json.Decoder(OrderFilled).decode
_decode_fill = msgspec.json.Decoder(FillView).decode
_decode_rejected = msgspec.json.Decoder(OrderRejected).decode
_decode_updated = msgspec.json.Decoder(OrderUpdated).decode
_decode_changed = msgspec.json.Decoder(PositionUpdated).decode
_decode_perp = msgspec.json.Decoder(PerpPositionView).decode
_decode_perp_or_none = msgspec.json.Decoder(PerpPositionView | None).decode
_decode_order = msgspec.json.Decoder(OrderView).decode
_decode_status = msgspec.json.Decoder(AccountStatusChanged).decode
_decode_reset = msgspec.json.Decoder(AccountReset).decode


def account_feed(outbox: Outbox, metrics: Metrics) -> SubjectFeed:
    """Who follows which account of theirs."""
    return SubjectFeed(outbox, metrics, _render, _subscribed)


def _subscribed(account_id: str, seq: int, frame_id: str | msgspec.UnsetType) -> Subscribed:
    return Subscribed(channel="account", account_id=account_id, seq=seq, id=frame_id)


def _render(message: OutboxMessage, _is_owner: bool) -> list[tuple[str, bytes]]:
    """The frames of an event, (type, bytes); the last one carries the event's seq. Raises DecodeError."""
    match message.kind:
        case OrderFilled.KIND:
            filled = _decode_filled(message.payload)
            fill = _decode_fill(filled.fill)
            return [
                ("order_fill", text_frame(_order_fill(filled, fill, message.seq - 1))),
                ("portfolio_update", text_frame(_portfolio_after_fill(filled, fill, message.seq))),
            ]
        case OrderRejected.KIND:
            rejected = _decode_rejected(message.payload)
            return [("order_reject", text_frame(_order_reject(rejected, message.seq)))]
        case OrderUpdated.KIND:
            updated = _decode_updated(message.payload)
            return [("order_update", text_frame(_order_update(updated, message.seq)))]
        case PositionUpdated.KIND:
            changed = _decode_changed(message.payload)
            return [("position_update", text_frame(_position_update(changed, message.seq)))]
        case AccountReset.KIND:
            reset = _decode_reset(message.payload)
            return [("portfolio_update", text_frame(_portfolio_after_reset(reset, message.seq)))]
        case AccountStatusChanged.KIND:
            status = _decode_status(message.payload)
            return [("account_status", text_frame(_account_status(status, message.seq)))]
        case kind:
            raise msgspec.ValidationError(f"{kind} is not known here")


def _order_fill(event: OrderFilled, fill: FillView, seq: int) -> OrderFillFrame:
    return OrderFillFrame(
        account_id=event.account_id,
        seq=seq,
        order_id=event.order_id,
        client_order_id=event.client_order_id,
        market=fill.market,
        side=fill.side.value,
        status=OrderStatus.FILLED.value,
        fill=render_fill(fill),
    )


def _portfolio_after_fill(event: OrderFilled, fill: FillView, seq: int) -> PortfolioUpdate:
    perp = _decode_perp_or_none(event.perp)
    return PortfolioUpdate(
        account_id=event.account_id,
        seq=seq,
        version=event.version,
        cash=format_micros(event.cash_micros),
        held=format_micros(event.held_micros),
        margin=format_micros(event.margin_micros),
        position=_position_after_fill(event, fill) if perp is None else None,
        perp=None if perp is None else render_perp(perp),
        reset=False,
    )


def _position_after_fill(event: OrderFilled, fill: FillView) -> PositionNow:
    return PositionNow(
        market=fill.market,
        quantity=format_nanos(event.position_quantity_nanos),
        cost=format_micros(event.position_cost_micros),
        realised_pnl=format_micros(event.position_realised_pnl_micros),
        fees=format_micros(event.position_fees_micros),
    )


def _order_reject(event: OrderRejected, seq: int) -> OrderRejectFrame:
    return OrderRejectFrame(
        account_id=event.account_id,
        seq=seq,
        order_id=event.order_id,
        client_order_id=event.client_order_id,
        market=event.market,
        side=event.side,
        status=OrderStatus.REJECTED.value,
        reject_code=event.reject_code,
        version=event.version,
        cash=format_micros(event.cash_micros),
        held=format_micros(event.held_micros),
        at_ms=event.at_ms,
    )


def _order_update(event: OrderUpdated, seq: int) -> OrderUpdate:
    return OrderUpdate(
        account_id=event.account_id,
        seq=seq,
        version=event.version,
        cash=format_micros(event.cash_micros),
        held=format_micros(event.held_micros),
        order=render_order(_decode_order(event.order)),
        at_ms=event.at_ms,
    )


def _position_update(event: PositionUpdated, seq: int) -> PositionUpdate:
    return PositionUpdate(
        account_id=event.account_id,
        seq=seq,
        version=event.version,
        change=event.change,
        cash=format_micros(event.cash_micros),
        margin=format_micros(event.margin_micros),
        funding=format_micros(event.funding_micros),
        perp=render_perp(_decode_perp(event.perp)),
        at_ms=event.at_ms,
    )


def _portfolio_after_reset(event: AccountReset, seq: int) -> PortfolioUpdate:
    return PortfolioUpdate(
        account_id=event.account_id,
        seq=seq,
        version=event.version,
        cash=format_micros(event.cash_micros),
        held="0",
        margin="0",
        position=None,
        perp=None,
        reset=True,
        cycle=event.cycle,
    )


def _account_status(event: AccountStatusChanged, seq: int) -> AccountStatusFrame:
    return AccountStatusFrame(
        account_id=event.account_id,
        seq=seq,
        version=event.version,
        status=event.status,
        reason=event.reason,
        at_ms=event.at_ms,
    )
