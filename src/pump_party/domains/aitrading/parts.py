"""What deciding needs, built once and handed to everything that takes part in it."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache

from pump_party.domains.aitrading.artifacts import Artifacts
from pump_party.domains.aitrading.budget import BudgetLimits
from pump_party.domains.aitrading.contract import Decider
from pump_party.domains.aitrading.model import Plan
from pump_party.domains.aitrading.model_desk import ModelDesk
from pump_party.domains.aitrading.store import AITradingStore
from pump_party.domains.aitrading.unreadable import StrategyUnreadable
from pump_party.domains.clones.contract import Clones, Unreadable
from pump_party.domains.marketdata.contract import Candles, MarketMemory, Quotes
from pump_party.domains.prop_interface.contract import Fleet, PropTrading
from pump_party.platform.clock import Clock
from pump_party.platform.ids import Ids
from pump_party.platform.metrics import Metrics

PLANS_MAX = 4_096
"""Versions kept ready to decide with."""


@dataclass(frozen=True, kw_only=True)
class Parts:
    """`notify` says that events were committed."""

    store: AITradingStore
    clones: Clones
    decider: Decider
    prop: PropTrading
    fleet: Fleet
    memory: MarketMemory
    candles: Candles
    quotes: Quotes
    artifacts: Artifacts
    models: ModelDesk
    clock: Clock
    ids: Ids
    metrics: Metrics
    notify: Callable[[], None]
    limits: BudgetLimits
    prompt_tokens_max: int
    answer_tokens_max: int


class Plans:
    """The plan of every version that runs, made once: a version never changes.

    `of` raises NotFound (version_not_found), StrategyUnreadable, Unavailable.
    """

    def __init__(self, clones: Clones, decider: Decider) -> None:
        def made(version_id: str) -> Plan:
            try:
                return decider.plan(clones.strategy_of(version_id).strategy)
            except Unreadable as error:
                raise StrategyUnreadable(reason=error.reason) from error

        self.of: Callable[[str], Plan] = lru_cache(maxsize=PLANS_MAX)(made)
