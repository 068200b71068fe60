"""The shell of `take_ticks`: find what a tick concerns, let it act, write it, page by page."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from itertools import chain
from typing import TypeVar

from pump_party.domains.marketdata.contract import Book, Books, Quote
from pump_party.domains.prop_engine.rule_set import RuleSet
from pump_party.domains.prop_engine.store import (
    TICK_ORDERS_MAX,
    Batch,
    OrdersTransaction,
    PropStore,
    Tick,
    TransactionConflict,
)
from pump_party.domains.prop_engine.ticks import TickBatch
from pump_party.domains.prop_engine.working import TICK_GRACE_MS
from pump_party.domains.prop_interface.contract import BATCH_ORDERS_MAX, PriceMode
from pump_party.kernel.errors import Unavailable
from pump_party.kernel.ids import AccountId, Market
from pump_party.platform.clock import Clock
from pump_party.platform.ids import Ids
from pump_party.platform.logging import get_logger

HOUR_MS = 3_600_000

CONFLICT_TRIES_MAX = 5
"""A batch that another transaction overtook is decided again this often."""

BUSY = "busy"
Key = tuple[AccountId, Market, str]
T = TypeVar("T")

log = get_logger("matcher")


class Matcher:
    """Lets ticks fill, trigger, fund and liquidate. Several at once are safe: each change is decided under its lock."""

    def __init__(
        self, store: PropStore, books: Books, rule_sets: Mapping[str, RuleSet], clock: Clock, ids: Ids
    ) -> None:
        self._store = store
        self._books = books
        self._rule_sets = rule_sets
        self._clock = clock
        self._ids = ids
        self._needs_books = any(rules.price_mode is PriceMode.BOOK for rules in rule_sets.values())
        self._perps = {market for rules in rule_sets.values() for market in rules.perp}
        self._broken: set[Key] = set()

    def take_ticks(self, quotes: Sequence[Quote]) -> int:
        # Most rounds concern nobody: they cost one question, not two for each tick.
        first = self._store.first_concerned(
            [Tick(q.market, q.publish_ms, q.mid_e8, q.publish_ms // HOUR_MS) for q in quotes]
        )
        if first is None:
            return 0
        quotes = quotes[first:]
        books = self._books.latest(sorted({q.market for q in quotes})) if self._needs_books else {}
        ended = 0
        for quote in quotes:
            book = books.get(quote.market)
            ended += self._watch_perps(quote, book) + self._fill_due(quote, book)
        return ended

    def expire_orders(self) -> int:
        late = self._store.late_orders(now_ms=self._clock.now_ms() - TICK_GRACE_MS, limit=BATCH_ORDERS_MAX)
        return self._act(
            late,
            lambda one: (one[0], one[1], ""),
            lambda batch, part: batch.expire([(account_id, order_id) for account_id, _, order_id in part]),
        )

    def _fill_due(self, quote: Quote, book: Book | None) -> int:
        ended, after = 0, ""
        while True:
            due = self._store.due_orders(
                quote.market,
                publish_ms=quote.publish_ms,
                mid_e8=quote.mid_e8,
                after=after,
                limit=TICK_ORDERS_MAX,
            )
            if not due:
                return ended
            after = due[-1][1]
            ended += self._act(
                due, lambda one: (one[0], quote.market, ""), lambda batch, part: batch.take(quote, book, part)
            )

    def _watch_perps(self, quote: Quote, book: Book | None) -> int:
        liquidated, after = 0, ""
        while quote.market in self._perps:
            accounts = self._store.perps_to_watch(
                quote.market,
                mid_e8=quote.mid_e8,
                hour=quote.publish_ms // HOUR_MS,
                after=after,
                limit=BATCH_ORDERS_MAX,
            )
            if not accounts:
                break
            after = accounts[-1]
            liquidated += self._act(
                accounts, lambda one: (one, quote.market, ""), lambda batch, part: batch.watch(quote, book, part)
            )
        return liquidated

    def _act(self, items: Sequence[T], key_of: Callable[[T], Key], act: Callable[[TickBatch, Sequence[T]], int]) -> int:
        """All in one transaction; in halves when that cannot be done, so that no account holds up the others.

        Raises Unavailable after the others are done when one account stays busy: its tick must come again. One that
        cannot be decided at all is left as it is, and told in the log once.
        """
        try:
            return self._act_together(items, key_of, act)
        except Unavailable as error:
            if error.code != BUSY or len(items) == 1:
                raise
        except Exception as error:  # noqa: BLE001 - a bug or a broken row of one account must not stop a market
            if len(items) == 1:
                self._leave(key_of(items[0]), error)
                return 0
        ended, busy = 0, None
        for part in (items[: len(items) // 2], items[len(items) // 2 :]):
            try:
                ended += self._act(part, key_of, act)
            except Unavailable as error:
                if error.code != BUSY:
                    raise
                busy = error
        if busy is not None:
            raise busy
        return ended

    def _act_together(
        self, items: Sequence[T], key_of: Callable[[T], Key], act: Callable[[TickBatch, Sequence[T]], int]
    ) -> int:
        ended = 0

        def decide(transaction: OrdersTransaction) -> Iterator[Batch]:
            nonlocal ended
            ended = 0
            new_ids, now_ms = endless(self._ids, 2 * len(items)), self._clock.now_ms()
            for first in range(0, len(items), transaction.part_orders):
                batch = TickBatch(transaction, self._rule_sets, new_ids, now_ms=now_ms)
                ended += act(batch, items[first : first + transaction.part_orders])
                yield batch.batch

        if items:
            write(self._store, [key_of(item) for item in items], decide)
        return ended

    def _leave(self, key: Key, error: Exception) -> None:
        if key not in self._broken:
            self._broken.add(key)
            log.error("account_not_matched", account_id=key[0], market=key[1], exc_info=error)


def write(store: PropStore, keys: Sequence[Key], decide: Callable[[OrdersTransaction], Iterable[Batch]]) -> None:
    """Decide and record in one transaction; again from the start when another one came first."""
    for _ in range(CONFLICT_TRIES_MAX):
        try:
            with store.orders_transaction(keys) as transaction:
                for batch in decide(transaction):
                    transaction.record(batch)
        except TransactionConflict:
            continue
        return
    raise Unavailable("the account is busy; try again", code=BUSY)


def endless(ids: Ids, expected: int = 1) -> Iterator[str]:
    """Ids without end; as many as expected come at the price of one look at the clock."""
    return chain(ids.take(expected), iter(ids.new, ""))
