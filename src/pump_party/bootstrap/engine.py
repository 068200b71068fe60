"""Builds the prop engine, and the desk where orders are handed in."""

import tomllib
from collections import Counter
from collections.abc import Mapping, Sequence
from importlib.resources import files
from typing import Protocol

from pump_party.bootstrap.cache import Cache
from pump_party.config import Settings
from pump_party.db.engine import Database
from pump_party.db.prop_boards import BoardStore
from pump_party.db.prop_engine import PropStore
from pump_party.domains.marketdata.contract import MarketData
from pump_party.domains.marketdata.registry import Registry
from pump_party.domains.prop_engine.boards import Boards
from pump_party.domains.prop_engine.reports import Reporter
from pump_party.domains.prop_engine.rule_set import RuleSet
from pump_party.domains.prop_engine.rules import build_rule_sets
from pump_party.domains.prop_engine.service import PropTradingEngine
from pump_party.domains.prop_interface.contract import OrderView, PlaceOrder, PropTrading
from pump_party.kernel.errors import Refusal
from pump_party.platform.clock import Clock
from pump_party.platform.group_commit import GroupCommit, Lanes
from pump_party.platform.ids import Ids
from pump_party.platform.metrics import Metrics
from pump_party.platform.outbox import Outbox


class OrderDesk(Protocol):
    """Where apps hand in orders: they are decided in batches, one transaction a batch."""

    async def submit(self, command: PlaceOrder) -> OrderView:
        """The recorded outcome. Raises the Refusal of this command, never a neighbour's."""
        ...


def build_prop_engine(
    database: Database, cache: Cache, rules: Mapping[str, RuleSet], market_data: MarketData, clock: Clock, ids: Ids
) -> PropTradingEngine:
    store = PropStore(database)
    return PropTradingEngine(store, cache.quotes, cache.books, rules, clock, ids, market_data, market_data)


def build_leaderboards(
    database: Database, cache: Cache, rules: Mapping[str, RuleSet], market_data: MarketData, clock: Clock
) -> Boards:
    reporter = Reporter(PropStore(database), cache.quotes, market_data, rules, clock)
    return Boards(BoardStore(database), reporter.no_skill_since, clock)


def build_all_rule_sets(registry: Registry) -> dict[str, RuleSet]:
    folder = files("pump_party.domains.prop_engine")
    rules, perpetuals = (tomllib.loads(folder.joinpath(name).read_text()) for name in ("rules.toml", "perpetuals.toml"))
    return build_rule_sets(rules, perpetuals, registry.assets())


def build_order_desk(
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
