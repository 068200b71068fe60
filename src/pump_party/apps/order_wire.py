"""Orders on the wire, the same over REST and the socket: how they are read, and how outcomes are written.

A route decodes its body as `OrderBody`, calls `parse_order`, hands the command to `services.orders.submit` and answers
with `render_order`. A fill has one wire form, `FillDetail`, in answers and in the frames of the stream.
"""

import re
from enum import StrEnum
from typing import Annotated, Protocol

import msgspec

from pump_party.apps.amounts import e8_or_null, micros_or_null, nanos_or_null
from pump_party.apps.perp_wire import PerpFill, render_perp_fill
from pump_party.domains.prop_interface.contract import (
    BookFillView,
    CancelReason,
    FillView,
    OrderKind,
    OrderStage,
    OrderStatus,
    OrderTerms,
    OrderView,
    PlaceOrder,
    RejectCode,
    Side,
    TimeInForce,
)
from pump_party.kernel.errors import Invalid
from pump_party.kernel.ids import AccountId, Market, UserId
from pump_party.kernel.money import (
    E8_DECIMALS,
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

CASH_ASSET = "USDC"
KEY_PATTERN = r"^[A-Za-z0-9_\-.:]{1,64}$"
_KEY = re.compile(KEY_PATTERN, re.ASCII)
_KEY_RULE = "must be 1 to 64 characters of A-Z a-z 0-9 _ - . :"

DecimalText = Annotated[str, msgspec.Meta(max_length=25, description='decimal string, for example "1.5"')]
MARKET_PATTERN = r"^[A-Z0-9]{1,15}-[A-Z0-9]{1,15}$"
MarketText = Annotated[str, msgspec.Meta(pattern=MARKET_PATTERN)]
SlippageBps = Annotated[int, msgspec.Meta(ge=0, le=10_000)]
Leverage = Annotated[int, msgspec.Meta(ge=1, le=50)]
KeyText = Annotated[str, msgspec.Meta(pattern=KEY_PATTERN)]


class OrderFields(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """An order as sent by a client: exactly one of `quantity` and `quote_amount`.

    A `limit` has a `limit_price`, a `stop` and a `take_profit` a `trigger_price`. A `reduce_only` order without a size
    closes whatever is held when it fires. `stop_price` and `target_price` attach exits to the position it opens.
    """

    market: MarketText
    side: Side
    kind: OrderKind = OrderKind.MARKET
    quantity: DecimalText | None = None
    quote_amount: DecimalText | None = None
    limit_price: DecimalText | None = None
    trigger_price: DecimalText | None = None
    time_in_force: TimeInForce = TimeInForce.GTC
    reduce_only: bool = False
    leverage: Leverage | None = None
    stop_price: DecimalText | None = None
    target_price: DecimalText | None = None
    max_slippage_bps: SlippageBps | None = None
    client_order_id: KeyText | None = None


class OrderBody(OrderFields, frozen=True, kw_only=True):
    """An order as the body of a request: see `OrderFields`."""

    kind: OrderKind = msgspec.field(default=OrderKind.MARKET, name="type")


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


class BookLeg(msgspec.Struct, frozen=True):
    """What was taken of one level."""

    price: str
    quantity: str


class BookFill(msgspec.Struct, frozen=True):
    """The order book that a fill walked, its levels in the order in which they were taken."""

    source: str
    seq: int
    publish_ms: int
    sha256: str
    legs: list[BookLeg]


class FillDetail(msgspec.Struct, frozen=True):
    """A fill; `perp` when it was of a perpetual, `book` when an order book priced it."""

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
    perp: PerpFill | None
    book: BookFill | None


class OrderOrigin(StrEnum):
    """Who placed an order: you; your order's exits; the engine, to liquidate a position or to close an account's."""

    CLIENT = "client"
    EXIT = "exit"
    LIQUIDATION = "liquidation"
    CLOSING = "closing"


class OrderBodyOut(msgspec.Struct, frozen=True):
    """An order as answered to a client. `accepted` waits for what `stage` says; every other status is final.

    `held` of `held_asset` is set aside while it waits. `parent_id` is the order that an exit was attached by. One that
    closes an account cannot be cancelled.
    """

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
    cancel_reason: CancelReason | None
    stage: OrderStage | None
    held: str
    held_asset: str | None
    type: OrderKind = OrderKind.MARKET
    limit_price: str | None = None
    trigger_price: str | None = None
    time_in_force: TimeInForce = TimeInForce.GTC
    reduce_only: bool = False
    leverage: int | None = None
    stop_price: str | None = None
    target_price: str | None = None
    parent_id: str | None = None
    origin: OrderOrigin = OrderOrigin.CLIENT


class Markets(Protocol):
    """What there is to trade: the asset registry."""

    def asset(self, market: str) -> object:
        """Raises NotFound (market_unknown)."""
        ...


def parse_order(
    body: OrderFields, markets: Markets, *, user_id: UserId, account_id: str, idempotency_key: str
) -> PlaceOrder:
    """Turn a decoded body into a command. Raises Invalid or NotFound with the field for whatever is not an order."""
    markets.asset(body.market)
    _check_shape(body)
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
        terms=_terms(body),
    )


def _check_shape(body: OrderFields) -> None:
    """Refuse what no market and no account could make an order. Whether its terms make sense the engine decides."""
    sizes = (body.quantity is not None) + (body.quote_amount is not None)
    if sizes != 1 and not (sizes == 0 and body.reduce_only):
        raise Invalid(
            "give exactly one of quantity and quote_amount", code="quantity_or_quote_amount", field="quantity"
        )
    kind = body.kind
    if (body.limit_price is not None) != (kind is OrderKind.LIMIT):
        raise Invalid(
            "a limit order needs its limit_price and no other order has one",
            code="limit_price_and_type",
            field="limit_price",
        )
    if (body.trigger_price is not None) != (kind in _TRIGGERED):
        raise Invalid(
            "a stop or take_profit needs its trigger_price and no other order has one",
            code="trigger_price_and_type",
            field="trigger_price",
        )
    if body.quote_amount is not None and kind is not OrderKind.MARKET:
        raise Invalid("only a market order has a budget", code="quote_amount_and_type", field="quote_amount")


_TRIGGERED = (OrderKind.STOP, OrderKind.TAKE_PROFIT)


def _terms(body: OrderFields) -> OrderTerms | None:
    """What is asked beyond a plain market order; None for one, however much of its default was spelt out."""
    if _is_plain(body):
        return None
    return OrderTerms(
        kind=body.kind,
        limit_price_e8=_price(body.limit_price, "limit_price"),
        trigger_price_e8=_price(body.trigger_price, "trigger_price"),
        time_in_force=body.time_in_force,
        reduce_only=body.reduce_only,
        leverage=body.leverage,
        stop_price_e8=_price(body.stop_price, "stop_price"),
        target_price_e8=_price(body.target_price, "target_price"),
    )


def _is_plain(body: OrderFields) -> bool:
    return (
        body.kind is OrderKind.MARKET
        and body.time_in_force is TimeInForce.GTC
        and not body.reduce_only
        and body.leverage is None
        and body.stop_price is None
        and body.target_price is None
    )


def _price(text: str | None, field: str) -> int | None:
    return _amount(text, decimals=E8_DECIMALS, field=field)


def parse_idempotency_key(key: str | None) -> str:
    """Check a key: 1 to 64 of A-Z a-z 0-9 _ - . : (so that it can be stored, logged and compared byte by byte)."""
    if not key:
        raise Invalid("send an Idempotency-Key", code="idempotency_key_missing", field="Idempotency-Key")
    if _KEY.fullmatch(key) is None:
        raise Invalid(_KEY_RULE, code="idempotency_key_invalid", field="Idempotency-Key")
    return key


def render_order(order: OrderView) -> OrderBodyOut:
    # In the order of the fields: names would cost as much again, for every order answered.
    plain = OrderBodyOut(
        order.order_id,
        order.account_id,
        order.client_order_id,
        order.market,
        order.side,
        nanos_or_null(order.quantity_nanos),
        micros_or_null(order.quote_micros),
        None if order.max_slippage_ppm is None else order.max_slippage_ppm // PPM_PER_BPS,
        order.status,
        order.reject_code,
        order.created_ms,
        None if order.fill is None else render_fill(order.fill),
        order.cancel_reason,
        order.stage,
        format_held(order.held_amount, order.held_asset),
        order.held_asset,
    )
    terms = order.terms
    if terms is None:
        return plain
    return msgspec.structs.replace(
        plain,
        type=terms.kind,
        limit_price=e8_or_null(terms.limit_price_e8),
        trigger_price=e8_or_null(terms.trigger_price_e8),
        time_in_force=terms.time_in_force,
        reduce_only=terms.reduce_only,
        leverage=terms.leverage,
        stop_price=e8_or_null(terms.stop_price_e8),
        target_price=e8_or_null(terms.target_price_e8),
        parent_id=terms.parent_id,
        origin=_origin(terms),
    )


def _origin(terms: OrderTerms) -> OrderOrigin:
    if terms.is_liquidation:
        return OrderOrigin.LIQUIDATION
    if terms.is_closing:
        return OrderOrigin.CLOSING
    return OrderOrigin.CLIENT if terms.parent_id is None else OrderOrigin.EXIT


def format_held(amount: int, asset: str | None) -> str:
    """What is set aside of an asset: micros of USDC, nanos of any other."""
    if amount == 0:
        return "0"
    return format_micros(amount) if asset == CASH_ASSET else format_nanos(amount)


def render_fill(fill: FillView) -> FillDetail:
    evidence = fill.evidence
    return FillDetail(
        fill.fill_id,
        format_e8(fill.price_e8),
        format_nanos(fill.quantity_nanos),
        format_micros(fill.gross_micros),
        format_micros(fill.fee_micros),
        format_e8(fill.half_spread_e8),
        format_e8(fill.impact_e8),
        format_micros(fill.realised_pnl_micros),
        fill.filled_ms,
        Evidence(
            evidence.source,
            evidence.publish_ms,
            evidence.receive_ms,
            evidence.age_ms,
            format_e8(evidence.mid_e8),
            format_e8(evidence.conf_e8),
            evidence.tick_sha256,
            evidence.tape_ms,
        ),
        None if fill.perp is None else render_perp_fill(fill.perp),
        None if fill.book is None else _book_fill(fill.book),
    )


def _book_fill(book: BookFillView) -> BookFill:
    legs = [BookLeg(format_e8(price_e8), format_nanos(quantity_nanos)) for price_e8, quantity_nanos in book.legs]
    return BookFill(book.source, book.seq, book.publish_ms, book.sha256, legs)


def _amount(text: str | None, *, decimals: int, field: str) -> int | None:
    if text is None:
        return None
    value = parse_decimal(text, decimals=decimals, field=field)
    if value > INT64_MAX:
        raise Invalid("is larger than any order can be", code="too_large", field=field)
    return value
