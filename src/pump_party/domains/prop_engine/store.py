"""What the engine must remember, as transactions. `db/prop_engine.py` and `db/prop_orders.py` implement it."""

from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from typing import Protocol

import msgspec

from pump_party.domains.prop_engine.curve import EquityMark as CurveMark
from pump_party.domains.prop_engine.marking import Markable, Marked
from pump_party.domains.prop_engine.model import (
    Account,
    Fill,
    JournalRecord,
    OpenOrder,
    Order,
    Position,
    RecordedOrder,
    Standing,
)
from pump_party.domains.prop_engine.perp_model import PerpPosition
from pump_party.domains.prop_engine.portfolio import Holdings
from pump_party.domains.prop_interface.contract import AccountKind, EquityMark
from pump_party.kernel.ids import AccountId, Market, OrderId, UserId
from pump_party.platform.outbox import OutboxMessage

TICK_ORDERS_MAX = 8_192
"""Orders of a tick that are one transaction. A tick that concerns more takes them page by page, the oldest first.

Far more than one market makes wait. A transaction keeps its accounts from everybody else and its rows in memory
until it ends: this many take a second and 100 MB, and twice as many the time that another transaction waits for a lock.
"""


class TransactionConflict(Exception):
    """Another transaction came first: an account moved, a record of this id was written, or a deadlock was ended.
    Nothing was written; try again.
    """


class Tick(msgspec.Struct, frozen=True, array_like=True):
    """What of a quote decides whom it concerns. `hour` is the last full hour that funding is due for."""

    market: Market
    publish_ms: int
    mid_e8: int
    hour: int


class Batch(msgspec.Struct):
    """Everything one transaction writes. `orders` have ended; `opened` are new or changed, `ended` are open no more."""

    orders: list[Order]
    fills: list[Fill]
    records: list[JournalRecord]
    accounts: dict[AccountId, Account]
    positions: dict[tuple[AccountId, Market], Position]
    messages: list[OutboxMessage]
    opened: dict[OrderId, OpenOrder]
    ended: set[OrderId]
    perps: dict[tuple[AccountId, Market], tuple[PerpPosition, int | None]]
    """With the price at which each is liquidated, by which a tick finds it."""


class Reset(msgspec.Struct, frozen=True):
    """What a reset writes: the fresh account, the orders it cancelled, its records and messages."""

    account: Account
    cancelled: Sequence[Order]
    records: Sequence[JournalRecord]
    messages: Sequence[OutboxMessage]


class Performance(msgspec.Struct, frozen=True):
    """What results are computed from: an account, its cycle's standing once it was marked, and fills, oldest first."""

    holdings: Holdings
    started_ms: int
    standing: Standing | None
    fills: Sequence[Fill]


class AccountState(msgspec.Struct):
    """What `OrdersTransaction` loads, for one account that is already at hand."""

    accounts: dict[AccountId, Account]
    positions: dict[tuple[AccountId, Market], Position]
    earlier: dict[tuple[AccountId, str], RecordedOrder]
    open_orders: dict[AccountId, dict[OrderId, OpenOrder]]
    perps: dict[tuple[AccountId, Market], PerpPosition]

    @classmethod
    def of(cls, holdings: Holdings, open_orders: Sequence[OpenOrder]) -> "AccountState":
        account = holdings.account
        return cls(
            {account.account_id: account},
            {(p.account_id, p.market): p for p in holdings.positions},
            {},
            {account.account_id: {o.order.order_id: o for o in open_orders}},
            {(p.account_id, p.market): p for p in holdings.perps},
        )


class LoadedState(Protocol):
    """What a batch starts from and moves forward: accounts, what they hold, and what was recorded under its keys."""

    accounts: dict[AccountId, Account]
    positions: dict[tuple[AccountId, Market], Position]
    earlier: dict[tuple[AccountId, str], RecordedOrder]
    open_orders: dict[AccountId, dict[OrderId, OpenOrder]]
    perps: dict[tuple[AccountId, Market], PerpPosition]


class OrdersTransaction(LoadedState, Protocol):
    """A loaded state, and where the batch is written."""

    perps: dict[tuple[AccountId, Market], PerpPosition]

    @property
    def part_orders(self) -> int:
        """So many orders are worth a `record` of their own: who writes them does so while the next are decided."""
        ...

    def record(self, batch: Batch) -> None:
        """Write what `part_orders` orders or fewer made of the state. All parts are durable at the end, or none."""
        ...


class PropStore(Protocol):
    def orders_transaction(
        self, keys: Sequence[tuple[AccountId, Market, str]]
    ) -> AbstractContextManager[OrdersTransaction]:
        """Load accounts, their open orders and positions, and whatever was recorded under the same keys, in a way that
        lets no other change of these accounts come between: by lock, or by raising TransactionConflict from `record`
        or at the end.

        `keys` are (account, market, idempotency key); an empty key asks for no earlier outcome. Durable when the
        block has ended.
        """
        ...

    def first_concerned(self, ticks: Sequence[Tick]) -> int | None:
        """The place of the first tick that concerns an open order or a position; None when none of them does."""
        ...

    def due_orders(
        self, market: Market, *, publish_ms: int, mid_e8: int, after: str, limit: int
    ) -> Sequence[tuple[AccountId, OrderId]]:
        """The open orders that a tick concerns, oldest first, from behind the order `after`."""
        ...

    def perps_to_watch(self, market: Market, *, mid_e8: int, hour: int, after: str, limit: int) -> Sequence[AccountId]:
        """Accounts whose open position a tick may fund, warn or liquidate, in id order from behind `after`."""
        ...

    def late_orders(self, *, now_ms: int, limit: int) -> Sequence[tuple[AccountId, Market, OrderId]]:
        """The open orders whose deadline has passed."""
        ...

    def open_orders(self, user_id: UserId, account_id: str) -> Sequence[OpenOrder]:
        """The account's open orders, newest first."""
        ...

    def open_account(
        self,
        user_id: UserId,
        kinds: Sequence[AccountKind],
        *,
        idempotency_key: str,
        request_sha256: str,
        at_ms: int,
        create: Callable[[int], tuple[Account, JournalRecord]],
    ) -> AccountId:
        """Insert what `create(number of the user's accounts of these kinds)` returns, once per key."""
        ...

    def reset_account(
        self,
        user_id: UserId,
        account_id: str,
        *,
        idempotency_key: str,
        request_sha256: str,
        at_ms: int,
        change: Callable[[Holdings, Sequence[OpenOrder]], Reset],
    ) -> None:
        """Lock, change, clear positions and open orders, once per key. Raises NotFound for a foreign account."""
        ...

    def accounts(self, user_id: UserId) -> Sequence[Holdings]: ...

    def account(self, user_id: UserId | None, account_id: str) -> Holdings:
        """Raises NotFound unless the account is this user's; None asks for anybody's."""
        ...

    def situation(self, user_id: UserId, account_id: str) -> tuple[Holdings, Sequence[OpenOrder]]:
        """An account and all its open orders as of one moment. Raises NotFound unless the account is this user's."""
        ...

    def owns(self, user_id: UserId, account_id: str) -> bool: ...

    def order(self, user_id: UserId, account_id: str, order_id: str) -> RecordedOrder | OpenOrder: ...

    def orders(
        self, user_id: UserId, account_id: str, *, before: int | None, limit: int
    ) -> Sequence[tuple[int, RecordedOrder]]:
        """(version of the outcome, order), newest first."""
        ...

    def fills(self, user_id: UserId, account_id: str, *, before: int | None, limit: int) -> Sequence[Fill]: ...

    def records(
        self, user_id: UserId, account_id: str, *, before: int | None, limit: int
    ) -> Sequence[JournalRecord]: ...

    def equity_marks(
        self, user_id: UserId, account_id: str, *, before_ms: int | None, limit: int
    ) -> Sequence[EquityMark]: ...

    def record_detail(self, record_id: str) -> str | None:
        """The detail of a journal record, None when there is no such record."""
        ...

    def status_detail(self, account_id: AccountId) -> str | None:
        """The detail of the account's newest change of status, None when there was none."""
        ...

    def order_by_key(self, account_id: AccountId, idempotency_key: str) -> RecordedOrder | OpenOrder | None:
        """What was recorded under this key."""
        ...

    def accounts_to_mark(self, *, after: str, limit: int, changed_only: bool = False) -> Sequence[Markable]:
        """Accounts in id order that hold a position or changed since their last mark, each as of one moment; with
        `changed_only` none that only holds.
        """
        ...

    def record_marks(self, marked: Sequence[Marked]) -> Sequence[Marked]:
        """Write them, but for those where another marker came first. Returns what was written."""
        ...

    def sampled_marks(
        self, account_id: AccountId, cycle: int, *, first_ms: int, every_ms: int, count: int
    ) -> Sequence[CurveMark]:
        """The newest mark of the cycle at each of `count` times, oldest first; times before its first are left out."""
        ...

    def performance(self, user_id: UserId, account_id: str, *, fills_limit: int) -> Performance:
        """As of one moment. Raises NotFound unless the account is this user's."""
        ...

    def newest_standings(self, account_ids: Sequence[AccountId]) -> Sequence[Standing]:
        """Those of these accounts that were ever marked."""
        ...
