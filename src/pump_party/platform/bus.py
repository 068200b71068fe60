"""Messages between processes, at most once: a missed one is made good from the database, never from here.

`redis/pubsub.py` and `redis/memory.py` implement it.
"""

from collections.abc import AsyncIterator, Sequence
from typing import Protocol

PRICE_CHANNEL = "price"
"""Message: a JSON `Quote` (marketdata contract), conflated to the fan-out rate by the ingest worker."""

TICK_CHANNEL = "tick"
"""Message: a JSON list of `Quote`, oldest first: every quote after an admitted tick, whatever the fan-out rate."""

ACCOUNT_CHANNEL = "account"
"""Message: a JSON `OutboxMessage`, published by the outbox relay."""

CLONE_CHANNEL = "clone"
"""Message: a JSON `OutboxMessage` about a clone. A decision's carries what only the owner may see: never pass it on
whole.
"""

BACKTEST_CHANNEL = "backtest"
"""Message: a JSON `OutboxMessage` about a backtest, which is for its owner alone."""

SESSION_CHANNEL = "session"
"""Message: a JSON `OutboxMessage` whose event revokes sessions."""


class Bus(Protocol):
    async def publish(self, channel: str, messages: Sequence[bytes]) -> None:
        """Send messages to every listener of a channel, in order. Raises Unavailable when the bus is away."""
        ...

    def listen(self, channels: Sequence[str]) -> AsyncIterator[tuple[str, bytes]]:
        """Receive (channel, message). Reconnects by itself; what was sent meanwhile is missed.

        Yields ("", b"") whenever it starts to hear: first of all, and after every loss of messages, so that the
        listener can make good what it missed.
        """
        ...
