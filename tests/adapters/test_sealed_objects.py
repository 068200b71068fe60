"""Artifacts of clones at rest, on real keys and a real database: nobody reads them without the clone's own key."""

from hashlib import sha256
from pathlib import Path

import pytest
from tests.domains.clones.conftest import BOB, KEY, Workshop

from pump_party.adapters.object_store import ObjectStore
from pump_party.adapters.sealed_objects import BATCH_MIN, SealedArtifacts
from pump_party.db.engine import Database
from pump_party.domains.aitrading.artifacts import Artifact
from pump_party.kernel.errors import NotFound, Unavailable
from pump_party.kernel.ids import CloneId
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


def files(folder: Path) -> list[Path]:
    return [path for path in folder.rglob("*") if path.is_file()]


def test_what_is_kept_is_known_by_its_plain_hash_and_lies_there_sealed(workshop: Workshop, folder: Path):
    kept, clone_id = artifacts_of(workshop, folder), workshop.create().clone_id
    bodies = [WORDS + str(number).encode() for number in range(BATCH_MIN)]
    kept.put([Artifact.of(clone_id, body) for body in bodies])
    kept.put([Artifact.of(clone_id, bodies[0])])
    assert [kept.get(clone_id, sha256(body).hexdigest()) for body in bodies] == bodies
    found = files(folder)
    assert len(found) == BATCH_MIN
    for path in found:
        assert b"owner knows" not in path.read_bytes()
        assert path.name not in {sha256(body).hexdigest() for body in bodies}


def test_two_clones_with_the_same_words_keep_them_apart(workshop: Workshop, folder: Path):
    kept = artifacts_of(workshop, folder)
    mine, other = workshop.create().clone_id, workshop.create("Nana", BOB).clone_id
    artifact = Artifact.of(mine, WORDS)
    kept.put([artifact])
    with pytest.raises(NotFound):
        kept.get(other, artifact.sha256)
    kept.put([Artifact.of(other, WORDS)])
    first, second = files(folder)
    first.write_bytes(second.read_bytes())
    answers = []
    for clone_id in (mine, other):
        try:
            answers.append(kept.get(clone_id, artifact.sha256))
        except Unavailable as error:
            answers.append(error.code.encode())
    assert sorted(answers) == sorted([WORDS, b"seal_broken"])


def test_an_artifact_survives_a_rotation_and_opens_with_no_other_key(workshop: Workshop, folder: Path):
    clone_id = workshop.create().clone_id
    artifact = Artifact.of(clone_id, WORDS)
    artifacts_of(workshop, folder).put([artifact])
    rotated = workshop.with_keys(f"k2:{'22' * 32},{KEY}")
    rotated.clones.rewrap_keys(lambda _: None)
    only_new = workshop.with_keys(f"k2:{'22' * 32}")
    assert artifacts_of(only_new, folder).get(clone_id, artifact.sha256) == WORDS
    with pytest.raises(Unavailable):
        artifacts_of(workshop, folder).get(clone_id, artifact.sha256)


def test_what_is_deleted_is_gone_and_deleting_it_again_is_nothing(workshop: Workshop, folder: Path):
    kept, artifact = artifacts_of(workshop, folder), Artifact.of(workshop.create().clone_id, WORDS)
    kept.put([artifact])
    for _ in range(2):
        kept.delete(artifact.clone_id, [artifact.sha256])
    with pytest.raises(NotFound):
        kept.get(artifact.clone_id, artifact.sha256)
    assert files(folder) == []


def test_nothing_is_kept_for_a_clone_that_is_not_there(workshop: Workshop, folder: Path):
    with pytest.raises(NotFound):
        artifacts_of(workshop, folder).put([Artifact.of(CloneId("none"), WORDS)])
