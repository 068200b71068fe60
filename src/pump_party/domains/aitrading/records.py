"""What is remembered of deployments, runs and model calls, and what a run that has ended leaves behind. Pure."""

from enum import StrEnum

import msgspec

from pump_party.domains.aitrading.model import Invalidation, PastDecision, Proposal, Verdict
from pump_party.domains.aitrading.recollection import kept_after, past_after
from pump_party.domains.aitrading.run_views import DeploymentState, RunState
from pump_party.domains.aitrading.slots import DAY_MS
from pump_party.domains.prop_interface.contract import Action
from pump_party.kernel.ids import AccountId, CloneId, DeploymentId, Market, OrderId, RunId, UserId, VersionId

FINAL = frozenset((RunState.EXECUTED, RunState.HELD, RunState.REJECTED, RunState.LATE, RunState.FAILED))


class RunSource(StrEnum):
    """Who decided: the clone's own strategy in its slot, a program outside, or a condition that came true."""

    SLOT = "slot"
    OUTSIDE = "outside"
    INVALIDATION = "invalidation"


class HeldCondition(msgspec.Struct, frozen=True, omit_defaults=True):
    """A condition in force: sealed in a box of that name, at the place of its proposal (`private.py`).

    One of an earlier release is in the clear in `condition`, and has no box.
    """

    market: Market
    condition: Invalidation | None = None
    box_name: str = ""
    place: int = 0
    box: bytes = b""


class Deployment(msgspec.Struct, frozen=True):
    """A clone trading an account, and what it remembers. It takes part in slots from `running_since_ms` on."""

    deployment_id: DeploymentId
    clone_id: CloneId
    user_id: UserId
    account_id: AccountId
    rule_set: str
    version_id: VersionId
    version: int
    cadence_s: int
    state: DeploymentState
    started_ms: int
    running_since_ms: int
    past: tuple[PastDecision, ...] = ()
    conditions: tuple[HeldCondition, ...] = ()
    actions_day: int = 0
    actions_count: int = 0

    def actions_today(self, now_ms: int) -> int:
        return self.actions_count if self.actions_day == now_ms // DAY_MS else 0


class RunBody(msgspec.Struct, frozen=True):
    """What a run proposed, what the gates said, what was submitted, and the orders that came of it.

    `guarded` are the markets in which a proposal brings a condition that lies sealed.
    """

    proposals: tuple[Proposal, ...] = ()
    verdicts: tuple[Verdict, ...] = ()
    actions: tuple[Action, ...] = ()
    mids_e8: dict[Market, int] = {}
    orders: tuple[tuple[Market, OrderId], ...] = ()
    guarded: tuple[Market, ...] = ()


class Run(msgspec.Struct, frozen=True):
    """One decision. Hashes name artifacts. `account_seq` is the newest event of the account that it saw.

    `sealed` is what is private of proposals and verdicts (`private.py`); the body of a stored run has none of it.
    """

    run_id: RunId
    deployment_id: DeploymentId
    clone_id: CloneId
    user_id: UserId
    account_id: AccountId
    version_id: VersionId
    version: int
    source: RunSource
    slot_ms: int
    deadline_ms: int
    state: RunState
    claimed_ms: int
    code: str | None = None
    detail: str | None = None
    finished_ms: int | None = None
    account_seq: int | None = None
    snapshot_sha256: str | None = None
    context_sha256: str | None = None
    prompt_sha256: str | None = None
    answer_sha256: str | None = None
    model: str | None = None
    run_key: str | None = None
    body: RunBody = RunBody()
    sealed: bytes | None = None

    @property
    def is_final(self) -> bool:
        return self.state in FINAL

    @property
    def box_name(self) -> str:
        """What its box is bound to beside its clone: that of another run cannot be put in its place."""
        return f"reasons/{self.run_id}"


class CallState(StrEnum):
    """A call is reserved before it is made and settled afterwards. A lost one stays reserved for its day."""

    RESERVED = "reserved"
    SETTLED = "settled"


class Call(msgspec.Struct, frozen=True):
    """One question to a model and what it took. `micros` is None where the price is not known.

    While reserved, tokens and micros are what the call may take at most.
    """

    call_id: str
    run_id: str
    clone_id: CloneId
    user_id: UserId
    day: int
    model: str
    state: CallState
    at_ms: int
    tokens_in: int
    tokens_out: int
    micros: int | None
    price_table: str | None = None
    latency_ms: int = 0
    attempts: int = 0
    failure: str | None = None

    @property
    def tokens(self) -> int:
        return self.tokens_in + self.tokens_out


def deployment_after(deployment: Deployment, run: Run) -> Deployment:
    """What a run that has ended leaves behind."""
    body = run.body
    if run.source is not RunSource.SLOT or not body.verdicts:
        past = deployment.past
    else:
        past = past_after(deployment.past, body.proposals, body.verdicts, slot_ms=run.slot_ms, mids_e8=body.mids_e8)
    day = run.slot_ms // DAY_MS
    before = deployment.actions_count if deployment.actions_day == day else 0
    done = run.state is RunState.EXECUTED
    return msgspec.structs.replace(
        deployment,
        past=past,
        conditions=_conditions_after(deployment, run) if done else deployment.conditions,
        actions_day=day,
        actions_count=before + (len(body.actions) if done else 0),
    )


def _conditions_after(deployment: Deployment, run: Run) -> tuple[HeldCondition, ...]:
    body = run.body
    assert run.sealed is not None or not body.guarded
    brought = {
        one.market: HeldCondition(one.market, box_name=run.box_name, place=place, box=run.sealed or b"")
        for place, one in enumerate(body.proposals)
        if one.market in body.guarded
    }
    return kept_after({held.market: held for held in deployment.conditions}, body.proposals, body.verdicts, brought)
