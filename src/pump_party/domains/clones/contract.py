"""What apps and other domains may ask of clones. The strategy graph and its words are named from here, too.

The files beside this one declare what is named here.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Protocol

from pump_party.domains.clones.diff import FieldChange, NodeChange, StrategyDiff
from pump_party.domains.clones.house_strategies import HouseStrategy, house_strategy, load_house
from pump_party.domains.clones.naming import BIO_CHARS_MAX, NAME_CHARS_MAX, NAME_CHARS_MIN
from pump_party.domains.clones.problem import Problem, ProblemCode, Validation
from pump_party.domains.clones.refusals import DraftConflict, InvalidStrategy, VersionConflict
from pump_party.domains.clones.rule import (
    AllOf,
    Always,
    AnyOf,
    Chance,
    Clause,
    Close,
    Compare,
    Condition,
    Cross,
    FeatureOperand,
    Hold,
    Not,
    NumberOperand,
    Op,
    Operand,
    PositionFigure,
    PositionOperand,
    RuleAction,
    Target,
)
from pump_party.domains.clones.sealing import Unreadable
from pump_party.domains.clones.strategy import (
    CADENCES_S,
    MODEL_CHARS_MAX,
    PROMPT_CHARS_MAX,
    STRATEGY_BYTES_MAX,
    AssetNode,
    CloneNode,
    DataStreamNode,
    Edge,
    Node,
    PromptNode,
    RuleNode,
    Strategy,
    StrategyPath,
    canonical,
    clone_node,
    content_sha256,
    json_schema,
    paths,
)
from pump_party.domains.clones.views import (
    Directory,
    DraftView,
    OwnerClone,
    PublicClone,
    PublicVersion,
    Publish,
    ReportView,
    Revealed,
    Rewrapped,
    SaveDraft,
    StrategyVersion,
    VersionSummary,
    VersionView,
)
from pump_party.domains.clones.words import (
    CLONES_PER_USER_MAX,
    DIRECTORY_LIMIT_MAX,
    REASON_CHARS_MAX,
    VERSIONS_PER_CLONE_MAX,
    CloneStatus,
    Layout,
    Mood,
)
from pump_party.kernel.ids import CloneId, UserId

__all__ = [
    "BIO_CHARS_MAX",
    "CADENCES_S",
    "CLONES_PER_USER_MAX",
    "DIRECTORY_LIMIT_MAX",
    "MODEL_CHARS_MAX",
    "NAME_CHARS_MAX",
    "NAME_CHARS_MIN",
    "PROMPT_CHARS_MAX",
    "REASON_CHARS_MAX",
    "STRATEGY_BYTES_MAX",
    "VERSIONS_PER_CLONE_MAX",
    "AllOf",
    "Always",
    "AnyOf",
    "AssetNode",
    "Chance",
    "Clause",
    "CloneNode",
    "CloneStatus",
    "Clones",
    "Close",
    "Compare",
    "Condition",
    "Cross",
    "DataStreamNode",
    "Directory",
    "DraftConflict",
    "DraftView",
    "Edge",
    "FeatureOperand",
    "FieldChange",
    "Hold",
    "HouseStrategy",
    "InvalidStrategy",
    "Layout",
    "Mood",
    "Node",
    "NodeChange",
    "Not",
    "NumberOperand",
    "Op",
    "Operand",
    "OwnerClone",
    "PositionFigure",
    "PositionOperand",
    "Problem",
    "ProblemCode",
    "PromptNode",
    "PublicClone",
    "PublicVersion",
    "Publish",
    "ReportView",
    "Revealed",
    "Rewrapped",
    "RuleAction",
    "RuleNode",
    "SaveDraft",
    "Strategy",
    "StrategyDiff",
    "StrategyPath",
    "StrategyVersion",
    "Target",
    "Unreadable",
    "Validation",
    "VersionConflict",
    "VersionSummary",
    "VersionView",
    "canonical",
    "clone_node",
    "content_sha256",
    "house_strategy",
    "json_schema",
    "load_house",
    "paths",
]


class Clones(Protocol):
    """Clones and their strategies. All methods are synchronous and safe to call from threads.

    A method that takes a `user_id` raises NotFound (clone_not_found) for a clone that is not this user's.
    """

    # --- for everybody -------------------------------------------------------------------------

    def public_clone(self, clone_id: str) -> PublicClone:
        """Raises NotFound (clone_not_found)."""
        ...

    def public_clones(self, clone_ids: Sequence[CloneId]) -> Mapping[CloneId, PublicClone]:
        """For boards. Ids that are no clone's are absent."""
        ...

    def directory(self, *, cursor: str | None, limit: int) -> Directory:
        """Clones with a published version and a name that is not hidden. Raises Invalid (bad_cursor, bad_limit)."""
        ...

    def public_versions(self, clone_id: str) -> Sequence[PublicVersion]:
        """Newest first. Raises NotFound."""
        ...

    def revealed(self, clone_id: str, number: int) -> Revealed:
        """Raises NotFound (clone_not_found; not_revealed, also for a version that does not exist)."""
        ...

    def avatar(self, clone_id: str, mood: Mood = Mood.CALM) -> str:
        """A square SVG, the same for ever. Raises NotFound."""
        ...

    def report(self, user_id: UserId, clone_id: str, *, reason: str) -> None:
        """Ask operators to look at a name or bio. The same user's second report replaces the first.

        Raises NotFound, Invalid (bad_reason), Conflict (too_many_reports).
        """
        ...

    def house_strategies(self) -> Sequence[HouseStrategy]: ...

    def house_strategy(self, name: str) -> HouseStrategy:
        """By "momentum" or "house:momentum". Raises NotFound (house_strategy_not_found)."""
        ...

    def validate(self, strategy: bytes) -> Validation:
        """Every problem of a graph in JSON, with its place. Raises Invalid (strategy_too_large)."""
        ...

    # --- for the owner -------------------------------------------------------------------------

    def create_clone(self, user_id: UserId, *, name: str, bio: str, idempotency_key: str) -> OwnerClone:
        """The same request again returns the first answer.

        Raises Invalid (bad_name, bad_bio, idempotency_mismatch), Conflict (name_taken, too_many_clones).
        """
        ...

    def my_clones(self, user_id: UserId) -> Sequence[OwnerClone]:
        """Newest first, at most CLONES_PER_USER_MAX."""
        ...

    def owner_clone(self, user_id: UserId, clone_id: str) -> OwnerClone: ...

    def set_profile(self, user_id: UserId, clone_id: str, *, name: str | None, bio: str | None) -> OwnerClone:
        """None leaves a field as it is. Raises Invalid (bad_name, bad_bio), Conflict (name_taken).

        A hidden clone stays hidden until an operator shows it.
        """
        ...

    def read_draft(self, user_id: UserId, clone_id: str) -> DraftView: ...

    def save_draft(self, command: SaveDraft) -> DraftView:
        """Raises DraftConflict, Invalid (strategy_too_large, not_a_strategy, bad_layout), NotFound for the base."""
        ...

    def publish(self, command: Publish) -> VersionView:
        """Make a version that never changes. The same request again returns the first answer.

        The draft goes on from it. Raises InvalidStrategy, VersionConflict, Conflict (version_unchanged,
        too_many_versions), Invalid (strategy_too_large, bad_layout, idempotency_mismatch).
        """
        ...

    def versions(self, user_id: UserId, clone_id: str) -> Sequence[VersionSummary]:
        """Newest first, at most VERSIONS_PER_CLONE_MAX."""
        ...

    def version(self, user_id: UserId, clone_id: str, number: int) -> VersionView:
        """Raises NotFound (version_not_found)."""
        ...

    def diff(self, user_id: UserId, clone_id: str, before: int, after: int) -> StrategyDiff:
        """What changed between two versions. Raises NotFound (version_not_found)."""
        ...

    def restore(self, user_id: UserId, clone_id: str, number: int, *, revision: int) -> DraftView:
        """Make an older version the draft, based on the newest. Raises NotFound (version_not_found), DraftConflict."""
        ...

    def reveal(self, user_id: UserId, clone_id: str, number: int) -> PublicVersion:
        """Publish a version's strategy and salt, for good. Raises NotFound (version_not_found)."""
        ...

    # --- for engines ---------------------------------------------------------------------------

    def strategy_of(self, version_id: str) -> StrategyVersion:
        """The strategy to run, whoever owns it. Raises NotFound (version_not_found), and as `open_artifacts`."""
        ...

    def current_version(self, clone_id: str) -> StrategyVersion:
        """The newest version. Raises NotFound (clone_not_found), Conflict (not_published)."""
        ...

    def owner_of(self, clone_id: str) -> UserId:
        """Raises NotFound (clone_not_found)."""
        ...

    def seal_artifacts(self, artifacts: Sequence[tuple[CloneId, str, bytes]]) -> Sequence[bytes]:
        """Seal what belongs to decisions, each with the data key of its clone and for its name alone.

        Raises as `open_artifacts`; then none is sealed.
        """
        ...

    def open_artifacts(self, artifacts: Sequence[tuple[CloneId, str, bytes]]) -> Sequence[bytes]:
        """All of them.

        Raises NotFound (clone_not_found) or Unreadable (strategy_key_missing, seal_broken) where one of them cannot be
        opened, Unavailable (strategy_key_missing) where this process has no key at all.
        """
        ...

    # --- for operators -------------------------------------------------------------------------

    def hide(self, clone_id: str, *, operator: str, reason: str) -> PublicClone:
        """Take a name and bio out of sight. Raises NotFound, Invalid (bad_operator, bad_reason)."""
        ...

    def show(self, clone_id: str, *, operator: str, reason: str) -> PublicClone:
        """Undo `hide`. Raises NotFound, Invalid (bad_operator, bad_reason)."""
        ...

    def reported(self, *, limit: int) -> Sequence[ReportView]:
        """Clones with reports nobody has decided about, most reported first."""
        ...

    def check_keys(self) -> None:
        """Raise Unavailable (strategy_key_missing, seal_broken) when what was sealed last cannot be opened."""
        ...

    def count_keys(self) -> Mapping[str, int]:
        """How many clones' data keys each platform key wraps."""
        ...

    def rewrap_keys(self, progress: Callable[[int], None]) -> Rewrapped:
        """Wrap every clone's data key with the newest platform key. Safe to repeat."""
        ...
