"""What the engine must remember, as transactions. `db/prop_engine.py` and `db/prop_orders.py` implement it."""

from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from typing import Protocol

import msgspec

from pump_party.domains.prop_engine.model import Account, Fill, JournalRecord, Order, Position, RecordedOrder, Standing
from pump_party.domains.prop_interface.contract import EquityMark
from pump_party.kernel.ids import AccountId, Market, UserId
from pump_party.platform.outbox import OutboxMessage


class TransactionConflict(Exception):
    """Another transaction came first: an account moved, or a deadlock was ended. Nothing was written; try again."""


class Batch(msgspec.Struct):
    """Everything one transaction writes."""

    orders: list[Order]
    fills: list[Fill]
    records: list[JournalRecord]
    accounts: dict[AccountId, Account]
    positions: dict[tuple[AccountId, Market], Position]
    messages: list[OutboxMessage]


class OrdersTransaction(Protocol):
    """What a batch starts from, and where it is written."""

    accounts: dict[AccountId, Account]
    positions: dict[tuple[AccountId, Market], Position]
    earlier: dict[tuple[AccountId, str], RecordedOrder]

    def record(self, batch: Batch) -> None: ...


class PropStore(Protocol):
    def orders_transaction(
        self, keys: Sequence[tuple[AccountId, Market, str]]
    ) -> AbstractContextManager[OrdersTransaction]:
        """Load accounts, positions and whatever was recorded under the same keys, in a way that lets no other change
        of these accounts come between: by lock, or by raising TransactionConflict from `record` or at the end.

        `keys` are (account, market, idempotency key). Durable when the block has ended.
        """
        ...

    def open_account(
        self,
        user_id: UserId,
        *,
        idempotency_key: str,
        request_sha256: str,
        at_ms: int,
        create: Callable[[int], tuple[Account, JournalRecord]],
    ) -> AccountId:
        """Insert what `create(number of the user's accounts)` returns, once per key."""
        ...

    def reset_account(
        self,
        user_id: UserId,
        account_id: str,
        *,
        idempotency_key: str,
        request_sha256: str,
        at_ms: int,
        change: Callable[[Account, Sequence[Position]], tuple[Account, Sequence[JournalRecord], OutboxMessage]],
    ) -> None:
        """Lock, change, clear the positions, once per key. Raises NotFound for a foreign account."""
        ...

    def accounts(self, user_id: UserId) -> Sequence[tuple[Account, Sequence[Position]]]: ...

    def account(self, user_id: UserId, account_id: str) -> tuple[Account, Sequence[Position]]:
        """Raises NotFound unless the account is this user's."""
        ...

    def owns(self, user_id: UserId, account_id: str) -> bool: ...

    def order(self, user_id: UserId, account_id: str, order_id: str) -> RecordedOrder: ...

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

    def accounts_to_mark(
        self, *, after: str, limit: int
    ) -> Sequence[tuple[Account, Sequence[Position], Standing | None]]:
        """Accounts in id order that hold a position or changed since their last mark."""
        ...

    def record_marks(self, standings: Sequence[Standing]) -> None: ...

    def top_standings(self, kind: str, *, limit: int) -> Sequence[Standing]: ...
