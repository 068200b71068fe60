import asyncio
import gzip
import hashlib
import itertools
import json
from collections.abc import Sequence
from pathlib import Path

import pytest
from tests.adapters.venues import Collected

from pump_party.adapters.tape import BEHIND_MAX_MS, STEP_MS, TapeSource
from pump_party.adapters.tape_files import parse_candle, read_rows
from pump_party.domains.marketdata.candle_path import CANDLE_MS, RecordedCandle
from pump_party.domains.marketdata.contract import SourceState
from pump_party.domains.marketdata.model import Tick
from pump_party.domains.marketdata.registry import load_registry
from pump_party.kernel.errors import Invalid
from pump_party.platform.clock import ManualClock

REGISTRY = load_registry()
HEADER = "date,open,high,low,close,volume"
START_MS = 1_746_372_600_000
MINUTES = [f"2025-05-04T15:{minute}:00+00:00" for minute in range(30, 50)]


class _TimeIsUp(Exception):
    pass


def play(
    folder: Path, clock: ManualClock, *, speed: int, seconds: int, loop: bool = True, stalls: Sequence[int] = ()
) -> Collected:
    """Run a tape for a while of server time, without waiting for it. `stalls` are extra waits, in order."""
    end_ms = clock.now_ms() + seconds * 1000
    extra = iter(stalls)

    async def wait(wait_s: float) -> None:
        clock.advance(round(wait_s * 1000) + next(extra, 0))
        await asyncio.sleep(0)
        if clock.now_ms() > end_ms:
            raise _TimeIsUp

    async def scenario() -> Collected:
        sink = Collected()
        source = TapeSource(folder, REGISTRY, speed=speed, loop=loop, clock=clock, wait=wait)
        running = asyncio.ensure_future(source.run(sink))
        while not running.done() and not any(state is SourceState.STOPPED for _, state, _ in sink.states):
            await asyncio.sleep(0)
        if running.done():
            assert isinstance(running.exception(), _TimeIsUp)
        running.cancel()
        return sink

    return asyncio.run(scenario())


def rebuilt(ticks: Sequence[Tick]) -> list[RecordedCandle]:
    """Complete candles from ticks alone, by tape time."""
    minutes = itertools.groupby(ticks, key=lambda tick: (tick.tape_ms or 0) // CANDLE_MS * CANDLE_MS)
    candles = []
    for open_ms, group in minutes:
        mids = [tick.mid_e8 for tick in group]
        candles.append(RecordedCandle(open_ms, mids[0], max(mids), min(mids), mids[-1]))
    return candles[:-1]


def of(sink: Collected, market: str) -> list[Tick]:
    return [tick for tick in sink.ticks if tick.market == market]


@pytest.mark.parametrize("speed", [1, 60, 240, 241, 3600])
def test_candles_rebuilt_from_a_replay_are_the_recorded_ones_at_any_speed(
    recorded_data: Path, clock: ManualClock, speed: int
):
    folder = recorded_data / "data" / "binance_usdm_1m"
    sink = play(folder, clock, speed=speed, seconds=max(2, 300 // speed))
    for symbol in ("SOL", "BTC", "ETH"):
        candles = rebuilt(of(sink, f"{symbol}-USDC"))
        rows = read_rows(folder / f"{symbol}_USDT_USDT-1m-futures.csv.gz")
        recorded = [parse_candle(row) for _, row in itertools.islice(rows, len(candles))]
        assert candles == recorded
        assert len(candles) >= 1


def test_a_tick_comes_every_second_of_tape_time_and_in_order(recorded_data: Path, clock: ManualClock):
    sink = play(recorded_data / "data" / "binance_usdm_1m", clock, speed=60, seconds=10)
    for market in ("SOL-USDC", "BTC-USDC", "ETH-USDC"):
        ticks = of(sink, market)
        assert 590 <= len(ticks) <= 603
        assert {after.tape_ms - before.tape_ms for before, after in itertools.pairwise(ticks)} == {1_000}
    assert [tick.tape_ms for tick in sink.ticks] == sorted(tick.tape_ms for tick in sink.ticks)
    order = [(tick.publish_ms, tick.slot) for tick in sink.ticks]
    assert order == sorted(set(order))


def test_the_publish_time_is_when_the_tape_got_there_and_at_most_a_step_before_it_was_handed_over(
    recorded_data: Path, clock: ManualClock
):
    start_ms = clock.now_ms()
    sink = play(recorded_data / "data" / "binance_usdm_1m", clock, speed=60, seconds=5)
    first = sink.ticks[0]
    assert first.publish_ms == start_ms  # the first price is there at once
    for tick in sink.ticks:
        assert tick.publish_ms == start_ms + (tick.tape_ms - first.tape_ms) // 60
        assert 0 <= tick.recv_ms - tick.publish_ms <= STEP_MS


def test_the_evidence_is_the_recorded_row(recorded_data: Path, clock: ManualClock):
    folder = recorded_data / "data" / "binance_usdm_1m"
    sink = play(folder / "SOL_USDT_USDT-1m-futures.csv.gz", clock, speed=60, seconds=3)
    rows = [row for _, row in itertools.islice(read_rows(folder / "SOL_USDT_USDT-1m-futures.csv.gz"), 3)]
    assert list(dict.fromkeys(raw.body for raw in sink.raws))[:3] == rows
    assert sink.ticks[0].raw_sha256 == sink.raws[0].sha256 == hashlib.sha256(rows[0]).hexdigest()
    assert {tick.source for tick in sink.ticks} == {"tape"}


def test_a_machine_that_was_suspended_goes_on_where_the_tape_was(recorded_data: Path, clock: ManualClock):
    sink = play(
        recorded_data / "data" / "binance_usdm_1m", clock, speed=60, seconds=3_700, stalls=[0] * 50 + [3_600_000]
    )
    ticks = of(sink, "SOL-USDC")
    assert {after.tape_ms - before.tape_ms for before, after in itertools.pairwise(ticks)} == {1_000}
    assert max(tick.recv_ms - tick.publish_ms for tick in ticks) <= BEHIND_MAX_MS


def table(folder: Path, name: str, rows: Sequence[str]) -> None:
    (folder / name).write_text("\n".join([HEADER, *rows]) + "\n")


def test_a_tape_ends_with_its_first_market_and_begins_again(tmp_path: Path, clock: ManualClock):
    table(tmp_path, "SOL-USDC-1m.csv", [f"{minute},1,2,1,2,9" for minute in MINUTES[1:4]])
    table(tmp_path, "BTC-USDC-1m.csv", [f"{minute},5,6,5,6,9" for minute in MINUTES[:9]])
    sink = play(tmp_path, clock, speed=60, seconds=9)
    minutes = [tick.tape_ms // CANDLE_MS % 60 for tick in of(sink, "BTC-USDC")]
    assert [minute for minute, _ in itertools.groupby(minutes)][:7] == [31, 32, 33, 31, 32, 33, 31]
    assert len(of(sink, "SOL-USDC")) == pytest.approx(len(of(sink, "BTC-USDC")), abs=1)
    publish = [tick.publish_ms for tick in sink.ticks]
    assert publish == sorted(publish)


def test_a_tape_that_does_not_loop_stops_and_says_so(tmp_path: Path, clock: ManualClock):
    table(tmp_path, "SOL-USDC-1m.csv", [f"{MINUTES[0]},1,2,1,2,9"])
    sink = play(tmp_path, clock, speed=60, seconds=100, loop=False)
    assert len(sink.ticks) == 60
    assert sink.states[-1] == ("tape", SourceState.STOPPED, "the tape has ended")


def test_a_hole_in_the_tape_is_not_waited_out(tmp_path: Path, clock: ManualClock):
    table(tmp_path, "SOL-USDC-1m.csv", [f"{MINUTES[0]},1,2,1,2,9", f"{MINUTES[9]},2,2,2,2,9"])
    sink = play(tmp_path, clock, speed=1, seconds=100)
    gaps = [after.publish_ms - before.publish_ms for before, after in itertools.pairwise(sink.ticks)]
    assert max(gaps) == 1_000
    assert len(sink.ticks) == pytest.approx(101, abs=2)


def test_bad_rows_are_skipped_and_named(tmp_path: Path, clock: ManualClock):
    rows = [f"{MINUTES[1]},1,2,1,2,9", "garbage", f"{MINUTES[0]},1,2,1,2,9", f"{MINUTES[2]},1,2,1,2,9"]
    table(tmp_path, "SOL-USDC-1m.csv", rows)
    sink = play(tmp_path, clock, speed=60, seconds=10, loop=False)
    assert len(sink.ticks) == 120
    assert sink.errors[0].startswith("SOL-USDC-1m.csv:3: not a row")
    assert sink.errors[1] == "SOL-USDC-1m.csv:4: not later than the row before"


def test_a_tape_without_any_good_row_stops_instead_of_spinning(tmp_path: Path, clock: ManualClock):
    table(tmp_path, "SOL-USDC-1m.csv", ["garbage"])
    sink = play(tmp_path, clock, speed=60, seconds=10)
    assert sink.states[-1] == ("tape", SourceState.STOPPED, "the tape has no usable price")


def test_an_empty_folder_stops_the_start(tmp_path: Path, clock: ManualClock):
    with pytest.raises(Invalid) as refused:
        TapeSource(tmp_path, REGISTRY, speed=1, loop=True, clock=clock)
    assert (refused.value.code, refused.value.field) == ("tape_unusable", "feed")


def test_raw_captures_are_replayed_line_by_line_through_the_live_parsers(recorded_data: Path, clock: ManualClock):
    folder = recorded_data / "data" / "raw_streams"
    sink = play(folder, clock, speed=1, seconds=5)
    assert {tick.market for tick in sink.ticks} == {"BTC-USDC", "ETH-USDC"}
    assert len(sink.ticks) > 1_000
    with gzip.open(folder / "spot_btcusdt_20240808.gz", "rb") as lines:
        recorded = {hashlib.sha256(line.rstrip(b"\n")).hexdigest() for line in itertools.islice(lines, 2_000)}
    assert {tick.raw_sha256 for tick in of(sink, "BTC-USDC")} <= recorded
    assert all(0 <= tick.recv_ms - tick.publish_ms <= STEP_MS for tick in sink.ticks)


def test_recordings_of_other_days_play_one_after_the_other(recorded_data: Path, clock: ManualClock):
    # Six minutes of two Binance books in 2024, then half a minute of a Hyperliquid book in 2025.
    sink = play(recorded_data / "data" / "raw_streams", clock, speed=60, seconds=12, loop=False)
    years = [tick.tape_ms // 31_556_952_000 + 1970 for tick in of(sink, "BTC-USDC")]
    assert [year for year, _ in itertools.groupby(years)] == [2024, 2025]
    steps = [(tick.recv_ms, tick.market) for tick in sink.ticks]
    assert len(steps) == len(set(steps))  # faster than 1, a step shows the newest book of a market only
    assert sink.states[-1][2] == "the tape has ended"


def test_the_books_of_a_capture_are_replayed_with_its_prices_in_server_time(recorded_data: Path, clock: ManualClock):
    sink = play(recorded_data / "data" / "raw_streams", clock, speed=1, seconds=5)
    assert {book.market for book in sink.books} == {"BTC-USDC", "ETH-USDC"}
    assert {book.source for book in sink.books} == {"tape"}
    assert len(sink.books) > 50
    assert all(max(book.bids) < min(book.asks) for book in sink.books)
    assert all(0 <= book.recv_ms - book.publish_ms <= STEP_MS for book in sink.books)


def test_what_was_settled_is_told_with_every_minute_from_then_on_until_it_stands_no_more(
    tmp_path: Path, clock: ManualClock
):
    (tmp_path / "SOL-USDC-1m.csv").write_text("\n".join([HEADER, *(f"{m},146,147,145,146,1" for m in MINUTES)]) + "\n")
    rates = ["2025-05-04T07:38:00+00:00,1", "2025-05-04T15:40:00.004+00:00,-8e-05", "2025-05-04T23:40:00+00:00,1"]
    (tmp_path / "SOL_USDT_USDT-8h-funding_rate.csv").write_text("\n".join(["date,funding_rate", *rates]) + "\n")
    sink = play(tmp_path, clock, speed=60, seconds=30, loop=False)
    minutes = [(said.tape_ms - sink.ticks[0].tape_ms) // CANDLE_MS for said in sink.contexts]
    assert minutes == [*range(-1, 8), *range(9, 19)]
    assert [said.funding_1h_ppb for said in sink.contexts] == [125_000_000] * 9 + [-10_000] * 10
    assert {said.settled_ms - START_MS for said in sink.contexts[9:]} == {10 * CANDLE_MS}
    assert {(said.source, said.premium_ppb, said.open_interest_nanos) for said in sink.contexts} == {
        ("tape", None, None)
    }
    assert sink.contexts[-1].sha256 == hashlib.sha256(rates[1].encode()).hexdigest()
    assert all(said.recv_ms <= clock.now_ms() for said in sink.contexts)


def test_a_damaged_funding_table_is_refused_at_the_start(tmp_path: Path, clock: ManualClock):
    (tmp_path / "SOL-USDC-1m.csv").write_text("\n".join([HEADER, f"{MINUTES[0]},146,147,145,146,1"]) + "\n")
    (tmp_path / "SOL_USDT_USDT-8h-funding_rate.csv").write_text("date,funding_rate\n2025-05-04T07:38:00+00:00,NaN\n")
    with pytest.raises(Invalid, match="not a funding rate"):
        TapeSource(tmp_path, REGISTRY, speed=1, loop=False, clock=clock)


def test_premium_funding_and_open_interest_of_a_capture_are_told_behind_the_price_that_follows_them(
    tmp_path: Path, clock: ManualClock
):
    ctx = {"funding": "0.0000125", "openInterest": "688.11", "premium": "0.0003", "oraclePx": "100", "markPx": "101"}
    lines = []
    for second in range(4):
        bbo = {"coin": "BTC", "time": START_MS + second * 1_000, "bbo": [{"px": "99"}, {"px": "101"}]}
        said = {"channel": "activeAssetCtx", "data": {"coin": "BTC", "ctx": ctx | {"premium": f"0.000{second}"}}}
        messages = [{"channel": "bbo", "data": bbo}] + ([said] if second < 2 else [])
        lines += [f"{START_MS + second * 1_000}000000 {json.dumps(message)}" for message in messages]
    with gzip.open(tmp_path / "hyperliquid_20250504.gz", "wt") as file:
        file.write("\n".join(lines) + "\n")
    sink = play(tmp_path, clock, speed=1, seconds=10, loop=False)
    assert [(said.tape_ms - START_MS, said.premium_ppb) for said in sink.contexts] == [(0, 0), (1_000, 100_000)]
    assert [said.recv_ms for said in sink.contexts] == [tick.recv_ms for tick in sink.ticks[1:3]]
    newest = sink.contexts[-1]
    assert (newest.source, newest.open_interest_nanos, newest.settled_ms) == ("tape", 688_110_000_000, None)
