"""The transactional outbox: events written in the same commit as the facts, sent afterwards, in order per subject.

`db/outbox.py` stores it, `apps/workers/relay_outbox.py` sends it. At least once: listeners deduplicate by
`(subject, seq)`.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Protocol

import msgspec


class OutboxMessage(msgspec.Struct, frozen=True, gc=False):
    """One event as stored and as sent.

    `channel` is a bus channel, `subject` whom it is about (an account or user id), `kind` and `payload` the
    event (`pump_party.events`) as JSON. `seq` numbers what the subject's listeners are shown, gapless from 1:
    an event that is shown as two frames (a fill and the portfolio it changed) takes two numbers and stores
    the second.
    """

    channel: str
    subject: str
    seq: int
    kind: str
    payload: msgspec.Raw
    at_ms: int


class Outbox(Protocol):
    """What the relay and the gateway ask of the stored outbox."""

    def notify(self) -> None:
        """Say that rows were committed, so that a relay in this process sends them at once. Cheap, from any thread.

        Relays in other processes find the rows by polling.
        """
        ...

    def on_notify(self, wake: Callable[[], object]) -> Callable[[], None]:
        """Call `wake` on every `notify`, in the notifying thread. Returns what ends it."""
        ...

    def lead(self) -> bool:
        """Whether this process is the relay, of all that share the database. Ask before every batch.

        Followers take over when the leader stops or dies. For a moment there may be two: listeners deduplicate.
        """
        ...

    def stop_leading(self) -> None: ...

    def unsent(self, *, limit: int) -> Sequence[tuple[int, OutboxMessage]]:
        """The oldest unsent rows, (row number, message), in row order."""
        ...

    def mark_sent(self, row_numbers: Sequence[int], *, at_ms: int) -> None: ...

    def prune(self, *, sent_before_ms: int) -> int:
        """Delete rows sent before a time, except each subject's newest. Returns how many."""
        ...

    def after(self, subject: str, *, seq: int, limit: int) -> Sequence[OutboxMessage]:
        """A subject's messages with a larger seq, in order, sent or not: how a resumed socket catches up."""
        ...

    def latest_seq(self, subject: str) -> int:
        """The seq of the subject's newest message, 0 when there is none."""
        ...

    def latest_seqs(self, subjects: Sequence[str]) -> Mapping[str, int]:
        """`latest_seq` of many subjects in one query. Subjects without a message are absent."""
        ...
