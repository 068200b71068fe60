"""What everybody sees of all clones together, on a real database: accounts for boards, the latest decisions."""

from pathlib import Path

import pytest
import sqlalchemy as sa
from tests.db.platform import ALICE, BOB, Platform
from tests.domains.aitrading.worlds import rule_strategy

from pump_party.db.aitrading_showcase import ShowcaseStore
from pump_party.db.aitrading_tables import runs
from pump_party.db.engine import Database
from pump_party.domains.aitrading import showcase
from pump_party.domains.aitrading.run_views import PublicRunView
from pump_party.domains.aitrading.showcase import ShowcaseService
from pump_party.domains.clones.contract import Always, Clause, Hold, Target
from pump_party.kernel.errors import Invalid
from pump_party.platform.clock import ManualClock

BUY = rule_strategy(Clause(Always(), Target(250_000)))
HOLD = rule_strategy(Clause(Always(), Hold()))


@pytest.fixture
def platform(database: Database, clock: ManualClock, tmp_path: Path) -> Platform:
    return Platform(database, clock, str(tmp_path / "objects"))


@pytest.fixture
def shown(database: Database) -> ShowcaseService:
    return ShowcaseService(ShowcaseStore(database))


def test_accounts_are_those_of_clones_that_trade_or_pause(platform: Platform, shown: ShowcaseService) -> None:
    assert shown.trading_accounts() == ({}, True)
    names = ("runs", "pauses", "stops")
    accounts = {name: platform.deploy(HOLD, name, owner=BOB).account_id for name in names}
    platform.service.pause(BOB, "pauses")
    platform.service.stop(BOB, "stops")
    found, complete = shown.trading_accounts()
    assert dict(found) == {accounts["runs"]: "runs", accounts["pauses"]: "pauses"}
    assert complete


def test_of_too_many_clones_those_deployed_last_are_shown_and_it_is_said(
    platform: Platform, shown: ShowcaseService, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(showcase, "SHOWN_CLONES_MAX", 2)
    for name in ("first", "second", "third"):
        platform.deploy(HOLD, name)
        platform.clock.advance(1)
    found, complete = shown.trading_accounts()
    assert (list(found.values()), complete) == (["third", "second"], False)


def test_the_latest_decisions_of_all_clones_come_newest_first_without_gap_or_repeat(
    platform: Platform, shown: ShowcaseService
) -> None:
    for name, owner in (("one", ALICE), ("two", BOB)):
        platform.deploy(HOLD, name, owner=owner)
    slots = [platform.slot() for _ in range(3)]
    seen, cursor = [], None
    while True:
        page = shown.latest_decisions(cursor=cursor, limit=4)
        seen.extend(page.runs)
        cursor = page.next_cursor
        if cursor is None:
            break
    assert {type(run) for run in seen} == {PublicRunView}
    assert [run.slot_ms for run in seen] == [slot for slot in reversed(slots) for _ in range(2)]
    assert {(run.clone_id, run.slot_ms) for run in seen} == {(name, slot) for name in ("one", "two") for slot in slots}
    for wrong in ({"cursor": "x", "limit": 4}, {"cursor": None, "limit": 0}, {"cursor": None, "limit": 201}):
        with pytest.raises(Invalid):
            shown.latest_decisions(**wrong)  # type: ignore[arg-type]


def test_a_decision_that_is_not_made_yet_is_not_listed(
    platform: Platform, shown: ShowcaseService, database: Database
) -> None:
    platform.deploy(BUY)
    platform.slot()
    assert len(shown.latest_decisions(cursor=None, limit=4).runs) == 1
    with database.write() as connection:
        connection.execute(sa.update(runs).values(finished_ms=None))
    assert shown.latest_decisions(cursor=None, limit=4).runs == ()
