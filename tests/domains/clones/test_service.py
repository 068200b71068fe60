import hashlib

import msgspec
import pytest
from tests.domains.clones.conftest import ALICE, BOB, Workshop
from tests.domains.clones.strategies import Json, clause, encode, graph, prompt, rule, sound, target

from pump_party.db.outbox import OutboxStore
from pump_party.domains.clones import contract
from pump_party.domains.clones.contract import (
    CLONES_PER_USER_MAX,
    STRATEGY_BYTES_MAX,
    CloneStatus,
    DraftConflict,
    InvalidStrategy,
    Mood,
    Publish,
    SaveDraft,
    VersionConflict,
    canonical,
    load_house,
)
from pump_party.domains.clones.strategy import Strategy
from pump_party.events.clones import CloneProfileChanged, ClonePublished
from pump_party.kernel.errors import Conflict, IdempotencyMismatch, Invalid, NotFound

NOBODY = "01890000-0000-7000-8000-0000000000ff"


def other(share_ppm: int = 111_111) -> Json:
    return sound(decider=rule(clause(then=target(share_ppm))))


def code_of(refusal: pytest.ExceptionInfo[Conflict | Invalid | NotFound]) -> str:
    return refusal.value.code


def test_a_new_clone_has_a_public_face_and_nothing_published(workshop: Workshop):
    mine = workshop.clones.create_clone(ALICE, name=" Momo  One ", bio="buys dips", idempotency_key="k")
    public = workshop.clones.public_clone(mine.clone_id)

    assert (mine.name, mine.bio, mine.status, mine.version, mine.draft_revision) == (
        "Momo One", "buys dips", CloneStatus.DRAFT, None, 0,
    )  # fmt: skip
    assert (public.name, public.version, public.commitment, public.hidden) == ("Momo One", None, None, False)
    assert public.owner_name == workshop.clones.public_clones([mine.clone_id])[mine.clone_id].owner_name != ""
    assert workshop.clones.avatar(mine.clone_id) == workshop.clones.avatar(mine.clone_id, Mood.CALM)
    assert workshop.clones.avatar(mine.clone_id) != workshop.clones.avatar(mine.clone_id, Mood.GLAD)
    assert workshop.clones.owner_of(mine.clone_id) == ALICE


def test_creating_twice_with_one_key_is_creating_once(workshop: Workshop):
    first = workshop.create("Momo", key="k")
    assert workshop.create("Momo", key="k") == first
    assert [clone.clone_id for clone in workshop.clones.my_clones(ALICE)] == [first.clone_id]
    with pytest.raises(IdempotencyMismatch):
        workshop.create("Nemo", key="k")
    with pytest.raises(Conflict) as refusal:
        workshop.create("Momo", BOB, key="k")
    assert code_of(refusal) == "name_taken"


def test_names_that_look_alike_cannot_both_be_taken(workshop: Workshop):
    boss, nemo = workshop.create("Boss"), workshop.create("Nemo")
    for name in ("B0SS", "bo-ss", " boss "):
        with pytest.raises(Conflict) as refusal:
            workshop.create(name, BOB)
        assert code_of(refusal) == "name_taken"
        with pytest.raises(Conflict) as refusal:
            workshop.clones.set_profile(ALICE, nemo.clone_id, name=name, bio=None)
        assert code_of(refusal) == "name_taken"
    assert workshop.clones.set_profile(ALICE, boss.clone_id, name="BOSS", bio=None).name == "BOSS"
    assert workshop.clones.set_profile(ALICE, boss.clone_id, name="Chief", bio="now").bio == "now"
    assert workshop.create("Boss", BOB).name == "Boss"


def test_a_user_has_so_many_clones_and_no_more(workshop: Workshop):
    for count in range(CLONES_PER_USER_MAX):
        workshop.create(f"Momo {count:05b}".replace("0", "a").replace("1", "b"))
    with pytest.raises(Conflict) as refusal:
        workshop.create("Nemo")
    assert code_of(refusal) == "too_many_clones"
    assert workshop.create("Nemo", BOB).name == "Nemo"


def test_what_is_private_does_not_exist_for_anybody_else(workshop: Workshop):
    clone = workshop.create()
    workshop.save(clone)
    workshop.publish(clone)
    attempts = [
        lambda user, clone_id: workshop.clones.owner_clone(user, clone_id),
        lambda user, clone_id: workshop.clones.set_profile(user, clone_id, name="Nemo", bio=None),
        lambda user, clone_id: workshop.clones.read_draft(user, clone_id),
        lambda user, clone_id: workshop.save(clone, user_id=user, clone_id=clone_id, revision=2),
        lambda user, clone_id: workshop.publish(clone, other(), base=1, key="x", user_id=user, clone_id=clone_id),
        lambda user, clone_id: workshop.clones.versions(user, clone_id),
        lambda user, clone_id: workshop.clones.version(user, clone_id, 1),
        lambda user, clone_id: workshop.clones.diff(user, clone_id, 1, 1),
        lambda user, clone_id: workshop.clones.restore(user, clone_id, 1, revision=4),
        lambda user, clone_id: workshop.clones.reveal(user, clone_id, 1),
    ]
    for attempt in attempts:
        for user, clone_id in ((BOB, clone.clone_id), (ALICE, NOBODY), (ALICE, "x' OR 1=1")):
            with pytest.raises(NotFound) as refusal:
                attempt(user, clone_id)
            assert code_of(refusal) == "clone_not_found"
        attempt(ALICE, clone.clone_id)


def test_a_draft_is_kept_as_it_was_drawn_even_when_it_is_not_sound(workshop: Workshop):
    clone = workshop.create()
    assert workshop.clones.read_draft(ALICE, clone.clone_id).strategy is None

    unfinished = graph({"kind": "trading_prompt", "id": "p", "text": ""})
    saved = workshop.save(clone, unfinished)

    read = workshop.clones.read_draft(ALICE, clone.clone_id)
    assert read == saved
    assert (read.revision, read.base_version, read.layout) == (1, None, {"rule": (1, 2)})
    assert bytes(read.strategy or b"") == encode(unfinished)
    assert workshop.clones.owner_clone(ALICE, clone.clone_id).draft_revision == 1


def test_of_two_tabs_that_save_the_second_is_told_to_read_first(workshop: Workshop):
    clone = workshop.create()
    workshop.save(clone, revision=0)
    with pytest.raises(DraftConflict) as refusal:
        workshop.save(clone, other(), revision=0)
    assert refusal.value.revision == 1
    assert workshop.save(clone, other(), revision=1).revision == 2


def test_a_draft_that_is_no_graph_or_too_large_or_out_of_place_is_refused(workshop: Workshop):
    clone = workshop.create()
    for changes, code in (
        ({"strategy": b"[]"}, "not_a_strategy"),
        ({"strategy": b" " * (STRATEGY_BYTES_MAX + 1)}, "strategy_too_large"),
        ({"layout": {"Not an id": (0, 0)}}, "bad_layout"),
        ({"layout": {"rule": (0, 10**9)}}, "bad_layout"),
        ({"layout": {f"n{count}": (0, 0) for count in range(33)}}, "bad_layout"),
        ({"base_version": 1}, "version_not_found"),
    ):
        with pytest.raises((Invalid, NotFound)) as refusal:
            workshop.save(clone, **changes)
        assert code_of(refusal) == code
    assert workshop.clones.read_draft(ALICE, clone.clone_id).revision == 0


def test_a_published_version_is_what_engines_run_and_never_changes(workshop: Workshop):
    clone = workshop.create()
    with pytest.raises(Conflict) as refusal:
        workshop.clones.current_version(clone.clone_id)
    assert code_of(refusal) == "not_published"

    first = workshop.publish(clone, sound(cadence_s=300))
    second = workshop.publish(clone, other(), base=1, key="q")

    assert [version.number for version in workshop.clones.versions(ALICE, clone.clone_id)] == [2, 1]
    run = workshop.clones.strategy_of(first.version_id)
    assert (run.clone_id, run.number, run.cadence_s) == (clone.clone_id, 1, 300)
    assert run.strategy == first.strategy == workshop.clones.version(ALICE, clone.clone_id, 1).strategy
    assert run.sha256 == hashlib.sha256(canonical(run.strategy)).hexdigest()
    assert workshop.clones.current_version(clone.clone_id).version_id == second.version_id
    assert workshop.clones.strategy_of(first.version_id) is run
    owner = workshop.clones.owner_clone(ALICE, clone.clone_id)
    assert (owner.status, owner.version, owner.version_id) == (CloneStatus.READY, 2, second.version_id)
    for unknown in (NOBODY, "x"):
        with pytest.raises(NotFound) as missing:
            workshop.clones.strategy_of(unknown)
        assert code_of(missing) == "version_not_found"


def test_publishing_twice_with_one_key_is_publishing_once(workshop: Workshop):
    clone = workshop.create()
    first = workshop.publish(clone, key="k")
    assert workshop.publish(clone, key="k") == first
    workshop.publish(clone, other(), base=1, key="l")
    assert workshop.publish(clone, key="k") == first
    assert len(workshop.clones.versions(ALICE, clone.clone_id)) == 2
    with pytest.raises(IdempotencyMismatch):
        workshop.publish(clone, other(5), base=2, key="k")


def test_publishing_on_an_old_base_is_refused_with_what_it_would_change(workshop: Workshop):
    clone = workshop.create()
    workshop.publish(clone, other(100_000))

    for base in (None, 2, -1):
        with pytest.raises(VersionConflict) as refusal:
            workshop.publish(clone, other(200_000), base=base, key="q")
        assert refusal.value.current.number == 1
        (changed,) = refusal.value.diff.nodes
        assert [(field.path, field.before, field.after) for field in changed.fields] == [
            ("clauses[0].then.share_ppm", msgspec.Raw(b"100000"), msgspec.Raw(b"200000"))
        ]
    assert workshop.publish(clone, other(200_000), base=1, key="q").number == 2
    with pytest.raises(NotFound):
        workshop.publish(workshop.create("Nemo"), base=1, key="r")


def test_a_strategy_with_problems_or_without_a_change_is_not_published(workshop: Workshop):
    clone = workshop.create()
    with pytest.raises(InvalidStrategy) as refusal:
        workshop.publish(clone, sound(cadence_s=1, max_leverage=99))
    assert [problem.code for problem in refusal.value.problems] == ["bad_cadence", "out_of_range"]
    assert workshop.clones.validate(encode(sound(cadence_s=1))).problems == refusal.value.problems[:1]

    workshop.publish(clone, sound())
    drawn_otherwise = sound() | {"nodes": sound()["nodes"][::-1]}
    with pytest.raises(Conflict) as same:
        workshop.publish(clone, drawn_otherwise, base=1, key="q")
    assert code_of(same) == "version_unchanged"
    with pytest.raises(Invalid) as large:
        workshop.publish(clone, sound(decider=prompt("x" * STRATEGY_BYTES_MAX)), base=1, key="r")
    assert code_of(large) == "strategy_too_large"


def test_after_publishing_the_draft_goes_on_from_the_version(workshop: Workshop):
    clone = workshop.create()
    workshop.save(clone, other())
    workshop.publish(clone, sound(), layout={"clone": (9, 9)})

    draft = workshop.clones.read_draft(ALICE, clone.clone_id)
    assert (draft.base_version, draft.revision, draft.layout) == (1, 2, {"clone": (9, 9)})
    assert draft.strategy == msgspec.Raw(canonical(msgspec.json.decode(encode(sound()), type=Strategy)))


def test_an_old_version_becomes_the_draft_again_based_on_the_newest(workshop: Workshop):
    clone = workshop.create()
    first = workshop.publish(clone, sound())
    workshop.publish(clone, other(), base=1, key="q")

    with pytest.raises(DraftConflict):
        workshop.clones.restore(ALICE, clone.clone_id, 1, revision=0)
    restored = workshop.clones.restore(ALICE, clone.clone_id, 1, revision=2)

    assert (restored.base_version, restored.revision) == (2, 3)
    assert workshop.publish(clone, sound(), base=2, key="r").sha256 == first.sha256
    with pytest.raises(NotFound):
        workshop.clones.restore(ALICE, clone.clone_id, 9, revision=3)


def test_two_versions_are_compared_by_their_owner(workshop: Workshop):
    clone = workshop.create()
    workshop.publish(clone, other(100_000))
    workshop.publish(clone, other(200_000), base=1, key="q")
    assert [change.node_id for change in workshop.clones.diff(ALICE, clone.clone_id, 1, 2).nodes] == ["rule"]
    assert workshop.clones.diff(ALICE, clone.clone_id, 2, 2).is_empty()
    for number_ in (0, 3, 10**30):
        with pytest.raises(NotFound):
            workshop.clones.diff(ALICE, clone.clone_id, 1, number_)


def test_a_commitment_is_public_at_once_and_can_be_checked_when_the_owner_reveals(workshop: Workshop):
    clone = workshop.create()
    version = workshop.publish(clone)
    (public,) = workshop.clones.public_versions(clone.clone_id)
    assert public.commitment == version.commitment == workshop.clones.public_clone(clone.clone_id).commitment
    with pytest.raises(NotFound) as refusal:
        workshop.clones.revealed(clone.clone_id, 1)
    assert code_of(refusal) == "not_revealed"

    workshop.clock.advance(5)
    revealed_ms = workshop.clones.reveal(ALICE, clone.clone_id, 1).revealed_ms
    workshop.clock.advance(5)
    assert workshop.clones.reveal(ALICE, clone.clone_id, 1).revealed_ms == revealed_ms

    shown = workshop.clones.revealed(clone.clone_id, 1)
    content = hashlib.sha256(bytes(shown.strategy)).digest()
    assert content.hex() == shown.sha256
    assert hashlib.sha256(bytes.fromhex(shown.salt) + content).hexdigest() == public.commitment


def test_the_directory_shows_published_clones_newest_first_page_by_page(workshop: Workshop):
    published = []
    for name in ("Anna", "Bert", "Carl"):
        clone = workshop.create(name)
        workshop.publish(clone, key=name)
        published.append(clone.clone_id)
    workshop.create("Dora")

    first = workshop.clones.directory(cursor=None, limit=2)
    rest = workshop.clones.directory(cursor=first.next_cursor, limit=2)

    assert [clone.clone_id for clone in (*first.clones, *rest.clones)] == published[::-1]
    assert rest.next_cursor is None
    for cursor, limit in ((None, 0), (None, 101), ("x", 1)):
        with pytest.raises(Invalid):
            workshop.clones.directory(cursor=cursor, limit=limit)


def test_events_tell_what_is_public_and_nothing_else(workshop: Workshop):
    clone = workshop.create()
    version = workshop.publish(clone)
    workshop.clones.set_profile(ALICE, clone.clone_id, name="Nemo", bio=None)
    workshop.clones.hide(clone.clone_id, operator="olga", reason="insult")
    workshop.clones.set_profile(ALICE, clone.clone_id, name=None, bio=None)

    messages = OutboxStore(workshop.database).after(clone.clone_id, seq=0, limit=10)

    assert [message.kind for message in messages] == [
        ClonePublished.KIND, CloneProfileChanged.KIND, CloneProfileChanged.KIND,
    ]  # fmt: skip
    published = msgspec.json.decode(messages[0].payload, type=ClonePublished)
    assert (published.version, published.commitment) == (1, version.commitment)
    assert b"Nemo" in bytes(messages[1].payload)
    assert b"Nemo" not in bytes(messages[2].payload)
    assert b"insult" not in bytes(messages[2].payload)


def test_house_strategies_are_offered_and_sound_here(workshop: Workshop):
    assert [house.name for house in workshop.clones.house_strategies()] == list(load_house())
    assert workshop.clones.house_strategy("house:random").title == "Random"


def test_no_public_type_has_a_private_field():
    private = {"strategy", "salt", "layout", "draft_revision", "hidden_reason", "version_id", "sha256"}
    for public in (contract.PublicClone, contract.PublicVersion, contract.Directory):
        assert private & set(public.__struct_fields__) == set()


def test_what_is_private_does_not_quote_itself_in_a_log_or_trace(workshop: Workshop):
    canary = "canary_text"
    clone = workshop.create()
    drawn = sound(decider=prompt(canary), model="openai:gpt")
    drawn["nodes"].append({"kind": "data_stream", "id": canary, "interval": "1h"})
    drawn["nodes"].append({"kind": "asset", "id": "more", "markets": ["BTC-USDC"]})
    drawn["edges"] += [{"source": canary, "target": "more"}, {"source": "more", "target": "prompt"}]
    save = SaveDraft(
        user_id=ALICE,
        clone_id=clone.clone_id,
        strategy=encode(drawn),
        layout={canary: (1, 1)},
        base_version=None,
        revision=0,
    )
    publish = Publish(
        user_id=ALICE,
        clone_id=clone.clone_id,
        strategy=encode(drawn),
        layout={},
        base_version=None,
        idempotency_key="k",
    )
    shown = [save, publish, workshop.clones.save_draft(save), workshop.clones.publish(publish)]
    shown += [workshop.clones.current_version(clone.clone_id), workshop.clones.read_draft(ALICE, clone.clone_id)]
    shown += [workshop.clones.validate(encode(drawn)), workshop.clones.diff(ALICE, clone.clone_id, 1, 1)]
    shown += [node for node in workshop.clones.version(ALICE, clone.clone_id, 1).strategy.nodes if node.id == "prompt"]

    assert canary in encode(drawn).decode()
    assert canary not in repr(shown)
    assert workshop.clones.version(ALICE, clone.clone_id, 1).salt not in repr(shown)


def test_engines_keep_the_versions_they_asked_for_last(workshop: Workshop, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr("pump_party.domains.clones.reading.STRATEGIES_KEPT_MAX", 2)
    clone = workshop.create()
    ids = [workshop.publish(clone, other(n + 1), base=n or None, key=f"k{n}").version_id for n in range(3)]
    first, second = (workshop.clones.strategy_of(version_id) for version_id in ids[:2])
    workshop.clones.strategy_of(ids[0])
    workshop.clones.strategy_of(ids[2])
    assert workshop.clones.strategy_of(ids[0]) is first
    again = workshop.clones.strategy_of(ids[1])
    assert again == second
    assert again is not second
