"""Conditions under which positions are given up, held against every tick by the machine.

Conditions on the price are looked at with every tick, those on features once a minute: they change with complete bars.
"""

from collections.abc import Mapping, Sequence

from pump_party.domains.aitrading.conditions import (
    CONDITION_MINUTE_MS,
    condition_features,
    features_of,
    is_true_of_price,
)
from pump_party.domains.aitrading.invalidation import holds
from pump_party.domains.aitrading.model import OpenInvalidation, Proposal
from pump_party.domains.aitrading.outside import OutsideRuns
from pump_party.domains.aitrading.parts import Parts
from pump_party.domains.aitrading.records import Deployment, RunSource
from pump_party.domains.aitrading.runs import Runs
from pump_party.domains.aitrading.scene import seen_by
from pump_party.domains.marketdata.contract import CandleInterval, MarketSnapshot, Quote
from pump_party.kernel.ids import DeploymentId, Market

Guard = tuple[DeploymentId, OpenInvalidation]


class ConditionWatch:
    """Belongs to the one worker that leads. `reload` after anything that may have changed conditions."""

    def __init__(self, parts: Parts, runs: Runs, outside: OutsideRuns) -> None:
        self._parts = parts
        self._runs = runs
        self._outside = outside
        self._guards: dict[Market, list[Guard]] = {}
        self._minutes: dict[Market, int] = {}

    def reload(self) -> int:
        """Returns how many conditions are in force."""
        guards: dict[Market, list[Guard]] = {}
        for deployment in self._parts.store.guarded():
            for held in deployment.conditions:
                guards.setdefault(held.market, []).append((deployment.deployment_id, held))
        self._guards = guards
        return sum(len(held) for held in guards.values())

    def take_ticks(self, quotes: Sequence[Quote]) -> int:
        """Give up every position whose condition a tick has made true. Returns how many runs that took."""
        due: set[DeploymentId] = set()
        for quote in quotes:
            guards = self._guards.get(quote.market)
            if guards and quote.halted(self._parts.clock.now_ms()) is None:
                due |= {owner for owner, held in guards if is_true_of_price(held.condition, quote.mid_e8)}
                due |= self._due_by_features(quote, guards)
        return self._give_up(sorted(due)) if due else 0

    def _due_by_features(self, quote: Quote, guards: Sequence[Guard]) -> set[DeploymentId]:
        minute = quote.publish_ms // CONDITION_MINUTE_MS
        if self._minutes.get(quote.market) == minute:
            return set()
        self._minutes[quote.market] = minute
        slow = [(owner, held) for owner, held in guards if condition_features(held.condition)]
        if not slow:
            return set()
        snapshot = self._snapshots([held for _, held in slow]).get(quote.market)
        return {owner for owner, held in slow if holds(held.condition, quote.mid_e8, snapshot)}

    def _snapshots(self, conditions: Sequence[OpenInvalidation]) -> Mapping[Market, MarketSnapshot]:
        wanted = features_of(conditions)
        return self._parts.memory.snapshots(wanted, as_of_ms=None, interval=CandleInterval.M1, candles=0)

    def _give_up(self, due: Sequence[DeploymentId]) -> int:
        """Each in a run of its own, through the gates. The condition is gone once the close was taken."""
        runs = []
        for deployment in self._parts.store.deployments(due).values():
            proposals = self._closing(deployment)
            if proposals:
                runs.append(self._outside.decide(deployment, proposals, RunSource.INVALIDATION, None))
        self._runs.submit(runs)
        self.reload()
        return len(runs)

    def _closing(self, deployment: Deployment) -> Sequence[Proposal]:
        parts = self._parts
        conditions = deployment.conditions
        snapshots = self._snapshots(conditions)
        quotes = parts.quotes.latest(sorted({held.market for held in conditions}))
        situation = parts.fleet.situations([deployment.account_id])[deployment.account_id]
        now_ms = parts.clock.now_ms()
        seen = seen_by(deployment, situation, snapshots, quotes, slot_ms=now_ms, deadline_ms=now_ms, now_ms=now_ms)
        return parts.decider.due(seen.conditions, seen)
