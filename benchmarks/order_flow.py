"""A stream of orders as a busy venue sees them: random accounts, markets, sides and sizes, every key distinct.

Sizes are chosen so that nearly every order fills: an account buys what it can pay and sells what it holds.
"""

from collections import deque
from collections.abc import Sequence
from random import Random

from pump_party.domains.prop_interface.contract import PlaceOrder, Side
from pump_party.kernel.ids import AccountId, Market, UserId
from pump_party.kernel.money import NOTIONAL_DIVISOR

INVENTORY_MICROS_MAX = 8_000_000_000
"""An account holding more than this sells next: it started with 10,000 USDC."""


PRICES_E8 = {
    Market("SOL-USDC"): 15_023_456_789,
    Market("ETH-USDC"): 412_345_000_000,
    Market("BTC-USDC"): 10_912_345_000_000,
}
ORDER_MICROS = (2_000_000, 60_000_000)


class OrderFlow:
    """Endless orders for the given accounts. The same seed gives the same stream."""

    def __init__(self, owners: Sequence[tuple[UserId, AccountId]], lots: dict[Market, int], *, seed: int) -> None:
        self._owners = owners
        self._lots = lots
        self._markets = sorted(lots)
        self._held: dict[tuple[AccountId, Market], int] = {}
        self._spent: dict[AccountId, int] = {}
        self._random = Random(seed)
        self._number = 0
        self._seed = seed

        self._prepared: deque[PlaceOrder] = deque()

    def prepare(self, count: int) -> Sequence[PlaceOrder]:
        """Have at least this many orders ready, so that making them is not measured. Shows them; `next` takes them."""
        while len(self._prepared) < count:
            self._prepared.append(self._make())
        return self._prepared

    def next(self) -> PlaceOrder:
        return self._prepared.popleft() if self._prepared else self._make()

    def _make(self) -> PlaceOrder:
        random = self._random
        user_id, account_id = random.choice(self._owners)
        market = random.choice(self._markets)
        price_e8 = PRICES_E8[market]
        held = self._held.get((account_id, market), 0)
        spent = self._spent.get(account_id, 0)
        quantity = self._quantity(market, price_e8)
        buys = spent < INVENTORY_MICROS_MAX and (held < quantity or random.random() < 0.5)
        if not buys:
            quantity = min(quantity, held)
        if quantity == 0:
            return self._make()
        change = quantity if buys else -quantity
        self._held[account_id, market] = held + change
        self._spent[account_id] = spent + change * price_e8 // NOTIONAL_DIVISOR
        self._number += 1
        return PlaceOrder(
            user_id,
            account_id,
            f"bench-{self._seed}-{self._number:012d}",
            market,
            Side.BUY if buys else Side.SELL,
            quantity_nanos=quantity,
        )

    def _quantity(self, market: Market, price_e8: int) -> int:
        lot = self._lots[market]
        micros = self._random.randrange(*ORDER_MICROS)
        return max(lot, micros * NOTIONAL_DIVISOR // price_e8 // lot * lot)
