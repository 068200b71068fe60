"""Conditions on positions, held against every tick by the machine."""

from pathlib import Path

import pytest
from tests.db.platform import ALICE, Platform
from tests.domains.aitrading.worlds import E8, MIDS_E8, RSI, SOL, rule_strategy

from pump_party.db.engine import Database
from pump_party.domains.aitrading.commands import SubmitProposals
from pump_party.domains.aitrading.model import Direction, Invalidation, Proposal, ProposalAction
from pump_party.domains.aitrading.run_views import RunState
from pump_party.domains.clones.contract import Always, Clause, Hold, Op
from pump_party.kernel.ids import CloneId
from pump_party.platform.clock import ManualClock

HOLD = rule_strategy(Clause(Always(), Hold()))
BELOW_130 = Invalidation(None, Op.BELOW, 130 * E8)
HOT = Invalidation(RSI, Op.ABOVE, 70_000_000)


@pytest.fixture
def platform(database: Database, clock: ManualClock, tmp_path: Path) -> Platform:
    return Platform(database, clock, str(tmp_path / "objects"))


def buy(platform: Platform, condition: Invalidation, key: str = "k1") -> None:
    want = Proposal(SOL, ProposalAction.OPEN, Direction.LONG, 250_000, invalidation=condition)
    platform.service.submit_actions(SubmitProposals(ALICE, CloneId("clone-1"), key, (want,)))
    platform.tick()
    platform.work.reload_conditions()


def held_nanos(platform: Platform) -> int:
    accounts = platform.engine.accounts(ALICE)
    return sum(p.quantity_nanos for account in accounts for p in account.positions)


def test_a_price_condition_closes_the_position_at_the_tick_that_makes_it_true(platform: Platform) -> None:
    platform.deploy(HOLD)
    buy(platform, BELOW_130)
    platform.tick({SOL: 131 * E8})
    assert (held_nanos(platform) > 0, len(platform.runs())) == (True, 1)

    platform.tick({SOL: 129 * E8})
    closing = platform.runs()[-1]
    assert closing.state is RunState.EXECUTED
    assert closing.decisions[0].proposal.action is ProposalAction.CLOSE
    platform.tick()
    assert held_nanos(platform) == 0
    assert len(platform.events()) == 2


def test_a_condition_closes_once_and_is_gone(platform: Platform) -> None:
    platform.deploy(HOLD)
    buy(platform, BELOW_130)
    for _ in range(4):
        platform.tick({SOL: 120 * E8})
    assert len(platform.runs()) == 2
    assert platform.work.reload_conditions() == 0


def test_a_feature_condition_is_looked_at_once_a_minute(platform: Platform) -> None:
    platform.deploy(HOLD)
    buy(platform, HOT)
    platform.tick()
    platform.memory.values[SOL] = {"rsi": (71_000_000, 60_000_000)}
    platform.tick(after_ms=61_000)
    platform.tick()
    assert held_nanos(platform) == 0


def test_a_condition_of_a_position_that_is_gone_does_nothing(platform: Platform) -> None:
    platform.deploy(HOLD)
    buy(platform, BELOW_130)
    close = Proposal(SOL, ProposalAction.CLOSE)
    platform.service.submit_actions(SubmitProposals(ALICE, CloneId("clone-1"), "k2", (close,)))
    platform.tick()
    assert platform.work.reload_conditions() == 0
    platform.tick({SOL: 120 * E8})
    assert len(platform.runs()) == 2


def test_a_new_open_replaces_the_condition(platform: Platform) -> None:
    platform.deploy(HOLD)
    buy(platform, BELOW_130)
    more = Proposal(
        SOL, ProposalAction.OPEN, Direction.LONG, 400_000, invalidation=Invalidation(None, Op.BELOW, 90 * E8)
    )
    platform.service.submit_actions(SubmitProposals(ALICE, CloneId("clone-1"), "k2", (more,)))
    platform.tick()
    platform.work.reload_conditions()
    platform.tick({SOL: 120 * E8})
    assert held_nanos(platform) > 0


def test_a_paused_clone_is_still_guarded_and_a_stopped_one_is_not(platform: Platform) -> None:
    platform.deploy(HOLD)
    buy(platform, BELOW_130)
    platform.service.pause(ALICE, "clone-1")
    platform.work.reload_conditions()
    platform.tick({SOL: 120 * E8})
    platform.tick()
    assert held_nanos(platform) == 0
    platform.service.resume(ALICE, "clone-1")
    platform.show({SOL: MIDS_E8[SOL]})
    buy(platform, BELOW_130, "k2")
    platform.service.stop(ALICE, "clone-1")
    platform.work.reload_conditions()
    platform.tick({SOL: 120 * E8})
    assert held_nanos(platform) > 0


def test_the_next_worker_takes_over_the_conditions(platform: Platform) -> None:
    platform.deploy(HOLD)
    buy(platform, BELOW_130)
    platform.restart()
    platform.work.take_over()
    platform.tick({SOL: 120 * E8})
    platform.tick()
    assert held_nanos(platform) == 0
