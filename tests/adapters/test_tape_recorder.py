import asyncio
import gzip
from pathlib import Path

import pytest
from tests.adapters.venues import Close, Hold, SocketVenue, capture_bodies

from pump_party.adapters.hyperliquid import HyperliquidSource
from pump_party.adapters.reporting import Report
from pump_party.adapters.tape_recorder import Recorder, record
from pump_party.adapters.tape_streams import Moment, moments, open_tape
from pump_party.domains.marketdata.model import PriceSource, RawPayload, TickSink
from pump_party.domains.marketdata.registry import load_registry
from pump_party.kernel.ids import Market
from pump_party.platform.clock import ManualClock, SystemClock

REGISTRY = load_registry()
DAY_MS = 24 * 3600 * 1000


def hyperliquid(url: str) -> PriceSource:
    coins = {"BTC": Market("BTC-USDC")}
    return HyperliquidSource(coins, ws_url=url, rest_url="http://127.0.0.1:1", clock=SystemClock(), jitter=lambda: 0.0)


def payload(body: bytes, recv_ms: int) -> RawPayload:
    return RawPayload(source="venue", recv_ms=recv_ms, sha256="", body=body)


def test_what_is_recorded_replays_as_the_same_prices(recorded_data: Path, tmp_path: Path):
    original = recorded_data / "data" / "raw_streams" / "hyperliquid_btcusd_20250126.gz"
    bodies = list(capture_bodies(original))

    async def scenario() -> Recorder:
        async with SocketVenue([[*bodies, Hold]]).open() as venue:
            return await record(
                [hyperliquid(venue.url)], tmp_path / "tape", SystemClock(), seconds=1, tell=lambda _: None
            )

    recorder = asyncio.run(scenario())
    assert recorder.payloads == len(bodies)
    (file,) = (tmp_path / "tape").iterdir()
    assert [file.name] == recorder.finished
    assert list(capture_bodies(file)) == bodies

    def prices(folder: Path) -> list[tuple[Market, int, int, int]]:
        (stream,) = open_tape(folder, REGISTRY)
        played: list[Moment] = list(moments(stream, REGISTRY, (), lambda complaint: pytest.fail(str(complaint))))
        return [(moment.market, moment.tape_ms, moment.mid_e8, moment.conf_e8) for moment in played]

    assert prices(tmp_path / "tape") == prices(original)
    assert len(prices(original)) == 46


def test_each_source_and_day_gets_a_file_that_has_no_name_before_it_is_whole(tmp_path: Path, clock: ManualClock):
    recorder = Recorder(tmp_path, lambda _: None)
    midnight_ms = clock.now_ms() // DAY_MS * DAY_MS + DAY_MS
    recorder.observed(payload(b'{"n":1}', midnight_ms - 1_000), ())
    assert [file.name for file in tmp_path.iterdir()] == [".venue_20250615T235959Z.gz.part"]
    recorder.observed(payload(b'{"n":2}', midnight_ms), ())
    assert recorder.finished == ["venue_20250615T235959Z.gz"]
    recorder.finish()

    first, second = sorted(tmp_path.iterdir())
    assert second.name == "venue_20250616T000000Z.gz"
    assert gzip.decompress(first.read_bytes()) == b'%d000000 {"n":1}\n' % (midnight_ms - 1_000)
    assert gzip.decompress(second.read_bytes()) == b'%d000000 {"n":2}\n' % midnight_ms


def test_a_payload_that_is_not_one_line_is_left_out_and_reported(tmp_path: Path, clock: ManualClock):
    recorder = Recorder(tmp_path, lambda _: None)
    recorder.observed(payload(b'{"a":\n1}', clock.now_ms()), ())
    recorder.observed(payload(b"[]", clock.now_ms()), ())
    recorder.finish()
    assert recorder.payloads == 0
    assert recorder.finished == []
    assert "left out" in recorder.errors["venue"]


def test_a_recording_that_fails_leaves_whole_files_behind(tmp_path: Path):
    class Failing:
        name = feed = label = "venue"

        async def run(self, sink: TickSink) -> None:
            Report("venue", sink, SystemClock()).lost("gone")
            sink.observed(payload(b"{}", SystemClock().now_ms()), ())
            raise OSError("no space left on device")

    with pytest.raises(OSError, match="no space"):
        asyncio.run(record([Failing()], tmp_path, SystemClock(), seconds=60, tell=lambda _: None))
    (file,) = tmp_path.iterdir()
    assert gzip.decompress(file.read_bytes()).endswith(b" {}\n")


def test_a_source_that_cannot_be_reached_is_named(tmp_path: Path):
    async def scenario() -> Recorder:
        async with SocketVenue([[Close]]).open() as venue:
            return await record([hyperliquid(venue.url)], tmp_path, SystemClock(), seconds=1, tell=lambda _: None)

    recorder = asyncio.run(scenario())
    assert recorder.payloads == 0
    assert set(recorder.errors) == {"hyperliquid"}
