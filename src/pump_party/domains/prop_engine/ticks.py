"""Let admitted ticks act on open orders of locked accounts: the middle of `take_ticks`, without I/O."""

from collections.abc import Iterator, Mapping, Sequence

from msgspec.structs import replace

from pump_party.domains.marketdata.contract import Book, Quote
from pump_party.domains.prop_engine import perp_orders
from pump_party.domains.prop_engine.execution import check_funds
from pump_party.domains.prop_engine.ledger import write_tick
from pump_party.domains.prop_engine.model import OpenOrder, RecordedOrder, RecordKind, SpotFill, SpotParams
from pump_party.domains.prop_engine.perp_model import PerpChange, PerpParams
from pump_party.domains.prop_engine.perp_recording import PerpRecorder
from pump_party.domains.prop_engine.perpetual import liquidate, watch
from pump_party.domains.prop_engine.pricing import Prices, fresh_book
from pump_party.domains.prop_engine.recording import Recorder
from pump_party.domains.prop_engine.rule_set import RuleSet
from pump_party.domains.prop_engine.store import LoadedState
from pump_party.domains.prop_engine.working import (
    Change,
    concerns,
    is_called_back,
    is_overdue,
    prices_for,
    resting,
    step,
    terms_of,
    waiting,
)
from pump_party.domains.prop_interface.contract import CancelReason, OrderStage, PriceMode, RejectCode
from pump_party.kernel.ids import AccountId, Market, OrderId
from pump_party.kernel.money import INT64_MAX

DueOrder = tuple[AccountId, OrderId]

BOOK_CANNOT = (RejectCode.INSUFFICIENT_DEPTH, RejectCode.PRICE_DIVERGENCE)
"""What only a book says. The engine's own orders then walk the ladder: no position hides behind a thin book."""


def without_limits(rules: RuleSet, market: Market) -> RuleSet:
    """The rules by which the engine closes a position: no size and no slippage is too much to get out."""

    def free(pricing: SpotParams) -> SpotParams:
        return replace(pricing, min_notional_micros=0, max_notional_micros=INT64_MAX, max_slippage_ppm=INT64_MAX)

    spot, perp = rules.spot.get(market), rules.perp.get(market)
    if spot is not None:
        return replace(rules, spot={market: free(spot)})
    assert perp is not None
    return replace(rules, perp={market: replace(perp, pricing=free(perp.pricing))})


class TickBatch:
    """One tick acting on the open orders it concerns: an account's in the order in which they were accepted."""

    def __init__(
        self,
        state: LoadedState,
        rule_sets: Mapping[str, RuleSet],
        new_ids: Iterator[str],
        *,
        now_ms: int,
    ) -> None:
        self._recorder = Recorder(state, rule_sets, new_ids, now_ms=now_ms)
        self._perps = PerpRecorder(self._recorder)
        self.batch = self._recorder.batch

    def take(self, quote: Quote, book: Book | None, due: Sequence[DueOrder]) -> int:
        """Returns how many orders ended. An order that ended or moved on meanwhile is left alone."""
        return sum(
            self._step(open_order, quote, book)
            for open_order in self._still_open(due)
            if open_order.order.market == quote.market and concerns(open_order, quote)
        )

    def expire(self, due: Sequence[DueOrder]) -> int:
        """End the orders whose tick was not received in time, and those called back."""
        overdue = [o for o in self._still_open(due) if is_overdue(o, self._recorder.now_ms)]
        for open_order in overdue:
            called_back = open_order.stage is OrderStage.CANCELLING
            self._recorder.end(open_order, CancelReason.USER if called_back else RejectCode.PRICE_TIMEOUT)
        return len(overdue)

    def _still_open(self, due: Sequence[DueOrder]) -> Iterator[OpenOrder]:
        # Ids grow with time. By account first, so that what is written for one lies together.
        for account_id, order_id in sorted(due):
            open_order = self._recorder.open_orders.get(account_id, {}).get(order_id)
            if open_order is not None:
                yield open_order

    def watch(self, quote: Quote, book: Book | None, accounts: Sequence[AccountId]) -> int:
        """Fund, warn and liquidate positions. Returns how many positions a liquidation changed."""
        return sum(self._watch(account_id, quote, book) for account_id in accounts)

    def _watch(self, account_id: AccountId, quote: Quote, book: Book | None) -> bool:
        recorder = self._recorder
        account = recorder.accounts[account_id]
        rules = recorder.rule_sets[account.rule_set]
        params = rules.perp[quote.market]
        self._perps.fund_when_due(account_id, quote, params)
        position = self._perps.position(account_id, quote.market)
        seen, quantity_nanos = watch(position, quote, now_ms=quote.recv_ms, params=params)
        if quantity_nanos:
            usable = book if rules.price_mode is PriceMode.BOOK else None
            prices = Prices(quote, fresh_book(usable, params.pricing, fill_ms=quote.recv_ms))
            change = liquidate(seen, quantity_nanos, prices, fill_ms=quote.recv_ms, params=params)
            if change in BOOK_CANNOT:
                change = liquidate(seen, quantity_nanos, Prices(quote), fill_ms=quote.recv_ms, params=params)
            if isinstance(change, PerpChange):
                self._perps.liquidate(change, quote, params)
                return True
        elif seen != position:
            self._perps.watched(seen, quote, params)
        return False

    def _step(self, open_order: OpenOrder, quote: Quote, book: Book | None) -> bool:
        order = open_order.order
        rules = self._recorder.rule_sets[self._recorder.accounts[order.account_id].rule_set]
        if terms_of(order).is_closing:
            rules = without_limits(rules, order.market)
        perp = rules.perp.get(order.market)
        params = rules.spot[order.market] if perp is None else perp.pricing
        if is_called_back(open_order, quote.publish_ms, params):
            self._recorder.end(open_order, CancelReason.USER)
            return True
        if perp is not None:
            return self._step_perp(open_order, quote, book, rules, perp)
        position = self._recorder.position(order.account_id, order.market)
        prices = prices_for(open_order, quote, book, rules, params)
        outcome = Change.NOTHING if prices is None else step(open_order, position, prices, rules, params)
        if outcome in BOOK_CANNOT and terms_of(order).is_closing:
            outcome = step(open_order, position, Prices(quote), rules, params)
        if isinstance(outcome, SpotFill):
            self._fill(open_order, outcome, quote)
            return True
        return self._move_on(open_order, outcome, quote, rules, params)

    def _step_perp(
        self, open_order: OpenOrder, quote: Quote, book: Book | None, rules: RuleSet, params: PerpParams
    ) -> bool:
        order = open_order.order
        position = self._perps.position(order.account_id, order.market)
        cash_micros, _ = self._recorder.free_for(open_order)
        prices = prices_for(open_order, quote, book, rules, params.pricing)
        if prices is None:
            return False
        outcome = perp_orders.step(open_order, position, prices, rules, cash_micros=cash_micros, params=params)
        if outcome in BOOK_CANNOT and terms_of(order).is_closing:
            outcome = perp_orders.step(
                open_order, position, Prices(quote), rules, cash_micros=cash_micros, params=params
            )
        if isinstance(outcome, tuple):
            self._perps.fill_open(open_order, outcome, quote, params)
            return True
        return self._move_on(open_order, outcome, quote, rules, params.pricing)

    def _move_on(
        self,
        open_order: OpenOrder,
        outcome: Change | RejectCode | CancelReason,
        quote: Quote,
        rules: RuleSet,
        params: SpotParams,
    ) -> bool:
        recorder = self._recorder
        if outcome is Change.NOTHING or (isinstance(outcome, RejectCode) and terms_of(open_order.order).is_closing):
            return False
        if outcome is Change.RESTS:
            recorder.move_on(resting(open_order), RecordKind.REST, detail=write_tick(quote))
            return False
        if outcome is Change.TRIGGERS:
            triggered = waiting(open_order, rules, params, from_ms=quote.recv_ms)
            recorder.move_on(triggered, RecordKind.TRIGGER, detail=write_tick(quote))
            return False
        recorder.end(open_order, outcome)
        return True

    def _fill(self, open_order: OpenOrder, decided: SpotFill, quote: Quote) -> RecordedOrder:
        self._recorder.give_way(open_order.order)
        cash_micros, free_nanos = self._recorder.free_for(open_order)
        unfunded = check_funds(decided, cash_micros=cash_micros, held_nanos=free_nanos)
        if unfunded is not None:
            return self._recorder.end(open_order, unfunded)
        return self._recorder.fill_open(open_order, decided, quote)
