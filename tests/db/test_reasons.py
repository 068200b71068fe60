"""Reasons of decisions: their owner's alone, and sealed where they are stored. SQLite and Postgres."""

from pathlib import Path

import msgspec
import pytest
import sqlalchemy as sa
from tests.db.platform import ALICE, BOB, SOL, Platform
from tests.domains.aitrading.answers import answer, opening
from tests.domains.aitrading.worlds import prompt_strategy, rule_strategy

from pump_party.db.aitrading_tables import runs
from pump_party.db.engine import Database
from pump_party.domains.aitrading.commands import Replay, SubmitProposals
from pump_party.domains.aitrading.model import Direction, Proposal, ProposalAction
from pump_party.domains.aitrading.run_views import OwnerRunView, PublicRunView, RunState
from pump_party.domains.clones.contract import Always, Clause, Hold, RuleNode
from pump_party.domains.clones.sealing import SealBroken
from pump_party.kernel.errors import IdempotencyMismatch
from pump_party.kernel.ids import CloneId
from pump_party.platform.clock import ManualClock

REASON = "canary-reason"
OPENING = Proposal(SOL, ProposalAction.OPEN, Direction.LONG, 100_000, reason=REASON)


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
        (row,) = connection.execute(sa.select(runs.c.body, runs.c.reasons))
    assert (reason in row.body, reason.encode() in row.reasons) == (False, False)


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
        sealed = connection.execute(sa.select(runs.c.reasons).where(runs.c.run_id == run.run_id)).scalar_one()
    change(database, later.run_id, reasons=sealed)
    with pytest.raises(SealBroken):
        platform.service.decision(later.run_id, viewer=ALICE)
    assert platform.service.decision(later.run_id, viewer=BOB)


def test_a_run_of_an_earlier_release_is_read_and_taken_up_with_the_reason_in_its_body(
    platform: Platform, database: Database
) -> None:
    run = decided(platform)
    with database.read() as connection:
        body = connection.execute(sa.select(runs.c.body).where(runs.c.run_id == run.run_id)).scalar_one()
    assert '"reason":""' in body
    change(database, run.run_id, body=body.replace('"reason":""', f'"reason":"{REASON}"'), reasons=None)
    read = platform.service.decision(run.run_id, viewer=ALICE)
    assert isinstance(read, OwnerRunView)
    assert read.decisions == run.decisions
    change(database, run.run_id, state=RunState.PROPOSED.value, finished_ms=None)
    assert platform.work.take_over() == 1
    assert platform.service.decision(run.run_id, viewer=ALICE) == run
    assert REASON not in all_that_is_stored(database)
