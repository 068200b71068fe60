"""Do what a run decided, one action after the other, each keyed by run and action so that none is done twice."""

import re
from collections.abc import Sequence

from pump_party.domains.prop_engine.perp_model import SHORT
from pump_party.domains.prop_engine.portfolio import Holdings
from pump_party.domains.prop_engine.store import PropStore
from pump_party.domains.prop_engine.views import order_view
from pump_party.domains.prop_engine.working import TRIGGERED
from pump_party.domains.prop_interface.contract import (
    ACTIONS_PER_BATCH_MAX,
    Action,
    ActionOutcome,
    CancelAction,
    CancelOrder,
    CloseAction,
    ExitsAction,
    OrderKind,
    OrderTerms,
    OrderView,
    PlaceAction,
    PlaceOrder,
    PropTrading,
    Side,
    SubmitActions,
)
from pump_party.kernel.errors import Invalid, Refusal, Unavailable
from pump_party.kernel.ids import Market

TOO_LATE = "too_late"
"""Refuses an action whose deadline had passed before it was done."""

_RUN_ID = re.compile(r"[A-Za-z0-9_\-.]{1,36}", re.ASCII)
_ACTION_ID = re.compile(r"[A-Za-z0-9_\-.]{1,16}", re.ASCII)


def run_actions(trading: PropTrading, store: PropStore, batch: SubmitActions) -> list[ActionOutcome]:
    """Implements `PropTrading.submit_actions`."""
    check_batch(batch)
    run = ActionRun(trading, store, batch)
    return [run.outcome(action) for action in batch.actions]


def check_batch(batch: SubmitActions) -> None:
    """Raises Invalid for a batch that is empty, too long or badly keyed."""
    if not 1 <= len(batch.actions) <= ACTIONS_PER_BATCH_MAX:
        raise Invalid(f"must be 1 to {ACTIONS_PER_BATCH_MAX} actions", code="batch_size", field="actions")
    if _RUN_ID.fullmatch(batch.run_id) is None:
        raise Invalid("must be 1 to 36 characters of A-Z a-z 0-9 _ - .", code="invalid_id", field="run_id")
    ids = [action.action_id for action in batch.actions]
    if any(_ACTION_ID.fullmatch(action_id) is None for action_id in ids):
        raise Invalid("must be 1 to 16 characters of A-Z a-z 0-9 _ - .", code="invalid_id", field="action_id")
    if len(set(ids)) != len(ids):
        raise Invalid("must be another one for each action", code="action_id_twice", field="action_id")


class ActionRun:
    """One batch on its way. What an action is decided on is read when its turn comes."""

    def __init__(self, trading: PropTrading, store: PropStore, batch: SubmitActions) -> None:
        self._trading = trading
        self._store = store
        self._batch = batch

    def outcome(self, action: Action) -> ActionOutcome:
        try:
            return ActionOutcome(action.action_id, tuple(self._do(action)))
        except Unavailable:
            raise
        except Refusal as refusal:
            return ActionOutcome(action.action_id, (), refusal.code, refusal.detail)

    def _do(self, action: Action) -> Sequence[OrderView]:
        match action:
            case PlaceAction():
                return self._place([self.order(action)])
            case CancelAction():
                return [self._cancel(action.order_id)]
            case CloseAction():
                return self._close(action)
            case ExitsAction():
                return self._set_exits(action)

    def key(self, action: Action) -> str:
        """Of the alphabet and length of an order's key; the prefix sets it apart from those of people."""
        return f"run:{self._batch.run_id}:{action.action_id}"

    def keys(self, action: Action) -> list[str]:
        """Under which the action's orders are recorded: of exits there may be two, a cancel has none of its own."""
        match action:
            case ExitsAction():
                return [f"{self.key(action)}:{suffix}" for suffix in _SUFFIX.values()]
            case CancelAction():
                return []
            case _:
                return [self.key(action)]

    def order(self, action: PlaceAction) -> PlaceOrder:
        return PlaceOrder(
            user_id=self._batch.user_id,
            account_id=self._batch.account_id,
            idempotency_key=self.key(action),
            market=action.market,
            side=action.side,
            quantity_nanos=action.quantity_nanos,
            quote_micros=action.quote_micros,
            max_slippage_ppm=action.max_slippage_ppm,
            terms=action.terms,
        )

    def reduce(self, key: str, market: Market, side: Side, terms: OrderTerms) -> PlaceOrder:
        """An order for all that is held."""
        batch = self._batch
        return PlaceOrder(batch.user_id, batch.account_id, key, market, side, terms=terms)

    def _place(self, commands: Sequence[PlaceOrder]) -> list[OrderView]:
        outcomes = self._trading.place_orders(commands)
        placed = [outcome for outcome in outcomes if isinstance(outcome, OrderView)]
        for outcome in outcomes:
            if isinstance(outcome, Exception):
                raise outcome
        return placed

    def _cancel(self, order_id: str) -> OrderView:
        return self._trading.cancel_order(CancelOrder(self._batch.user_id, self._batch.account_id, order_id))

    def _close(self, action: CloseAction) -> list[OrderView]:
        holdings, key = self._holdings(), self.key(action)
        # The side follows from the position, which the first time may have turned: so the key comes first.
        earlier = self._earlier([key])
        if earlier:
            return earlier
        terms = OrderTerms(reduce_only=True)
        return self._place([self.reduce(key, action.market, closing_side(holdings, action.market), terms)])

    def _set_exits(self, action: ExitsAction) -> list[OrderView]:
        holdings = self._holdings()
        prices = {OrderKind.STOP: action.stop_price_e8, OrderKind.TAKE_PROFIT: action.target_price_e8}
        terms = {
            f"{self.key(action)}:{_SUFFIX[kind]}": OrderTerms(kind=kind, trigger_price_e8=price_e8, reduce_only=True)
            for kind, price_e8 in prices.items()
            if price_e8 is not None
        }
        if not terms:
            raise Invalid("needs a stop, a target or both", code="no_exit", field="stop_price_e8")
        earlier = self._earlier(list(terms))
        if earlier:
            return earlier
        # Those before go first: a repeat finds the new ones and leaves alone what came after them.
        for open_order in self._trading.open_orders(self._batch.user_id, self._batch.account_id):
            if open_order.market == action.market and _is_exit(open_order):
                self._cancel(open_order.order_id)
        side = closing_side(holdings, action.market)
        return self._place([self.reduce(key, action.market, side, wanted) for key, wanted in terms.items()])

    def _holdings(self) -> Holdings:
        """Raises NotFound for a foreign account."""
        return self._store.account(self._batch.user_id, self._batch.account_id)

    def _earlier(self, keys: Sequence[str]) -> list[OrderView]:
        found = [self._store.order_by_key(self._batch.account_id, key) for key in keys]
        return [order_view(outcome) for outcome in found if outcome is not None]


_SUFFIX = {OrderKind.STOP: "stop", OrderKind.TAKE_PROFIT: "target"}


def _is_exit(order: OrderView) -> bool:
    return order.terms is not None and order.terms.reduce_only and order.terms.kind in TRIGGERED


def closing_side(holdings: Holdings, market: Market) -> Side:
    """A short is bought back; anything else, also nothing, is sold, and the engine refuses to sell nothing."""
    shorts = {p.market for p in holdings.perps if p.direction == SHORT}
    return Side.BUY if market in shorts else Side.SELL
