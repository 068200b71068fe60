"""The worker of decisions: slots at their time, ticks to conditions, and the next worker takes over."""

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, closing
from pathlib import Path

import msgspec
import pytest
from tests.apps.clock import LeapingClock, leaping_clock
from tests.apps.workers.feeding import until
from tests.domains.aitrading.worlds import SOL, rule_strategy

from pump_party.apps.workers import run_decisions
from pump_party.bootstrap.services import Services, build
from pump_party.config import Settings
from pump_party.domains.aitrading.contract import (
    DeployClone,
    Direction,
    Invalidation,
    OwnerRunView,
    Proposal,
    ProposalAction,
    RunState,
    SubmitProposals,
)
from pump_party.domains.aitrading.slots import SETTLE_MS
from pump_party.domains.clones.contract import Always, Clause, Hold, Op, Publish, Strategy, Target, canonical
from pump_party.domains.marketdata.contract import FEED_SILENT_MS, Quote
from pump_party.kernel.ids import CloneId, UserId
from pump_party.platform.bus import TICK_CHANNEL

CADENCE_MS = 60_000
E8 = 10**8
BUY = rule_strategy(Clause(Always(), Target(250_000)), features=(), cadence_s=60)
HOLD = rule_strategy(Clause(Always(), Hold()), features=(), cadence_s=14_400)


@pytest.fixture
def clock() -> Iterator[LeapingClock]:
    with leaping_clock() as clock:
        yield clock


@pytest.fixture(params=["in_process", "redis"])
def services(request: pytest.FixtureRequest, clock: LeapingClock, sqlite_path: Path) -> Iterator[Services]:
    redis_url = request.getfixturevalue("redis_url") if request.param == "redis" else ""
    settings = Settings(data_dir=str(sqlite_path.parent), redis_url=redis_url, log_level="error")
    with closing(build(settings)) as built:
        yield built


class Owner:
    """A user with a clone that trades."""

    def __init__(self, services: Services, clock: LeapingClock) -> None:
        self.services = services
        self.clock = clock
        self.user_id = UserId(services.ids.new())
        clone = services.clones.create_clone(self.user_id, name="Slot Worker", bio="", idempotency_key="create")
        self.clone_id: CloneId = clone.clone_id

    def deploy(self, strategy: Strategy) -> None:
        self.services.clones.publish(
            Publish(
                user_id=self.user_id,
                clone_id=self.clone_id,
                strategy=canonical(strategy),
                layout={},
                base_version=None,
                idempotency_key="publish",
            )
        )
        self.price(150)
        self.services.aitrading.deploy(DeployClone(self.user_id, self.clone_id, "deploy"))

    def price(self, whole: int, *, ahead_ms: int = 0) -> Quote:
        now_ms = self.services.clock.now_ms() + ahead_ms
        fields = {"publish_ms": now_ms, "recv_ms": now_ms, "slot": 1, "source": "test", "tick_sha256": "ab" * 32}
        quote = Quote(market=SOL, mid_e8=whole * E8, conf_e8=E8 // 100, feed="live", **fields)
        self.services.quotes.put([quote])
        return quote

    def leap_to_slot(self) -> None:
        ahead_ms = CADENCE_MS - self.services.clock.now_ms() % CADENCE_MS + SETTLE_MS
        # First the price: the worker may look the moment the clock has leapt.
        self.price(150, ahead_ms=ahead_ms)
        self.clock.leap(ahead_ms)

    def runs(self) -> list[OwnerRunView]:
        page = self.services.aitrading.decisions(self.clone_id, viewer=self.user_id, cursor=None, limit=50)
        return [run for run in page.runs if isinstance(run, OwnerRunView)]

    def ended(self) -> int:
        return sum(run.state in (RunState.EXECUTED, RunState.REJECTED) for run in self.runs())


@pytest.fixture
def owner(services: Services, clock: LeapingClock) -> Owner:
    return Owner(services, clock)


@asynccontextmanager
async def working(services: Services) -> AsyncIterator[None]:
    stop = asyncio.Event()
    task = asyncio.create_task(run_decisions.run(services, stop=stop))
    try:
        yield
    finally:
        stop.set()
        await task


def test_a_clone_decides_when_its_slot_has_come(services: Services, owner: Owner) -> None:
    async def play() -> None:
        owner.deploy(BUY)
        async with working(services):
            await asyncio.sleep(0.3)
            assert owner.runs() == []
            owner.leap_to_slot()
            await until(lambda: owner.price(150) and owner.ended() == 1)
            owner.leap_to_slot()
            await until(lambda: owner.price(150) and owner.ended() == 2)

    asyncio.run(play())
    assert owner.runs()[-1].state is RunState.EXECUTED


def test_the_next_worker_finishes_the_slot_that_one_left(services: Services, owner: Owner) -> None:
    owner.deploy(BUY)
    owner.leap_to_slot()
    assert len(services.decisions.due_slots()) == 1, "claimed by a worker that is gone"

    async def play() -> None:
        async with working(services):
            await until(lambda: len(owner.runs()) == 1)

    asyncio.run(play())
    assert owner.runs()[0].state is RunState.EXECUTED


def test_after_a_start_what_waits_is_decided_at_the_first_price_and_not_without_one(
    services: Services, owner: Owner
) -> None:
    owner.deploy(BUY)
    owner.leap_to_slot()
    owner.clock.leap(FEED_SILENT_MS + 1)

    async def play() -> None:
        async with working(services):
            await asyncio.sleep(1.0)
            assert owner.runs() == []
            await until(lambda: owner.price(150) and owner.runs())

    asyncio.run(play())
    assert owner.runs()[0].state is RunState.EXECUTED


def test_a_market_that_stays_silent_fails_what_waits_for_it(
    services: Services, owner: Owner, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(run_decisions, "FIRST_PRICE_WITHIN_S", 0.2)
    owner.deploy(BUY)
    owner.leap_to_slot()
    owner.clock.leap(FEED_SILENT_MS + 1)

    async def play() -> None:
        async with working(services):
            await until(owner.runs)

    asyncio.run(play())
    assert owner.runs()[0].state is not RunState.EXECUTED


def test_a_tick_that_makes_a_condition_true_closes_the_position(services: Services, owner: Owner) -> None:
    owner.deploy(HOLD)
    condition = Invalidation(None, Op.BELOW, 140 * E8)
    want = Proposal(SOL, ProposalAction.OPEN, Direction.LONG, 250_000, invalidation=condition)

    async def play() -> None:
        async with working(services):
            services.aitrading.submit_actions(SubmitProposals(owner.user_id, owner.clone_id, "k1", (want,)))
            owner.clock.leap(2_000)
            services.prop.take_ticks([owner.price(150)])
            await asyncio.sleep(run_decisions.RELOAD_EVERY_S + 0.2)
            tick = owner.price(139)
            await services.bus.publish(TICK_CHANNEL, [b"not a tick", msgspec.json.encode([tick])])
            await until(lambda: closes(owner))

    asyncio.run(play())
    assert [run.state for run in closes(owner)] == [RunState.EXECUTED]


def closes(owner: Owner) -> list[OwnerRunView]:
    return [r for r in owner.runs() if any(d.proposal.action is ProposalAction.CLOSE for d in r.decisions)]
