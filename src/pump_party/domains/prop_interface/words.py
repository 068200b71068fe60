"""The words of prop trading that commands and views are made of, and the limits of the contract."""

from enum import StrEnum


class AccountKind(StrEnum):
    PRACTICE = "practice"
    CONTEST = "contest"
    CLONE = "clone"
    """Traded by a clone under the conditions of a contest. On a leaderboard it is the clone's, never a person's."""


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


class StatusReason(StrEnum):
    """Why an account is not active: a loss limit it broke, or who changed what it may do."""

    DAILY_LOSS = "DAILY_LOSS"
    TOTAL_LOSS = "TOTAL_LOSS"
    BY_OWNER = "BY_OWNER"
    BY_SYSTEM = "BY_SYSTEM"
    """A contest or an operator."""


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
    """What an accepted order waits for: its tick, a tick through its limit, a tick at its trigger, or its cancel."""

    WAITING = "waiting"
    RESTING = "resting"
    ARMED = "armed"
    CANCELLING = "cancelling"
    """It rested and was called back. A tick published before the cancel takes effect may still fill it."""


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


class PerpFillEvent(StrEnum):
    """What a fill did to a perpetual position: it grew, its owner made it smaller, or its margin was used up."""

    OPEN = "open"
    CLOSE = "close"
    LIQUIDATION = "liquidation"


class Drawdown(StrEnum):
    """What the total loss is counted from: the start capital, or the highest equity mark so far."""

    STATIC = "static"
    TRAILING = "trailing"


PAGE_LIMIT_MAX = 200

ACCOUNTS_PER_USER_MAX = 5
"""Of people's own accounts. Those of clones are counted apart."""

CLONE_ACCOUNTS_PER_USER_MAX = 40

BATCH_ORDERS_MAX = 1024

ACTIONS_PER_BATCH_MAX = 20

OPEN_ORDERS_MAX = 100
"""Accepted orders an account may have waiting at a time."""
