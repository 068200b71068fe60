"""One-time tickets that let a browser open a socket without putting its session token in a URL."""

from typing import Protocol

TICKET_LIFE_MS = 30_000


class Tickets(Protocol):
    """Keeps tickets in the cache; `redis/tickets.py` and `redis/memory.py` implement it."""

    async def issue(self, payload: bytes) -> tuple[str, int]:
        """Returns (ticket, expires_at_ms). `payload` is what `redeem` gives back."""
        ...

    async def redeem(self, ticket: str) -> bytes | None:
        """The payload, once; None when the ticket is unknown, used or expired."""
        ...
