import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.domains.marketdata.feeds import SOL, e8, minute

from pump_party.domains.marketdata.candles import INTERVAL_MS, Chart, continue_chart, fold, open_ms_of
from pump_party.domains.marketdata.contract import Candle, CandleInterval
from pump_party.kernel.money import format_e8

DAY_MS = 86_400_000


def test_prices_fold_into_the_candle_of_their_time_and_gaps_have_none():
    # minute:second and price of each tick | 1m candles: open minute, open high low close, ticks
    assert _fold_all("0:00 150", "0:30 152", "0:45 149", "0:59 151", "1:00 151.5", "7:10 140", "7:11 141") == [
        "0 150 152 149 151 x4",
        "1 151.5 151.5 151.5 151.5 x1",
        "7 140 141 140 141 x2",
    ]


def test_every_interval_starts_at_its_own_round_time():
    chart = fold(None, market=SOL, price_e8=e8("150"), chart_ms=DAY_MS + 3 * 3_600_000 + 7 * 60_000 + 1)
    opens = {candle.interval.value: candle.open_ms - DAY_MS for candle in chart.forming}
    assert opens == {"1m": 11_220_000, "5m": 11_100_000, "1h": 10_800_000, "1d": 0}


def test_a_price_older_than_the_newest_one_changes_nothing():
    chart = fold(None, market=SOL, price_e8=e8("150"), chart_ms=60_000)
    assert fold(chart, market=SOL, price_e8=e8("1"), chart_ms=59_999) is None
    assert fold(chart, market=SOL, price_e8=e8("151"), chart_ms=60_000) is not None


def test_a_chart_continues_from_what_was_stored():
    stored = [minute(open_ms_of(interval, 95_000), "150", interval=interval) for interval in INTERVAL_MS]
    chart = fold(continue_chart(SOL, stored), market=SOL, price_e8=e8("155"), chart_ms=100_000)
    forming = {candle.interval: candle for candle in chart.forming}
    for candle in forming.values():
        assert (candle.open_e8, candle.high_e8, candle.close_e8, candle.ticks) == (e8("150"), e8("155"), e8("155"), 2)


@pytest.mark.parametrize("missing", list(CandleInterval))
def test_a_chart_with_an_interval_missing_begins_anew(missing):
    stored = [minute(0, "150", interval=interval) for interval in INTERVAL_MS if interval is not missing]
    assert continue_chart(SOL, stored) is None


@given(st.lists(st.tuples(st.integers(0, 400_000), st.integers(1, 10**12)), min_size=1, max_size=200))
def test_candles_hold_exactly_the_prices_of_their_time_in_order(ticks):
    closed: dict[tuple[CandleInterval, int], Candle] = {}
    folded: list[tuple[int, int]] = []
    chart: Chart | None = None
    now_ms = 0
    for step_ms, price_e8 in ticks:
        now_ms += step_ms
        chart = fold(chart, market=SOL, price_e8=price_e8, chart_ms=now_ms)
        assert chart is not None
        folded.append((now_ms, price_e8))
        closed |= {(candle.interval, candle.open_ms): candle for candle in chart.forming}
    expected = {(interval, open_ms_of(interval, at_ms)) for interval in INTERVAL_MS for at_ms, _ in folded}
    assert set(closed) == expected
    for (interval, open_ms), candle in closed.items():
        prices = [price for at_ms, price in folded if open_ms <= at_ms < open_ms + INTERVAL_MS[interval]]
        assert candle.open_e8 == prices[0]
        assert candle.close_e8 == prices[-1]
        assert candle.high_e8 == max(prices)
        assert candle.low_e8 == min(prices)
        assert candle.ticks == len(prices)


def _fold_all(*ticks: str) -> list[str]:
    chart: Chart | None = None
    minutes: dict[int, Candle] = {}
    for line in ticks:
        at, price = line.split()
        minutes_text, seconds = at.split(":")
        chart_ms = int(minutes_text) * 60_000 + int(seconds) * 1_000
        chart = fold(chart, market=SOL, price_e8=e8(price), chart_ms=chart_ms)
        minutes[chart.forming[0].open_ms] = chart.forming[0]
    return [
        f"{candle.open_ms // 60_000} {format_e8(candle.open_e8)} {format_e8(candle.high_e8)} "
        f"{format_e8(candle.low_e8)} {format_e8(candle.close_e8)} x{candle.ticks}"
        for candle in minutes.values()
    ]
