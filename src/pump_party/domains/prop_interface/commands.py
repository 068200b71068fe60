"""What may be asked of prop trading."""

import msgspec

from pump_party.domains.prop_interface.words import (
    AccountKind,
    AccountStatus,
    OrderKind,
    Side,
    TimeInForce,
)
from pump_party.kernel.ids import (
    AccountId,
    Market,
    OrderId,
    UserId,
)


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


class OrderTerms(msgspec.Struct, frozen=True, omit_defaults=True, gc=False):
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


class PlaceOrder(msgspec.Struct, frozen=True, gc=False):
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
