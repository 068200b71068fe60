import asyncio

import msgspec
import pytest
from tests.apps.workers.feeding import HZ, SOL, Away, TestSource, ingestion_of, running, until, with_

from pump_party.apps.workers import ingest_prices, leading
from pump_party.bootstrap.services import Services
from pump_party.db.marketdata import MarketDataStore
from pump_party.domains.marketdata.contract import (
    CandleInterval,
    HaltReason,
    MarketState,
    PerpContext,
    Quote,
    SourceState,
)
from pump_party.kernel.ids import Market
from pump_party.kernel.money import E8
from pump_party.platform.bus import PRICE_CHANNEL
from pump_party.platform.clock import SystemClock

PERP = Market("SOL-PERP")


def latest(services: Services) -> Quote | None:
    return services.quotes.latest([SOL]).get(SOL)


def test_what_a_venue_says_of_its_perpetual_reaches_the_cache_and_the_database(services):
    async def scenario() -> None:
        source = TestSource()
        async with running(services, ingestion_of(services, source)):
            await source.price(150)
            now_ms = SystemClock().now_ms()
            context = PerpContext(SOL, 1_000, 12_500, 10**12, E8, E8, now_ms, source.name, "ab")
            source.sink.context_changed(context)
            await until(lambda: services.quotes.contexts())
            await until(lambda: services.market_data.perp_hours(PERP, before_ms=now_ms + 1, limit=1))
        (hour,) = services.market_data.perp_hours(PERP, before_ms=now_ms + 1, limit=1)
        assert (hour.premium_sum_ppb, hour.samples) == (1_000, 1)
        assert services.quotes.contexts() == {PERP: msgspec.structs.replace(context, market=PERP)}

    asyncio.run(scenario())


@pytest.mark.parametrize("services", ["in_process"], indirect=True)
def test_a_fast_feed_is_conflated_to_the_fan_out_rate_and_the_newest_price_always_gets_out(services):
    async def scenario() -> tuple[list[Quote], float]:
        source = TestSource()
        heard: list[Quote] = []
        listener = asyncio.create_task(_listen(services, heard))
        async with running(services, ingestion_of(services, source)):
            loop = asyncio.get_running_loop()
            started = loop.time()
            for number in range(300):
                await source.price(150 + number % 3)
                await asyncio.sleep(0.002)
            await source.price(152)
            elapsed_s = loop.time() - started
            await until(lambda: heard and heard[-1].mid_e8 == 152 * E8 and heard[-1].slot == 301)
        listener.cancel()
        return heard, elapsed_s

    heard, elapsed_s = asyncio.run(scenario())
    assert 3 <= len(heard) <= elapsed_s * HZ + 3
    assert all(quote.feed == "live" for quote in heard)


def test_prices_reach_cache_bus_and_database_and_health_is_published(services):
    async def scenario() -> list[Quote]:
        source = TestSource()
        heard: list[Quote] = []
        listener = asyncio.create_task(_listen(services, heard))
        async with running(services, ingestion_of(services, source)):
            await asyncio.sleep(0.1)
            await source.price(150)
            await until(lambda: latest(services))
            await until(lambda: heard)
            await until(lambda: any(one.admitted == 1 for one in services.quotes.health()))
            await until(lambda: _candles(services))
        listener.cancel()
        return heard

    heard = asyncio.run(scenario())
    assert heard[-1] == latest(services)
    view = services.market_data.market("SOL-USDC")
    assert (view.state, view.quote.mid_e8) == (MarketState.OPEN, 150 * E8)
    assert [one.source for one in services.market_data.sources()] == ["hyperliquid"]


@pytest.mark.parametrize("services", ["in_process"], indirect=True)
def test_a_halt_is_published_before_the_next_slot(services):
    slow = msgspec.structs.replace(services.settings, price_fan_out_hz=1)
    services = with_(services, settings=slow)

    async def scenario() -> float:
        source = TestSource()
        async with running(services, ingestion_of(services, source)):
            await source.price(150)
            await until(lambda: latest(services))
            await source.price(170)
            started = asyncio.get_running_loop().time()
            await until(lambda: latest(services).halt_reason is HaltReason.QUARANTINE_JUMP)
            return asyncio.get_running_loop().time() - started

    assert asyncio.run(scenario()) < 0.5
    assert latest(services).mid_e8 == 150 * E8


@pytest.mark.parametrize("services", ["in_process"], indirect=True)
def test_silence_halts_the_market_in_the_cache(services):
    async def scenario() -> None:
        source = TestSource()
        clock = _LeapingClock()
        leaping = with_(services, clock=clock)
        async with running(leaping, ingestion_of(leaping, source)):
            await source.price(150)
            await until(lambda: latest(services))
            clock.ahead_ms = 10_500
            await until(lambda: latest(services).halt_reason is HaltReason.FEED_SILENT)

    asyncio.run(scenario())


def test_of_two_workers_one_is_active_and_the_other_takes_over(services, monkeypatch):
    monkeypatch.setattr(leading, "LEASE_RENEWED_EVERY_S", 0.05)

    async def scenario() -> None:
        first, second = TestSource(), TestSource()
        async with running(services, ingestion_of(services, first)) as stop_first:
            await first.price(150)
            await until(lambda: latest(services))
            async with running(services, ingestion_of(services, second)):
                await asyncio.sleep(0.3)
                assert second.runs == 0
                stop_first.set()
                await second.price(151)
                await until(lambda: latest(services).mid_e8 == 151 * E8)

    asyncio.run(scenario())


@pytest.mark.parametrize("services", ["in_process"], indirect=True)
def test_a_worker_that_lost_its_lease_stops_its_sources(services, monkeypatch):
    monkeypatch.setattr(leading, "LEASE_MS", 1)
    monkeypatch.setattr(leading, "LEASE_RENEWED_EVERY_S", 0.05)

    async def scenario() -> None:
        source = TestSource()
        async with running(services, ingestion_of(services, source)):
            await source.price(150)
            await until(lambda: latest(services))
            assert await services.locks.hold(ingest_prices.WORKER, "another", lease_ms=60_000)
            await asyncio.sleep(0.3)
            await source.price(151)
            await asyncio.sleep(0.3)
            assert latest(services).mid_e8 == 150 * E8
            await services.locks.release(ingest_prices.WORKER, "another")
            await until(lambda: source.runs == 2)

    asyncio.run(scenario())


@pytest.mark.parametrize("services", ["in_process"], indirect=True)
def test_a_source_that_fails_is_told_of_and_started_again_while_others_go_on(services, monkeypatch):
    monkeypatch.setattr(ingest_prices, "FEED_RESTART_S", 0.2)

    async def scenario() -> None:
        broken, well = TestSource("binance", failures=1), TestSource("hyperliquid")
        ingestion = ingestion_of(services, well, broken)
        async with running(services, ingestion):
            await well.price(150)
            await until(lambda: latest(services))
            _, health = ingestion.health()
            assert (health.state, health.last_error) == (SourceState.STOPPED, "RuntimeError: a bug in the source")
            await until(lambda: broken.runs == 2)
            await broken.price(150)
            await until(lambda: ingestion.health()[1].admitted == 1)

    asyncio.run(scenario())


@pytest.mark.parametrize("services", ["in_process"], indirect=True)
def test_raw_payloads_are_recorded_whatever_became_of_their_ticks(services):
    kept: dict[str, bytes] = {}

    class Objects:
        def put(self, sha256: str, body: bytes) -> None:
            kept[sha256] = body

    async def scenario() -> None:
        source = TestSource()
        async with running(services, ingestion_of(services, source, payloads=Objects())):
            await source.price(150)
            await source.price(170)

    asyncio.run(scenario())
    assert sorted(kept.values()) == [b"hyperliquid 150 1", b"hyperliquid 170 2"]


@pytest.mark.parametrize("services", ["in_process"], indirect=True)
def test_what_came_while_cache_and_database_were_away_is_there_when_they_are_back(services, monkeypatch):
    monkeypatch.setattr(ingest_prices, "WRITE_EVERY_S", 0.05)
    quotes = Away(services.quotes)
    shaky = with_(services, quotes=quotes)

    async def scenario() -> None:
        source = TestSource()
        store = Away(MarketDataStore(services.database))
        ingestion = ingestion_of(shaky, source)
        ingestion._store = store
        async with running(shaky, ingestion):
            await until(lambda: source.sink)
            quotes.away = store.away = True
            await source.price(150)
            await asyncio.sleep(0.3)
            assert latest(services) is None
            quotes.away = store.away = False
            await until(lambda: latest(services))
            await until(lambda: _candles(services))

    asyncio.run(scenario())


@pytest.mark.parametrize("services", ["in_process"], indirect=True)
def test_stopping_writes_what_was_taken_in(services):
    async def scenario() -> None:
        source = TestSource()
        async with running(services, ingestion_of(services, source)):
            await source.price(150)

    asyncio.run(scenario())
    assert len(_candles(services)) == 1


class _LeapingClock(SystemClock):
    ahead_ms = 0

    def now_ms(self) -> int:
        return super().now_ms() + self.ahead_ms


async def _listen(services: Services, heard: list[Quote]) -> None:
    async for channel, message in services.bus.listen([PRICE_CHANNEL]):
        quote = msgspec.json.decode(message, type=Quote) if channel else None
        if quote is not None and quote.market == SOL:
            heard.append(quote)


def _candles(services: Services) -> list[object]:
    return list(services.market_data.candles("SOL-USDC", CandleInterval.M1, before_ms=None, limit=10))
