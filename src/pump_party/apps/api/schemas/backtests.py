"""Backtests on the wire. All of it is for the owner alone."""

from typing import Annotated

import msgspec

from pump_party.apps.amounts import e8_or_null, micros_or_null, ratio_or_null
from pump_party.apps.api.schemas.clones import StrategyJson, VersionNumber
from pump_party.apps.api.schemas.prop import EquityItem, render_equity_item
from pump_party.apps.api.schemas.results import Results, render_results
from pump_party.domains.backtests.contract import (
    BacktestState,
    BacktestView,
    Comparison,
    DecisionPage,
    DecisionRow,
    ResultView,
    Summary,
    TapeView,
)
from pump_party.kernel.ids import Market
from pump_party.kernel.money import INT64_MAX, format_micros, format_ppm

NAME_INPUT_CHARS_MAX = 1_024

InputText = Annotated[str, msgspec.Meta(max_length=NAME_INPUT_CHARS_MAX)]
TimeMs = Annotated[int, msgspec.Meta(ge=0, le=INT64_MAX)]


class BacktestBody(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Either `strategy`, or `clone_id` with a `version` of yours; without one its newest.

    `tape` is a name of `GET /v1/tapes`. Without times all of it is played.
    """

    tape: InputText
    strategy: StrategyJson = msgspec.field(default_factory=msgspec.Raw)
    clone_id: InputText | None = None
    version: VersionNumber | None = None
    name: InputText | None = None
    rule_set: InputText | None = None
    from_ms: TimeMs | None = None
    to_ms: TimeMs | None = None


class TapeMarketItem(msgspec.Struct, frozen=True):
    market: Market
    from_ms: int
    to_ms: int


class TapeItem(msgspec.Struct, frozen=True):
    """Minutes that can be played. `feed` says whether they were recorded (`tape`, `live`) or made up (`synthetic`)."""

    name: str
    title: str
    feed: str
    markets: list[TapeMarketItem]


class Tapes(msgspec.Struct, frozen=True):
    items: list[TapeItem]


class BacktestSummary(msgspec.Struct, frozen=True):
    equity: str | None
    return_ppm: int | None
    max_drawdown_ppm: int | None
    sharpe: str | None
    fills: int
    fees: str
    funding: str
    slots: int


class Backtest(msgspec.Struct, frozen=True):
    """`code` and `detail` say why one failed. The same strategy, tape, span and rules have the same `result_hash`."""

    backtest_id: str
    name: str
    clone_id: str | None
    version: int | None
    strategy_sha256: str
    tape: str
    feed: str
    rule_set: str
    markets: list[Market]
    from_ms: int
    to_ms: int
    state: BacktestState
    minutes_done: int
    minutes: int
    created_ms: int
    started_ms: int | None
    finished_ms: int | None
    code: str | None
    detail: str | None
    result_hash: str | None
    summary: BacktestSummary | None


class Backtests(msgspec.Struct, frozen=True):
    items: list[Backtest]


class DecisionCountItem(msgspec.Struct, frozen=True):
    code: str
    count: int


class BacktestResult(msgspec.Struct, frozen=True):
    """`holding` is the first market bought with everything and held, without costs, at the times of the curve.

    `decisions` count how they ended; `fills_left_out` is how many trades were too many to be kept.
    """

    backtest: Backtest
    tape_sha256: str
    results: Results
    holding: list[EquityItem]
    decisions: list[DecisionCountItem]
    fills_left_out: int


class BacktestDecision(msgspec.Struct, frozen=True):
    """What was wanted of a market in a slot, and the verdict. `share` is of equity, `mid` the price it saw."""

    slot_ms: int
    market: Market
    action: str
    side: str | None
    share: str
    leverage: int
    mid: str | None
    code: str


class BacktestDecisions(msgspec.Struct, frozen=True):
    """In order of time, without those that held. `left_out` were too many to be kept."""

    items: list[BacktestDecision]
    next_cursor: str | None
    left_out: int


class BacktestComparison(msgspec.Struct, frozen=True):
    """Backtests of one tape and span, in the order that was asked for."""

    tape: str
    tape_sha256: str
    feed: str
    from_ms: int
    to_ms: int
    items: list[BacktestResult]


def render_tape(view: TapeView) -> TapeItem:
    markets = [TapeMarketItem(one.market, one.from_ms, one.to_ms) for one in view.markets]
    return TapeItem(view.name, view.title, view.feed, markets)


def render_backtest(view: BacktestView) -> Backtest:
    return Backtest(
        backtest_id=view.backtest_id,
        name=view.name,
        clone_id=view.clone_id,
        version=view.version,
        strategy_sha256=view.strategy_sha256,
        tape=view.tape,
        feed=view.feed,
        rule_set=view.rule_set,
        markets=list(view.markets),
        from_ms=view.from_ms,
        to_ms=view.to_ms,
        state=view.state,
        minutes_done=view.minutes_done,
        minutes=view.minutes,
        created_ms=view.created_ms,
        started_ms=view.started_ms,
        finished_ms=view.finished_ms,
        code=view.code,
        detail=view.detail,
        result_hash=view.result_hash,
        summary=None if view.summary is None else _summary(view.summary),
    )


def render_result(view: ResultView) -> BacktestResult:
    outcome = view.played.outcomes[0]
    return BacktestResult(
        backtest=render_backtest(view.backtest),
        tape_sha256=view.played.tape_sha256,
        results=render_results(outcome.results),
        holding=[render_equity_item(mark) for mark in view.played.holding],
        decisions=[DecisionCountItem(one.code, one.count) for one in outcome.decisions],
        fills_left_out=outcome.fills_left_out,
    )


def render_decisions(page: DecisionPage) -> BacktestDecisions:
    return BacktestDecisions([_decision(row) for row in page.items], page.next_cursor, page.left_out)


def render_comparison(view: Comparison) -> BacktestComparison:
    items = [render_result(result) for result in view.results]
    return BacktestComparison(view.tape, view.tape_sha256, view.feed, view.from_ms, view.to_ms, items)


def _decision(row: DecisionRow) -> BacktestDecision:
    return BacktestDecision(
        slot_ms=row.slot_ms,
        market=row.market,
        action=row.action.value,
        side=None if row.side is None else row.side.value,
        share=format_ppm(row.share_ppm),
        leverage=row.leverage,
        mid=e8_or_null(row.mid_e8),
        code=row.code,
    )


def _summary(summary: Summary) -> BacktestSummary:
    return BacktestSummary(
        equity=micros_or_null(summary.equity_micros),
        return_ppm=summary.return_ppm,
        max_drawdown_ppm=summary.max_drawdown_ppm,
        sharpe=ratio_or_null(summary.sharpe),
        fills=summary.fills,
        fees=format_micros(summary.fees_micros),
        funding=format_micros(summary.funding_micros),
        slots=summary.slots,
    )
