from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier

import pytest
import sqlalchemy as sa
from tests.db.test_users import dump
from tests.domains.clones.conftest import ALICE, BOB, KEY, Workshop
from tests.domains.clones.strategies import Json, clause, prompt, rule, sound, target

from pump_party.db.engine import Database
from pump_party.domains.clones.contract import CLONES_PER_USER_MAX, DraftConflict, Rewrapped, VersionConflict
from pump_party.domains.clones.sealing import KeyMissing, SealBroken
from pump_party.domains.clones.service import KEYS_PER_STEP
from pump_party.kernel.errors import Conflict
from pump_party.platform.clock import ManualClock
from pump_party.platform.ids import Ids

THREADS = 8
NEWER = "k2:" + "22" * 32


@pytest.fixture
def workshop(database: Database, clock: ManualClock, ids: Ids) -> Workshop:
    return Workshop(database, clock, ids)


def other(share_ppm: int) -> Json:
    return sound(decider=rule(clause(then=target(share_ppm))))


def at_once(*calls: object) -> list[object]:
    """What each call returned or raised, all started together."""
    barrier = Barrier(len(calls))

    def run(call: object) -> object:
        barrier.wait()
        try:
            return call()  # type: ignore[operator]
        except Conflict as refusal:
            return refusal

    with ThreadPoolExecutor(len(calls)) as pool:
        return list(pool.map(run, calls))


def kinds(outcomes: list[object]) -> Counter[str]:
    return Counter(outcome.code if isinstance(outcome, Conflict) else "done" for outcome in outcomes)


def execute(database: Database, statement: str, **values: object) -> None:
    with database.write() as connection:
        connection.execute(sa.text(statement), values)


def test_a_dump_of_the_database_holds_nothing_of_a_strategy(workshop: Workshop):
    canary = "canary-7f3a-strategy"
    clone = workshop.create()
    drawn = sound(decider=prompt(canary), model="openai:gpt-canary-model")
    drawn["nodes"][0]["id"] = drawn["edges"][0]["source"] = "canary_block_name"
    workshop.save(clone, drawn, layout={"canary_block_name": (98_765, 1)}, revision=0)
    saved = dump(workshop.database)
    version = workshop.publish(clone, drawn, layout={"canary_block_name": (98_765, 1)})
    workshop.save(clone, drawn, revision=2)

    published = dump(workshop.database)

    assert version.commitment.encode() in published
    for secret in (canary, "canary", "98765", version.salt, KEY.split(":")[1], "strategy/1", "trading_prompt"):
        assert secret.encode() not in saved
        assert secret.encode() not in published
    assert bytes.fromhex(version.salt) not in published
    assert bytes.fromhex(KEY.split(":")[1]) not in published


def test_a_version_moved_to_another_clone_or_owner_or_number_does_not_open(workshop: Workshop):
    mine, theirs = workshop.create("Mine"), workshop.create("Theirs", BOB)
    first = workshop.publish(mine, other(1), key="a")
    second = workshop.publish(mine, other(2), base=1, key="b")
    foreign = workshop.publish(theirs, other(3), key="c", user_id=BOB)
    read = {"mine": (ALICE, mine.clone_id, 1), "theirs": (BOB, theirs.clone_id, 1)}
    _allow_changes(workshop.database)

    def swap(one: str, two: str) -> None:
        for version_id, sealed in zip((one, two), reversed(_sealed(workshop.database, one, two)), strict=True):
            execute(
                workshop.database,
                "UPDATE clones_versions SET sealed = :sealed WHERE version_id = :id",
                sealed=sealed,
                id=version_id,
            )

    for one, two in ((first, second), (first, foreign)):
        swap(one.version_id, two.version_id)
        with pytest.raises(SealBroken):
            workshop.clones.version(*read["mine"])
        with pytest.raises(SealBroken):
            workshop.with_keys(KEY).clones.strategy_of(two.version_id)
        swap(one.version_id, two.version_id)
        assert workshop.clones.version(*read["mine"]).sha256 == first.sha256

    execute(
        workshop.database, "UPDATE clones_clones SET user_id = :bob WHERE clone_id = :id", bob=BOB, id=mine.clone_id
    )
    with pytest.raises(SealBroken):
        workshop.clones.version(BOB, mine.clone_id, 1)


def test_a_data_key_or_draft_moved_to_another_clone_or_an_older_revision_does_not_open(workshop: Workshop):
    one, two = workshop.create("Mine"), workshop.create("More")
    for clone in (one, two):
        workshop.save(clone)

    move = (
        "UPDATE clones_drafts SET sealed = (SELECT sealed FROM clones_drafts WHERE clone_id = :source) "
        "WHERE clone_id = :goal"
    )
    execute(workshop.database, move, source=one.clone_id, goal=two.clone_id)
    with pytest.raises(SealBroken):
        workshop.clones.read_draft(ALICE, two.clone_id)

    with workshop.database.read() as connection:
        rows = connection.execute(sa.text("SELECT clone_id, wrapped_key FROM clones_clones"))
        keys = {row.clone_id: row.wrapped_key for row in rows}
    execute(
        workshop.database,
        "UPDATE clones_clones SET wrapped_key = :key WHERE clone_id = :id",
        key=keys[two.clone_id],
        id=one.clone_id,
    )
    with pytest.raises(SealBroken):
        workshop.clones.read_draft(ALICE, one.clone_id)

    execute(
        workshop.database,
        "UPDATE clones_clones SET wrapped_key = :key WHERE clone_id = :id",
        key=keys[one.clone_id],
        id=one.clone_id,
    )
    assert workshop.clones.read_draft(ALICE, one.clone_id).revision == 1
    execute(workshop.database, "UPDATE clones_drafts SET revision = 7 WHERE clone_id = :id", id=one.clone_id)
    with pytest.raises(SealBroken):
        workshop.clones.read_draft(ALICE, one.clone_id)


def test_keys_are_rotated_while_everything_stays_readable(workshop: Workshop):
    clones = [workshop.create(f"Momo {letter * 3}") for letter in "bcdf"]
    version = workshop.publish(clones[0])
    rotating = workshop.with_keys(f"{NEWER},{KEY}")
    steps: list[int] = []

    assert rotating.clones.rewrap_keys(steps.append) == Rewrapped(4, ())
    assert rotating.clones.rewrap_keys(steps.append) == Rewrapped(0, ())
    assert steps == [4, 0]
    assert rotating.clones.count_keys() == {"k2": 4}

    after = workshop.with_keys(NEWER)
    after.clones.check_keys()
    assert after.clones.version(ALICE, clones[0].clone_id, 1) == version
    assert after.publish(clones[0], other(5), base=1, key="q").number == 2
    with pytest.raises(KeyMissing):
        workshop.with_keys(KEY).clones.read_draft(ALICE, clones[0].clone_id)
    with pytest.raises(KeyMissing):
        workshop.clones.check_keys()
    with pytest.raises(SealBroken):
        workshop.with_keys("k2:" + "33" * 32).clones.check_keys()


def test_one_damaged_key_stops_neither_the_start_nor_a_rotation(workshop: Workshop):
    clones = [workshop.create(f"Momo {letter * 3}") for letter in "bcd"]
    damaged = clones[-1].clone_id
    with workshop.database.write() as connection:
        torn = sa.text("UPDATE clones_clones SET wrapped_key = :torn WHERE clone_id = :clone_id")
        connection.execute(torn, {"torn": b"x", "clone_id": damaged})

    workshop.clones.check_keys()
    rotating = workshop.with_keys(f"{NEWER},{KEY}").clones
    assert rotating.rewrap_keys(lambda _: None) == Rewrapped(2, (damaged,))
    assert rotating.count_keys() == {"k2": 2, "k1": 1}


def test_more_clones_than_a_step_are_rewrapped(workshop: Workshop, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr("pump_party.domains.clones.service.KEYS_PER_STEP", 2)
    for letter in "bcdfg":
        workshop.create(f"Momo {letter * 3}")
    steps: list[int] = []
    assert workshop.with_keys(f"{NEWER},{KEY}").clones.rewrap_keys(steps.append) == Rewrapped(5, ())
    assert steps == [2, 4, 5]
    assert KEYS_PER_STEP > 2


def test_versions_reveals_and_decisions_cannot_be_changed_or_deleted(workshop: Workshop):
    clone = workshop.create()
    workshop.publish(clone)
    workshop.clones.reveal(ALICE, clone.clone_id, 1)
    workshop.clones.hide(clone.clone_id, operator="olga", reason="rude")
    statements = [
        "UPDATE clones_versions SET sha256 = 'x'",
        "DELETE FROM clones_reveals",
        "UPDATE clones_reveals SET revealed_ms = 1",
        "DELETE FROM clones_decisions",
        "UPDATE clones_decisions SET operator = 'x'",
    ]
    for statement in statements:
        with pytest.raises(sa.exc.IntegrityError):
            execute(workshop.database, statement)


def test_one_of_many_gets_a_name(workshop: Workshop):
    create = [
        lambda n=n: workshop.clones.create_clone(BOB, name="Momo", bio="", idempotency_key=f"k{n}")
        for n in range(THREADS)
    ]
    assert kinds(at_once(*create)) == {"done": 1, "name_taken": THREADS - 1}

    others = [workshop.create(f"Nemo {letter * 3}") for letter in "bcdfghjk"]
    rename = [
        lambda clone=clone: workshop.clones.set_profile(ALICE, clone.clone_id, name="Zoe X", bio=None)
        for clone in others
    ]
    assert kinds(at_once(*rename)) == {"done": 1, "name_taken": len(others) - 1}


def test_one_key_used_by_many_at_once_creates_and_publishes_once(workshop: Workshop):
    clones = at_once(*[lambda: workshop.create("Momo", key="k")] * THREADS)
    assert len({clone.clone_id for clone in clones}) == 1  # type: ignore[attr-defined]
    versions = at_once(*[lambda: workshop.publish(clones[0], key="k")] * THREADS)  # type: ignore[arg-type]
    assert {version.number for version in versions} == {1}  # type: ignore[attr-defined]


def test_of_many_that_publish_or_save_on_one_base_one_does(workshop: Workshop):
    clone = workshop.create()
    publish = [lambda n=n: workshop.publish(clone, other(n), key=f"k{n}") for n in range(1, THREADS + 1)]
    outcomes = at_once(*publish)
    assert kinds(outcomes) == {"done": 1, "version_conflict": THREADS - 1}
    assert {outcome.current.number for outcome in outcomes if isinstance(outcome, VersionConflict)} == {1}

    save = [lambda n=n: workshop.save(clone, other(n), revision=1) for n in range(THREADS)]
    outcomes = at_once(*save)
    assert kinds(outcomes) == {"done": 1, "draft_conflict": THREADS - 1}
    assert {outcome.revision for outcome in outcomes if isinstance(outcome, DraftConflict)} == {2}


def test_many_at_once_do_not_pass_the_limit_of_a_user(workshop: Workshop):
    for count in range(CLONES_PER_USER_MAX - 1):
        workshop.create(f"Momo {count:05b}".replace("0", "a").replace("1", "b"))
    create = [lambda letter=letter: workshop.create(f"Nemo {letter * 3}") for letter in "bcdfghjk"]
    assert kinds(at_once(*create)) == {"done": 1, "too_many_clones": 7}


def _sealed(database: Database, *version_ids: str) -> list[bytes]:
    with database.read() as connection:
        query = sa.text("SELECT sealed FROM clones_versions WHERE version_id = :id")
        return [bytes(connection.execute(query, {"id": version_id}).scalar_one()) for version_id in version_ids]


def _allow_changes(database: Database) -> None:
    """What somebody who owns the database could do."""
    if database.is_sqlite:
        execute(database, "DROP TRIGGER clones_versions_no_update")
    else:
        execute(database, "DROP TRIGGER clones_versions_append_only ON clones_versions")
