"""Closing prices: what a spike, a halt, a silence and a restart do to them, pure and from both databases."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.domains.marketdata.feeds import NOW_MS, REGISTRY, SOL, e8, ingest_of, say

from pump_party.db.engine import Database
from pump_party.db.marketdata import MarketDataStore
from pump_party.domains.marketdata.closing import (
    CLOSING_MOVES_MS_MAX,
    CLOSING_WINDOW_MS,
    SETTLED_MS,
    closing_price,
    first_clean_end,
)
from pump_party.domains.marketdata.contract import CLOSING_KEPT_MS, FEED_SILENT_MS, ClosingPrice, NoClosingPrice
from pump_party.domains.marketdata.service import MarketDataService
from pump_party.domains.marketdata.store import Batch, Moment
from pump_party.kernel.errors import NotFound
from pump_party.kernel.ids import Market
from pump_party.platform.clock import ManualClock
from pump_party.redis.memory import MemoryBooks, MemoryQuotes

END_MS = NOW_MS + 12 * 3_600_000


def at(seconds: float, mid: int = 100, conf: int = 1, *, feed: str = "live", is_halt: bool = False) -> Moment:
    """So many seconds after the end."""
    return Moment(SOL, END_MS + int(seconds * 1000), mid, conf, feed, is_halt)


def steady(first_s: int, last_s: int, mid: int = 100) -> list[Moment]:
    return [at(second, mid) for second in range(first_s, last_s + 1)]


@pytest.fixture
def store(database: Database) -> MarketDataStore:
    return MarketDataStore(database)


@pytest.fixture
def service(store: MarketDataStore, clock: ManualClock) -> MarketDataService:
    clock.advance(END_MS - clock.now_ms())
    return MarketDataService(store, MemoryQuotes(), MemoryBooks(), clock, REGISTRY)


def kept(store: MarketDataStore, *moments: Moment) -> None:
    store.write(Batch("live", NOW_MS, [], {}, [], [], [], moments))


def test_the_closing_price_is_the_median_of_the_last_300_seconds_with_the_widest_confidence():
    assert closing_price([at(-301, 900, 99), at(-300, 100, 1), at(-200, 104, 5), at(-0.5, 102, 2)], end_ms=END_MS) == (
        ClosingPrice(SOL, 102, 5, END_MS, 3, "live")
    )
    even = closing_price([at(-10, 101), at(-5, 104)], end_ms=END_MS)
    assert even is not None
    assert even.mid_e8 == 102


def test_what_came_at_the_end_or_after_is_no_closing_tick_and_silence_has_no_price():
    assert closing_price([at(-301), at(0), at(1)], end_ms=END_MS) is None
    assert closing_price([at(-FEED_SILENT_MS / 1000)], end_ms=END_MS) is not None
    assert closing_price([at(-FEED_SILENT_MS / 1000 - 0.001)], end_ms=END_MS) is None


def test_a_market_that_is_halted_at_the_end_has_no_price_and_an_earlier_halt_has_no_say():
    assert closing_price([at(-3), at(-1, is_halt=True)], end_ms=END_MS) is None
    price = closing_price([at(-9), at(-5, 900, is_halt=True), at(-1)], end_ms=END_MS)
    assert price is not None
    assert (price.mid_e8, price.ticks) == (100, 2)


@given(
    mids=st.lists(st.integers(1, 10**12), min_size=3, max_size=40),
    spike=st.integers(1, 10**15),
    place=st.integers(0, 40),
)
def test_one_spike_never_takes_the_price_beyond_its_neighbours_in_rank(mids: list[int], spike: int, place: int):
    spiked = [*mids]
    spiked.insert(place, spike)
    before, after = (
        closing_price([at(n - len(row), mid) for n, mid in enumerate(row)], end_ms=END_MS) for row in (mids, spiked)
    )
    assert before is not None
    assert after is not None
    ranked = sorted(mids)
    middle = (len(ranked) - 1) // 2
    assert ranked[max(0, middle - 1)] <= after.mid_e8 <= ranked[min(len(ranked) - 1, middle + 1)] or (
        ranked[middle] <= after.mid_e8 <= ranked[len(ranked) // 2]
    )


@given(spike=st.integers(1, 10**15), second=st.integers(-299, -1))
def test_a_spike_in_a_steady_market_moves_the_price_by_nothing(spike: int, second: int):
    moments = [at(n, spike if n == second else 100) for n in range(-300, 0)]
    price = closing_price(moments, end_ms=END_MS)
    assert price is not None
    assert price.mid_e8 == 100


def test_a_clean_stretch_begins_again_after_a_halt_a_silence_and_another_feed():
    assert first_clean_end(steady(0, 299)) is None
    assert first_clean_end(steady(7, 307)) == END_MS + 307_000
    assert first_clean_end([*steady(0, 200), at(200.5, is_halt=True), *steady(230, 540)]) == END_MS + 530_000
    assert first_clean_end([*steady(0, 200), *steady(211, 540)]) == END_MS + 511_000
    assert first_clean_end([*steady(0, 100), *(at(n, feed="tape") for n in range(101, 410))]) == END_MS + 401_000


def test_an_end_is_closed_once_no_price_of_before_can_be_on_its_way(store, service):
    kept(store, *steady(-300, 9))
    assert service.closing_price(SOL, END_MS) is NoClosingPrice.NOT_YET
    kept(store, at(SETTLED_MS / 1000))
    assert service.closing_price(SOL, END_MS) == ClosingPrice(SOL, 100, 1, END_MS, 300, "live")


def test_an_end_in_a_halt_moves_to_the_first_300_clean_seconds(store, service):
    kept(store, *steady(-300, -5), at(-4, is_halt=True), *steady(60, 100, 110), at(101, is_halt=True))
    kept(store, *steady(120, 425, 130))
    assert service.closing_price(SOL, END_MS) is NoClosingPrice.NOT_YET
    kept(store, *steady(426, 430, 130))
    assert service.closing_price(SOL, END_MS) == ClosingPrice(SOL, 130, 1, END_MS + 420_000, 300, "live")


def test_an_end_whose_market_does_not_come_back_within_six_hours_is_void(store, service, clock):
    six_hours_s = CLOSING_MOVES_MS_MAX // 1000
    kept(store, *steady(-300, -20), *steady(six_hours_s - 299, six_hours_s + 30))
    assert service.closing_price(SOL, END_MS) is NoClosingPrice.NOT_YET
    clock.advance(CLOSING_MOVES_MS_MAX + SETTLED_MS)
    assert service.closing_price(SOL, END_MS) is NoClosingPrice.VOID
    assert service.closing_price(Market("BTC-USDC"), END_MS) is NoClosingPrice.VOID


def test_an_end_that_was_in_order_is_closed_though_nothing_was_heard_since(store, service, clock):
    kept(store, *steady(-300, 3))
    clock.advance(CLOSING_MOVES_MS_MAX + SETTLED_MS)
    price = service.closing_price(SOL, END_MS)
    assert isinstance(price, ClosingPrice)
    assert price.end_ms == END_MS


def test_an_end_is_asked_for_while_its_prices_are_kept_and_not_later(store, service, clock):
    kept(store, *steady(-300, 10))
    clock.advance(CLOSING_KEPT_MS)
    store.prune("live", now_ms=clock.now_ms())
    assert isinstance(service.closing_price(SOL, END_MS), ClosingPrice)
    clock.advance(1)
    with pytest.raises(NotFound) as refused:
        service.closing_price(SOL, END_MS)
    assert refused.value.code == "closing_price_gone"
    with pytest.raises(NotFound):
        service.closing_price("NONE-USDC", END_MS)


def test_what_is_kept_of_a_market_is_bounded(store):
    store.write(Batch("live", NOW_MS, [], {SOL: 1}, [], [], [], steady(-400, 10)))
    store.prune("live", now_ms=END_MS + CLOSING_KEPT_MS)
    left = store.moments(SOL, from_ms=0, before_ms=END_MS * 2, limit=1_000)
    assert [left[0].at_ms, left[-1].at_ms] == [END_MS - CLOSING_WINDOW_MS, END_MS + 10_000]
    assert store.newest_moment_ms(SOL) == END_MS + 10_000
    assert store.newest_moment_ms(Market("BTC-USDC")) is None


def test_ingestion_keeps_prices_and_halts_across_a_restart(store, clock):
    ingest = ingest_of(clock, store)
    begun_ms = clock.now_ms()
    for mid in ("150", "151", "250", "152"):
        say(ingest, clock, "hyperliquid", mid)
    ingest.write()
    again = ingest_of(clock, store)
    say(again, clock, "hyperliquid", "150.5")
    again.write()
    moments = store.moments(SOL, from_ms=begun_ms, before_ms=clock.now_ms() + 1, limit=100)
    assert [(m.mid_e8, m.is_halt) for m in moments] == [(e8("150"), False), (e8("151"), False), (e8("151"), True)]


def test_of_prices_closer_than_a_tenth_of_a_second_the_newest_stays_with_the_widest_confidence(store, clock):
    from tests.domains.marketdata.feeds import report, tick

    ingest = ingest_of(clock, store)
    clock.advance(1_000)
    now_ms = clock.now_ms()
    for late_ms, mid, conf in ((0, "150", "0.3"), (40, "150.1", "0.1"), (99, "150.2", "0.2"), (100, "150.3", "0.1")):
        clock.advance(late_ms - (clock.now_ms() - now_ms))
        report(ingest, tick(mid, conf=conf, publish_ms=now_ms + late_ms))
    ingest.write()
    moments = store.moments(SOL, from_ms=now_ms, before_ms=now_ms + 1_000, limit=10)
    assert [(m.at_ms - now_ms, m.mid_e8, m.conf_e8) for m in moments] == [
        (99, e8("150.2"), e8("0.3")),
        (100, e8("150.3"), e8("0.1")),
    ]
