"""What prop trading answers: orders, fills, accounts, records and results."""

from decimal import Decimal
from enum import StrEnum
from typing import Generic, TypeVar

import msgspec

from pump_party.domains.prop_interface.commands import (
    OrderTerms,
)
from pump_party.domains.prop_interface.words import (
    AccountKind,
    AccountStatus,
    CancelReason,
    OrderStage,
    OrderStatus,
    PerpFillEvent,
    RejectCode,
    Side,
    StatusReason,
)
from pump_party.kernel.ids import (
    AccountId,
    FillId,
    Market,
    OrderId,
)


class EvidenceView(msgspec.Struct, frozen=True, gc=False):
    source: str
    publish_ms: int
    receive_ms: int
    age_ms: int
    mid_e8: int
    conf_e8: int
    tick_sha256: str
    tape_ms: int | None


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


class FillView(msgspec.Struct, frozen=True, gc=False):
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


class OrderView(msgspec.Struct, frozen=True, gc=False):
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

    Amounts are those of a fill at this moment's price, also where only the funds are missing or the account's limits
    forbid it; None when the order would wait for a price of its own. `held_amount` is what it would set aside,
    `liquidation_e8` where the position it makes would be liquidated.
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
    status_reason: StatusReason | None = None
    """Why the account is not active; None while it is."""

    status_detail: str | None = None
    """The same in words for people: the figures of the loss, or the reason that was given."""


class AccountSituation(msgspec.Struct, frozen=True):
    """An account and its accepted orders, newest first, as of one moment."""

    account: AccountView
    orders: tuple[OrderView, ...]


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


class NewestMark(msgspec.Struct, frozen=True):
    """What an account was worth at its newest mark, and how far it was below its peak, rounded up."""

    at_ms: int
    equity_micros: int
    drawdown_ppm: int


class BaselineView(msgspec.Struct, frozen=True):
    """What no skill would have made of the same prices, from the same capital under the same fees."""

    return_ppm: int
    max_drawdown_ppm: int
    fills: int
    fees_micros: int


class BaselinesView(msgspec.Struct, frozen=True):
    """The result beside holding one market and beside `seeds` coin tossers, `beaten` of which it did better than.

    All of them have sold at the end, so it is the result of closing everything that is compared. `random` is the median
    tosser. `from_ms` to `to_ms` is the part of the cycle that prices are stored for. `held` is what holding was worth
    at the times of the account's curve: the start capital until the first price.
    """

    market: Market
    from_ms: int
    to_ms: int
    buy_and_hold: BaselineView
    random: BaselineView
    seeds: int
    beaten: int
    held: tuple[EquityMark, ...]


class ResultsView(msgspec.Struct, frozen=True):
    """What an account's cycle came to, with the size of the sample. What is undefined is None, never 0.

    `equity_micros` is the newest mark, of `as_of_ms`; `standing_micros` what closing everything then would have left,
    fees included. Returns and drawdown are integers in parts per million; ratios are for display, to six places.
    Sharpe and Sortino are of a year of 365 daily returns, risk-free 0; `better_than_chance` is the probability that
    the true Sharpe ratio is above 0, `deflated_sharpe` that it is above the best that chance gives in so many
    `attempts` of the owner: the cycles of all accounts of this kind. `timing_alpha_ppm` is the return beyond holding
    the same average exposure.
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
    deflated_sharpe: Decimal | None
    attempts: int
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


class EndStatus(StrEnum):
    NOT_YET = "NOT_YET"
    CLOSED = "CLOSED"
    VOID = "VOID"


class StandingAtEnd(msgspec.Struct, frozen=True):
    """What closing every position at the end's closing prices leaves, fees included. CLOSED and VOID are final.

    `closed_ms` is later than the end that was asked for where a market was halted then.
    """

    account_id: AccountId
    end_ms: int
    status: EndStatus
    standing_micros: int | None = None
    closed_ms: int | None = None


T = TypeVar("T")


class Page(msgspec.Struct, Generic[T], frozen=True):
    """Newest first. `next_cursor` continues; None is the end."""

    items: tuple[T, ...]
    next_cursor: str | None
