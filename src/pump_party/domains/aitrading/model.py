"""The nouns of a decision: what is seen, what is proposed, what the gates say, what is done."""

from collections.abc import Mapping
from enum import StrEnum
from typing import Any, Protocol

import msgspec

from pump_party.domains.clones.contract import Op, StrategyPath
from pump_party.domains.marketdata.contract import CandleInterval, Feature, MarketSnapshot, Quote
from pump_party.domains.prop_interface.contract import AccountView, Action, OrderView
from pump_party.kernel.errors import Invalid
from pump_party.kernel.ids import Market

REASON_CHARS_MAX = 500
PAST_DECISIONS_MAX = 10
"""Own decisions a context shows."""

ACTIONS_PER_DAY_MAX = 2_000
"""Actions a clone may submit in a UTC day; what makes a position smaller is never refused for it."""


class ProposalAction(StrEnum):
    """`open` and `reduce` name the size that is wanted afterwards, so that repeating one changes nothing."""

    OPEN = "open"
    CLOSE = "close"
    REDUCE = "reduce"
    HOLD = "hold"


class Direction(StrEnum):
    LONG = "long"
    SHORT = "short"


class Invalidation(msgspec.Struct, frozen=True):
    """Close the position once `feature` is strictly above or below a number or another feature of the same unit.

    Exactly one of `value`, in the feature's integer unit, and `than` is set. `feature` None is the market's mid and is
    checked at every tick; a feature at every complete bar.
    """

    feature: Feature | None
    op: Op
    value: int | None = None
    than: Feature | None = None


class Proposal(msgspec.Struct, frozen=True):
    """What a rule, a model or an outside program wants done in one market.

    `share_ppm` is where the position is to end, as a share of equity: of a perpetual the margin's, else the value's.
    It is 0 for `close` and `hold`. `reason` is private to the owner.
    """

    market: Market
    action: ProposalAction
    side: Direction | None = None
    share_ppm: int = 0
    leverage: int = 1
    stop_price_e8: int | None = None
    target_price_e8: int | None = None
    invalidation: Invalidation | None = None
    confidence_ppm: int | None = None
    reason: str = ""


class VerdictCode(StrEnum):
    """What became of a proposal before anything was submitted. Stable: stored, shown, counted.

    The first group lets it pass, the second does nothing without a fault, the rest refuse, in the order of the checks.
    """

    ALLOWED = "allowed"

    HOLD = "hold"
    ALREADY_THERE = "already_there"
    """The position is as large as an `open`, or as small as a `reduce`, wants it."""
    NOTHING_HELD = "nothing_held"
    BELOW_MINIMUM = "below_minimum"
    """What is left to trade is less than a lot or the market's smallest order."""
    INSUFFICIENT_CASH = "insufficient_cash"

    SLOT_LATE = "slot_late"
    ACCOUNT_NOT_ACTIVE = "account_not_active"
    MARKET_NOT_ALLOWED = "market_not_allowed"
    CONFLICTING_PROPOSALS = "conflicting_proposals"
    NO_PRICE = "no_price"
    MARKET_HALTED = "market_halted"
    PRICE_STALE = "price_stale"
    ORDER_WAITING = "order_waiting"
    """An order that may still make the position larger waits: what it comes to is not known yet."""
    EQUITY_UNKNOWN = "equity_unknown"
    """Nothing to take a share of: a held market has no price, or nothing is left."""
    SIDE_MISMATCH = "side_mismatch"
    """No side where one is needed, or another than the position to be reduced has."""
    SHORT_NOT_ALLOWED = "short_not_allowed"
    SIZE_OUT_OF_RANGE = "size_out_of_range"
    SIZE_ABOVE_LIMIT = "size_above_limit"
    LEVERAGE_ABOVE_LIMIT = "leverage_above_limit"
    EXIT_ON_WRONG_SIDE = "exit_on_wrong_side"
    DAILY_LIMIT = "daily_limit"


class Verdict(msgspec.Struct, frozen=True):
    """`allowed` is whether the proposal led to actions. `detail` is a fixed text with numbers, never a reason."""

    market: Market
    allowed: bool
    code: VerdictCode
    detail: str = ""


class LookAhead(Invalid):
    """Something to be shown to a decision is newer than the decision may know."""

    code = "look_ahead"


class OpenInvalidation(msgspec.Struct, frozen=True):
    """A condition in force on a position that a clone holds."""

    market: Market
    condition: Invalidation


class Slot(msgspec.Struct, frozen=True):
    """When a decision is made. All but `as_of_ms` are server time; `as_of_ms` is chart time: nothing seen is later."""

    slot_ms: int
    now_ms: int
    deadline_ms: int
    as_of_ms: int


class PastDecision(msgspec.Struct, frozen=True):
    """An own earlier decision in numbers. `outcome` is the verdict's or the run's code."""

    slot_ms: int
    market: Market
    action: ProposalAction
    side: Direction | None
    share_ppm: int
    leverage: int
    mid_e8: int | None
    outcome: str


NO_QUOTES: Mapping[Market, Quote] = {}


class Seen(msgspec.Struct, frozen=True):
    """Everything a decision is made from. The same value gives the same decision, live and in a backtest.

    `orders` (those that wait) and `past` are newest first, `conditions` are those in force; whoever leaves orders out,
    leaves them out always. A market in `quotes` is gated and sized at that quote, any other at its snapshot, which
    cannot tell whether it is halted.
    """

    slot: Slot
    account: AccountView
    snapshots: Mapping[Market, MarketSnapshot]
    orders: tuple[OrderView, ...] = ()
    past: tuple[PastDecision, ...] = ()
    conditions: tuple[OpenInvalidation, ...] = ()
    actions_today: int = 0
    quotes: Mapping[Market, Quote] = NO_QUOTES


class Context(msgspec.Struct, frozen=True):
    """Canonical JSON of everything a decision saw, and its hash in hex. Holds no id and no name."""

    body: bytes
    sha256: str


class Read(msgspec.Struct, frozen=True, cache_hash=True):
    """What to ask market memory for: one call of `MarketMemory.snapshots`. Equal ones are asked once for all clones."""

    features: tuple[tuple[Market, tuple[Feature, ...]], ...]
    interval: CandleInterval
    candles: int

    @property
    def wanted(self) -> dict[Market, tuple[Feature, ...]]:
        return dict(self.features)


class Limits(msgspec.Struct, frozen=True):
    """What the owner's runtime controls and the strategy allow."""

    markets: frozenset[Market]
    max_leverage: int
    max_position_ppm: int
    actions_per_day: int = ACTIONS_PER_DAY_MAX


class RuleDecision(Protocol):
    """A rule block made ready to run."""

    def __call__(self, snapshot: MarketSnapshot, account: AccountView, slot_ms: int) -> Proposal: ...


class PlannedPath(msgspec.Struct, frozen=True):
    """One way through the strategy. `features` are all that its markets need, by key.

    `rule` is None for a prompt; `owner` are its words as models are shown them.
    """

    path: StrategyPath
    features: tuple[Feature, ...]
    features_key: str
    rule: RuleDecision | None
    owner: str = ""


class Plan(msgspec.Struct, frozen=True):
    """A strategy made ready to decide with. Immutable; keep it as long as the version runs."""

    paths: tuple[PlannedPath, ...]
    reads: tuple[Read, ...]
    limits: Limits
    cadence_s: int
    model: str | None
    needs_model: bool


class Question(msgspec.Struct, frozen=True):
    """One prompt block's question to a model about its markets.

    `system` is ours, `user` carries the numbers and the owner's text. `features` are what an invalidation may name.
    `tokens_max` bounds the prompt's tokens from above; `dropped_candles` were left out to stay within the budget.
    """

    node_id: str
    markets: tuple[Market, ...]
    features: tuple[Feature, ...]
    template: str
    system: str
    user: str
    schema: dict[str, Any]
    tokens_max: int
    dropped_candles: int
    sha256: str


class ModelReply(msgspec.Struct, frozen=True):
    """What came of a question, to the byte, and what it took. `failure` says why it is no answer."""

    text: str
    failure: str | None
    tokens_in: int
    tokens_out: int
    cost_micros: int | None
    price_table: str | None
    attempts: int


class UnusableCode(StrEnum):
    """Why an answer is not a decision. It is recorded and never repaired."""

    EMPTY = "empty"
    TOO_LONG = "too_long"
    NOT_JSON = "not_json"
    REPEATED_FIELD = "repeated_field"
    WRONG_SHAPE = "wrong_shape"
    NUMBER_OUT_OF_RANGE = "number_out_of_range"
    UNKNOWN_MARKET = "unknown_market"
    MARKET_MISSING = "market_missing"
    MARKET_TWICE = "market_twice"
    BAD_INVALIDATION = "bad_invalidation"
    UNSAFE_TEXT = "unsafe_text"


class Unusable(msgspec.Struct, frozen=True):
    """An answer that cannot be used. `detail` names the place, and never quotes the answer."""

    code: UnusableCode
    detail: str


class Decided(msgspec.Struct, frozen=True):
    """One decision. Proposals and verdicts go in pairs, one per proposal; `actions` are what to submit, in order.

    `context` is None where it was not asked for.
    """

    context: Context | None
    proposals: tuple[Proposal, ...]
    verdicts: tuple[Verdict, ...]
    actions: tuple[Action, ...]
