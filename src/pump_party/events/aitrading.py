"""Events of AI trading."""

from typing import ClassVar

import msgspec


class DeploymentChanged(msgspec.Struct, frozen=True):
    """A clone was deployed, paused, resumed or stopped. Which account it trades is for its owner alone."""

    KIND: ClassVar[str] = "deployment_changed"

    clone_id: str
    account_id: str
    state: str
    version: int
    cadence_s: int
    at_ms: int


class DecisionFinished(msgspec.Struct, frozen=True):
    """A clone's run has ended: what everybody (`public`) and its owner (`owner`) are told, never what is sealed.

    They are the JSON of the contract's `PublicRunView` and `OwnerRunView`.
    """

    KIND: ClassVar[str] = "decision_finished"

    run_id: str
    clone_id: str
    user_id: str
    public: msgspec.Raw
    owner: msgspec.Raw
    at_ms: int
