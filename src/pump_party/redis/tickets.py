"""One-time tickets in Redis. GETDEL makes the second of two concurrent uses find nothing."""

from typing import cast

from pump_party.platform.clock import Clock
from pump_party.platform.ids import Ids
from pump_party.platform.tickets import TICKET_LIFE_MS, ticket_text
from pump_party.redis import keys
from pump_party.redis.client import open_async_client, unavailable_when_away


class RedisTickets:
    """Implements `platform.tickets.Tickets`. Use from one event loop."""

    def __init__(self, url: str, clock: Clock, ids: Ids) -> None:
        self._redis = open_async_client(url)
        self._clock = clock
        self._ids = ids

    async def issue(self, payload: bytes) -> tuple[str, int]:
        text = ticket_text(self._ids.token())
        expires_at_ms = self._clock.now_ms() + TICKET_LIFE_MS
        with unavailable_when_away():
            await self._redis.set(keys.ticket(text), b"%d:%b" % (expires_at_ms, payload), px=TICKET_LIFE_MS)
        return text, expires_at_ms

    async def redeem(self, ticket: str) -> bytes | None:
        with unavailable_when_away():
            stored = cast("bytes | None", await self._redis.getdel(keys.ticket(ticket)))
        if stored is None:
            return None
        expires_at_ms, payload = stored.split(b":", 1)
        return payload if self._clock.now_ms() < int(expires_at_ms) else None

    async def close(self) -> None:
        await self._redis.aclose()
