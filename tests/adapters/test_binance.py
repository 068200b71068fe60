import asyncio
from pathlib import Path

import msgspec
import pytest
from tests.adapters.venues import GARBAGE, Close, Hold, SocketVenue, capture_bodies, running

from pump_party.adapters.binance import BinanceParser, BinanceSource
from pump_party.adapters.observed_price import BadPayload
from pump_party.domains.marketdata.contract import SourceState
from pump_party.kernel.ids import Market
from pump_party.platform.clock import ManualClock

ETH = {"ETHUSDT": Market("ETH-USDC")}
DEPTH = b'{"stream":"ethusdt@depth@100ms","data":{"e":"depthUpdate","E":%d,"s":"ETHUSDT","U":1,"u":2,"b":[],"a":[]}}'
TRADE = b'{"stream":"ethusdt@trade","data":{"e":"trade","E":%d,"s":"ETHUSDT","p":"1","q":"1"}}'
TICKER = b'{"stream":"ethusdt@bookTicker","data":{"u":%d,"s":"ETHUSDT","b":"2683.80","B":"3","a":"2683.82","A":"31"}}'
NOWHERE = "http://127.0.0.1:1"
EVENT_MS = 1_723_161_255_308


def source(
    clock: ManualClock, url: str, silence_max_s: float = 8.0, rest_url: str = NOWHERE, **pause: float
) -> BinanceSource:
    return BinanceSource(
        ETH, ws_url=url, rest_url=rest_url, clock=clock, jitter=lambda: 0.0, silence_max_s=silence_max_s, **pause
    )


def test_recorded_book_tickers_become_ticks_published_at_the_newest_event_time_of_the_symbol(
    recorded_data: Path, clock: ManualClock
):
    bodies = list(capture_bodies(recorded_data / "data" / "raw_streams" / "spot_ethusdt_20240808.gz"))[:3_000]

    async def scenario() -> None:
        async with SocketVenue([[*bodies, Hold]]).open() as venue, running(source(clock, venue.url)) as sink:
            await sink.until(lambda: len(sink.raws) == len(bodies))
        assert venue.paths == ["/stream?streams=ethusdt@bookTicker/ethusdt@depth@100ms"]
        assert [state for _, state, _ in sink.states] == [SourceState.CONNECTING, SourceState.LIVE]
        assert len(sink.ticks) > 1_000

        newest_ms, expected = 0, []
        for body in bodies:
            message = msgspec.json.decode(body)
            newest_ms = max(newest_ms, message.get("data", {}).get("E", 0))
            if message.get("stream") == "ethusdt@bookTicker" and newest_ms:
                expected.append((newest_ms, message["data"]["u"]))
        assert [(tick.publish_ms, tick.slot) for tick in sink.ticks] == expected
        assert expected == sorted(expected)

    asyncio.run(scenario())


def test_there_is_no_price_before_the_venue_has_told_a_time_and_a_new_connection_starts_over(clock: ManualClock):
    async def scenario() -> None:
        scripts = [[TICKER % 1, DEPTH % EVENT_MS, TICKER % 2, Close], [TICKER % 3, TRADE % (EVENT_MS + 9), TICKER % 4]]
        async with SocketVenue(scripts).open() as venue, running(source(clock, venue.url)) as sink:
            await sink.until(lambda: len(sink.ticks) >= 2)
        assert [(tick.slot, tick.publish_ms) for tick in sink.ticks[:2]] == [(2, EVENT_MS), (4, EVENT_MS + 9)]
        assert (sink.ticks[0].mid_e8, sink.ticks[0].conf_e8) == (268_381_000_000, 26_838_100)

    asyncio.run(scenario())


def test_a_late_event_does_not_make_the_prices_after_it_older():
    parser = BinanceParser(ETH, "binance")
    parser.parse(DEPTH % EVENT_MS, "00", 1)
    parser.parse(TRADE % (EVENT_MS - 50), "00", 1)
    (tick,) = parser.parse(TICKER % 5, "00", 1)
    assert tick.publish_ms == EVENT_MS


def test_silence_ends_a_connection(clock: ManualClock):
    async def scenario() -> None:
        async with (
            SocketVenue([[Hold]]).open() as venue,
            running(source(clock, venue.url, silence_max_s=0.2)) as sink,
        ):
            await sink.until(lambda: sink.errors)
        assert sink.errors[0] == "silent for 0.2 s"

    asyncio.run(scenario())


@pytest.mark.parametrize(
    "body",
    [
        TICKER.replace(b"2683.80", b"2683.82") % 5,
        TICKER.replace(b"2683.80", b"-2683.80") % 5,
        TICKER.replace(b"2683.80", b"Infinity") % 5,
        TICKER.replace(b'"2683.80"', b"{}") % 5,
        TICKER.replace(b'"u":%d', b'"u":"%d"') % 5,
        DEPTH % 1_723_161_255,
        DEPTH % (EVENT_MS * 1_000_000),
        b'{"stream":"ethusdt@kline_1m","data":{}}',
        b'{"code":-1121,"msg":"Invalid symbol."}',
        *GARBAGE,
    ],
    ids=lambda body: repr(body[:80]),
)
def test_no_bad_payload_becomes_a_price(body: bytes):
    parser = BinanceParser(ETH, "binance")
    parser.parse(DEPTH % EVENT_MS, "00", 1)
    with pytest.raises((BadPayload, msgspec.MsgspecError, RecursionError)):
        parser.parse(body, "00", 1)
