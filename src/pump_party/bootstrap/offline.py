"""What runs without the product: vectors and simulations."""

from contextlib import AbstractContextManager, closing
from typing import TYPE_CHECKING

from pump_party.bootstrap.engine import build_all_rule_sets
from pump_party.db.marketdata import MarketDataStore
from pump_party.db.prop_engine import PropStore
from pump_party.domains.marketdata.registry import load_registry
from pump_party.domains.marketdata.service import MarketDataService
from pump_party.domains.prop_engine.service import PropTradingEngine
from pump_party.kernel.errors import Invalid
from pump_party.platform.clock import SystemClock
from pump_party.platform.ids import Ids
from pump_party.platform.metrics import Metrics

if TYPE_CHECKING:
    from pump_party.db.scratch import Fresh
    from pump_party.domains.prop_engine.simulation.run import SimulationReport
    from pump_party.kernel.conformance import Report


def check_conformance(content: bytes) -> "Report":
    """Every section of a file of vectors, run by the domain it is about. Raises Invalid for another kind of file."""
    from pump_party.domains.contests import conformance as contests
    from pump_party.domains.economy import conformance as economy
    from pump_party.domains.marketdata import conformance as marketdata
    from pump_party.domains.prop_engine import conformance as prop_engine
    from pump_party.kernel.conformance import run

    return run(content, [marketdata.CHECKS, prop_engine.CHECKS, contests.CHECKS, economy.CHECKS])


def simulate(seed: int, steps: int, *, fresh: "Fresh") -> "SimulationReport":
    """Play one seed on a database of its own."""
    from pump_party.adapters.simulated_feed import SimulatedFeed
    from pump_party.db.faulty import FaultyDatabase
    from pump_party.db.prop_check import changed
    from pump_party.domains.marketdata.ingest import Ingest
    from pump_party.domains.prop_engine.simulation.run import Simulation, World
    from pump_party.redis.memory import MemoryBooks, MemoryQuotes

    registry, quotes, books = load_registry(), MemoryQuotes(), MemoryBooks()
    rules, world = build_all_rule_sets(registry), World.of(seed)
    with fresh() as url, closing(FaultyDatabase(url, world.faults.reached)) as database:
        store, clock = MarketDataStore(database), world.clock
        feed = SimulatedFeed(clock, world.dice.fork(), quotes, books)
        market_data = MarketDataService(store, quotes, books, clock, registry)
        feed.report_to(Ingest(registry=registry, store=store, clock=clock, metrics=Metrics(), sources=feed.sources))

        def build_engine() -> PropTradingEngine:
            ids = Ids(clock, world.dice.fork().take_bytes)
            return PropTradingEngine(PropStore(database), quotes, books, rules, clock, ids, market_data)

        return Simulation(world, rules, feed, build_engine, lambda known: changed(database, known)).run(steps)


def scratch_databases(url: str | None) -> "AbstractContextManager[Fresh]":
    """Databases for simulations: beside that of a Postgres URL, or SQLite files. Raises Invalid for another URL."""
    from pump_party.db.scratch import postgres_scratch, sqlite_scratch

    if url is None:
        return sqlite_scratch()
    if not url.startswith("postgresql://"):
        raise Invalid("--database: must be postgresql://...", field="database")
    return postgres_scratch(url, Ids(SystemClock()).new().replace("-", ""))
