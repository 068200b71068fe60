"""Deployments, decisions, dry runs, replays and usage of clones, on the wire."""

from typing import Annotated

import msgspec

from pump_party.apps.amounts import e8_or_null, micros_or_null, nanos_or_null
from pump_party.apps.api.schemas.clones import StrategyJson
from pump_party.apps.api.schemas.prop import EquityItem, render_equity_item
from pump_party.apps.api.schemas.results import Baselines, render_baselines
from pump_party.apps.clone_wire import CloneFillItem, render_clone_fill
from pump_party.apps.decision_wire import (
    Decision,
    DecisionUsage,
    JudgedProposal,
    OwnDecision,
    ProposalItem,
    render_judged,
    render_proposal,
    render_run,
    render_usage,
)
from pump_party.apps.order_wire import MarketText
from pump_party.domains.aitrading.contract import (
    CounterfactualView,
    DryRunView,
    FailureCode,
    ReplayView,
    RunPage,
    Unusable,
    UnusableCode,
    UsageView,
)
from pump_party.domains.clones.contract import MODEL_CHARS_MAX, PROMPT_CHARS_MAX, RuleNode
from pump_party.domains.prop_interface.contract import (
    Action,
    CancelAction,
    CloseAction,
    ExitsAction,
    FillView,
    OrderTerms,
    Page,
    ResultsView,
    Side,
)
from pump_party.kernel.ids import CloneId
from pump_party.kernel.money import format_micros

NOTHING = msgspec.Raw(b"null")

RuleSetText = Annotated[str, msgspec.Meta(min_length=1, max_length=64)]


class DeploymentBody(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """`rule_set` names one of `GET /v1/rule-sets` of the kind `clone`; without it the default is taken."""

    rule_set: RuleSetText | None = None


class DryRunBody(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Decide for one market; without a `strategy` by the newest version."""

    market: MarketText
    strategy: StrategyJson = msgspec.field(default_factory=lambda: NOTHING)


class ReplayBody(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What stands in for what decided then: a `rule`, or a `model`, a `prompt` or both.

    A rule may use the figures that the strategy of the time reads. A prompt needs a model where it named none.
    """

    model: Annotated[str, msgspec.Meta(max_length=MODEL_CHARS_MAX)] | None = None
    prompt: Annotated[str, msgspec.Meta(max_length=PROMPT_CHARS_MAX)] | None = None
    rule: RuleNode | None = None


class DecisionPage(msgspec.Struct, frozen=True):
    """Newest first, all of one form; `next_cursor` continues, null is the end."""

    items: list[Decision | OwnDecision]
    next_cursor: str | None


class CloneFillPage(msgspec.Struct, frozen=True):
    """Newest first, of the account that the clone trades now; `next_cursor` continues, null is the end."""

    items: list[CloneFillItem]
    next_cursor: str | None


class UnusableAnswer(msgspec.Struct, frozen=True):
    """Why a model's answer was no decision. It is never repaired."""

    code: UnusableCode
    detail: str


class ActionItem(msgspec.Struct, frozen=True, omit_defaults=True):
    """What would be done: `place_order`, `cancel_order`, `close_position` or `set_exits`."""

    type: str
    market: str | None = None
    side: Side | None = None
    quantity: str | None = None
    quote_amount: str | None = None
    leverage: int | None = None
    reduce_only: bool = False
    stop_price: str | None = None
    target_price: str | None = None
    order_id: str | None = None


class DryRunResult(msgspec.Struct, frozen=True):
    """One decision without trading. `context` is the JSON text that `context_sha256` is of.

    `prompt` and `answer` are null where no model was asked, `unusable` or `failure` says why there is no decision.
    """

    context: str
    context_sha256: str
    prompt: str | None
    answer: str | None
    unusable: UnusableAnswer | None
    failure: FailureCode | None
    decisions: list[JudgedProposal]
    actions: list[ActionItem]
    usage: DecisionUsage | None


class Counterfactual(msgspec.Struct, frozen=True):
    """What the decision then and the one now would have made until `until_ms`, fees included; null while unknown."""

    until_ms: int
    recorded_pnl: str | None
    replayed_pnl: str | None


class ReplayResult(msgspec.Struct, frozen=True):
    """A recorded context decided again, beside what was decided then. Nothing was traded.

    Where that is `unreadable`, reasons, exits and conditions of it cannot be opened and are left out.
    """

    run_id: str
    context_sha256: str
    recorded: list[ProposalItem]
    replayed: list[JudgedProposal]
    unusable: UnusableAnswer | None
    failure: FailureCode | None
    counterfactual: list[Counterfactual]
    usage: DecisionUsage | None
    unreadable: bool


class ModelUsage(msgspec.Struct, frozen=True):
    """`cost` sums the calls of known price; `unpriced_calls` are the others."""

    model: str
    calls: int
    failures: int
    tokens_in: int
    tokens_out: int
    cost: str
    unpriced_calls: int
    latency_p50_ms: int | None
    latency_p95_ms: int | None


class OfferedModels(msgspec.Struct, frozen=True):
    """As "provider:model"."""

    items: list[str]


class CloneUsage(msgspec.Struct, frozen=True):
    """What a clone's thinking took this UTC day, in US dollars. A budget that is null has no limit."""

    clone_id: str
    from_ms: int
    to_ms: int
    runs: int
    models: list[ModelUsage]
    spent: str
    budget: str | None
    left: str | None


class CloneEquity(msgspec.Struct, frozen=True):
    """How a clone's account has gone, beside holding its market and chance. Null where nothing is marked yet.

    `buy_and_hold_points` is what holding was worth at the times of `curve`; empty while no price is known.
    """

    clone_id: str
    started_ms: int
    as_of_ms: int | None
    start: str
    equity: str | None
    return_ppm: int | None
    max_drawdown_ppm: int | None
    marks: int
    fills: int
    baselines: Baselines | None
    curve: list[EquityItem]
    buy_and_hold_points: list[EquityItem]


def render_page(page: RunPage) -> DecisionPage:
    return DecisionPage([render_run(run) for run in page.runs], page.next_cursor)


def render_clone_fills(page: Page[FillView]) -> CloneFillPage:
    return CloneFillPage([render_clone_fill(fill) for fill in page.items], page.next_cursor)


def render_dry_run(view: DryRunView) -> DryRunResult:
    return DryRunResult(
        context=view.context.decode(),
        context_sha256=view.context_sha256,
        prompt=view.prompt,
        answer=view.answer,
        unusable=_unusable(view.unusable),
        failure=view.failure,
        decisions=[render_judged(*pair) for pair in zip(view.proposals, view.verdicts, strict=True)],
        actions=[_action(action) for action in view.actions],
        usage=render_usage(view.usage),
    )


def render_replay(view: ReplayView) -> ReplayResult:
    return ReplayResult(
        run_id=view.run_id,
        context_sha256=view.context_sha256,
        recorded=[render_proposal(proposal) for proposal in view.recorded],
        replayed=[render_judged(*pair) for pair in zip(view.replayed, view.verdicts, strict=True)],
        unusable=_unusable(view.unusable),
        failure=view.failure,
        counterfactual=[_counterfactual(one) for one in view.counterfactual],
        usage=render_usage(view.usage),
        unreadable=view.unreadable,
    )


def render_clone_usage(view: UsageView) -> CloneUsage:
    return CloneUsage(
        clone_id=view.clone_id,
        from_ms=view.from_ms,
        to_ms=view.to_ms,
        runs=view.runs,
        models=[
            ModelUsage(
                model=one.model,
                calls=one.calls,
                failures=one.failures,
                tokens_in=one.tokens_in,
                tokens_out=one.tokens_out,
                cost=format_micros(one.cost_micros),
                unpriced_calls=one.unpriced_calls,
                latency_p50_ms=one.latency_p50_ms,
                latency_p95_ms=one.latency_p95_ms,
            )
            for one in view.models
        ],
        spent=format_micros(view.spent_micros),
        budget=micros_or_null(view.budget_micros),
        left=micros_or_null(view.left_micros),
    )


def render_clone_equity(clone_id: CloneId, view: ResultsView) -> CloneEquity:
    """What everybody may see of the results of a clone's account."""
    return CloneEquity(
        clone_id=clone_id,
        started_ms=view.started_ms,
        as_of_ms=view.as_of_ms,
        start=format_micros(view.start_micros),
        equity=micros_or_null(view.equity_micros),
        return_ppm=view.return_ppm,
        max_drawdown_ppm=view.max_drawdown_ppm,
        marks=view.marks,
        fills=view.fills,
        baselines=None if view.baselines is None else render_baselines(view.baselines),
        curve=[render_equity_item(mark) for mark in view.curve],
        buy_and_hold_points=[] if view.baselines is None else [render_equity_item(m) for m in view.baselines.held],
    )


def _unusable(answer: Unusable | None) -> UnusableAnswer | None:
    return None if answer is None else UnusableAnswer(answer.code, answer.detail)


def _counterfactual(view: CounterfactualView) -> Counterfactual:
    recorded, replayed = micros_or_null(view.recorded_pnl_micros), micros_or_null(view.replayed_pnl_micros)
    return Counterfactual(view.until_ms, recorded, replayed)


def _action(action: Action) -> ActionItem:
    kind = str(action.__struct_config__.tag)
    match action:
        case CancelAction():
            return ActionItem(kind, order_id=action.order_id)
        case CloseAction():
            return ActionItem(kind, action.market)
        case ExitsAction():
            stop, target = e8_or_null(action.stop_price_e8), e8_or_null(action.target_price_e8)
            return ActionItem(kind, action.market, stop_price=stop, target_price=target)
        case _:
            terms = action.terms or OrderTerms()
            return ActionItem(
                kind,
                action.market,
                action.side,
                nanos_or_null(action.quantity_nanos),
                micros_or_null(action.quote_micros),
                terms.leverage,
                terms.reduce_only,
                e8_or_null(terms.stop_price_e8),
                e8_or_null(terms.target_price_e8),
            )
