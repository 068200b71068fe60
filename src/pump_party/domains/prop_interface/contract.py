"""The one door to prop trading, for people and clones alike. Version 2.

Commands carry ids and an idempotency key; views carry integers with their unit; apps write them as decimal strings.
"""

from collections.abc import Sequence
from decimal import Decimal
from enum import StrEnum
from typing import Generic, Protocol, TypeVar

import msgspec

from pump_party.domains.marketdata.contract import Quote
from pump_party.kernel.ids import AccountId, FillId, Market, OrderId, UserId

CONTRACT_VERSION = 2


class AccountKind(StrEnum):
    PRACTICE = "practice"
    CONTEST = "contest"


class AccountStatus(StrEnum):
    """What an account may do. Only an active one takes orders.

    A paused one keeps the orders that wait; a locked one loses them. A frozen one broke a loss limit and a completed
    one has reached its end: both lose their orders, and their positions are closed at the next tick of each market.
    """

    ACTIVE = "active"
    PAUSED = "paused"
    LOCKED = "locked"
    FROZEN = "frozen"
    COMPLETED = "completed"


class Side(StrEnum):
    BUY = "buy"
    SELL = "sell"


class OrderKind(StrEnum):
    """A stop waits for the price to turn against you, a take-profit for it to turn your way; both then fill like a
    market order. A limit waits for its price.
    """

    MARKET = "market"
    LIMIT = "limit"
    STOP = "stop"
    TAKE_PROFIT = "take_profit"


class TimeInForce(StrEnum):
    """Good till cancelled, or: fill at the first tick that may fill it, else cancel."""

    GTC = "gtc"
    IOC = "ioc"


class OrderStatus(StrEnum):
    """`accepted` waits: for its tick, its price or its trigger. The others are final."""

    ACCEPTED = "accepted"
    FILLED = "filled"
    REJECTED = "rejected"
    CANCELLED = "cancelled"


class OrderStage(StrEnum):
    """What an accepted order waits for: its tick, a tick through its limit, or a tick at its trigger."""

    WAITING = "waiting"
    RESTING = "resting"
    ARMED = "armed"


class FillMode(StrEnum):
    """At once on the newest tick, or on the first one published after acceptance and latency."""

    LATEST = "latest"
    NEXT_TICK = "next_tick"


class PriceMode(StrEnum):
    """Fills are priced around the oracle's mid on a synthetic ladder, or on the market's order book where one is."""

    ORACLE = "oracle"
    BOOK = "book"


class CancelReason(StrEnum):
    """Why an accepted order ended without a fill and without a fault."""

    USER = "CANCELLED_BY_USER"
    IOC = "CANCELLED_IOC"
    OTHER_FILLED = "CANCELLED_OTHER_FILLED"
    POSITION_CLOSED = "CANCELLED_POSITION_CLOSED"
    ACCOUNT_CLOSED = "CANCELLED_ACCOUNT_CLOSED"
    """The account was reset, locked, frozen or completed."""


class RejectCode(StrEnum):
    """Why an order was refused (execution model, section 7)."""

    BAD_REQUEST = "BAD_REQUEST"
    LOT_SIZE = "LOT_SIZE"
    MIN_NOTIONAL = "MIN_NOTIONAL"
    MAX_NOTIONAL = "MAX_NOTIONAL"
    INSUFFICIENT_FUNDS = "INSUFFICIENT_FUNDS"
    INSUFFICIENT_POSITION = "INSUFFICIENT_POSITION"
    MAX_LEVERAGE = "MAX_LEVERAGE"
    PRICE_STALE = "PRICE_STALE"
    PRICE_UNCERTAIN = "PRICE_UNCERTAIN"
    PRICE_TIMEOUT = "PRICE_TIMEOUT"
    PRICE_DIVERGENCE = "PRICE_DIVERGENCE"
    INSUFFICIENT_DEPTH = "INSUFFICIENT_DEPTH"
    SLIPPAGE_LIMIT = "SLIPPAGE_LIMIT"
    MARKET_HALTED = "MARKET_HALTED"
    ACCOUNT_FROZEN = "ACCOUNT_FROZEN"
    CONTEST_CLOSED = "CONTEST_CLOSED"
    RATE_LIMITED = "RATE_LIMITED"
    IDEMPOTENCY_MISMATCH = "IDEMPOTENCY_MISMATCH"
    DUPLICATE_IN_FLIGHT = "DUPLICATE_IN_FLIGHT"


class OpenAccount(msgspec.Struct, frozen=True):
    """`rule_set` names the rules to play by; None takes the kind's default."""

    user_id: UserId
    kind: AccountKind
    idempotency_key: str
    rule_set: str | None = None


class ResetAccount(msgspec.Struct, frozen=True):
    user_id: UserId
    account_id: AccountId
    idempotency_key: str


class SetAccountStatus(msgspec.Struct, frozen=True):
    """Pause, resume (`active`), lock or complete an account.

    With `user_id` the owner asks: a practice account may be paused and resumed. None is the system, such as a contest,
    and never comes from a request of a user. `reason` is kept with the change and told to listeners.
    """

    user_id: UserId | None
    account_id: AccountId
    status: AccountStatus
    idempotency_key: str
    reason: str = ""


class OrderTerms(msgspec.Struct, frozen=True, omit_defaults=True):
    """What an order asks for beyond a plain market order.

    `limit_price_e8` belongs to a limit, `trigger_price_e8` to a stop or take-profit, `leverage` to a perpetual.
    `reduce_only` may only make a position smaller; without a size it closes whatever is held when it fires.
    `stop_price_e8` and `target_price_e8` attach exits to the position this order opens: one cancels the other.
    `parent_id` is the order an exit was attached by. The last two flags are the engine's own.
    """

    kind: OrderKind = OrderKind.MARKET
    limit_price_e8: int | None = None
    trigger_price_e8: int | None = None
    time_in_force: TimeInForce = TimeInForce.GTC
    reduce_only: bool = False
    leverage: int | None = None
    stop_price_e8: int | None = None
    target_price_e8: int | None = None
    parent_id: OrderId | None = None
    is_liquidation: bool = False
    """Set by the engine when it closes a position whose margin is used up."""

    is_closing: bool = False
    """Set by the engine when it closes a position of an account that was frozen or completed."""


class PlaceOrder(msgspec.Struct, frozen=True):
    """An order. Exactly one of `quantity_nanos` and `quote_micros` is set; a quote budget includes the fee.

    Without `terms` it is a market order.
    """

    user_id: UserId
    account_id: AccountId
    idempotency_key: str
    market: Market
    side: Side
    quantity_nanos: int | None = None
    quote_micros: int | None = None
    max_slippage_ppm: int | None = None
    client_order_id: str | None = None
    terms: OrderTerms | None = None


class CancelOrder(msgspec.Struct, frozen=True):
    user_id: UserId
    account_id: AccountId
    order_id: str


class CancelOrders(msgspec.Struct, frozen=True):
    """Every open order of the account; with `market` only those there."""

    user_id: UserId
    account_id: AccountId
    market: Market | None = None


class PlaceAction(msgspec.Struct, frozen=True, tag="place_order"):
    """An order; the fields are those of `PlaceOrder`."""

    action_id: str
    market: Market
    side: Side
    quantity_nanos: int | None = None
    quote_micros: int | None = None
    max_slippage_ppm: int | None = None
    terms: OrderTerms | None = None


class CancelAction(msgspec.Struct, frozen=True, tag="cancel_order"):
    action_id: str
    order_id: str


class CloseAction(msgspec.Struct, frozen=True, tag="close_position"):
    """Sell or buy back all that is held of a market."""

    action_id: str
    market: Market


class ExitsAction(msgspec.Struct, frozen=True, tag="set_exits"):
    """Replace the stop and target of a position by these: at least one of them; the first that fires cancels both."""

    action_id: str
    market: Market
    stop_price_e8: int | None = None
    target_price_e8: int | None = None


Action = PlaceAction | CancelAction | CloseAction | ExitsAction


class SubmitActions(msgspec.Struct, frozen=True):
    """What one run decided for an account, in the order in which it is to be done.

    (account, run, action) is the key of each action: whatever of a batch was done is not done again. A `run_id` has 1
    to 36 characters of A-Z a-z 0-9 _ - . and an `action_id` 1 to 16, each once in a batch.
    """

    user_id: UserId
    account_id: AccountId
    run_id: str
    actions: tuple[Action, ...]


class EvidenceView(msgspec.Struct, frozen=True):
    source: str
    publish_ms: int
    receive_ms: int
    age_ms: int
    mid_e8: int
    conf_e8: int
    tick_sha256: str
    tape_ms: int | None


class PerpFillEvent(StrEnum):
    """What a fill did to a perpetual position: it grew, its owner made it smaller, or its margin was used up."""

    OPEN = "open"
    CLOSE = "close"
    LIQUIDATION = "liquidation"


class PerpFillView(msgspec.Struct, frozen=True):
    """What a fill did to a perpetual position; changes are the account's."""

    event: PerpFillEvent
    direction: int
    leverage: int
    position_quantity_nanos: int
    margin_change_micros: int
    liquidation_fee_micros: int
    shortfall_micros: int


class BookFillView(msgspec.Struct, frozen=True):
    """The order book a fill walked: `legs` are (price_e8, quantity_nanos) in the order taken."""

    source: str
    seq: int
    publish_ms: int
    sha256: str
    legs: tuple[tuple[int, int], ...]


class FillView(msgspec.Struct, frozen=True):
    fill_id: FillId
    order_id: OrderId
    market: Market
    side: Side
    price_e8: int
    quantity_nanos: int
    gross_micros: int
    fee_micros: int
    half_spread_e8: int
    impact_e8: int
    realised_pnl_micros: int
    filled_ms: int
    version: int
    evidence: EvidenceView
    perp: PerpFillView | None = None
    book: BookFillView | None = None


class OrderView(msgspec.Struct, frozen=True):
    order_id: OrderId
    account_id: AccountId
    client_order_id: str | None
    market: Market
    side: Side
    quantity_nanos: int | None
    quote_micros: int | None
    max_slippage_ppm: int | None
    status: OrderStatus
    reject_code: RejectCode | None
    created_ms: int
    fill: FillView | None
    cancel_reason: CancelReason | None = None
    terms: OrderTerms | None = None
    held_amount: int = 0
    """What is set aside for an accepted order: micros of USDC, or nanos of the base asset."""

    held_asset: str | None = None

    stage: OrderStage | None = None
    """What an accepted order waits for; None once it has ended."""


class ActionOutcome(msgspec.Struct, frozen=True):
    """What became of an action: its orders as they are now (a stop and a target are two), or why there is none."""

    action_id: str
    orders: tuple[OrderView, ...]
    refusal_code: str | None = None
    refusal_detail: str | None = None


class PreviewView(msgspec.Struct, frozen=True):
    """What the order would do now. `reject_code` says why it would be refused.

    Amounts are those of a fill at this moment's price, also where only the funds are missing; None when the order
    would wait for a price of its own. `held_amount` is what it would set aside, `liquidation_e8` where the position
    it makes would be liquidated.
    """

    market: Market
    side: Side
    reject_code: RejectCode | None
    mid_e8: int | None
    age_ms: int | None
    price_e8: int | None
    quantity_nanos: int | None
    gross_micros: int | None
    fee_micros: int | None
    half_spread_e8: int | None
    impact_e8: int | None
    cash_after_micros: int | None
    position_after_nanos: int | None
    status: OrderStatus = OrderStatus.REJECTED
    held_amount: int = 0
    held_asset: str | None = None
    leverage: int | None = None
    margin_micros: int | None = None
    liquidation_e8: int | None = None


class PositionView(msgspec.Struct, frozen=True):
    """A holding. The average price is cost over quantity. Mark and unrealised are None without a price."""

    market: Market
    quantity_nanos: int
    cost_micros: int
    realised_pnl_micros: int
    fees_micros: int
    mark_e8: int | None
    mark_age_ms: int | None
    value_micros: int | None
    unrealised_pnl_micros: int | None
    held_nanos: int = 0
    """The part of the quantity that is set aside for open orders."""


class PerpPositionView(msgspec.Struct, frozen=True):
    """An open perpetual position. `direction` is 1 long, -1 short; the entry price is entry cost over quantity.

    `liquidation_e8` is where the margin becomes too small, None when no price gets there.
    """

    market: Market
    direction: int
    quantity_nanos: int
    entry_cost_micros: int
    margin_micros: int
    leverage: int
    realised_pnl_micros: int
    fees_micros: int
    funding_micros: int
    liquidation_e8: int | None
    mark_e8: int | None
    mark_age_ms: int | None
    unrealised_pnl_micros: int | None


class AccountView(msgspec.Struct, frozen=True):
    """An account and the identity `equity = start + realised + unrealised + funding - fees + residual`; residual is 0.

    `cash_micros` is free; `held_micros` is set aside for open orders, `margin_micros` for perpetual positions.

    Equity, unrealised and residual are None while a held market has no price: no number is better than a wrong one.
    `seq` is the newest event of the account: subscribe after it to miss nothing.
    """

    account_id: AccountId
    kind: AccountKind
    rule_set: str
    params_sha256: str
    contest_eligible: bool
    cycle: int
    opened_ms: int
    version: int
    seq: int
    start_micros: int
    cash_micros: int
    equity_micros: int | None
    realised_pnl_micros: int
    unrealised_pnl_micros: int | None
    fees_micros: int
    residual_micros: int | None
    positions: tuple[PositionView, ...]
    status: AccountStatus = AccountStatus.ACTIVE
    held_micros: int = 0
    margin_micros: int = 0
    funding_micros: int = 0
    open_orders: int = 0
    perps: tuple[PerpPositionView, ...] = ()


class MarketRulesView(msgspec.Struct, frozen=True):
    """The parameters by which orders of one market fill (execution model, section 7)."""

    market: Market
    model: str
    tick_e8: int
    lot_nanos: int
    min_notional_micros: int
    max_notional_micros: int
    conf_mult_ppm: int
    min_half_spread_ppm: int
    depth_per_bp_micros: int
    recovery_per_s_micros: int
    taker_fee_ppm: int
    max_conf_ppm: int
    max_slippage_ppm: int
    max_tick_age_ms: int
    latency_ms: int
    max_wait_ms: int


class PerpRulesView(msgspec.Struct, frozen=True):
    """The parameters of one perpetual market: how its orders fill, then section 8 of the execution model.

    `tiers` are (lower_micros, max_leverage): the leverage a position of at least that notional may have. The
    maintenance margin is half of the initial one at that leverage.
    """

    pricing: MarketRulesView
    maker_fee_ppm: int
    tiers: tuple[tuple[int, int], ...]
    interest_8h_ppb: int
    premium_clamp_ppb: int
    funding_cap_1h_ppb: int
    liquidation_fee_ppm: int


class Drawdown(StrEnum):
    """What the total loss is counted from: the start capital, or the highest equity mark so far."""

    STATIC = "static"
    TRAILING = "trailing"


class RiskLimitsView(msgspec.Struct, frozen=True):
    """What an account may order and lose; None is no limit. Losses are shares of the start capital."""

    max_leverage: int | None
    max_position_micros: int | None
    orders_per_minute: int | None
    daily_loss_ppm: int | None
    total_loss_ppm: int | None
    drawdown: Drawdown
    allowed_markets: tuple[Market, ...] | None


class RuleSetView(msgspec.Struct, frozen=True):
    """What an account can be opened under. `default`: what its kind gets when none is named; `risk`: None is none."""

    name: str
    kind: AccountKind
    fill_mode: FillMode
    contest_eligible: bool
    default: bool
    start_micros: int
    params_sha256: str
    markets: tuple[MarketRulesView, ...]
    price_mode: PriceMode = PriceMode.ORACLE
    perps: tuple[PerpRulesView, ...] = ()
    risk: RiskLimitsView | None = None


class LedgerEntryView(msgspec.Struct, frozen=True):
    """One posting. `amount` and `balance_after` are micros for USDC and nanos for every other asset."""

    version: int
    leg: int
    kind: str
    ledger_account: str
    asset: str
    amount: int
    balance_after: int
    order_id: OrderId | None
    at_ms: int
    record_sha256: str


class EquityMark(msgspec.Struct, frozen=True):
    at_ms: int
    cycle: int
    equity_micros: int


class LeaderboardRow(msgspec.Struct, frozen=True):
    rank: int
    account_id: AccountId
    user_id: UserId
    equity_micros: int
    return_ppm: int
    max_drawdown_ppm: int
    fills: int
    marks: int
    as_of_ms: int
    standing_micros: int = 0
    """What closing every position then would have left, fees included. The board ranks by it; `return_ppm` is its."""


class BaselineView(msgspec.Struct, frozen=True):
    """What no skill would have made of the same prices, from the same capital under the same fees."""

    return_ppm: int
    max_drawdown_ppm: int
    fills: int
    fees_micros: int


class BaselinesView(msgspec.Struct, frozen=True):
    """The result beside holding one market and beside `seeds` coin tossers, `beaten` of which it did better than.

    `random` is the median tosser. `from_ms` to `to_ms` is the part of the cycle that prices are stored for.
    """

    market: Market
    from_ms: int
    to_ms: int
    buy_and_hold: BaselineView
    random: BaselineView
    seeds: int
    beaten: int


class ResultsView(msgspec.Struct, frozen=True):
    """What an account's cycle came to, with the size of the sample. What is undefined is None, never 0.

    `equity_micros` is the newest mark, of `as_of_ms`; `standing_micros` what closing everything then would have left,
    fees included. Returns and drawdown are integers in parts per million; ratios are for display, to six places.
    Sharpe and Sortino are of a year of 365 daily returns, risk-free 0; `better_than_chance` is the probability that
    the true Sharpe ratio is above 0. `timing_alpha_ppm` is the return beyond holding the same average exposure.
    """

    account_id: AccountId
    cycle: int
    started_ms: int
    as_of_ms: int | None
    start_micros: int
    equity_micros: int | None
    standing_micros: int | None
    return_ppm: int | None
    standing_return_ppm: int | None
    max_drawdown_ppm: int | None
    sharpe: Decimal | None
    sortino: Decimal | None
    calmar: Decimal | None
    romad: Decimal | None
    profit_factor: Decimal | None
    win_rate: Decimal | None
    turnover_ppm: int | None
    exposure_ppm: int | None
    timing_alpha_ppm: int | None
    better_than_chance: Decimal | None
    sentence: str | None
    marks: int
    fills: int
    closed_trades: int | None
    days: int
    """How many daily returns there are; the last is of a day that may not be over."""
    realised_pnl_micros: int
    fees_micros: int
    funding_micros: int
    baselines: BaselinesView | None
    curve: tuple[EquityMark, ...]
    """The newest mark at each of at most 200 times, evenly over the cycle, oldest first."""


T = TypeVar("T")


class Page(msgspec.Struct, Generic[T], frozen=True):
    """Newest first. `next_cursor` continues; None is the end."""

    items: tuple[T, ...]
    next_cursor: str | None


PAGE_LIMIT_MAX = 200
ACCOUNTS_PER_USER_MAX = 5
BATCH_ORDERS_MAX = 1024

ACTIONS_PER_BATCH_MAX = 20

OPEN_ORDERS_MAX = 100
"""Accepted orders an account may have waiting at a time."""


class PropTrading(Protocol):
    """Synchronous, safe to call from threads. Ownership is checked here: a foreign account is NotFound."""

    def start_micros(self, kind: AccountKind) -> int:
        """The virtual cash a new account of this kind starts with."""
        ...

    def rule_sets(self) -> Sequence[RuleSetView]:
        """Everything an account may be opened under, with the parameters of every market."""
        ...

    def open_account(self, command: OpenAccount) -> AccountView: ...

    def reset_account(self, command: ResetAccount) -> AccountView:
        """Close the cycle at zero and start the next with fresh capital. History stays."""
        ...

    def set_account_status(self, command: SetAccountStatus) -> AccountView:
        """Change what the account may do, once per key. Raises Conflict (status_not_allowed) for a change that the
        account's present status or the caller does not allow, NotFound for a foreign account.
        """
        ...

    def place_orders(self, commands: Sequence[PlaceOrder]) -> Sequence[OrderView | Exception]:
        """Decide and record a batch in one transaction; each command gets its own outcome, in order.

        Safe to repeat: the same idempotency key returns the first outcome. A refusal that is not an order
        (unknown account, mismatched key) is returned as the exception to raise.
        """
        ...

    def cancel_order(self, command: CancelOrder) -> OrderView:
        """End an accepted order and free what it held. An order that has ended is returned as it ended."""
        ...

    def cancel_orders(self, command: CancelOrders) -> Sequence[OrderView]:
        """End the account's open orders in one transaction, oldest first. Returns those that this call ended."""
        ...

    def submit_actions(self, batch: SubmitActions) -> Sequence[ActionOutcome]:
        """Do a run's actions one after the other, each in its own transaction; one outcome per action, in order.

        Safe to repeat, also after a crash between any two: what was done returns its first outcome. An action that is
        refused does not stop those behind it. Raises Invalid for a batch that is empty, badly keyed or longer than
        ACTIONS_PER_BATCH_MAX, and Unavailable when the database is away: then repeat it.
        """
        ...

    def open_orders(self, user_id: UserId, account_id: str) -> Sequence[OrderView]:
        """The account's accepted orders, newest first; at most OPEN_ORDERS_MAX."""
        ...

    def take_ticks(self, quotes: Sequence[Quote]) -> int:
        """Let admitted ticks, oldest first, fill, trigger and expire the orders that wait. Returns how many ended."""
        ...

    def expire_orders(self) -> int:
        """End the orders whose tick did not come in time. Returns how many."""
        ...

    def preview_order(self, command: PlaceOrder) -> PreviewView:
        """What it would cost now. Changes nothing."""
        ...

    def accounts(self, user_id: UserId) -> Sequence[AccountView]: ...

    def account(self, user_id: UserId, account_id: str) -> AccountView: ...

    def order(self, user_id: UserId, account_id: str, order_id: str) -> OrderView: ...

    def orders(self, user_id: UserId, account_id: str, *, cursor: str | None, limit: int) -> Page[OrderView]: ...

    def fills(self, user_id: UserId, account_id: str, *, cursor: str | None, limit: int) -> Page[FillView]: ...

    def ledger(self, user_id: UserId, account_id: str, *, cursor: str | None, limit: int) -> Page[LedgerEntryView]: ...

    def equity(self, user_id: UserId, account_id: str, *, cursor: str | None, limit: int) -> Page[EquityMark]: ...

    def results(self, user_id: UserId, account_id: str) -> ResultsView:
        """What the account's cycle came to, beside holding and chance."""
        ...

    def owns(self, user_id: UserId, account_id: str) -> bool: ...

    def leaderboard(self, *, limit: int) -> Sequence[LeaderboardRow]: ...

    def mark_accounts(self) -> int:
        """Write an equity mark for every account that holds a position or changed. Returns how many."""
        ...
