"""The nouns of the engine. Frozen values; integers with their unit; `now` is always passed in."""

from collections.abc import Mapping
from enum import StrEnum

import msgspec

from pump_party.domains.prop_engine.book import NOTHING_CONSUMED, BookFill, ConsumedDepth
from pump_party.domains.prop_engine.curve import MarkPrice
from pump_party.domains.prop_interface.contract import (
    AccountKind,
    AccountStatus,
    CancelReason,
    OrderStage,
    OrderTerms,
    RejectCode,
    Side,
)
from pump_party.kernel.ids import AccountId, FillId, Market, OrderId, UserId


class SpotParams(msgspec.Struct, frozen=True):
    """One market's parameters of the execution model (section 7), pinned by their hash."""

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
    latency_ms: int = 0
    max_wait_ms: int = 0


class MarketOrder(msgspec.Struct, frozen=True, gc=False):
    """Exactly one of the two sizes is set; a quote budget includes the fee."""

    side: Side
    quantity_nanos: int | None
    quote_micros: int | None
    max_slippage_ppm: int | None


class Pressure(msgspec.Struct, frozen=True, gc=False):
    """How deep an account has already eaten into one side of the synthetic ladder, as of a time."""

    micros: int
    at_ms: int


NO_PRESSURE = Pressure(0, 0)


class SpotFill(msgspec.Struct, frozen=True, gc=False):
    """What an order does at a price. Changes are signed from the account's point of view."""

    side: Side
    quantity_nanos: int
    price_e8: int
    half_spread_e8: int
    impact_e8: int
    gross_micros: int
    fee_micros: int
    cash_change_micros: int
    held_change_nanos: int
    pressure_after_micros: int
    book: BookFill | None = None
    """The walk, when an order book priced the order and not the ladder."""


class Position(msgspec.Struct, frozen=True, gc=False):
    """What an account holds of a market. Cost excludes fees; the average price is cost over quantity, never stored."""

    account_id: AccountId
    market: Market
    quantity_nanos: int
    cost_micros: int
    realised_pnl_micros: int
    fees_micros: int
    buy_pressure: Pressure
    sell_pressure: Pressure
    held_nanos: int = 0
    """The part of the quantity that is set aside for open orders."""
    consumed: ConsumedDepth = NOTHING_CONSUMED
    """What the account has taken of the market's order book and not got back."""


class Account(msgspec.Struct, frozen=True, gc=False):
    """A prop account. `version` counts its journal records, `seq` what listeners were shown, `head` ends its chain.

    `fees_micros` has liquidation fees in it, which insurance received; `insurance_micros` is what insurance won or,
    negative, paid in this account's book.
    """

    account_id: AccountId
    user_id: UserId
    kind: AccountKind
    rule_set: str
    params_sha256: str
    contest_eligible: bool
    opened_ms: int
    cycle: int
    version: int
    seq: int
    head: bytes
    start_micros: int
    cash_micros: int
    realised_pnl_micros: int
    fees_micros: int
    fills: int
    held_micros: int = 0
    margin_micros: int = 0
    funding_micros: int = 0
    open_orders: int = 0
    status: AccountStatus = AccountStatus.ACTIVE
    insurance_micros: int = 0
    liquidation_fees_micros: int = 0
    order_times: bytes = b""
    """When it ordered in the last minute, where its rules limit that: see `order_rate.py`."""


class RecordKind(StrEnum):
    """What a journal record tells: a cycle opened or closed, what became of an order, what happened to a position."""

    OPEN = "open"
    ACCEPT = "accept"
    REST = "rest"
    TRIGGER = "trigger"
    CANCELLING = "cancelling"
    FILL = "fill"
    REJECT = "reject"
    CANCEL = "cancel"
    FUNDING = "funding"
    MARGIN_CALL = "margin_call"
    MARGIN_RESTORED = "margin_restored"
    LIQUIDATION_SUSPENDED = "liquidation_suspended"
    STATUS = "status"
    CLOSE = "close"


class Posting(msgspec.Struct, frozen=True, gc=False):
    """One side of a movement; the postings of a record sum to zero per asset.

    `amount` and `balance_after` are micros for USDC and nanos for any other asset. `user:*` balances are what the
    account owns and never negative; `venue:*` are the contra side inside the same account's book.
    """

    ledger_account: str
    asset: str
    amount: int
    balance_after: int


class JournalRecord(msgspec.Struct, frozen=True, gc=False):
    """What happened to an account at one version, linked to the record before by `sha256`.

    `record_id` is the fill's id, or the rejected order's. Ids grow with time, so tables keyed by them only append.
    `postings` is their stored form, `ledger.read_postings` gives the values.
    """

    record_id: str
    account_id: AccountId
    version: int
    kind: RecordKind
    at_ms: int
    order_id: OrderId | None
    sha256: bytes
    postings: bytes
    detail: str | None = None
    """JSON of what no other row tells: the tick that triggered, a funding rate, a change of status."""


class Fill(msgspec.Struct, frozen=True, gc=False):
    """One execution of an order, with the evidence of its price."""

    fill_id: FillId
    order_id: OrderId
    account_id: AccountId
    version: int
    market: Market
    cycle: int
    side: Side
    price_e8: int
    quantity_nanos: int
    gross_micros: int
    fee_micros: int
    half_spread_e8: int
    impact_e8: int
    realised_pnl_micros: int
    filled_ms: int
    source: str
    feed: str
    publish_ms: int
    recv_ms: int
    slot: int
    mid_e8: int
    conf_e8: int
    tick_sha256: str
    tape_ms: int | None
    detail: str | None = None
    """JSON of what a perpetual fill did to its margin."""


OWN_KEY_MARK = "/"
"""In the idempotency key of every order that the engine places itself, and in no client's."""


class Order(msgspec.Struct, frozen=True, gc=False):
    """An instruction and its outcome: `reject_code` or `fill_id`, neither while it waits. No terms: a market order."""

    order_id: OrderId
    account_id: AccountId
    idempotency_key: str
    request_sha256: bytes
    client_order_id: str | None
    market: Market
    side: Side
    quantity_nanos: int | None
    quote_micros: int | None
    max_slippage_ppm: int | None
    created_ms: int
    reject_code: RejectCode | CancelReason | None
    fill_id: FillId | None
    terms: OrderTerms | None = None


class RecordedOrder(msgspec.Struct, frozen=True, gc=False):
    """An order as stored, with its fill when it was filled."""

    order: Order
    fill: Fill | None


class OpenOrder(msgspec.Struct, frozen=True, gc=False):
    """An accepted order that has not ended, and what is held for it.

    Only a tick published after `due_ms` concerns it, with a mid at or below / at or above the two prices where set.
    A waiting order whose tick was not received by `deadline_ms` has timed out. `held_amount` is micros of USDC or
    nanos of the base asset; 0 for an order that may only reduce a position.
    """

    order: Order
    stage: OrderStage
    due_ms: int
    deadline_ms: int | None
    at_or_below_e8: int | None
    at_or_above_e8: int | None
    held_asset: str
    held_amount: int


class Standing(msgspec.Struct, frozen=True):
    """An account on the board: its newest equity mark and what the marks so far say.

    `standing_micros` is what closing every position then would have left. `prices` are those the mark was made at, of
    what was held. `exposed_micros` is what was in the market then, shorts below zero; `gross_exposed_micros` has longs
    and shorts added up. Exposures are their sums over time, in parts per million of the equity times milliseconds, up
    to the mark; `weighed_ms` is the time they are of. `day_` fields are of when the day of the mark began.
    """

    account_id: AccountId
    user_id: UserId
    kind: str
    cycle: int
    version: int
    start_micros: int
    equity_micros: int
    peak_micros: int
    max_drawdown_ppm: int
    fills: int
    marks: int
    as_of_ms: int
    started_ms: int
    standing_micros: int
    exposed_micros: int
    gross_exposed_micros: int
    day_start_micros: int
    exposure_ppm_ms: int
    signed_exposure_ppm_ms: int
    weighed_ms: int
    day_standing_micros: int
    day_max_drawdown_ppm: int
    day_fills: int
    prices: Mapping[Market, MarkPrice]
