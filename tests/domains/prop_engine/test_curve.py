from hypothesis import given
from hypothesis import strategies as st

from pump_party.domains.prop_engine.curve import (
    DAY_MS,
    EquityMark,
    daily_equity,
    exposure_ppm,
    signed_exposure_ppm,
)
from pump_party.kernel.money import PPM

HOUR_MS = 3_600_000
MONDAY_MS = 20_000 * DAY_MS
END_MS = MONDAY_MS + 12 * HOUR_MS


def marks(*rows: tuple[int, int]) -> list[EquityMark]:
    return [EquityMark(MONDAY_MS + hours * HOUR_MS, equity) for hours, equity in rows]


def test_a_day_ends_at_midnight_utc_with_its_last_mark():
    assert daily_equity(marks((9, 100), (15, 130), (23, 120), (25, 90), (47, 95))) == (100, 120, 95)
    assert daily_equity(marks((9, 100), (24, 120), (25, 90))) == (100, 120, 90)
    assert daily_equity(marks((0, 100), (24, 120))) == (100, 120)


def test_a_day_without_a_mark_keeps_the_one_before():
    assert daily_equity(marks((9, 100), (10, 110), (73, 90))) == (100, 110, 110, 110, 90)


def test_one_mark_or_none_is_no_day():
    assert daily_equity([]) == ()
    assert daily_equity(marks((9, 100))) == (100,)


@given(st.lists(st.tuples(st.integers(1, 300), st.integers(0, 10**12)), min_size=1, max_size=60))
def test_the_series_has_one_entry_per_day_begun_and_the_start(rows: list[tuple[int, int]]):
    ordered = sorted(dict(rows).items())
    series = daily_equity(marks((0, 7), *ordered))
    assert len(series) == 1 + -(-ordered[-1][0] // 24)
    assert (series[0], series[-1]) == (7, ordered[-1][1])


def test_exposure_is_weighted_with_the_time_until_the_next_mark():
    held = [
        EquityMark(0, 1_000, 500),
        EquityMark(10_000, 1_000, -1_000),
        EquityMark(40_000, 1_000, 0),
        EquityMark(100_000, 1_000, 999),
    ]
    assert exposure_ppm(held) == (500_000 * 10 + PPM * 30) // 100
    assert signed_exposure_ppm(held) == (500_000 * 10 - PPM * 30) // 100


def test_exposure_without_time_or_equity_is_unknown():
    assert exposure_ppm([]) is None
    assert exposure_ppm([EquityMark(0, 1_000, 500)]) is None
    assert exposure_ppm([EquityMark(0, 0, 0), EquityMark(10, 0, 0)]) is None
