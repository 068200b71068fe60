"""Clones of rules on a real database: slots, gates, orders, events, late and repeated work."""

from pathlib import Path

import msgspec
import pytest
from tests.db.platform import ALICE, BOB, SOL, Platform
from tests.domains.aitrading.worlds import EMA, MIDS_E8, SOL_PERP, rule_strategy

from pump_party.db.engine import Database
from pump_party.domains.aitrading.commands import DeployClone, SubmitProposals
from pump_party.domains.aitrading.model import Direction, Proposal, ProposalAction, VerdictCode
from pump_party.domains.aitrading.run_views import (
    ArtifactKind,
    DeploymentState,
    OwnerRunView,
    PublicDeploymentView,
    PublicRunView,
    RunState,
)
from pump_party.domains.aitrading.slots import SETTLE_MS
from pump_party.domains.clones.contract import Always, Clause, Close, Compare, FeatureOperand, Hold, Op, Target
from pump_party.domains.prop_interface.contract import CLONE_ACCOUNTS_PER_USER_MAX, AccountKind
from pump_party.events.aitrading import DeploymentChanged
from pump_party.kernel.errors import Conflict, IdempotencyMismatch, NotFound
from pump_party.kernel.ids import CloneId, Market, UserId
from pump_party.platform.clock import ManualClock

SHARED_BY = 1_000
BUY_QUARTER = rule_strategy(Clause(Always(), Target(250_000)))
HOLD = rule_strategy(Clause(Always(), Hold()))
TREND = rule_strategy(
    Clause(Compare(FeatureOperand(EMA), Op.BELOW, FeatureOperand(EMA, 1_000_001)), Target(250_000)),
    markets=(SOL, SOL_PERP),
)


@pytest.fixture
def platform(database: Database, clock: ManualClock, tmp_path: Path) -> Platform:
    return Platform(database, clock, str(tmp_path / "objects"))


def only_run(platform: Platform, clone_id: str = "clone-1") -> OwnerRunView:
    (run,) = platform.runs(clone_id)
    return run


def test_a_deployed_clone_trades_an_account_of_its_own_from_the_next_slot(platform: Platform) -> None:
    view = platform.deploy(BUY_QUARTER)
    assert view.state is DeploymentState.RUNNING
    assert view.next_slot_ms == platform.clock.now_ms() // 3_600_000 * 3_600_000 + 3_600_000
    account = platform.engine.account(ALICE, view.account_id)
    assert (account.kind, account.rule_set) == (AccountKind.CLONE, "clone-v1")

    slot_ms = platform.slot()
    run = only_run(platform)
    assert (run.slot_ms, run.state, run.code) == (slot_ms, RunState.EXECUTED, None)
    assert len(run.decisions[0].order_ids) == 1
    assert platform.tick() == 1

    account = platform.engine.account(ALICE, view.account_id)
    held = {p.market: p.value_micros or 0 for p in account.positions}
    assert 0.24 < held[SOL] / (account.equity_micros or 1) < 0.251


def test_a_slot_decides_once_and_the_next_is_scheduled_with_it(platform: Platform) -> None:
    platform.deploy(HOLD)
    for expected in (1, 2, 3):
        platform.slot()
        assert len(platform.runs()) == expected
        assert platform.work.due_slots() == []
    assert [run.state for run in platform.runs()] == [RunState.HELD] * 3


def test_a_late_slot_is_recorded_and_does_nothing(platform: Platform) -> None:
    view = platform.deploy(BUY_QUARTER)
    platform.slot(late_ms=60_001)
    run = only_run(platform)
    assert (run.state, run.decisions, run.context_sha256) == (RunState.LATE, (), None)
    assert platform.engine.orders(ALICE, view.account_id, cursor=None, limit=10).items == ()
    platform.slot()
    assert platform.runs()[-1].state is RunState.EXECUTED


def test_slots_that_were_missed_are_not_made_up_for(platform: Platform) -> None:
    platform.deploy(HOLD)
    platform.clock.advance(10 * 3_600_000)
    for job in platform.work.due_slots():
        platform.work.work_off(job)
    assert [run.state for run in platform.runs()] == [RunState.LATE]
    platform.slot()
    assert [run.state for run in platform.runs()] == [RunState.LATE, RunState.HELD]


def test_a_clone_takes_no_part_in_a_slot_before_it_ran(platform: Platform) -> None:
    platform.deploy(HOLD)
    platform.clock.advance(3 * 3_600_000)
    platform.show()
    platform.deploy(HOLD, "clone-2")
    platform.slot()
    assert [run.state for run in platform.runs()] == [RunState.LATE, RunState.HELD]
    assert [run.state for run in platform.runs("clone-2")] == [RunState.HELD]


def test_every_clone_of_a_slot_sees_the_same_market_and_has_the_same_deadline(platform: Platform) -> None:
    for number in range(5):
        platform.deploy([BUY_QUARTER, HOLD, TREND][number % 3], f"clone-{number}", [ALICE, BOB][number % 2])
    platform.slot()
    runs = [only_run_of(platform, number) for number in range(5)]
    assert len({run.snapshot_sha256 for run in runs}) == 1
    assert len({run.deadline_ms for run in runs}) == 1


def test_a_slot_that_a_thousand_clones_share_is_fair_to_all(
    sqlite_database: Database, clock: ManualClock, tmp_path: Path
) -> None:
    platform = Platform(sqlite_database, clock, str(tmp_path / "objects"))
    owners = [UserId(f"owner-{number // CLONE_ACCOUNTS_PER_USER_MAX}") for number in range(SHARED_BY)]
    for number, owner in enumerate(owners):
        platform.deploy([BUY_QUARTER, HOLD, TREND][number % 3], f"clone-{number}", owner)
    platform.slot()
    runs = [run for number, owner in enumerate(owners) for run in platform.runs(f"clone-{number}", owner)]
    assert len(runs) == SHARED_BY
    assert len({(run.snapshot_sha256, run.slot_ms, run.deadline_ms) for run in runs}) == 1


def only_run_of(platform: Platform, number: int) -> OwnerRunView:
    (run,) = platform.runs(f"clone-{number}", [ALICE, BOB][number % 2])
    return run


def test_figures_of_a_context_are_the_accounts_at_its_sequence_number(platform: Platform) -> None:
    view = platform.deploy(BUY_QUARTER)
    for _ in range(3):
        platform.slot()
        platform.tick({SOL: MIDS_E8[SOL] * 101 // 100})
    before = platform.engine.account(ALICE, view.account_id)
    platform.slot()
    run = platform.runs()[-1]
    body = platform.service.artifact(ALICE, run.run_id, ArtifactKind.CONTEXT).body
    seen = platform.parts.decider.seen_in(body).account
    assert (seen.seq, seen.cash_micros, seen.equity_micros) == (before.seq, before.cash_micros, before.equity_micros)
    told = [(p.market, p.quantity_nanos, p.unrealised_pnl_micros) for p in seen.positions]
    assert told == [(p.market, p.quantity_nanos, p.unrealised_pnl_micros) for p in before.positions]


def test_a_refused_proposal_is_a_rejected_run_with_its_code(platform: Platform) -> None:
    platform.deploy(rule_strategy(Clause(Always(), Target(250_000)), max_position_ppm=100_000))
    platform.slot()
    run = only_run(platform)
    assert (run.state, run.code) == (RunState.REJECTED, VerdictCode.SIZE_ABOVE_LIMIT.value)


def test_a_market_without_price_fails_the_run(platform: Platform) -> None:
    platform.deploy(BUY_QUARTER)
    del platform.memory.mids_e8[SOL]
    platform.slot()
    assert (only_run(platform).state, only_run(platform).code) == (RunState.FAILED, "market_halted")


def test_a_memory_that_knows_more_than_any_tick_said_decides_nothing(platform: Platform) -> None:
    platform.deploy(BUY_QUARTER)
    platform.memory.ahead_ms = 5_000
    platform.slot()
    run = only_run(platform)
    assert (run.state, run.code, run.decisions) == (RunState.FAILED, "look_ahead", ())


def test_one_clone_that_cannot_decide_does_not_stop_the_others(platform: Platform) -> None:
    platform.deploy(BUY_QUARTER, "clone-1")
    platform.deploy(BUY_QUARTER, "clone-2")
    platform.restart()
    platform.clones.versions["clone-1"] = []
    platform.clones.strategy_of = lambda version_id: _gone(platform, version_id)  # type: ignore[method-assign]
    platform.slot()
    assert (only_run(platform).state, only_run(platform).code) == (RunState.FAILED, "version_not_found")
    assert only_run(platform, "clone-2").state is RunState.EXECUTED


def _gone(platform: Platform, version_id: str):  # type: ignore[no-untyped-def]
    if version_id.startswith("clone-1"):
        raise NotFound("gone", code="version_not_found")
    return platform.clones.versions["clone-2"][0]


def test_listeners_are_told_in_both_forms_and_no_reason(platform: Platform) -> None:
    view = platform.deploy(BUY_QUARTER)
    outside = Proposal(SOL, ProposalAction.OPEN, Direction.LONG, 100_000, reason="canary-4711")
    platform.service.submit_actions(SubmitProposals(ALICE, CloneId("clone-1"), "k1", (outside,)))
    platform.tick()
    platform.slot()
    events = platform.events()
    assert [(m.seq, m.kind) for m in platform.messages()] == [
        (1, "deployment_changed"),
        (2, "decision_finished"),
        (3, "decision_finished"),
    ]
    assert b"canary-4711" not in bytes(events[0].owner) + bytes(events[0].public)
    owner = msgspec.json.decode(events[0].owner, type=OwnerRunView)
    assert owner.context_sha256 is not None
    assert owner.decisions[0].proposal == msgspec.structs.replace(outside, reason="")
    assert view.account_id.encode() not in bytes(events[0].public)
    public = msgspec.json.decode(events[1].public, type=PublicRunView)
    assert public == platform.service.decision(public.run_id, viewer=BOB)
    assert public.decisions[0].line == "Open long SOL-USDC: 25.00 % of equity, 1x"


def test_every_change_of_a_deployment_is_told_once(platform: Platform) -> None:
    platform.deploy(BUY_QUARTER)
    service = platform.service
    service.pause(ALICE, "clone-1")
    with pytest.raises(Conflict):
        service.pause(ALICE, "clone-1")
    service.resume(ALICE, "clone-1")
    for _ in range(2):
        service.stop(ALICE, "clone-1")
    told = [msgspec.json.decode(m.payload, type=DeploymentChanged) for m in platform.messages()]
    assert [event.state for event in told] == ["running", "paused", "running", "stopped"]
    assert [m.seq for m in platform.messages()] == [1, 2, 3, 4]


def test_others_see_the_public_form_and_never_an_artifact(platform: Platform) -> None:
    platform.deploy(BUY_QUARTER)
    platform.slot()
    run = only_run(platform)
    for viewer in (BOB, None):
        assert isinstance(platform.service.decision(run.run_id, viewer=viewer), PublicRunView)
        page = platform.service.decisions("clone-1", viewer=viewer, cursor=None, limit=10)
        assert all(isinstance(r, PublicRunView) for r in page.runs)
        assert isinstance(platform.service.deployment("clone-1", viewer=viewer), PublicDeploymentView)
    with pytest.raises(NotFound):
        platform.service.artifact(BOB, run.run_id, ArtifactKind.CONTEXT)
    with pytest.raises(NotFound):
        platform.service.usage(BOB, "clone-1")


def test_decisions_are_paged_newest_first(platform: Platform) -> None:
    platform.deploy(HOLD)
    slots = [platform.slot() for _ in range(5)]
    found, cursor = [], None
    while True:
        page = platform.service.decisions("clone-1", viewer=ALICE, cursor=cursor, limit=2)
        found += [run.slot_ms for run in page.runs]
        cursor = page.next_cursor
        if cursor is None:
            break
    assert found == slots[::-1]


def test_pause_resume_and_stop_say_when_a_clone_decides(platform: Platform) -> None:
    view = platform.deploy(BUY_QUARTER)
    assert platform.service.pause(ALICE, "clone-1").next_slot_ms is None
    platform.slot()
    assert platform.runs() == []
    with pytest.raises(Conflict):
        platform.service.pause(ALICE, "clone-1")

    platform.clones.publish(ALICE, HOLD, "clone-1")
    assert platform.service.resume(ALICE, "clone-1").version == 2
    platform.slot()
    assert [run.state for run in platform.runs()] == [RunState.HELD]

    platform.service.stop(ALICE, "clone-1")
    assert platform.service.stop(ALICE, "clone-1").state is DeploymentState.STOPPED
    platform.slot()
    assert len(platform.runs()) == 1
    again = platform.service.deploy(DeployClone(ALICE, CloneId("clone-1"), "deploy-2"))
    assert again.account_id != view.account_id


def test_deploying_is_done_once(platform: Platform) -> None:
    first = platform.deploy(BUY_QUARTER)
    assert platform.service.deploy(DeployClone(ALICE, CloneId("clone-1"), "deploy-1")) == first
    with pytest.raises(Conflict) as refused:
        platform.service.deploy(DeployClone(ALICE, CloneId("clone-1"), "deploy-2"))
    assert refused.value.code == "already_deployed"
    with pytest.raises(NotFound):
        platform.service.deploy(DeployClone(BOB, CloneId("clone-1"), "deploy-1"))
    assert len(platform.engine.accounts(ALICE)) == 1


def test_an_outside_brain_meets_the_same_gates_and_is_done_once(platform: Platform) -> None:
    view = platform.deploy(HOLD)
    open_half = Proposal(SOL, ProposalAction.OPEN, Direction.LONG, 500_000)
    command = SubmitProposals(ALICE, CloneId("clone-1"), "k1", (open_half,))
    first = platform.service.submit_actions(command)
    assert (first.run.state, len(first.orders)) == (RunState.EXECUTED, 1)
    assert platform.service.submit_actions(command).run == first.run
    assert len(platform.engine.open_orders(ALICE, view.account_id)) == 1
    with pytest.raises(IdempotencyMismatch):
        platform.service.submit_actions(
            msgspec.structs.replace(command, proposals=(Proposal(SOL, ProposalAction.HOLD),))
        )

    platform.tick()
    short = Proposal(SOL, ProposalAction.OPEN, Direction.SHORT, 500_000)
    refused = platform.service.submit_actions(SubmitProposals(ALICE, CloneId("clone-1"), "k2", (short,)))
    assert (refused.run.state, refused.run.code) == (RunState.REJECTED, "short_not_allowed")
    foreign = Proposal(Market("BTC-USDC"), ProposalAction.OPEN, Direction.LONG, 500_000)
    refused = platform.service.submit_actions(SubmitProposals(ALICE, CloneId("clone-1"), "k3", (foreign,)))
    assert refused.run.code == "market_not_allowed"
    with pytest.raises(NotFound):
        platform.service.submit_actions(msgspec.structs.replace(command, user_id=BOB))


def test_own_decisions_are_remembered_newest_first(platform: Platform) -> None:
    platform.deploy(TREND)
    slots = [platform.slot() for _ in range(2)]
    platform.slot()
    body = platform.service.artifact(ALICE, platform.runs()[-1].run_id, ArtifactKind.CONTEXT).body
    past = platform.parts.decider.seen_in(body).past
    assert [one.slot_ms for one in past] == [slots[1]] * 2 + [slots[0]] * 2


def test_a_close_by_rule_sells_what_was_bought(platform: Platform) -> None:
    view = platform.deploy(BUY_QUARTER)
    platform.slot()
    platform.tick()
    platform.service.pause(ALICE, "clone-1")
    platform.clones.publish(ALICE, rule_strategy(Clause(Always(), Close())), "clone-1")
    platform.service.resume(ALICE, "clone-1")
    platform.slot()
    platform.tick()
    account = platform.engine.account(ALICE, view.account_id)
    assert sum(p.quantity_nanos for p in account.positions) == 0
    assert account.residual_micros == 0


def test_a_slot_waits_until_the_candle_that_ended_with_it_is_stored(platform: Platform) -> None:
    view = platform.deploy(HOLD)
    assert view.next_slot_ms is not None
    platform.clock.advance(view.next_slot_ms + SETTLE_MS - 1 - platform.clock.now_ms())
    assert platform.work.due_slots() == []
    platform.clock.advance(1)
    assert len(platform.work.due_slots()) == 1
