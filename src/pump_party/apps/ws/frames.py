"""Every frame of the stream, as JSON text. What is not one of the client frames is answered with an error frame."""

from collections.abc import Callable
from typing import Annotated, Literal

import msgspec
from msgspec import UNSET, UnsetType

from pump_party.apps.backtest_wire import Backtest
from pump_party.apps.decision_wire import Decision, OwnDecision
from pump_party.apps.order_wire import FillDetail, KeyText, MarketText, OrderBodyOut, OrderFields
from pump_party.apps.perp_wire import PerpPosition
from pump_party.apps.refusals import STATUS, invalid_body
from pump_party.domains.marketdata.contract import HaltReason, MarketState
from pump_party.domains.prop_interface.contract import OrderKind
from pump_party.kernel.errors import RateLimited, Refusal

MARKETS_PER_FRAME_MAX = 64
ID_CHARS_MAX = 64
FrameId = Annotated[str, msgspec.Meta(max_length=ID_CHARS_MAX)] | UnsetType
Uuid = Annotated[str, msgspec.Meta(min_length=36, max_length=36)]


# --- what a client sends ------------------------------------------------------------------


class _Client(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, tag_field="type"):
    id: FrameId = UNSET


class Authenticate(_Client, frozen=True, tag="authenticate"):
    ticket: Annotated[str, msgspec.Meta(max_length=128)]


class Subscribe(_Client, frozen=True, tag="subscribe"):
    channel: Literal["price", "account", "clone", "backtest"]
    market: MarketText | None = None
    markets: Annotated[list[MarketText], msgspec.Meta(max_length=MARKETS_PER_FRAME_MAX)] | None = None
    account_id: Uuid | None = None
    clone_id: Uuid | None = None
    backtest_id: Uuid | None = None
    after_seq: Annotated[int, msgspec.Meta(ge=0)] | None = None


class Unsubscribe(Subscribe, frozen=True, tag="unsubscribe"):
    """Same fields as `subscribe`; `after_seq` is ignored."""


class PlaceOrderFrame(OrderFields, frozen=True, kw_only=True, tag="place_order", tag_field="type"):
    """The order's own type is `order_type` here, since every frame has a `type`."""

    kind: OrderKind = msgspec.field(default=OrderKind.MARKET, name="order_type")
    account_id: Uuid
    idempotency_key: KeyText
    id: FrameId = UNSET


class CancelOrderFrame(_Client, frozen=True, tag="cancel_order"):
    account_id: Uuid
    order_id: Uuid


class Ping(_Client, frozen=True, tag="ping"):
    pass


OrderFrame = PlaceOrderFrame | CancelOrderFrame
ClientFrame = Authenticate | Subscribe | Unsubscribe | OrderFrame | Ping


# --- what the server sends ----------------------------------------------------------------


class _Server(msgspec.Struct, frozen=True, kw_only=True, tag_field="type"):
    pass


class Authenticated(_Server, frozen=True, tag="authenticated"):
    user_id: str
    id: str | UnsetType = UNSET


class Subscribed(_Server, frozen=True, tag="subscribed"):
    """`seq` is the account's or clone's newest at this moment: what is older and wanted follows, then what is newer.

    `backtest` is what one is at this moment.
    """

    channel: str
    markets: list[str] | UnsetType = UNSET
    account_id: str | UnsetType = UNSET
    clone_id: str | UnsetType = UNSET
    backtest_id: str | UnsetType = UNSET
    backtest: Backtest | UnsetType = UNSET
    seq: int | UnsetType = UNSET
    id: str | UnsetType = UNSET


class Unsubscribed(_Server, frozen=True, tag="unsubscribed"):
    channel: str
    markets: list[str] | UnsetType = UNSET
    account_id: str | UnsetType = UNSET
    clone_id: str | UnsetType = UNSET
    backtest_id: str | UnsetType = UNSET
    id: str | UnsetType = UNSET


class Pong(_Server, frozen=True, tag="pong"):
    server_ms: int
    id: str | UnsetType = UNSET


class PriceUpdate(_Server, frozen=True, tag="price_update"):
    market: str
    price: str
    confidence: str
    state: MarketState
    halt_reason: HaltReason | None
    publish_ms: int
    chart_ms: int
    age_ms: int
    source: str
    feed: str
    tape_ms: int | None


class OrderFillFrame(_Server, frozen=True, tag="order_fill"):
    account_id: str
    seq: int
    order_id: str
    client_order_id: str | None
    market: str
    side: str
    status: str
    fill: FillDetail


class OrderRejectFrame(_Server, frozen=True, tag="order_reject"):
    """An order was refused, at once or after it waited. `cash` and `held` are the account's afterwards."""

    account_id: str
    seq: int
    order_id: str
    client_order_id: str | None
    market: str
    side: str
    status: str
    reject_code: str
    version: int
    cash: str
    held: str
    at_ms: int


class OrderUpdate(_Server, frozen=True, tag="order_update"):
    """An order was accepted, rests, was triggered or was cancelled: `order` says which. `cash` is the account's.

    A triggered order has the stage `waiting` where it was `armed`.
    """

    account_id: str
    seq: int
    version: int
    cash: str
    held: str
    order: OrderBodyOut
    at_ms: int


class PositionNow(msgspec.Struct, frozen=True):
    market: str
    quantity: str
    cost: str
    realised_pnl: str
    fees: str


class PortfolioUpdate(_Server, frozen=True, tag="portfolio_update"):
    """The account after a fill, or after a reset: then all positions are gone.

    A fill changed either `position` or, in a perpetual market, `perp`; the other is null. `perp` has no mark.
    """

    account_id: str
    seq: int
    version: int
    cash: str
    held: str
    margin: str
    position: PositionNow | None
    perp: PerpPosition | None
    reset: bool
    cycle: int | UnsetType = UNSET


class AccountStatusFrame(_Server, frozen=True, tag="account_status"):
    """The account was paused, resumed, locked, frozen or completed; `reason` of a frozen one is the limit it broke."""

    account_id: str
    seq: int
    version: int
    status: str
    reason: str
    at_ms: int


class PositionUpdate(_Server, frozen=True, tag="position_update"):
    """A perpetual position paid or received funding, or its margin became too small, enough again or uncertain.

    `change` is funding, margin_call, margin_restored or liquidation_suspended (the market is halted, or its price too
    uncertain, before a second tick agreed with the call); `perp` is the position afterwards, without a mark. `cash`,
    `margin` and `funding` are the account's.
    """

    account_id: str
    seq: int
    version: int
    change: str
    cash: str
    margin: str
    funding: str
    perp: PerpPosition
    at_ms: int


class CloneDecision(_Server, frozen=True, tag="clone_decision", kw_only=False):
    """A clone has decided. Its owner gets the owner's form without what is sealed, everybody else the public one."""

    clone_id: str
    seq: int
    decision: Decision | OwnDecision


class ClonePublishedFrame(_Server, frozen=True, tag="clone_published", kw_only=False):
    """A clone has a new version. The commitment fixes it without showing it."""

    clone_id: str
    seq: int
    version: int
    commitment: str
    at_ms: int


class CloneDeployment(_Server, frozen=True, tag="clone_deployment"):
    """A clone was deployed, paused, resumed or stopped."""

    clone_id: str
    seq: int
    state: str
    version: int
    cadence_s: int
    at_ms: int


class OwnCloneDeployment(CloneDeployment, frozen=True, tag="clone_deployment"):
    """The same for the owner, who may look the account up."""

    account_id: str


class CloneProfile(_Server, frozen=True, tag="clone_profile", kw_only=False):
    """A clone shows another name or bio: fetch it. An event can be shown again after what it told was hidden."""

    clone_id: str
    seq: int
    at_ms: int


class CloneFill(_Server, frozen=True, tag="clone_fill"):
    """The account that a clone trades was filled. `realised` is what the fill realised, fees apart."""

    clone_id: str
    market: str
    side: str
    price: str
    quantity: str
    fee: str
    realised: str
    at_ms: int


class OwnCloneFill(CloneFill, frozen=True, tag="clone_fill"):
    """The same for the owner, who may look the order up."""

    order_id: str


class CloneAccount(_Server, frozen=True, tag="clone_account"):
    """The account that a clone trades was paused, resumed, locked, frozen or completed. Only an active one trades."""

    clone_id: str
    status: str
    at_ms: int


class OwnCloneAccount(CloneAccount, frozen=True, tag="clone_account"):
    """The same for the owner, who is told why."""

    reason: str


class CloneEquityFrame(_Server, frozen=True, tag="clone_equity", kw_only=False):
    """What the account of a clone is worth; `drawdown` is the fraction it is below its peak. The newest mark at once,
    then each, at most one a second.
    """

    clone_id: str
    equity: str
    drawdown: str
    at_ms: int


class BacktestProgress(_Server, frozen=True, tag="backtest_progress", kw_only=False):
    """What a backtest is now, as `GET /v1/backtests/{id}` has it. The last one says how it ended."""

    backtest_id: str
    backtest: Backtest


class OrderResult(_Server, frozen=True, tag="order_result"):
    """The answer to `place_order` and `cancel_order`. What an accepted order comes to, frames of the account tell."""

    order: OrderBodyOut
    id: str | UnsetType = UNSET


class ErrorFrame(_Server, frozen=True, tag="error"):
    code: str
    detail: str
    status: int
    field: str | UnsetType = UNSET
    retry_after_ms: int | UnsetType = UNSET
    id: str | UnsetType = UNSET


# --- reading and writing ------------------------------------------------------------------

_encode = msgspec.json.Encoder().encode
_decode: Callable[[bytes | memoryview], ClientFrame] = msgspec.json.Decoder(ClientFrame).decode


class _Sketch(msgspec.Struct):
    """What a refused frame may still tell: its kind and its id."""

    type: object = None
    id: object = None


_decode_sketch = msgspec.json.Decoder(_Sketch).decode
_CLIENT_TYPES = frozenset({"authenticate", "subscribe", "unsubscribe", "place_order", "cancel_order", "ping"})


def read_frame(text: bytes | memoryview) -> ClientFrame:
    """Decode a client's frame. Raises msgspec.DecodeError or UnicodeDecodeError for anything else: see `explain`."""
    return _decode(text)


def explain(error: Exception, text: bytes | memoryview) -> ErrorFrame:
    """The answer to a frame that `read_frame` refused, with its id where it had a usable one."""
    if not isinstance(error, msgspec.ValidationError):
        return ErrorFrame(code="json_malformed", detail="a frame is one JSON object as UTF-8 text", status=400)
    try:
        sketch = _decode_sketch(text)
    except msgspec.DecodeError:
        sketch = _Sketch()
    frame_id = sketch.id if isinstance(sketch.id, str) and len(sketch.id) <= ID_CHARS_MAX else UNSET
    if not isinstance(sketch.type, str) or sketch.type not in _CLIENT_TYPES:
        known = ", ".join(sorted(_CLIENT_TYPES))
        return ErrorFrame(
            code="unknown_frame", detail=f"type must be one of {known}", status=422, field="type", id=frame_id
        )
    return error_frame(invalid_body(error), frame_id)


def error_frame(refusal: Refusal, frame_id: str | UnsetType) -> ErrorFrame:
    status = next((status for kind, status in STATUS.items() if isinstance(refusal, kind)), 400)
    wait_ms = refusal.retry_after_ms if isinstance(refusal, RateLimited) else UNSET
    return ErrorFrame(
        code=refusal.code,
        detail=refusal.detail,
        status=status,
        field=refusal.field or UNSET,
        retry_after_ms=wait_ms,
        id=frame_id,
    )


def text_frame(frame: _Server) -> bytes:
    """A server frame as the bytes that go over the connection: made once, written to any number of sockets.

    RFC 6455: one final text frame, unmasked as servers must send it.
    """
    payload = _encode(frame)
    size = len(payload)
    if size < 126:
        return b"\x81%c%b" % (size, payload)
    if size < 65_536:
        return b"\x81\x7e" + size.to_bytes(2, "big") + payload
    return b"\x81\x7f" + size.to_bytes(8, "big") + payload
