import asyncio

import pytest
from tests.adapters.venues import Collected

from pump_party.adapters.reconnect import BACKOFF_MAX_S, RETRY_AFTER_MAX_S, Backoff, keep_connected
from pump_party.adapters.reporting import Report, SourceFailed
from pump_party.domains.marketdata.contract import SourceState
from pump_party.platform.clock import ManualClock


class _Enough(Exception):
    pass


def test_waits_double_up_to_a_limit_and_jitter_takes_at_most_half_off():
    longest = Backoff(lambda: 0.999999)
    shortest = Backoff(lambda: 0.0)
    assert [round(longest.next_s(), 3) for _ in range(8)] == [0.5, 1, 2, 4, 8, 16, 30, 30]
    assert [shortest.next_s() for _ in range(8)] == [0.25, 0.5, 1, 2, 4, 8, 15, 15]
    for _ in range(2_000):
        assert longest.next_s() <= BACKOFF_MAX_S


def test_a_source_that_failed_is_tried_again_with_the_reason_reported_and_retry_after_kept(clock: ManualClock):
    failures = [SourceFailed("no"), SourceFailed("busy", retry_after_s=61), SourceFailed("busy", retry_after_s=1e9)]
    waited: list[float] = []

    async def connect(report: Report) -> None:
        raise failures.pop(0)

    async def wait(seconds: float) -> None:
        waited.append(seconds)
        if not failures:
            raise _Enough

    sink = Collected()
    with pytest.raises(_Enough):
        asyncio.run(keep_connected(connect, Report("venue", sink, clock), Backoff(lambda: 0.0), wait))

    assert waited == [0.25, 61, RETRY_AFTER_MAX_S]
    assert [state for _, state, _ in sink.states] == [SourceState.CONNECTING, SourceState.RECONNECTING] * 3
    assert sink.errors == ["no", "busy", "busy"]


def test_a_connection_that_brought_prices_starts_the_backoff_anew(clock: ManualClock):
    waited: list[float] = []

    async def connect(report: Report) -> None:
        report.live = len(waited) == 2

    async def wait(seconds: float) -> None:
        waited.append(seconds)
        if len(waited) == 4:
            raise _Enough

    with pytest.raises(_Enough):
        asyncio.run(keep_connected(connect, Report("venue", Collected(), clock), Backoff(lambda: 0.0), wait))
    assert waited == [0.25, 0.5, 0.25, 0.5]
