"""Private frames of accounts: every one, once, in order of `seq`, whatever the bus loses.

The bus only says that something happened. A subscription knows the last seq its socket has; what comes next from the
bus is shown, what comes twice is dropped, and what leaves a gap makes it read the outbox from there. Catching up reads
pages until nothing more came meanwhile, and only then follows the bus.
"""

import asyncio
from typing import Final

import msgspec

from pump_party.apps.order_wire import render_fill, render_order
from pump_party.apps.perp_wire import render_perp
from pump_party.apps.ws.fan_out import Outlet
from pump_party.apps.ws.frames import (
    AccountStatusFrame,
    OrderFillFrame,
    OrderRejectFrame,
    OrderUpdate,
    PortfolioUpdate,
    PositionNow,
    PositionUpdate,
    Subscribed,
    error_frame,
    text_frame,
)
from pump_party.domains.prop_interface.contract import FillView, OrderStatus, OrderView, PerpPositionView
from pump_party.events.prop_engine import (
    AccountReset,
    AccountStatusChanged,
    OrderFilled,
    OrderRejected,
    OrderUpdated,
    PositionUpdated,
)
from pump_party.kernel.errors import Conflict, Unavailable
from pump_party.kernel.money import format_micros, format_nanos
from pump_party.platform.logging import get_logger
from pump_party.platform.metrics import Metrics
from pump_party.platform.outbox import Outbox, OutboxMessage

PAGE: Final = 100
"""Rows read at a time; at two frames a row they fit the private queue of a socket."""
READERS_MAX: Final = 4
"""Subscriptions that read the outbox at a time, so that many of them leave the database to orders."""

_log = get_logger("account_feed")
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


class Subscription:
    """One socket's view of one account. `sent_seq` is the last seq it was shown."""

    __slots__ = ("account_id", "behind", "catching_up", "ended", "outlet", "reader", "sent_seq")

    def __init__(self, outlet: Outlet, account_id: str) -> None:
        self.outlet = outlet
        self.account_id = account_id
        self.sent_seq = 0
        self.catching_up = True
        self.reader: asyncio.Task[None] | None = None
        self.behind = False
        self.ended = False


class AccountFeed:
    """Who follows which account."""

    def __init__(self, outbox: Outbox, metrics: Metrics) -> None:
        self._outbox = outbox
        self._metrics = metrics
        self._followers: dict[str, list[Subscription]] = {}
        self._newest: dict[str, int] = {}
        self._readers = asyncio.Semaphore(READERS_MAX)
        self._unreadable: set[str] = set()

    async def subscribe(
        self, outlet: Outlet, account_id: str, *, after_seq: int | None, frame_id: str | msgspec.UnsetType
    ) -> Subscription:
        """Answer `subscribed`, then show what is newer than `after_seq` (default: from now on).

        The caller has checked who owns the account. Raises Conflict (seq_ahead) for a seq that was never given out.
        """
        subscription = Subscription(outlet, account_id)
        self._followers.setdefault(account_id, []).append(subscription)
        try:
            newest = await asyncio.to_thread(self._outbox.latest_seq, account_id)
            if after_seq is not None and after_seq > newest:
                raise Conflict(f"the newest seq is {newest}; fetch the account", code="seq_ahead", field="after_seq")
        except BaseException:
            self.unsubscribe(subscription)
            raise
        subscription.sent_seq = newest if after_seq is None else after_seq
        answer = Subscribed(channel="account", account_id=account_id, seq=newest, id=frame_id)
        outlet.send(text_frame(answer))
        if subscription.sent_seq < newest or subscription.behind:
            self._catch_up(subscription)
        else:
            subscription.catching_up = False
        return subscription

    def unsubscribe(self, subscription: Subscription) -> None:
        subscription.ended = True
        followers = self._followers[subscription.account_id]
        followers.remove(subscription)
        if not followers:
            del self._followers[subscription.account_id]

    def deliver(self, message: OutboxMessage) -> None:
        """Show a message of the bus to its account's followers."""
        followers = self._followers.get(message.subject)
        if not followers:
            return
        frames = self._frames(message)
        for subscription in followers:
            if subscription.catching_up:
                subscription.behind = True
            elif _leaves_gap(subscription, message.seq, frames):
                self._catch_up(subscription)
            else:
                self._show(subscription, message.seq, frames)

    async def check(self, *, patient: bool = True) -> None:
        """Make good what the bus lost: compare with the outbox, in one query for all accounts.

        A patient check allows for messages still on their way: it acts on what was already there at the last check.
        """
        accounts = list(self._followers)
        if not accounts:
            return
        newest = dict(await asyncio.to_thread(self._outbox.latest_seqs, accounts))
        due = self._newest if patient else newest
        for account_id in accounts:
            for subscription in self._followers.get(account_id, ()):
                if not subscription.catching_up and subscription.sent_seq < due.get(account_id, 0):
                    self._catch_up(subscription)
        self._newest = newest

    def _catch_up(self, subscription: Subscription) -> None:
        subscription.catching_up = True
        subscription.reader = asyncio.create_task(self._read_on(subscription))

    async def _read_on(self, subscription: Subscription) -> None:
        try:
            while True:
                subscription.behind = False
                async with self._readers:
                    messages = await asyncio.to_thread(
                        self._outbox.after, subscription.account_id, seq=subscription.sent_seq, limit=PAGE
                    )
                if subscription.ended:
                    return
                for message in messages:
                    self._replay(subscription, message)
                if len(messages) == PAGE:
                    await subscription.outlet.drained()
                elif not subscription.behind:
                    return
        except Unavailable as refusal:
            _log.warning("catch_up_failed", account_id=subscription.account_id, reason=refusal.detail)
        finally:
            subscription.catching_up = False

    def _replay(self, subscription: Subscription, message: OutboxMessage) -> None:
        frames = self._frames(message)
        if _leaves_gap(subscription, message.seq, frames):
            gone = Conflict("older events are gone; fetch the account and its orders", code="replay_expired")
            subscription.outlet.send(text_frame(error_frame(gone, msgspec.UNSET)))
        self._show(subscription, message.seq, frames)

    def _frames(self, message: OutboxMessage) -> list[tuple[str, bytes]]:
        """The frames of an event. None of one that another version wrote in its own way: who follows the account sees
        the gap and fetches it. The log says so once for each kind.
        """
        try:
            return _render(message)
        except msgspec.DecodeError as error:
            if message.kind not in self._unreadable:
                self._unreadable.add(message.kind)
                told = {"kind": message.kind, "account_id": message.subject, "seq": message.seq}
                _log.warning("event_unreadable", **told, reason=str(error))
            return []

    def _show(self, subscription: Subscription, seq: int, frames: list[tuple[str, bytes]]) -> None:
        if seq <= subscription.sent_seq:
            return
        first = seq - len(frames) + 1
        for number, (kind, frame) in enumerate(frames, start=first):
            if number > subscription.sent_seq:
                subscription.outlet.send(frame)
                self._metrics.frames_sent(kind)
        subscription.sent_seq = seq


def _leaves_gap(subscription: Subscription, seq: int, frames: list[tuple[str, bytes]]) -> bool:
    return seq - max(1, len(frames)) > subscription.sent_seq


def _render(message: OutboxMessage) -> list[tuple[str, bytes]]:
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
