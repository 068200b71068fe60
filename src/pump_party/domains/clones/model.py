"""The nouns of clones, as they are stored."""

import msgspec

from pump_party.domains.clones.words import Layout
from pump_party.kernel.ids import CloneId, UserId, VersionId


class Hidden(msgspec.Struct, frozen=True):
    """Why a clone's name and bio are out of sight."""

    reason: str
    at_ms: int


class Clone(msgspec.Struct, frozen=True):
    """`name_key` is what makes names unique. `version` is the number of its newest version, 0 before the first."""

    clone_id: CloneId
    user_id: UserId
    name: str
    name_key: str
    bio: str
    avatar_seed: int
    version: int
    hidden: Hidden | None
    created_ms: int
    updated_ms: int


class SealedKey(msgspec.Struct, frozen=True):
    """A clone's data key, wrapped with the platform key of this id."""

    key_id: str
    wrapped: bytes


class Draft(msgspec.Struct, frozen=True):
    """`sealed` is a sealed `DraftContent`."""

    clone_id: CloneId
    base_version: int | None
    revision: int
    sealed: bytes
    saved_ms: int


class DraftContent(msgspec.Struct, frozen=True):
    strategy: msgspec.Raw
    layout: Layout

    def __repr__(self) -> str:
        return "DraftContent(private)"


class Version(msgspec.Struct, frozen=True):
    """Never changes, but for being revealed. Its strategy is stored beside it: a sealed `VersionContent`."""

    version_id: VersionId
    clone_id: CloneId
    number: int
    sha256: str
    commitment: str
    published_ms: int
    revealed_ms: int | None = None


class SealedVersion(msgspec.Struct, frozen=True):
    """A version with all that it takes to open it."""

    clone: Clone
    key: SealedKey
    version: Version
    sealed: bytes


class VersionContent(msgspec.Struct, frozen=True):
    """`strategy` is the canonical JSON that the content hash is of; `salt` is hex."""

    strategy: msgspec.Raw
    layout: Layout
    salt: str

    def __repr__(self) -> str:
        return "VersionContent(private)"


class Report(msgspec.Struct, frozen=True):
    clone_id: CloneId
    user_id: UserId
    reason: str
    at_ms: int


class Decision(msgspec.Struct, frozen=True):
    """What an operator decided about a clone's name and bio. Kept for good."""

    decision_id: str
    clone_id: CloneId
    action: str
    operator: str
    reason: str
    at_ms: int


class Reported(msgspec.Struct, frozen=True):
    """A clone with reports that nobody has decided about; `reason` is the newest's."""

    clone: Clone
    reports: int
    reason: str
    newest_ms: int
