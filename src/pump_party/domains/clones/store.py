"""What clones must remember. `db/clones.py` implements it on SQLite and Postgres. It never sees a strategy."""

from collections.abc import Mapping, Sequence
from contextlib import AbstractContextManager
from typing import Protocol

from pump_party.domains.clones.model import Clone, Decision, Draft, Report, Reported, SealedKey, SealedVersion, Version
from pump_party.events.clones import CloneProfileChanged, ClonePublished
from pump_party.kernel.ids import CloneId, UserId
from pump_party.platform.idempotency import RequestKey


class Transaction(Protocol):
    """One write transaction: all of it is kept, or, after an exception, none."""

    def lock_owner(self, user_id: UserId) -> None:
        """Make others that create clones for this user wait."""
        ...

    def count_clones(self, user_id: UserId) -> int: ...

    def add_clone(self, clone: Clone, key: SealedKey) -> bool:
        """False when another clone has a name that looks the same; then nothing is added."""
        ...

    def lock_clone(self, clone_id: str) -> tuple[Clone, SealedKey] | None:
        """The clone; others that change it wait."""
        ...

    def rename(self, clone: Clone) -> bool:
        """Store name, bio and `updated_ms`. False when the name is taken; then nothing is changed."""
        ...

    def set_hidden(self, clone: Clone, decision: Decision) -> None:
        """Store whether it is hidden, and the decision; its reports are decided."""
        ...

    def find_draft(self, clone_id: CloneId) -> Draft | None: ...

    def put_draft(self, draft: Draft) -> None: ...

    def newest_version(self, clone_id: CloneId) -> Version | None: ...

    def add_version(self, version: Version, sealed: bytes) -> None:
        """Store a version; it is the clone's newest."""
        ...

    def reveal(self, version: Version, *, at_ms: int) -> None:
        """Note that a version is revealed. A second time changes nothing."""
        ...

    def count_open_reports(self, user_id: UserId, *, besides: CloneId) -> int: ...

    def put_report(self, report: Report) -> None:
        """Store a report in place of an earlier one of the same user about the same clone."""
        ...

    def rewrap(self, clone_id: CloneId, *, before: SealedKey, after: SealedKey) -> None: ...

    def recall(self, request: RequestKey) -> bytes | None:
        """The answer this request got before, or None. Raises IdempotencyMismatch."""
        ...

    def remember(self, request: RequestKey, response: bytes, *, at_ms: int) -> None: ...

    def publish(self, event: ClonePublished | CloneProfileChanged) -> None: ...


class Store(Protocol):
    def transaction(self) -> AbstractContextManager[Transaction]: ...

    def find_clone(self, clone_id: str) -> Clone | None: ...

    def find_clones(self, clone_ids: Sequence[CloneId]) -> Sequence[Clone]:
        """In no order; ids that are no clone's are left out."""
        ...

    def list_clones(self, user_id: UserId) -> Sequence[Clone]:
        """Newest first."""
        ...

    def list_public(self, *, before: str | None, limit: int) -> Sequence[Clone]:
        """Clones with a version that are not hidden, by id, the newest first, all older than `before`."""
        ...

    def find_key(self, clone_id: CloneId) -> SealedKey: ...

    def find_keys(self, clone_ids: Sequence[CloneId]) -> Mapping[CloneId, tuple[Clone, SealedKey]]:
        """Ids that are no clone's are absent."""
        ...

    def newest_keys(self, *, limit: int) -> Sequence[tuple[Clone, SealedKey]]:
        """The data keys of the newest clones, the newest first."""
        ...

    def list_keys(self, *, after: str, limit: int) -> Sequence[tuple[Clone, SealedKey]]:
        """Every data key, by clone id."""
        ...

    def count_keys(self) -> Mapping[str, int]:
        """How many data keys each platform key wraps."""
        ...

    def find_draft(self, clone_id: CloneId) -> Draft | None: ...

    def draft_revisions(self, clone_ids: Sequence[CloneId]) -> Mapping[CloneId, int]:
        """Clones without a draft are absent."""
        ...

    def newest_versions(self, clone_ids: Sequence[CloneId]) -> Mapping[CloneId, Version]:
        """Clones without a version are absent."""
        ...

    def list_versions(self, clone_id: CloneId) -> Sequence[Version]:
        """Newest first."""
        ...

    def find_version(self, clone_id: CloneId, number: int) -> tuple[Version, bytes] | None:
        """A version and its sealed content."""
        ...

    def find_to_run(self, version_id: str) -> SealedVersion | None:
        """A version with all that it takes to open it, in one read."""
        ...

    def list_reported(self, *, limit: int) -> Sequence[Reported]:
        """Clones with undecided reports, the most reported first."""
        ...
