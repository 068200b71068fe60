"""Both venues' candles over a local server: Hyperliquid's reply as recorded, Binance's as its documentation has it."""

import asyncio
import json
from pathlib import Path

import pytest
from tests.adapters.venues import GARBAGE, WAIT_MAX_S, Collected, HttpVenue, Reply, Request

from pump_party.adapters.earlier_candles import (
    AT_START,
    FAILURES_MAX,
    ONCE_MORE,
    BinanceChronicle,
    Chronicle,
    HyperliquidChronicle,
    WithEarlierCandles,
)
from pump_party.adapters.observed_price import BadPayload
from pump_party.adapters.reporting import UNREADABLE
from pump_party.domains.marketdata.candles import INTERVAL_MS
from pump_party.domains.marketdata.contract import Candle, CandleInterval
from pump_party.domains.marketdata.model import TickSink
from pump_party.kernel.ids import Market
from pump_party.kernel.money import E8
from pump_party.platform.clock import ManualClock

SOL, PEPE = Market("SOL-USDC"), Market("PEPE-USDC")
HOUR_MS = INTERVAL_MS[CandleInterval.H1]
OPEN_MS = 1_750_000_000_000 // HOUR_MS * HOUR_MS
KLINE = [OPEN_MS, "150.0", "151.5", "149", "150.25", "12.5", OPEN_MS + HOUR_MS - 1, "1880.1", 42, "6", "900.0", "0"]


class Steady:
    """A source that only stays connected."""

    name, feed, label = "binance", "live", "Binance"

    async def run(self, sink: TickSink) -> None:
        await asyncio.Event().wait()


def said(document: object) -> Reply:
    return Reply(chunks=(json.dumps(document).encode(),))


def told(chronicle_of, answer, clock: ManualClock, *, symbols, until) -> tuple[Collected, list[Request]]:
    async def listen() -> tuple[Collected, list[Request]]:
        async def no_wait(_seconds: float) -> None:
            await asyncio.sleep(0)

        async with HttpVenue(answer=answer).open() as venue:
            sink = Collected()
            source = WithEarlierCandles(Steady(), chronicle_of(venue.url), symbols, clock=clock, wait=no_wait)
            task = asyncio.ensure_future(source.run(sink))
            try:
                async with asyncio.timeout(WAIT_MAX_S):
                    while not until(venue.requests):
                        await asyncio.sleep(0.005)
            finally:
                task.cancel()
                await asyncio.gather(task, return_exceptions=True)
            return sink, venue.requests

    return asyncio.run(listen())


def test_hyperliquids_recorded_candles_are_read_as_they_are(clock: ManualClock, recorded_data: Path):
    cassettes = json.loads((recorded_data / "data" / "hyperliquid_sdk" / "cassettes_normalized.json").read_text())
    (recorded,) = [
        one for one in cassettes["test_get_candles_snapshot.yaml"] if one["request"]["type"] == "candleSnapshot"
    ]
    candles = HyperliquidChronicle("", clock).candles(
        json.dumps(recorded["response"]).encode(), PEPE, CandleInterval.H1
    )
    assert len(candles) == len(recorded["response"])
    assert candles[0] == Candle(
        PEPE, CandleInterval.H1, 1_684_699_200_000, 160_100, 161_600, 160_100, 160_400, ticks=0, complete=True
    )


def test_every_interval_of_every_coin_is_asked_at_the_start_and_the_newest_minutes_once_more(clock: ManualClock):
    def answer(request: Request) -> Reply:
        asked = json.loads(request.body)["req"]
        prices = dict.fromkeys("ohlc", "150.5")
        return said([{"t": OPEN_MS // 86_400_000 * 86_400_000, "i": asked["interval"], "n": 3, **prices}])

    count = 2 * (len(AT_START) + len(ONCE_MORE))
    sink, requests = told(
        lambda url: HyperliquidChronicle(url, clock),
        answer,
        clock,
        symbols={"SOL": SOL, "kPEPE": PEPE},
        until=lambda requests: len(requests) == count,
    )
    asked = [json.loads(request.body) for request in requests]
    assert {one["type"] for one in asked} == {"candleSnapshot"}
    spans = [
        (one["req"]["interval"], one["req"]["coin"], one["req"]["endTime"] - one["req"]["startTime"]) for one in asked
    ]
    assert spans == [
        (interval.value, coin, count * INTERVAL_MS[interval])
        for counts in (AT_START, ONCE_MORE)
        for interval, count in counts.items()
        for coin in ("SOL", "kPEPE")
    ]
    assert {(candle.market, candle.close_e8) for candle in sink.earlier} == {
        (m, 150 * E8 + E8 // 2) for m in (SOL, PEPE)
    }
    assert len(sink.raws) == len(sink.earlier), "every answer is evidence"


def test_binances_klines_are_asked_by_symbol_and_read_by_place(clock: ManualClock):
    sink, requests = told(
        lambda url: BinanceChronicle(url),
        lambda request: said([KLINE] if "interval=1h" in request.path else []),
        clock,
        symbols={"SOLUSDC": SOL},
        until=lambda requests: len(requests) == len(AT_START),
    )
    assert requests[0].path == "/api/v3/klines?symbol=SOLUSDC&interval=1m&limit=1000"
    (candle,) = sink.earlier
    assert candle == Candle(
        SOL, CandleInterval.H1, OPEN_MS, 150 * E8, 15_150_000_000, 149 * E8, 15_025_000_000, ticks=0, complete=True
    )


def test_a_venue_that_does_not_answer_or_answers_nonsense_leaves_the_others_to_be_heard(clock: ManualClock):
    replies = iter([Reply(status=500), said({"code": -1}), said([]), said([KLINE[:3]]), said([]), said([KLINE])])
    sink, _ = told(
        lambda url: BinanceChronicle(url),
        lambda _request: next(replies, said([])),
        clock,
        symbols={"SOLUSDC": SOL, "BTCUSDC": Market("BTC-USDC")},
        until=lambda requests: len(requests) > 6,
    )
    assert [candle.market for candle in sink.earlier] == ["BTC-USDC"]
    assert sink.states == [], "the connection is not judged by what is known of the past"


def test_a_venue_that_is_away_is_asked_again_a_little_later_for_everything(clock: ManualClock):
    replies = iter([Reply(status=503)] * FAILURES_MAX)
    _, requests = told(
        lambda url: BinanceChronicle(url),
        lambda _request: next(replies, said([])),
        clock,
        symbols={"SOLUSDC": SOL},
        until=lambda requests: len(requests) == FAILURES_MAX + len(AT_START),
    )
    intervals = [request.path.split("interval=")[1].split("&")[0] for request in requests]
    assert intervals == ["1m", "5m", "1h", *(interval.value for interval in AT_START)]


@pytest.mark.parametrize(
    "prices",
    [
        ("150", "149", "148", "148.5"),
        ("150", "151", "150.5", "150.7"),
        ("0", "0", "0", "0"),
        ("-1", "151", "-2", "150"),
        ("150", "1e30", "149", "150"),
        ("150", "NaN", "149", "150"),
    ],
)
@pytest.mark.parametrize("opened_ms", [OPEN_MS])
def test_a_candle_that_cannot_be_is_refused(clock: ManualClock, prices, opened_ms):
    with pytest.raises(UNREADABLE):
        BinanceChronicle("").candles(json.dumps([[opened_ms, *prices]]).encode(), SOL, CandleInterval.H1)


@pytest.mark.parametrize("opened_ms", [OPEN_MS + 1, 12, OPEN_MS * 1000])
def test_a_candle_at_a_time_that_cannot_be_is_refused(opened_ms):
    with pytest.raises(BadPayload):
        BinanceChronicle("").candles(json.dumps([[opened_ms, *KLINE[1:5]]]).encode(), SOL, CandleInterval.H1)


@pytest.mark.parametrize("body", GARBAGE)
def test_garbage_is_no_candle(clock: ManualClock, body):
    chronicles: list[Chronicle] = [BinanceChronicle(""), HyperliquidChronicle("", clock)]
    for chronicle in chronicles:
        try:
            assert chronicle.candles(body, SOL, CandleInterval.M1) == []
        except UNREADABLE:
            continue
