"""Artifacts of clones in the object store, each sealed with its clone's data key. Only keys can read what is there."""

import hashlib
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Protocol

from pump_party.adapters.object_store import ObjectStore
from pump_party.domains.aitrading.artifacts import Artifact
from pump_party.domains.aitrading.records import Run
from pump_party.domains.clones.contract import Unreadable
from pump_party.kernel.ids import CloneId, RunId

WRITES_AT_ONCE = 4
BATCH_MIN = 8
"""From so many on, objects are written side by side."""


class ArtifactSeal(Protocol):
    """The part of `domains.clones.contract.Clones` that this needs."""

    def seal_artifacts(self, artifacts: Sequence[tuple[CloneId, str, bytes]]) -> Sequence[bytes]: ...

    def open_artifacts(self, artifacts: Sequence[tuple[CloneId, str, bytes]]) -> Sequence[bytes]: ...


class SealedArtifacts:
    """Implements `domains.aitrading.artifacts.Artifacts`. Blocking, safe to call from threads."""

    def __init__(self, objects: ObjectStore, seal: ArtifactSeal) -> None:
        self._objects = objects
        self._seal = seal
        self._writers = ThreadPoolExecutor(WRITES_AT_ONCE, thread_name_prefix="artifacts")

    def put(self, artifacts: Sequence[Artifact]) -> None:
        sealed = self._seal.seal_artifacts([(one.clone_id, one.sha256, one.body) for one in artifacts])
        places = [_place(one.run_id, one.sha256) for one in artifacts]
        if len(places) < BATCH_MIN:
            for place, body in zip(places, sealed, strict=True):
                self._objects.put_at(place, body)
            return
        for _ in self._writers.map(self._objects.put_at, places, sealed):
            pass

    def get(self, run: Run, sha256: str) -> bytes:
        sealed = self._objects.get_at(_place(run.run_id, sha256))
        (body,) = self._seal.open_artifacts([(run.clone_id, sha256, sealed)])
        if hashlib.sha256(body).hexdigest() != sha256:
            raise Unreadable(f"artifact {sha256} is damaged", code="object_damaged")
        return body

    def delete(self, run_id: RunId, sha256s: Sequence[str]) -> None:
        self._objects.delete_at([_place(run_id, one) for one in sha256s])


def _place(run_id: RunId, sha256: str) -> str:
    """Where it is kept. Two runs may have the same bytes: each has its own, so that it can go with its run."""
    return hashlib.sha256(f"{run_id}|{sha256}".encode()).hexdigest()
