"""An account on a real database, or in memory, with its market and clock, as tests of orders drive them."""

from collections.abc import Iterator, Mapping, Sequence

import msgspec
from tests.domains.prop_engine.markets import SOL, FixedBooks, FixedQuotes, order, quote_at, rule_sets

from pump_party.db.engine import Database
from pump_party.db.outbox import OutboxStore
from pump_party.db.prop_check import changed, check
from pump_party.db.prop_engine import PropStore
from pump_party.domains.marketdata.contract import Quote
from pump_party.domains.prop_engine.audit import AccountRecords, Problem, audit
from pump_party.domains.prop_engine.memory_store import MemoryStore
from pump_party.domains.prop_engine.rule_set import RuleSet
from pump_party.domains.prop_engine.service import PropTradingEngine
from pump_party.domains.prop_interface.contract import (
    AccountKind,
    AccountView,
    CancelOrder,
    OpenAccount,
    OrderTerms,
    OrderView,
)
from pump_party.kernel.ids import Market, UserId
from pump_party.platform.clock import ManualClock
from pump_party.platform.ids import Ids
from pump_party.platform.outbox import OutboxMessage

ALICE = UserId("01900000-0000-7000-8000-00000000a11c")
BOB = UserId("01900000-0000-7000-8000-000000000b0b")
ONE_SOL = 10**9
START = 10_000_000_000
LATENCY_MS, WAIT_MS = 1_500, 6_000


Venue = Database | MemoryStore


class Desk:
    """An account, its market and the clock, as a test drives them: prices in whole cents of a USDC."""

    def __init__(
        self,
        database: Venue,
        clock: ManualClock,
        rule_set: str,
        market: Market = SOL,
        *,
        kind: AccountKind = AccountKind.PRACTICE,
        rules: Mapping[str, RuleSet] | None = None,
    ) -> None:
        self.database = database
        self.store = database if isinstance(database, MemoryStore) else PropStore(database)
        self.clock = clock
        self.market = market
        self.rules = rule_sets() | dict(rules or {})
        self.quotes = FixedQuotes(quote_at(clock.now_ms(), market=market, conf_e8=0, mid_e8=150 * 10**8))
        self.books = FixedBooks()
        self.restart()
        opened = self.engine.open_account(OpenAccount(ALICE, kind, rule_set, rule_set))
        self.account_id = opened.account_id
        self._keys = 0

    def restart(self) -> None:
        """A process starts, or another one goes on with what is in the database."""
        self.engine = PropTradingEngine(self.store, self.quotes, self.books, self.rules, self.clock, Ids(self.clock))

    def place(self, side: str = "buy", nanos: int | None = ONE_SOL, **more: object) -> OrderView:
        self._keys += 1
        fields: dict[str, object] = {"idempotency_key": f"k{self._keys}", "market": self.market} | {
            k: v for k, v in more.items() if k in _COMMAND
        }
        terms = {k: v for k, v in more.items() if k not in _COMMAND}
        command = order(ALICE, self.account_id, str(fields["idempotency_key"]), side, nanos)
        command = msgspec.structs.replace(command, **fields, terms=OrderTerms(**terms) if terms else None)
        (outcome,) = self.engine.place_orders([command])
        if isinstance(outcome, Exception):
            raise outcome
        return outcome

    def tick(self, price: float, *, after_ms: int = LATENCY_MS + 1, **more: object) -> int:
        """A tick this long after now, published as it is received."""
        self.clock.advance(after_ms)
        quote = self.quote(price, **more)
        self.quotes.set(quote)
        return self.engine.take_ticks([quote])

    def quote(self, price: float, **more: object) -> Quote:
        fields = {"market": self.market, "age_ms": 0, "conf_e8": 0, "mid_e8": int(price * 100) * 10**6} | more
        return quote_at(self.clock.now_ms(), **fields)  # type: ignore[arg-type]

    def order(self, placed: OrderView) -> OrderView:
        return self.engine.order(ALICE, self.account_id, placed.order_id)

    def view(self) -> AccountView:
        return self.engine.account(ALICE, self.account_id)

    def cancel(self, placed: OrderView) -> OrderView:
        return self.engine.cancel_order(CancelOrder(ALICE, self.account_id, placed.order_id))

    def open(self) -> list[OrderView]:
        return list(self.engine.open_orders(ALICE, self.account_id))

    def messages(self) -> Sequence[OutboxMessage]:
        if isinstance(self.database, MemoryStore):
            return self.database.shelves[self.account_id].messages
        return OutboxStore(self.database).after(self.account_id, seq=0, limit=50)

    def records(self) -> Iterator[AccountRecords]:
        """All there is of every account."""
        if isinstance(self.database, MemoryStore):
            return self.database.account_records()
        return iter(changed(self.database, {}))

    def problems(self) -> list[Problem]:
        """What the audit finds, of all accounts."""
        if isinstance(self.database, MemoryStore):
            return [problem for records in self.records() for problem in audit(records)]
        return check(self.database).problems


_COMMAND = {"idempotency_key", "quote_micros", "max_slippage_ppm", "client_order_id", "market"}


def holds_nothing(desk: Desk) -> bool:
    view = desk.view()
    held = [view.held_micros, *[p.held_nanos for p in view.positions]]
    return not any(held) and view.open_orders == 0 and desk.problems() == []
