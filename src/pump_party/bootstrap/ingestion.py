"""Builds what brings prices in, and opens recorded ones."""

from typing import TYPE_CHECKING

from pump_party.bootstrap.database import open_existing
from pump_party.bootstrap.objects import build_object_store
from pump_party.bootstrap.services import Services
from pump_party.config import Settings
from pump_party.db.marketdata import MarketDataStore
from pump_party.domains.marketdata.contract import Ingestion, ResumeView
from pump_party.domains.marketdata.registry import load_registry
from pump_party.domains.marketdata.service import MarketDataService
from pump_party.platform.clock import SystemClock

if TYPE_CHECKING:
    from pump_party.adapters.tape_library import Tapes


def build_ingestion(services: Services) -> Ingestion:
    """The sources that the settings name and what they report to. Raises Invalid for a feed that cannot be played."""
    from pump_party.adapters.feeds import build_sources
    from pump_party.domains.marketdata.ingest import Ingest

    settings = services.settings
    return Ingest(
        registry=services.registry,
        store=MarketDataStore(services.database),
        clock=services.clock,
        metrics=services.metrics,
        sources=build_sources(settings, services.registry, services.clock),
        payloads=build_object_store(settings) if settings.record_raw else None,
    )


def open_tapes() -> "Tapes":
    """Recordings on this machine, for `pump-party tape`: needs no database and no cache."""
    from pump_party.adapters.tape_library import Tapes

    return Tapes(load_registry(), SystemClock())


def approve_resume(settings: Settings, market: str, *, operator: str, reason: str) -> ResumeView:
    """Record that an operator wants a quarantined market resumed; the second of two makes the worker do it."""
    database = open_existing(settings)
    try:
        from pump_party.redis.memory import MemoryBooks, MemoryQuotes

        # An approval needs no price; the worker that acts on it reads the database.
        cache = MemoryQuotes(), MemoryBooks()
        service = MarketDataService(MarketDataStore(database), *cache, SystemClock(), load_registry())
        return service.approve_resume(market, operator=operator, reason=reason)
    finally:
        database.close()
