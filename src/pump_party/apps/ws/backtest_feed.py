"""How far backtests are: their newest state to everyone who follows one, a few times a second at most.

The bus brings every change. What it loses a regular look at the outbox makes good, one query for all that are followed.
"""

import asyncio
from typing import Final

import msgspec

from pump_party.apps.backtest_wire import render_backtest
from pump_party.apps.ws.fan_out import Outlet
from pump_party.apps.ws.frames import BacktestProgress, Subscribed, text_frame
from pump_party.domains.backtests.contract import BacktestView
from pump_party.events.backtests import BacktestChanged
from pump_party.platform.logging import get_logger
from pump_party.platform.metrics import Metrics
from pump_party.platform.outbox import Outbox, OutboxMessage

FRAMES_PER_S: Final = 4
"""Of one backtest to one socket; what comes faster is conflated to the newest."""

_log = get_logger("backtest_feed")
_decode_event = msgspec.json.Decoder(BacktestChanged).decode
_decode_view = msgspec.json.Decoder(BacktestView).decode


class _Followed:
    """A backtest and who follows it; an outlet is True once it was answered. `seq` is of the newest state known."""

    __slots__ = ("outlets", "seq", "shown_at_s", "timer", "view")

    def __init__(self, view: BacktestView) -> None:
        self.view = view
        self.seq = 0
        self.outlets: dict[Outlet, bool] = {}
        self.shown_at_s = 0.0
        self.timer: asyncio.TimerHandle | None = None


class BacktestFeed:
    """Who follows which backtest."""

    def __init__(self, outbox: Outbox, metrics: Metrics) -> None:
        self._outbox = outbox
        self._metrics = metrics
        self._followed: dict[str, _Followed] = {}
        self._newest: dict[str, int] = {}

    async def subscribe(self, outlet: Outlet, view: BacktestView, frame_id: str | msgspec.UnsetType) -> None:
        """Answer with the present state, then show every newer one. The caller has checked whose it is."""
        followed = self._followed.setdefault(view.backtest_id, _Followed(view))
        followed.outlets[outlet] = False
        try:
            newest = await asyncio.to_thread(self._newest_of, view.backtest_id)
        except BaseException:
            self.unsubscribe(outlet, view.backtest_id)
            raise
        if newest is not None:
            self._take(followed, newest)
        state = render_backtest(followed.view)
        answer = Subscribed(channel="backtest", backtest_id=view.backtest_id, backtest=state, id=frame_id)
        outlet.send(text_frame(answer))
        followed.outlets[outlet] = True

    def unsubscribe(self, outlet: Outlet, backtest_id: str) -> None:
        followed = self._followed[backtest_id]
        del followed.outlets[outlet]
        if not followed.outlets:
            if followed.timer is not None:
                followed.timer.cancel()
            del self._followed[backtest_id]

    def deliver(self, message: OutboxMessage) -> None:
        """Show what the bus says of a backtest that is followed."""
        followed = self._followed.get(message.subject)
        if followed is not None and self._take(followed, message):
            self._show_in_time(followed)

    async def check(self, *, patient: bool = True) -> None:
        """Make good what the bus lost. A patient check allows for messages still on their way: it acts on what was
        already there at the last one.
        """
        subjects = list(self._followed)
        if not subjects:
            return
        newest = dict(await asyncio.to_thread(self._outbox.latest_seqs, subjects))
        due = self._newest if patient else newest
        self._newest = newest
        for subject in subjects:
            followed = self._followed.get(subject)
            if followed is not None and followed.seq < due.get(subject, 0):
                message = await asyncio.to_thread(self._newest_of, subject)
                if message is not None:
                    self.deliver(message)

    def _newest_of(self, backtest_id: str) -> OutboxMessage | None:
        newest = self._outbox.latest_seq(backtest_id)
        messages = self._outbox.after(backtest_id, seq=newest - 1, limit=1) if newest else ()
        return messages[0] if messages else None

    def _take(self, followed: _Followed, message: OutboxMessage) -> bool:
        if message.seq <= followed.seq:
            return False
        followed.seq = message.seq
        try:
            followed.view = _decode_view(_decode_event(message.payload).backtest)
        except msgspec.DecodeError as error:
            _log.warning("event_unreadable", kind=message.kind, subject=message.subject, reason=str(error))
            return False
        return True

    def _show_in_time(self, followed: _Followed) -> None:
        if followed.timer is not None:
            return
        loop = asyncio.get_running_loop()
        wait_s = followed.shown_at_s + 1 / FRAMES_PER_S - loop.time()
        if wait_s <= 0:
            self._show(followed)
        else:
            followed.timer = loop.call_later(wait_s, self._show, followed)

    def _show(self, followed: _Followed) -> None:
        followed.timer = None
        followed.shown_at_s = asyncio.get_running_loop().time()
        frame = text_frame(BacktestProgress(followed.view.backtest_id, render_backtest(followed.view)))
        answered = [outlet for outlet, is_answered in followed.outlets.items() if is_answered]
        for outlet in answered:
            outlet.send(frame)
        self._metrics.frames_sent("backtest_progress", len(answered))
