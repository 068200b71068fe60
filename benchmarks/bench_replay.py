"""A recorded month of minutes replayed through the real engine in memory, beside NautilusTrader's BacktestEngine.

Each of SOL's 43,200 closes is one tick, two seconds apart so that an order accepted at one fills at the next. A market
order of one SOL follows every tenth, bought and sold in turn. The engine is the product's own, service and all, on
`memory_store.py`: idempotency, evidence, postings, hash chain, messages. Both sides see the same prices and times.
"""

import statistics
import sys
import time

from tests.domains.prop_engine.markets import FixedBooks, FixedQuotes, rule_sets

from benchmarks.exchange import frozen_garbage
from benchmarks.nautilus import Replayed, replay
from benchmarks.recording import SOL_MINUTES, Candle, read_closes
from benchmarks.report import AT_LEAST, Row, Target
from pump_party.domains.marketdata.contract import Quote
from pump_party.domains.prop_engine.audit import audit
from pump_party.domains.prop_engine.memory_store import MemoryStore
from pump_party.domains.prop_engine.service import PropTradingEngine
from pump_party.domains.prop_interface.contract import AccountKind, OpenAccount, PlaceOrder, Side
from pump_party.kernel.ids import AccountId, Market, UserId
from pump_party.platform.clock import ManualClock
from pump_party.platform.ids import Ids

ROUNDS = 3
EVERY = 10
TICK_MS = 2_000
HALF_SPREAD_PPM = 100
QUICK_CANDLES = 10_000
MARKET = Market("SOL-USDC")
USER = UserId("01900000-0000-7000-8000-000000000001")
ONE_SOL = 10**9
MODES = {"filled at once": "practice-v2", "filled by the next tick": "practice-next-v1"}
TARGET = Target(AT_LEAST, 1.0)


def run(*, quick: bool) -> list[Row]:
    if not SOL_MINUTES.is_file():
        print(f"left out: the replay needs {SOL_MINUTES}; PUMP_PARTY_TEST_DATA names another folder", file=sys.stderr)
        return []
    candles = _two_seconds_apart(read_closes(SOL_MINUTES)[: QUICK_CANDLES if quick else None])
    peers: list[Replayed] = []
    runs: dict[str, list[Replayed]] = {mode: [] for mode in MODES}
    for _ in range(ROUNDS):
        peers.append(_checked("NautilusTrader", replay(candles, every=EVERY, half_spread_ppm=HALF_SPREAD_PPM)))
        for mode, rule_set in MODES.items():
            runs[mode].append(_checked(mode, _replay(candles, rule_set)))
    peer = f"NautilusTrader {peers[0].version}"
    rows = []
    for mode, taken in runs.items():
        rows += [
            Row(
                name=f"orders, {mode}",
                unit="orders/s",
                samples=tuple(r.orders / r.seconds for r in taken),
                peer_name=f"{peer}, orders/s",
                peer_samples=tuple(r.orders / r.seconds for r in peers),
                target=TARGET,
            ),
            Row(
                name=f"ticks, {mode}",
                unit="ticks/s",
                samples=tuple(r.ticks / r.seconds for r in taken),
                peer_name=f"{peer}, ticks/s",
                peer_samples=tuple(r.ticks / r.seconds for r in peers),
                note=f"{taken[0].ticks:,} ticks and {taken[0].orders:,} orders a run; CPU {_cpu_us(taken):.0f} us per "
                f"order with its ticks, NautilusTrader {_cpu_us(peers):.0f} us",
            ),
        ]
    return rows


def _cpu_us(runs: list[Replayed]) -> float:
    return statistics.median(run.cpu_seconds / run.orders for run in runs) * 1e6


def _two_seconds_apart(candles: list[Candle]) -> list[Candle]:
    first_ms = candles[0].at_ms
    return [Candle(first_ms + number * TICK_MS, candle.close_e8) for number, candle in enumerate(candles)]


def _checked(name: str, replayed: Replayed) -> Replayed:
    """Every order filled, but for the last where its next tick is behind the end of the recording."""
    if not 0 <= replayed.orders - replayed.filled <= 1:
        raise RuntimeError(f"{name}: only {replayed.filled} of {replayed.orders} orders filled")
    return replayed


def _replay(candles: list[Candle], rule_set: str) -> Replayed:
    store, quotes, clock = MemoryStore(), FixedQuotes(), ManualClock(candles[0].at_ms)
    engine = PropTradingEngine(store, quotes, FixedBooks(), rule_sets(), clock, Ids(clock))
    opened = engine.open_account(OpenAccount(USER, AccountKind.PRACTICE, "open", rule_set))
    ticks = [_quote(candle) for candle in candles]
    orders = [_order(opened.account_id, number) for number in range(-(-len(ticks) // EVERY))]
    with frozen_garbage():
        started, cpu_started = time.perf_counter(), time.process_time()
        for number, tick in enumerate(ticks):
            if number:
                clock.advance(TICK_MS)
            quotes.set(tick)
            engine.take_ticks([tick])
            if number % EVERY == 0:
                engine.place_orders([orders[number // EVERY]])
        seconds, cpu_seconds = time.perf_counter() - started, time.process_time() - cpu_started
    (records,) = store.account_records()
    problems = audit(records)
    if problems:
        raise RuntimeError(f"the audit of the replay found {problems[0]}")
    return Replayed(seconds, cpu_seconds, len(ticks), len(orders), len(records.fills))


def _quote(candle: Candle) -> Quote:
    conf_e8 = candle.close_e8 * HALF_SPREAD_PPM // 10**6
    return Quote(MARKET, candle.close_e8, conf_e8, candle.at_ms, candle.at_ms, 0, "replay", "ab" * 32, "tape")


def _order(account_id: AccountId, number: int) -> PlaceOrder:
    side = Side.SELL if number % 2 else Side.BUY
    return PlaceOrder(USER, account_id, f"order-{number}", MARKET, side, quantity_nanos=ONE_SOL)
