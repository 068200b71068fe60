"""Builds AI trading: the service that apps ask, and the work that its worker does."""

from typing import NamedTuple

from pump_party.adapters.model_desk import LoopModelDesk
from pump_party.adapters.sealed_objects import SealedArtifacts
from pump_party.bootstrap.cache import Cache
from pump_party.bootstrap.models import build_models
from pump_party.bootstrap.objects import build_object_store
from pump_party.config import Settings
from pump_party.db.aitrading import AITradingStore
from pump_party.db.engine import Database
from pump_party.db.prop_engine import PropStore
from pump_party.db.prop_fleet import PropFleetStore
from pump_party.domains.aitrading.budget import MICROS_PER_CENT, Budget, BudgetLimits
from pump_party.domains.aitrading.contract import AITrading, Inquirer
from pump_party.domains.aitrading.decider import StrategyDecider
from pump_party.domains.aitrading.inquiry import Inquiries
from pump_party.domains.aitrading.parts import Parts, Plans
from pump_party.domains.aitrading.retention import KeptDays
from pump_party.domains.aitrading.runs import Runs
from pump_party.domains.aitrading.service import AITradingService
from pump_party.domains.aitrading.work import DecisionWork
from pump_party.domains.clones.contract import Clones
from pump_party.domains.marketdata.contract import MarketData, MarketMemory
from pump_party.domains.prop_engine.fleet import PropFleet
from pump_party.domains.prop_engine.paper_venue import PaperVenue
from pump_party.domains.prop_engine.rule_set import RuleSet
from pump_party.domains.prop_interface.contract import PropTrading, Venue
from pump_party.platform.clock import Clock
from pump_party.platform.ids import Ids
from pump_party.platform.metrics import Metrics
from pump_party.platform.outbox import Outbox

COUNTERFACTUAL_SEED = 1
"""Ids of an exchange that nobody sees: every counterfactual has the same ones."""


class Deciding(NamedTuple):
    service: AITrading
    work: DecisionWork
    inquirer: Inquirer


def build_aitrading(
    settings: Settings,
    database: Database,
    cache: Cache,
    rules: dict[str, RuleSet],
    clones: Clones,
    memory: MarketMemory,
    market_data: MarketData,
    prop: PropTrading,
    outbox: Outbox,
    metrics: Metrics,
    clock: Clock,
    ids: Ids,
) -> Deciding:
    fleet_store = PropFleetStore(database)
    parts = Parts(
        store=AITradingStore(database, ids),
        clones=clones,
        decider=StrategyDecider(prop.rule_sets()),
        prop=prop,
        fleet=PropFleet(prop, PropStore(database), fleet_store, cache.quotes, rules, clock),
        memory=memory,
        candles=market_data,
        quotes=cache.quotes,
        artifacts=SealedArtifacts(build_object_store(settings), clones),
        models=LoopModelDesk(build_models(settings), clock, calls_at_once=settings.model_calls_at_once),
        clock=clock,
        ids=ids,
        metrics=metrics,
        notify=outbox.notify,
        limits=_limits(settings),
        prompt_tokens_max=settings.model_prompt_tokens,
        answer_tokens_max=settings.model_answer_tokens,
    )
    plans = Plans(clones, parts.decider)
    runs = Runs(parts, plans)

    def venue(start_ms: int) -> Venue:
        return PaperVenue(rules, start_ms=start_ms, seed=COUNTERFACTUAL_SEED, candles=market_data)

    kept = KeptDays(
        decisions=settings.decisions_kept_days,
        contest_decisions=settings.contest_decisions_kept_days,
    )
    inquiries = Inquiries(
        parts.store, parts.models, parts.limits, clock, ids, answer_tokens_max=parts.answer_tokens_max
    )
    return Deciding(AITradingService(parts, plans, runs, venue), DecisionWork(parts, plans, runs, kept), inquiries)


def build_inquirer(settings: Settings, database: Database, clock: Clock, ids: Ids) -> Inquirer:
    """For a command that decides for no clone."""
    desk = LoopModelDesk(build_models(settings), clock, calls_at_once=settings.model_calls_at_once)
    store = AITradingStore(database, ids)
    return Inquiries(store, desk, _limits(settings), clock, ids, answer_tokens_max=settings.model_answer_tokens)


def _limits(settings: Settings) -> BudgetLimits:
    def budget(tokens: int, cents: int) -> Budget:
        return Budget(tokens, cents * MICROS_PER_CENT)

    return BudgetLimits(
        clone=budget(settings.model_clone_tokens_per_day, settings.model_clone_cents_per_day),
        owner=budget(settings.model_owner_tokens_per_day, settings.model_owner_cents_per_day),
        platform=budget(settings.model_platform_tokens_per_day, settings.model_platform_cents_per_day),
    )
