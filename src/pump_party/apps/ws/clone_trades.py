"""What followers of a clone are shown of the account it trades: fills as they happen, what it may do, what it is worth.

Which account that is stays private. Fills and changes of its status are the account's events, every one once from the
subscription on; fills before it are on the first page of `GET /v1/clones/{id}/fills`. Of marks there is no event: once
a second the newest of all accounts that are followed are read in one query.
"""

import asyncio
from collections.abc import Sequence

import msgspec

from pump_party.apps.clone_wire import render_clone_fill
from pump_party.apps.ws.fan_out import Outlet
from pump_party.apps.ws.frames import (
    CloneAccount,
    CloneEquityFrame,
    CloneFill,
    OwnCloneAccount,
    OwnCloneFill,
    text_frame,
)
from pump_party.apps.ws.subject_feed import SubjectFeed, Subscription
from pump_party.domains.aitrading.contract import AITrading
from pump_party.domains.prop_interface.contract import FillView, NewestMark, PropTrading
from pump_party.events.prop_engine import AccountStatusChanged, OrderFilled
from pump_party.kernel.ids import AccountId, CloneId
from pump_party.kernel.money import format_micros, format_ppm
from pump_party.platform.metrics import Metrics
from pump_party.platform.outbox import Outbox, OutboxMessage

_decode_filled = msgspec.json.Decoder(OrderFilled).decode
_decode_status = msgspec.json.Decoder(AccountStatusChanged).decode
_decode_fill = msgspec.json.Decoder(FillView).decode


class TradesFollower:
    """One socket's view of the account of one clone. `marked_ms` is of the newest mark it was shown."""

    __slots__ = ("clone_id", "fills", "has_left", "is_owner", "marked_ms", "outlet")

    def __init__(self, outlet: Outlet, clone_id: CloneId, *, is_owner: bool) -> None:
        self.outlet = outlet
        self.clone_id = clone_id
        self.is_owner = is_owner
        self.fills: Subscription | None = None
        self.marked_ms = 0
        self.has_left = False


class CloneTrades:
    """Who follows the account of which clone. A clone that is deployed anew is followed to its new account."""

    def __init__(self, aitrading: AITrading, prop: PropTrading, outbox: Outbox, metrics: Metrics) -> None:
        self._aitrading = aitrading
        self._prop = prop
        self._metrics = metrics
        self._fills = SubjectFeed(outbox, metrics, self._render, None)
        self._followers: dict[CloneId, list[TradesFollower]] = {}
        self._clones: dict[str, CloneId] = {}

    async def follow(self, outlet: Outlet, clone_id: str, *, is_owner: bool) -> TradesFollower:
        """Show what happens from now on. The caller has checked who may follow the clone, and in which form."""
        follower = TradesFollower(outlet, CloneId(clone_id), is_owner=is_owner)
        found = await asyncio.to_thread(self._aitrading.accounts, [follower.clone_id])
        if follower.clone_id in found:
            await self._follow_account(follower, found[follower.clone_id], after_seq=None)
        self._followers.setdefault(follower.clone_id, []).append(follower)
        return follower

    def leave(self, follower: TradesFollower) -> None:
        follower.has_left = True
        if follower.fills is not None:
            self._fills.unsubscribe(follower.fills)
        followers = self._followers[follower.clone_id]
        followers.remove(follower)
        if not followers:
            del self._followers[follower.clone_id]
            self._clones = {account: clone for account, clone in self._clones.items() if clone in self._followers}

    def deliver(self, message: OutboxMessage) -> None:
        """Show a message of the bus about an account that is followed so."""
        if message.subject in self._clones:
            self._fills.deliver(message)

    async def check(self, *, patient: bool = True) -> None:
        """Follow clones to new accounts, make good what the bus lost, and show what the accounts are worth."""
        if not self._followers:
            return
        accounts = await asyncio.to_thread(self._aitrading.accounts, list(self._followers))
        for clone_id, account_id in accounts.items():
            for follower in tuple(self._followers.get(clone_id, ())):
                if follower.fills is None or follower.fills.subject != account_id:
                    await self._follow_account(follower, account_id, after_seq=0)
        await self._fills.check(patient=patient)
        marks = await asyncio.to_thread(self._prop.newest_marks, list(accounts.values()))
        for clone_id, account_id in accounts.items():
            if account_id in marks:
                self._show_mark(clone_id, marks[account_id])

    async def _follow_account(self, follower: TradesFollower, account_id: AccountId, *, after_seq: int | None) -> None:
        """All that happens on an account that was opened since is news, of one that was there before what comes now."""
        self._clones[account_id] = follower.clone_id
        fills = await self._fills.subscribe(
            follower.outlet, account_id, is_owner=follower.is_owner, after_seq=after_seq, frame_id=msgspec.UNSET
        )
        if follower.has_left:
            self._fills.unsubscribe(fills)
            return
        if follower.fills is not None:
            self._fills.unsubscribe(follower.fills)
            follower.marked_ms = 0
        follower.fills = fills

    def _render(self, message: OutboxMessage, is_owner: bool) -> Sequence[tuple[str, bytes | None]]:
        """A fill took two numbers of the account, everything else one. Raises DecodeError."""
        clone_id = self._clones[message.subject]
        match message.kind:
            case OrderFilled.KIND:
                fill = _decode_fill(_decode_filled(message.payload).fill)
                return [("clone_fill", text_frame(_fill(clone_id, fill, is_owner))), ("portfolio_update", None)]
            case AccountStatusChanged.KIND:
                return [("clone_account", text_frame(_account(clone_id, _decode_status(message.payload), is_owner)))]
            case kind:
                return [(kind, None)]

    def _show_mark(self, clone_id: CloneId, mark: NewestMark) -> None:
        behind = [one for one in self._followers.get(clone_id, ()) if one.marked_ms < mark.at_ms]
        if not behind:
            return
        equity, drawdown = format_micros(mark.equity_micros), format_ppm(mark.drawdown_ppm)
        frame = text_frame(CloneEquityFrame(clone_id, equity, drawdown, mark.at_ms))
        for follower in behind:
            follower.marked_ms = mark.at_ms
            follower.outlet.send(frame)
        self._metrics.frames_sent("clone_equity", len(behind))


def _fill(clone_id: CloneId, fill: FillView, is_owner: bool) -> CloneFill:
    told = msgspec.structs.asdict(render_clone_fill(fill))
    if is_owner:
        return OwnCloneFill(clone_id=clone_id, **told, order_id=fill.order_id)
    return CloneFill(clone_id=clone_id, **told)


def _account(clone_id: CloneId, event: AccountStatusChanged, is_owner: bool) -> CloneAccount:
    if is_owner:
        return OwnCloneAccount(clone_id=clone_id, status=event.status, at_ms=event.at_ms, reason=event.reason)
    return CloneAccount(clone_id=clone_id, status=event.status, at_ms=event.at_ms)
