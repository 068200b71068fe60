"""What is shown of a clone, and to whom. The public forms are made from what is public alone. Pure."""

import msgspec

from pump_party.domains.clones.model import Clone, Draft, DraftContent, Reported, Version, VersionContent
from pump_party.domains.clones.strategy import Strategy
from pump_party.domains.clones.views import (
    DraftView,
    OwnerClone,
    PublicClone,
    PublicVersion,
    ReportView,
    VersionSummary,
    VersionView,
)
from pump_party.domains.clones.words import CloneStatus

HIDDEN_NAME = "Hidden clone"
"""No clone can be named so: the naming rules reserve it."""


def public_clone(clone: Clone, newest: Version | None, *, owner_name: str) -> PublicClone:
    hidden = clone.hidden is not None
    return PublicClone(
        clone_id=clone.clone_id,
        name=f"{HIDDEN_NAME} {clone.clone_id[-4:]}" if hidden else clone.name,
        bio="" if hidden else clone.bio,
        avatar_seed=clone.avatar_seed,
        owner_name=owner_name,
        status=_status(clone),
        hidden=hidden,
        version=None if newest is None else newest.number,
        commitment=None if newest is None else newest.commitment,
        created_ms=clone.created_ms,
    )


def owner_clone(clone: Clone, newest: Version | None, *, draft_revision: int) -> OwnerClone:
    return OwnerClone(
        clone_id=clone.clone_id,
        name=clone.name,
        bio=clone.bio,
        avatar_seed=clone.avatar_seed,
        status=_status(clone),
        hidden_reason=None if clone.hidden is None else clone.hidden.reason,
        version=None if newest is None else newest.number,
        version_id=None if newest is None else newest.version_id,
        commitment=None if newest is None else newest.commitment,
        draft_revision=draft_revision,
        created_ms=clone.created_ms,
        updated_ms=clone.updated_ms,
    )


def _status(clone: Clone) -> CloneStatus:
    return CloneStatus.READY if clone.version else CloneStatus.DRAFT


def public_version(version: Version) -> PublicVersion:
    return PublicVersion(version.number, version.commitment, version.published_ms, version.revealed_ms)


def version_summary(version: Version) -> VersionSummary:
    return VersionSummary(
        version_id=version.version_id,
        number=version.number,
        sha256=version.sha256,
        commitment=version.commitment,
        published_ms=version.published_ms,
        revealed_ms=version.revealed_ms,
    )


def version_view(version: Version, content: VersionContent) -> VersionView:
    return VersionView(
        version_id=version.version_id,
        clone_id=version.clone_id,
        number=version.number,
        sha256=version.sha256,
        commitment=version.commitment,
        salt=content.salt,
        published_ms=version.published_ms,
        revealed_ms=version.revealed_ms,
        strategy=decode_strategy(content.strategy),
        layout=content.layout,
    )


def decode_strategy(content: msgspec.Raw) -> Strategy:
    """A strategy that was valid when it was stored."""
    return msgspec.json.decode(content, type=Strategy)


def draft_view(draft: Draft | None, content: DraftContent | None) -> DraftView:
    if draft is None or content is None:
        return DraftView(strategy=None, layout={}, base_version=None, revision=0, saved_ms=None)
    return DraftView(
        strategy=content.strategy,
        layout=content.layout,
        base_version=draft.base_version,
        revision=draft.revision,
        saved_ms=draft.saved_ms,
    )


def report_view(reported: Reported) -> ReportView:
    clone = reported.clone
    return ReportView(
        clone_id=clone.clone_id,
        name=clone.name,
        bio=clone.bio,
        reason=reported.reason,
        reports=reported.reports,
        hidden=clone.hidden is not None,
        newest_ms=reported.newest_ms,
    )
