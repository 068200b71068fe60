"""The one door to prop trading, for people and clones alike. Version 2.

Commands carry ids and an idempotency key; views carry integers with their unit; apps write them as decimal strings.
The files beside this one declare them; whoever is outside this package names them from here.
"""

from collections.abc import Mapping, Sequence
from typing import Protocol

from pump_party.domains.marketdata.contract import Quote
from pump_party.domains.prop_interface.boards import (
    AROUND_ME,
    RANKED_MAX,
    BoardMetric,
    BoardQuery,
    BoardView,
    BoardWindow,
    LeaderboardRow,
)
from pump_party.domains.prop_interface.commands import (
    Action,
    CancelAction,
    CancelOrder,
    CancelOrders,
    CloseAction,
    ExitsAction,
    OpenAccount,
    OrderTerms,
    PlaceAction,
    PlaceOrder,
    ResetAccount,
    SetAccountStatus,
    SubmitActions,
)
from pump_party.domains.prop_interface.rule_views import MarketRulesView, PerpRulesView, RiskLimitsView, RuleSetView
from pump_party.domains.prop_interface.views import (
    AccountSituation,
    AccountView,
    ActionOutcome,
    BaselinesView,
    BaselineView,
    BookFillView,
    EndStatus,
    EquityMark,
    EvidenceView,
    FillView,
    LedgerEntryView,
    NewestMark,
    OrderView,
    Page,
    PerpFillView,
    PerpPositionView,
    PositionView,
    PreviewView,
    ResultsView,
    StandingAtEnd,
)
from pump_party.domains.prop_interface.words import (
    ACCOUNTS_PER_USER_MAX,
    ACTIONS_PER_BATCH_MAX,
    BATCH_ORDERS_MAX,
    CLONE_ACCOUNTS_PER_USER_MAX,
    OPEN_ORDERS_MAX,
    PAGE_LIMIT_MAX,
    AccountKind,
    AccountStatus,
    CancelReason,
    Drawdown,
    FillMode,
    OrderKind,
    OrderStage,
    OrderStatus,
    PerpFillEvent,
    PriceMode,
    RejectCode,
    Side,
    StatusReason,
    TimeInForce,
)
from pump_party.kernel.errors import Refusal
from pump_party.kernel.ids import AccountId, Market, UserId

__all__ = [
    "ACCOUNTS_PER_USER_MAX",
    "ACTIONS_PER_BATCH_MAX",
    "AROUND_ME",
    "BATCH_ORDERS_MAX",
    "CLONE_ACCOUNTS_PER_USER_MAX",
    "CONTRACT_VERSION",
    "OPEN_ORDERS_MAX",
    "PAGE_LIMIT_MAX",
    "RANKED_MAX",
    "AccountKind",
    "AccountSituation",
    "AccountStatus",
    "AccountView",
    "Action",
    "ActionOutcome",
    "BaselineView",
    "BaselinesView",
    "BoardMetric",
    "BoardQuery",
    "BoardView",
    "BoardWindow",
    "BookFillView",
    "CancelAction",
    "CancelOrder",
    "CancelOrders",
    "CancelReason",
    "CloseAction",
    "Drawdown",
    "EndStatus",
    "EquityMark",
    "EvidenceView",
    "ExitsAction",
    "FillMode",
    "FillView",
    "Fleet",
    "LeaderboardRow",
    "Leaderboards",
    "LedgerEntryView",
    "MarketRulesView",
    "NewestMark",
    "OpenAccount",
    "OrderKind",
    "OrderStage",
    "OrderStatus",
    "OrderTerms",
    "OrderView",
    "Page",
    "PerpFillEvent",
    "PerpFillView",
    "PerpPositionView",
    "PerpRulesView",
    "PlaceAction",
    "PlaceOrder",
    "PositionView",
    "PreviewView",
    "PriceMode",
    "PropTrading",
    "RejectCode",
    "ResetAccount",
    "ResultsView",
    "RiskLimitsView",
    "RuleSetView",
    "SetAccountStatus",
    "Side",
    "StandingAtEnd",
    "StatusReason",
    "SubmitActions",
    "TimeInForce",
    "Venue",
]

CONTRACT_VERSION = 2


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
        """End an accepted order and free what it held. An order that has ended is returned as it ended.

        Under `next_tick` one in flight is returned as it waits, and one that rests as `cancelling`: it ends at the
        first tick published after the latency, or fills at one before.
        """
        ...

    def cancel_orders(self, command: CancelOrders) -> Sequence[OrderView]:
        """End the account's open orders in one transaction, oldest first. Returns those that this call ended or, as
        `cancelling`, called back.
        """
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
        """What the engine would decide now, beside all orders that wait, and what that would cost. Changes nothing."""
        ...

    def accounts(self, user_id: UserId) -> Sequence[AccountView]: ...

    def account(self, user_id: UserId | None, account_id: str) -> AccountView:
        """None is the system, such as an operator, and never comes from a request of a user."""
        ...

    def order(self, user_id: UserId, account_id: str, order_id: str) -> OrderView: ...

    def orders(self, user_id: UserId, account_id: str, *, cursor: str | None, limit: int) -> Page[OrderView]: ...

    def fills(self, user_id: UserId, account_id: str, *, cursor: str | None, limit: int) -> Page[FillView]: ...

    def ledger(self, user_id: UserId, account_id: str, *, cursor: str | None, limit: int) -> Page[LedgerEntryView]: ...

    def equity(self, user_id: UserId, account_id: str, *, cursor: str | None, limit: int) -> Page[EquityMark]: ...

    def newest_marks(self, account_ids: Sequence[AccountId]) -> Mapping[AccountId, NewestMark]:
        """Of many accounts at once. Asks nobody's leave; accounts without a mark are absent."""
        ...

    def results(self, user_id: UserId, account_id: str) -> ResultsView:
        """What the account's cycle came to, beside holding and chance."""
        ...

    def standing_at_end(self, user_id: UserId, account_id: str, *, end_ms: int) -> StandingAtEnd:
        """The account's standing equity at a time: what a contest that ends then goes by, whatever came after.

        Raises Conflict for an account that was opened later (account_opened_later) or has more records than are read
        for one answer (account_too_long).
        """
        ...

    def owns(self, user_id: UserId, account_id: str) -> bool: ...

    def mark_accounts(self, *, changed_only: bool = False) -> int:
        """Write an equity mark for every account that holds a position or changed. Returns how many.

        With `changed_only` accounts that only hold wait for the next round.
        """
        ...


class Venue(Protocol):
    """A paper exchange apart from the live one, on a clock that its owner moves. Not for several threads at once."""

    @property
    def trading(self) -> PropTrading: ...

    def advance(self, now_ms: int) -> None:
        """Let time pass; it never goes back."""
        ...

    def show(self, quotes: Sequence[Quote]) -> None:
        """Make these the current prices without bringing them to anybody's orders."""
        ...

    def tick(self, quote: Quote) -> int:
        """Advance to the quote, make it current, bring it to orders and positions. Returns how many orders ended."""
        ...

    def account(self, account_id: AccountId) -> AccountView:
        """The account, made anew only when it has changed or holds something: marks of flat positions may be old."""
        ...

    def watched(self) -> Sequence[Market]:
        """The markets whose ticks could concern an order or a position at all."""
        ...

    def is_waiting(self, market: Market) -> bool:
        """Whether an order of the market waits for the very next tick."""
        ...

    def is_touched(self, market: Market, *, low_e8: int, high_e8: int, at_ms: int) -> bool:
        """Whether any tick between two prices, up to a time, could concern an order or a position of the market."""
        ...


class Fleet(Protocol):
    """Many accounts at once, for engines that decide for all of them. Synchronous, safe to call from threads.

    Asks nobody's leave: never called on behalf of a request.
    """

    def situations(self, account_ids: Sequence[AccountId]) -> Mapping[AccountId, AccountSituation]:
        """All as of one moment, valued at the newest quotes. Accounts that do not exist are absent."""
        ...

    def submit_many(
        self, batches: Sequence[SubmitActions], *, until_ms: int | None
    ) -> Sequence[Sequence[ActionOutcome] | Refusal]:
        """`submit_actions` of several runs, whose orders share transactions; outcomes or the refusal of each, in order.

        Safe to repeat like it. After `until_ms` nothing new is done: an action that was not done before is refused
        with the code `too_late`. Of one account there may be one run in a call.
        """
        ...


class Leaderboards(Protocol):
    """Who stands where. Synchronous, safe to call from threads."""

    def board(self, query: BoardQuery) -> BoardView:
        """Accounts that have filled in their cycle, best first. Asks nobody's leave: `clones` are those that may be
        shown. What was ranked a moment ago may be answered again.
        """
        ...
