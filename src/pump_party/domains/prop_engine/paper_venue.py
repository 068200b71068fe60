"""An exchange of its own inside one process: the engine on a store in memory and a clock that its owner moves.

Backtests and counterfactuals trade here, through the same orders, fills, holds, funding and liquidation as live.
"""

from collections.abc import Iterator, Mapping, Sequence

from pump_party.domains.marketdata.contract import Book, Candles, Quote
from pump_party.domains.prop_engine.audit import AccountRecords
from pump_party.domains.prop_engine.memory_marks import holds_something
from pump_party.domains.prop_engine.memory_store import MemoryStore
from pump_party.domains.prop_engine.rule_set import RuleSet
from pump_party.domains.prop_engine.service import PropTradingEngine
from pump_party.domains.prop_interface.contract import AccountView, PropTrading
from pump_party.kernel.dice import Dice
from pump_party.kernel.ids import AccountId, Market
from pump_party.platform.clock import ManualClock
from pump_party.platform.ids import Ids


class PaperVenue:
    """Implements `prop_interface.contract.Venue`. The same seed and the same calls give the same bytes."""

    def __init__(
        self, rule_sets: Mapping[str, RuleSet], *, start_ms: int, seed: int, candles: Candles | None = None
    ) -> None:
        self._store = MemoryStore()
        self._clock = ManualClock(start_ms)
        self._quotes = _Quotes()
        self._flat: dict[AccountId, AccountView] = {}
        ids = Ids(self._clock, Dice(seed).take_bytes)
        self._engine = PropTradingEngine(self._store, self._quotes, _NoBooks(), rule_sets, self._clock, ids, candles)

    @property
    def trading(self) -> PropTrading:
        return self._engine

    def account_records(self) -> Iterator[AccountRecords]:
        """All there is of every account, for `audit.audit` to prove."""
        return self._store.account_records()

    def advance(self, now_ms: int) -> None:
        self._clock.advance(now_ms - self._clock.now_ms())

    def show(self, quotes: Sequence[Quote]) -> None:
        self._quotes.put(quotes)

    def tick(self, quote: Quote) -> int:
        self.advance(quote.recv_ms)
        self._quotes.put([quote])
        return self._engine.take_ticks([quote])

    def account(self, account_id: AccountId) -> AccountView:
        shelf = self._store.shelves[account_id]
        known = self._flat.get(account_id)
        if known is not None and known.version == shelf.account.version:
            return known
        view = self._engine.view_of(shelf.holdings())
        if not holds_something(shelf):
            self._flat[account_id] = view
        return view

    def watched(self) -> Sequence[Market]:
        return self._store.ticks.watched()

    def is_waiting(self, market: Market) -> bool:
        return self._store.ticks.is_waiting(market)

    def is_touched(self, market: Market, *, low_e8: int, high_e8: int, at_ms: int) -> bool:
        return self._store.ticks.is_touched(market, low_e8=low_e8, high_e8=high_e8, at_ms=at_ms)


class _Quotes:
    """The newest price of every market that has one."""

    def __init__(self) -> None:
        self._newest: dict[Market, Quote] = {}
        self._asked: Sequence[Market] = ()
        self._answer: Mapping[Market, Quote] = {}

    def put(self, quotes: Sequence[Quote]) -> None:
        for quote in quotes:
            self._newest[quote.market] = quote
        self._asked = ()

    def latest(self, markets: Sequence[Market]) -> Mapping[Market, Quote]:
        # The engine asks for all of its markets again and again, with the same list.
        if markets is not self._asked:
            self._answer = {market: self._newest[market] for market in markets if market in self._newest}
            self._asked = markets
        return self._answer


class _NoBooks:
    """Nothing records books for a paper venue: rules that ask for one fall back on the ladder."""

    def latest(self, markets: Sequence[Market]) -> Mapping[Market, Book]:
        del markets
        return {}
