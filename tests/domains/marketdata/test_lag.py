import itertools
from random import Random

import msgspec
import pytest
from tests.adapters.venues import capture_bodies
from tests.domains.marketdata.feeds import BTC, NOW_MS, SOL, ingest_of, report, tick

from pump_party.adapters.binance import BinanceParser
from pump_party.db.marketdata import MarketDataStore
from pump_party.domains.marketdata.contract import MarketLag
from pump_party.domains.marketdata.lag import GRID_MS, LAG_MS_MAX, WINDOW_MS, Point, measure_lag, percentile_99
from pump_party.domains.marketdata.lag_watch import LAGS_MIN, LagWatch, pair
from pump_party.domains.marketdata.model import Tick
from pump_party.kernel.money import format_e8

SPAN_MS = WINDOW_MS + LAG_MS_MAX + 10_000


def walk(seed: int, *, step_ms: int = 50, span_ms: int = SPAN_MS) -> list[Point]:
    random = Random(seed)
    mid_e8, points = 15_000_000_000, []
    for time_ms in range(0, span_ms, step_ms):
        mid_e8 += random.randrange(-2_000_000, 2_000_001)
        points.append((time_ms, mid_e8))
    return points


def at(points: list[Point], time_ms: int) -> int:
    return next(mid_e8 for known_ms, mid_e8 in reversed(points) if known_ms <= time_ms)


def behind(points: list[Point], lag_ms: int, *, every_ms: int) -> list[Point]:
    """What an oracle says that publishes every so often what was the price a lag ago."""
    first_ms, last_ms = points[0][0], points[-1][0]
    return [(ms, at(points, ms - lag_ms)) for ms in range(first_ms + lag_ms, last_ms + 1, every_ms)]


@pytest.mark.parametrize("lag_ms", [0, 100, 400, 1_000, 1_500, 3_000, 6_000])
@pytest.mark.parametrize("seed", [1, 2, 3])
def test_the_lag_of_a_shifted_series_is_found(lag_ms, seed):
    exchange = walk(seed)
    assert measure_lag(behind(exchange, lag_ms, every_ms=50), exchange) == lag_ms


def test_a_slow_oracle_is_behind_by_what_it_holds_as_well():
    # published every 400 ms: between two prices the newest one is 0 to 400 ms old
    exchange = walk(7)
    measured = measure_lag(behind(exchange, 1_000, every_ms=400), exchange)
    assert measured is not None
    assert 1_000 <= measured <= 1_400


def test_nothing_is_measured_without_both_series_over_the_window_or_without_a_common_movement():
    exchange = walk(1)
    oracle = behind(exchange, 500, every_ms=100)
    flat = [(time_ms, 15_000_000_000) for time_ms, _ in exchange]
    opposite = [(time_ms, 30_000_000_000 - mid_e8) for time_ms, mid_e8 in exchange]
    assert measure_lag([], exchange) is None
    assert measure_lag(oracle, []) is None
    assert measure_lag(oracle, exchange[-600:]) is None
    assert measure_lag(oracle[-500:], exchange) is None
    assert measure_lag(flat, exchange) is None
    assert measure_lag(oracle, flat) is None
    assert measure_lag(opposite, exchange) != 0


def test_the_99th_percentile_is_a_lag_that_was_measured():
    # lags | p99
    for lags, expected in (([5], 5), (list(range(1, 101)), 99), (list(range(1, 102)), 100), ([1] * 200 + [9], 1)):
        assert percentile_99(lags) == expected


@pytest.mark.parametrize("lag_ms", [300, 1_200])
def test_the_lag_of_a_recorded_market_is_found(recorded_data, lag_ms):
    parser = BinanceParser({"BTCUSDT": BTC}, "binance")
    bodies = capture_bodies(recorded_data / "data" / "raw_streams" / "spot_btcusdt_20240808.gz")
    ticks = (one for body in bodies for one in parser.parse(body, "00", 1) if isinstance(one, Tick))
    by_time = {one.publish_ms: one.mid_e8 for one in ticks}
    points = sorted(by_time.items())
    begin_ms = points[0][0]
    points = list(itertools.takewhile(lambda point: point[0] < begin_ms + SPAN_MS + 20_000, points))
    measured = measure_lag(behind(points, lag_ms, every_ms=100), points)
    assert measured is not None
    assert abs(measured - lag_ms) <= GRID_MS


def test_the_first_oracle_and_the_first_exchange_of_the_configuration_are_compared():
    assert pair(("binance", "pyth", "hyperliquid")) == ("pyth", "binance")
    assert pair(("hyperliquid", "binance", "jupiter")) is None
    assert pair(("pyth",)) is None


def test_a_watch_answers_after_enough_measurements_and_once_for_each_news():
    watch = LagWatch("pyth", "binance")
    exchange = walk(3, span_ms=SPAN_MS + LAGS_MIN * 10_000)
    for time_ms, mid_e8 in exchange:
        watch.heard("binance", time_ms, mid_e8)
    watch.heard("jupiter", 1, 1)
    oracle = behind(exchange, 800, every_ms=100)
    answers = []
    heard = 0
    for number in range(LAGS_MIN):
        until_ms = SPAN_MS + number * 10_000
        while oracle[heard][0] < until_ms:
            watch.heard("pyth", *oracle[heard])
            heard += 1
        answers.append(watch.measure(SOL, now_ms=until_ms))
        assert watch.measure(SOL, now_ms=until_ms) is None
    assert answers[:-1] == [None] * (LAGS_MIN - 1)
    assert answers[-1] == MarketLag(SOL, 800, 800, LAGS_MIN, SPAN_MS + (LAGS_MIN - 1) * 10_000)


def test_only_points_in_order_are_kept_and_the_newest_of_one_time():
    watch = LagWatch("pyth", "binance")
    for point in ((1_000, 1), (1_000, 2), (900, 3), (1_020, 4), (2_000, 5)):
        watch.heard("pyth", *point)
    assert list(watch._points["pyth"]) == [(1_000, 2), (2_000, 5)]


def test_ingestion_measures_markets_that_an_oracle_and_an_exchange_price(sqlite_database, clock, monkeypatch):
    monkeypatch.setattr("pump_party.domains.marketdata.lag_watch.LAGS_MIN", 1)
    ingest = ingest_of(clock, MarketDataStore(sqlite_database), sources=("pyth", "binance"))
    exchange = [(NOW_MS + time_ms, mid_e8) for time_ms, mid_e8 in walk(5, step_ms=100)]
    oracle = dict(behind(exchange, 700, every_ms=100))
    for time_ms, mid_e8 in exchange:
        clock.advance(time_ms - clock.now_ms())
        report(ingest, tick(format_e8(mid_e8), source="binance", publish_ms=time_ms))
        if time_ms in oracle:
            report(ingest, tick(format_e8(oracle[time_ms]), source="pyth", publish_ms=time_ms))
    (lag,) = ingest.measure_lags()
    assert msgspec.structs.replace(lag, measured_ms=0) == MarketLag(SOL, 700, 700, 1, 0)
    assert ingest.measure_lags() == []


def test_a_lag_is_covered_when_the_latency_of_orders_exceeds_it_by_half_a_second():
    assert MarketLag(SOL, 1, 1_000, 9, 0).is_covered_by(1_500)
    assert not MarketLag(SOL, 1, 1_001, 9, 0).is_covered_by(1_500)
