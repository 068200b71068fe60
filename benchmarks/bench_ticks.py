"""One price tick that fills 1,000 waiting orders, all in one transaction, beside as many transactions of pgbench.

Accounts play by contest rules: an order holds its cost when it is accepted and fills on the first tick published after
its latency. Measured is `take_ticks` alone, as the matching worker calls it: finding the orders, loading and deciding
them, and one durable commit with fills, postings, hash chains, positions, accounts and outbox rows.
"""

import tempfile
import time
from contextlib import closing

from benchmarks.exchange import Exchange, Owner, frozen_garbage
from benchmarks.order_flow import PRICES_E8
from benchmarks.pgbench import CLIENTS, Peer, best_clients, durable_postgres
from benchmarks.report import AT_MOST, Row, Target
from pump_party.domains.marketdata.contract import Quote
from pump_party.domains.prop_interface.contract import (
    BATCH_ORDERS_MAX,
    OPEN_ORDERS_MAX,
    OrderKind,
    OrderStatus,
    OrderTerms,
    OrderView,
    PlaceOrder,
    Side,
)
from pump_party.kernel.ids import Market

ORDERS = 1_000
assert ORDERS <= BATCH_ORDERS_MAX, "or they would not be one transaction"

RESTING = 100_000
RESTING_QUICK = 10_000
ROUNDS = 6
"""Purchases and sales in turn."""

RULE_SET = "practice-next-v1"
RESTING_RULE_SET = "practice-v2"
LATENCY_MS = 1_500
MARKET = Market("SOL-USDC")
MID_E8 = PRICES_E8[MARKET]
LIMIT_E8 = MID_E8 // 2 // 10**6 * 10**6
"""Far below the market: no tick of the run concerns such an order."""

ONE_TENTH = 10**8
TARGET = Target(AT_MOST, 150, of_ratio=False)


def run(*, quick: bool) -> list[Row]:
    resting = RESTING_QUICK if quick else RESTING
    peers: dict[int, list[float]] = {clients: [] for clients in CLIENTS}
    alone: dict[str, list[float]] = {"Postgres": [], "SQLite": []}
    crowded: dict[str, list[float]] = {"Postgres": [], "SQLite": []}
    idle: dict[str, list[float]] = {"Postgres": [], "SQLite": []}
    with tempfile.TemporaryDirectory(prefix="pump-party-bench-") as folder, durable_postgres() as server:
        peer = Peer(server)
        with (
            closing(TickingExchange(data_dir=folder, database_url=server.url)) as postgres,
            closing(TickingExchange(data_dir=folder)) as sqlite,
        ):
            exchanges = {"Postgres": postgres, "SQLite": sqlite}
            for exchange in exchanges.values():
                exchange.fill_round()
                exchange.fill_round()
            for _ in range(ROUNDS):
                for clients in CLIENTS:
                    peers[clients].append(peer.milliseconds(transactions=ORDERS, clients=clients))
                for name, exchange in exchanges.items():
                    alone[name].append(exchange.fill_round())
            for exchange in exchanges.values():
                exchange.rest_orders(resting)
            for _ in range(ROUNDS):
                for name, exchange in exchanges.items():
                    crowded[name].append(exchange.fill_round())
                    idle[name].append(exchange.tick_that_fills_nothing())
    return [row for name in exchanges for row in _rows(name, resting, peers, alone[name], crowded[name], idle[name])]


def _rows(
    name: str,
    resting: int,
    peers: dict[int, list[float]],
    alone: list[float],
    crowded: list[float],
    idle: list[float],
) -> list[Row]:
    clients = best_clients({clients: [1 / ms for ms in taken] for clients, taken in peers.items()})
    return [
        Row(
            name=f"{name}, a tick fills {ORDERS:,} orders",
            unit="ms",
            samples=tuple(alone),
            peer_name=f"ms for {ORDERS:,} TPC-B, {clients} clients",
            peer_samples=tuple(peers[clients]),
            target=TARGET,
        ),
        Row(
            name=f"{name}, the same with {resting:,} limit orders resting far away",
            unit="ms",
            samples=tuple(crowded),
            target=TARGET,
        ),
        Row(name=f"{name}, a tick that concerns none of {resting:,} resting orders", unit="ms", samples=tuple(idle)),
    ]


class TickingExchange(Exchange):
    """An exchange on which every account waits with one order for the next tick."""

    def __init__(self, *, data_dir: str, database_url: str = "") -> None:
        super().__init__(data_dir=data_dir, database_url=database_url, accounts=ORDERS, rule_set=RULE_SET)
        self._rounds = 0

    def fill_round(self) -> float:
        """Have all accounts buy, or sell what they bought, and time the tick that fills them: milliseconds."""
        side = Side.SELL if self._rounds % 2 else Side.BUY
        self._rounds += 1
        orders = [_order(owner, f"round-{self._rounds}", side) for owner in self.owners]
        self._place(orders)
        quote = self._quote(after_ms=LATENCY_MS + 1)
        with frozen_garbage():
            started = time.perf_counter()
            ended = self.prop.take_ticks([quote])
            elapsed = time.perf_counter() - started
        filled = self._statuses(orders).count(OrderStatus.FILLED)
        if (ended, filled) != (ORDERS, ORDERS):
            raise RuntimeError(f"the tick ended {ended} orders and filled {filled}, not {ORDERS}")
        return elapsed * 1000

    def tick_that_fills_nothing(self) -> float:
        quote = self._quote(after_ms=LATENCY_MS + 1)
        started = time.perf_counter()
        ended = self.prop.take_ticks([quote])
        elapsed = time.perf_counter() - started
        if ended:
            raise RuntimeError(f"a tick far from every limit ended {ended} orders")
        return elapsed * 1000

    def rest_orders(self, count: int) -> None:
        """Let other accounts leave this many purchases in the market, at half its price."""
        for number in range(count // OPEN_ORDERS_MAX):
            owner = self.open_account(ORDERS + number, RESTING_RULE_SET)
            terms = OrderTerms(kind=OrderKind.LIMIT, limit_price_e8=LIMIT_E8)
            self._place([_order(owner, f"rest-{n}", Side.BUY, terms) for n in range(OPEN_ORDERS_MAX)])

    def _place(self, orders: list[PlaceOrder]) -> None:
        self.tick()
        accepted = self._statuses(orders).count(OrderStatus.ACCEPTED)
        if accepted != len(orders):
            raise RuntimeError(f"only {accepted} of {len(orders)} orders were accepted")

    def _statuses(self, orders: list[PlaceOrder]) -> list[OrderStatus]:
        """Place orders, or look at them once more: the same key answers with the order as it stands."""
        return [view.status for view in self.prop.place_orders(orders) if isinstance(view, OrderView)]

    def _quote(self, *, after_ms: int) -> Quote:
        at_ms = self.now_ms() + after_ms
        return Quote(MARKET, MID_E8, MID_E8 // 10_000, at_ms, at_ms, 0, "bench", "ab" * 32, "synthetic")


def _order(owner: Owner, key: str, side: Side, terms: OrderTerms | None = None) -> PlaceOrder:
    user_id, account_id = owner
    return PlaceOrder(user_id, account_id, key, MARKET, side, quantity_nanos=ONE_TENTH, terms=terms)
