"""Everything that decides, on a real database: clones with fixed strategies, markets that stand still until moved."""

import asyncio
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import msgspec
from tests.domains.aitrading.worlds import E8, MIDS_E8, SOL, decider, engine_rules, rule_strategy, snapshot
from tests.domains.prop_engine.markets import FixedQuotes, quote_at

from pump_party.adapters.model_desk import LoopModelDesk
from pump_party.adapters.object_store import ObjectStore
from pump_party.adapters.sealed_objects import SealedArtifacts
from pump_party.adapters.sealing import AesGcmSealing, PlatformKeys
from pump_party.db.aitrading import AITradingStore
from pump_party.db.engine import Database
from pump_party.db.outbox import OutboxStore
from pump_party.db.prop_engine import PropStore
from pump_party.db.prop_fleet import PropFleetStore
from pump_party.domains.aitrading.budget import Budget, BudgetLimits
from pump_party.domains.aitrading.commands import DeployClone
from pump_party.domains.aitrading.model_client import ModelAnswer, ModelFailed, ModelUsage
from pump_party.domains.aitrading.parts import Parts, Plans
from pump_party.domains.aitrading.retention import KeptDays
from pump_party.domains.aitrading.run_views import DeploymentView, OwnerRunView
from pump_party.domains.aitrading.runs import Runs
from pump_party.domains.aitrading.service import AITradingService
from pump_party.domains.aitrading.slots import SETTLE_MS, next_slot_ms
from pump_party.domains.aitrading.work import DecisionWork
from pump_party.domains.clones.contract import Strategy, StrategyVersion, Validation, clone_node, content_sha256
from pump_party.domains.clones.model import Clone, SealedKey
from pump_party.domains.clones.validation import read
from pump_party.domains.clones.vault import Vault
from pump_party.domains.marketdata.contract import Candle, CandleInterval, Feature, MarketSnapshot
from pump_party.domains.marketdata.registry import load_registry
from pump_party.domains.prop_engine.fleet import PropFleet
from pump_party.domains.prop_engine.paper_venue import PaperVenue
from pump_party.domains.prop_engine.service import PropTradingEngine
from pump_party.events.aitrading import DecisionFinished
from pump_party.kernel.errors import Conflict, NotFound
from pump_party.kernel.ids import CloneId, Market, UserId, VersionId
from pump_party.platform.clock import ManualClock
from pump_party.platform.ids import Ids
from pump_party.platform.metrics import Metrics
from pump_party.platform.outbox import OutboxMessage

ALICE, BOB = UserId("0197-alice"), UserId("0197-bob")
PLENTY = Budget(tokens=10**9, micros=10**12)
MODEL = "openai:gpt"


class FixedClones:
    """Published strategies a test sets by hand."""

    def __init__(self) -> None:
        self.owners: dict[str, UserId] = {}
        self.versions: dict[str, list[StrategyVersion]] = {}
        self.keys: dict[str, SealedKey] = {}
        self._vault = Vault(AesGcmSealing(PlatformKeys(f"test:{'ab' * 32}", Path("none"))))

    def publish(self, owner: UserId, strategy: Strategy, clone_id: str) -> CloneId:
        versions = self.versions.setdefault(clone_id, [])
        self.owners[clone_id] = owner
        number = len(versions) + 1
        cadence_s = clone_node(strategy).cadence_s
        version_id = VersionId(f"{clone_id}-v{number}")
        sha256 = content_sha256(strategy)
        versions.append(StrategyVersion(version_id, CloneId(clone_id), number, strategy, sha256, cadence_s, 0))
        return CloneId(clone_id)

    def owner_of(self, clone_id: str) -> UserId:
        if clone_id not in self.owners:
            raise NotFound("no such clone", code="clone_not_found")
        return self.owners[clone_id]

    def current_version(self, clone_id: str) -> StrategyVersion:
        self.owner_of(clone_id)
        if not self.versions[clone_id]:
            raise Conflict("not published", code="not_published")
        return self.versions[clone_id][-1]

    def validate(self, strategy: bytes) -> Validation:
        return read(strategy, {asset.market: asset.kind for asset in load_registry().assets()})

    def seal_artifacts(self, artifacts: Sequence[tuple[CloneId, str, bytes]]) -> list[bytes]:
        return [self._vault.seal_artifact(*self._keys(one), sha256, body) for one, sha256, body in artifacts]

    def open_artifacts(self, artifacts: Sequence[tuple[CloneId, str, bytes]]) -> list[bytes]:
        return [self._vault.open_artifact(*self._keys(one), sha256, sealed) for one, sha256, sealed in artifacts]

    def _keys(self, clone_id: CloneId) -> tuple[Clone, SealedKey]:
        clone = Clone(clone_id, self.owners[clone_id], clone_id, clone_id, "", 0, 0, None, 0, 0)
        if clone_id not in self.keys:
            self.keys[clone_id] = self._vault.new_key(clone, first=False)
        return clone, self.keys[clone_id]

    def strategy_of(self, version_id: str) -> StrategyVersion:
        clone_id, _, number = version_id.rpartition("-v")
        return self.versions[clone_id][int(number) - 1]


class FixedMemory:
    """Snapshots that a test sets by hand; features that are not asked for are left out."""

    def __init__(self, clock: ManualClock) -> None:
        self.shown_ms = clock.now_ms()
        self.mids_e8 = dict(MIDS_E8)
        self.ahead_ms = 0
        self.values: dict[Market, dict[str, tuple[int | None, int | None]]] = {}
        self.reads = 0

    def pinned(self) -> "FixedMemory":
        return self

    def snapshots(
        self,
        wanted: Mapping[Market, Sequence[Feature]],
        *,
        as_of_ms: int | None,
        interval: CandleInterval,
        candles: int,
    ) -> Mapping[Market, MarketSnapshot]:
        self.reads += 1
        as_of = (as_of_ms or self.shown_ms + self.ahead_ms) // 1_000 * 1_000
        found = {}
        for market, features in wanted.items():
            if market not in self.mids_e8:
                continue
            whole = snapshot(
                market, mid_e8=self.mids_e8[market], as_of_ms=as_of, candles=candles, **self.values.get(market, {})
            )
            readings = tuple(r for r in whole.readings if r.feature in features)
            found[market] = msgspec.structs.replace(whole, readings=readings)
        return found


class FlatCandles:
    """Stored minutes: a price per minute that a test sets, else the memory's."""

    def __init__(self, memory: FixedMemory) -> None:
        self._memory = memory
        self.closes_e8: dict[int, int] = {}

    def candles(self, market: str, interval: CandleInterval, *, before_ms: int | None, limit: int) -> Sequence[Candle]:
        assert before_ms is not None
        newest = (before_ms - 1) // 60_000 * 60_000
        minutes = [newest - 60_000 * n for n in range(limit)]
        return [self._candle(Market(market), interval, open_ms) for open_ms in minutes]

    def _candle(self, market: Market, interval: CandleInterval, open_ms: int) -> Candle:
        price = self.closes_e8.get(open_ms, self._memory.mids_e8[market])
        return Candle(market, interval, open_ms, price, price, price, price, 60, True)


class ScriptedModel:
    """A model that answers what a test says, after as long as it says."""

    def __init__(self) -> None:
        self.reply: Callable[[str], str | ModelFailed] = lambda _: "{}"
        self.after_s = 0.0
        self.asked: list[str] = []
        self.micros_per_token: int | None = 1

    def offered(self) -> Sequence[str]:
        return (MODEL, "openai:other")

    def prepare(self, model: str) -> None:
        pass

    def cost_micros(self, model: str, *, tokens_in: int, tokens_out: int) -> int | None:
        return None if self.micros_per_token is None else self.micros_per_token * (tokens_in + tokens_out)

    async def complete(
        self, messages: Any, schema: Any, *, model: str, timeout_ms: int, tokens_max: int
    ) -> ModelAnswer:
        self.asked.append(messages[-1].text)
        await asyncio.sleep(self.after_s)
        said = self.reply(messages[-1].text)
        if isinstance(said, ModelFailed):
            raise said
        usage = ModelUsage(100, 20, self.cost_micros(model, tokens_in=100, tokens_out=20), "table-1")
        return ModelAnswer(said, {}, usage, 40, "stop")


class Platform:
    """The product from deployments to fills, as a test drives it. `restart` is another process on the same database."""

    def __init__(
        self,
        database: Database,
        clock: ManualClock,
        objects: str,
        *,
        limits: BudgetLimits | None = None,
    ) -> None:
        self.database = database
        self.clock = clock
        self.objects = objects
        self.kept = KeptDays(decisions=30, contest_decisions=0)
        self.limits = limits or BudgetLimits(PLENTY, PLENTY, PLENTY)
        self.clones = FixedClones()
        self.memory = FixedMemory(clock)
        self.candles = FlatCandles(self.memory)
        self.quotes = FixedQuotes()
        self.model = ScriptedModel()
        self.metrics = Metrics()
        self.show()
        self.restart()

    def restart(self) -> None:
        rules, ids = engine_rules(), Ids(self.clock)
        store = PropStore(self.database)
        self.engine = PropTradingEngine(store, self.quotes, _NoBooks(), rules, self.clock, ids)
        self.parts = Parts(
            store=AITradingStore(self.database, ids),
            clones=self.clones,  # type: ignore[arg-type]
            decider=decider(),
            prop=self.engine,
            fleet=PropFleet(self.engine, store, PropFleetStore(self.database), self.quotes, rules, self.clock),
            memory=self.memory,
            candles=self.candles,
            quotes=self.quotes,
            artifacts=SealedArtifacts(ObjectStore(self.objects), self.clones),
            models=LoopModelDesk(self.model, self.clock, calls_at_once=500),
            clock=self.clock,
            ids=ids,
            metrics=self.metrics,
            notify=lambda: None,
            limits=self.limits,
            prompt_tokens_max=24_000,
            answer_tokens_max=1_000,
        )
        plans = Plans(self.clones, self.parts.decider)  # type: ignore[arg-type]
        runs = Runs(self.parts, plans)
        self.service = AITradingService(
            self.parts, plans, runs, lambda start_ms: PaperVenue(rules, start_ms=start_ms, seed=1)
        )
        self.work = DecisionWork(self.parts, plans, runs, self.kept)
        self.outbox = OutboxStore(self.database)

    def show(self, mids_e8: Mapping[Market, int] | None = None) -> None:
        """Move prices to these, as of now."""
        self.memory.mids_e8 |= mids_e8 or {}
        self.memory.shown_ms = now_ms = self.clock.now_ms()
        self.quotes.set(
            *[
                quote_at(now_ms, market=m, mid_e8=mid, conf_e8=mid // 10_000, tape_ms=now_ms)
                for m, mid in self.memory.mids_e8.items()
            ]
        )

    def deploy(self, strategy: Strategy, clone_id: str = "clone-1", owner: UserId = ALICE) -> DeploymentView:
        self.clones.publish(owner, strategy, clone_id)
        return self.service.deploy(DeployClone(owner, CloneId(clone_id), "deploy-1"))

    def slot(self, cadence_s: int = 3_600, *, late_ms: int = 100) -> int:
        """Let time pass until a moment after the next slot, and work off whatever is due. Returns the slot."""
        slot_ms = next_slot_ms(self.clock.now_ms(), cadence_s)
        self.clock.advance(slot_ms + max(late_ms, SETTLE_MS) - self.clock.now_ms())
        self.show()
        for job in self.work.due_slots():
            self.work.work_off(job)
        return slot_ms

    def tick(self, mids_e8: Mapping[Market, int] | None = None, *, after_ms: int = 2_000) -> int:
        """Ticks at these prices, to conditions and to orders that wait. Returns how many orders ended."""
        self.clock.advance(after_ms)
        self.show(mids_e8)
        found = list(self.quotes.latest(list(self.memory.mids_e8)).values())
        ticks = [msgspec.structs.replace(q, publish_ms=q.publish_ms + 300, recv_ms=q.recv_ms + 300) for q in found]
        self.work.take_ticks(ticks)
        return self.engine.take_ticks(ticks)

    def runs(self, clone_id: str = "clone-1", owner: UserId = ALICE) -> list[OwnerRunView]:
        """As their owner sees them, oldest first."""
        page = self.service.decisions(clone_id, viewer=owner, cursor=None, limit=200)
        return [run for run in reversed(page.runs) if isinstance(run, OwnerRunView)]

    def events(self, clone_id: str = "clone-1") -> list[DecisionFinished]:
        finished = [m for m in self.messages(clone_id) if m.kind == DecisionFinished.KIND]
        return [msgspec.json.decode(m.payload, type=DecisionFinished) for m in finished]

    def messages(self, clone_id: str = "clone-1") -> list[OutboxMessage]:
        return list(self.outbox.after(clone_id, seq=0, limit=200))


class _NoBooks:
    def latest(self, markets: Sequence[Market]) -> dict[Market, Any]:
        return {}


__all__ = ["ALICE", "BOB", "E8", "MODEL", "SOL", "Platform", "rule_strategy"]
