"""Builds market memory at its first use: arrays and indicators are no part of the start."""

import threading
from collections.abc import Callable, Mapping, Sequence

from pump_party.bootstrap.cache import Cache
from pump_party.db.engine import Database
from pump_party.domains.marketdata.contract import CandleInterval, Feature, MarketMemory, MarketSnapshot
from pump_party.domains.marketdata.registry import Registry
from pump_party.kernel.ids import Market
from pump_party.platform.clock import Clock


def build_memory(database: Database, cache: Cache, clock: Clock, registry: Registry) -> MarketMemory:
    def build() -> MarketMemory:
        from pump_party.adapters.indicators import TaLibIndicators
        from pump_party.db.marketdata_memory import MarketMemoryStore
        from pump_party.domains.marketdata.memory import LiveMemory

        store = MarketMemoryStore(database)
        return LiveMemory(store, cache.quotes, cache.books, clock, registry, TaLibIndicators())

    return _LateMemory(build)


class _LateMemory:
    """Implements `marketdata.contract.MarketMemory`."""

    def __init__(self, build: Callable[[], MarketMemory]) -> None:
        self._build = build
        self._lock = threading.Lock()
        self._memory: MarketMemory | None = None

    def snapshots(
        self,
        wanted: Mapping[Market, Sequence[Feature]],
        *,
        as_of_ms: int | None,
        interval: CandleInterval,
        candles: int,
    ) -> Mapping[Market, MarketSnapshot]:
        return self._built().snapshots(wanted, as_of_ms=as_of_ms, interval=interval, candles=candles)

    def pinned(self) -> MarketMemory:
        return self._built().pinned()

    def _built(self) -> MarketMemory:
        with self._lock:
            if self._memory is None:
                self._memory = self._build()
            return self._memory
