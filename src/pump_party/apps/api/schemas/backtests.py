"""Backtests on the wire. All of it is for the owner alone."""

from typing import Annotated

import msgspec

from pump_party.apps.amounts import e8_or_null
from pump_party.apps.api.schemas.clones import StrategyJson, VersionNumber
from pump_party.apps.api.schemas.prop import EquityItem, render_equity_item
from pump_party.apps.api.schemas.results import Results, render_results
from pump_party.apps.backtest_wire import Backtest, render_backtest
from pump_party.domains.backtests.contract import (
    Comparison,
    DecisionPage,
    DecisionRow,
    ResultView,
    TapeView,
    UseModels,
)
from pump_party.kernel.ids import Market
from pump_party.kernel.money import INT64_MAX, format_ppm

NAME_INPUT_CHARS_MAX = 1_024

InputText = Annotated[str, msgspec.Meta(max_length=NAME_INPUT_CHARS_MAX)]
TimeMs = Annotated[int, msgspec.Meta(ge=0, le=INT64_MAX)]


class BacktestBody(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Either `strategy`, or `clone_id` with a `version` of yours; without one its newest.

    `tape` is a name of `GET /v1/tapes`. Without times all of it is played. Prompts go by the answers that earlier
    backtests of yours were given; with `use_models` `ask` a model is asked for those that are missing, and paid.
    """

    tape: InputText
    strategy: StrategyJson = msgspec.field(default_factory=msgspec.Raw)
    clone_id: InputText | None = None
    version: VersionNumber | None = None
    name: InputText | None = None
    rule_set: InputText | None = None
    from_ms: TimeMs | None = None
    to_ms: TimeMs | None = None
    use_models: UseModels = UseModels.RECORDED


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
