"""Decisions on the wire, the same over REST and the socket. What everybody sees and what the owner sees are apart.

Shares are fractions of equity, and like prices they are decimal strings.
"""

import msgspec

from pump_party.apps.amounts import e8_or_null, micros_or_null, ppm_or_null
from pump_party.domains.aitrading.contract import (
    Direction,
    Invalidation,
    OwnerDecisionView,
    OwnerRunView,
    Proposal,
    ProposalAction,
    PublicRunView,
    RunState,
    RunUsageView,
    RunView,
    Verdict,
    VerdictCode,
)
from pump_party.domains.clones.contract import Op
from pump_party.domains.marketdata.contract import UNIT_SCALE, Feature, FeatureUnit, unit_of
from pump_party.kernel.money import format_decimal, format_ppm

PRICE_KEY = "price"
"""Stands for the market's mid where a feature's key may stand."""


class DecisionLine(msgspec.Struct, frozen=True):
    """What a clone wanted in one market. `code` says what became of it, `line` says all that in one sentence."""

    market: str
    action: ProposalAction
    side: Direction | None
    share: str
    leverage: int
    code: VerdictCode
    line: str


class Decision(msgspec.Struct, frozen=True, tag_field="form", tag="public"):
    """A decision as everybody sees it. `code` says why it was rejected or failed."""

    run_id: str
    clone_id: str
    slot_ms: int
    state: RunState
    code: str | None
    finished_ms: int | None
    decisions: list[DecisionLine]


class Condition(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Close the position once `feature`, or `price`, is `op` a number or another feature of the same unit.

    Exactly one of `value` and `than` is set.
    """

    feature: str
    op: Op
    value: str | None = None
    than: str | None = None


class ProposalItem(msgspec.Struct, frozen=True):
    """What is wanted in one market; `share` is where the position is to end. `reason` is private."""

    market: str
    action: ProposalAction
    side: Direction | None
    share: str
    leverage: int
    stop_price: str | None
    target_price: str | None
    invalidation: Condition | None
    confidence: str | None
    reason: str


class JudgedProposal(ProposalItem, frozen=True):
    """`allowed` is whether it led to actions, `code` and `detail` why or why not."""

    allowed: bool
    code: VerdictCode
    detail: str


class OwnDecisionLine(JudgedProposal, frozen=True):
    """With the sentence that everybody sees, and the orders that came of it."""

    line: str
    order_ids: list[str]


class DecisionUsage(msgspec.Struct, frozen=True):
    """What asking a model took. `cost` is in US dollars, null when the model's price is not known."""

    model: str
    calls: int
    tokens_in: int
    tokens_out: int
    cost: str | None
    price_table: str | None
    latency_ms: int


class OwnDecision(msgspec.Struct, frozen=True, tag_field="form", tag="owner"):
    """A decision with its evidence, as the owner sees it. Hashes name artifacts; null where there is none.

    `snapshot_sha256` is of what all clones of the slot saw of the markets. Of one that is `unreadable` reasons, exits
    and conditions cannot be opened and are left out.
    """

    run_id: str
    clone_id: str
    version: int
    version_id: str
    slot_ms: int
    deadline_ms: int
    state: RunState
    code: str | None
    detail: str | None
    finished_ms: int | None
    decisions: list[OwnDecisionLine]
    snapshot_sha256: str | None
    context_sha256: str | None
    prompt_sha256: str | None
    answer_sha256: str | None
    usage: DecisionUsage | None
    unreadable: bool


def render_run(view: RunView) -> Decision | OwnDecision:
    return render_own(view) if isinstance(view, OwnerRunView) else render_public(view)


def render_public(view: PublicRunView) -> Decision:
    return Decision(
        run_id=view.run_id,
        clone_id=view.clone_id,
        slot_ms=view.slot_ms,
        state=view.state,
        code=view.code,
        finished_ms=view.finished_ms,
        decisions=[
            DecisionLine(
                market=one.market,
                action=one.action,
                side=one.side,
                share=format_ppm(one.share_ppm),
                leverage=one.leverage,
                code=one.code,
                line=one.line,
            )
            for one in view.decisions
        ],
    )


def render_own(view: OwnerRunView) -> OwnDecision:
    return OwnDecision(
        run_id=view.run_id,
        clone_id=view.clone_id,
        version=view.version,
        version_id=view.version_id,
        slot_ms=view.slot_ms,
        deadline_ms=view.deadline_ms,
        state=view.state,
        code=view.code,
        detail=view.detail,
        finished_ms=view.finished_ms,
        decisions=[_own_line(one) for one in view.decisions],
        snapshot_sha256=view.snapshot_sha256,
        context_sha256=view.context_sha256,
        prompt_sha256=view.prompt_sha256,
        answer_sha256=view.answer_sha256,
        usage=render_usage(view.usage),
        unreadable=view.unreadable,
    )


def render_usage(usage: RunUsageView | None) -> DecisionUsage | None:
    if usage is None:
        return None
    return DecisionUsage(
        model=usage.model,
        calls=usage.calls,
        tokens_in=usage.tokens_in,
        tokens_out=usage.tokens_out,
        cost=micros_or_null(usage.cost_micros),
        price_table=usage.price_table,
        latency_ms=usage.latency_ms,
    )


def render_proposal(proposal: Proposal) -> ProposalItem:
    return ProposalItem(
        market=proposal.market,
        action=proposal.action,
        side=proposal.side,
        share=format_ppm(proposal.share_ppm),
        leverage=proposal.leverage,
        stop_price=e8_or_null(proposal.stop_price_e8),
        target_price=e8_or_null(proposal.target_price_e8),
        invalidation=None if proposal.invalidation is None else _condition(proposal.invalidation),
        confidence=ppm_or_null(proposal.confidence_ppm),
        reason=proposal.reason,
    )


def render_judged(proposal: Proposal, verdict: Verdict) -> JudgedProposal:
    return JudgedProposal(
        **msgspec.structs.asdict(render_proposal(proposal)),
        allowed=verdict.allowed,
        code=verdict.code,
        detail=verdict.detail,
    )


def unit_of_key(feature: Feature | None) -> FeatureUnit:
    """The unit of a feature; None is the market's mid."""
    return FeatureUnit.PRICE if feature is None else unit_of(feature.name)


def decimals_of(unit: FeatureUnit) -> int:
    return len(str(UNIT_SCALE[unit])) - 1


def _own_line(view: OwnerDecisionView) -> OwnDecisionLine:
    judged = render_judged(view.proposal, view.verdict)
    return OwnDecisionLine(**msgspec.structs.asdict(judged), line=view.line, order_ids=list(view.order_ids))


def _condition(condition: Invalidation) -> Condition:
    decimals = decimals_of(unit_of_key(condition.feature))
    return Condition(
        feature=_key(condition.feature),
        op=condition.op,
        value=None if condition.value is None else format_decimal(condition.value, decimals),
        than=None if condition.than is None else condition.than.key,
    )


def _key(feature: Feature | None) -> str:
    return PRICE_KEY if feature is None else feature.key
