"""A process that dies at any named step of a decision: one batch of orders, one outcome, one event."""

from collections.abc import Iterator
from contextlib import closing, suppress
from pathlib import Path

import msgspec
import pytest
from tests.db.platform import ALICE, MODEL, Platform
from tests.domains.aitrading.answers import answer, opening
from tests.domains.aitrading.worlds import SOL, prompt_strategy, rule_strategy

from pump_party.adapters.object_store import ObjectStore
from pump_party.adapters.sealed_objects import SealedArtifacts
from pump_party.db.faulty import FaultyDatabase
from pump_party.domains.aitrading.budget import CLONE
from pump_party.domains.aitrading.commands import SubmitProposals
from pump_party.domains.aitrading.model import Direction, Proposal, ProposalAction
from pump_party.domains.aitrading.records import Run
from pump_party.domains.aitrading.run_views import RunState
from pump_party.domains.aitrading.runs import Runs
from pump_party.domains.aitrading.slots import DAY_MS, SETTLE_MS
from pump_party.domains.clones.contract import Always, Clause, Strategy, Target
from pump_party.kernel.ids import CloneId
from pump_party.platform.clock import ManualClock

STEPS_MAX = 200
go_on = Runs.go_on
RULE = rule_strategy(Clause(Always(), Target(250_000)))
PROMPT = prompt_strategy("Buy when it is cheap.")


class Killed(BaseException):
    """The process is gone: nothing catches this."""


class Life:
    """Counts the steps of a process and ends it at one of them."""

    def __init__(self) -> None:
        self.left: int | None = None
        self.died_at: str | None = None

    def reached(self, step: str) -> None:
        if self.left is None:
            return
        if self.left == 0:
            self.left, self.died_at = None, step
            raise Killed
        self.left -= 1


class MortalObjects(ObjectStore):
    def __init__(self, url: str, life: Life) -> None:
        super().__init__(url)
        self._life = life

    def put_at(self, place: str, body: bytes) -> bool:
        self._life.reached("before_artifact")
        kept = super().put_at(place, body)
        self._life.reached("after_artifact")
        return kept


@pytest.fixture(params=["sqlite", "postgres"])
def mortal(request: pytest.FixtureRequest, clock: ManualClock, tmp_path: Path) -> Iterator[tuple[Platform, Life]]:
    life = Life()
    is_sqlite = request.param == "sqlite"
    url = (
        f"sqlite:///{request.getfixturevalue('sqlite_path')}" if is_sqlite else request.getfixturevalue("postgres_url")
    )
    with closing(FaultyDatabase(url, life.reached)) as database:
        yield Platform(database, clock, str(tmp_path / "objects")), life


def live_with(platform: Platform, life: Life) -> None:
    """A process begins, whose artifacts can fail as its database can."""
    platform.restart()
    mortal = SealedArtifacts(MortalObjects(platform.objects, life), platform.clones)
    object.__setattr__(platform.parts, "artifacts", mortal)


def die_at(platform: Platform, life: Life, step: int, work) -> str | None:  # type: ignore[no-untyped-def]
    """Do the work in a process that dies at its step. Returns which that was, None when it lived."""
    live_with(platform, life)
    life.left, life.died_at = step, None
    with suppress(Killed):
        work()
    life.left = None
    return life.died_at


def work_off(platform: Platform) -> None:
    for job in platform.work.due_slots():
        platform.work.work_off(job)


def next_life(platform: Platform) -> None:
    platform.restart()
    platform.work.take_over()
    work_off(platform)


@pytest.mark.parametrize("strategy", [RULE, PROMPT], ids=["rule", "model"])
def test_a_slot_killed_at_any_step_has_one_batch_and_one_outcome(
    mortal: tuple[Platform, Life], strategy: Strategy
) -> None:
    platform, life = mortal
    platform.model.reply = lambda _: answer(opening())
    seen: list[str] = []
    for step in range(STEPS_MAX):
        clone = f"clone-{step}"
        view = platform.deploy(strategy, clone)
        platform.clock.advance(view.next_slot_ms + SETTLE_MS - platform.clock.now_ms())
        platform.show()
        asked = len(platform.model.asked)
        died_at = die_at(platform, life, step, lambda: work_off(platform))
        next_life(platform)

        (run,) = platform.runs(clone)
        orders = platform.engine.open_orders(ALICE, view.account_id)
        assert (run.state, run.code) == (RunState.EXECUTED, None), (step, died_at)
        assert [order.order_id for order in orders] == list(run.decisions[0].order_ids), (step, died_at)
        assert len(orders) == 1, (step, died_at)
        assert len(platform.events(clone)) == 1, (step, died_at)
        assert platform.work.due_slots() == []
        platform.slot()
        assert len(platform.runs(clone)) == 2, "the next slot was not lost"
        if strategy is PROMPT:
            assert run.usage is not None
            assert (run.usage.model, run.usage.tokens_in, run.usage.tokens_out) == (MODEL, 100, 20)
            spent = platform.parts.store.spent(run.slot_ms // DAY_MS, CLONE, clone)
            assert spent.tokens == 2 * 120, "what was reserved for a lost call is settled by the one that came"
            # At most the call that was under way when the process died is made again, and the slot after it its own.
            assert len(platform.model.asked) - asked in (2, 3)
        platform.service.stop(ALICE, clone)
        if died_at is None:
            break
        seen.append(died_at)
    else:
        pytest.fail("the slot never came to its end")
    wanted = {"before_load", "before_write", "before_commit", "after_commit", "before_artifact", "after_artifact"}
    assert set(seen) == wanted


def test_an_outside_run_killed_at_any_step_is_done_once_by_asking_again(mortal: tuple[Platform, Life]) -> None:
    platform, life = mortal
    half = Proposal(SOL, ProposalAction.OPEN, Direction.LONG, 500_000)
    for step in range(STEPS_MAX):
        clone = f"clone-{step}"
        view = platform.deploy(RULE, clone)
        command = SubmitProposals(ALICE, CloneId(clone), "k1", (half,))
        died_at = die_at(platform, life, step, lambda command=command: platform.service.submit_actions(command))  # type: ignore[misc]
        platform.restart()
        told = platform.service.submit_actions(command)
        assert told.run.state is RunState.EXECUTED
        assert len(platform.engine.open_orders(ALICE, view.account_id)) == 1
        assert len(platform.events(clone)) == 1
        platform.service.stop(ALICE, clone)
        if died_at is None:
            return
    pytest.fail("the request never came to its end")


@pytest.mark.parametrize("strategy", [RULE, PROMPT], ids=["rule", "model"])
def test_after_the_deadline_what_was_not_done_is_late_and_what_was_done_stands(
    mortal: tuple[Platform, Life], strategy: Strategy
) -> None:
    platform, life = mortal
    platform.model.reply = lambda _: answer(opening())
    states = set()
    for step in range(STEPS_MAX):
        clone = f"clone-{step}"
        view = platform.deploy(strategy, clone)
        platform.clock.advance(view.next_slot_ms + SETTLE_MS - platform.clock.now_ms())
        platform.show()
        died_at = die_at(platform, life, step, lambda: work_off(platform))
        platform.clock.advance(61_000)
        platform.show()
        next_life(platform)

        (run,) = platform.runs(clone)
        orders = platform.engine.open_orders(ALICE, view.account_id)
        assert run.state in (RunState.EXECUTED, RunState.LATE), (step, died_at)
        assert len(orders) == (1 if run.state is RunState.EXECUTED else 0), (step, died_at)
        assert len(platform.events(clone)) == 1
        states.add(run.state)
        platform.service.stop(ALICE, clone)
        if died_at is None:
            break
    assert states == {RunState.EXECUTED, RunState.LATE}


def test_a_deployment_killed_at_any_step_opens_one_account(mortal: tuple[Platform, Life]) -> None:
    platform, life = mortal
    from pump_party.domains.aitrading.commands import DeployClone

    for step in range(STEPS_MAX):
        clone = platform.clones.publish(ALICE, RULE, f"clone-{step}")
        before = len(platform.engine.accounts(ALICE))
        command = DeployClone(ALICE, clone, "deploy-1")
        died_at = die_at(platform, life, step, lambda command=command: platform.service.deploy(command))  # type: ignore[misc]
        platform.restart()
        view = platform.service.deploy(command)
        assert len(platform.engine.accounts(ALICE)) == before + 1
        assert platform.service.deploy(command) == view
        platform.service.stop(ALICE, clone)
        if died_at is None:
            return
    pytest.fail("the request never came to its end")


def test_a_run_that_two_bring_to_its_end_has_one(mortal: tuple[Platform, Life]) -> None:
    platform, _ = mortal
    view = platform.deploy(RULE)
    half = Proposal(SOL, ProposalAction.OPEN, Direction.LONG, 500_000)
    command = SubmitProposals(ALICE, CloneId("clone-1"), "k1", (half,))
    store = platform.parts.store
    found = []

    def taken_up_between(self: Runs, runs: list[Run]) -> None:
        """Another process takes the run up while this one is about to submit it."""
        found.extend(store.unfinished(limit=10))
        platform.restart()
        platform.work.take_over()
        submit(self, runs)

    submit = Runs.submit
    with pytest.MonkeyPatch.context() as patch:
        service = platform.service
        patch.setattr(
            Runs, "go_on", lambda self, runs: taken_up_between(self, runs) if not found else go_on(self, runs)
        )
        told = service.submit_actions(command)
    assert len(found) == 1
    assert told.run.state is RunState.EXECUTED
    assert len(platform.engine.open_orders(ALICE, view.account_id)) == 1
    assert len(platform.events()) == 1


def test_two_workers_on_one_slot_do_it_once(mortal: tuple[Platform, Life]) -> None:
    platform, _ = mortal
    view = platform.deploy(RULE)
    platform.clock.advance(view.next_slot_ms + SETTLE_MS - platform.clock.now_ms())
    platform.show()
    (job,) = platform.work.due_slots()
    first = platform.work
    platform.restart()
    platform.parts.store.free_slots()
    (again,) = platform.work.due_slots()
    assert again.fence == job.fence + 1
    platform.work.work_off(again)
    from pump_party.platform.jobs import LeaseLost

    with pytest.raises(LeaseLost):
        first.work_off(msgspec.structs.replace(job))
    assert len(platform.runs()) == 1
    assert len(platform.engine.open_orders(ALICE, view.account_id)) == 1
