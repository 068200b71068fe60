"""What a tick looks at, inside one process: waiting orders and perpetual positions by market.

The questions and answers are those of `db/prop_due.py`. A replay asks two more, to leave out ticks that concern nobody.
"""

from collections import defaultdict

from pump_party.domains.prop_engine.model import OpenOrder
from pump_party.domains.prop_engine.perp_model import FLAT, LONG, PerpPosition
from pump_party.domains.prop_engine.store import Tick
from pump_party.kernel.ids import AccountId, Market, OrderId

HOUR_MS = 3_600_000


class TickIndex:
    """Not safe for threads by itself: its store holds the lock."""

    def __init__(self) -> None:
        self._waiting: dict[Market, dict[OrderId, OpenOrder]] = defaultdict(dict)
        self._perps: dict[Market, dict[AccountId, tuple[PerpPosition, int | None]]] = defaultdict(dict)

    def keep(self, open_order: OpenOrder) -> None:
        self._waiting[open_order.order.market][open_order.order.order_id] = open_order

    def forget(self, market: Market, order_id: OrderId) -> None:
        self._waiting[market].pop(order_id, None)

    def keep_perp(self, perp: PerpPosition, liquidation_e8: int | None) -> None:
        if perp.direction == FLAT:
            self.forget_perp(perp.market, perp.account_id)
        else:
            self._perps[perp.market][perp.account_id] = (perp, liquidation_e8)

    def forget_perp(self, market: Market, account_id: AccountId) -> None:
        self._perps[market].pop(account_id, None)

    def is_concerned(self, tick: Tick) -> bool:
        due = self.due(tick.market, publish_ms=tick.publish_ms, mid_e8=tick.mid_e8, after="", limit=1)
        return bool(due or self.perps_to_watch(tick.market, mid_e8=tick.mid_e8, hour=tick.hour, after="", limit=1))

    def due(
        self, market: Market, *, publish_ms: int, mid_e8: int, after: str, limit: int
    ) -> list[tuple[AccountId, OrderId]]:
        """A tick looks at every open order of its market."""
        waiting = self._waiting.get(market)
        if not waiting:
            return []
        due = [
            (open_order.order.account_id, order_id)
            for order_id, open_order in waiting.items()
            if open_order.due_ms < publish_ms and _is_reached(open_order, mid_e8, mid_e8) and order_id > after
        ]
        return sorted(due, key=lambda d: d[1])[:limit]

    def perps_to_watch(self, market: Market, *, mid_e8: int, hour: int, after: str, limit: int) -> list[AccountId]:
        found = [
            account_id
            for account_id, (perp, liquidation_e8) in self._perps[market].items()
            if account_id > after and _is_to_watch(perp, liquidation_e8, mid_e8, mid_e8, hour)
        ]
        return sorted(found)[:limit]

    def late(self, *, now_ms: int, limit: int) -> list[tuple[AccountId, Market, OrderId]]:
        late = [
            (o.deadline_ms, o.order)
            for waiting in self._waiting.values()
            for o in waiting.values()
            if o.deadline_ms is not None and o.deadline_ms < now_ms
        ]
        late.sort(key=lambda found: found[0])
        return [(order.account_id, order.market, order.order_id) for _, order in late[:limit]]

    def is_waiting(self, market: Market) -> bool:
        """Whether an order of the market waits for the very next tick, or times out."""
        return any(open_order.deadline_ms is not None for open_order in self._waiting.get(market, {}).values())

    def watched(self) -> list[Market]:
        """The markets with an open order or a perpetual position, in order."""
        markets = self._waiting.keys() | self._perps.keys()
        return sorted(m for m in markets if self._waiting.get(m) or self._perps.get(m))

    def is_touched(self, market: Market, *, low_e8: int, high_e8: int, at_ms: int) -> bool:
        """Whether any tick within a range of prices, up to a time, may concern an order or a position."""
        waiting, held = self._waiting.get(market), self._perps.get(market)
        # Asked of every minute: plain loops take half the time of `any`.
        for open_order in waiting.values() if waiting else ():
            if _is_reached(open_order, low_e8, high_e8):
                return True
        hour = at_ms // HOUR_MS
        for perp, liquidation_e8 in held.values() if held else ():
            if _is_to_watch(perp, liquidation_e8, low_e8, high_e8, hour):
                return True
        return False


def _is_reached(open_order: OpenOrder, low_e8: int, high_e8: int) -> bool:
    below_e8, above_e8 = open_order.at_or_below_e8, open_order.at_or_above_e8
    return (below_e8 is None or low_e8 <= below_e8) and (above_e8 is None or high_e8 >= above_e8)


def _is_to_watch(perp: PerpPosition, liquidation_e8: int | None, low_e8: int, high_e8: int, hour: int) -> bool:
    if perp.funded_hour < hour or perp.breach_ms > 0:
        return True
    if liquidation_e8 is None:
        return False
    return liquidation_e8 >= low_e8 if perp.direction == LONG else liquidation_e8 <= high_e8
