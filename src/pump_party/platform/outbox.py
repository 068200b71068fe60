"""The transactional outbox: events written in the same commit as the facts, sent afterwards, in order per subject.

`db/outbox.py` stores it, `apps/workers/relay_outbox.py` sends it. At least once: listeners deduplicate by
`(subject, seq)`.
"""

from collections.abc import Sequence
from typing import Protocol

import msgspec


class OutboxMessage(msgspec.Struct, frozen=True):
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

    def unsent(self, *, limit: int) -> Sequence[tuple[int, OutboxMessage]]:
        """The oldest unsent rows, (row number, message), in row order."""
        ...

    def mark_sent(self, row_numbers: Sequence[int], *, at_ms: int) -> None: ...

    def after(self, subject: str, *, seq: int, limit: int) -> Sequence[OutboxMessage]:
        """A subject's messages with a larger seq, in order, sent or not: how a resumed socket catches up."""
        ...

    def latest_seq(self, subject: str) -> int:
        """The seq of the subject's newest message, 0 when there is none."""
        ...
