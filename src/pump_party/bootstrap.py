"""The only place objects meet: Settings in, Services out. Whatever is missing stops the start here, with the reason."""

import shutil
import tomllib
from collections import Counter
from collections.abc import Callable, Sequence
from contextlib import closing
from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Protocol

import msgspec

from pump_party.adapters.evm_rpc import EvmRpc
from pump_party.config import Settings
from pump_party.db.engine import Database
from pump_party.db.marketdata import MarketDataStore
from pump_party.db.migrate import head, is_at_head, upgrade
from pump_party.db.outbox import OutboxStore
from pump_party.db.prop_check import CheckReport, check
from pump_party.db.prop_engine import PropStore
from pump_party.db.users import UserStore
from pump_party.domains.marketdata.contract import BooksWriter, Ingestion, MarketData, QuotesWriter, ResumeView
from pump_party.domains.marketdata.registry import Registry, load_registry
from pump_party.domains.marketdata.service import MarketDataService
from pump_party.domains.prop_engine.rule_set import RuleSet
from pump_party.domains.prop_engine.rules import build_rule_sets
from pump_party.domains.prop_engine.service import PropTradingEngine
from pump_party.domains.prop_interface.contract import OrderView, PlaceOrder, PropTrading
from pump_party.domains.users.contract import Users
from pump_party.domains.users.service import UserService
from pump_party.kernel.errors import Refusal, Unavailable
from pump_party.platform.bus import Bus
from pump_party.platform.clock import Clock, SystemClock
from pump_party.platform.group_commit import GroupCommit, Lanes
from pump_party.platform.ids import Ids
from pump_party.platform.limits import Limits
from pump_party.platform.locks import Locks
from pump_party.platform.metrics import Metrics
from pump_party.platform.outbox import Outbox
from pump_party.platform.tickets import Tickets

if TYPE_CHECKING:
    from pump_party.adapters.object_store import ObjectStore
    from pump_party.adapters.tape_library import Tapes
    from pump_party.domains.prop_engine.simulation.run import SimulationReport
    from pump_party.kernel.conformance import Report

SQLITE_FILE = "pump_party.sqlite3"
OBJECTS_FOLDER = "objects"
MINUTE_MS = 60_000
HOUR_MS = 60 * MINUTE_MS


class OrderDesk(Protocol):
    """Where apps hand in orders: they are decided in batches, one transaction a batch."""

    async def submit(self, command: PlaceOrder) -> OrderView:
        """The recorded outcome. Raises the Refusal of this command, never a neighbour's."""
        ...


class Cache(msgspec.Struct, frozen=True):
    """What may be lost: kept in Redis, or in this process."""

    quotes: QuotesWriter
    books: BooksWriter
    bus: Bus
    limits: Limits
    tickets: Tickets
    locks: Locks


@dataclass(frozen=True, kw_only=True)
class Services:
    """Everything an app may use."""

    settings: Settings
    clock: Clock
    ids: Ids
    database: Database
    metrics: Metrics
    users: Users
    prop: PropTrading
    orders: OrderDesk
    market_data: MarketData
    registry: Registry
    quotes: QuotesWriter
    books: BooksWriter
    bus: Bus
    limits: Limits
    tickets: Tickets
    locks: Locks
    outbox: Outbox
    is_migrated: Callable[[], bool]
    """Whether the database has the schema this code was written for."""

    close: Callable[[], None]
    """Finishes the orders that wait, then closes the database."""


def open_database(settings: Settings) -> Database:
    """Open and migrate. Raises Unavailable with the reason when it does not answer."""
    database = Database(_database_url(settings))
    database.check()
    upgrade(database)
    return database


def _open_existing(settings: Settings) -> Database:
    """Open as it is. Raises Unavailable when there is none, it does not answer, or its schema is another version's."""
    _require_database(settings)
    database = Database(_database_url(settings))
    if not is_at_head(database):
        database.close()
        raise Unavailable("the schema is not the one this version needs: run `pump-party db upgrade`")
    return database


def _require_database(settings: Settings) -> None:
    """SQLite would make an empty database where there is none, and an empty one has nothing to find fault with."""
    path = _sqlite_path(settings)
    if not settings.database_url and not path.is_file():
        raise Unavailable(f"there is no database in {path.parent}: name its folder with --data-dir")


def _database_url(settings: Settings) -> str:
    return settings.database_url or f"sqlite:///{_sqlite_path(settings)}"


def _sqlite_path(settings: Settings) -> Path:
    return Path(settings.data_dir).expanduser().resolve() / SQLITE_FILE


class DatabaseFacts(msgspec.Struct, frozen=True):
    """What an operator asks first. `wal_reset_bug`: this SQLite needs the one-writer rule, which the engine keeps."""

    engine: str
    version: str
    location: str
    schema: str
    at_head: bool
    wal_reset_bug: bool


def describe_database(settings: Settings) -> DatabaseFacts:
    """Look without changing anything. Raises Unavailable when there is no database or it does not answer."""
    _require_database(settings)
    database = Database(_database_url(settings))
    try:
        return DatabaseFacts(
            engine="SQLite" if database.is_sqlite else "Postgres",
            version=database.server_version(),
            location="PUMP_PARTY_DATABASE_URL" if settings.database_url else database.url,
            schema=head(),
            at_head=is_at_head(database),
            wal_reset_bug=database.has_wal_reset_bug(),
        )
    finally:
        database.close()


def check_ledger(settings: Settings, *, progress: Callable[[int, int], None]) -> CheckReport:
    """Prove every account of the database: balances, chains, sequence. Changes nothing."""
    database = _open_existing(settings)
    try:
        return check(database, progress=progress)
    finally:
        database.close()


def approve_resume(settings: Settings, market: str, *, operator: str, reason: str) -> ResumeView:
    """Record that an operator wants a quarantined market resumed; the second of two makes the worker do it."""
    database = _open_existing(settings)
    try:
        from pump_party.redis.memory import MemoryBooks, MemoryQuotes

        # An approval needs no price; the worker that acts on it reads the database.
        cache = MemoryQuotes(), MemoryBooks()
        service = MarketDataService(MarketDataStore(database), *cache, SystemClock(), load_registry())
        return service.approve_resume(market, operator=operator, reason=reason)
    finally:
        database.close()


def build(settings: Settings) -> Services:
    """Wire everything. Raises Unavailable when the database or Redis does not answer: now, not at the first order."""
    clock = SystemClock()
    ids = Ids(clock)
    metrics = Metrics()
    cache = _cache(settings, clock, ids)
    database = open_database(settings)
    registry = load_registry()
    outbox = OutboxStore(database)
    market_data = MarketDataService(MarketDataStore(database), cache.quotes, cache.books, clock, registry)
    prop = _prop_engine(database, cache, registry, market_data, clock, ids)
    desk = _order_desk(settings, prop, outbox, metrics)

    def close() -> None:
        desk.close()
        database.close()

    return Services(
        settings=settings,
        clock=clock,
        ids=ids,
        database=database,
        metrics=metrics,
        users=_users(settings, database, clock, ids),
        prop=prop,
        orders=desk,
        market_data=market_data,
        registry=registry,
        quotes=cache.quotes,
        books=cache.books,
        bus=cache.bus,
        limits=cache.limits,
        tickets=cache.tickets,
        locks=cache.locks,
        outbox=outbox,
        is_migrated=lambda: is_at_head(database),
        close=close,
    )


def _cache(settings: Settings, clock: Clock, ids: Ids) -> Cache:
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


def _prop_engine(
    database: Database, cache: Cache, registry: Registry, market_data: MarketData, clock: Clock, ids: Ids
) -> PropTradingEngine:
    rules = _rule_sets(registry)
    return PropTradingEngine(PropStore(database), cache.quotes, cache.books, rules, clock, ids, market_data)


def _rule_sets(registry: Registry) -> dict[str, RuleSet]:
    folder = files("pump_party.domains.prop_engine")
    rules, perpetuals = (tomllib.loads(folder.joinpath(name).read_text()) for name in ("rules.toml", "perpetuals.toml"))
    return build_rule_sets(rules, perpetuals, registry.assets())


def _order_desk(
    settings: Settings, prop: PropTrading, outbox: Outbox, metrics: Metrics
) -> Lanes[PlaceOrder, OrderView]:
    def commit(commands: Sequence[PlaceOrder]) -> Sequence[OrderView | Exception]:
        outcomes = prop.place_orders(commands)
        outbox.notify()
        for label, count in Counter(map(_outcome_label, outcomes)).items():
            metrics.orders_decided(label, count)
        return outcomes

    def lane() -> GroupCommit[PlaceOrder, OrderView]:
        return GroupCommit(
            commit,
            batch_max=settings.group_commit_batch,
            wait_us=settings.group_commit_wait_us,
            observe=lambda size, seconds: metrics.order_batch_committed(size=size, duration_s=seconds),
        )

    # SQLite works inside this process: a second lane would only contend with the first for Python's lock.
    count = settings.group_commit_lanes if settings.database_url else 1
    return Lanes([lane() for _ in range(count)], lambda command: hash(command.account_id))


def _outcome_label(outcome: OrderView | Exception) -> str:
    if isinstance(outcome, Refusal):
        return outcome.code
    if isinstance(outcome, Exception):
        return "error"
    return outcome.status.value if outcome.reject_code is None else outcome.reject_code.value


def _users(settings: Settings, database: Database, clock: Clock, ids: Ids) -> UserService:
    rpc_urls = {int(chain): url for chain, url in _pairs(settings.evm_rpc_urls)}
    origin = settings.origin()
    return UserService(
        UserStore(database),
        clock,
        ids,
        EvmRpc(rpc_urls),
        domain=origin.split("://", 1)[1],
        uri=origin,
        evm_chain_ids={int(chain) for chain in settings.evm_chain_ids.split(",")},
        session_idle_ms=settings.session_idle_minutes * MINUTE_MS,
        session_absolute_ms=settings.session_absolute_hours * HOUR_MS,
    )


def _pairs(text: str) -> list[tuple[str, str]]:
    pairs = []
    for item in filter(None, text.split(",")):
        key, _, value = item.partition("=")
        pairs.append((key, value))
    return pairs


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
        payloads=_payloads(settings) if settings.record_raw else None,
    )


def _payloads(settings: Settings) -> "ObjectStore":
    from pump_party.adapters.object_store import ObjectStore

    folder = Path(settings.data_dir).expanduser().resolve() / OBJECTS_FOLDER
    return ObjectStore(settings.object_store_url or str(folder))


def open_tapes() -> "Tapes":
    """Recordings on this machine, for `pump-party tape`: needs no database and no cache."""
    from pump_party.adapters.tape_library import Tapes

    return Tapes(load_registry(), SystemClock())


def check_conformance(content: bytes) -> "Report":
    """Every section of a file of vectors, run by the domain it is about. Raises Invalid for another kind of file."""
    from pump_party.domains.contests import conformance as contests
    from pump_party.domains.economy import conformance as economy
    from pump_party.domains.marketdata import conformance as marketdata
    from pump_party.domains.prop_engine import conformance as prop_engine
    from pump_party.kernel.conformance import run

    return run(content, [marketdata.CHECKS, prop_engine.CHECKS, contests.CHECKS, economy.CHECKS])


def simulate(seed: int, steps: int, *, template: Path) -> "SimulationReport":
    """Play one seed on a copy of `template`, a migrated and empty SQLite file."""
    from pump_party.adapters.simulated_feed import SimulatedFeed
    from pump_party.db.faulty import FaultyDatabase
    from pump_party.db.prop_check import changed
    from pump_party.domains.marketdata.ingest import Ingest
    from pump_party.domains.prop_engine.simulation.run import Simulation, World
    from pump_party.redis.memory import MemoryBooks, MemoryQuotes

    registry, quotes, books = load_registry(), MemoryQuotes(), MemoryBooks()
    rules, world = _rule_sets(registry), World.of(seed)
    with TemporaryDirectory() as folder:
        path = shutil.copy(template, Path(folder) / SQLITE_FILE)
        with closing(FaultyDatabase(f"sqlite:///{path}", world.faults.reached)) as database:
            store, clock = MarketDataStore(database), world.clock
            feed = SimulatedFeed(clock, world.dice.fork(), quotes)
            market_data = MarketDataService(store, quotes, books, clock, registry)
            feed.report_to(Ingest(registry=registry, store=store, clock=clock, metrics=Metrics(), sources=feed.sources))

            def build_engine() -> PropTradingEngine:
                ids = Ids(clock, world.dice.fork().take_bytes)
                return PropTradingEngine(PropStore(database), quotes, books, rules, clock, ids, market_data)

            return Simulation(world, rules, feed, build_engine, lambda known: changed(database, known)).run(steps)


def make_template(path: Path) -> None:
    """A migrated, empty SQLite file for simulations to start from."""
    with closing(Database(f"sqlite:///{path}")) as database:
        upgrade(database)
