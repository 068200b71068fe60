import asyncio
from pathlib import Path

import msgspec
import pytest
from tests.adapters.venues import GARBAGE, HttpVenue, Reply, running

from pump_party.adapters.http_reply import REPLY_BYTES_MAX
from pump_party.adapters.jupiter import JupiterParser, JupiterSource
from pump_party.adapters.observed_price import BadPayload
from pump_party.domains.marketdata.contract import SourceState
from pump_party.domains.marketdata.model import Tick
from pump_party.kernel.ids import Market
from pump_party.platform.clock import ManualClock

SOL_MINT = "So11111111111111111111111111111111111111112"
USDC_MINT = "EPjFWdd5AufqSSqeM2qN1xzybapC8G4wEGGkZwyTDt1v"
SOL = {SOL_MINT: Market("SOL-USDC")}


def source(clock: ManualClock, url: str) -> JupiterSource:
    return JupiterSource(
        SOL, {USDC_MINT: "USDC"}, url=url, api_key="k3y", clock=clock, jitter=lambda: 0.0, poll_every_s=0.01
    )


@pytest.fixture
def recorded(recorded_data: Path) -> bytes:
    return (recorded_data / "data" / "jupiter_price_v3" / "price_v3.documented_sample.json").read_bytes()


def test_the_recorded_reply_becomes_a_tick_and_the_rate_of_usdc_without_a_float(recorded: bytes, clock: ManualClock):
    async def scenario() -> None:
        async with HttpVenue([Reply(chunks=[recorded])]).open() as venue, running(source(clock, venue.url)) as sink:
            await sink.until(lambda: sink.ticks)
        tick = sink.ticks[0]
        assert (tick.market, tick.mid_e8, tick.conf_e8) == ("SOL-USDC", 14_748_000_000, 14_748_000)
        assert (tick.slot, tick.publish_ms) == (348_004_023, clock.now_ms())
        assert sink.rates[0] == ("jupiter", 99_990_000, clock.now_ms())
        assert sink.raws[0].body == recorded
        request = venue.requests[0]
        assert request.path == f"/price/v3?ids={SOL_MINT}%2C{USDC_MINT}"
        assert request.headers["x-api-key"] == "k3y"

    asyncio.run(scenario())


def test_a_block_seen_again_keeps_the_time_it_was_first_asked_for():
    def reply(block: int) -> bytes:
        return msgspec.json.encode({SOL_MINT: {"usdPrice": 147.48, "blockId": block}})

    parser = JupiterParser(SOL, {}, "jupiter")
    times = []
    for asked_ms, block in ((1_000, 7), (3_000, 7), (5_000, 8)):
        parser.asked_ms = asked_ms
        (tick,) = parser.parse(reply(block), "00", asked_ms + 400)
        assert isinstance(tick, Tick)
        times.append((tick.publish_ms, tick.recv_ms, tick.slot))
    assert times == [(1_000, 1_400, 7), (1_000, 3_400, 7), (5_000, 5_400, 8)]


@pytest.mark.parametrize(
    ("reply", "reason"),
    [
        (Reply(status=500), "status 500"),
        (Reply(status=302, headers=("location: http://127.0.0.1:1/",)), "status 302"),
        (Reply(chunks=[b"x" * (REPLY_BYTES_MAX + 1)]), f"a reply of more than {REPLY_BYTES_MAX} bytes"),
    ],
)
def test_a_failing_reply_is_reported_and_asked_for_again(
    reply: Reply, reason: str, recorded: bytes, clock: ManualClock
):
    async def scenario() -> None:
        replies = [reply, Reply(chunks=[recorded])]
        async with HttpVenue(replies).open() as venue, running(source(clock, venue.url)) as sink:
            await sink.until(lambda: sink.ticks)
        assert sink.errors[0] == reason
        assert sink.states[1][1] is SourceState.RECONNECTING

    asyncio.run(scenario())


@pytest.mark.parametrize(
    "body",
    [
        *(body for body in GARBAGE if body != b"{}"),
        b'{"%s":{"usdPrice":0,"blockId":1}}' % SOL_MINT.encode(),
        b'{"%s":{"usdPrice":-147.48,"blockId":1}}' % SOL_MINT.encode(),
        b'{"%s":{"usdPrice":1e30,"blockId":1}}' % SOL_MINT.encode(),
        b'{"%s":{"usdPrice":"NaN","blockId":1}}' % SOL_MINT.encode(),
        b'{"%s":{"usdPrice":147.48,"blockId":-1}}' % SOL_MINT.encode(),
        b'{"%s":{"usdPrice":147.48}}' % SOL_MINT.encode(),
        b'{"error":"unauthorized"}',
    ],
    ids=lambda body: repr(body[:80]),
)
def test_no_bad_payload_becomes_a_price(body: bytes):
    with pytest.raises((BadPayload, msgspec.MsgspecError, RecursionError)):
        JupiterParser(SOL, {}, "jupiter").parse(body, "00", 1)


def test_a_mint_without_a_price_is_left_out():
    assert JupiterParser(SOL, {}, "jupiter").parse(b'{"%s":null}' % SOL_MINT.encode(), "00", 1) == []
