import asyncio

import msgspec
import pytest
from tests.apps.workers.feeding import SOL, Away, TestSource, ingestion_of, running, until, with_

from pump_party.apps.workers import ingest_prices
from pump_party.bootstrap.services import Services
from pump_party.domains.marketdata.book import BookChange, begin
from pump_party.domains.marketdata.contract import Quote
from pump_party.kernel.money import E8
from pump_party.platform.bus import TICK_CHANNEL
from pump_party.platform.clock import SystemClock


def test_every_admitted_tick_is_on_the_bus_within_50_ms_whatever_the_fan_out_rate(services):
    slow = with_(services, settings=msgspec.structs.replace(services.settings, price_fan_out_hz=1))

    async def scenario() -> tuple[list[Quote], list[int]]:
        source = TestSource()
        heard: list[Quote] = []
        lags_ms: list[int] = []
        started = asyncio.Event()
        listener = asyncio.create_task(_listen_to_ticks(services, heard, lags_ms, started))
        await started.wait()
        async with running(slow, ingestion_of(slow, source)):
            for number in range(200):
                await source.price(150 + number % 3)
                await asyncio.sleep(0.003)
            await until(lambda: len(heard) == 200)
        listener.cancel()
        return heard, lags_ms

    heard, lags_ms = asyncio.run(scenario())
    assert [quote.slot for quote in heard] == list(range(1, 201))
    assert sorted(lags_ms)[190] <= 50


@pytest.mark.parametrize("services", ["in_process"], indirect=True)
def test_ticks_wait_in_line_while_the_bus_is_away(services, monkeypatch):
    monkeypatch.setattr(ingest_prices, "TICK_RETRY_S", 0.02)
    monkeypatch.setattr(ingest_prices, "TICKS_PER_MESSAGE_MAX", 2)
    bus = Away(services.bus)
    shaky = with_(services, bus=bus)

    async def scenario() -> list[Quote]:
        source = TestSource()
        heard: list[Quote] = []
        started = asyncio.Event()
        listener = asyncio.create_task(_listen_to_ticks(services, heard, [], started))
        await started.wait()
        async with running(shaky, ingestion_of(shaky, source)):
            await until(lambda: source.sink)
            bus.away = True
            for price in (150, 151, 152):
                await source.price(price)
            await asyncio.sleep(0.1)
            await source.price(153)
            assert heard == []
            bus.away = False
            await until(lambda: len(heard) == 4)
        listener.cancel()
        return heard

    assert [quote.mid_e8 // E8 for quote in asyncio.run(scenario())] == [150, 151, 152, 153]


async def _listen_to_ticks(services: Services, heard: list[Quote], lags_ms: list[int], started: asyncio.Event) -> None:
    async for channel, message in services.bus.listen([TICK_CHANNEL]):
        if not channel:
            started.set()
            continue
        quotes = msgspec.json.decode(message, type=list[Quote])
        quotes = [quote for quote in quotes if quote.market == SOL]
        heard += quotes
        lags_ms += [SystemClock().now_ms() - quote.recv_ms for quote in quotes]


def test_a_book_reaches_the_cache(services):
    async def scenario() -> None:
        source = TestSource()
        async with running(services, ingestion_of(services, source)):
            await source.price(150)
            now_ms = SystemClock().now_ms()
            change = BookChange([(99, 1)], [(101, 2)], 5, 5, now_ms, now_ms, "ab" * 32)
            source.sink.book_changed(begin(SOL, source.name, change))
            await until(lambda: services.books.latest([SOL]))

    asyncio.run(scenario())
    book = services.market_data.book("SOL-PERP", depth=1)
    assert (book.market, book.bids, book.asks, book.seq) == ("SOL-PERP", ((99, 1),), ((101, 2),), 5)
