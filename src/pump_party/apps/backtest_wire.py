"""A backtest on the wire, the same over REST and the socket. For its owner alone."""

import msgspec

from pump_party.apps.amounts import micros_or_null, ratio_or_null
from pump_party.domains.backtests.contract import AskedNow, BacktestState, BacktestView, ModelUse, Summary, UseModels
from pump_party.kernel.ids import Market
from pump_party.kernel.money import format_micros


class BacktestModels(msgspec.Struct, frozen=True):
    """What the prompts of a strategy came to. `missing` decisions had no answer, `failed` none to use; tokens and cost
    are those of the answers it went by, when they were given. `unpriced` answers have no known price.
    """

    questions: int
    missing: int
    failed: int
    tokens_in: int
    tokens_out: int
    cost: str
    unpriced: int


class BacktestAsked(msgspec.Struct, frozen=True):
    """What a backtest asked models itself. `stopped` says why it asked no more: `budget_exhausted`,
    `model_calls_exhausted` or `model_not_offered`.
    """

    calls: int
    cost: str
    unpriced: int
    stopped: str | None


class BacktestSummary(msgspec.Struct, frozen=True):
    equity: str | None
    return_ppm: int | None
    max_drawdown_ppm: int | None
    sharpe: str | None
    fills: int
    fees: str
    funding: str
    slots: int
    models: BacktestModels | None


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
    use_models: UseModels
    asked: BacktestAsked | None


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
        use_models=view.use_models,
        asked=None if view.asked is None else render_asked(view.asked),
    )


def render_model_use(use: ModelUse) -> BacktestModels:
    return BacktestModels(
        use.questions,
        use.missing,
        use.failed,
        use.tokens_in,
        use.tokens_out,
        format_micros(use.cost_micros),
        use.unpriced,
    )


def render_asked(asked: AskedNow) -> BacktestAsked:
    return BacktestAsked(asked.calls, format_micros(asked.cost_micros), asked.unpriced, asked.stopped)


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
        models=None if summary.models is None else render_model_use(summary.models),
    )
