"""Waiting for an order: whatever is missed, late or away, the answer is the order as it stands, and in time."""

import asyncio
import time
from collections.abc import Callable, Coroutine, Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import msgspec
import pytest
from tests.apps.clock import LeapingClock, leaping_clock
from tests.apps.workers.feeding import SOL, Away, until, with_

from pump_party.apps.api import order_waits
from pump_party.apps.api.order_waits import OrderWaits
from pump_party.apps.api.threads import Threads
from pump_party.bootstrap.services import Services, build
from pump_party.config import Settings
from pump_party.domains.marketdata.contract import Quote
from pump_party.domains.prop_interface.contract import (
    AccountKind,
    CancelOrder,
    CancelReason,
    OpenAccount,
    OrderKind,
    OrderStatus,
    OrderTerms,
    OrderView,
    PlaceOrder,
    ResetAccount,
    Side,
)
from pump_party.kernel.ids import UserId
from pump_party.platform.bus import ACCOUNT_CHANNEL

LONG_MS = 8_000


@pytest.fixture
def clock() -> Iterator[LeapingClock]:
    with leaping_clock() as clock:
        yield clock


@pytest.fixture
def services(clock: LeapingClock, sqlite_path: Path) -> Iterator[Services]:
    with closing(build(Settings(data_dir=str(sqlite_path.parent), log_level="error"))) as built:
        yield built


class Waiter:
    """An account whose orders wait for their tick, and requests that wait for the orders."""

    def __init__(self, services: Services) -> None:
        self.services = services
        self.reads = 0
        self.user_id = UserId(services.ids.new())
        command = OpenAccount(self.user_id, AccountKind.PRACTICE, "open", "practice-next-v1")
        self.account_id = services.prop.open_account(command).account_id
        self.waits = OrderWaits(with_(services, prop=self), Threads())
        self._keys = 0

    def order(self, *arguments: Any) -> OrderView:
        self.reads += 1
        return self.services.prop.order(*arguments)

    def place(self, terms: OrderTerms | None = None) -> OrderView:
        now_ms = self.services.clock.now_ms()
        fields = {"publish_ms": now_ms, "recv_ms": now_ms, "slot": 1, "source": "test", "tick_sha256": "ab" * 32}
        self.services.quotes.put([Quote(market=SOL, mid_e8=150 * 10**8, conf_e8=0, feed="live", **fields)])
        self._keys += 1
        command = PlaceOrder(
            self.user_id, self.account_id, f"k{self._keys}", SOL, Side.BUY, quantity_nanos=10**9, terms=terms
        )
        (order,) = self.services.prop.place_orders([command])
        assert isinstance(order, OrderView)
        return order

    def settle(self, order: OrderView, wait_ms: int = LONG_MS) -> "asyncio.Task[OrderView]":
        return asyncio.create_task(self.waits.settle(order, self.user_id, wait_ms=wait_ms))

    def cancel(self, order: OrderView) -> OrderView:
        """Only a reset calls back what is in flight."""
        self.services.prop.reset_account(ResetAccount(self.user_id, self.account_id, order.order_id))
        return self.services.prop.order(self.user_id, self.account_id, order.order_id)

    async def relay(self) -> None:
        """Send what is unsent to the bus, once."""
        rows = self.services.outbox.unsent(limit=100)
        await self.services.bus.publish(ACCOUNT_CHANNEL, [msgspec.json.encode(message) for _, message in rows])
        self.services.outbox.mark_sent([number for number, _ in rows], at_ms=self.services.clock.now_ms())


def run(services: Services, scenario: Callable[[Waiter], Coroutine[Any, Any, None]]) -> None:
    async def limited() -> None:
        waiter = Waiter(services)
        async with asyncio.timeout(20):
            await scenario(waiter)
        waiter.waits.close()

    asyncio.run(limited())


def test_an_order_that_ended_before_the_bus_was_heard_is_found_by_the_one_read(services: Services) -> None:
    async def scenario(waiter: Waiter) -> None:
        order = waiter.place()
        ended = waiter.cancel(order)
        assert await waiter.settle(order) == ended
        assert waiter.reads == 1

    run(services, scenario)


def test_an_event_ends_the_wait_without_asking_the_database_again(services: Services) -> None:
    async def scenario(waiter: Waiter) -> None:
        order = waiter.place()
        waiting = waiter.settle(order)
        await until(lambda: waiter.reads)
        other = waiter.place(OrderTerms(OrderKind.STOP, trigger_price_e8=200 * 10**8))
        services.prop.cancel_order(CancelOrder(waiter.user_id, waiter.account_id, other.order_id))
        await waiter.relay()
        await asyncio.sleep(0.05)
        assert not waiting.done(), "another order of the account is none of its business"
        ended = waiter.cancel(order)
        await waiter.relay()
        assert await waiting == ended
        assert ended.cancel_reason is CancelReason.ACCOUNT_CLOSED
        assert waiter.reads == 1

    run(services, scenario)


def test_what_the_bus_lost_is_read_when_it_is_back(services: Services) -> None:
    async def scenario(waiter: Waiter) -> None:
        order = waiter.place()
        waiting = waiter.settle(order)
        await until(lambda: waiter.reads)
        ended = waiter.cancel(order)
        (inbox,) = services.bus._inboxes[ACCOUNT_CHANNEL]  # type: ignore[attr-defined]
        inbox.put("", [b""])
        assert await waiting == ended

    run(services, scenario)


def test_a_wait_has_an_end_and_answers_the_order_as_it_is(services: Services) -> None:
    async def scenario(waiter: Waiter) -> None:
        order = waiter.place()
        started = time.monotonic()
        assert await waiter.settle(order, 100) == order
        assert 0.09 < time.monotonic() - started < 2
        assert await waiter.settle(order, 0) == order
        assert waiter.reads == 1

    run(services, scenario)


def test_beyond_the_limit_nobody_waits(services: Services, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(order_waits, "WAITS_MAX", 2)

    async def scenario(waiter: Waiter) -> None:
        orders = [waiter.place() for _ in range(3)]
        waiting = [waiter.settle(order) for order in orders]
        assert await waiting[2] == orders[2]
        assert not waiting[0].done()
        assert "pump_party_orders_awaited 2.0" in services.metrics.render().decode()
        waiter.waits.close()
        assert [await one for one in waiting[:2]] == orders[:2]

    run(services, scenario)


def test_a_process_that_stops_keeps_nobody_waiting(services: Services) -> None:
    async def scenario(waiter: Waiter) -> None:
        order = waiter.place()
        waiting = waiter.settle(order)
        await until(lambda: waiter.reads)
        waiter.waits.close()
        assert await waiting == order
        assert await waiter.settle(order) == order

    run(services, scenario)


def test_nobody_listens_when_nobody_has_waited_for_a_while(services: Services, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(order_waits, "IDLE_S", 0.05)

    def listeners() -> int:
        return len(services.bus._inboxes.get(ACCOUNT_CHANNEL, ()))  # type: ignore[attr-defined]

    async def scenario(waiter: Waiter) -> None:
        assert listeners() == 0
        order = waiter.place()
        await waiter.settle(order, 50)
        assert listeners() == 1
        await asyncio.sleep(0.1)
        await waiter.relay()
        await until(lambda: listeners() == 0)
        waiter.cancel(order)
        assert (await waiter.settle(order)).status is OrderStatus.CANCELLED

    run(services, scenario)


def test_a_database_that_is_away_only_costs_the_read(services: Services) -> None:
    async def scenario(waiter: Waiter) -> None:
        order = waiter.place()
        prop = Away(services.prop)
        prop.away = True
        waits = OrderWaits(with_(services, prop=prop), Threads())
        waiting = asyncio.create_task(waits.settle(order, waiter.user_id, wait_ms=LONG_MS))
        await asyncio.sleep(0.1)
        ended = waiter.cancel(order)
        await waiter.relay()
        assert await waiting == ended
        waits.close()

    run(services, scenario)
