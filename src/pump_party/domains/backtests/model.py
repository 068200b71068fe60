"""The nouns of a backtest: what is replayed, who trades on it, what came of it. Frozen and integer only."""

from collections.abc import Callable, Mapping, Sequence
from typing import Protocol

import msgspec

from pump_party.domains.aitrading.contract import Direction, Plan, ProposalAction, Read
from pump_party.domains.marketdata.contract import Candles, MarketMemory, MarketSnapshot, RecordedCandle
from pump_party.domains.prop_interface.contract import AccountView, FillView, ResultsView
from pump_party.kernel.ids import AccountId, Market

MINUTE_MS = 60_000
HOUR_MS = 60 * MINUTE_MS
FILLS_KEPT_MAX = 10_000
DECISIONS_KEPT_MAX = 20_000


class Tape(Protocol):
    """Recorded minutes of markets, and what can be read of them. `feed` is shown wherever a price of it is."""

    @property
    def name(self) -> str: ...

    @property
    def feed(self) -> str: ...

    @property
    def sha256(self) -> str: ...

    @property
    def markets(self) -> frozenset[Market]: ...

    @property
    def memory(self) -> MarketMemory: ...

    @property
    def candles(self) -> Candles: ...

    def reader(self, read: Read) -> Callable[[int], Mapping[Market, MarketSnapshot]]:
        """One read of the memory, prepared for a loop over time."""
        ...

    def funding_1h_ppb(self, market: Market, *, at_ms: int) -> int | None:
        """What a long of the perpetual pays for one hour, by the rate that stood then; None where none did."""
        ...

    def minutes(self, market: Market, *, from_ms: int, to_ms: int) -> Sequence[RecordedCandle | None]:
        """One per minute between two whole minutes; None where nothing was recorded."""
        ...


class ModelUse(msgspec.Struct, frozen=True):
    """What the models of a strategy were asked in a backtest: the answers it went by took so many tokens when they were
    given. `missing` decisions had none, `failed` had none to use. `unpriced` answers have no known price.
    """

    questions: int
    missing: int
    failed: int
    tokens_in: int
    tokens_out: int
    cost_micros: int
    unpriced: int


class Entrant(msgspec.Struct, frozen=True):
    """A strategy on its way through a backtest, with an account of its own."""

    name: str
    strategy_sha256: str
    plan: Plan


class DecisionCount(msgspec.Struct, frozen=True):
    """How often a decision ended with a verdict code."""

    code: str
    count: int


class DecisionRow(msgspec.Struct, frozen=True, array_like=True):
    """What a strategy wanted of a market in a slot, and the verdict. `mid_e8` is the price it saw, if any."""

    slot_ms: int
    market: Market
    action: ProposalAction
    side: Direction | None
    share_ppm: int
    leverage: int
    mid_e8: int | None
    code: str


class Outcome(msgspec.Struct, frozen=True):
    """What a strategy made of a recording. `sha256` covers inputs, every decision, every fill and the results.

    Of the fills the first FILLS_KEPT_MAX are in it, of the decisions that were more than to hold (`log`) the first
    DECISIONS_KEPT_MAX; what is beyond is counted in `fills_left_out` and `log_left_out`.
    """

    name: str
    account_id: AccountId
    sha256: str
    account: AccountView
    results: ResultsView
    fills: tuple[FillView, ...]
    slots: int
    decisions: tuple[DecisionCount, ...]
    log: tuple[DecisionRow, ...]
    fills_left_out: int
    log_left_out: int
    models: ModelUse | None = None
    """Of a strategy that has prompts."""
