from hypothesis import given
from hypothesis import strategies as st

from pump_party.platform.limits import Bucket, Limit, take

limits = st.builds(Limit, name=st.just("any"), burst=st.integers(1, 50), per_minute=st.integers(1, 100_000))


@given(limits, st.lists(st.integers(0, 5_000), max_size=200))
def test_no_window_ever_grants_more_than_the_burst_and_its_refill(limit: Limit, gaps_ms: list[int]) -> None:
    bucket: Bucket | None = None
    now_ms, granted = 0, 0
    for gap_ms in gaps_ms:
        now_ms += gap_ms
        bucket, wait_ms = take(limit, bucket, now_ms=now_ms)
        granted += wait_ms == 0
    assert granted <= limit.burst + now_ms * limit.per_minute / 60_000


@given(limits)
def test_whoever_waits_as_long_as_told_is_served(limit: Limit) -> None:
    bucket: Bucket | None = None
    now_ms, wait_ms = 0, 0
    for _ in range(limit.burst + 5):
        bucket, wait_ms = take(limit, bucket, now_ms=now_ms)
        if wait_ms:
            refused = bucket
            now_ms += wait_ms
            bucket, wait_ms = take(limit, bucket, now_ms=now_ms)
            assert wait_ms == 0
            assert take(limit, refused, now_ms=now_ms - 1)[1] > 0


def test_a_clock_that_steps_back_grants_nothing_extra() -> None:
    limit = Limit(name="one", burst=1, per_minute=60)
    bucket, _ = take(limit, None, now_ms=10_000)
    bucket, wait_ms = take(limit, bucket, now_ms=5_000)
    assert wait_ms == 1_000
    assert take(limit, bucket, now_ms=10_999)[1] == 1
