from hypothesis import given
from hypothesis import strategies as st

from pump_party.domains.prop_engine.order_rate import MINUTE_MS, orders_last_minute, with_order

START_MS = 1_750_000_000_000


@given(st.lists(st.integers(0, 20_000), max_size=60), st.integers(0, 2 * MINUTE_MS))
def test_the_count_is_that_of_the_times_younger_than_a_minute_and_nothing_older_is_kept(waits, then):
    now_ms, times, all_ms = START_MS, b"", []
    for wait in waits:
        now_ms += wait
        times = with_order(times, now_ms=now_ms)
        all_ms.append(now_ms)
        assert len(times) == 8 * orders_last_minute(times, now_ms=now_ms)
    now_ms += then
    assert orders_last_minute(times, now_ms=now_ms) == sum(at_ms > now_ms - MINUTE_MS for at_ms in all_ms)


def test_an_order_is_of_the_last_minute_until_exactly_a_minute_has_passed():
    times = with_order(b"", now_ms=START_MS)
    assert orders_last_minute(times, now_ms=START_MS + MINUTE_MS - 1) == 1
    assert orders_last_minute(times, now_ms=START_MS + MINUTE_MS) == 0
