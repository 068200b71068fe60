"""One-time tickets that let a browser open a socket without putting its session token in a URL."""

from base64 import urlsafe_b64encode
from typing import Protocol

TICKET_LIFE_MS = 30_000


class Tickets(Protocol):
    """Keeps tickets in the cache; `redis/tickets.py` and `redis/memory.py` implement it."""

    async def issue(self, payload: bytes) -> tuple[str, int]:
        """Returns (ticket, expires_at_ms). `payload` is what `redeem` gives back: for a socket, a JSON `Principal`."""
        ...

    async def redeem(self, ticket: str) -> bytes | None:
        """The payload, once; None when the ticket is unknown, used or expired."""
        ...


def ticket_text(token: bytes) -> str:
    """A token as text that fits a JSON frame."""
    return urlsafe_b64encode(token).rstrip(b"=").decode()
