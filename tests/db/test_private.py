"""What is private of decisions: their owner's alone, and sealed where it is stored. SQLite and Postgres."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import msgspec
import pytest
import sqlalchemy as sa
from tests.db.platform import ALICE, BOB, E8, SOL, FixedClones, Platform
from tests.domains.aitrading.answers import answer, opening
from tests.domains.aitrading.worlds import BTC, EMA, RSI, prompt_strategy, rule_strategy

from pump_party.db.aitrading_tables import deployments, runs
from pump_party.db.engine import Database
from pump_party.domains.aitrading.commands import Replay, SubmitProposals
from pump_party.domains.aitrading.model import Direction, Invalidation, OpenInvalidation, Proposal, ProposalAction
from pump_party.domains.aitrading.run_views import OwnerRunView, PublicRunView, RunState
from pump_party.domains.clones.contract import Always, Clause, Hold, Op, RuleNode, Target
from pump_party.kernel.errors import IdempotencyMismatch
from pump_party.kernel.ids import CloneId, Market
from pump_party.platform.clock import ManualClock

REASON = "canary-reason"
OPENING = Proposal(SOL, ProposalAction.OPEN, Direction.LONG, 100_000, reason=REASON)
HOT = Invalidation(RSI, Op.ABOVE, 73_194_265)
CHEAP = Invalidation(None, Op.BELOW, 9_173_194_265)
CROSSED = Invalidation(None, Op.BELOW, than=EMA)
CONDITIONS = ("73194265", "9173194265", '"rsi"', '"ema"', "rsi(", "ema(")
"""How the numbers and features of these could lie somewhere."""

HOLD = rule_strategy(Clause(Always(), Hold()), markets=(SOL, BTC))


@pytest.fixture
def platform(database: Database, clock: ManualClock, tmp_path: Path) -> Platform:
    return Platform(database, clock, str(tmp_path / "objects"))


def decided(platform: Platform) -> OwnerRunView:
    """By a model that says why."""
    platform.model.reply = lambda _: answer(opening(reason=REASON))
    platform.deploy(prompt_strategy("Buy."))
    platform.slot()
    (run,) = platform.runs()
    return run


def all_that_is_stored(database: Database) -> str:
    """Every value of every table."""
    metadata = sa.MetaData()
    with database.read() as connection:
        metadata.reflect(connection)
        rows = [row for table in metadata.tables.values() for row in connection.execute(sa.select(table))]
    return "\n".join(repr(tuple(row)) for row in rows)


def change(database: Database, run_id: str, **values: object) -> None:
    with database.write() as connection:
        connection.execute(sa.update(runs).where(runs.c.run_id == run_id).values(values))


def test_no_table_has_a_reason_in_the_clear_and_the_owner_reads_it(platform: Platform, database: Database) -> None:
    run = decided(platform)
    platform.service.submit_actions(SubmitProposals(ALICE, CloneId("clone-1"), "outside", (OPENING,)))
    stored = all_that_is_stored(database)
    assert run.run_id in stored
    assert REASON not in stored
    assert [one.decisions[0].proposal.reason for one in platform.runs()] == [REASON, REASON]
    public = platform.service.decisions("clone-1", viewer=BOB, cursor=None, limit=9).runs
    assert {type(one) for one in public} == {PublicRunView}
    again = platform.service.decision(run.run_id, viewer=ALICE)
    assert isinstance(again, OwnerRunView)
    assert again.decisions == run.decisions
    rule = RuleNode("rule", (Clause(Always(), Hold()),))
    assert platform.service.replay(Replay(ALICE, run.run_id, rule=rule)).recorded[0].reason == REASON


def test_the_reason_of_a_rule_is_sealed_too(platform: Platform, database: Database) -> None:
    platform.deploy(rule_strategy(Clause(Always(), Hold())))
    platform.slot()
    (run,) = platform.runs()
    reason = run.decisions[0].proposal.reason
    assert reason
    with database.read() as connection:
        (row,) = connection.execute(sa.select(runs.c.body, runs.c.sealed))
    assert (reason in row.body, reason.encode() in row.sealed) == (False, False)


def test_a_request_that_is_repeated_is_the_same_only_with_the_same_reason(platform: Platform) -> None:
    platform.deploy(rule_strategy(Clause(Always(), Hold())))
    command = SubmitProposals(ALICE, CloneId("clone-1"), "outside", (OPENING,))
    first = platform.service.submit_actions(command)
    assert first.run.decisions[0].proposal == OPENING
    assert platform.service.submit_actions(command) == first
    other = msgspec.structs.replace(OPENING, reason="another")
    with pytest.raises(IdempotencyMismatch):
        platform.service.submit_actions(msgspec.structs.replace(command, proposals=(other,)))


def test_reasons_of_another_run_or_clone_cannot_be_put_in_their_place(platform: Platform, database: Database) -> None:
    run = decided(platform)
    platform.slot()
    later = platform.runs()[-1]
    with database.read() as connection:
        sealed = connection.execute(sa.select(runs.c.sealed).where(runs.c.run_id == run.run_id)).scalar_one()
    change(database, later.run_id, sealed=sealed)
    read = platform.service.decision(later.run_id, viewer=ALICE)
    assert isinstance(read, OwnerRunView)
    assert (read.unreadable, [one.proposal.reason for one in read.decisions]) == (True, [""])
    assert platform.service.decision(later.run_id, viewer=BOB)


def as_an_earlier_release(platform: Platform, run: OwnerRunView, *, has_box: bool) -> None:
    """Put the run and its deployment back into the form of releases that sealed reasons or nothing."""
    proposals = [one.proposal for one in run.decisions]
    conditions = [OpenInvalidation(one.market, one.invalidation) for one in proposals if one.invalidation]
    box = None
    if has_box:
        reasons = msgspec.json.encode([one.reason for one in proposals])
        (box,) = platform.clones.seal_artifacts([(run.clone_id, f"reasons/{run.run_id}", reasons)])
        proposals = [msgspec.structs.replace(one, reason="") for one in proposals]
    with platform.database.write() as connection:
        row = connection.execute(sa.select(runs.c.body).where(runs.c.run_id == run.run_id)).scalar_one()
        body = msgspec.json.decode(row) | {"proposals": proposals}
        del body["guarded"]
        connection.execute(sa.update(deployments).values(conditions=msgspec.json.encode(conditions).decode()))
    change(platform.database, run.run_id, body=msgspec.json.encode(body).decode(), sealed=box)


@pytest.mark.parametrize("has_box", [False, True])
def test_a_run_of_an_earlier_release_is_read_and_taken_up_with_the_reason_in_its_body(
    platform: Platform, database: Database, has_box: bool
) -> None:
    run = decided(platform)
    as_an_earlier_release(platform, run, has_box=has_box)
    read = platform.service.decision(run.run_id, viewer=ALICE)
    assert isinstance(read, OwnerRunView)
    assert read.decisions == run.decisions
    change(database, run.run_id, state=RunState.PROPOSED.value, finished_ms=None)
    assert platform.work.take_over() == 1
    assert platform.service.decision(run.run_id, viewer=ALICE) == run
    assert REASON not in all_that_is_stored(database)


def act(platform: Platform, key: str, *proposals: Proposal) -> OwnerRunView:
    command = SubmitProposals(ALICE, CloneId("clone-1"), key, proposals)
    run = platform.service.submit_actions(command).run
    platform.tick()
    return run


def opened_with(condition: Invalidation, market: Any = SOL) -> Proposal:
    return msgspec.structs.replace(OPENING, market=market, invalidation=condition)


def held(platform: Platform) -> int:
    return sum(one.quantity_nanos > 0 for account in platform.engine.accounts(ALICE) for one in account.positions)


@pytest.mark.parametrize("condition", [HOT, CHEAP, CROSSED])
def test_no_table_has_a_condition_in_the_clear_and_the_machine_holds_it(
    platform: Platform, database: Database, condition: Invalidation
) -> None:
    platform.deploy(HOLD)
    platform.memory.values[SOL] = {"rsi": (60_000_000, 60_000_000), "ema": (130 * E8, 130 * E8)}
    run = act(platform, "open", opened_with(condition), opened_with(HOT, BTC))
    assert [one.proposal.invalidation for one in run.decisions] == [condition, HOT]
    assert platform.work.reload_conditions() == 2
    assert [found for found in CONDITIONS if found in all_that_is_stored(database)] == []
    platform.tick()
    assert (held(platform), len(platform.runs())) == (2, 1)
    platform.memory.values[SOL]["rsi"] = (74_000_000, 60_000_000)
    platform.tick({SOL: 91 * E8}, after_ms=61_000)
    platform.tick()
    assert (held(platform), platform.work.reload_conditions()) == (1, 1)
    assert platform.runs()[-1].decisions[0].proposal.reason.startswith("invalidated: ")
    assert [found for found in CONDITIONS if found in all_that_is_stored(database)] == []


def test_a_slot_sees_the_condition_that_an_earlier_one_brought(platform: Platform, database: Database) -> None:
    told = {"feature": "rsi(1h,14)", "op": "above", "value": "73.194265", "than": None}
    platform.model.reply = lambda _: answer(opening(reason=REASON, share="0.1", invalidation=told))
    platform.deploy(prompt_strategy("Buy."))
    for _ in range(2):
        platform.slot()
        platform.tick()
    assert ("73.194265" in platform.model.asked[0], "73.194265" in platform.model.asked[1]) == (False, True)
    assert [run.decisions[0].proposal.invalidation for run in platform.runs()] == [HOT, HOT]
    assert [found for found in CONDITIONS if found in all_that_is_stored(database)] == []


def test_exits_and_limits_that_led_to_nothing_are_sealed_and_read_by_the_owner(
    platform: Platform, database: Database
) -> None:
    platform.deploy(rule_strategy(Clause(Always(), Hold()), max_position_ppm=313_379))
    exits = {"stop_price_e8": 7_731_942_651, "target_price_e8": 27_731_942_651, "confidence_ppm": 731_943}
    wants = msgspec.structs.replace(OPENING, share_ppm=400_000, **exits)
    run = act(platform, "open", wants)
    assert (run.code, run.detail) == ("size_above_limit", "at most 313379 ppm of equity")
    assert run.decisions[0].verdict.detail == run.detail
    assert run.decisions[0].proposal == wants
    stored = all_that_is_stored(database)
    assert "size_above_limit" in stored
    assert [number for number in ("313379", *map(str, exits.values())) if number in stored] == []


def test_a_run_is_sealed_once_and_a_box_is_opened_when_it_is_new(
    platform: Platform, monkeypatch: pytest.MonkeyPatch
) -> None:
    counted: list[str] = []

    def count(name: str) -> None:
        method = getattr(FixedClones, name)

        def counting(clones: FixedClones, artifacts: Sequence[tuple[CloneId, str, bytes]]) -> list[bytes]:
            counted.extend(name for _, bound_to, _ in artifacts if "/" in bound_to)
            done: list[bytes] = method(clones, artifacts)
            return done

        monkeypatch.setattr(FixedClones, name, counting)

    told = {"feature": "price", "op": "below", "value": "91.73194265", "than": None}
    platform.model.reply = lambda _: answer(opening(reason=REASON, share="0.1", invalidation=told))
    count("seal_artifacts")
    count("open_artifacts")
    platform.deploy(prompt_strategy("Buy."))
    platform.slot()
    assert counted == ["seal_artifacts"]
    for _ in range(3):
        assert platform.work.reload_conditions() == 1
    platform.tick()
    assert counted == ["seal_artifacts", "open_artifacts"]
    platform.deploy(rule_strategy(Clause(Always(), Target(200_000))), "clone-2")
    platform.service.pause(ALICE, "clone-1")
    counted.clear()
    platform.slot()
    assert counted == ["seal_artifacts"]


def test_a_box_that_brought_several_conditions_is_kept_once(platform: Platform, database: Database) -> None:
    platform.deploy(HOLD)
    run = act(platform, "open", opened_with(CHEAP), opened_with(HOT, BTC))
    with database.read() as connection:
        kept = msgspec.json.decode(connection.execute(sa.select(deployments.c.conditions)).scalar_one())
    assert [one["box_name"] for one in kept] == [f"reasons/{run.run_id}"] * 2
    assert sum("box" in one for one in kept) == 1
    act(platform, "close", Proposal(Market(kept[0]["market"]), ProposalAction.CLOSE))
    assert platform.work.reload_conditions() == 1
    platform.memory.values[SOL] = platform.memory.values[BTC] = {"rsi": (74_000_000, 60_000_000)}
    platform.tick({SOL: 91 * E8}, after_ms=61_000)
    platform.tick()
    assert (held(platform), platform.work.reload_conditions()) == (0, 0)


def test_a_condition_of_another_clone_cannot_be_put_in_its_place(platform: Platform, database: Database) -> None:
    platform.deploy(HOLD)
    platform.deploy(HOLD, "clone-2")
    act(platform, "open", opened_with(CHEAP))
    assert platform.work.reload_conditions() == 1
    with database.write() as connection:
        moved = sa.select(deployments.c.conditions).where(deployments.c.clone_id == "clone-1").scalar_subquery()
        connection.execute(sa.update(deployments).values(conditions=moved).where(deployments.c.clone_id == "clone-2"))
    assert platform.work.reload_conditions() == 1
    platform.restart()
    assert platform.work.reload_conditions() == 1


def test_a_condition_of_an_earlier_release_holds_and_is_sealed_by_the_worker_that_takes_over(
    platform: Platform, database: Database
) -> None:
    platform.deploy(HOLD)
    run = act(platform, "open", opened_with(CHEAP), opened_with(HOT, BTC))
    as_an_earlier_release(platform, run, has_box=False)
    assert "9173194265" in all_that_is_stored(database)
    assert platform.runs() == [run]
    assert platform.work.reload_conditions() == 2
    platform.work.take_over()
    with database.read() as connection:
        kept = connection.execute(sa.select(deployments.c.conditions)).scalar_one()
    assert [found for found in CONDITIONS if found in kept] == []
    platform.tick({SOL: 91 * E8})
    platform.tick()
    assert (held(platform), platform.work.reload_conditions()) == (1, 1)


@pytest.mark.parametrize("has_box", [False, True])
def test_a_run_of_an_earlier_release_that_is_taken_up_brings_its_condition_sealed(
    platform: Platform, database: Database, has_box: bool
) -> None:
    platform.deploy(HOLD)
    run = act(platform, "open", opened_with(CHEAP))
    as_an_earlier_release(platform, run, has_box=has_box)
    with database.write() as connection:
        connection.execute(sa.update(deployments).values(conditions="[]"))
    change(database, run.run_id, state=RunState.PROPOSED.value, finished_ms=None)
    platform.restart()
    assert platform.work.take_over() == 1
    assert [found for found in CONDITIONS if found in all_that_is_stored(database)] == []
    again = platform.service.decision(run.run_id, viewer=ALICE)
    assert isinstance(again, OwnerRunView)
    assert again.decisions == run.decisions
    platform.tick({SOL: 91 * E8})
    platform.tick()
    assert held(platform) == 0
