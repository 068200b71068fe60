"""Everything an app may use, built in one go."""

from collections.abc import Callable
from dataclasses import dataclass

import msgspec

from pump_party.bootstrap.aitrading import build_aitrading
from pump_party.bootstrap.backtests import build_backtests
from pump_party.bootstrap.cache import build_cache
from pump_party.bootstrap.clones import build_clones
from pump_party.bootstrap.database import open_database
from pump_party.bootstrap.engine import (
    OrderDesk,
    build_all_rule_sets,
    build_leaderboards,
    build_order_desk,
    build_prop_engine,
)
from pump_party.bootstrap.memory import build_memory
from pump_party.bootstrap.users import build_users
from pump_party.config import Settings
from pump_party.db.aitrading_showcase import ShowcaseStore
from pump_party.db.engine import Database
from pump_party.db.idempotency import AnswerStore
from pump_party.db.jobs import JobStore
from pump_party.db.marketdata import MarketDataStore
from pump_party.db.migrate import is_at_head
from pump_party.db.outbox import OutboxStore
from pump_party.db.prop_engine import MONEY_SCOPES
from pump_party.domains.aitrading.contract import AITrading, Showcase
from pump_party.domains.aitrading.showcase import ShowcaseService
from pump_party.domains.aitrading.work import DecisionWork
from pump_party.domains.backtests.contract import Backtests, BacktestWork
from pump_party.domains.clones.contract import Clones
from pump_party.domains.marketdata.contract import BooksWriter, MarketData, MarketMemory, QuotesWriter
from pump_party.domains.marketdata.registry import Registry, load_registry
from pump_party.domains.marketdata.service import MarketDataService
from pump_party.domains.prop_engine.rules import contest_latencies_ms
from pump_party.domains.prop_interface.contract import Leaderboards, OrderView, PlaceOrder, PropTrading
from pump_party.domains.users.contract import Users
from pump_party.platform.bus import Bus
from pump_party.platform.clock import Clock, SystemClock
from pump_party.platform.group_commit import Lanes
from pump_party.platform.ids import Ids
from pump_party.platform.limits import Limits
from pump_party.platform.locks import Locks
from pump_party.platform.metrics import Metrics
from pump_party.platform.outbox import Outbox
from pump_party.platform.retention import Retention
from pump_party.platform.tickets import Tickets


@dataclass(frozen=True, kw_only=True)
class Services:
    """Everything an app may use."""

    settings: Settings
    clock: Clock
    ids: Ids
    database: Database
    metrics: Metrics
    users: Users
    clones: Clones
    aitrading: AITrading
    showcase: Showcase
    decisions: DecisionWork
    backtests: Backtests
    backtest_work: BacktestWork
    prop: PropTrading
    leaderboards: Leaderboards
    orders: OrderDesk
    market_data: MarketData
    memory: MarketMemory
    registry: Registry
    quotes: QuotesWriter
    books: BooksWriter
    bus: Bus
    limits: Limits
    tickets: Tickets
    locks: Locks
    job_retention: Retention
    answer_retention: Retention
    outbox: Outbox
    is_migrated: Callable[[], bool]
    """Whether the database has the schema this code was written for."""

    close: Callable[[], None]
    """Finishes the orders that wait, then closes the database."""


def build(settings: Settings) -> Services:
    """Wire everything. Raises Unavailable when the database or Redis does not answer: now, not at the first order."""
    clock, metrics = SystemClock(), Metrics()
    ids = Ids(clock)
    cache = build_cache(settings, clock, ids)
    database = open_database(settings)
    registry = load_registry()
    outbox = OutboxStore(database)
    rules = build_all_rule_sets(registry)
    market_data = MarketDataService(
        MarketDataStore(database), cache.quotes, cache.books, clock, registry, contest_latencies_ms(rules.values())
    )
    prop = build_prop_engine(database, cache, rules, market_data, clock, ids)
    users = build_users(settings, database, clock, ids)
    desk = build_order_desk(settings, prop, outbox, metrics)
    clones = build_clones(settings, database, users, registry, clock, ids)
    memory = build_memory(database, cache, clock, registry)
    deciding = build_aitrading(
        settings, database, cache, rules, clones, memory, market_data, prop, outbox, metrics, clock, ids
    )
    backtesting = build_backtests(settings, database, registry, clones, prop, deciding.inquirer, clock, ids)

    return Services(
        settings=settings,
        clock=clock,
        ids=ids,
        database=database,
        metrics=metrics,
        users=users,
        clones=clones,
        aitrading=deciding.service,
        showcase=ShowcaseService(ShowcaseStore(database)),
        decisions=deciding.work,
        backtests=backtesting.service,
        backtest_work=backtesting.work,
        prop=prop,
        leaderboards=build_leaderboards(database, cache, rules, market_data, clock),
        orders=desk,
        market_data=market_data,
        memory=memory,
        registry=registry,
        **msgspec.structs.asdict(cache),
        job_retention=Retention(JobStore(database), clock, kept_days=settings.jobs_kept_days),
        answer_retention=_answer_retention(settings, database, clock),
        outbox=outbox,
        is_migrated=lambda: is_at_head(database),
        close=lambda: _close(desk, database),
    )


def _answer_retention(settings: Settings, database: Database, clock: Clock) -> Retention:
    answers = AnswerStore(database, kept=MONEY_SCOPES)
    return Retention(answers, clock, kept_days=settings.idempotency_kept_days)


def _close(desk: Lanes[PlaceOrder, OrderView], database: Database) -> None:
    desk.close()
    database.close()
