"""Frames of a subject, an account or a clone: every one, once, in order of `seq`, whatever the bus loses.

The bus only says that something happened. A subscription knows the last seq its socket has; what comes next from the
bus is shown, what comes twice is dropped, and what leaves a gap makes it read the outbox from there. Catching up reads
pages until nothing more came meanwhile, and only then follows the bus.
"""

import asyncio
from collections.abc import Callable, Sequence
from typing import Final

import msgspec

from pump_party.apps.ws.fan_out import Outlet
from pump_party.apps.ws.frames import Subscribed, error_frame, text_frame
from pump_party.kernel.errors import Conflict, Unavailable
from pump_party.platform.logging import get_logger
from pump_party.platform.metrics import Metrics
from pump_party.platform.outbox import Outbox, OutboxMessage

PAGE: Final = 100
"""Rows read at a time; at two frames a row they fit the private queue of a socket."""
READERS_MAX: Final = 4
"""Subscriptions that read the outbox at a time, so that many of them leave the database to orders."""

Frames = Sequence[tuple[str, bytes | None]]
"""(type, bytes) of each; one without bytes takes its number and is not shown."""

Render = Callable[[OutboxMessage, bool], Frames]
Answer = Callable[[str, int, str | msgspec.UnsetType], Subscribed]

_log = get_logger("subject_feed")


class Subscription:
    """One socket's view of one subject, as its owner or as everybody. `sent_seq` is the last seq it was shown."""

    __slots__ = ("behind", "catching_up", "ended", "is_owner", "outlet", "reader", "sent_seq", "subject")

    def __init__(self, outlet: Outlet, subject: str, *, is_owner: bool) -> None:
        self.outlet = outlet
        self.subject = subject
        self.is_owner = is_owner
        self.sent_seq = 0
        self.catching_up = True
        self.reader: asyncio.Task[None] | None = None
        self.behind = False
        self.ended = False


class SubjectFeed:
    """Who follows which subject. `render` makes the frames of an event in the form that it is told; the last one
    carries the event's seq. `answer` is what a new subscription is told first, if anything.
    """

    def __init__(self, outbox: Outbox, metrics: Metrics, render: Render, answer: Answer | None) -> None:
        self._outbox = outbox
        self._metrics = metrics
        self._render = render
        self._answer = answer
        self._followers: dict[str, list[Subscription]] = {}
        self._newest: dict[str, int] = {}
        self._readers = asyncio.Semaphore(READERS_MAX)
        self._unreadable: set[str] = set()

    async def subscribe(
        self,
        outlet: Outlet,
        subject: str,
        *,
        is_owner: bool,
        after_seq: int | None,
        frame_id: str | msgspec.UnsetType,
    ) -> Subscription:
        """Answer `subscribed`, then show what is newer than `after_seq` (default: from now on).

        The caller has checked who may follow the subject, and in which form.
        Raises Conflict (seq_ahead) for a seq that was never given out.
        """
        subscription = Subscription(outlet, subject, is_owner=is_owner)
        self._followers.setdefault(subject, []).append(subscription)
        try:
            newest = await asyncio.to_thread(self._outbox.latest_seq, subject)
            if after_seq is not None and after_seq > newest:
                raise Conflict(f"the newest seq is {newest}; fetch what is now", code="seq_ahead", field="after_seq")
        except BaseException:
            self.unsubscribe(subscription)
            raise
        subscription.sent_seq = newest if after_seq is None else after_seq
        if self._answer is not None:
            outlet.send(text_frame(self._answer(subject, newest, frame_id)))
        if subscription.sent_seq < newest or subscription.behind:
            self._catch_up(subscription)
        else:
            subscription.catching_up = False
        return subscription

    def unsubscribe(self, subscription: Subscription) -> None:
        subscription.ended = True
        followers = self._followers[subscription.subject]
        followers.remove(subscription)
        if not followers:
            del self._followers[subscription.subject]

    def deliver(self, message: OutboxMessage) -> None:
        """Show a message of the bus to its subject's followers."""
        followers = self._followers.get(message.subject)
        if not followers:
            return
        forms = {is_owner: self._frames(message, is_owner=is_owner) for is_owner in {one.is_owner for one in followers}}
        for subscription in followers:
            frames = forms[subscription.is_owner]
            if subscription.catching_up:
                subscription.behind = True
            elif _leaves_gap(subscription, message.seq, frames):
                self._catch_up(subscription)
            else:
                self._show(subscription, message.seq, frames)

    async def check(self, *, patient: bool = True) -> None:
        """Make good what the bus lost: compare with the outbox, in one query for all subjects.

        A patient check allows for messages still on their way: it acts on what was already there at the last check.
        """
        subjects = list(self._followers)
        if not subjects:
            return
        newest = dict(await asyncio.to_thread(self._outbox.latest_seqs, subjects))
        due = self._newest if patient else newest
        for subject in subjects:
            for subscription in self._followers.get(subject, ()):
                if not subscription.catching_up and subscription.sent_seq < due.get(subject, 0):
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
                        self._outbox.after, subscription.subject, seq=subscription.sent_seq, limit=PAGE
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
            _log.warning("catch_up_failed", subject=subscription.subject, reason=refusal.reason)
        finally:
            subscription.catching_up = False

    def _replay(self, subscription: Subscription, message: OutboxMessage) -> None:
        frames = self._frames(message, is_owner=subscription.is_owner)
        if _leaves_gap(subscription, message.seq, frames):
            gone = Conflict("older events are gone; fetch what is now", code="replay_expired")
            subscription.outlet.send(text_frame(error_frame(gone, msgspec.UNSET)))
        self._show(subscription, message.seq, frames)

    def _frames(self, message: OutboxMessage, *, is_owner: bool) -> Frames:
        """The frames of an event. None of one that another version wrote in its own way: who follows the subject sees
        the gap and fetches it. The log says so once for each kind.
        """
        try:
            return self._render(message, is_owner)
        except msgspec.DecodeError as error:
            if message.kind not in self._unreadable:
                self._unreadable.add(message.kind)
                told = {"kind": message.kind, "subject": message.subject, "seq": message.seq}
                _log.warning("event_unreadable", **told, reason=str(error))
            return []

    def _show(self, subscription: Subscription, seq: int, frames: Frames) -> None:
        if seq <= subscription.sent_seq:
            return
        first = seq - len(frames) + 1
        for number, (kind, frame) in enumerate(frames, start=first):
            if frame is not None and number > subscription.sent_seq:
                subscription.outlet.send(frame)
                self._metrics.frames_sent(kind)
        subscription.sent_seq = seq


def _leaves_gap(subscription: Subscription, seq: int, frames: Frames) -> bool:
    return seq - max(1, len(frames)) > subscription.sent_seq
