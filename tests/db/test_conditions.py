"""Conditions on positions, held against every tick by the machine."""

from pathlib import Path

import pytest
from tests.db.platform import ALICE, Platform
from tests.domains.aitrading.worlds import BTC, E8, EMA, MIDS_E8, RSI, SOL, rule_strategy

from pump_party.db.engine import Database
from pump_party.domains.aitrading.commands import SubmitProposals
from pump_party.domains.aitrading.model import Direction, Invalidation, Proposal, ProposalAction
from pump_party.domains.aitrading.run_views import RunState
from pump_party.domains.aitrading.watch import AGAIN_MS
from pump_party.domains.clones.contract import Always, Clause, Hold, Op
from pump_party.domains.prop_engine.fleet import PropFleet
from pump_party.domains.prop_interface.contract import AccountStatus, SetAccountStatus
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


def test_a_feature_condition_is_held_against_the_features_of_every_minute(platform: Platform) -> None:
    platform.deploy(HOLD)
    buy(platform, HOT)
    platform.tick()
    platform.memory.values[SOL] = {"rsi": (71_000_000, 60_000_000)}
    platform.tick(after_ms=61_000)
    platform.tick()
    assert held_nanos(platform) == 0


def test_a_price_that_crosses_a_feature_closes_the_position_at_that_tick(platform: Platform) -> None:
    platform.deploy(HOLD)
    platform.memory.values[SOL] = {"ema": (130 * E8, 130 * E8)}
    buy(platform, Invalidation(None, Op.BELOW, None, EMA))
    for after_ms in (60_000, 2_000):
        platform.tick({SOL: 131 * E8}, after_ms=after_ms)
    assert len(platform.runs()) == 1
    platform.tick({SOL: 129 * E8})
    assert len(platform.runs()) == 2
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


def test_an_account_that_may_not_trade_is_looked_at_once_and_left_alone_until_it_may(
    platform: Platform, monkeypatch: pytest.MonkeyPatch
) -> None:
    view = platform.deploy(HOLD)
    buy(platform, BELOW_130)

    def become(status: AccountStatus) -> None:
        platform.engine.set_account_status(SetAccountStatus(None, view.account_id, status, status.value, "looked into"))

    become(AccountStatus.PAUSED)
    looked: list[object] = []
    situations = PropFleet.situations
    monkeypatch.setattr(PropFleet, "situations", lambda fleet, ids: (looked.append(ids), situations(fleet, ids))[1])
    for _ in range(3):
        platform.tick({SOL: 120 * E8})
    assert (len(platform.runs()), len(looked)) == (1, 1)
    platform.work.reload_conditions()
    platform.tick({SOL: 120 * E8})
    assert (len(platform.runs()), len(looked)) == (1, 2)
    become(AccountStatus.ACTIVE)
    platform.work.reload_conditions()
    platform.tick({SOL: 120 * E8})
    platform.tick({SOL: 120 * E8})
    assert (len(platform.runs()), held_nanos(platform)) == (2, 0)


def test_a_close_that_the_gates_refuse_is_not_tried_again_at_every_tick(platform: Platform) -> None:
    platform.deploy(HOLD)
    buy(platform, BELOW_130)
    platform.service.pause(ALICE, "clone-1")
    platform.clones.publish(ALICE, rule_strategy(Clause(Always(), Hold()), markets=(BTC,)), CloneId("clone-1"))
    platform.service.resume(ALICE, "clone-1")
    for _ in range(4):
        platform.tick({SOL: 120 * E8})
    assert [run.code for run in platform.runs()[1:]] == ["market_not_allowed"]
    platform.tick({SOL: 120 * E8}, after_ms=AGAIN_MS)
    assert len(platform.runs()) == 3


def test_the_next_worker_takes_over_the_conditions(platform: Platform) -> None:
    platform.deploy(HOLD)
    buy(platform, BELOW_130)
    platform.restart()
    platform.work.take_over()
    platform.tick({SOL: 120 * E8})
    platform.tick()
    assert held_nanos(platform) == 0
