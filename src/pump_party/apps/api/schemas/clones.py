"""Clones on the wire. What everybody may see and what the owner sees are different types."""

from collections.abc import Mapping, Sequence
from typing import Annotated

import msgspec

from pump_party.apps.api.schemas.deployments import (
    Deployment,
    PublicDeployment,
    render_own_deployment,
    render_public_deployment,
)
from pump_party.domains.aitrading.contract import DeploymentView, PublicDeploymentView
from pump_party.domains.clones.contract import (
    VERSIONS_PER_CLONE_MAX,
    CloneStatus,
    DraftView,
    HouseStrategy,
    Layout,
    Problem,
    PublicClone,
    PublicVersion,
    Revealed,
    Strategy,
    Validation,
    VersionSummary,
)
from pump_party.domains.clones.contract import Directory as DirectoryView
from pump_party.domains.clones.contract import OwnerClone as OwnerView
from pump_party.domains.clones.contract import VersionView as FullView
from pump_party.kernel.ids import CloneId
from pump_party.kernel.money import INT64_MAX

NAME_INPUT_CHARS_MAX = 1_024
"""What a name, a bio or a reason may have before the naming rules look at it."""

InputText = Annotated[str, msgspec.Meta(max_length=NAME_INPUT_CHARS_MAX)]
VersionNumber = Annotated[int, msgspec.Meta(ge=1, le=VERSIONS_PER_CLONE_MAX)]
Revision = Annotated[int, msgspec.Meta(ge=0, le=INT64_MAX)]
StrategyJson = Annotated[
    msgspec.Raw,
    msgspec.Meta(extra_json_schema={"type": "object", "description": "see `GET /v1/strategies/schema`"}),
]


class CloneBody(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    name: InputText
    bio: InputText = ""


class ProfileBody(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A field that is left out or null stays as it is."""

    name: InputText | None = None
    bio: InputText | None = None


class ReportBody(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What is wrong with a clone's name or bio."""

    reason: InputText


class DraftBody(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """`strategy` may have problems. `revision` is that of the draft as it was read, `base_version` where it began."""

    strategy: StrategyJson
    layout: Layout
    base_version: VersionNumber | None
    revision: Revision


class VersionBody(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """`base_version` is the version that was edited, null when there was none."""

    strategy: StrategyJson
    layout: Layout
    base_version: VersionNumber | None


class RestoreBody(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """`revision` is that of the draft that is written over."""

    revision: Revision


class StrategyBody(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    strategy: StrategyJson


class Clone(msgspec.Struct, frozen=True):
    """A clone as everybody sees it. While its name is `hidden`, `name` is a neutral one and `bio` empty.

    `version` and `commitment` are the newest version's, null before the first. `deployment` is the newest one, null for
    a clone that never traded.
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
    deployment: PublicDeployment | None


class CloneDirectory(msgspec.Struct, frozen=True):
    """Newest first; `next_cursor` continues, null is the end."""

    items: list[Clone]
    next_cursor: str | None


class OwnClone(msgspec.Struct, frozen=True):
    """A clone as its owner sees it, without its strategy. `draft_revision` is 0 while no draft was saved.

    `deployment` is the newest one, null for a clone that never traded.
    """

    clone_id: str
    name: str
    bio: str
    avatar_seed: int
    status: CloneStatus
    hidden_reason: str | None
    version: int | None
    version_id: str | None
    commitment: str | None
    draft_revision: int
    created_ms: int
    updated_ms: int
    deployment: Deployment | None


class OwnClones(msgspec.Struct, frozen=True):
    items: list[OwnClone]


class Draft(msgspec.Struct, frozen=True):
    """Work in progress. `strategy` is as it was saved and null before that; name `revision` in the next save."""

    strategy: Annotated[msgspec.Raw | None, msgspec.Meta(extra_json_schema={"type": ["object", "null"]})]
    layout: Layout
    base_version: int | None
    revision: int
    saved_ms: int | None


class StrategyProblem(msgspec.Struct, frozen=True):
    """`path` is the place in the JSON, such as `nodes[2].clauses[0].when`; `node_id` the block, null for the graph."""

    path: str
    node_id: str | None
    code: str
    message: str


class StrategyProblems(msgspec.Struct, frozen=True):
    """Empty for a strategy that can be published."""

    problems: list[StrategyProblem]


class VersionItem(msgspec.Struct, frozen=True):
    """`commitment` is hex of sha256(salt + sha256), both as raw bytes."""

    version_id: str
    number: int
    sha256: str
    commitment: str
    published_ms: int
    revealed_ms: int | None


class VersionItems(msgspec.Struct, frozen=True):
    """Newest first."""

    items: list[VersionItem]


class Version(msgspec.Struct, frozen=True):
    """A version as its owner sees it. `salt` is hex."""

    version_id: str
    clone_id: str
    number: int
    sha256: str
    commitment: str
    salt: str
    published_ms: int
    revealed_ms: int | None
    strategy: Strategy
    layout: Layout


class Commitment(msgspec.Struct, frozen=True):
    """A version as everybody sees it: fixed, and not told."""

    number: int
    commitment: str
    published_ms: int
    revealed_ms: int | None


class Commitments(msgspec.Struct, frozen=True):
    """Newest first."""

    items: list[Commitment]


class RevealedVersion(msgspec.Struct, frozen=True):
    """A version that its owner chose to show: anybody can recompute the commitment from it.

    `strategy` is the canonical JSON that `sha256` is of, as text; `salt` is hex.
    """

    number: int
    commitment: str
    salt: str
    sha256: str
    strategy: str


class HouseItem(msgspec.Struct, frozen=True):
    name: str
    title: str
    summary: str
    strategy: Strategy


class HouseStrategies(msgspec.Struct, frozen=True):
    items: list[HouseItem]


def render_clone(view: PublicClone, deployment: PublicDeploymentView | None) -> Clone:
    shown = None if deployment is None else render_public_deployment(deployment)
    return Clone(**msgspec.structs.asdict(view), deployment=shown)


def render_directory(view: DirectoryView, deployments: Mapping[CloneId, PublicDeploymentView]) -> CloneDirectory:
    items = [render_clone(clone, deployments.get(clone.clone_id)) for clone in view.clones]
    return CloneDirectory(items, view.next_cursor)


def render_own(view: OwnerView, deployment: DeploymentView | None) -> OwnClone:
    shown = None if deployment is None else render_own_deployment(deployment)
    return OwnClone(**msgspec.structs.asdict(view), deployment=shown)


def render_draft(view: DraftView) -> Draft:
    return Draft(view.strategy, view.layout, view.base_version, view.revision, view.saved_ms)


def render_problems(problems: Sequence[Problem]) -> list[StrategyProblem]:
    return [StrategyProblem(one.path, one.node_id, one.code, one.message) for one in problems]


def render_validation(validation: Validation) -> StrategyProblems:
    return StrategyProblems(render_problems(validation.problems))


def render_summary(view: VersionSummary) -> VersionItem:
    return msgspec.convert(view, VersionItem, from_attributes=True)


def render_version(view: FullView) -> Version:
    return msgspec.convert(view, Version, from_attributes=True)


def render_commitment(view: PublicVersion) -> Commitment:
    return Commitment(view.number, view.commitment, view.published_ms, view.revealed_ms)


def render_revealed(view: Revealed) -> RevealedVersion:
    return RevealedVersion(view.number, view.commitment, view.salt, view.sha256, bytes(view.strategy).decode())


def render_house(strategies: Sequence[HouseStrategy]) -> HouseStrategies:
    return HouseStrategies([HouseItem(one.name, one.title, one.summary, one.strategy) for one in strategies])
