"""A clone whose sealed things cannot be opened holds up nobody but itself. Bytes are damaged on SQLite and Postgres."""

from base64 import b64decode, b64encode
from collections.abc import Callable
from pathlib import Path

import msgspec
import pytest
import sqlalchemy as sa
from tests.db.platform import E8, SOL, Platform
from tests.domains.aitrading.answers import answer, decision, opening
from tests.domains.aitrading.worlds import BTC, prompt_strategy, rule_strategy
from tests.domains.clones.conftest import ALICE, KEY, Workshop

from pump_party.db.aitrading_tables import deployments, runs
from pump_party.db.clones import clones, versions
from pump_party.db.engine import Database
from pump_party.domains.aitrading.commands import DeployClone, Replay, SubmitProposals
from pump_party.domains.aitrading.model import Direction, Invalidation, Proposal, ProposalAction
from pump_party.domains.aitrading.run_views import DeploymentView, OwnerRunView, RunState
from pump_party.domains.clones.contract import Always, Clause, Hold, Op, Publish, RuleNode, Strategy, canonical
from pump_party.kernel.errors import Unavailable
from pump_party.kernel.ids import CloneId
from pump_party.platform.clock import ManualClock
from pump_party.platform.ids import Ids

HOLD = rule_strategy(Clause(Always(), Hold()), markets=(SOL, BTC))
CHEAP = Invalidation(None, Op.BELOW, 100 * E8)
OTHER_KEY = "k2:" + "22" * 32
NAMES = ("Ann", "Bea", "Cid", "Dot")


class Sealed(Platform):
    """The platform with the clones of the product, whose strategies and keys lie in the same database."""

    def __init__(self, database: Database, clock: ManualClock, objects: str) -> None:
        super().__init__(database, clock, objects)
        self.start(KEY)

    def start(self, keys: str = KEY) -> None:
        """Another process, with these platform keys."""
        workshop = Workshop(self.database, self.clock, Ids(self.clock), keys)
        self.clones = workshop.clones  # type: ignore[assignment]
        self.restart()

    def trade(self, name: str, strategy: Strategy) -> CloneId:
        """A clone of this name that is deployed."""
        made = self.clones.create_clone(ALICE, name=name, bio="", idempotency_key=name)  # type: ignore[attr-defined]
        publish = Publish(
            user_id=ALICE,
            clone_id=made.clone_id,
            strategy=canonical(strategy),
            layout={},
            base_version=None,
            idempotency_key=name,
        )
        self.clones.publish(publish)  # type: ignore[call-arg, arg-type]
        self.service.deploy(DeployClone(ALICE, made.clone_id, "deploy-1"))
        return CloneId(made.clone_id)

    def act(self, clone_id: CloneId, *proposals: Proposal) -> OwnerRunView:
        command = SubmitProposals(ALICE, clone_id, f"{clone_id}-{self.clock.now_ms()}", proposals)
        run = self.service.submit_actions(command).run
        self.tick()
        return run

    def last(self, clone_id: CloneId) -> OwnerRunView:
        return self.runs(clone_id, ALICE)[-1]

    def outcomes(self, *clone_ids: CloneId) -> list[tuple[str, str | None]]:
        return [(run.state.value, run.code) for run in map(self.last, clone_ids)]

    def shut(self, clone_id: CloneId) -> tuple[str, ...]:
        view = self.service.deployment(clone_id, viewer=ALICE)
        assert isinstance(view, DeploymentView)
        return view.unreadable_conditions

    def held(self, clone_id: CloneId) -> int:
        account_id = self.service.accounts([clone_id])[clone_id]
        return sum(one.quantity_nanos for one in self.engine.account(ALICE, account_id).positions)


@pytest.fixture
def platform(database: Database, clock: ManualClock, tmp_path: Path) -> Sealed:
    return Sealed(database, clock, str(tmp_path / "objects"))


def flipped(stored: bytes) -> bytes:
    return stored[:-1] + bytes([stored[-1] ^ 1])


def damage_strategy(database: Database, clone_id: CloneId) -> None:
    trigger = "clones_versions_no_update" if database.is_sqlite else "clones_versions_append_only ON clones_versions"
    mine = versions.c.clone_id == clone_id
    with database.write() as connection:
        connection.execute(sa.text(f"DROP TRIGGER IF EXISTS {trigger}"))
        sealed = connection.execute(sa.select(versions.c.sealed).where(mine)).scalar_one()
        connection.execute(sa.update(versions).where(mine).values(sealed=flipped(sealed)))


def damage_key(database: Database, clone_id: CloneId) -> None:
    mine = clones.c.clone_id == clone_id
    with database.write() as connection:
        wrapped = connection.execute(sa.select(clones.c.wrapped_key).where(mine)).scalar_one()
        connection.execute(sa.update(clones).where(mine).values(wrapped_key=flipped(wrapped)))


def empty_key(database: Database, clone_id: CloneId) -> None:
    with database.write() as connection:
        connection.execute(sa.update(clones).where(clones.c.clone_id == clone_id).values(wrapped_key=b""))


def lose_platform_key(database: Database, clone_id: CloneId) -> None:
    """Its data key is wrapped with a platform key that this process has not: one was taken away too early."""
    with database.write() as connection:
        connection.execute(sa.update(clones).where(clones.c.clone_id == clone_id).values(key_id="k0"))


def damage_box(database: Database, run_id: str) -> None:
    with database.write() as connection:
        sealed = connection.execute(sa.select(runs.c.sealed).where(runs.c.run_id == run_id)).scalar_one()
        connection.execute(sa.update(runs).where(runs.c.run_id == run_id).values(sealed=flipped(sealed)))


def damage_condition(database: Database, clone_id: CloneId) -> None:
    """Of its first condition. Doing it again mends it."""
    mine = deployments.c.clone_id == clone_id
    with database.write() as connection:
        kept = msgspec.json.decode(connection.execute(sa.select(deployments.c.conditions).where(mine)).scalar_one())
        kept[0]["box"] = b64encode(flipped(b64decode(kept[0]["box"]))).decode()
        values = {"conditions": msgspec.json.encode(kept).decode()}
        connection.execute(sa.update(deployments).where(mine).values(values))


def tear_condition(database: Database, clone_id: CloneId) -> None:
    """So that its box is not even the text that bytes are written as."""
    mine = deployments.c.clone_id == clone_id
    with database.write() as connection:
        kept = msgspec.json.decode(connection.execute(sa.select(deployments.c.conditions).where(mine)).scalar_one())
        kept[0]["box"] = "*" + kept[0]["box"][1:]
        values = {"conditions": msgspec.json.encode(kept).decode()}
        connection.execute(sa.update(deployments).where(mine).values(values))


def guarded(condition: Invalidation = CHEAP, market: str = SOL) -> Proposal:
    return Proposal(market, ProposalAction.OPEN, Direction.LONG, 100_000, invalidation=condition, reason="why")  # type: ignore[arg-type]


BREAKS = [damage_strategy, damage_key, empty_key, lose_platform_key]


@pytest.mark.parametrize("broken", BREAKS)
def test_a_clone_whose_strategy_cannot_be_opened_fails_alone_in_every_slot(
    platform: Sealed, database: Database, broken: Callable[[Database, CloneId], None]
) -> None:
    ann, bea, cid, dot = [platform.trade(name, HOLD) for name in NAMES]
    broken(database, bea)
    platform.start()
    for _ in range(2):
        platform.slot()
        assert platform.outcomes(ann, cid, dot) == [("held", None)] * 3
        assert platform.outcomes(bea) == [("failed", "strategy_unreadable")]
        platform.tick()
    assert "publish it again" in (platform.last(bea).detail or "")
    assert b'outcome="failed:strategy_unreadable"} 2.0' in platform.metrics.render()


@pytest.mark.parametrize("strategy", [HOLD, prompt_strategy("Buy.")], ids=["rules", "model"])
@pytest.mark.parametrize("broken", [damage_key, lose_platform_key])
def test_a_clone_whose_key_breaks_while_its_strategy_is_known_fails_alone(
    platform: Sealed, database: Database, strategy: Strategy, broken: Callable[[Database, CloneId], None]
) -> None:
    platform.model.reply = lambda _: answer(decision())
    ann, bea, cid, dot = [platform.trade(name, strategy) for name in NAMES]
    platform.slot()
    broken(database, cid)
    platform.tick()
    platform.slot()
    assert platform.outcomes(ann, bea, dot) == [("held", None)] * 3
    assert platform.outcomes(cid) == [("failed", "evidence_unreadable")]


def test_a_key_that_breaks_while_its_model_thinks_costs_nobody_else_the_decision(
    platform: Sealed, database: Database
) -> None:
    ann, bea = [platform.trade(name, prompt_strategy(f"Buy for {name}.")) for name in NAMES[:2]]

    def reply(text: str) -> str:
        if "for Ann" in text:
            damage_key(database, ann)
        return answer(opening())

    platform.model.reply = reply
    platform.slot()
    assert platform.outcomes(ann, bea) == [("failed", "evidence_unreadable"), ("executed", None)]
    assert platform.last(ann).usage is not None


def test_a_condition_that_cannot_be_opened_fails_its_clone_alone_until_it_can(
    platform: Sealed, database: Database, capsys: pytest.CaptureFixture[str]
) -> None:
    ann, bea, cid = [platform.trade(name, HOLD) for name in NAMES[:3]]
    for clone_id in (ann, bea, cid):
        platform.act(clone_id, guarded())
    damage_condition(database, bea)
    platform.start()
    capsys.readouterr()
    assert [platform.work.reload_conditions() for _ in range(3)] == [2, 2, 2]
    told = [line for line in capsys.readouterr().out.splitlines() if "conditions_unreadable" in line]
    assert (len(told), bea in told[0]) == (1, True)
    assert b'pump_party_sealed_unreadable_total{what="conditions"} 1.0' in platform.metrics.render()
    assert [platform.shut(one) for one in (ann, bea, cid)] == [(), (SOL,), ()]
    platform.slot()
    assert platform.outcomes(ann, bea, cid) == [("held", None), ("failed", "conditions_unreadable"), ("held", None)]
    assert SOL in (platform.last(bea).detail or "")

    damage_condition(database, bea)
    assert (platform.work.reload_conditions(), platform.shut(bea)) == (3, ())
    platform.slot()
    assert platform.outcomes(bea) == [("held", None)]
    damage_condition(database, bea)
    platform.start()
    platform.work.reload_conditions()
    assert "conditions_unreadable" in capsys.readouterr().out


def test_the_conditions_of_others_and_its_own_other_ones_are_held_at_every_tick(
    platform: Sealed, database: Database
) -> None:
    ann, bea, cid = [platform.trade(name, HOLD) for name in NAMES[:3]]
    for clone_id in (ann, bea, cid):
        platform.act(clone_id, guarded())
    platform.act(bea, guarded(market=BTC))
    damage_condition(database, bea)
    platform.start()
    assert (platform.work.reload_conditions(), platform.shut(bea)) == (3, (BTC,))
    platform.tick({SOL: 99 * E8})
    platform.tick()
    assert [platform.held(one) for one in (ann, cid)] == [0, 0]
    assert [run.decisions[0].proposal.action.value for run in map(platform.last, (ann, bea, cid))] == ["close"] * 3
    platform.act(bea, Proposal(BTC, ProposalAction.CLOSE))
    assert (platform.held(bea), platform.shut(bea), platform.work.reload_conditions()) == (0, (), 0)
    platform.slot()
    assert platform.outcomes(bea) == [("held", None)]


def test_a_torn_box_fails_its_clone_alone_and_its_other_conditions_are_held(
    platform: Sealed, database: Database
) -> None:
    ann, bea = [platform.trade(name, HOLD) for name in NAMES[:2]]
    for clone_id in (ann, bea):
        platform.act(clone_id, guarded())
    platform.act(bea, guarded(market=BTC))
    tear_condition(database, bea)
    platform.start()
    assert (platform.work.reload_conditions(), platform.shut(bea)) == (2, (BTC,))
    for _ in range(2):
        platform.slot()
        assert platform.outcomes(ann, bea) == [("held", None), ("failed", "conditions_unreadable")]


def test_a_condition_whose_position_is_gone_stops_nothing(platform: Sealed, database: Database) -> None:
    ann = platform.trade("Ann", HOLD)
    platform.act(ann, msgspec.structs.replace(guarded(), target_price_e8=300 * E8))
    platform.tick({SOL: 301 * E8})
    platform.tick()
    assert platform.held(ann) == 0
    damage_condition(database, ann)
    assert platform.shut(ann) == ()
    platform.slot()
    assert platform.outcomes(ann) == [("held", None)]


def test_a_position_that_cannot_be_given_up_fails_alone_and_not_at_every_tick(
    platform: Sealed, database: Database
) -> None:
    ann, bea, cid = [platform.trade(name, HOLD) for name in NAMES[:3]]
    for clone_id in (ann, bea, cid):
        platform.act(clone_id, guarded())
    assert platform.work.reload_conditions() == 3
    damage_key(database, bea)
    for _ in range(3):
        platform.tick({SOL: 99 * E8})
    assert [platform.held(one) for one in (ann, cid)] == [0, 0]
    assert platform.outcomes(bea) == [("failed", "evidence_unreadable")]
    assert [len(platform.runs(one, ALICE)) for one in (ann, bea, cid)] == [2, 2, 2]


@pytest.mark.parametrize(
    ("broken", "code"), [(damage_strategy, "strategy_unreadable"), (damage_key, "evidence_unreadable")]
)
def test_a_worker_that_takes_over_brings_the_runs_of_others_to_their_end(
    platform: Sealed, database: Database, broken: Callable[[Database, CloneId], None], code: str
) -> None:
    platform.model.reply = lambda _: answer(decision())
    ann, bea, cid = [platform.trade(name, prompt_strategy("Buy.")) for name in NAMES[:3]]
    platform.slot()
    with database.write() as connection:
        back = {"state": RunState.ANSWERED.value, "finished_ms": None, "sealed": None, "body": "{}"}
        connection.execute(sa.update(runs).values(back))
    broken(database, bea)
    platform.start()
    assert platform.work.take_over() == 3
    assert platform.outcomes(ann, bea, cid) == [("held", None), ("failed", code), ("held", None)]


def test_a_run_whose_evidence_is_gone_holds_up_no_other(platform: Sealed, database: Database) -> None:
    platform.model.reply = lambda _: answer(decision())
    ann, bea = [platform.trade(name, prompt_strategy(f"Buy for {name}.")) for name in NAMES[:2]]
    platform.slot()
    with database.write() as connection:
        back = {"state": RunState.ANSWERED.value, "finished_ms": None, "sealed": None, "body": "{}"}
        connection.execute(sa.update(runs).values(back))
    run = platform.last(ann)
    assert run.context_sha256 is not None
    platform.parts.artifacts.delete(run.run_id, [run.context_sha256])
    assert platform.work.take_over() == 2
    assert platform.outcomes(ann, bea) == [("failed", "evidence_unreadable"), ("held", None)]


def test_a_condition_of_an_earlier_release_that_cannot_be_sealed_holds_up_no_other(
    platform: Sealed, database: Database
) -> None:
    ann, bea = [platform.trade(name, HOLD) for name in NAMES[:2]]
    for clone_id in (ann, bea):
        platform.act(clone_id, guarded())
    clear = msgspec.json.encode([{"market": SOL, "condition": CHEAP}]).decode()
    with database.write() as connection:
        connection.execute(sa.update(deployments).values(conditions=clear))
    damage_key(database, ann)
    platform.start()
    platform.work.take_over()
    with database.read() as connection:
        rows = connection.execute(sa.select(deployments.c.clone_id, deployments.c.conditions))
        kept = {row.clone_id: row.conditions for row in rows}
    assert (kept[ann] == clear, '"condition"' in kept[bea]) == (True, False)
    assert platform.work.reload_conditions() == 2
    assert b'pump_party_sealed_unreadable_total{what="conditions"} 1.0' in platform.metrics.render()


def test_a_page_shows_what_is_public_of_a_run_that_cannot_be_opened_and_all_of_the_others(
    platform: Sealed, database: Database
) -> None:
    ann = platform.trade("Ann", HOLD)
    for _ in range(3):
        platform.slot()
    before = platform.runs(ann, ALICE)
    damage_box(database, before[1].run_id)
    first, second, third = platform.runs(ann, ALICE)
    assert [first, third] == [before[0], before[2]]
    assert (second.unreadable, second.state, len(second.decisions)) == (True, RunState.HELD, 2)
    assert [one.proposal.reason for one in second.decisions] == ["", ""]
    assert "cannot be opened" in (second.detail or "")
    assert platform.service.decision(second.run_id, viewer=ALICE) == second
    replayed = platform.service.replay(Replay(ALICE, second.run_id, rule=RuleNode("rule", (Clause(Always(), Hold()),))))
    assert (replayed.unreadable, [one.market for one in replayed.recorded]) == (True, [SOL, BTC])


def test_keys_that_are_all_away_make_everything_wait(platform: Sealed, database: Database) -> None:
    ann, bea = [platform.trade(name, HOLD) for name in NAMES[:2]]
    for clone_id in (ann, bea):
        platform.act(clone_id, guarded())
    platform.start("")
    for waits in (platform.slot, platform.work.reload_conditions):
        with pytest.raises(Unavailable) as refusal:
            waits()
        assert refusal.value.code == "strategy_key_missing"
    assert platform.shut(ann) == ()
    platform.start()
    assert platform.work.reload_conditions() == 2
    assert [len(platform.runs(one, ALICE)) for one in (ann, bea)] == [1, 1]
    platform.clock.advance(5_000)
    platform.show()
    for job in platform.work.due_slots():
        platform.work.work_off(job)
    assert platform.outcomes(ann, bea) == [("held", None)] * 2
