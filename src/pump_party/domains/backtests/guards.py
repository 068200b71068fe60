"""The conditions in force on the positions of all traders of a backtest, and whom a tick concerns.

As live, features are read with the first tick of a minute and held against the price of every tick.
"""

from collections.abc import Sequence

from pump_party.domains.aitrading.contract import (
    CONDITION_MINUTE_MS,
    OpenInvalidation,
    condition_features,
    is_true_of_tick,
    may_hold_within,
)
from pump_party.domains.backtests.trader import Trader
from pump_party.domains.marketdata.contract import MarketSnapshot, Quote
from pump_party.kernel.ids import Market


class Guards:
    def __init__(self) -> None:
        self._traders: dict[Market, list[tuple[Trader, OpenInvalidation]]] = {}
        self._features: dict[Market, tuple[int, MarketSnapshot | None]] = {}

    def __bool__(self) -> bool:
        return bool(self._traders)

    def keep(self, trader: Trader, conditions: Sequence[OpenInvalidation]) -> None:
        """These are in force for the trader from now on."""
        self._features.clear()
        for market, held in list(self._traders.items()):
            others = [one for one in held if one[0] is not trader]
            if others:
                self._traders[market] = others
            else:
                del self._traders[market]
        for condition in conditions:
            self._traders.setdefault(condition.market, []).append((trader, condition))

    def markets(self) -> Sequence[Market]:
        return list(self._traders)

    def of(self, market: Market) -> Sequence[OpenInvalidation]:
        return [held for _, held in self._traders.get(market, ())]

    def may_be_due(self, market: Market, *, low_e8: int, high_e8: int) -> bool:
        """Whether any tick between two prices could make one of the market true."""
        return any(may_hold_within(held.condition, low_e8=low_e8, high_e8=high_e8) for held in self.of(market))

    def wants_features(self, quote: Quote) -> bool:
        """Whether conditions look at features that are not read yet for this tick's minute."""
        read = self._features.get(quote.market)
        if read is not None and read[0] == _minute(quote):
            return False
        return any(condition_features(held.condition) for held in self.of(quote.market))

    def show(self, quote: Quote, snapshot: MarketSnapshot | None) -> None:
        """The features of this tick's minute."""
        self._features[quote.market] = _minute(quote), snapshot

    def due(self, quote: Quote) -> Sequence[Trader]:
        """Whose condition the tick makes true."""
        guards = self._traders.get(quote.market, ())
        _, snapshot = self._features.get(quote.market, (0, None))
        return [trader for trader, held in guards if is_true_of_tick(held.condition, quote.mid_e8, snapshot)]


def _minute(quote: Quote) -> int:
    return quote.publish_ms // CONDITION_MINUTE_MS
