"""Orders over the socket: the same commands, the same limits and the same outcomes as over REST."""

import asyncio

import msgspec
import structlog

from pump_party.apps.order_wire import ORDERS_PER_USER, parse_order, render_order
from pump_party.apps.ws.frames import (
    CancelOrderFrame,
    ErrorFrame,
    OrderFrame,
    OrderResult,
    PlaceOrderFrame,
    error_frame,
    text_frame,
)
from pump_party.bootstrap.services import Services
from pump_party.domains.prop_interface.contract import CancelOrder, OrderView, PlaceOrder
from pump_party.domains.users.contract import Principal, Scope
from pump_party.kernel.errors import Forbidden, NotFound, RateLimited, Refusal
from pump_party.kernel.ids import AccountId, is_uuid

_log = structlog.get_logger("order_frames")


async def answer_order(services: Services, principal: Principal, frame: OrderFrame) -> bytes:
    """Carry out one order frame. Returns its answer, `order_result` or `error`; raises nothing."""
    try:
        order = await _carry_out(services, principal, frame)
    except Refusal as refusal:
        services.metrics.refused(refusal.code)
        return text_frame(_name_key(error_frame(refusal, frame.id)))
    except Exception:  # noqa: BLE001 - one order's fault must not take the socket and its other orders down
        _log.exception("order_failed", account_id=frame.account_id)
        return text_frame(internal_error(frame.id))
    return text_frame(OrderResult(order=render_order(order), id=frame.id))


async def _carry_out(services: Services, principal: Principal, frame: OrderFrame) -> OrderView:
    if Scope.TRADE not in principal.scopes:
        raise Forbidden("this key may not trade", code="scope_missing")
    if not is_uuid(frame.account_id):
        raise NotFound("there is no such account of yours", code="account_not_found", field="account_id")
    command = _command(services, principal, frame)
    if services.settings.rate_limits:
        wait_ms = await services.limits.take(ORDERS_PER_USER, principal.user_id)
        if wait_ms:
            raise RateLimited("too many orders; slow down", retry_after_ms=wait_ms)
    if isinstance(command, PlaceOrder):
        return await services.orders.submit(command)
    order = await asyncio.to_thread(services.prop.cancel_order, command)
    services.outbox.notify()
    return order


def _name_key(answer: ErrorFrame) -> ErrorFrame:
    """What comes in a header over REST is a field of the frame here."""
    if answer.field != "Idempotency-Key":
        return answer
    return msgspec.structs.replace(answer, field="idempotency_key")


def _command(services: Services, principal: Principal, frame: OrderFrame) -> PlaceOrder | CancelOrder:
    if isinstance(frame, PlaceOrderFrame):
        return parse_order(
            frame,
            services.registry,
            user_id=principal.user_id,
            account_id=frame.account_id,
            idempotency_key=frame.idempotency_key,
        )
    assert isinstance(frame, CancelOrderFrame)
    if not is_uuid(frame.order_id):
        raise NotFound("there is no such order", code="order_not_found", field="order_id")
    return CancelOrder(principal.user_id, AccountId(frame.account_id), frame.order_id)


def internal_error(frame_id: str | msgspec.UnsetType) -> ErrorFrame:
    return ErrorFrame(
        code="internal_error", detail="something unexpected went wrong and was recorded", status=500, id=frame_id
    )
