import asyncio
import itertools
from bisect import bisect_right
from decimal import Decimal
from pathlib import Path

import msgspec
import pytest
from tests.adapters.venues import Hold, HttpVenue, Reply, Request, SocketVenue, capture_bodies, running

from pump_party.adapters.binance import BinanceParser, BinanceSource
from pump_party.adapters.observed_price import BadPayload, level_of
from pump_party.domains.marketdata.book import OrderBook
from pump_party.domains.marketdata.contract import SourceState
from pump_party.kernel.ids import Market
from pump_party.platform.clock import ManualClock

ETH_USDC = Market("ETH-USDC")
EVENT_MS = 1_723_161_255_308
LINES = 6_000


def depth(first: int, last: int, bids: str = "", asks: str = "", at_ms: int = EVENT_MS) -> bytes:
    event = f'"e":"depthUpdate","E":{at_ms},"s":"ETHUSDT","U":{first},"u":{last},"b":[{bids}],"a":[{asks}]'
    return f'{{"stream":"ethusdt@depth@100ms","data":{{{event}}}}}'.encode()


def snapshot(seq: int, bid: str = "100", ask: str = "101") -> bytes:
    return b'{"lastUpdateId":%d,"bids":[["%s","1.5"]],"asks":[["%s","2"]]}' % (seq, bid.encode(), ask.encode())


def eth_parser() -> BinanceParser:
    return BinanceParser({"ETHUSDT": ETH_USDC}, "binance")


@pytest.mark.parametrize("symbol", ["BTC", "ETH"])
def test_a_recorded_book_has_the_best_levels_that_the_venue_told_at_the_same_number(recorded_data: Path, symbol: str):
    bodies = capture_bodies(recorded_data / "data" / "raw_streams" / f"spot_{symbol.lower()}usdt_20240808.gz")
    parser = BinanceParser({f"{symbol}USDT": Market(f"{symbol}-USDC")}, "binance")
    books, tickers = [], []
    for body in itertools.islice(bodies, LINES):
        message = msgspec.json.decode(body)
        books += [one for one in parser.parse(body, "00", EVENT_MS) if isinstance(one, OrderBook)]
        if message.get("stream", "").endswith("@bookTicker"):
            data = message["data"]
            best = (*_level(data["b"], data["B"]), *_level(data["a"], data["A"]))
            tickers.append((data["u"], best))

    numbers = [number for number, _ in tickers]
    compared = 0
    for book in books:
        at = bisect_right(numbers, book.seq)
        if 0 < at < len(numbers):
            bid, ask = max(book.bids.items()), min(book.asks.items())
            assert (*bid, *ask) == tickers[at - 1][1], book.seq
            compared += 1
    assert compared > 100
    assert min(len(books[-1].bids), len(books[-1].asks)) > 500
    assert [book.seq for book in books] == sorted({book.seq for book in books})


def test_a_book_begins_with_the_events_after_its_snapshot_and_a_gap_or_a_cross_begins_it_again():
    parser = eth_parser()
    # payload | missing a snapshot afterwards, book afterwards: number, best bid, best ask
    for body, missing, shown in (
        (depth(1, 4), True, None),
        (depth(5, 9, '["99","3"]'), True, None),
        (snapshot(6), False, (9, 100, 101)),
        (depth(10, 10, '["100","0"]'), False, (10, 99, 101)),
        (depth(10, 10, '["98","1"]'), False, None),
        (depth(12, 12), True, None),
        (snapshot(10), True, None),
        (snapshot(11), False, (12, 100, 101)),
        (depth(13, 13, '["101","1"]'), True, None),
        (snapshot(14, bid="102"), True, None),
        (snapshot(14, bid="99"), False, (14, 99, 101)),
    ):
        books = parser.parse(body, "00", 1)
        assert (parser.books.missing() == ["ETHUSDT"]) == missing, body
        assert [(one.seq, max(one.bids) / 10**8, min(one.asks) / 10**8) for one in books] == ([shown] if shown else [])


def test_a_book_is_never_younger_than_its_events():
    parser = eth_parser()
    parser.parse(depth(1, 4, at_ms=EVENT_MS), "00", 1)
    parser.parse(depth(5, 6, at_ms=EVENT_MS + 100), "00", 1)
    (book,) = parser.parse(snapshot(8), "00", EVENT_MS + 900)
    assert (book.publish_ms, book.recv_ms) == (EVENT_MS, EVENT_MS + 900)


def test_an_unnamed_snapshot_is_not_used_when_two_symbols_wait():
    parser = BinanceParser({"ETHUSDT": ETH_USDC, "BTCUSDT": Market("BTC-USDC")}, "binance")
    parser.parse(depth(1, 4), "00", 1)
    parser.parse(depth(1, 4).replace(b"ETHUSDT", b"BTCUSDT"), "00", 1)
    assert parser.parse(snapshot(4), "00", 1) == ()
    assert parser.books.missing() == ["ETHUSDT", "BTCUSDT"]


def test_a_missing_book_is_fetched_and_fetched_again_after_a_gap(clock: ManualClock):
    def answer(request: Request) -> Reply:
        assert request.path == "/api/v3/depth?symbol=ETHUSDT&limit=1000"
        return Reply(chunks=(snapshot(4 if len(rest.requests) == 1 else 20),))

    rest = HttpVenue(answer=answer)
    venue = SocketVenue([[depth(1, 4), depth(5, 5, '["100.5","7"]'), Hold]])

    async def scenario() -> None:
        async with rest.open(), venue.open():
            source = BinanceSource(
                {"ETHUSDT": ETH_USDC},
                ws_url=venue.url,
                rest_url=rest.url,
                clock=clock,
                jitter=lambda: 0.0,
                snapshot_pause_s=0.02,
            )
            async with running(source) as sink:
                await sink.until(lambda: sink.books)
                assert (sink.books[0].market, sink.books[0].seq) == ("ETH-USDC", 5)
                assert max(sink.books[0].bids.items()) == (10_050_000_000, 7_000_000_000)
                assert sink.raws[-1].body == snapshot(4)
                assert sink.books[0].sha256 == sink.raws[1].sha256
                assert sink.states == [("binance", SourceState.CONNECTING, None)]
                venue.send(depth(9, 12))
                await sink.until(lambda: len(sink.books) == 2)
            assert sink.books[1].seq == 20
            assert len(rest.requests) == 2

    asyncio.run(scenario())


def test_a_snapshot_that_cannot_be_had_is_told_and_prices_go_on(clock: ManualClock):
    ticker = (
        b'{"stream":"ethusdt@bookTicker","data":{"u":1,"s":"ETHUSDT","b":"2683.80","B":"3","a":"2683.82","A":"31"}}'
    )
    rest = HttpVenue(replies=[Reply(status=429)])
    venue = SocketVenue([[depth(1, 4), ticker, Hold]])

    async def scenario() -> None:
        async with rest.open(), venue.open():
            source = BinanceSource(
                {"ETHUSDT": ETH_USDC},
                ws_url=venue.url,
                rest_url=rest.url,
                clock=clock,
                jitter=lambda: 0.0,
                snapshot_pause_s=0.02,
            )
            async with running(source) as sink:
                await sink.until(lambda: sink.errors and sink.ticks)
            assert sink.errors == ["no book: status 429"]
            assert sink.states[-1][1] is SourceState.LIVE
            assert len(venue.paths) == 1

    asyncio.run(scenario())


@pytest.mark.parametrize(
    "level",
    ['["0","1"]', '["-1","1"]', '["1","-1"]', '["NaN","1"]', '["1","NaN"]', '["1.000000001","1"]', '["1e9","1"]'],
)
def test_a_bad_level_is_a_bad_payload_and_leaves_a_gap(level: str):
    parser = eth_parser()
    parser.parse(depth(1, 4), "00", 1)
    parser.parse(snapshot(4), "00", 1)
    with pytest.raises(BadPayload):
        parser.parse(depth(5, 5, level), "00", 1)
    assert parser.parse(depth(6, 6), "00", 1) == ()
    assert parser.books.missing() == ["ETHUSDT"]


def _level(price: str, size: str) -> tuple[int, int]:
    return level_of(Decimal(price), Decimal(size))
