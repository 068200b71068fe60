"""Many accounts at once, for engines that decide for all of them: one read, and orders of all in shared transactions.

What a single account may ask is asked of the same trading as ever; nothing is decided here.
"""

from collections.abc import Mapping, Sequence
from typing import Protocol

import msgspec

from pump_party.domains.marketdata.contract import Quote, Quotes
from pump_party.domains.prop_engine import views
from pump_party.domains.prop_engine.actions import TOO_LATE, ActionRun, check_batch, closing_side
from pump_party.domains.prop_engine.model import OpenOrder, RecordedOrder
from pump_party.domains.prop_engine.portfolio import Holdings
from pump_party.domains.prop_engine.rule_set import RuleSet
from pump_party.domains.prop_engine.status_words import with_reason
from pump_party.domains.prop_engine.store import PropStore
from pump_party.domains.prop_interface.contract import (
    BATCH_ORDERS_MAX,
    AccountSituation,
    Action,
    ActionOutcome,
    CloseAction,
    OrderTerms,
    OrderView,
    PlaceAction,
    PlaceOrder,
    PropTrading,
    SubmitActions,
)
from pump_party.kernel.errors import Invalid, NotFound, Refusal
from pump_party.kernel.ids import AccountId, Market
from pump_party.platform.clock import Clock


class Situation(msgspec.Struct, frozen=True):
    """An account, its open orders, newest first, and unless it is active the detail of its newest change of status."""

    holdings: Holdings
    open_orders: Sequence[OpenOrder]
    status_detail: str | None


class FleetStore(Protocol):
    """What must be read of many accounts. `db/prop_fleet.py` implements it."""

    def situations(self, account_ids: Sequence[AccountId]) -> Mapping[AccountId, Situation]:
        """All as of one moment. Accounts that do not exist are absent."""
        ...

    def recorded(
        self, keys: Sequence[tuple[AccountId, str]]
    ) -> Mapping[tuple[AccountId, str], OpenOrder | RecordedOrder]:
        """What was recorded under these idempotency keys."""
        ...


class PropFleet:
    """Implements `prop_interface.contract.Fleet`."""

    def __init__(
        self,
        trading: PropTrading,
        store: PropStore,
        fleet_store: FleetStore,
        quotes: Quotes,
        rule_sets: Mapping[str, RuleSet],
        clock: Clock,
    ) -> None:
        self._trading = trading
        self._store = store
        self._fleet_store = fleet_store
        self._quotes = quotes
        self._rule_sets = rule_sets
        self._clock = clock
        self._markets = sorted({market for rules in rule_sets.values() for market in (*rules.spot, *rules.perp)})

    def situations(self, account_ids: Sequence[AccountId]) -> Mapping[AccountId, AccountSituation]:
        found = self._fleet_store.situations(account_ids)
        quotes = self._quotes.latest(self._markets)
        now_ms = self._clock.now_ms()
        return {account_id: self._view(situation, quotes, now_ms) for account_id, situation in found.items()}

    def _view(self, found: Situation, quotes: Mapping[Market, Quote], now_ms: int) -> AccountSituation:
        rules = self._rule_sets[found.holdings.account.rule_set]
        account = views.account_view(found.holdings, quotes, rules.perp, now_ms=now_ms)
        orders = tuple(views.order_view(o) for o in found.open_orders)
        return AccountSituation(with_reason(account, found.status_detail, rules.risk), orders)

    def submit_many(
        self, batches: Sequence[SubmitActions], *, until_ms: int | None
    ) -> Sequence[Sequence[ActionOutcome] | Refusal]:
        is_late = until_ms is not None and self._clock.now_ms() > until_ms
        runs = [_FleetRun(self._trading, self._store, batch) for batch in batches]
        sound = [run for run in runs if run.refusal is None]
        if is_late:
            self._recall(sound)
        while any(run.left for run in sound):
            self._place_wave(sound)
            for run in sound:
                run.do_one_alone()
        return [run.answer() for run in runs]

    def _place_wave(self, runs: Sequence["_FleetRun"]) -> None:
        """Every run's next orders, in as few transactions as there may be orders in one."""
        wave = [(run, action) for run in runs for action in run.take_orders()]
        commands = self._commands(wave)
        for first in range(0, len(commands), BATCH_ORDERS_MAX):
            chunk = commands[first : first + BATCH_ORDERS_MAX]
            outcomes = self._trading.place_orders([command for _, _, command in chunk])
            for (run, action, _), outcome in zip(chunk, outcomes, strict=True):
                run.keep(action, outcome)

    def _commands(
        self, wave: Sequence[tuple["_FleetRun", PlaceAction | CloseAction]]
    ) -> list[tuple["_FleetRun", PlaceAction | CloseAction, PlaceOrder]]:
        closing = [(run, action) for run, action in wave if isinstance(action, CloseAction)]
        # The side follows from the position, which the first time may have turned: so what was recorded comes first.
        earlier = self._fleet_store.recorded([(run.account_id, run.key(action)) for run, action in closing])
        held = self._fleet_store.situations(sorted({run.account_id for run, _ in closing}))
        commands: list[tuple[_FleetRun, PlaceAction | CloseAction, PlaceOrder]] = []
        for run, action in wave:
            if isinstance(action, PlaceAction):
                commands.append((run, action, run.order(action)))
                continue
            known = earlier.get((run.account_id, run.key(action)))
            if known is not None:
                run.keep(action, views.order_view(known))
            elif run.account_id not in held or held[run.account_id].holdings.account.user_id != run.batch.user_id:
                run.keep(action, NotFound("there is no such account of yours", code="account_not_found"))
            else:
                side = closing_side(held[run.account_id].holdings, action.market)
                terms = OrderTerms(reduce_only=True)
                commands.append((run, action, run.reduce(run.key(action), action.market, side, terms)))
        return commands

    def _recall(self, runs: Sequence["_FleetRun"]) -> None:
        """After the deadline only what was done before it is told."""
        keys = [(run.account_id, key) for run in runs for action in run.left for key in run.keys(action)]
        known = self._fleet_store.recorded(keys)
        for run in runs:
            while run.left:
                action = run.left.pop(0)
                orders = [known[run.account_id, key] for key in run.keys(action) if (run.account_id, key) in known]
                late = Invalid("the deadline has passed", code=TOO_LATE)
                run.keep(action, late, *[views.order_view(order) for order in orders])


class _FleetRun(ActionRun):
    """One run's actions on their way through the waves."""

    def __init__(self, trading: PropTrading, store: PropStore, batch: SubmitActions) -> None:
        super().__init__(trading, store, batch)
        self.batch = batch
        self.account_id = batch.account_id
        self.left: list[Action] = list(batch.actions)
        self.refusal: Refusal | None = None
        self._done: dict[str, ActionOutcome] = {}
        try:
            check_batch(batch)
        except Refusal as refusal:
            self.refusal = refusal

    def take_orders(self) -> list[PlaceAction | CloseAction]:
        """What comes next and can share a transaction. A close is decided on what stands before the wave."""
        taken: list[PlaceAction | CloseAction] = []
        touched: set[Market] = set()
        while self.left:
            action = self.left[0]
            if not isinstance(action, PlaceAction | CloseAction):
                break
            if isinstance(action, CloseAction) and action.market in touched:
                break
            touched.add(action.market)
            taken.append(action)
            self.left.pop(0)
        return taken

    def do_one_alone(self) -> None:
        if self.left and not isinstance(self.left[0], PlaceAction | CloseAction):
            action = self.left.pop(0)
            self._done[action.action_id] = self.outcome(action)

    def keep(self, action: Action, outcome: OrderView | Exception, *orders: OrderView) -> None:
        """`orders` go before a refusal."""
        if isinstance(outcome, OrderView):
            orders = (outcome,)
        elif not isinstance(outcome, Refusal):
            raise outcome
        if orders:
            self._done[action.action_id] = ActionOutcome(action.action_id, orders)
        elif isinstance(outcome, Refusal):
            self._done[action.action_id] = ActionOutcome(action.action_id, (), outcome.code, outcome.detail)

    def answer(self) -> Sequence[ActionOutcome] | Refusal:
        return self.refusal or [self._done[action.action_id] for action in self.batch.actions]
