import itertools
from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st

from pump_party.adapters.tape_files import parse_candle, read_rows
from pump_party.domains.marketdata.candle_path import (
    EVERY_TICK,
    SHAPE_TICKS,
    TICKS,
    RecordedCandle,
    tick_e8,
    tick_ms,
)
from pump_party.domains.marketdata.candles import confidence_e8

MINUTE = 1_746_372_780_000
SAMPLE_EVERY = 35


def candle(open_e8: int, high_e8: int, low_e8: int, close_e8: int) -> RecordedCandle:
    return RecordedCandle(open_ms=MINUTE, open_e8=open_e8, high_e8=high_e8, low_e8=low_e8, close_e8=close_e8)


@st.composite
def candles(draw: st.DrawFn) -> RecordedCandle:
    low_e8 = draw(st.integers(1, 10**15))
    high_e8 = low_e8 + draw(st.integers(0, low_e8))
    inside = st.integers(low_e8, high_e8)
    return candle(draw(inside), high_e8, low_e8, draw(inside))


def path(recorded: RecordedCandle) -> list[int]:
    return [tick_e8(recorded, tick) for tick in EVERY_TICK]


def test_a_candle_is_one_tick_a_second_from_open_over_both_extremes_to_close():
    mids = path(candle(100, 119, 62, 90))
    assert mids[0] == 100
    assert mids[:20] == list(range(100, 120))  # the high is nearer: there first
    assert mids[39] == 62
    assert mids[58] == 90  # towards the middle of the range, which is not the close: (119 + 62) // 2
    assert mids[59] == 90
    assert [tick_ms(candle(1, 1, 1, 1), tick) - MINUTE for tick in (1, 2, 60)] == [999, 1_999, 59_999]


def test_the_nearer_extreme_comes_first():
    assert tick_e8(candle(30, 100, 10, 50), 20) == 10
    assert tick_e8(candle(30, 100, 10, 50), 40) == 100


@given(candles())
def test_no_tick_leaves_the_range_and_candles_rebuilt_from_the_ticks_are_the_recorded_ones(recorded: RecordedCandle):
    for ticks in (EVERY_TICK, SHAPE_TICKS):
        mids = [tick_e8(recorded, tick) for tick in ticks]
        assert (mids[0], max(mids), min(mids), mids[-1]) == (
            recorded.open_e8,
            recorded.high_e8,
            recorded.low_e8,
            recorded.close_e8,
        )


@given(candles(), st.data())
def test_nothing_before_the_last_tick_depends_on_the_close(recorded: RecordedCandle, data: st.DataObject):
    other_close_e8 = data.draw(st.integers(recorded.low_e8, recorded.high_e8))
    other = candle(recorded.open_e8, recorded.high_e8, recorded.low_e8, other_close_e8)
    assert path(recorded)[:-1] == path(other)[:-1]


@given(candles())
def test_the_walk_takes_even_steps_and_never_more_than_the_range(recorded: RecordedCandle):
    mids = path(recorded)
    range_e8 = recorded.high_e8 - recorded.low_e8
    assert all(abs(after - before) <= range_e8 // 19 + 1 for before, after in itertools.pairwise(mids[:-1]))


def test_the_recorded_month_is_rebuilt_exactly_from_its_ticks(recorded_data: Path):
    for symbol in ("SOL", "BTC", "ETH"):
        rows = read_rows(recorded_data / "data" / "binance_usdm_1m" / f"{symbol}_USDT_USDT-1m-futures.csv.gz")
        checked = 0
        for _, row in itertools.islice(rows, 0, None, SAMPLE_EVERY):
            recorded = parse_candle(row)
            mids = path(recorded)
            assert len(mids) == TICKS
            assert (mids[0], max(mids), min(mids), mids[-1]) == (
                recorded.open_e8,
                recorded.high_e8,
                recorded.low_e8,
                recorded.close_e8,
            )
            checked += 1
        assert checked > 1_200


@given(st.integers(1, 10**15))
def test_the_stated_confidence_is_five_basis_points_rounded_up(mid_e8: int):
    assert (confidence_e8(mid_e8) - 1) * 10_000 < mid_e8 * 5 <= confidence_e8(mid_e8) * 10_000
