"""The matcher: ticks of the bus reach the orders that wait, once, in order, whatever goes away meanwhile."""

import asyncio
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import aclosing, asynccontextmanager, closing
from pathlib import Path

import msgspec
import pytest
from tests.apps.clock import LeapingClock, leaping_clock
from tests.apps.workers.feeding import SOL, Away, until, with_

from pump_party.apps.workers import leading, match_orders
from pump_party.bootstrap.services import Services, build
from pump_party.config import Settings
from pump_party.domains.marketdata.contract import Quote
from pump_party.domains.prop_engine.working import TICK_GRACE_MS
from pump_party.domains.prop_interface.contract import (
    AccountKind,
    OpenAccount,
    OrderStatus,
    OrderView,
    PlaceOrder,
    RejectCode,
    Side,
)
from pump_party.kernel.ids import AccountId, Market, UserId
from pump_party.platform.bus import TICK_CHANNEL

LATENCY_MS, WAIT_MS = 1_501, 6_000
ONE_SOL = 10**9


@pytest.fixture
def clock() -> Iterator[LeapingClock]:
    with leaping_clock() as clock:
        yield clock


@pytest.fixture(params=["in_process", "redis"])
def services(request: pytest.FixtureRequest, clock: LeapingClock, sqlite_path: Path) -> Iterator[Services]:
    redis_url = request.getfixturevalue("redis_url") if request.param == "redis" else ""
    settings = Settings(data_dir=str(sqlite_path.parent), redis_url=redis_url, log_level="error")
    with closing(build(settings)) as built:
        yield built


in_process = pytest.mark.parametrize("services", ["in_process"], indirect=True)


class Trader:
    """An account whose orders wait for their tick."""

    def __init__(self, services: Services) -> None:
        self.services = services
        self.user_id = UserId(services.ids.new())
        command = OpenAccount(self.user_id, AccountKind.PRACTICE, "open", "practice-next-v1")
        self.account_id: AccountId = services.prop.open_account(command).account_id

    def place(self, key: str = "k") -> OrderView:
        self.services.quotes.put([self.quote(150)])
        command = PlaceOrder(self.user_id, self.account_id, key, SOL, Side.BUY, quantity_nanos=ONE_SOL)
        (order,) = self.services.prop.place_orders([command])
        assert isinstance(order, OrderView)
        assert order.status is OrderStatus.ACCEPTED
        return order

    def quote(self, price: int, market: Market = SOL) -> Quote:
        now_ms = self.services.clock.now_ms()
        fields = {"publish_ms": now_ms, "recv_ms": now_ms, "slot": 1, "source": "test", "tick_sha256": "ab" * 32}
        return Quote(market=market, mid_e8=price * 10**8, conf_e8=0, feed="live", **fields)

    async def publish(self, *prices: int) -> None:
        await send(self.services, [self.quote(price) for price in prices])

    def order(self, placed: OrderView) -> OrderView:
        return self.services.prop.order(self.user_id, self.account_id, placed.order_id)

    def mid(self, placed: OrderView) -> int | None:
        fill = self.order(placed).fill
        return None if fill is None else fill.evidence.mid_e8 // 10**8


async def send(services: Services, quotes: Sequence[Quote]) -> None:
    await services.bus.publish(TICK_CHANNEL, [msgspec.json.encode(list(quotes))])


class Overheard(Away):
    """The bus, and whether somebody hears it."""

    def __init__(self, bus: object) -> None:
        super().__init__(bus)
        self.is_heard = False

    async def listen(self, channels: Sequence[str]) -> AsyncIterator[tuple[str, bytes]]:
        async with aclosing(self._real.listen(channels)) as messages:  # type: ignore[attr-defined]
            async for channel, message in messages:
                self.is_heard = True
                yield channel, message


@asynccontextmanager
async def matching(services: Services, *, stands_by: bool = False) -> AsyncIterator[asyncio.Event]:
    """Run the matcher until the block ends; begins when it hears the bus, unless it stands by."""
    stop = asyncio.Event()
    bus = Overheard(services.bus)
    worker = asyncio.create_task(match_orders.run(with_(services, bus=bus), stop=stop))
    await until(lambda: stands_by or bus.is_heard)
    try:
        yield stop
    finally:
        stop.set()
        async with asyncio.timeout(10):
            await worker


def test_a_tick_of_the_bus_fills_the_order_that_waited_for_it_and_the_relay_is_told(services, clock):
    trader, told = Trader(services), []
    services.outbox.on_notify(lambda: told.append(True))

    async def scenario() -> None:
        async with matching(services):
            placed = trader.place()
            await trader.publish(151)
            await asyncio.sleep(0.2)
            assert trader.order(placed).status is OrderStatus.ACCEPTED, "published before the latency was over"
            told.clear()
            clock.leap(LATENCY_MS)
            await trader.publish(152, 153)
            await until(lambda: trader.mid(placed))
            assert trader.mid(placed) == 152
            await until(lambda: told)

    asyncio.run(scenario())
    metrics = services.metrics.render().decode()
    assert "pump_party_orders_ended_total 1.0" in metrics
    assert "pump_party_ticks_matched_total 3.0" in metrics


def test_an_order_without_a_tick_times_out(services, clock):
    trader = Trader(services)

    async def scenario() -> OrderView:
        async with matching(services):
            placed = trader.place()
            clock.leap(WAIT_MS + TICK_GRACE_MS + 1)
            await until(lambda: trader.order(placed).status is not OrderStatus.ACCEPTED)
            return trader.order(placed)

    assert asyncio.run(scenario()).reject_code is RejectCode.PRICE_TIMEOUT


def test_of_two_matchers_one_works_and_the_other_takes_over(services, clock, monkeypatch):
    monkeypatch.setattr(leading, "LEASE_RENEWED_EVERY_S", 0.05)
    trader = Trader(services)
    taken: list[str] = []

    def counted(name: str) -> Services:
        class Counted(Away):
            def take_ticks(self, quotes: Sequence[Quote]) -> int:
                taken.append(name)
                return services.prop.take_ticks(quotes)

        return with_(services, prop=Counted(services.prop))

    async def scenario() -> None:
        async with matching(counted("first")) as stop_first, matching(counted("second"), stands_by=True):
            await trader.publish(150)
            await asyncio.sleep(0.3)
            assert taken == ["first"]
            stop_first.set()
            placed = trader.place()
            clock.leap(LATENCY_MS)
            async with asyncio.timeout(10):
                while not trader.mid(placed):
                    await trader.publish(151)
                    await asyncio.sleep(0.05)
        assert taken[-1] == "second"

    asyncio.run(scenario())


@in_process
def test_ticks_that_came_while_the_database_was_away_fill_what_they_would_have_filled(services, clock, monkeypatch):
    monkeypatch.setattr(match_orders, "RETRY_S", 0.05)
    trader = Trader(services)
    prop = Away(services.prop)

    async def scenario() -> None:
        async with matching(with_(services, prop=prop)):
            placed = trader.place()
            clock.leap(LATENCY_MS)
            prop.away = True
            await trader.publish(151)
            await trader.publish(152)
            clock.leap(60_000)
            await asyncio.sleep(0.2)
            prop.away = False
            await until(lambda: trader.mid(placed))
            assert trader.mid(placed) == 151

    asyncio.run(scenario())
    assert 'pump_party_worker_failures_total{worker="match_orders"}' in services.metrics.render().decode()


@in_process
def test_a_tick_that_has_arrived_comes_before_the_timeout_it_prevents(services, clock):
    trader = Trader(services)

    async def scenario() -> None:
        placed = trader.place()
        clock.leap(5_000)
        in_time = trader.quote(151)
        clock.leap(1_500)
        prop = Away(services.prop)
        prop.away = True
        async with matching(with_(services, prop=prop)):
            await send(services, [in_time])
            await asyncio.sleep(0.1)
            prop.away = False
            await until(lambda: trader.order(placed).status is not OrderStatus.ACCEPTED)
            assert trader.mid(placed) == 151

    asyncio.run(scenario())


@in_process
def test_a_matcher_that_lags_keeps_the_newest_tick_of_every_market_and_counts_the_rest(services, clock, monkeypatch):
    monkeypatch.setattr(match_orders, "TICKS_WAITING_MAX", 5)
    trader = Trader(services)
    prop = Away(services.prop)
    bitcoin = Market("BTC-USDC")

    async def scenario() -> None:
        async with matching(with_(services, prop=prop)):
            placed = trader.place()
            clock.leap(LATENCY_MS)
            prop.away = True
            await send(services, [trader.quote(60_000, bitcoin)])
            for price in range(151, 157):
                await trader.publish(price)
            await asyncio.sleep(0.1)
            prop.away = False
            await until(lambda: trader.mid(placed))
            assert trader.mid(placed) > 151

    asyncio.run(scenario())
    assert "pump_party_ticks_unmatched_total 0.0" not in services.metrics.render().decode()


@in_process
def test_what_is_no_tick_is_passed_over(services, clock):
    trader = Trader(services)

    async def scenario() -> None:
        async with matching(services):
            placed = trader.place()
            clock.leap(LATENCY_MS)
            await services.bus.publish(TICK_CHANNEL, [b"{", b'[{"market":1}]', b"[]"])
            await trader.publish(151)
            await until(lambda: trader.mid(placed))

    asyncio.run(scenario())
