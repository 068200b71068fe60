from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from itertools import count, islice
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from msgspec.structs import replace
from tests.domains.marketdata.feeds import BTC, REGISTRY, SOL, ingest_of, report
from tests.domains.marketdata.memories import (
    EVERY_KIND,
    PERP,
    START_MS,
    Desk,
    end_ms,
    history_of,
    minutes,
    quote_of,
    to_bytes,
)

from pump_party.adapters.indicators import TaLibIndicators
from pump_party.adapters.tape_files import parse_candle, read_rows
from pump_party.db.engine import Database
from pump_party.domains.marketdata.candle_path import EVERY_TICK, TICKS, tick_e8, tick_ms
from pump_party.domains.marketdata.candles import MINUTE_MS
from pump_party.domains.marketdata.contract import (
    Book,
    Candle,
    CandleInterval,
    Feature,
    FeatureName,
    FeatureReading,
    MarketSnapshot,
    PerpHour,
)
from pump_party.domains.marketdata.memory import BOOK_FRESH_MS, VIEW_KEPT_MS, VIEWS_MAX
from pump_party.domains.marketdata.model import Tick
from pump_party.domains.marketdata.perp_context import HOUR_MS
from pump_party.domains.marketdata.perp_samples import samples_of
from pump_party.kernel.errors import Invalid, NotFound
from pump_party.kernel.ids import Market

M1, M5, H1 = CandleInterval.M1, CandleInterval.M5, CandleInterval.H1
EMA = Feature(FeatureName.EMA, M1, 20)
CLOSE = Feature(FeatureName.CLOSE, M1)
RUNS = count()


@pytest.fixture
def desk(sqlite_database: Database, clock) -> Desk:
    return Desk(sqlite_database, clock)


def read(
    memory, as_of_ms: int | None, *features: Feature, market: Market = SOL, candles: int = 0
) -> MarketSnapshot | None:
    found = memory.snapshots({market: features}, as_of_ms=as_of_ms, interval=M1, candles=candles)
    return found.get(market)


def value_of(snapshot: MarketSnapshot | None) -> int | None:
    assert snapshot is not None
    (reading,) = snapshot.readings
    return reading.value


def hour(number: int, funding_ppb: int = 12_500, interest: int = 10**15, market: Market = PERP) -> PerpHour:
    hour_ms = START_MS // HOUR_MS * HOUR_MS + number * HOUR_MS
    return PerpHour(market, hour_ms, 0, 1, funding_ppb, interest, 1, 1, hour_ms + 1, "test", "ab" * 32)


def test_on_both_databases_live_and_recorded_memory_give_the_same_bytes(database: Database, clock):
    candles = minutes(3, 1_400, gaps=(0, 3, 511, 600, 1_023), market=PERP)
    hours = [hour(number, 1_000 * number, 10**15 + number * 10**12) for number in range(24)]
    desk, history = Desk(database, clock), history_of(candles, samples_of(hours[::-1]))
    desk.keep(candles, chart_ms=end_ms(candles), perp_hours=hours)
    for minute in (0, 1, 30, 300, 512, 513, 514, 700, 1_023, 1_024, 1_025, 1_400):
        wanted = {PERP: EVERY_KIND}
        as_of = {"as_of_ms": START_MS + minute * MINUTE_MS, "interval": M5, "candles": 30}
        assert to_bytes(desk.memory.snapshots(wanted, **as_of)) == to_bytes(history.snapshots(wanted, **as_of))


@settings(max_examples=12, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_a_read_as_of_a_moment_never_shows_anything_newer(desk: Desk, clock, data):
    """Whatever is planted in the future, the bytes stay."""
    known = minutes(data.draw(st.integers(0, 99)), 700, gaps=(100, 400), market=PERP)
    as_of_ms = data.draw(st.integers(START_MS + MINUTE_MS, end_ms(known)))
    past = [candle for candle in known if candle.open_ms < as_of_ms]
    hours = [hour(number) for number in range(12)]
    feed = f"run {next(RUNS)}"
    desk.keep(past, chart_ms=as_of_ms, feed=feed, perp_hours=[h for h in hours if h.hour_ms + HOUR_MS <= as_of_ms])
    before = [
        to_bytes(desk.memory.snapshots({PERP: EVERY_KIND}, as_of_ms=as_of_ms, interval=each, candles=20))
        for each in CandleInterval
    ]
    future_ms = as_of_ms - as_of_ms % MINUTE_MS + MINUTE_MS
    prices = data.draw(st.lists(st.integers(1, 10**13), min_size=1, max_size=40))
    planted = [
        replace(known[0], open_ms=future_ms + nth * MINUTE_MS, open_e8=p, high_e8=p, low_e8=p, close_e8=p)
        for nth, p in enumerate(prices)
    ]
    rewritten = [h for h in hours if h.hour_ms + HOUR_MS > as_of_ms]
    later = [replace(h, funding_1h_ppb=data.draw(st.integers(-(10**9), 10**9))) for h in rewritten]
    desk.keep([*past, *planted], chart_ms=end_ms(planted), feed=feed, perp_hours=later)
    desk.quotes.put([quote_of(prices[0], future_ms, market=PERP, feed=feed)])
    desk.books.put([Book(PERP, ((prices[0], 5),), (), 1, future_ms, future_ms, "test", "cd" * 32)])
    clock.advance(VIEW_KEPT_MS + 1)
    after = [
        to_bytes(desk.memory.snapshots({PERP: EVERY_KIND}, as_of_ms=as_of_ms, interval=each, candles=20))
        for each in CandleInterval
    ]
    assert after == before


def test_a_recording_never_shows_anything_newer_either():
    candles = minutes(4, 900, gaps=(200, 500), market=PERP)
    hours = samples_of([hour(number, number) for number in range(15)][::-1])
    whole = history_of(candles, hours)
    for minute in (1, 250, 511, 512, 513, 899):
        as_of_ms = START_MS + minute * MINUTE_MS + 17
        known = [candle for candle in candles if candle.open_ms + MINUTE_MS <= as_of_ms + MINUTE_MS]
        past = history_of(known, [one for one in hours if one.at_ms <= as_of_ms])
        asked = {"as_of_ms": as_of_ms, "interval": H1, "candles": 10}
        assert to_bytes(past.snapshots({PERP: EVERY_KIND}, **asked)) == to_bytes(
            whole.snapshots({PERP: EVERY_KIND}, **asked)
        )


def test_the_forming_candle_is_left_out_until_the_chart_has_passed_its_end(desk: Desk):
    candles = minutes(5, 10)
    end = end_ms(candles)
    desk.keep(candles, chart_ms=end - 1)
    desk.quotes.put([quote_of(15_000_000_000, end + 300)])
    assert value_of(read(desk.memory, None, CLOSE)) == candles[-2].close_e8
    desk.keep(candles, chart_ms=end)
    now = read(desk.memory, None, CLOSE, candles=3)
    assert value_of(now) == candles[-1].close_e8
    assert now is not None
    assert now.candles == tuple(candles[-3:])
    assert (now.mid_e8, now.as_of_ms) == (15_000_000_000, end + 300)


def test_now_is_the_newest_quote_at_its_chart_time_and_a_given_time_the_close_of_the_last_minute(desk: Desk):
    candles = minutes(6, 30)
    desk.keep(candles, chart_ms=end_ms(candles), feed="tape")
    desk.quotes.put([quote_of(15_000_000_000, 1_800_000_000_000, feed="tape", tape_ms=START_MS + 10 * MINUTE_MS)])
    now = read(desk.memory, None, CLOSE)
    then = read(desk.memory, START_MS + 10 * MINUTE_MS, CLOSE)
    assert now is not None
    assert then is not None
    assert (now.as_of_ms, now.mid_e8, now.tick_sha256) == (then.as_of_ms, 15_000_000_000, "ab" * 32)
    assert now.readings == then.readings
    assert (then.mid_e8, then.publish_ms, then.feed) == (candles[9].close_e8, then.as_of_ms - 1, "tape")
    assert then.readings == (FeatureReading(CLOSE, candles[9].close_e8, candles[8].close_e8),)


def test_a_chart_of_another_feed_is_not_this_quotes_past(desk: Desk):
    candles = minutes(6, 30)
    desk.keep(candles, chart_ms=end_ms(candles), feed="tape")
    desk.quotes.put([quote_of(15_000_000_000, end_ms(candles), feed="live")])
    snapshot = read(desk.memory, None, CLOSE, candles=5)
    assert value_of(snapshot) is None
    assert snapshot is not None
    assert snapshot.candles == ()


def test_a_market_without_a_price_is_absent_and_an_unknown_one_refused(desk: Desk):
    candles = minutes(6, 30)
    desk.keep(candles, chart_ms=end_ms(candles) + HOUR_MS)
    assert read(desk.memory, None, EMA) is None
    assert read(desk.memory, START_MS, EMA) is None
    assert read(desk.memory, end_ms(candles) + HOUR_MS, EMA) is None
    assert read(desk.memory, START_MS, EMA, market=BTC) is None
    with pytest.raises(NotFound) as refusal:
        read(desk.memory, None, EMA, market=Market("NO-SUCH"))
    assert refusal.value.code == "market_unknown"


def test_a_book_speaks_for_now_only_and_only_while_it_is_fresh(desk: Desk, clock):
    candles = minutes(6, 30)
    imbalance = Feature(FeatureName.BOOK_IMBALANCE)
    desk.keep(candles, chart_ms=end_ms(candles))
    desk.quotes.put([quote_of(15_000_000_000, end_ms(candles))])
    now_ms = clock.now_ms()
    bids, asks = ((15_000_000_000, 3_000), (14_000_000_000, 3_000)), ((16_000_000_000, 2_000),)
    desk.books.put([Book(SOL, bids, asks, 1, now_ms, now_ms, "test", "cd" * 32)])
    assert value_of(read(desk.memory, None, imbalance)) == 500_000
    assert value_of(read(desk.memory, end_ms(candles), imbalance)) is None
    clock.advance(BOOK_FRESH_MS + 1)
    assert value_of(read(desk.memory, None, imbalance)) is None


def test_funding_and_open_interest_come_from_hours_that_are_over(desk: Desk):
    candles = minutes(7, 240, market=PERP)
    hours = [hour(0, 12_499, 4 * 10**9), hour(1, -1_500, 5 * 10**9), hour(2, 99_000, 9 * 10**9)]
    desk.keep(candles, chart_ms=end_ms(candles), perp_hours=hours)
    funding, interest = Feature(FeatureName.FUNDING), Feature(FeatureName.OPEN_INTEREST)
    grown = Feature(FeatureName.OPEN_INTEREST_CHANGE, H1, 2)
    at_ms = hours[2].hour_ms + 1
    assert read(desk.memory, at_ms, funding, market=PERP).readings == (FeatureReading(funding, -1, 12),)
    assert read(desk.memory, at_ms, interest, market=PERP).readings == (FeatureReading(interest, 5 * 10**9, 4 * 10**9),)
    over_ms = hours[2].hour_ms + HOUR_MS
    assert read(desk.memory, over_ms, grown, market=PERP).readings == (FeatureReading(grown, 1_250_000, None),)
    assert value_of(read(desk.memory, hours[0].hour_ms + 2 * MINUTE_MS + HOUR_MS - 1, funding, market=PERP)) == 12


class CountingIndicators:
    """TA-Lib, with a count of how often it was asked."""

    def __init__(self) -> None:
        self.asked = 0
        self._indicators = TaLibIndicators()

    def compute(self, *question) -> Sequence[int | None]:
        self.asked += 1
        return self._indicators.compute(*question)


def test_a_thousand_readers_of_a_slot_share_one_computation_and_one_moment(sqlite_database: Database, clock):
    indicators, candles = CountingIndicators(), minutes(8, 700)
    desk = Desk(sqlite_database, clock, indicators)
    desk.keep(candles, chart_ms=end_ms(candles))
    desk.quotes.put([quote_of(15_000_000_000, end_ms(candles))])
    slot = desk.memory.pinned()
    first = to_bytes(read(slot, None, EMA, CLOSE, candles=20))
    desk.quotes.put([quote_of(16_000_000_000, end_ms(candles) + 500)])
    with ThreadPoolExecutor(8) as threads:
        rest = list(threads.map(lambda _: to_bytes(read(slot, None, EMA, CLOSE, candles=20)), range(1_000)))
    assert set(rest) == {first}
    assert indicators.asked == 2
    assert read(desk.memory, None, EMA).mid_e8 == 16_000_000_000


def test_a_view_is_read_again_after_a_while_and_no_more_are_kept_than_stated(desk: Desk, clock):
    candles = minutes(9, VIEWS_MAX + 60)
    desk.keep(candles, chart_ms=end_ms(candles))
    as_of_ms = START_MS + 40 * MINUTE_MS
    old = value_of(read(desk.memory, as_of_ms, CLOSE))
    desk.keep([replace(c, close_e8=c.close_e8 + 1, high_e8=c.high_e8 + 1) for c in candles], chart_ms=end_ms(candles))
    assert value_of(read(desk.memory, as_of_ms, CLOSE)) == old
    clock.advance(VIEW_KEPT_MS + 1)
    assert value_of(read(desk.memory, as_of_ms, CLOSE)) == old + 1
    for minute in range(1, VIEWS_MAX + 20):
        read(desk.memory, START_MS + minute * MINUTE_MS, CLOSE)
    assert len(desk.memory._views) == VIEWS_MAX


@pytest.mark.parametrize(
    ("asked", "field"),
    [
        ({"as_of_ms": -1}, "as_of_ms"),
        ({"as_of_ms": 2**63}, "as_of_ms"),
        ({"candles": 101}, "candles"),
        ({"features": [Feature(FeatureName.EMA)]}, "features"),
        ({"features": [EMA] * 65}, "features"),
    ],
)
def test_both_memories_refuse_what_there_is_not(desk: Desk, asked, field):
    candles = minutes(6, 30)
    features = asked.pop("features", [EMA])
    question = {"as_of_ms": START_MS, "candles": 0, "interval": M1, **asked}
    for memory in (desk.memory, history_of(candles)):
        with pytest.raises(Invalid) as refusal:
            memory.snapshots({SOL: features}, **question)
        assert refusal.value.field == field


def test_a_tape_that_was_played_is_remembered_as_the_same_tape_read_whole(desk: Desk, clock, recorded_data: Path):
    """Ticks through admission, candles and the database on one side, rows of the file in arrays on the other."""
    rows = read_rows(recorded_data / "data/binance_usdm_1m/SOL_USDT_USDT-1m-futures.csv.gz")
    tape = [parse_candle(row) for _, row in islice(rows, 640)]
    ingest = ingest_of(clock, desk.store, sources=("tape",), feed="tape", registry=REGISTRY)
    for candle in tape:
        clock.advance(MINUTE_MS)
        now_ms = clock.now_ms()
        for nth in EVERY_TICK:
            mid_e8, publish_ms = tick_e8(candle, nth), now_ms - TICKS + nth
            report(ingest, Tick(SOL, mid_e8, 1, publish_ms, nth, now_ms, "tape", "ab" * 32, tick_ms(candle, nth)))
        ingest.write()
    desk.quotes.put(ingest.due())
    recorded = [
        Candle(PERP, M1, c.open_ms, c.open_e8, c.high_e8, c.low_e8, c.close_e8, TICKS, complete=True) for c in tape
    ]
    history, features = history_of(recorded, feed="tape"), [one for one in EVERY_KIND if not one.is_sampled]
    for minute in (1, 100, 101, 250, 511, 512, 513, 639):
        asked = {"as_of_ms": tape[minute].open_ms, "interval": M5, "candles": 20}
        live = desk.memory.snapshots({PERP: features}, **asked)
        assert to_bytes(live) == to_bytes(history.snapshots({PERP: features}, **asked))
    assert live[PERP].mid_e8 == tape[638].close_e8
    now = read(desk.memory, None, EMA)
    assert now.mid_e8 == tape[639].close_e8
    assert now.readings == read(history, tape[639].open_ms, EMA, market=PERP).readings


def test_a_gap_across_the_first_bar_of_a_window_is_filled_from_before_it(desk: Desk):
    """Live reads fetch a window of candles; a recording has all of them at hand."""
    gone = range(START_MS + 510 * MINUTE_MS, START_MS + 515 * MINUTE_MS, MINUTE_MS)
    candles = [candle for candle in minutes(10, 1_060) if candle.open_ms not in gone]
    desk.keep(candles, chart_ms=end_ms(candles))
    slow = Feature(FeatureName.EMA, M1, 200)
    for minute in (1_025, 1_026, 1_060):
        as_of_ms = START_MS + minute * MINUTE_MS
        assert read(desk.memory, as_of_ms, slow) == read(history_of(candles), as_of_ms, slow)
