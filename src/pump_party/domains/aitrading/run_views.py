"""What AI trading answers: deployments, runs, dry runs, replays, usage. Public and owner forms are apart."""

from enum import StrEnum

import msgspec

from pump_party.domains.aitrading.model import Direction, Proposal, ProposalAction, Unusable, Verdict, VerdictCode
from pump_party.domains.prop_interface.contract import AccountStatus, Action, OrderView
from pump_party.kernel.ids import AccountId, CloneId, DeploymentId, Market, OrderId, RunId, VersionId


class DeploymentState(StrEnum):
    RUNNING = "running"
    PAUSED = "paused"
    STOPPED = "stopped"


class RunState(StrEnum):
    """How far a run has come; those from `executed` on are final."""

    CLAIMED = "claimed"
    CONTEXTED = "contexted"
    ANSWERED = "answered"
    PROPOSED = "proposed"
    SUBMITTED = "submitted"
    EXECUTED = "executed"
    HELD = "held"
    REJECTED = "rejected"
    LATE = "late"
    FAILED = "failed"


class FailureCode(StrEnum):
    """Why a run ended without a decision."""

    REFUSAL = "refusal"
    TIMEOUT = "timeout"
    INVALID_OUTPUT = "invalid_output"
    PROVIDER_DOWN = "provider_down"
    BUDGET_EXHAUSTED = "budget_exhausted"
    MARKET_HALTED = "market_halted"
    STRATEGY_UNREADABLE = "strategy_unreadable"
    CONDITIONS_UNREADABLE = "conditions_unreadable"
    EVIDENCE_UNREADABLE = "evidence_unreadable"


class PublicDeploymentView(msgspec.Struct, frozen=True):
    """Whether a clone trades, as everybody sees it. It does while it runs and its account is active."""

    clone_id: CloneId
    state: DeploymentState
    account_status: AccountStatus
    version: int
    cadence_s: int
    next_slot_ms: int | None
    started_ms: int


class DeploymentView(msgspec.Struct, frozen=True):
    """A clone trading an account, as its owner sees it. `next_slot_ms` is None while it does not run.

    In the markets of `unreadable_conditions` it holds a position under a condition that cannot be opened: nobody
    watches it.
    """

    deployment_id: DeploymentId
    clone_id: CloneId
    account_id: AccountId
    rule_set: str
    state: DeploymentState
    account_status: AccountStatus
    version: int
    version_id: VersionId
    cadence_s: int
    next_slot_ms: int | None
    started_ms: int
    unreadable_conditions: tuple[Market, ...] = ()


class PublicDecisionView(msgspec.Struct, frozen=True):
    """`line` is made from a fixed template and the fields beside it."""

    market: Market
    action: ProposalAction
    side: Direction | None
    share_ppm: int
    leverage: int
    code: VerdictCode
    line: str


class PublicRunView(msgspec.Struct, frozen=True):
    """A decision as everybody may see it. `code` is a reject or failure code, None when there is none."""

    run_id: RunId
    clone_id: CloneId
    slot_ms: int
    state: RunState
    code: str | None
    finished_ms: int | None
    decisions: tuple[PublicDecisionView, ...]


class RunUsageView(msgspec.Struct, frozen=True):
    """What a run's model calls took. `cost_micros` is None when the price of the model is not known, never 0 for it."""

    model: str
    calls: int
    tokens_in: int
    tokens_out: int
    cost_micros: int | None
    price_table: str | None
    latency_ms: int


class OwnerDecisionView(msgspec.Struct, frozen=True):
    proposal: Proposal
    verdict: Verdict
    line: str
    order_ids: tuple[OrderId, ...]


class OwnerRunView(msgspec.Struct, frozen=True):
    """A decision with its evidence, as the owner sees it. Hashes name artifacts; None where there is none.

    Of one that is `unreadable` what is private cannot be opened and is left out; `detail` says so.
    """

    run_id: RunId
    clone_id: CloneId
    version: int
    version_id: VersionId
    slot_ms: int
    deadline_ms: int
    state: RunState
    code: str | None
    detail: str | None
    finished_ms: int | None
    decisions: tuple[OwnerDecisionView, ...]
    snapshot_sha256: str | None
    """Of what all clones of the slot saw of the markets."""
    context_sha256: str | None
    prompt_sha256: str | None
    answer_sha256: str | None
    usage: RunUsageView | None
    unreadable: bool = False


RunView = PublicRunView | OwnerRunView


class RunPage(msgspec.Struct, frozen=True):
    """Newest first; all of the public or all of the owner's form. `next_cursor` is None on the last page."""

    runs: tuple[RunView, ...]
    next_cursor: str | None


class ArtifactKind(StrEnum):
    CONTEXT = "context"
    PROMPT = "prompt"
    ANSWER = "answer"


class ArtifactView(msgspec.Struct, frozen=True):
    kind: ArtifactKind
    sha256: str
    body: bytes


class DryRunView(msgspec.Struct, frozen=True):
    """One decision without trading. Prompt and answer are None where no model was asked."""

    context: bytes
    context_sha256: str
    prompt: str | None
    answer: str | None
    unusable: Unusable | None
    failure: FailureCode | None
    proposals: tuple[Proposal, ...]
    verdicts: tuple[Verdict, ...]
    actions: tuple[Action, ...]
    usage: RunUsageView | None


class CounterfactualView(msgspec.Struct, frozen=True):
    """What the decision then and the decision now would each have made until `until_ms`, fees included.

    None where a price of the time is missing.
    """

    until_ms: int
    recorded_pnl_micros: int | None
    replayed_pnl_micros: int | None


class ReplayView(msgspec.Struct, frozen=True):
    """A recorded context decided again, beside what was decided then.

    Where that is `unreadable`, what is private of it cannot be opened and is left out.
    """

    run_id: RunId
    context_sha256: str
    recorded: tuple[Proposal, ...]
    replayed: tuple[Proposal, ...]
    verdicts: tuple[Verdict, ...]
    unusable: Unusable | None
    failure: FailureCode | None
    counterfactual: tuple[CounterfactualView, ...]
    usage: RunUsageView | None
    unreadable: bool


class OutsideRunView(msgspec.Struct, frozen=True):
    """What became of an outside program's proposals."""

    run: OwnerRunView
    orders: tuple[OrderView, ...]


class ModelUsageView(msgspec.Struct, frozen=True):
    """`unpriced_calls` are those of unknown cost; `cost_micros` sums the others."""

    model: str
    calls: int
    failures: int
    tokens_in: int
    tokens_out: int
    cost_micros: int
    unpriced_calls: int
    latency_p50_ms: int | None
    latency_p95_ms: int | None


class UsageView(msgspec.Struct, frozen=True):
    """What a clone's thinking took in the UTC day, and what it may still spend; None is no limit."""

    clone_id: CloneId
    from_ms: int
    to_ms: int
    runs: int
    models: tuple[ModelUsageView, ...]
    spent_micros: int
    budget_micros: int | None
    left_micros: int | None
