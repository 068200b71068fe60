"""Word the engine's events, for the outbox row written with the fact."""

import msgspec

from pump_party.domains.prop_engine.model import Account, Fill, OpenOrder, Order, Position, RecordKind
from pump_party.domains.prop_engine.perp_model import PerpParams, PerpPosition
from pump_party.domains.prop_engine.views import ended_order_view, fill_view, open_order_view, perp_position_view
from pump_party.events.prop_engine import (
    AccountReset,
    AccountStatusChanged,
    OrderFilled,
    OrderRejected,
    OrderUpdated,
    PositionUpdated,
)
from pump_party.platform.bus import ACCOUNT_CHANNEL
from pump_party.platform.outbox import OutboxMessage

FRAMES_OF_A_FILL = 2
"""A fill is shown as the fill and the portfolio it changed, so it takes two sequence numbers."""

Event = OrderFilled | OrderUpdated | OrderRejected | PositionUpdated | AccountReset | AccountStatusChanged

_encode = msgspec.json.encode


def order_filled(order: Order, fill: Fill, account: Account, position: Position) -> OutboxMessage:
    """Account and position are those after the fill; `account.seq` already counts its frames."""
    event = OrderFilled(
        order.account_id,
        order.order_id,
        order.client_order_id,
        msgspec.Raw(_encode(fill_view(fill))),
        account.version,
        account.cash_micros,
        position.quantity_nanos,
        position.cost_micros,
        position.realised_pnl_micros,
        position.fees_micros,
        account.held_micros,
    )
    return _message(account, event, fill.filled_ms)


def perp_filled(
    order: Order, fill: Fill, account: Account, position: PerpPosition, params: PerpParams
) -> OutboxMessage:
    """Account and position are those after the fill; `account.seq` already counts its frames."""
    event = OrderFilled(
        order.account_id,
        order.order_id,
        order.client_order_id,
        msgspec.Raw(_encode(fill_view(fill))),
        account.version,
        account.cash_micros,
        position.quantity_nanos,
        position.entry_cost_micros,
        position.realised_pnl_micros,
        position.fees_micros,
        account.held_micros,
        account.margin_micros,
        _perp(position, params),
    )
    return _message(account, event, fill.filled_ms)


def position_updated(
    kind: RecordKind, position: PerpPosition, params: PerpParams, account: Account, *, at_ms: int
) -> OutboxMessage:
    event = PositionUpdated(
        account_id=account.account_id,
        change=kind.value,
        perp=_perp(position, params),
        version=account.version,
        cash_micros=account.cash_micros,
        margin_micros=account.margin_micros,
        funding_micros=account.funding_micros,
        at_ms=at_ms,
    )
    return _message(account, event, at_ms)


def _perp(position: PerpPosition, params: PerpParams) -> msgspec.Raw:
    return msgspec.Raw(_encode(perp_position_view(position, None, params, now_ms=0)))


def order_updated(order: Order, open_order: OpenOrder | None, account: Account, *, at_ms: int) -> OutboxMessage:
    """The order as it now waits, or, without `open_order`, as it was cancelled."""
    view = ended_order_view(order) if open_order is None else open_order_view(open_order)
    event = OrderUpdated(
        account_id=order.account_id,
        order=msgspec.Raw(_encode(view)),
        version=account.version,
        cash_micros=account.cash_micros,
        held_micros=account.held_micros,
        at_ms=at_ms,
    )
    return _message(account, event, at_ms)


def order_rejected(order: Order, account: Account, *, at_ms: int) -> OutboxMessage:
    assert order.reject_code is not None
    event = OrderRejected(
        account_id=order.account_id,
        order_id=order.order_id,
        client_order_id=order.client_order_id,
        market=order.market,
        side=order.side.value,
        reject_code=order.reject_code.value,
        version=account.version,
        cash_micros=account.cash_micros,
        held_micros=account.held_micros,
        at_ms=at_ms,
    )
    return _message(account, event, at_ms)


def account_reset(account: Account, *, at_ms: int) -> OutboxMessage:
    event = AccountReset(
        account_id=account.account_id,
        cycle=account.cycle,
        cash_micros=account.cash_micros,
        version=account.version,
        at_ms=at_ms,
    )
    return _message(account, event, at_ms)


def account_status_changed(account: Account, reason: str, *, at_ms: int) -> OutboxMessage:
    event = AccountStatusChanged(
        account_id=account.account_id,
        status=account.status.value,
        reason=reason,
        version=account.version,
        at_ms=at_ms,
    )
    return _message(account, event, at_ms)


def _message(account: Account, event: Event, at_ms: int) -> OutboxMessage:
    payload = msgspec.Raw(_encode(event))
    return OutboxMessage(ACCOUNT_CHANNEL, account.account_id, account.seq, event.KIND, payload, at_ms)
