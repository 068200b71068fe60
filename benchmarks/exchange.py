"""The product's order path without a transport: wired as the product wires it, in this process."""

import gc
from asyncio import sleep
from collections.abc import Iterator
from contextlib import contextmanager
from random import Random

from benchmarks.order_flow import PRICES_E8, OrderFlow
from pump_party.apps.cli.process import COLLECT_EVERY
from pump_party.bootstrap.services import build
from pump_party.config import Settings
from pump_party.domains.marketdata.contract import MarketKind, Quote
from pump_party.domains.prop_interface.contract import AccountKind, OpenAccount, OrderStatus, OrderView, PlaceOrder
from pump_party.kernel.ids import AccountId, UserId

ACCOUNTS = 1_000
TICK_SECONDS = 0.2
CONFIDENCE_PPM = 150
FILLED_SHARE_MIN = 0.98

Owner = tuple[UserId, AccountId]


class Exchange:
    """One database with accounts that trade. `submit` is what the API and the gateway call."""

    def __init__(
        self, *, data_dir: str, database_url: str = "", accounts: int = ACCOUNTS, rule_set: str | None = None
    ) -> None:
        self._services = build(Settings(data_dir=data_dir, database_url=database_url))
        self._random = Random(1)
        self.tick()
        self.prop = self._services.prop
        self.owners = owners = [self.open_account(number, rule_set) for number in range(accounts)]
        lots = {
            asset.market: asset.lot_nanos for asset in self._services.registry.assets() if asset.kind is MarketKind.SPOT
        }
        self.flow = OrderFlow(owners, lots, seed=1)
        self.answered = 0
        self._filled = 0

    def open_account(self, number: int, rule_set: str | None = None) -> Owner:
        user_id = UserId(self._services.ids.new())
        command = OpenAccount(user_id, AccountKind.PRACTICE, f"bench-{number}", rule_set)
        return user_id, self.prop.open_account(command).account_id

    def now_ms(self) -> int:
        return self._services.clock.now_ms()

    async def submit(self, order: PlaceOrder) -> OrderView:
        outcome = await self._services.orders.submit(order)
        self.answered += 1
        self._filled += outcome.status is OrderStatus.FILLED
        return outcome

    def tick(self) -> None:
        """Move every price a little, so that quotes stay fresh and fills differ."""
        now_ms = self._services.clock.now_ms()
        moved = {market: price * self._random.randrange(9_990, 10_011) // 10_000 for market, price in PRICES_E8.items()}
        self._services.quotes.put(
            [
                Quote(market, mid, mid * CONFIDENCE_PPM // 10**6, now_ms, now_ms, 0, "bench", "ab" * 32, "synthetic")
                for market, mid in moved.items()
            ]
        )

    async def keep_ticking(self) -> None:
        while True:
            self.tick()
            await sleep(TICK_SECONDS)

    def check(self) -> None:
        """What was measured is real: nearly all orders filled, and the database holds each that was answered."""
        with self._services.database.read() as connection:
            stored = connection.exec_driver_sql("SELECT count(*) FROM prop_orders").scalar_one()
        if stored != self.answered:
            raise RuntimeError(f"{self.answered} orders were answered and {stored} are stored")
        if self._filled < FILLED_SHARE_MIN * self.answered:
            raise RuntimeError(f"only {self._filled} of {self.answered} orders filled")

    def close(self) -> None:
        self._services.close()


@contextmanager
def frozen_garbage() -> Iterator[None]:
    """Keep prepared orders out of the garbage collector's sight; it looks as rarely as in the product."""
    before = gc.get_threshold()
    gc.collect()
    gc.freeze()
    gc.set_threshold(COLLECT_EVERY)
    try:
        yield
    finally:
        gc.set_threshold(*before)
        gc.unfreeze()
