"""Run NautilusTrader's BacktestEngine with EMA crosses: nautilus_ema.py FILE STRATEGIES HALF_SPREAD_PPM.

FILE is JSON, [[milliseconds, price in 1e-8], ...]: closes of minutes. Every strategy holds one SOL while its faster
average is above its slower one. Timed is `engine.run` alone; data and instrument are made before.
"""

import json
import sys
import time
from pathlib import Path

import nautilus_trader
from nautilus_replay import SIZE_DIGITS, SOL, VENUE, instrument, quotes
from nautilus_trader.backtest.engine import BacktestEngine, BacktestEngineConfig
from nautilus_trader.config import LoggingConfig, StrategyConfig
from nautilus_trader.indicators import ExponentialMovingAverage
from nautilus_trader.model.currencies import USDC
from nautilus_trader.model.data import QuoteTick
from nautilus_trader.model.enums import AccountType, OmsType, OrderSide
from nautilus_trader.model.identifiers import InstrumentId
from nautilus_trader.model.objects import Money, Quantity
from nautilus_trader.trading.strategy import Strategy

FAST_SHORTEST = 8
SLOWER_BY = 20


class CrossConfig(StrategyConfig, frozen=True):
    instrument_id: InstrumentId
    fast: int
    order_id_tag: str


class Cross(Strategy):
    """One SOL while the fast average is above the slow one."""

    def __init__(self, config: CrossConfig) -> None:
        super().__init__(config)
        self._size = Quantity(1, SIZE_DIGITS)
        self._fast = ExponentialMovingAverage(config.fast)
        self._slow = ExponentialMovingAverage(config.fast + SLOWER_BY)
        self._holds = False
        self.orders = 0

    def on_start(self) -> None:
        self.subscribe_quote_ticks(self.config.instrument_id)

    def on_quote_tick(self, tick: QuoteTick) -> None:
        price = (float(tick.bid_price) + float(tick.ask_price)) / 2
        self._fast.update_raw(price)
        self._slow.update_raw(price)
        if not self._slow.initialized or (self._fast.value > self._slow.value) == self._holds:
            return
        side = OrderSide.SELL if self._holds else OrderSide.BUY
        self.submit_order(self.order_factory.market(self.config.instrument_id, side, self._size))
        self._holds = not self._holds
        self.orders += 1


def main() -> None:
    path, count, half_spread_ppm = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
    pair = instrument()
    engine = BacktestEngine(BacktestEngineConfig(logging=LoggingConfig(bypass_logging=True), run_analysis=False))
    balances = [Money(100_000_000, USDC), Money(1_000_000, SOL)]
    engine.add_venue(VENUE, oms_type=OmsType.NETTING, account_type=AccountType.CASH, starting_balances=balances)
    engine.add_instrument(pair)
    ticks = quotes(json.loads(Path(path).read_text()), pair, half_spread_ppm)
    engine.add_data(ticks)
    strategies = [
        Cross(CrossConfig(instrument_id=pair.id, fast=FAST_SHORTEST + n, order_id_tag=f"{n:03}")) for n in range(count)
    ]
    for strategy in strategies:
        engine.add_strategy(strategy)
    started, cpu_started = time.perf_counter(), time.process_time()
    engine.run()
    seconds, cpu_seconds = time.perf_counter() - started, time.process_time() - cpu_started
    filled = sum(order.is_closed and order.filled_qty == order.quantity for order in engine.cache.orders())
    took = {"seconds": seconds, "cpu_seconds": cpu_seconds}
    did = {"ticks": len(ticks), "orders": sum(s.orders for s in strategies), "filled": filled}
    print(json.dumps({**took, **did, "version": nautilus_trader.__version__}))


if __name__ == "__main__":
    main()
