"""The twin of Redis inside one process: same protocols, nothing to install, everything bounded.

The bus, limits, tickets and locks belong to one event loop; quotes may be read from any thread.
"""

import asyncio
from collections import deque
from collections.abc import AsyncIterator, Mapping, Sequence

from pump_party.domains.marketdata.contract import Book, MarketLag, PerpContext, Quote, SourceHealth
from pump_party.kernel.errors import Unavailable
from pump_party.kernel.ids import Market
from pump_party.platform.clock import Clock
from pump_party.platform.ids import Ids
from pump_party.platform.limits import Bucket, Limit, take
from pump_party.platform.tickets import TICKET_LIFE_MS, ticket_text

INBOX_MAX = 65_536
BUCKETS_MAX = 100_000
TICKETS_MAX = 100_000


class MemoryQuotes:
    """Implements `marketdata.contract.QuotesWriter`; a quote, a lag and a context of each market."""

    def __init__(self) -> None:
        self._quotes: dict[Market, Quote] = {}
        self._health: dict[str, SourceHealth] = {}
        self._lags: dict[Market, MarketLag] = {}
        self._contexts: dict[Market, PerpContext] = {}

    def latest(self, markets: Sequence[Market]) -> Mapping[Market, Quote]:
        quotes = self._quotes
        return {market: quotes[market] for market in markets if market in quotes}

    def put(self, quotes: Sequence[Quote]) -> None:
        for quote in quotes:
            self._quotes[quote.market] = quote

    def put_health(self, health: Sequence[SourceHealth]) -> None:
        for one in health:
            self._health[one.source] = one

    def health(self) -> Sequence[SourceHealth]:
        return sorted(self._health.copy().values(), key=lambda one: one.source)

    def put_lags(self, lags: Sequence[MarketLag]) -> None:
        for lag in lags:
            self._lags[lag.market] = lag

    def lags(self) -> Mapping[Market, MarketLag]:
        return self._lags.copy()

    def put_contexts(self, contexts: Sequence[PerpContext]) -> None:
        for context in contexts:
            self._contexts[context.market] = context

    def contexts(self) -> Mapping[Market, PerpContext]:
        return self._contexts.copy()

    def close(self) -> None:
        pass


class MemoryBooks:
    """Implements `marketdata.contract.BooksWriter`; holds one book a market."""

    def __init__(self) -> None:
        self._books: dict[Market, Book] = {}

    def latest(self, markets: Sequence[Market]) -> Mapping[Market, Book]:
        books = self._books
        return {market: books[market] for market in markets if market in books}

    def put(self, books: Sequence[Book]) -> None:
        for book in books:
            self._books[book.market] = book

    def close(self) -> None:
        pass


class MemoryBus:
    """Implements `platform.bus.Bus`. A listener that lags by INBOX_MAX messages loses them and is told."""

    def __init__(self) -> None:
        self._inboxes: dict[str, list[_Inbox]] = {}

    async def publish(self, channel: str, messages: Sequence[bytes]) -> None:
        for inbox in self._inboxes.get(channel, ()):
            inbox.put(channel, messages)

    async def listen(self, channels: Sequence[str]) -> AsyncIterator[tuple[str, bytes]]:
        inbox = _Inbox()
        for channel in channels:
            self._inboxes.setdefault(channel, []).append(inbox)
        try:
            yield "", b""
            while True:
                await inbox.arrived.wait()
                inbox.arrived.clear()
                while inbox.waiting:
                    yield inbox.waiting.popleft()
        finally:
            for channel in channels:
                self._inboxes[channel].remove(inbox)

    async def close(self) -> None:
        pass


class _Inbox:
    def __init__(self) -> None:
        self.waiting: deque[tuple[str, bytes]] = deque()
        self.arrived = asyncio.Event()

    def put(self, channel: str, messages: Sequence[bytes]) -> None:
        if len(self.waiting) + len(messages) > INBOX_MAX:
            self.waiting.clear()
            self.waiting.append(("", b""))
        else:
            self.waiting.extend((channel, message) for message in messages)
        self.arrived.set()


class MemoryLimits:
    """Implements `platform.limits.Limits`. Forgets the bucket that was used longest ago when there are too many."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._buckets: dict[tuple[str, str], Bucket] = {}

    async def take(self, limit: Limit, subject: str) -> int:
        key = (limit.name, subject)
        bucket, wait_ms = take(limit, self._buckets.pop(key, None), now_ms=self._clock.now_ms())
        self._buckets[key] = bucket
        if len(self._buckets) > BUCKETS_MAX:
            del self._buckets[next(iter(self._buckets))]
        return wait_ms

    async def close(self) -> None:
        pass


class MemoryTickets:
    """Implements `platform.tickets.Tickets`."""

    def __init__(self, clock: Clock, ids: Ids) -> None:
        self._clock = clock
        self._ids = ids
        self._tickets: dict[str, tuple[int, bytes]] = {}

    async def issue(self, payload: bytes) -> tuple[str, int]:
        self._forget_expired()
        if len(self._tickets) >= TICKETS_MAX:
            raise Unavailable("too many tickets are open; try again", code="cache_unavailable")
        text = ticket_text(self._ids.token())
        expires_at_ms = self._clock.now_ms() + TICKET_LIFE_MS
        self._tickets[text] = (expires_at_ms, payload)
        return text, expires_at_ms

    async def redeem(self, ticket: str) -> bytes | None:
        expires_at_ms, payload = self._tickets.pop(ticket, (0, b""))
        return payload if self._clock.now_ms() < expires_at_ms else None

    async def close(self) -> None:
        pass

    def _forget_expired(self) -> None:
        """Tickets live equally long, so the oldest come first."""
        now_ms = self._clock.now_ms()
        while self._tickets:
            oldest = next(iter(self._tickets))
            if self._tickets[oldest][0] > now_ms:
                return
            del self._tickets[oldest]


class MemoryLocks:
    """Implements `platform.locks.Locks`. As many names as there are workers."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._leases: dict[str, tuple[str, int]] = {}

    async def hold(self, name: str, holder: str, *, lease_ms: int) -> bool:
        now_ms = self._clock.now_ms()
        current, until_ms = self._leases.get(name, (holder, 0))
        if current != holder and now_ms < until_ms:
            return False
        self._leases[name] = (holder, now_ms + lease_ms)
        return True

    async def release(self, name: str, holder: str) -> None:
        if self._leases.get(name, ("", 0))[0] == holder:
            del self._leases[name]

    async def close(self) -> None:
        pass
