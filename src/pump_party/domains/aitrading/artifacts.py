"""What a decision saw, asked and was answered, kept by the hash of its bytes and sealed for its clone."""

from collections.abc import Sequence
from hashlib import sha256
from typing import Protocol

import msgspec

from pump_party.domains.aitrading.records import Run
from pump_party.kernel.ids import CloneId, RunId


class Artifact(msgspec.Struct, frozen=True):
    """`sha256` is of the plain body: the name by which its owner and its run know it."""

    run_id: RunId
    clone_id: CloneId
    sha256: str
    body: bytes

    @classmethod
    def of(cls, run: Run, body: bytes) -> "Artifact":
        return cls(run.run_id, run.clone_id, sha256(body).hexdigest(), body)

    def __repr__(self) -> str:
        return f"Artifact({self.sha256} of run {self.run_id}, {len(self.body)} bytes)"


class Artifacts(Protocol):
    """`adapters/sealed_objects.py` implements it. What is kept can be read with the clone's own key alone."""

    def put(self, artifacts: Sequence[Artifact]) -> None:
        """Keep them all; one that is there already stays. Raises Unavailable: some may be kept then."""
        ...

    def get(self, run: Run, sha256: str) -> bytes:
        """Raises NotFound, Unavailable."""
        ...

    def delete(self, run_id: RunId, sha256s: Sequence[str]) -> None:
        """For good, of this run alone; those that are not there are none. Raises Unavailable."""
        ...
