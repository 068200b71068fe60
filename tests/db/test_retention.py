"""What of decisions is kept and what goes: rows, artifacts, calls. What contests may need stays."""

from pathlib import Path

import pytest
import sqlalchemy as sa
from tests.db.platform import ALICE, Platform
from tests.domains.aitrading.answers import answer, opening
from tests.domains.aitrading.worlds import prompt_strategy

from pump_party.db.engine import Database
from pump_party.domains.aitrading.commands import DeployClone, DryRun
from pump_party.domains.aitrading.retention import FOR_EVER, KeptDays
from pump_party.domains.aitrading.run_views import ArtifactKind, OwnerRunView
from pump_party.domains.aitrading.slots import DAY_MS
from pump_party.kernel.errors import NotFound
from pump_party.kernel.ids import CloneId, Market
from pump_party.platform.clock import ManualClock

HOUSE, CONTEST = CloneId("house"), CloneId("contest")


@pytest.fixture
def platform(database: Database, clock: ManualClock, tmp_path: Path) -> Platform:
    """Two clones that ask a model, one of them on an account that a contest may admit."""
    platform = Platform(database, clock, str(tmp_path / "objects"))
    platform.model.reply = lambda _: answer(opening())
    for clone_id, rule_set in ((HOUSE, "house-v1"), (CONTEST, None)):
        platform.clones.publish(ALICE, prompt_strategy("Buy when it is cheap."), clone_id)
        platform.service.deploy(DeployClone(ALICE, clone_id, "deploy", rule_set))
    return platform


def prune(platform: Platform) -> int:
    gone = 0
    while batch := platform.work.prune():
        gone += batch
    return gone


def rows(platform: Platform, query: str) -> int:
    with platform.database.read() as connection:
        return int(connection.execute(sa.text(f"SELECT count(*) FROM {query}")).scalar_one())


def artifacts(platform: Platform, run: OwnerRunView) -> list[bytes]:
    return [platform.service.artifact(ALICE, run.run_id, kind).body for kind in ArtifactKind]


def test_old_decisions_go_with_their_artifacts_and_calls_and_newer_ones_stay(platform: Platform) -> None:
    platform.slot()
    (old,) = platform.runs(HOUSE)
    files = sum(path.is_file() for path in Path(platform.objects).rglob("*"))
    platform.clock.advance(31 * DAY_MS)
    platform.slot()  # the one that was missed, recorded as late
    platform.slot()
    new = platform.runs(HOUSE)[-1]

    assert prune(platform) > 0
    assert platform.runs(HOUSE) == [new]
    assert len(artifacts(platform, new)) == len(ArtifactKind)
    with pytest.raises(NotFound):
        platform.service.decision(old.run_id, viewer=ALICE)
    assert rows(platform, f"aitrading_calls WHERE run_id = '{old.run_id}'") == 0
    # Two clones of two slots, less the one that went.
    assert sum(path.is_file() for path in Path(platform.objects).rglob("*")) == 2 * files - len(ArtifactKind)
    assert prune(platform) == 0


def test_evidence_on_accounts_that_a_contest_may_admit_is_kept_unless_it_has_an_end(platform: Platform) -> None:
    platform.slot()
    (run,) = platform.runs(CONTEST)
    platform.clock.advance(3_000 * DAY_MS)
    prune(platform)
    assert platform.runs(CONTEST) == [run]
    assert len(artifacts(platform, run)) == len(ArtifactKind)

    platform.kept = KeptDays(decisions=30, contest_decisions=365)
    platform.restart()
    prune(platform)
    assert platform.runs(CONTEST) == []


def test_what_is_kept_for_ever_is_never_deleted(platform: Platform) -> None:
    platform.kept = KeptDays(decisions=FOR_EVER, contest_decisions=FOR_EVER)
    platform.restart()
    platform.slot()
    platform.clock.advance(3_000 * DAY_MS)
    assert prune(platform) == 0


def test_calls_of_dry_runs_and_budgets_of_days_before_go_too(platform: Platform) -> None:
    platform.service.dry_run(DryRun(ALICE, HOUSE, Market("SOL-USDC")))
    assert (rows(platform, "aitrading_calls"), rows(platform, "aitrading_budgets")) == (1, 3)
    platform.clock.advance(31 * DAY_MS)
    platform.show()
    platform.service.dry_run(DryRun(ALICE, HOUSE, Market("SOL-USDC")))
    prune(platform)
    assert (rows(platform, "aitrading_calls"), rows(platform, "aitrading_budgets")) == (1, 3)
