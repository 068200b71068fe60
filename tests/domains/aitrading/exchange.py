"""The real engine on a paper venue, to hold what is sized and gated against what it makes of it."""

from collections.abc import Mapping

from msgspec.structs import replace
from tests.domains.aitrading.worlds import MARKETS, MIDS_E8, SLOT_MS, decider, engine_rules, plan, quote, rule_strategy

from pump_party.domains.aitrading.model import Decided, Plan, Proposal, Seen, Slot
from pump_party.domains.clones.contract import Always, Clause, Hold
from pump_party.domains.marketdata.contract import Quote
from pump_party.domains.prop_engine.paper_venue import PaperVenue
from pump_party.domains.prop_interface.contract import (
    AccountView,
    ActionOutcome,
    OpenAccount,
    OrderKind,
    OrderStatus,
    OrderView,
    RuleSetView,
    SubmitActions,
)
from pump_party.kernel.ids import Market, UserId
from pump_party.kernel.money import PPM

USER = UserId("0197-user")
TICK_MS = 2_000


class Exchange:
    """One account of a rule set, traded by proposals. Prices move only when told to."""

    def __init__(self, rule_set: str = "practice-v2", *, conf_ppm: int = 100, limits: Plan | None = None) -> None:
        rules = engine_rules()
        self._venue = PaperVenue(rules, start_ms=SLOT_MS, seed=1)
        self._now_ms = SLOT_MS
        self._runs = 0
        self._conf_ppm = conf_ppm
        self._mids = dict(MIDS_E8)
        self.limits = limits or plan(rule_strategy(Clause(Always(), Hold()), markets=MARKETS, max_leverage=20))
        self._show()
        kind = rules[rule_set].kind
        self._account_id = self._venue.trading.open_account(OpenAccount(USER, kind, "open", rule_set)).account_id

    @property
    def rules(self) -> RuleSetView:
        name = self.account().rule_set
        return next(found for found in self._venue.trading.rule_sets() if found.name == name)

    def account(self) -> AccountView:
        return self._venue.trading.account(USER, self._account_id)

    def orders(self) -> tuple[OrderView, ...]:
        return tuple(self._venue.trading.open_orders(USER, self._account_id))

    def move(self, mids: Mapping[Market, int]) -> None:
        """Bring a tick of every market, at these prices or at the last."""
        self._mids |= mids
        self._show()

    def seen(self) -> Seen:
        quotes = {market: self._quote(market) for market in MARKETS}
        at = Slot(self._now_ms, self._now_ms, self._now_ms + 30_000, self._now_ms)
        return Seen(slot=at, account=self.account(), snapshots={}, orders=self.orders(), quotes=quotes)

    def do(self, *proposals: Proposal) -> tuple[Decided, list[ActionOutcome]]:
        """Gate, size and submit proposals, then let two ticks fill what waits. Outcomes are those after the ticks."""
        decided = decider().conclude(self.limits, self.seen(), proposals, with_context=False)
        if not decided.actions:
            return decided, []
        self._runs += 1
        batch = SubmitActions(USER, self._account_id, f"run-{self._runs}", decided.actions)
        self._venue.trading.submit_actions(batch)
        self.move({})
        self.move({})
        return decided, list(self._venue.trading.submit_actions(batch))

    def _show(self) -> None:
        self._now_ms += TICK_MS
        for market in MARKETS:
            self._venue.tick(self._quote(market))

    def _quote(self, market: Market) -> Quote:
        mid_e8 = self._mids[market]
        return replace(quote(market, mid_e8, self._now_ms), conf_e8=mid_e8 * self._conf_ppm // PPM)


def is_done(outcome: ActionOutcome) -> bool:
    """Whether an action came to what it was for: market orders have filled, exits wait."""
    if outcome.refusal_code is not None:
        return False
    return all(order.status is _ends_as(order) for order in outcome.orders)


def _ends_as(order: OrderView) -> OrderStatus:
    waits = order.terms is not None and order.terms.kind is not OrderKind.MARKET
    return OrderStatus.ACCEPTED if waits else OrderStatus.FILLED
