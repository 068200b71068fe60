"""Reads of clones, with the ownership check in front of everything private."""

from collections import OrderedDict
from collections.abc import Mapping, Sequence
from threading import Lock

from pump_party.domains.clones import projections
from pump_party.domains.clones.avatar import draw_avatar
from pump_party.domains.clones.diff import StrategyDiff, strategy_diff
from pump_party.domains.clones.model import Clone, SealedKey, SealedVersion, Version, VersionContent
from pump_party.domains.clones.store import Store
from pump_party.domains.clones.strategy import clone_node
from pump_party.domains.clones.vault import Vault
from pump_party.domains.clones.views import (
    Directory,
    DraftView,
    OwnerClone,
    PublicClone,
    PublicVersion,
    ReportView,
    Revealed,
    StrategyVersion,
    VersionSummary,
    VersionView,
)
from pump_party.domains.clones.words import DIRECTORY_LIMIT_MAX, Mood
from pump_party.domains.users.contract import Users
from pump_party.kernel.errors import Conflict, Invalid, NotFound
from pump_party.kernel.ids import CloneId, UserId, is_uuid

STRATEGIES_KEPT_MAX = 2_048
"""Versions that engines asked for last are kept opened: they never change."""


class CloneReader:
    """The reading half of `contract.Clones`."""

    def __init__(self, store: Store, vault: Vault, users: Users) -> None:
        self._store = store
        self._vault = vault
        self._users = users
        self._strategies: OrderedDict[str, StrategyVersion] = OrderedDict()
        self._lock = Lock()

    # --- for everybody -------------------------------------------------------------------------

    def public_clone(self, clone_id: str) -> PublicClone:
        return self._public([self.find(clone_id)])[0]

    def public_clones(self, clone_ids: Sequence[CloneId]) -> Mapping[CloneId, PublicClone]:
        found = self._store.find_clones([clone_id for clone_id in clone_ids if is_uuid(clone_id)])
        return {clone.clone_id: clone for clone in self._public(found)}

    def directory(self, *, cursor: str | None, limit: int) -> Directory:
        if not 1 <= limit <= DIRECTORY_LIMIT_MAX:
            raise Invalid(f"must be 1 to {DIRECTORY_LIMIT_MAX}", code="bad_limit", field="limit")
        if cursor is not None and not is_uuid(cursor):
            raise Invalid("is not a cursor of this list", code="bad_cursor", field="cursor")
        found = self._store.list_public(before=cursor, limit=limit + 1)
        page = found[:limit]
        return Directory(tuple(self._public(page)), page[-1].clone_id if len(found) > limit else None)

    def public_versions(self, clone_id: str) -> Sequence[PublicVersion]:
        clone = self.find(clone_id)
        return [projections.public_version(version) for version in self._store.list_versions(clone.clone_id)]

    def revealed(self, clone_id: str, number: int) -> Revealed:
        clone = self.find(clone_id)
        found = self._store.find_version(clone.clone_id, number)
        if found is None or found[0].revealed_ms is None:
            raise NotFound("there is no such version that its owner has revealed", code="not_revealed")
        version, content = found[0], self._open(clone, *found)
        return Revealed(version.number, version.commitment, content.salt, version.sha256, content.strategy)

    def avatar(self, clone_id: str, mood: Mood = Mood.CALM) -> str:
        return draw_avatar(self.find(clone_id).avatar_seed, mood)

    # --- for the owner -------------------------------------------------------------------------

    def my_clones(self, user_id: UserId) -> Sequence[OwnerClone]:
        return self._owned(self._store.list_clones(user_id))

    def owner_clone(self, user_id: UserId, clone_id: str) -> OwnerClone:
        return self._owned([self.find_own(user_id, clone_id)])[0]

    def read_draft(self, user_id: UserId, clone_id: str) -> DraftView:
        clone = self.find_own(user_id, clone_id)
        draft = self._store.find_draft(clone.clone_id)
        if draft is None:
            return projections.draft_view(None, None)
        content = self._vault.open_draft(clone, self._store.find_key(clone.clone_id), draft)
        return projections.draft_view(draft, content)

    def versions(self, user_id: UserId, clone_id: str) -> Sequence[VersionSummary]:
        clone = self.find_own(user_id, clone_id)
        return [projections.version_summary(version) for version in self._store.list_versions(clone.clone_id)]

    def version(self, user_id: UserId, clone_id: str, number: int) -> VersionView:
        version, content = self.find_version(self.find_own(user_id, clone_id), number)
        return projections.version_view(version, content)

    def diff(self, user_id: UserId, clone_id: str, before: int, after: int) -> StrategyDiff:
        clone = self.find_own(user_id, clone_id)
        old, new = (self.find_version(clone, number)[1].strategy for number in (before, after))
        return strategy_diff(projections.decode_strategy(old), projections.decode_strategy(new))

    # --- for engines and operators -------------------------------------------------------------

    def strategy_of(self, version_id: str) -> StrategyVersion:
        with self._lock:
            kept = self._strategies.get(version_id)
            if kept is not None:
                self._strategies.move_to_end(version_id)
                return kept
        found = self._store.find_to_run(version_id) if is_uuid(version_id) else None
        if found is None:
            raise _no_version()
        opened = self._strategy_version(found)
        with self._lock:
            self._strategies[version_id] = opened
            while len(self._strategies) > STRATEGIES_KEPT_MAX:
                self._strategies.popitem(last=False)
        return opened

    def current_version(self, clone_id: str) -> StrategyVersion:
        clone = self.find(clone_id)
        newest = self._store.newest_versions([clone.clone_id]).get(clone.clone_id)
        if newest is None:
            raise Conflict("this clone has no published version yet", code="not_published")
        return self.strategy_of(newest.version_id)

    def owner_of(self, clone_id: str) -> UserId:
        return self.find(clone_id).user_id

    def seal_artifacts(self, artifacts: Sequence[tuple[CloneId, str, bytes]]) -> Sequence[bytes]:
        keys = self._keys(artifacts)
        return [self._vault.seal_artifact(*keys[clone_id], name, body) for clone_id, name, body in artifacts]

    def open_artifacts(self, artifacts: Sequence[tuple[CloneId, str, bytes]]) -> Sequence[bytes]:
        keys = self._keys(artifacts)
        return [self._vault.open_artifact(*keys[clone_id], name, sealed) for clone_id, name, sealed in artifacts]

    def _keys(self, artifacts: Sequence[tuple[CloneId, str, bytes]]) -> Mapping[CloneId, tuple[Clone, SealedKey]]:
        keys = self._store.find_keys(sorted({clone_id for clone_id, _, _ in artifacts}))
        if any(clone_id not in keys for clone_id, _, _ in artifacts):
            raise no_clone()
        return keys

    def reported(self, *, limit: int) -> Sequence[ReportView]:
        return [projections.report_view(reported) for reported in self._store.list_reported(limit=limit)]

    # --- what both halves need -----------------------------------------------------------------

    def find(self, clone_id: str) -> Clone:
        """Raises NotFound (clone_not_found)."""
        clone = self._store.find_clone(clone_id) if is_uuid(clone_id) else None
        if clone is None:
            raise no_clone()
        return clone

    def find_own(self, user_id: UserId, clone_id: str) -> Clone:
        """Raises NotFound (clone_not_found), also for a clone of somebody else."""
        clone = self.find(clone_id)
        if clone.user_id != user_id:
            raise no_clone()
        return clone

    def find_version(self, clone: Clone, number: int) -> tuple[Version, VersionContent]:
        """Raises NotFound (version_not_found)."""
        found = self._store.find_version(clone.clone_id, number) if 1 <= number <= clone.version else None
        if found is None:
            raise _no_version()
        return found[0], self._open(clone, *found)

    def _open(self, clone: Clone, version: Version, sealed: bytes) -> VersionContent:
        return self._vault.open_version(clone, self._store.find_key(clone.clone_id), version, sealed)

    def _strategy_version(self, found: SealedVersion) -> StrategyVersion:
        version = found.version
        content = self._vault.open_version(found.clone, found.key, version, found.sealed)
        strategy = projections.decode_strategy(content.strategy)
        return StrategyVersion(
            version_id=version.version_id,
            clone_id=version.clone_id,
            number=version.number,
            strategy=strategy,
            sha256=version.sha256,
            cadence_s=clone_node(strategy).cadence_s,
            published_ms=version.published_ms,
        )

    def _public(self, clones: Sequence[Clone]) -> list[PublicClone]:
        newest = self._store.newest_versions([clone.clone_id for clone in clones])
        names = self._users.display_names(list({clone.user_id for clone in clones}))
        return [
            projections.public_clone(clone, newest.get(clone.clone_id), owner_name=names[clone.user_id])
            for clone in clones
        ]

    def _owned(self, clones: Sequence[Clone]) -> list[OwnerClone]:
        ids = [clone.clone_id for clone in clones]
        newest, drafts = self._store.newest_versions(ids), self._store.draft_revisions(ids)
        return [
            projections.owner_clone(clone, newest.get(clone.clone_id), draft_revision=drafts.get(clone.clone_id, 0))
            for clone in clones
        ]


def no_clone() -> NotFound:
    return NotFound("no such clone", code="clone_not_found")


def _no_version() -> NotFound:
    return NotFound("no such version", code="version_not_found")
