"""Let admitted ticks act on open orders of locked accounts: the middle of `take_ticks`, without I/O."""

from collections.abc import Iterator, Mapping, Sequence

from pump_party.domains.marketdata.contract import Quote
from pump_party.domains.prop_engine.execution import check_funds
from pump_party.domains.prop_engine.ledger import write_tick
from pump_party.domains.prop_engine.model import OpenOrder, RecordedOrder, RecordKind, RuleSet, SpotFill
from pump_party.domains.prop_engine.recording import Recorder
from pump_party.domains.prop_engine.store import OrdersTransaction
from pump_party.domains.prop_engine.working import Change, concerns, is_late, resting, step, waiting
from pump_party.domains.prop_interface.contract import RejectCode
from pump_party.kernel.ids import AccountId, OrderId

DueOrder = tuple[AccountId, OrderId]


class TickBatch:
    """One tick acting on the open orders it concerns, in the order in which they were accepted."""

    def __init__(
        self,
        transaction: OrdersTransaction,
        rule_sets: Mapping[str, RuleSet],
        new_ids: Iterator[str],
        *,
        now_ms: int,
    ) -> None:
        self._recorder = Recorder(transaction, rule_sets, new_ids, now_ms=now_ms)
        self.batch = self._recorder.batch

    def take(self, quote: Quote, due: Sequence[DueOrder]) -> int:
        """Returns how many orders ended. An order that ended or moved on meanwhile is left alone."""
        return sum(
            self._step(open_order, quote)
            for open_order in self._still_open(due)
            if open_order.order.market == quote.market and concerns(open_order, quote)
        )

    def expire(self, due: Sequence[DueOrder]) -> int:
        """End the orders whose tick was not received in time."""
        late = [o for o in self._still_open(due) if is_late(o, self._recorder.now_ms)]
        for open_order in late:
            self._recorder.end(open_order, RejectCode.PRICE_TIMEOUT)
        return len(late)

    def _still_open(self, due: Sequence[DueOrder]) -> Iterator[OpenOrder]:
        for account_id, order_id in sorted(due, key=lambda d: d[1]):
            open_order = self._recorder.open_orders.get(account_id, {}).get(order_id)
            if open_order is not None:
                yield open_order

    def _step(self, open_order: OpenOrder, quote: Quote) -> bool:
        recorder, order = self._recorder, open_order.order
        rules = recorder.rule_sets[recorder.accounts[order.account_id].rule_set]
        params = rules.spot[order.market]
        outcome = step(open_order, recorder.position(order.account_id, order.market), quote, rules, params)
        if isinstance(outcome, SpotFill):
            self._fill(open_order, outcome, quote)
            return True
        if outcome is Change.NOTHING:
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
        cash_micros, free_nanos = self._recorder.free_for(open_order)
        unfunded = check_funds(decided, cash_micros=cash_micros, held_nanos=free_nanos)
        if unfunded is not None:
            return self._recorder.end(open_order, unfunded)
        return self._recorder.fill_open(open_order, decided, quote)
