"""What is asked of clones and what is shown of them. No public type has a private field."""

import msgspec

from pump_party.domains.clones.strategy import Strategy
from pump_party.domains.clones.words import CloneStatus, Layout
from pump_party.kernel.ids import CloneId, UserId, VersionId


class PublicClone(msgspec.Struct, frozen=True):
    """What everybody may see. While a name is hidden, `name` is a neutral one and `bio` empty.

    `version` and `commitment` are the newest version's, None before the first.
    """

    clone_id: CloneId
    name: str
    bio: str
    avatar_seed: int
    owner_name: str
    status: CloneStatus
    hidden: bool
    version: int | None
    commitment: str | None
    created_ms: int


class Directory(msgspec.Struct, frozen=True):
    """Public clones, newest first. `next_cursor` is None on the last page."""

    clones: tuple[PublicClone, ...]
    next_cursor: str | None


class PublicVersion(msgspec.Struct, frozen=True):
    """`commitment` is hex of sha256(salt + content hash), both as raw bytes. It fixes a strategy and tells nothing."""

    number: int
    commitment: str
    published_ms: int
    revealed_ms: int | None


class Revealed(msgspec.Struct, frozen=True):
    """What an owner chose to show of a version: with it anybody can recompute the commitment.

    `strategy` is the canonical JSON that `sha256` is of; `salt` is hex.
    """

    number: int
    commitment: str
    salt: str
    sha256: str
    strategy: msgspec.Raw


class OwnerClone(msgspec.Struct, frozen=True):
    """What the owner sees of a clone, without its strategy."""

    clone_id: CloneId
    name: str
    bio: str
    avatar_seed: int
    status: CloneStatus
    hidden_reason: str | None
    version: int | None
    version_id: VersionId | None
    commitment: str | None
    draft_revision: int
    """0 while nothing was saved."""

    created_ms: int
    updated_ms: int


class DraftView(msgspec.Struct, frozen=True):
    """Work in progress. `strategy` is JSON as it was saved and may have problems; None before the first save.

    `revision` is what the next save must name; `base_version` the version the work began with, None for none.
    """

    strategy: msgspec.Raw | None
    layout: Layout
    base_version: int | None
    revision: int
    saved_ms: int | None

    def __repr__(self) -> str:
        return f"DraftView(revision {self.revision})"


class SaveDraft(msgspec.Struct, frozen=True, kw_only=True):
    """`strategy` is the JSON of a graph, finished or not, of at most STRATEGY_BYTES_MAX bytes."""

    user_id: UserId
    clone_id: str
    strategy: bytes
    layout: Layout
    base_version: int | None
    revision: int

    def __repr__(self) -> str:
        return f"SaveDraft(clone {self.clone_id}, revision {self.revision})"


class Publish(msgspec.Struct, frozen=True, kw_only=True):
    """`base_version` is the version that was edited, None when there was none."""

    user_id: UserId
    clone_id: str
    strategy: bytes
    layout: Layout
    base_version: int | None
    idempotency_key: str

    def __repr__(self) -> str:
        return f"Publish(clone {self.clone_id}, base version {self.base_version})"


class VersionSummary(msgspec.Struct, frozen=True):
    """A version as its owner sees it in a list."""

    version_id: VersionId
    number: int
    sha256: str
    commitment: str
    published_ms: int
    revealed_ms: int | None


class VersionView(msgspec.Struct, frozen=True):
    """A version as its owner sees it. `salt` is hex and stays private until the version is revealed."""

    version_id: VersionId
    clone_id: CloneId
    number: int
    sha256: str
    commitment: str
    salt: str
    published_ms: int
    revealed_ms: int | None
    strategy: Strategy
    layout: Layout

    def __repr__(self) -> str:
        return f"VersionView(clone {self.clone_id}, version {self.number})"


class StrategyVersion(msgspec.Struct, frozen=True):
    """What engines run. Immutable: may be kept as long as one likes."""

    version_id: VersionId
    clone_id: CloneId
    number: int
    strategy: Strategy
    sha256: str
    cadence_s: int
    published_ms: int


class Rewrapped(msgspec.Struct, frozen=True):
    """How many data keys were wrapped with the newest platform key, and whose could not be opened: they stay."""

    count: int
    unreadable: tuple[CloneId, ...]


class ReportView(msgspec.Struct, frozen=True):
    """What an operator sees of a report about a clone's name or bio."""

    clone_id: CloneId
    name: str
    bio: str
    reason: str
    reports: int
    hidden: bool
    newest_ms: int
