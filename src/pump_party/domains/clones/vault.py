"""Seals and opens what is private of a clone: its draft and its versions."""

import msgspec

from pump_party.domains.clones.model import Clone, Draft, DraftContent, SealedKey, Version, VersionContent
from pump_party.domains.clones.sealing import Sealing, artifact_binding, draft_binding, key_binding, version_binding


class Vault:
    """Every content is bound to its owner, its clone and its place: moved elsewhere it cannot be opened."""

    def __init__(self, sealing: Sealing) -> None:
        self._sealing = sealing

    def new_key(self, clone: Clone, *, first: bool) -> SealedKey:
        return self._sealing.new_key(key_binding(clone.user_id, clone.clone_id), first=first)

    def check(self, clone: Clone, key: SealedKey) -> None:
        """Raises KeyMissing, SealBroken."""
        self._sealing.check(key, key_binding(clone.user_id, clone.clone_id))

    def rewrap(self, clone: Clone, key: SealedKey) -> SealedKey | None:
        return self._sealing.rewrap(key, key_binding(clone.user_id, clone.clone_id))

    def seal_draft(self, clone: Clone, key: SealedKey, content: DraftContent, *, revision: int) -> bytes:
        binding = draft_binding(clone.user_id, clone.clone_id, revision)
        return self._seal(clone, key, msgspec.json.encode(content), binding)

    def open_draft(self, clone: Clone, key: SealedKey, draft: Draft) -> DraftContent:
        binding = draft_binding(clone.user_id, clone.clone_id, draft.revision)
        return msgspec.json.decode(self._open(clone, key, draft.sealed, binding), type=DraftContent)

    def seal_version(self, clone: Clone, key: SealedKey, content: VersionContent, *, number: int) -> bytes:
        binding = version_binding(clone.user_id, clone.clone_id, number)
        return self._seal(clone, key, msgspec.json.encode(content), binding)

    def open_version(self, clone: Clone, key: SealedKey, version: Version, sealed: bytes) -> VersionContent:
        binding = version_binding(clone.user_id, clone.clone_id, version.number)
        return msgspec.json.decode(self._open(clone, key, sealed, binding), type=VersionContent)

    def seal_artifact(self, clone: Clone, key: SealedKey, name: str, body: bytes) -> bytes:
        return self._seal(clone, key, body, artifact_binding(clone.user_id, clone.clone_id, name))

    def open_artifact(self, clone: Clone, key: SealedKey, name: str, sealed: bytes) -> bytes:
        return self._open(clone, key, sealed, artifact_binding(clone.user_id, clone.clone_id, name))

    def _seal(self, clone: Clone, key: SealedKey, content: bytes, bound_to: bytes) -> bytes:
        key_bound_to = key_binding(clone.user_id, clone.clone_id)
        return self._sealing.seal(key, content, key_bound_to=key_bound_to, bound_to=bound_to)

    def _open(self, clone: Clone, key: SealedKey, sealed: bytes, bound_to: bytes) -> bytes:
        key_bound_to = key_binding(clone.user_id, clone.clone_id)
        return self._sealing.open(key, sealed, key_bound_to=key_bound_to, bound_to=bound_to)
