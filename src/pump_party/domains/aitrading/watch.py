"""Conditions under which positions are given up, held against every tick by the machine.

Features change with complete bars: they are read once a minute, and held against the price of every tick.
"""

from collections.abc import Mapping, Sequence, Set

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
from pump_party.domains.aitrading.private import NOTHING_OPENED, Opened, conditions_of, readable, unreadable
from pump_party.domains.aitrading.records import Deployment, Run
from pump_party.domains.aitrading.runs import Runs
from pump_party.domains.aitrading.scene import seen_by
from pump_party.domains.aitrading.unreadable import Told
from pump_party.domains.marketdata.contract import CandleInterval, MarketSnapshot, Quote
from pump_party.domains.prop_interface.contract import AccountStatus
from pump_party.kernel.ids import DeploymentId, Market

Guard = tuple[DeploymentId, OpenInvalidation]

AGAIN_MS = 60_000
"""A close that was refused is tried again after this long, not with every tick."""


class ConditionWatch:
    """Belongs to the one worker that leads. `reload` after anything that may have changed conditions, and now and then:
    an account that may not trade is left alone until then, and a condition that cannot be opened is tried again.
    """

    def __init__(self, parts: Parts, runs: Runs, outside: OutsideRuns) -> None:
        self._parts = parts
        self._runs = runs
        self._outside = outside
        self._guards: dict[Market, list[Guard]] = {}
        self._opened: Opened = NOTHING_OPENED
        self._told = Told(parts.metrics)
        self._refused_ms: dict[tuple[DeploymentId, Market], int] = {}
        self._features: dict[Market, tuple[int, MarketSnapshot | None]] = {}
        self._resting: set[DeploymentId] = set()
        """Whose account may not trade."""

    def reload(self) -> int:
        """Returns how many conditions are in force."""
        self._resting.clear()
        return self._load()

    def _load(self) -> int:
        guards: dict[Market, list[Guard]] = {}
        deployments = self._parts.store.guarded()
        opened = conditions_of(self._parts.clones, deployments, self._opened)
        for deployment in deployments:
            for condition in readable(deployment, opened):
                guards.setdefault(condition.market, []).append((deployment.deployment_id, condition))
        self._guards, self._opened = guards, opened
        self._told.tell([one.clone_id for one in deployments if unreadable(one, opened)])
        # Of other conditions there are other features, and of a bar that was stored late newer ones.
        self._features.clear()
        return sum(len(held) for held in guards.values())

    def take_ticks(self, quotes: Sequence[Quote]) -> int:
        """Give up every position whose condition a tick has made true. Returns how many runs that took."""
        due: set[DeploymentId] = set()
        for quote in quotes:
            now_ms = self._parts.clock.now_ms()
            guards = self._untried(quote.market, now_ms)
            if guards and quote.halted(now_ms) is None:
                due |= {owner for owner, held in guards if is_true_of_price(held.condition, quote.mid_e8)}
                due |= self._due_by_features(quote, guards)
        return self._give_up(sorted(due)) if due else 0

    def _untried(self, market: Market, now_ms: int) -> Sequence[Guard]:
        guards = self._guards.get(market, ())
        if not self._refused_ms and not self._resting:
            return guards
        awake = [one for one in guards if one[0] not in self._resting]
        return [one for one in awake if now_ms - self._refused_ms.get((one[0], market), -AGAIN_MS) >= AGAIN_MS]

    def _due_by_features(self, quote: Quote, guards: Sequence[Guard]) -> set[DeploymentId]:
        on_features = [(owner, held) for owner, held in guards if condition_features(held.condition)]
        if not on_features:
            return set()
        minute = quote.chart_ms() // CONDITION_MINUTE_MS
        read = self._features.get(quote.market)
        if read is None or read[0] != minute:
            read = minute, self._snapshots([held for _, held in on_features]).get(quote.market)
            self._features[quote.market] = read
        return {owner for owner, held in on_features if holds(held.condition, quote.mid_e8, read[1])}

    def _snapshots(self, conditions: Sequence[OpenInvalidation]) -> Mapping[Market, MarketSnapshot]:
        wanted = features_of(conditions)
        return self._parts.memory.snapshots(wanted, as_of_ms=None, interval=CandleInterval.M1, candles=0)

    def _give_up(self, due: Sequence[DeploymentId]) -> int:
        """Each in a run of its own, through the gates. The condition is gone once the close was taken."""
        runs: list[Run] = []
        tried: set[tuple[DeploymentId, Market]] = set()
        for deployment in self._parts.store.deployments(due).values():
            proposals = self._closing(deployment)
            if proposals:
                tried |= {(deployment.deployment_id, one.market) for one in proposals}
                runs.append(self._outside.give_up(deployment, proposals))
        if runs:
            self._runs.submit(runs)
            self._load()
            self._remember_refused(tried)
        return len(runs)

    def _remember_refused(self, tried: Set[tuple[DeploymentId, Market]]) -> None:
        """Those whose condition is still in force: by the gates, or by the engine."""
        now_ms = self._parts.clock.now_ms()
        self._refused_ms = {one: at_ms for one, at_ms in self._refused_ms.items() if now_ms - at_ms < AGAIN_MS}
        for market, guards in self._guards.items():
            self._refused_ms |= {(owner, market): now_ms for owner, _ in guards if (owner, market) in tried}

    def _closing(self, deployment: Deployment) -> Sequence[Proposal]:
        parts = self._parts
        situation = parts.fleet.situations([deployment.account_id])[deployment.account_id]
        if situation.account.status is not AccountStatus.ACTIVE:
            self._resting.add(deployment.deployment_id)
            return ()
        opened = conditions_of(parts.clones, [deployment], self._opened)
        conditions = readable(deployment, opened)
        snapshots = self._snapshots(conditions)
        quotes = parts.quotes.latest(sorted({held.market for held in conditions}))
        now_ms = parts.clock.now_ms()
        at = {"slot_ms": now_ms, "deadline_ms": now_ms, "now_ms": now_ms}
        seen = seen_by(deployment, opened, situation, snapshots, quotes, **at)
        return parts.decider.due(seen.conditions, seen)
