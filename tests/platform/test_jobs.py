from pump_party.platform.jobs import RETRY_MS_MAX, RETRY_MS_MIN, retry_delay_ms


def test_retries_wait_twice_as_long_each_time_up_to_a_limit() -> None:
    delays = [retry_delay_ms(attempt) for attempt in range(1, 60)]
    assert delays[:4] == [RETRY_MS_MIN, 2 * RETRY_MS_MIN, 4 * RETRY_MS_MIN, 8 * RETRY_MS_MIN]
    assert delays == sorted(delays)
    assert delays[-1] == RETRY_MS_MAX
