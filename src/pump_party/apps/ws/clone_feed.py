"""What followers of a clone are shown of its events: everybody what it did, its owner also why."""

import msgspec

from pump_party.apps.decision_wire import render_own, render_public
from pump_party.apps.ws.frames import (
    CloneDecision,
    CloneDeployment,
    CloneProfile,
    ClonePublishedFrame,
    OwnCloneDeployment,
    Subscribed,
    text_frame,
)
from pump_party.apps.ws.subject_feed import SubjectFeed
from pump_party.domains.aitrading.contract import OwnerRunView, PublicRunView
from pump_party.events.aitrading import DecisionFinished, DeploymentChanged
from pump_party.events.clones import CloneProfileChanged, ClonePublished
from pump_party.platform.metrics import Metrics
from pump_party.platform.outbox import Outbox, OutboxMessage

_decode_finished = msgspec.json.Decoder(DecisionFinished).decode
_decode_public = msgspec.json.Decoder(PublicRunView).decode
_decode_own = msgspec.json.Decoder(OwnerRunView).decode
_decode_deployment = msgspec.json.Decoder(DeploymentChanged).decode
_decode_published = msgspec.json.Decoder(ClonePublished).decode
_decode_profile = msgspec.json.Decoder(CloneProfileChanged).decode


def clone_feed(outbox: Outbox, metrics: Metrics) -> SubjectFeed:
    """Who follows which clone."""
    return SubjectFeed(outbox, metrics, _render, _subscribed)


def _subscribed(clone_id: str, seq: int, frame_id: str | msgspec.UnsetType) -> Subscribed:
    return Subscribed(channel="clone", clone_id=clone_id, seq=seq, id=frame_id)


def _render(message: OutboxMessage, is_owner: bool) -> list[tuple[str, bytes]]:
    """Raises DecodeError."""
    match message.kind:
        case DecisionFinished.KIND:
            event = _decode_finished(message.payload)
            run = render_own(_decode_own(event.owner)) if is_owner else render_public(_decode_public(event.public))
            return [("clone_decision", text_frame(CloneDecision(event.clone_id, message.seq, run)))]
        case DeploymentChanged.KIND:
            changed = _decode_deployment(message.payload)
            return [("clone_deployment", text_frame(_deployment(changed, message.seq, is_owner=is_owner)))]
        case ClonePublished.KIND:
            made = _decode_published(message.payload)
            frame = ClonePublishedFrame(made.clone_id, message.seq, made.version, made.commitment, made.at_ms)
            return [("clone_published", text_frame(frame))]
        case CloneProfileChanged.KIND:
            now = _decode_profile(message.payload)
            return [("clone_profile", text_frame(CloneProfile(now.clone_id, message.seq, now.at_ms)))]
        case kind:
            raise msgspec.ValidationError(f"{kind} is not known here")


def _deployment(event: DeploymentChanged, seq: int, *, is_owner: bool) -> CloneDeployment:
    told = CloneDeployment(
        clone_id=event.clone_id,
        seq=seq,
        state=event.state,
        version=event.version,
        cadence_s=event.cadence_s,
        at_ms=event.at_ms,
    )
    return OwnCloneDeployment(**msgspec.structs.asdict(told), account_id=event.account_id) if is_owner else told
