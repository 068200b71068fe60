"""What a decision saw, in canonical bytes: the evidence, the key of its cache, and the input of its replay. Pure.

Numbers and codes only. It holds no id of anybody, no name of a clone, and no text that somebody outside wrote; a
decision's own earlier reasons are left out too, since a model wrote them. Account figures are the account's own.
"""

import re
from collections.abc import Sequence
from hashlib import sha256
from typing import Literal

import msgspec

from pump_party.domains.aitrading.model import (
    PAST_DECISIONS_MAX,
    Context,
    LookAhead,
    OpenInvalidation,
    PastDecision,
    Plan,
    PlannedPath,
    Seen,
    Slot,
)
from pump_party.domains.marketdata.contract import INTERVAL_MS, MarketSnapshot
from pump_party.domains.prop_interface.contract import (
    AccountView,
    OrderKind,
    OrderStage,
    OrderStatus,
    OrderTerms,
    OrderView,
    Side,
)
from pump_party.kernel.errors import Invalid
from pump_party.kernel.ids import AccountId, Market, OrderId

SCHEMA = "context/1"
SECTIONS_KEPT = 512
"""Encoded markets kept for the other clones of a slot."""

_MARKET = re.compile(r"[A-Z0-9]{1,12}-[A-Z]{2,8}", re.ASCII)
_WORD = re.compile(r"[A-Za-z_]{1,40}", re.ASCII)
_SHA256 = re.compile(r"(?:[0-9a-f]{64})?", re.ASCII)
_NOBODY = AccountId("")


class WaitingOrder(msgspec.Struct, frozen=True):
    """An order of the account that waits, as a decision sees it."""

    market: Market
    side: Side
    kind: OrderKind
    quantity_nanos: int | None
    limit_price_e8: int | None
    trigger_price_e8: int | None
    reduce_only: bool
    stage: OrderStage | None


class Document(msgspec.Struct, frozen=True):
    """A context as it is read back. Markets are sorted by name, decisions newest first."""

    schema: Literal["context/1"]
    slot: Slot
    account: AccountView
    orders: tuple[WaitingOrder, ...]
    past: tuple[PastDecision, ...]
    conditions: tuple[OpenInvalidation, ...]
    actions_today: int
    markets: tuple[MarketSnapshot, ...]


class _Written(msgspec.Struct, frozen=True):
    """`Document` with markets that are JSON already."""

    schema: str
    slot: Slot
    account: AccountView
    orders: tuple[WaitingOrder, ...]
    past: tuple[PastDecision, ...]
    conditions: tuple[OpenInvalidation, ...]
    actions_today: int
    markets: tuple[msgspec.Raw, ...]


_encode = msgspec.json.Encoder().encode
_decode = msgspec.json.Decoder(Document).decode


class ContextWriter:
    """Writes contexts. What clones of one slot share is checked and written once."""

    def __init__(self) -> None:
        self._sections: dict[tuple[int, str, int], tuple[MarketSnapshot, msgspec.Raw]] = {}

    def write(self, plan: Plan, seen: Seen) -> Context:
        """Raises LookAhead for anything newer than the slot allows, Invalid for a word that is not one of ours."""
        check(seen)
        body = _encode(
            _Written(
                SCHEMA,
                seen.slot,
                without_id(seen.account),
                tuple([_waiting(order) for order in seen.orders]),
                seen.past[:PAST_DECISIONS_MAX],
                seen.conditions,
                seen.actions_today,
                tuple(self._markets(plan, seen)),
            )
        )
        return Context(body, sha256(body).hexdigest())

    def _markets(self, plan: Plan, seen: Seen) -> Sequence[msgspec.Raw]:
        found = [
            (market, snapshot, planned)
            for planned in plan.paths
            for market in planned.path.asset.markets
            if (snapshot := seen.snapshots.get(market)) is not None
        ]
        found.sort(key=lambda row: row[0])
        return [self._section(snapshot, planned) for _, snapshot, planned in found]

    def _section(self, snapshot: MarketSnapshot, planned: PlannedPath) -> msgspec.Raw:
        # What is kept is alive, so that no other snapshot has its id.
        key = (id(snapshot), planned.features_key, planned.path.stream.candles)
        kept = self._sections.get(key)
        if kept is not None:
            return kept[1]
        check_snapshot(snapshot)
        section = msgspec.Raw(_encode(only(snapshot, planned)))
        if len(self._sections) >= SECTIONS_KEPT:
            self._sections.clear()
        self._sections[key] = (snapshot, section)
        return section


def read(body: bytes) -> Seen:
    """What a recorded context saw. Raises Invalid (bad_context)."""
    try:
        document = _decode(body)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise Invalid("is not a context", code="bad_context") from error
    return Seen(
        slot=document.slot,
        account=document.account,
        snapshots={snapshot.market: snapshot for snapshot in document.markets},
        orders=tuple([_order(waiting) for waiting in document.orders]),
        past=document.past,
        conditions=document.conditions,
        actions_today=document.actions_today,
    )


def check(seen: Seen) -> None:
    """Refuse what is newer than the slot allows. Quotes are left to the gates: no context shows them."""
    slot = seen.slot
    for market, snapshot in seen.snapshots.items():
        if snapshot.as_of_ms > slot.as_of_ms:
            raise LookAhead(f"{market} is as of {snapshot.as_of_ms}, later than {slot.as_of_ms}", field="snapshots")
    for order in seen.orders:
        if order.created_ms > slot.now_ms:
            raise LookAhead(f"an order is of {order.created_ms}, later than {slot.now_ms}", field="orders")
    for decision in seen.past:
        if decision.slot_ms >= slot.slot_ms:
            raise LookAhead(f"a decision is of {decision.slot_ms}, not before {slot.slot_ms}", field="past")
        if _WORD.fullmatch(decision.outcome) is None or _MARKET.fullmatch(decision.market) is None:
            raise Invalid("is not a code or a market", code="bad_context", field="past")
    if seen.account.opened_ms > slot.now_ms:
        raise LookAhead(f"the account is of {seen.account.opened_ms}, later than {slot.now_ms}", field="account")


def check_snapshot(snapshot: MarketSnapshot) -> None:
    """Refuse a candle that was not complete at the snapshot's moment, and words that are not ours."""
    for candle in snapshot.candles:
        if not candle.complete or candle.open_ms + INTERVAL_MS[candle.interval] > snapshot.as_of_ms:
            raise LookAhead(
                f"a candle of {snapshot.market} opens at {candle.open_ms} and is not complete by {snapshot.as_of_ms}",
                field="candles",
            )
    words = (snapshot.market, _MARKET), (snapshot.feed, _WORD), (snapshot.tick_sha256, _SHA256)
    if any(form.fullmatch(word) is None for word, form in words):
        raise Invalid("is not a market, a feed or a hash", code="bad_context", field="snapshots")


def only(snapshot: MarketSnapshot, planned: PlannedPath) -> MarketSnapshot:
    """What the strategy's own blocks ask for, whoever else's features the snapshot was read with."""
    candles = planned.path.stream.candles
    readings = snapshot.readings
    if len(readings) != len(planned.features):
        wanted = set(planned.features)
        readings = tuple([reading for reading in readings if reading.feature in wanted])
    shown = snapshot.candles[-candles:] if candles else ()
    if readings is snapshot.readings and len(shown) == len(snapshot.candles):
        return snapshot
    return msgspec.structs.replace(snapshot, readings=readings, candles=shown)


def without_id(account: AccountView) -> AccountView:
    """The account's figures, the same for whoever has them."""
    return msgspec.structs.replace(account, account_id=_NOBODY)


def _waiting(order: OrderView) -> WaitingOrder:
    terms = order.terms or OrderTerms()
    return WaitingOrder(
        order.market,
        order.side,
        terms.kind,
        order.quantity_nanos,
        terms.limit_price_e8,
        terms.trigger_price_e8,
        terms.reduce_only,
        order.stage,
    )


def _order(waiting: WaitingOrder) -> OrderView:
    """Back in the form in which orders are seen, without what a context leaves out."""
    return OrderView(
        order_id=OrderId(""),
        account_id=_NOBODY,
        client_order_id=None,
        market=waiting.market,
        side=waiting.side,
        quantity_nanos=waiting.quantity_nanos,
        quote_micros=None,
        max_slippage_ppm=None,
        status=OrderStatus.ACCEPTED,
        reject_code=None,
        created_ms=0,
        fill=None,
        terms=OrderTerms(
            kind=waiting.kind,
            limit_price_e8=waiting.limit_price_e8,
            trigger_price_e8=waiting.trigger_price_e8,
            reduce_only=waiting.reduce_only,
        ),
        stage=waiting.stage,
    )
