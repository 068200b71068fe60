"""Run NautilusTrader's BacktestEngine over quotes: nautilus_replay.py FILE EVERY HALF_SPREAD_PPM.

FILE is JSON, [[milliseconds, price in 1e-8], ...]. Runs in the environment of requirements/bench.lock and knows
nothing of the product. Timed is `engine.run` alone; data and instrument are made before.
"""

import json
import sys
import time
from decimal import Decimal
from pathlib import Path

import nautilus_trader
from nautilus_trader.backtest.engine import BacktestEngine, BacktestEngineConfig
from nautilus_trader.config import LoggingConfig, StrategyConfig
from nautilus_trader.model.currencies import USDC
from nautilus_trader.model.data import QuoteTick
from nautilus_trader.model.enums import AccountType, CurrencyType, OmsType, OrderSide
from nautilus_trader.model.identifiers import InstrumentId, Symbol, Venue
from nautilus_trader.model.instruments import CurrencyPair
from nautilus_trader.model.objects import Currency, Money, Price, Quantity
from nautilus_trader.trading.strategy import Strategy

PRICE_DIGITS = 4
SIZE_DIGITS = 4
VENUE = Venue("SIM")
SOL = Currency("SOL", precision=9, iso4217=0, name="Solana", currency_type=CurrencyType.CRYPTO)


class EveryConfig(StrategyConfig, frozen=True):
    instrument_id: InstrumentId
    every: int


class BuyAndSellInTurn(Strategy):
    """A market order of one SOL at every so many quotes."""

    def __init__(self, config: EveryConfig) -> None:
        super().__init__(config)
        self._size = Quantity(1, SIZE_DIGITS)
        self._ticks = 0
        self.orders = 0

    def on_start(self) -> None:
        self.subscribe_quote_ticks(self.config.instrument_id)

    def on_quote_tick(self, _tick: QuoteTick) -> None:
        if self._ticks % self.config.every == 0:
            side = OrderSide.SELL if self.orders % 2 else OrderSide.BUY
            self.submit_order(self.order_factory.market(self.config.instrument_id, side, self._size))
            self.orders += 1
        self._ticks += 1


def main() -> None:
    path, every, half_spread_ppm = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
    pair = instrument()
    engine = BacktestEngine(BacktestEngineConfig(logging=LoggingConfig(bypass_logging=True), run_analysis=False))
    balances = [Money(10_000, USDC), Money(0, SOL)]
    engine.add_venue(VENUE, oms_type=OmsType.NETTING, account_type=AccountType.CASH, starting_balances=balances)
    engine.add_instrument(pair)
    ticks = quotes(json.loads(Path(path).read_text()), pair, half_spread_ppm)
    engine.add_data(ticks)
    strategy = BuyAndSellInTurn(EveryConfig(instrument_id=pair.id, every=every))
    engine.add_strategy(strategy)
    started, cpu_started = time.perf_counter(), time.process_time()
    engine.run()
    seconds, cpu_seconds = time.perf_counter() - started, time.process_time() - cpu_started
    filled = sum(order.is_closed and order.filled_qty == order.quantity for order in engine.cache.orders())
    took = {"seconds": seconds, "cpu_seconds": cpu_seconds}
    did = {"ticks": len(ticks), "orders": strategy.orders, "filled": filled}
    print(json.dumps({**took, **did, "version": nautilus_trader.__version__}))


def instrument() -> CurrencyPair:
    return CurrencyPair(
        instrument_id=InstrumentId(Symbol("SOL/USDC"), VENUE),
        raw_symbol=Symbol("SOLUSDC"),
        base_currency=SOL,
        quote_currency=USDC,
        price_precision=PRICE_DIGITS,
        size_precision=SIZE_DIGITS,
        price_increment=Price(10**-PRICE_DIGITS, PRICE_DIGITS),
        size_increment=Quantity(10**-SIZE_DIGITS, SIZE_DIGITS),
        maker_fee=Decimal("0.0007"),
        taker_fee=Decimal("0.0007"),
        ts_event=0,
        ts_init=0,
    )


def quotes(rows: list[tuple[int, int]], pair: CurrencyPair, half_spread_ppm: int) -> list[QuoteTick]:
    depth = Quantity(1_000_000, SIZE_DIGITS)
    made = []
    for at_ms, price_e8 in rows:
        half = price_e8 * half_spread_ppm // 10**6
        bid, ask = (Price((price_e8 + side * half) / 10**8, PRICE_DIGITS) for side in (-1, 1))
        made.append(QuoteTick(pair.id, bid, ask, depth, depth, at_ms * 10**6, at_ms * 10**6))
    return made


if __name__ == "__main__":
    main()
