"""Builds what may be lost: in Redis where it is configured, else in this process."""

import msgspec

from pump_party.config import Settings
from pump_party.domains.marketdata.contract import BooksWriter, QuotesWriter
from pump_party.platform.bus import Bus
from pump_party.platform.clock import Clock
from pump_party.platform.ids import Ids
from pump_party.platform.limits import Limits
from pump_party.platform.locks import Locks
from pump_party.platform.tickets import Tickets


class Cache(msgspec.Struct, frozen=True):
    """What may be lost: kept in Redis, or in this process."""

    quotes: QuotesWriter
    books: BooksWriter
    bus: Bus
    limits: Limits
    tickets: Tickets
    locks: Locks


def build_cache(settings: Settings, clock: Clock, ids: Ids) -> Cache:
    url = settings.redis_url
    if not url:
        from pump_party.redis import memory

        return Cache(
            memory.MemoryQuotes(),
            memory.MemoryBooks(),
            memory.MemoryBus(),
            memory.MemoryLimits(clock),
            memory.MemoryTickets(clock, ids),
            memory.MemoryLocks(clock),
        )
    from pump_party.redis import books, client, limits, locks, prices, pubsub, tickets

    client.check(url)
    return Cache(
        prices.RedisQuotes(url),
        books.RedisBooks(url),
        pubsub.RedisBus(url),
        limits.RedisLimits(url, clock),
        tickets.RedisTickets(url, clock, ids),
        locks.RedisLocks(url),
    )
