"""What is asked of backtests, and what is shown of them. A backtest is its owner's: nobody else sees any of this."""

from decimal import Decimal
from enum import StrEnum

import msgspec

from pump_party.domains.backtests.model import DecisionRow, ModelUse
from pump_party.domains.backtests.played import Played
from pump_party.kernel.ids import BacktestId, CloneId, Market, UserId


class BacktestState(StrEnum):
    WAITING = "waiting"
    RUNNING = "running"
    DONE = "done"
    FAILED = "failed"
    CANCELLED = "cancelled"


ENDED = frozenset({BacktestState.DONE, BacktestState.FAILED, BacktestState.CANCELLED})


class UseModels(StrEnum):
    """Where the answers of models come from. `recorded`: those that are kept; `ask`: those and the model itself."""

    RECORDED = "recorded"
    ASK = "ask"


class TapeMarket(msgspec.Struct, frozen=True):
    """A market of a tape, from its first minute to the end of its last."""

    market: Market
    from_ms: int
    to_ms: int


class TapeView(msgspec.Struct, frozen=True):
    """Recorded, stored or made-up minutes that can be played. `feed` is shown wherever a price of it is."""

    name: str
    title: str
    feed: str
    markets: tuple[TapeMarket, ...]


class StartBacktest(msgspec.Struct, frozen=True, kw_only=True):
    """Either `strategy`, the JSON of a graph, or `clone_id` with a version; None is its newest.

    Without times all of the tape is played.
    """

    user_id: UserId
    idempotency_key: str
    tape: str
    strategy: bytes | None = None
    clone_id: str | None = None
    version: int | None = None
    name: str | None = None
    rule_set: str | None = None
    from_ms: int | None = None
    to_ms: int | None = None
    use_models: UseModels = UseModels.RECORDED

    def __repr__(self) -> str:
        return f"StartBacktest(tape {self.tape})"


class Summary(msgspec.Struct, frozen=True):
    """The figures of a finished backtest that a list shows. Ratios are for display."""

    equity_micros: int | None
    return_ppm: int | None
    max_drawdown_ppm: int | None
    sharpe: Decimal | None
    fills: int
    fees_micros: int
    funding_micros: int
    slots: int
    models: ModelUse | None = None


class AskedNow(msgspec.Struct, frozen=True):
    """What a backtest asked models itself. `stopped` says why it asked no more from some moment on: budget_exhausted,
    model_calls_exhausted or model_not_offered.
    """

    calls: int
    cost_micros: int
    unpriced: int
    stopped: str | None


class BacktestView(msgspec.Struct, frozen=True, kw_only=True):
    """`code` and `detail` say why one failed. `result_hash` is the same for the same inputs, on every machine."""

    backtest_id: BacktestId
    user_id: UserId
    name: str
    clone_id: CloneId | None
    version: int | None
    strategy_sha256: str
    tape: str
    feed: str
    rule_set: str
    markets: tuple[Market, ...]
    from_ms: int
    to_ms: int
    state: BacktestState
    minutes_done: int
    minutes: int
    created_ms: int
    started_ms: int | None = None
    finished_ms: int | None = None
    code: str | None = None
    detail: str | None = None
    result_hash: str | None = None
    artifact_sha256: str | None = None
    summary: Summary | None = None
    use_models: UseModels = UseModels.RECORDED
    asked: AskedNow | None = None


class ResultView(msgspec.Struct, frozen=True):
    """A finished backtest in full."""

    backtest: BacktestView
    played: Played


class DecisionPage(msgspec.Struct, frozen=True):
    """In order of time. `left_out` were too many to be kept."""

    items: tuple[DecisionRow, ...]
    next_cursor: str | None
    left_out: int


class Comparison(msgspec.Struct, frozen=True):
    """Finished backtests of one tape and span, in the order that was asked for."""

    tape: str
    tape_sha256: str
    feed: str
    from_ms: int
    to_ms: int
    results: tuple[ResultView, ...]
