"""Deployments of clones on the wire: what everybody may see and what the owner sees are different types."""

import msgspec

from pump_party.domains.aitrading.contract import DeploymentState, DeploymentView, PublicDeploymentView
from pump_party.domains.prop_interface.contract import AccountStatus


class PublicDeployment(msgspec.Struct, frozen=True, tag_field="form", tag="public"):
    """Whether a clone trades, as everybody sees it: while it runs and its account is active.

    `next_slot_ms` is null while it does not run.
    """

    clone_id: str
    state: DeploymentState
    account_status: AccountStatus
    version: int
    cadence_s: int
    next_slot_ms: int | None
    started_ms: int


class Deployment(msgspec.Struct, frozen=True, tag_field="form", tag="owner"):
    """A clone trading an account of its own, as its owner sees it. `next_slot_ms` is null while it does not run.

    In the markets of `unreadable_conditions` it has a position whose condition cannot be opened: nobody watches it, and
    its slots fail. Close the position, or stop the clone and deploy it again.
    """

    deployment_id: str
    clone_id: str
    account_id: str
    rule_set: str
    state: DeploymentState
    account_status: AccountStatus
    version: int
    version_id: str
    cadence_s: int
    next_slot_ms: int | None
    started_ms: int
    unreadable_conditions: list[str]


def render_deployment(view: DeploymentView | PublicDeploymentView) -> Deployment | PublicDeployment:
    return render_own_deployment(view) if isinstance(view, DeploymentView) else render_public_deployment(view)


def render_public_deployment(view: PublicDeploymentView) -> PublicDeployment:
    return msgspec.convert(view, PublicDeployment, from_attributes=True)


def render_own_deployment(view: DeploymentView) -> Deployment:
    return msgspec.convert(view, Deployment, from_attributes=True)
