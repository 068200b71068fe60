"""Orders on the wire, the same over REST and the socket: how they are read, and how outcomes are written.

A route decodes its body as `OrderBody`, calls `parse_order`, hands the command to `services.orders.submit` and answers
with `render_order`. A fill has one wire form, `FillDetail`, in answers and in the frames of the stream.
"""

import re
from typing import Annotated, Protocol

import msgspec

from pump_party.domains.prop_interface.contract import (
    FillView,
    OrderStatus,
    OrderView,
    PlaceOrder,
    RejectCode,
    Side,
)
from pump_party.kernel.errors import Invalid
from pump_party.kernel.ids import AccountId, Market, UserId
from pump_party.kernel.money import (
    INT64_MAX,
    MICROS_DECIMALS,
    NANOS_DECIMALS,
    PPM_PER_BPS,
    format_e8,
    format_micros,
    format_nanos,
    parse_decimal,
)
from pump_party.platform.limits import Limit

ORDERS_PER_USER = Limit(name="orders", burst=300, per_minute=6_000)
"""Taken once per order and user, on REST and the socket alike, unless `settings.rate_limits` is off."""

KEY_PATTERN = r"^[A-Za-z0-9_\-.:]{1,64}$"
_KEY = re.compile(KEY_PATTERN, re.ASCII)
_KEY_RULE = "must be 1 to 64 characters of A-Z a-z 0-9 _ - . :"

DecimalText = Annotated[str, msgspec.Meta(max_length=25, description='decimal string, for example "1.5"')]
MarketText = Annotated[str, msgspec.Meta(pattern=r"^[A-Z0-9]{1,15}-[A-Z0-9]{1,15}$")]
SlippageBps = Annotated[int, msgspec.Meta(ge=0, le=10_000)]
KeyText = Annotated[str, msgspec.Meta(pattern=KEY_PATTERN)]


class OrderBody(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A market order as sent by a client: exactly one of `quantity` and `quote_amount`."""

    market: MarketText
    side: Side
    quantity: DecimalText | None = None
    quote_amount: DecimalText | None = None
    max_slippage_bps: SlippageBps | None = None
    client_order_id: KeyText | None = None


class Evidence(msgspec.Struct, frozen=True):
    """Where a fill's price came from. `tape_ms` is set when the price was replayed from a tape."""

    source: str
    publish_ms: int
    receive_ms: int
    age_ms: int
    mid: str
    confidence: str
    tick_sha256: str
    tape_ms: int | None


class FillDetail(msgspec.Struct, frozen=True):
    fill_id: str
    price: str
    quantity: str
    gross: str
    fee: str
    half_spread: str
    impact: str
    realised_pnl: str
    filled_ms: int
    evidence: Evidence


class OrderBodyOut(msgspec.Struct, frozen=True):
    """An order and its outcome as answered to a client."""

    order_id: str
    account_id: str
    client_order_id: str | None
    market: str
    side: Side
    quantity: str | None
    quote_amount: str | None
    max_slippage_bps: int | None
    status: OrderStatus
    reject_code: RejectCode | None
    created_ms: int
    fill: FillDetail | None


class Markets(Protocol):
    """What there is to trade: the asset registry."""

    def asset(self, market: str) -> object:
        """Raises NotFound (market_unknown)."""
        ...


def parse_order(
    body: OrderBody, markets: Markets, *, user_id: UserId, account_id: str, idempotency_key: str
) -> PlaceOrder:
    """Turn a decoded body into a command. Raises Invalid or NotFound with the field for whatever is not an order."""
    markets.asset(body.market)
    if (body.quantity is None) == (body.quote_amount is None):
        raise Invalid(
            "give exactly one of quantity and quote_amount", code="quantity_or_quote_amount", field="quantity"
        )
    if body.client_order_id is not None and _KEY.fullmatch(body.client_order_id) is None:
        raise Invalid(_KEY_RULE, code="client_order_id_invalid", field="client_order_id")
    return PlaceOrder(
        user_id=user_id,
        account_id=AccountId(account_id),
        idempotency_key=parse_idempotency_key(idempotency_key),
        market=Market(body.market),
        side=body.side,
        quantity_nanos=_amount(body.quantity, decimals=NANOS_DECIMALS, field="quantity"),
        quote_micros=_amount(body.quote_amount, decimals=MICROS_DECIMALS, field="quote_amount"),
        max_slippage_ppm=None if body.max_slippage_bps is None else body.max_slippage_bps * PPM_PER_BPS,
        client_order_id=body.client_order_id,
    )


def parse_idempotency_key(key: str | None) -> str:
    """Check a key: 1 to 64 of A-Z a-z 0-9 _ - . : (so that it can be stored, logged and compared byte by byte)."""
    if not key:
        raise Invalid("send an Idempotency-Key", code="idempotency_key_missing", field="Idempotency-Key")
    if _KEY.fullmatch(key) is None:
        raise Invalid(_KEY_RULE, code="idempotency_key_invalid", field="Idempotency-Key")
    return key


def render_order(order: OrderView) -> OrderBodyOut:
    return OrderBodyOut(
        order_id=order.order_id,
        account_id=order.account_id,
        client_order_id=order.client_order_id,
        market=order.market,
        side=order.side,
        quantity=None if order.quantity_nanos is None else format_nanos(order.quantity_nanos),
        quote_amount=None if order.quote_micros is None else format_micros(order.quote_micros),
        max_slippage_bps=None if order.max_slippage_ppm is None else order.max_slippage_ppm // PPM_PER_BPS,
        status=order.status,
        reject_code=order.reject_code,
        created_ms=order.created_ms,
        fill=None if order.fill is None else render_fill(order.fill),
    )


def render_fill(fill: FillView) -> FillDetail:
    evidence = fill.evidence
    return FillDetail(
        fill_id=fill.fill_id,
        price=format_e8(fill.price_e8),
        quantity=format_nanos(fill.quantity_nanos),
        gross=format_micros(fill.gross_micros),
        fee=format_micros(fill.fee_micros),
        half_spread=format_e8(fill.half_spread_e8),
        impact=format_e8(fill.impact_e8),
        realised_pnl=format_micros(fill.realised_pnl_micros),
        filled_ms=fill.filled_ms,
        evidence=Evidence(
            source=evidence.source,
            publish_ms=evidence.publish_ms,
            receive_ms=evidence.receive_ms,
            age_ms=evidence.age_ms,
            mid=format_e8(evidence.mid_e8),
            confidence=format_e8(evidence.conf_e8),
            tick_sha256=evidence.tick_sha256,
            tape_ms=evidence.tape_ms,
        ),
    )


def _amount(text: str | None, *, decimals: int, field: str) -> int | None:
    if text is None:
        return None
    value = parse_decimal(text, decimals=decimals, field=field)
    if value > INT64_MAX:
        raise Invalid("is larger than any order can be", code="too_large", field=field)
    return value
