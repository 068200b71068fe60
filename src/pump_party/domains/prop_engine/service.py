"""The shell of the engine: one public method is one use case and one transaction."""

from collections.abc import Callable, Mapping, Sequence
from hashlib import sha256
from typing import TypeVar

from pump_party.domains.marketdata.contract import Book, Books, Candles, Closings, Quote, Quotes
from pump_party.domains.prop_engine import announce, views
from pump_party.domains.prop_engine.actions import run_actions
from pump_party.domains.prop_engine.closer import Closer
from pump_party.domains.prop_engine.cycle import blank_account, close_cycle, start_cycle
from pump_party.domains.prop_engine.guard import Guard
from pump_party.domains.prop_engine.marks import Marker
from pump_party.domains.prop_engine.matcher import CONFLICT_TRIES_MAX, Matcher, endless, write
from pump_party.domains.prop_engine.model import (
    Account,
    JournalRecord,
    OpenOrder,
    RecordedOrder,
)
from pump_party.domains.prop_engine.orders import BooksNeeded, OrderBatch, Outcome, account_not_found
from pump_party.domains.prop_engine.portfolio import Holdings
from pump_party.domains.prop_engine.preview import preview
from pump_party.domains.prop_engine.recording import Recorder
from pump_party.domains.prop_engine.reports import Reporter
from pump_party.domains.prop_engine.results import drawdown_ppm
from pump_party.domains.prop_engine.rule_set import RuleSet
from pump_party.domains.prop_engine.status import refuse_reset
from pump_party.domains.prop_engine.status_words import with_reason
from pump_party.domains.prop_engine.store import (
    AccountState,
    Batch,
    OrdersTransaction,
    PropStore,
    Reset,
    TransactionConflict,
)
from pump_party.domains.prop_interface.contract import (
    ACCOUNTS_PER_USER_MAX,
    BATCH_ORDERS_MAX,
    CLONE_ACCOUNTS_PER_USER_MAX,
    PAGE_LIMIT_MAX,
    AccountKind,
    AccountStatus,
    AccountView,
    ActionOutcome,
    CancelOrder,
    CancelOrders,
    CancelReason,
    EquityMark,
    FillView,
    LedgerEntryView,
    NewestMark,
    OpenAccount,
    OrderView,
    Page,
    PlaceOrder,
    PreviewView,
    ResetAccount,
    ResultsView,
    RuleSetView,
    SetAccountStatus,
    StandingAtEnd,
    SubmitActions,
)
from pump_party.kernel.errors import Conflict, Invalid, Refusal, Unavailable
from pump_party.kernel.ids import AccountId, Market, OrderId, UserId, is_uuid
from pump_party.platform.clock import Clock
from pump_party.platform.ids import Ids

IDS_PER_ORDER = 2
"""One for the order, one for its fill."""

_PEOPLE = (AccountKind.PRACTICE, AccountKind.CONTEST)
_COUNTED_TOGETHER = {**dict.fromkeys(_PEOPLE, _PEOPLE), AccountKind.CLONE: (AccountKind.CLONE,)}
_ACCOUNTS_MAX = {**dict.fromkeys(_PEOPLE, ACCOUNTS_PER_USER_MAX), AccountKind.CLONE: CLONE_ACCOUNTS_PER_USER_MAX}

T = TypeVar("T")


class PropTradingEngine:
    """Owns prop accounts and their trading ledger. Does not know who decided to trade."""

    def __init__(
        self,
        store: PropStore,
        quotes: Quotes,
        books: Books,
        rule_sets: Mapping[str, RuleSet],
        clock: Clock,
        ids: Ids,
        candles: Candles | None = None,
        closings: Closings | None = None,
    ) -> None:
        """Without candles results have no baselines, without closings no position has a value at an end."""
        self._store = store
        self._quotes = quotes
        self._books = books
        self._rule_sets = rule_sets
        self._by_kind = {rules.kind: rules for rules in rule_sets.values() if rules.default}
        self._clock = clock
        self._ids = ids
        self._matcher = Matcher(store, books, rule_sets, clock, ids)
        self._guard = Guard(store, rule_sets, clock, ids)
        self._marker = Marker(store, quotes, rule_sets, self._guard, clock)
        self._reporter = Reporter(store, quotes, candles, rule_sets, clock)
        self._closer = Closer(store, closings, rule_sets, clock)
        self._markets = sorted({market for rules in rule_sets.values() for market in (*rules.spot, *rules.perp)})

    def start_micros(self, kind: AccountKind) -> int:
        return self._by_kind[kind].start_micros

    def rule_sets(self) -> Sequence[RuleSetView]:
        return [views.rule_set_view(rules) for rules in self._rule_sets.values()]

    # --- commands ---

    def open_account(self, command: OpenAccount) -> AccountView:
        rules = self._rules_for(command)
        now_ms = self._clock.now_ms()

        def create(owned: int) -> tuple[Account, JournalRecord]:
            if owned >= _ACCOUNTS_MAX[command.kind]:
                raise Conflict(
                    f"you have {owned} accounts, the most allowed; reset one instead", code="too_many_accounts"
                )
            blank = blank_account(AccountId(self._ids.new()), command.user_id, rules, now_ms=now_ms)
            return start_cycle(blank, self._ids.new(), rules.start_micros, now_ms=now_ms)

        account_id = self._store.open_account(
            command.user_id,
            _COUNTED_TOGETHER[command.kind],
            idempotency_key=command.idempotency_key,
            request_sha256=_fingerprint("open", command.kind.value, *filter(None, [command.rule_set])),
            at_ms=now_ms,
            create=create,
        )
        return self.account(command.user_id, account_id)

    def _rules_for(self, command: OpenAccount) -> RuleSet:
        if command.rule_set is None:
            return self._by_kind[command.kind]
        rules = self._rule_sets.get(command.rule_set)
        if rules is None or rules.kind is not command.kind:
            known = ", ".join(name for name, r in self._rule_sets.items() if r.kind is command.kind)
            raise Invalid(
                f"is not a rule set of {command.kind.value} accounts: {known}",
                code="rule_set_unknown",
                field="rule_set",
            )
        return rules

    def reset_account(self, command: ResetAccount) -> AccountView:
        now_ms = self._clock.now_ms()

        def change(holdings: Holdings, open_orders: Sequence[OpenOrder]) -> Reset:
            account, positions = holdings.account, holdings.positions
            refuse_reset(account.kind, account.status)
            recorder = Recorder(
                AccountState.of(holdings, open_orders), self._rule_sets, endless(self._ids), now_ms=now_ms
            )
            for open_order in open_orders:
                recorder.end(open_order, CancelReason.ACCOUNT_CLOSED)
            account = recorder.accounts[account.account_id]
            held = [recorder.position(account.account_id, p.market) for p in positions]
            closed, closing = close_cycle(account, held, self._ids.new(), now_ms=now_ms)
            fresh, opening = start_cycle(
                closed, self._ids.new(), self._rule_sets[account.rule_set].start_micros, now_ms=now_ms
            )
            batch = recorder.batch
            return Reset(
                fresh,
                batch.orders,
                [*batch.records, closing, opening],
                [*batch.messages, announce.account_reset(fresh, at_ms=now_ms)],
            )

        self._store.reset_account(
            command.user_id,
            _checked_id(command.account_id),
            idempotency_key=command.idempotency_key,
            request_sha256=_fingerprint("reset", command.account_id),
            at_ms=now_ms,
            change=change,
        )
        return self.account(command.user_id, command.account_id)

    def set_account_status(self, command: SetAccountStatus) -> AccountView:
        _checked_id(command.account_id)
        return self.view_of(self._guard.set_status(command))

    def submit_actions(self, batch: SubmitActions) -> Sequence[ActionOutcome]:
        _checked_id(batch.account_id)
        return run_actions(self, self._store, batch)

    def place_orders(self, commands: Sequence[PlaceOrder]) -> Sequence[OrderView | Exception]:
        assert 0 < len(commands) <= BATCH_ORDERS_MAX
        # Before the lock: no cache is asked while accounts are held.
        quotes = self._quotes.latest(sorted({c.market for c in commands}))
        books: Mapping[Market, Book] | None = None
        for _ in range(CONFLICT_TRIES_MAX):
            try:
                outcomes = self._place(commands, quotes, books)
            except TransactionConflict:
                continue
            except BooksNeeded:
                books = self._books.latest(list(quotes))
                continue
            return [o if isinstance(o, Refusal) else views.order_view(o) for o in outcomes]
        raise Unavailable("the account is busy; try again with the same key", code="busy")

    def _place(
        self,
        commands: Sequence[PlaceOrder],
        quotes: Mapping[Market, Quote],
        books: Mapping[Market, Book] | None,
    ) -> list[Outcome | Refusal]:
        keys = [(c.account_id, c.market, c.idempotency_key) for c in commands]
        with self._store.orders_transaction(keys) as transaction:
            # The time is taken under the lock, so that a later fill of an account never has an earlier time.
            new_ids = endless(self._ids, IDS_PER_ORDER * len(commands))
            now_ms = self._clock.now_ms()
            deciding = OrderBatch(transaction, quotes, self._rule_sets, new_ids, now_ms=now_ms, books=books)
            # By account, each in its own order: what is written for one lies together, and costs fewer pages.
            turns = sorted(range(len(commands)), key=lambda place: commands[place].account_id)
            decided = {place: deciding.outcome(commands[place]) for place in turns}
            transaction.record(deciding.batch)
        return [decided[place] for place in range(len(commands))]

    def cancel_order(self, command: CancelOrder) -> OrderView:
        account_id, order_id = _checked_id(command.account_id), _checked_id(command.order_id, "order_id")
        earlier = self._store.order(command.user_id, account_id, order_id)
        if isinstance(earlier, RecordedOrder):
            return views.order_view(earlier)
        key = (AccountId(account_id), earlier.order.market, "")

        def cancel(transaction: OrdersTransaction) -> Sequence[Batch]:
            recorder = Recorder(transaction, self._rule_sets, endless(self._ids), now_ms=self._clock.now_ms())
            open_order = recorder.open_orders.get(key[0], {}).get(OrderId(order_id))
            if open_order is not None:
                recorder.cancel(open_order)
            return [recorder.batch]

        write(self._store, [key], cancel)
        return views.order_view(self._store.order(command.user_id, account_id, order_id))

    def cancel_orders(self, command: CancelOrders) -> Sequence[OrderView]:
        account_id = AccountId(_checked_id(command.account_id))
        open_orders = [
            o.order
            for o in self._store.open_orders(command.user_id, account_id)
            if command.market in (None, o.order.market)
        ]
        cancelled: list[RecordedOrder | OpenOrder] = []

        def cancel(transaction: OrdersTransaction) -> Sequence[Batch]:
            recorder = Recorder(transaction, self._rule_sets, endless(self._ids), now_ms=self._clock.now_ms())
            wanted = {order.order_id for order in open_orders}
            asked = [recorder.cancel(o) for o in recorder.of_account(account_id) if o.order.order_id in wanted]
            cancelled[:] = [one for one in asked if one is not None]
            return [recorder.batch]

        if open_orders:
            write(self._store, [(account_id, market, "") for market in sorted({o.market for o in open_orders})], cancel)
        return [views.order_view(o) for o in cancelled]

    def take_ticks(self, quotes: Sequence[Quote]) -> int:
        return self._matcher.take_ticks(quotes)

    def expire_orders(self) -> int:
        return self._matcher.expire_orders()

    def preview_order(self, command: PlaceOrder) -> PreviewView:
        quotes = self._quotes.latest([command.market])
        books = self._books.latest([command.market])
        holdings, waiting = self._store.situation(command.user_id, _checked_id(command.account_id))
        rules = self._rule_sets[holdings.account.rule_set]
        return preview(command, holdings, waiting, quotes, books, rules, now_ms=self._clock.now_ms())

    def mark_accounts(self, *, changed_only: bool = False) -> int:
        return len(self._marker.mark_accounts(changed_only=changed_only))

    # --- reads: ownership is checked by the store, a foreign account does not exist ---

    def accounts(self, user_id: UserId) -> Sequence[AccountView]:
        owned = self._store.accounts(user_id)
        quotes = self._quotes.latest(self._markets)
        now_ms = self._clock.now_ms()
        return [self._view(holdings, quotes, now_ms=now_ms) for holdings in owned]

    def account(self, user_id: UserId | None, account_id: str) -> AccountView:
        return self.view_of(self._store.account(user_id, _checked_id(account_id)))

    def view_of(self, holdings: Holdings) -> AccountView:
        """Of what was read of an account already."""
        return self._view(holdings, self._quotes.latest(self._markets), now_ms=self._clock.now_ms())

    def _view(self, holdings: Holdings, quotes: Mapping[Market, Quote], *, now_ms: int) -> AccountView:
        account = holdings.account
        rules = self._rule_sets[account.rule_set]
        view = views.account_view(holdings, quotes, rules.perp, now_ms=now_ms)
        if account.status is AccountStatus.ACTIVE:
            return view
        return with_reason(view, self._store.status_detail(account.account_id), rules.risk)

    def owns(self, user_id: UserId, account_id: str) -> bool:
        return is_uuid(account_id) and self._store.owns(user_id, account_id)

    def order(self, user_id: UserId, account_id: str, order_id: str) -> OrderView:
        return views.order_view(self._store.order(user_id, _checked_id(account_id), _checked_id(order_id, "order_id")))

    def open_orders(self, user_id: UserId, account_id: str) -> Sequence[OrderView]:
        return [views.order_view(o) for o in self._store.open_orders(user_id, _checked_id(account_id))]

    def orders(self, user_id: UserId, account_id: str, *, cursor: str | None, limit: int) -> Page[OrderView]:
        rows = self._store.orders(user_id, _checked_id(account_id), before=_number(cursor), limit=_limit(limit) + 1)
        page = _page(rows, limit, lambda last: str(last[0]))
        return Page(tuple(views.order_view(recorded) for _, recorded in page.items), page.next_cursor)

    def fills(self, user_id: UserId, account_id: str, *, cursor: str | None, limit: int) -> Page[FillView]:
        rows = self._store.fills(user_id, _checked_id(account_id), before=_number(cursor), limit=_limit(limit) + 1)
        return _page([views.fill_view(r) for r in rows], limit, lambda last: str(last.version))

    def ledger(self, user_id: UserId, account_id: str, *, cursor: str | None, limit: int) -> Page[LedgerEntryView]:
        """`limit` counts records: a record's postings are never torn across pages."""
        records = self._store.records(user_id, _checked_id(account_id), before=_number(cursor), limit=_limit(limit) + 1)
        page = _page(records, limit, lambda last: str(last.version))
        return Page(tuple(e for r in page.items for e in views.ledger_entries(r)), page.next_cursor)

    def equity(self, user_id: UserId, account_id: str, *, cursor: str | None, limit: int) -> Page[EquityMark]:
        rows = self._store.equity_marks(
            user_id, _checked_id(account_id), before_ms=_number(cursor), limit=_limit(limit) + 1
        )
        return _page(rows, limit, lambda last: str(last.at_ms))

    def newest_marks(self, account_ids: Sequence[AccountId]) -> Mapping[AccountId, NewestMark]:
        standings = self._store.newest_standings(account_ids)
        return {
            s.account_id: NewestMark(s.as_of_ms, s.equity_micros, drawdown_ppm(s.peak_micros, s.equity_micros))
            for s in standings
        }

    def results(self, user_id: UserId, account_id: str) -> ResultsView:
        return self._reporter.results(user_id, _checked_id(account_id))

    def standing_at_end(self, user_id: UserId, account_id: str, *, end_ms: int) -> StandingAtEnd:
        return self._closer.standing_at_end(user_id, _checked_id(account_id), end_ms)


def _fingerprint(*parts: str) -> str:
    return sha256("|".join(parts).encode()).hexdigest()


def _checked_id(text: str, field: str = "account_id") -> str:
    if is_uuid(text):
        return text
    if field == "account_id":
        raise account_not_found()
    raise Invalid("is not a well-formed id", code="invalid_id", field=field)


def _limit(limit: int) -> int:
    if not 1 <= limit <= PAGE_LIMIT_MAX:
        raise Invalid(f"must be 1 to {PAGE_LIMIT_MAX}", code="limit_out_of_range", field="limit")
    return limit


def _number(cursor: str | None) -> int | None:
    if cursor is None:
        return None
    if not (cursor.isascii() and cursor.isdigit() and len(cursor) <= 18):
        raise Invalid("is not a cursor of this list", code="invalid_cursor", field="cursor")
    return int(cursor)


def _page(rows: Sequence[T], limit: int, cursor_of: Callable[[T], str]) -> Page[T]:
    """`rows` holds one more than the page when there is more."""
    items = tuple(rows[:limit])
    return Page(items, cursor_of(items[-1]) if len(rows) > limit else None)
