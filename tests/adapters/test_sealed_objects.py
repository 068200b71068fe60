"""Artifacts of clones at rest, on real keys and a real database: nobody reads them without the clone's own key."""

from hashlib import sha256
from pathlib import Path

import pytest
from tests.domains.clones.conftest import ALICE, BOB, KEY, Workshop

from pump_party.adapters.object_store import ObjectStore
from pump_party.adapters.sealed_objects import BATCH_MIN, SealedArtifacts
from pump_party.db.engine import Database
from pump_party.domains.aitrading.artifacts import Artifact
from pump_party.domains.aitrading.records import Run, RunSource
from pump_party.domains.aitrading.run_views import RunState
from pump_party.kernel.errors import NotFound, Unavailable
from pump_party.kernel.ids import AccountId, CloneId, DeploymentId, RunId, VersionId
from pump_party.platform.clock import ManualClock
from pump_party.platform.ids import Ids

WORDS = b'[{"user":"only the owner knows this"}]'


@pytest.fixture
def workshop(database: Database, clock: ManualClock) -> Workshop:
    return Workshop(database, clock, Ids(clock))


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "objects"


def artifacts_of(workshop: Workshop, folder: Path) -> SealedArtifacts:
    return SealedArtifacts(ObjectStore(str(folder)), workshop.clones)


def run_of(clone_id: CloneId, run_id: str = "run-1") -> Run:
    source, state = RunSource.SLOT, RunState.HELD
    ids = RunId(run_id), DeploymentId("d"), clone_id, ALICE, AccountId("a"), VersionId("v")
    return Run(*ids, 1, source, 0, 0, state, 0)


def files(folder: Path) -> list[Path]:
    return [path for path in folder.rglob("*") if path.is_file()]


def test_what_is_kept_is_known_by_its_plain_hash_and_lies_there_sealed(workshop: Workshop, folder: Path):
    kept, run = artifacts_of(workshop, folder), run_of(workshop.create().clone_id)
    bodies = [WORDS + str(number).encode() for number in range(BATCH_MIN)]
    kept.put([Artifact.of(run, body) for body in bodies])
    kept.put([Artifact.of(run, bodies[0])])
    assert [kept.get(run, sha256(body).hexdigest()) for body in bodies] == bodies
    found = files(folder)
    assert len(found) == BATCH_MIN
    for path in found:
        assert b"owner knows" not in path.read_bytes()
        assert path.name not in {sha256(body).hexdigest() for body in bodies}


def test_two_clones_with_the_same_words_keep_them_apart(workshop: Workshop, folder: Path):
    kept = artifacts_of(workshop, folder)
    mine = run_of(workshop.create().clone_id)
    other = run_of(workshop.create("Nana", BOB).clone_id, "run-2")
    artifact = Artifact.of(mine, WORDS)
    kept.put([artifact])
    with pytest.raises(NotFound):
        kept.get(other, artifact.sha256)
    kept.put([Artifact.of(other, WORDS)])
    first, second = files(folder)
    first.write_bytes(second.read_bytes())
    answers = []
    for run in (mine, other):
        try:
            answers.append(kept.get(run, artifact.sha256))
        except Unavailable as error:
            answers.append(error.code.encode())
    assert sorted(answers) == sorted([WORDS, b"seal_broken"])


def test_an_artifact_survives_a_rotation_and_opens_with_no_other_key(workshop: Workshop, folder: Path):
    run = run_of(workshop.create().clone_id)
    artifact = Artifact.of(run, WORDS)
    artifacts_of(workshop, folder).put([artifact])
    rotated = workshop.with_keys(f"k2:{'22' * 32},{KEY}")
    rotated.clones.rewrap_keys(lambda _: None)
    only_new = workshop.with_keys(f"k2:{'22' * 32}")
    assert artifacts_of(only_new, folder).get(run, artifact.sha256) == WORDS
    with pytest.raises(Unavailable):
        artifacts_of(workshop, folder).get(run, artifact.sha256)


def test_what_is_deleted_is_gone_from_its_run_alone_and_deleting_it_again_is_nothing(workshop: Workshop, folder: Path):
    kept, clone_id = artifacts_of(workshop, folder), workshop.create().clone_id
    old, new = run_of(clone_id), run_of(clone_id, "run-2")
    kept.put([Artifact.of(old, WORDS), Artifact.of(new, WORDS)])
    name = sha256(WORDS).hexdigest()
    for _ in range(2):
        kept.delete(old.run_id, [name])
    with pytest.raises(NotFound):
        kept.get(old, name)
    assert kept.get(new, name) == WORDS
    assert len(files(folder)) == 1


def test_nothing_is_kept_for_a_clone_that_is_not_there(workshop: Workshop, folder: Path):
    with pytest.raises(NotFound):
        artifacts_of(workshop, folder).put([Artifact.of(run_of(CloneId("none")), WORDS)])
