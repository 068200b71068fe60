import asyncio
import hashlib
from pathlib import Path

import msgspec
import pytest
from tests.adapters.venues import GARBAGE, Close, Hold, HttpVenue, Reply, Request, SocketVenue, capture_bodies, running

from pump_party.adapters.hyperliquid import HyperliquidParser, HyperliquidSource
from pump_party.adapters.observed_price import BadPayload
from pump_party.adapters.reporting import BAD_PAYLOADS_MAX
from pump_party.adapters.web_socket import MESSAGE_BYTES_MAX
from pump_party.domains.marketdata.book import OrderBook
from pump_party.domains.marketdata.contract import PerpContext, SourceState
from pump_party.kernel.ids import Market
from pump_party.platform.clock import ManualClock

BTC = {"BTC": Market("BTC-USDC")}
NOWHERE = "http://127.0.0.1:1"
BOOK = b'{"channel":"l2Book","data":{"coin":"BTC","levels":[[{"px":"99.0"}],[{"px":"101.0"}]],"time":1737918868877}}'


def source(clock: ManualClock, ws_url: str, rest_url: str = NOWHERE, silence_max_s: float = 8.0) -> HyperliquidSource:
    return HyperliquidSource(
        BTC, ws_url=ws_url, rest_url=rest_url, clock=clock, jitter=lambda: 0.0, silence_max_s=silence_max_s
    )


@pytest.fixture
def recorded(recorded_data: Path) -> list[bytes]:
    return list(capture_bodies(recorded_data / "data" / "raw_streams" / "hyperliquid_btcusd_20250126.gz"))


def test_recorded_books_become_ticks_with_the_books_time_and_the_hash_of_what_was_sent(
    recorded: list[bytes], clock: ManualClock
):
    async def scenario() -> None:
        async with SocketVenue([[*recorded, Hold]]).open() as venue, running(source(clock, venue.url)) as sink:
            await sink.until(lambda: len(sink.raws) == len(recorded))

        assert [raw.body for raw in sink.raws] == recorded
        books = [body for body in recorded if b'"l2Book"' in body]
        assert len(sink.ticks) == len(books) == 46
        last = sink.ticks[-1]
        assert (last.market, last.publish_ms, last.recv_ms) == ("BTC-USDC", 1737918868877, clock.now_ms())
        assert last.raw_sha256 == hashlib.sha256(books[-1]).hexdigest()
        assert sink.ticks[0].mid_e8 == 10505550000000
        asked = sorted(venue.heard)
        assert asked == [
            b'{"method":"subscribe","subscription":{"type":"activeAssetCtx","coin":"BTC"}}',
            b'{"method":"subscribe","subscription":{"type":"bbo","coin":"BTC"}}',
            b'{"method":"subscribe","subscription":{"type":"l2Book","coin":"BTC"}}',
        ]
        assert [state for _, state, _ in sink.states] == [SourceState.CONNECTING, SourceState.LIVE]

    asyncio.run(scenario())


def test_a_closed_or_silent_connection_is_replaced_and_says_why(clock: ManualClock):
    async def scenario() -> None:
        scripts = [[BOOK, Close], [BOOK, Hold], [BOOK, BOOK, Hold]]
        async with SocketVenue(scripts).open() as venue, running(source(clock, venue.url, silence_max_s=0.3)) as sink:
            await sink.until(lambda: len(sink.ticks) == 4)
        assert "the source closed the connection" in sink.errors
        assert "silent for 0.3 s" in sink.errors
        assert [state for _, state, error in sink.states if error is None] == [
            SourceState.CONNECTING,
            SourceState.LIVE,
        ] * 3

    asyncio.run(scenario())


def test_while_the_socket_is_away_books_come_over_rest(recorded_data: Path, clock: ManualClock):
    cassettes = msgspec.json.decode((recorded_data / "data/hyperliquid_sdk/cassettes_normalized.json").read_bytes())
    pairs = [pair for pairs in cassettes.values() for pair in pairs if pair["request"].get("type") == "l2Book"]
    reply = msgspec.json.encode(pairs[0]["response"])
    coin = pairs[0]["request"]["coin"]

    async def scenario() -> None:
        async with HttpVenue([Reply(chunks=[reply])]).open() as rest:
            away = HyperliquidSource(
                {coin: Market("DYDX-USDC")},
                ws_url="ws://127.0.0.1:1",
                rest_url=rest.url,
                clock=clock,
                jitter=lambda: 0.9,
            )
            async with running(away) as sink:
                await sink.until(lambda: sink.ticks)
        assert msgspec.json.decode(rest.requests[0].body) == pairs[0]["request"]
        assert (rest.requests[0].method, rest.requests[0].path) == ("POST", "/info")
        assert sink.ticks[0].publish_ms == pairs[0]["response"]["time"]
        assert (sink.ticks[0].mid_e8, sink.ticks[0].conf_e8) == (211_170_000, 70_000)  # 2.1110 to 2.1124
        assert any(error.startswith("cannot connect") for error in sink.errors)

    asyncio.run(scenario())


@pytest.mark.parametrize("status", [429, 500])
def test_a_failing_rest_fallback_is_reported_and_the_socket_tried_again(status: int, clock: ManualClock):
    async def scenario() -> None:
        async with (
            HttpVenue([Reply(status=status)]).open() as rest,
            running(source(clock, "ws://127.0.0.1:1", rest.url)) as sink,
        ):
            await sink.until(lambda: f"REST: status {status}" in sink.errors)
            await sink.until(lambda: [state for _, state, _ in sink.states].count(SourceState.CONNECTING) == 2)

    asyncio.run(scenario())


def test_garbage_is_kept_as_evidence_makes_no_tick_and_drops_the_connection_when_it_does_not_end(clock: ManualClock):
    async def scenario() -> None:
        garbage = [body for body in GARBAGE if body] * 3
        scripts = [[garbage[0], BOOK, Close], [*garbage, Hold], [BOOK, Hold]]
        async with SocketVenue(scripts).open() as venue, running(source(clock, venue.url)) as sink:
            await sink.until(lambda: len(sink.ticks) == 2)
        assert len(sink.raws) == 2 + BAD_PAYLOADS_MAX + 1
        assert any(error.startswith(f"{BAD_PAYLOADS_MAX} bad payloads in a row") for error in sink.errors)

    asyncio.run(scenario())


def test_a_message_of_more_than_the_limit_ends_the_connection(clock: ManualClock):
    async def scenario() -> None:
        flood = b'{"channel":"pong","data":"' + b"x" * MESSAGE_BYTES_MAX + b'"}'
        async with (
            SocketVenue([[flood, Hold], [BOOK, Hold]]).open() as venue,
            running(source(clock, venue.url)) as sink,
        ):
            await sink.until(lambda: sink.ticks)
        assert len(sink.raws) == 1

    asyncio.run(scenario())


BAD = (
    b'{"channel":"l2Book","data":{"coin":"BTC","levels":[[{"px":"101"}],[{"px":"99"}]],"time":1737918868877}}',
    b'{"channel":"l2Book","data":{"coin":"BTC","levels":[[{"px":"0"}],[{"px":"99"}]],"time":1737918868877}}',
    b'{"channel":"l2Book","data":{"coin":"BTC","levels":[[{"px":"NaN"}],[{"px":"99"}]],"time":1737918868877}}',
    b'{"channel":"l2Book","data":{"coin":"BTC","levels":[[{"px":"98"}],[{"px":"1e30"}]],"time":1737918868877}}',
    b'{"channel":"l2Book","data":{"coin":"BTC","levels":[[{"px":"98"}],[{"px":"99"}]],"time":1737918868}}',
    b'{"channel":"l2Book","data":{"coin":"BTC","levels":[[{"px":"98"}],[{"px":"99"}]],"time":"soon"}}',
    b'{"channel":"l2Book","data":{"coin":"BTC","levels":[[{"px":"98"}]],"time":1737918868877}}',
    b'{"channel":"l2Book","data":{"coin":"BTC","levels":[[' + b'{"px":"98"},' * 300 + b'{"px":"97"}],[]],"time":1}}',
    b'{"channel":"l2Book","data":null}',
    b'{"channel":"l2Book"}',
    b'{"channel":"error","data":"Invalid subscription"}',
    *GARBAGE,
)


@pytest.mark.parametrize("body", BAD, ids=lambda body: repr(body[:60]))
def test_no_bad_payload_becomes_a_price(body: bytes):
    with pytest.raises((BadPayload, msgspec.MsgspecError, RecursionError)):
        HyperliquidParser(BTC, "hyperliquid").parse(body, "00", 1)


@pytest.mark.parametrize(
    "body",
    [
        b'{"channel":"pong"}',
        b'{"channel":"subscriptionResponse","data":{}}',
        b'{"channel":"bbo","data":{"coin":"BTC","bbo":[{"px":"99"},null],"time":1737918868877}}',
        b'{"channel":"l2Book","data":{"coin":"BTC","levels":[[],[]],"time":1737918868877}}',
        b'{"channel":"l2Book","data":{"coin":"DOGE","levels":[[{"px":"1"}],[{"px":"2"}]],"time":1737918868877}}',
    ],
)
def test_a_message_without_a_price_of_ours_is_no_error(body: bytes):
    assert HyperliquidParser(BTC, "hyperliquid").parse(body, "00", 1) == ()


def test_the_best_levels_alone_are_enough_for_a_price():
    body = b'{"channel":"bbo","data":{"coin":"BTC","bbo":[{"px":"99"},{"px":"101"}],"time":1737918868877}}'
    (tick,) = HyperliquidParser(BTC, "hyperliquid").parse(body, "00", 1)
    assert (tick.mid_e8, tick.conf_e8, tick.publish_ms) == (10_000_000_000, 100_000_000, 1737918868877)


def test_a_recorded_snapshot_is_the_whole_book_and_repeated_or_older_ones_are_not(recorded: list[bytes]):
    parser = HyperliquidParser(BTC, "hyperliquid")
    bodies = [body for body in recorded if b'"l2Book"' in body]
    books = []
    for body in [*bodies, bodies[-1], bodies[0]]:
        book, *ticks = parser.parse(body, hashlib.sha256(body).hexdigest(), 7)
        if isinstance(book, OrderBook):
            books.append((body, book))
            assert [tick.raw_sha256 for tick in ticks] == [book.sha256]
    assert len(books) == len({book.seq for _, book in books}) == 45
    for body, book in books:
        data = msgspec.json.decode(body)["data"]
        assert (book.market, book.source, book.seq) == ("BTC-USDC", "hyperliquid", data["time"])
        assert (book.publish_ms, book.recv_ms) == (data["time"], 7)
        for side, levels in ((book.bids, data["levels"][0]), (book.asks, data["levels"][1])):
            assert side == {round(float(one["px"]) * 10**8): round(float(one["sz"]) * 10**9) for one in levels}


CONTEXT = {
    "dayNtlVlm": "1169046.29406",
    "funding": "0.0000125",
    "impactPxs": ["104999.5", "105000.5"],
    "markPx": "105000.0",
    "midPx": "105000.0",
    "openInterest": "688.11",
    "oraclePx": "104990.0",
    "premium": "0.00031774",
    "prevDayPx": "103000.0",
}
"""As the venue documents it: no capture of one is recorded."""


def said(coin: str = "BTC", **changed: object) -> bytes:
    return msgspec.json.encode({"channel": "activeAssetCtx", "data": {"coin": coin, "ctx": CONTEXT | changed}})


def test_a_context_says_premium_funding_and_open_interest_as_of_its_arrival():
    (context,) = HyperliquidParser(BTC, "hyperliquid").parse(said(), "aa", 7)
    assert context == PerpContext(
        market=Market("BTC-USDC"),
        premium_ppb=317_740,
        funding_1h_ppb=12_500,
        open_interest_nanos=688_110_000_000,
        oracle_e8=10_499_000_000_000,
        mark_e8=10_500_000_000_000,
        recv_ms=7,
        source="hyperliquid",
        sha256="aa",
    )
    (negative,) = HyperliquidParser(BTC, "hyperliquid").parse(said(premium="-0.00000000051", funding="-1e-9"), "aa", 7)
    assert (negative.premium_ppb, negative.funding_1h_ppb) == (-1, -1)
    (unknown,) = HyperliquidParser(BTC, "hyperliquid").parse(said(premium=None), "aa", 7)
    assert unknown.premium_ppb is None
    assert HyperliquidParser(BTC, "hyperliquid").parse(said("DOGE"), "aa", 7) == ()


@pytest.mark.parametrize(
    "changed",
    [{"premium": "2"}, {"funding": "NaN"}, {"openInterest": "-1"}, {"oraclePx": "0"}, {"markPx": "1e30"}],
    ids=str,
)
def test_no_bad_context_is_taken_in(changed: dict[str, str]):
    with pytest.raises(BadPayload):
        HyperliquidParser(BTC, "hyperliquid").parse(said(**changed), "aa", 7)
    with pytest.raises((BadPayload, msgspec.MsgspecError)):
        HyperliquidParser(BTC, "hyperliquid").parse(everything([CONTEXT | changed]), "aa", 7)


def everything(contexts: list[dict[str, object]], coins: tuple[str, ...] = ("BTC",)) -> bytes:
    return msgspec.json.encode([{"universe": [{"name": coin, "szDecimals": 5} for coin in coins]}, contexts])


def test_the_context_of_every_coin_comes_over_rest_in_the_order_of_the_universe():
    parser = HyperliquidParser(BTC, "hyperliquid")
    (context,) = parser.parse(everything([CONTEXT, CONTEXT | {"premium": "-0.1"}], ("DOGE", "BTC")), "aa", 7)
    assert (context.market, context.premium_ppb) == ("BTC-USDC", -100_000_000)
    with pytest.raises(BadPayload):
        parser.parse(everything([CONTEXT], ("DOGE", "BTC")), "aa", 7)


def test_contexts_come_over_the_socket_and_over_rest_while_it_is_away(clock: ManualClock):
    async def scenario() -> None:
        async with SocketVenue([[BOOK, said(), Hold]]).open() as venue, running(source(clock, venue.url)) as sink:
            await sink.until(lambda: sink.contexts)
            assert sink.contexts[0].sha256 == hashlib.sha256(said()).hexdigest()

        def answer(request: Request) -> Reply:
            asked = msgspec.json.decode(request.body)["type"]
            return Reply(chunks=[everything([CONTEXT]) if asked == "metaAndAssetCtxs" else BOOK])

        async with (
            HttpVenue(answer=answer).open() as rest,
            running(source(clock, "ws://127.0.0.1:1", rest.url)) as sink,
        ):
            await sink.until(lambda: sink.contexts)
            assert sink.contexts[0].premium_ppb == 317_740

    asyncio.run(scenario())


def test_a_price_without_sizes_has_no_book():
    assert not any(isinstance(one, OrderBook) for one in HyperliquidParser(BTC, "hyperliquid").parse(BOOK, "00", 1))
