import asyncio
from pathlib import Path

import msgspec
import pytest
from tests.adapters.venues import GARBAGE, HttpVenue, Reply, running

from pump_party.adapters.observed_price import BadPayload
from pump_party.adapters.pyth import PythParser, PythSource
from pump_party.domains.marketdata.contract import SourceState
from pump_party.domains.marketdata.model import Tick
from pump_party.kernel.ids import Market
from pump_party.platform.clock import ManualClock

BTC_FEED = "e62df6c8b4a85fe1a67db44dc12de5db330f7ac66b72dc658afedf0f4a415b43"
USDC_FEED = "eaa020c61cc479712813461ce153894a96a6c00b21ed0cfc2798d1f9a9e9c94a"
STREAM = ("content-type: text/event-stream",)


def source(clock: ManualClock, url: str, *, api_key: str = "", silence_max_s: float = 8.0) -> PythSource:
    return PythSource(
        {BTC_FEED: Market("BTC-USDC")},
        {USDC_FEED: "USDC"},
        url=url,
        api_key=api_key,
        clock=clock,
        jitter=lambda: 0.0,
        silence_max_s=silence_max_s,
    )


@pytest.fixture
def recorded(recorded_data: Path) -> bytes:
    """The documented sample update, on one line."""
    sample = recorded_data / "data" / "pyth_hermes" / "rest_v2_updates_price_latest.sample.json"
    return msgspec.json.encode(msgspec.json.decode(sample.read_bytes()))


def event(body: bytes) -> bytes:
    return b"data:" + body + b"\n\n"


def with_usdc(body: bytes, price: str) -> bytes:
    update = msgspec.json.decode(body)
    update["parsed"][1] |= {"id": USDC_FEED, "price": update["parsed"][1]["price"] | {"price": price}}
    return msgspec.json.encode(update)


def test_the_recorded_update_becomes_a_tick_with_slot_and_confidence_and_its_signed_bytes_are_kept(
    recorded: bytes, clock: ManualClock
):
    async def scenario() -> None:
        reply = Reply(chunks=[b":keepalive\n\n", event(recorded)], headers=STREAM, hold=True)
        async with HttpVenue([reply]).open() as venue, running(source(clock, venue.url, api_key="k3y")) as sink:
            await sink.until(lambda: sink.ticks)
        (tick,) = sink.ticks
        assert (tick.mid_e8, tick.conf_e8) == (6_140_993_501_000, 3_287_868_567)
        assert (tick.publish_ms, tick.slot) == (1_714_746_101_000, 138_881_186)
        assert sink.raws[0].body == recorded
        assert b'"504e4155' in sink.raws[0].body
        request = venue.requests[0]
        assert request.headers["authorization"] == "Bearer k3y"
        for part in ("/v2/updates/price/stream?", f"ids%5B%5D={BTC_FEED}", f"ids%5B%5D={USDC_FEED}", "parsed=true"):
            assert part in request.path

    asyncio.run(scenario())


def test_the_recorded_stream_is_read_event_by_event(recorded_data: Path, clock: ManualClock):
    stream = (recorded_data / "data" / "pyth_hermes" / "sse_v2_updates_price_stream.sample.txt").read_bytes()
    events = [line.removeprefix(b"data:") for line in stream.splitlines() if line]

    async def scenario() -> None:
        # Cut where no event ends: what arrives together has nothing to do with what belongs together.
        chunks = [stream[:1_000], stream[1_000:4_000], stream[4_000:]]
        reply = Reply(chunks=chunks, headers=STREAM, hold=True)
        async with HttpVenue([reply]).open() as venue, running(source(clock, venue.url)) as sink:
            await sink.until(lambda: len(sink.raws) == len(events))
        assert [raw.body for raw in sink.raws] == events
        assert [tick.market for tick in sink.ticks] == ["BTC-USDC"] * len(events)

    asyncio.run(scenario())


def test_usdc_in_usd_goes_to_the_depeg_guard_and_is_no_tick(recorded: bytes, clock: ManualClock):
    async def scenario() -> None:
        reply = Reply(chunks=[event(with_usdc(recorded, "99912345"))], headers=STREAM, hold=True)
        async with HttpVenue([reply]).open() as venue, running(source(clock, venue.url)) as sink:
            await sink.until(lambda: sink.rates)
        assert sink.rates == [("pyth", 99_912_345, 1_714_746_101_000)]
        assert [tick.market for tick in sink.ticks] == ["BTC-USDC"]
        assert "authorization" not in venue.requests[0].headers

    asyncio.run(scenario())


def test_a_stream_that_ends_fails_or_falls_silent_is_opened_again_with_the_reason(recorded: bytes, clock: ManualClock):
    async def scenario() -> None:
        replies = [
            Reply(chunks=[event(recorded)], headers=STREAM),
            Reply(status=500),
            Reply(chunks=[event(recorded)], headers=STREAM, hold=True),
            Reply(chunks=[event(recorded)]),
            Reply(chunks=[event(recorded)], headers=STREAM, hold=True),
        ]
        async with HttpVenue(replies).open() as venue, running(source(clock, venue.url, silence_max_s=0.2)) as sink:
            await sink.until(lambda: len(sink.ticks) == 3)
        closed, failed, silent, other_type = sink.errors[:4]
        assert closed == "the source closed the connection"
        assert failed == "status 500"
        assert silent == "silent for 0.2 s"
        assert "text/event-stream" in other_type
        assert sink.states[-1][1] is SourceState.LIVE

    asyncio.run(scenario())


def test_too_many_requests_waits_as_long_as_it_is_told(clock: ManualClock):
    async def scenario() -> None:
        busy = Reply(status=429, headers=("retry-after: 60",))
        async with HttpVenue([busy]).open() as venue, running(source(clock, venue.url)) as sink:
            await sink.until(lambda: sink.errors)
            await asyncio.sleep(0.6)
        assert len(venue.requests) == 1
        assert sink.errors == ["status 429"]

    asyncio.run(scenario())


def test_an_endless_event_ends_the_connection(clock: ManualClock):
    async def scenario() -> None:
        reply = Reply(chunks=[b"data:" + b"x" * 2_000_000], headers=STREAM, hold=True)
        async with HttpVenue([reply]).open() as venue, running(source(clock, venue.url)) as sink:
            await sink.until(lambda: sink.errors)
        assert "exceeded" in sink.errors[0]
        assert sink.raws == []

    asyncio.run(scenario())


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("price", "12.5"),
        ("price", 12),
        ("price", "9" * 30),
        ("conf", "-1"),
        ("conf", "9" * 19),
        ("expo", 3),
        ("expo", -400_000_000),
        ("publish_time", 1_714_746_101_000),
        ("publish_time", -1),
        ("publish_time", None),
    ],
)
def test_no_field_out_of_range_becomes_a_price(recorded: bytes, field: str, value: object):
    update = msgspec.json.decode(recorded)
    update["parsed"][0]["price"][field] = value
    with pytest.raises((BadPayload, msgspec.ValidationError)):
        PythParser({BTC_FEED: Market("BTC-USDC")}, {}, "pyth").parse(msgspec.json.encode(update), "00", 1)


@pytest.mark.parametrize("body", [*GARBAGE, b'{"binary":{"data":[]},"parsed":[]}'], ids=lambda body: repr(body[:40]))
def test_garbage_is_refused(body: bytes):
    with pytest.raises((BadPayload, msgspec.MsgspecError, RecursionError)):
        PythParser({}, {}, "pyth").parse(body, "00", 1)


def test_a_price_that_is_not_positive_is_left_to_admission(recorded: bytes):
    update = msgspec.json.decode(recorded)
    update["parsed"][0]["price"]["price"] = "-5"
    parser = PythParser({BTC_FEED: Market("BTC-USDC")}, {}, "pyth")
    (tick,) = parser.parse(msgspec.json.encode(update), "00", 1)
    assert isinstance(tick, Tick)
    assert tick.mid_e8 == -5
