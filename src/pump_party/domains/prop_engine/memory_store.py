"""The engine's store inside one process, for backtests and replays: everything is kept, nothing outlives the object.

It answers as the databases do, and a transaction is as atomic; one lock makes callers take turns. Messages are kept
with their account, nobody relays them. `account_records` hands every account to the audit.
"""

import threading
from bisect import bisect_left
from collections.abc import Callable, Iterator, Sequence
from typing import Any, TypeVar

from pump_party.domains.prop_engine import memory_marks
from pump_party.domains.prop_engine.audit import AccountRecords
from pump_party.domains.prop_engine.curve import EquityMark as CurveMark
from pump_party.domains.prop_engine.marking import Markable, Marked
from pump_party.domains.prop_engine.memory_shelf import Shelf
from pump_party.domains.prop_engine.memory_ticks import TickIndex
from pump_party.domains.prop_engine.model import (
    Account,
    Fill,
    JournalRecord,
    OpenOrder,
    Position,
    RecordedOrder,
    RecordKind,
    Standing,
)
from pump_party.domains.prop_engine.orders import account_not_found
from pump_party.domains.prop_engine.perp_model import PerpPosition
from pump_party.domains.prop_engine.portfolio import Holdings
from pump_party.domains.prop_engine.store import TICK_ORDERS_MAX, Batch, Performance, Reset, Tick, TransactionConflict
from pump_party.domains.prop_interface.contract import OPEN_ORDERS_MAX, AccountKind, EquityMark
from pump_party.kernel.errors import IdempotencyMismatch, NotFound
from pump_party.kernel.ids import AccountId, Market, OrderId, UserId
from pump_party.platform.outbox import OutboxMessage

Keys = Sequence[tuple[AccountId, Market, str]]
T = TypeVar("T")


class MemoryTransaction:
    """Implements `store.OrdersTransaction`: copies, moved forward by the batch, kept when it is recorded."""

    part_orders = TICK_ORDERS_MAX

    def __init__(self, store: "MemoryStore", keys: Keys) -> None:
        self._store = store
        self._keys = keys
        self.accounts: dict[AccountId, Account] = {}
        self.positions: dict[tuple[AccountId, Market], Position] = {}
        self.earlier: dict[tuple[AccountId, str], RecordedOrder] = {}
        self.open_orders: dict[AccountId, dict[OrderId, OpenOrder]] = {}
        self.perps: dict[tuple[AccountId, Market], PerpPosition] = {}

    def __enter__(self) -> "MemoryTransaction":
        self._store.lock.acquire()
        for account_id, market, key in self._keys:
            shelf = self._store.shelves.get(account_id)
            if shelf is None:
                continue
            self.accounts[account_id] = shelf.account
            if market in shelf.positions:
                self.positions[account_id, market] = shelf.positions[market]
            if market in shelf.perps:
                self.perps[account_id, market] = shelf.perps[market]
            if key in shelf.by_key:
                self.earlier[account_id, key] = shelf.by_key[key]
            if shelf.open_orders and account_id not in self.open_orders:
                self.open_orders[account_id] = dict(shelf.open_orders)
        return self

    def __exit__(self, *_: object) -> None:
        self._store.lock.release()

    def record(self, batch: Batch) -> None:
        # Only of a change of status does the caller name the record.
        named = [record.record_id for record in batch.records if record.kind is RecordKind.STATUS]
        if any(self._store.record_detail(record_id) is not None for record_id in named):
            raise TransactionConflict
        self._store.keep(batch)


class MemoryStore:
    """Implements what `store.PropStore` asks for trading; any number of accounts, markets and threads."""

    def __init__(self) -> None:
        self.lock = threading.RLock()
        self.shelves: dict[AccountId, Shelf] = {}
        self.ticks = TickIndex()
        self._answered: dict[tuple[str, str], tuple[str, AccountId]] = {}

    # --- orders and ticks ---

    def orders_transaction(self, keys: Keys) -> MemoryTransaction:
        return MemoryTransaction(self, keys)

    def keep(self, batch: Batch) -> None:
        """Take over what a batch decided."""
        for account in batch.accounts.values():
            self.shelves[account.account_id].account = account
        for position in batch.positions.values():
            self.shelves[position.account_id].positions[position.market] = position
        for perp, liquidation_e8 in batch.perps.values():
            self._keep_perp(perp, liquidation_e8)
        self._keep_records(batch.records, batch.messages)
        fills: dict[str, Fill] = {fill.fill_id: fill for fill in batch.fills}
        for fill in batch.fills:
            self.shelves[fill.account_id].fills.append(fill)
        versions = _versions(batch.records)
        for order in batch.orders:
            recorded = RecordedOrder(order, None if order.fill_id is None else fills[order.fill_id])
            self.shelves[order.account_id].keep_order(versions[order.fill_id or order.order_id], recorded)
            self._forget_open(order.account_id, order.market, order.order_id)
        for open_order in batch.opened.values():
            order = open_order.order
            self.shelves[order.account_id].open_orders[order.order_id] = open_order
            self.ticks.keep(open_order)

    def _keep_records(self, records: Sequence[JournalRecord], messages: Sequence[OutboxMessage]) -> None:
        for record in records:
            self.shelves[record.account_id].journal.append(record)
        for message in messages:
            self.shelves[AccountId(message.subject)].messages.append(message)

    def _keep_perp(self, perp: PerpPosition, liquidation_e8: int | None) -> None:
        self.shelves[perp.account_id].perps[perp.market] = perp
        self.ticks.keep_perp(perp, liquidation_e8)

    def _forget_open(self, account_id: AccountId, market: Market, order_id: OrderId) -> None:
        self.shelves[account_id].open_orders.pop(order_id, None)
        self.ticks.forget(market, order_id)

    def first_concerned(self, ticks: Sequence[Tick]) -> int | None:
        with self.lock:
            return next((place for place, tick in enumerate(ticks) if self.ticks.is_concerned(tick)), None)

    def due_orders(
        self, market: Market, *, publish_ms: int, mid_e8: int, after: str, limit: int
    ) -> Sequence[tuple[AccountId, OrderId]]:
        with self.lock:
            return self.ticks.due(market, publish_ms=publish_ms, mid_e8=mid_e8, after=after, limit=limit)

    def perps_to_watch(self, market: Market, *, mid_e8: int, hour: int, after: str, limit: int) -> Sequence[AccountId]:
        with self.lock:
            return self.ticks.perps_to_watch(market, mid_e8=mid_e8, hour=hour, after=after, limit=limit)

    def late_orders(self, *, now_ms: int, limit: int) -> Sequence[tuple[AccountId, Market, OrderId]]:
        with self.lock:
            return self.ticks.late(now_ms=now_ms, limit=limit)

    # --- accounts ---

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
        del at_ms

        def effect() -> AccountId:
            account, opening = create(sum(shelf.account.kind in kinds for shelf in self._owned(user_id)))
            self.shelves[account.account_id] = Shelf(account, journal=[opening])
            return account.account_id

        return self._once(f"{user_id}/accounts", idempotency_key, request_sha256, effect)

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
        del at_ms

        def effect() -> AccountId:
            shelf = self._shelf(user_id, account_id)
            reset = change(shelf.holdings(), list(shelf.open_orders.values()))
            own = shelf.account.account_id
            shelf.account = reset.account
            shelf.positions.clear()
            for perp in shelf.perps.values():
                self.ticks.forget_perp(perp.market, own)
            shelf.perps.clear()
            self._keep_records(reset.records, reset.messages)
            versions = _versions(reset.records)
            for order in reset.cancelled:
                shelf.keep_order(versions[order.order_id], RecordedOrder(order, None))
                self._forget_open(own, order.market, order.order_id)
            return own

        self._once(f"{user_id}/{account_id}/reset", idempotency_key, request_sha256, effect)

    def _once(self, scope: str, key: str, request_sha256: str, effect: Callable[[], AccountId]) -> AccountId:
        with self.lock:
            earlier = self._answered.get((scope, key))
            if earlier is None:
                earlier = self._answered[scope, key] = (request_sha256, effect())
        if earlier[0] != request_sha256:
            raise IdempotencyMismatch
        return earlier[1]

    # --- reads ---

    def accounts(self, user_id: UserId) -> Sequence[Holdings]:
        with self.lock:
            return [shelf.holdings() for shelf in self._owned(user_id)]

    def account(self, user_id: UserId | None, account_id: str) -> Holdings:
        with self.lock:
            return self._shelf(user_id, account_id).holdings()

    def situation(self, user_id: UserId, account_id: str) -> tuple[Holdings, Sequence[OpenOrder]]:
        with self.lock:
            shelf = self._shelf(user_id, account_id)
            return shelf.holdings(), list(shelf.open_orders.values())

    def owns(self, user_id: UserId, account_id: str) -> bool:
        shelf = self.shelves.get(AccountId(account_id))
        return shelf is not None and shelf.account.user_id == user_id

    def order(self, user_id: UserId, account_id: str, order_id: str) -> RecordedOrder | OpenOrder:
        with self.lock:
            shelf, own = self._shelf(user_id, account_id), OrderId(order_id)
            found = shelf.open_orders.get(own) or shelf.by_id.get(own)
        if found is None:
            raise NotFound("this account has no such order", code="order_not_found", field="order_id")
        return found

    def open_orders(self, user_id: UserId, account_id: str) -> Sequence[OpenOrder]:
        with self.lock:
            waiting = self._shelf(user_id, account_id).open_orders.values()
            return sorted(waiting, key=lambda o: o.order.order_id, reverse=True)[:OPEN_ORDERS_MAX]

    def orders(
        self, user_id: UserId, account_id: str, *, before: int | None, limit: int
    ) -> Sequence[tuple[int, RecordedOrder]]:
        with self.lock:
            return _newest(self._shelf(user_id, account_id).ended, before, limit, lambda ended: ended[0])

    def fills(self, user_id: UserId, account_id: str, *, before: int | None, limit: int) -> Sequence[Fill]:
        with self.lock:
            return _newest(self._shelf(user_id, account_id).fills, before, limit, lambda fill: fill.version)

    def records(self, user_id: UserId, account_id: str, *, before: int | None, limit: int) -> Sequence[JournalRecord]:
        with self.lock:
            moved = [r for r in self._shelf(user_id, account_id).journal if r.postings != b"[]"]
            return _newest(moved, before, limit, lambda record: record.version)

    def record_detail(self, record_id: str) -> str | None:
        with self.lock:
            found = [r for shelf in self.shelves.values() for r in shelf.journal if r.record_id == record_id]
        return found[0].detail if found else None

    def status_detail(self, account_id: AccountId) -> str | None:
        with self.lock:
            changes = [r for r in self.shelves[account_id].journal if r.kind is RecordKind.STATUS]
        return changes[-1].detail if changes else None

    def order_by_key(self, account_id: AccountId, idempotency_key: str) -> RecordedOrder | OpenOrder | None:
        with self.lock:
            shelf = self.shelves[account_id]
            waiting = [o for o in shelf.open_orders.values() if o.order.idempotency_key == idempotency_key]
            return waiting[0] if waiting else shelf.by_key.get(idempotency_key)

    # --- marks and the board ---

    def accounts_to_mark(self, *, after: str, limit: int, changed_only: bool = False) -> Sequence[Markable]:
        is_due = memory_marks.has_changed if changed_only else memory_marks.is_to_mark
        with self.lock:
            behind = sorted(i for i, shelf in self.shelves.items() if i > after and is_due(shelf))
            return [memory_marks.markable(self.shelves[account_id]) for account_id in behind[:limit]]

    def record_marks(self, marked: Sequence[Marked]) -> Sequence[Marked]:
        with self.lock:
            return memory_marks.keep_marks(self.shelves, marked)

    def sampled_marks(
        self, account_id: AccountId, cycle: int, *, first_ms: int, every_ms: int, count: int
    ) -> Sequence[CurveMark]:
        with self.lock:
            shelf = self.shelves[account_id]
            return memory_marks.sampled_marks(shelf, cycle, first_ms=first_ms, every_ms=every_ms, count=count)

    def equity_marks(
        self, user_id: UserId, account_id: str, *, before_ms: int | None, limit: int
    ) -> Sequence[EquityMark]:
        with self.lock:
            marks = _newest(self._shelf(user_id, account_id).marks, before_ms, limit, lambda mark: mark.as_of_ms)
        return [EquityMark(mark.as_of_ms, mark.cycle, mark.equity_micros) for mark in marks]

    def performance(self, user_id: UserId, account_id: str, *, fills_limit: int) -> Performance:
        with self.lock:
            return memory_marks.performance(self._shelf(user_id, account_id), fills_limit=fills_limit)

    def newest_standings(self, account_ids: Sequence[AccountId]) -> Sequence[Standing]:
        with self.lock:
            found = [self.shelves[own] for own in account_ids if own in self.shelves]
            return [shelf.marks[-1] for shelf in found if shelf.marks]

    def account_records(self) -> Iterator[AccountRecords]:
        """All there is of every account, for `audit.audit` to prove."""
        with self.lock:
            for shelf in self.shelves.values():
                yield AccountRecords(
                    account=shelf.account,
                    positions=list(shelf.positions.values()),
                    perps=list(shelf.perps.values()),
                    open_orders=list(shelf.open_orders.values()),
                    orders=[recorded.order for _, recorded in shelf.ended],
                    fills=shelf.fills,
                    journal=shelf.journal,
                    last_seq=shelf.messages[-1].seq if shelf.messages else 0,
                )

    def _owned(self, user_id: UserId) -> list[Shelf]:
        return [shelf for shelf in self.shelves.values() if shelf.account.user_id == user_id]

    def _shelf(self, user_id: UserId | None, account_id: str) -> Shelf:
        shelf = self.shelves.get(AccountId(account_id))
        if shelf is None or user_id not in (None, shelf.account.user_id):
            raise account_not_found()
        return shelf


def _versions(records: Sequence[JournalRecord]) -> dict[str, int]:
    """The version of each outcome, by the id of the fill or of the order that ended without one."""
    versions: dict[str, int] = {}
    for record in records:
        if record.kind is RecordKind.FILL:
            versions[record.record_id] = record.version
        elif record.kind in (RecordKind.REJECT, RecordKind.CANCEL) and record.order_id is not None:
            versions[record.order_id] = record.version
    return versions


def _newest(rows: Sequence[T], before: int | None, limit: int, version_of: Callable[[T], Any]) -> list[T]:
    """The newest rows from before a version; `rows` are in version order."""
    end = len(rows) if before is None else bisect_left(rows, before, key=version_of)
    return list(reversed(rows[max(0, end - limit) : end]))
