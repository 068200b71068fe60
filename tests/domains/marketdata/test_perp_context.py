"""What a venue says of its perpetual: from the socket's message to the quote that funding is paid by."""

import json
from fractions import Fraction
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace
from tests.domains.marketdata.feeds import BTC, NOW_MS, REGISTRY, SOL, ingest_of, report, tick

from pump_party.adapters.hyperliquid import HyperliquidParser
from pump_party.db.engine import Database
from pump_party.db.marketdata import PERP_HOURS_KEPT_MS, MarketDataStore
from pump_party.domains.marketdata.contract import HourPremium, PerpContext, PerpHour, Quote, SettledFunding
from pump_party.domains.marketdata.ingest import Ingest
from pump_party.domains.marketdata.perp_context import HOUR_MS, SAMPLE_EVERY_MS, PerpTrack, fold
from pump_party.domains.marketdata.service import CONTEXT_KEPT_MS, MarketDataService
from pump_party.domains.marketdata.store import Batch
from pump_party.kernel.errors import Invalid, NotFound
from pump_party.kernel.ids import Market
from pump_party.platform.clock import ManualClock
from pump_party.redis.memory import MemoryBooks, MemoryQuotes

PERP = Market("SOL-PERP")
MINUTE_MS = 60_000
BEGIN_MS = NOW_MS // HOUR_MS * HOUR_MS + HOUR_MS


@pytest.fixture
def store(database: Database) -> MarketDataStore:
    return MarketDataStore(database)


def context(recv_ms: int, premium_ppb: int | None = 1_000, *, market: Market = SOL) -> PerpContext:
    return PerpContext(market, premium_ppb, 12_500, 5 * 10**12, 15 * 10**9, 15 * 10**9, recv_ms, "hyperliquid", "ab")


def quoted(ingest: Ingest, clock: ManualClock, at_ms: int, market: Market = PERP) -> HourPremium | None:
    """The premium that the quote of a tick at this time carries."""
    clock.advance(at_ms - clock.now_ms())
    report(ingest, tick("150", publish_ms=at_ms))
    (quote,) = [quote for quote in ingest.due() if quote.market == market]
    return quote.premium


def hear(ingest: Ingest, clock: ManualClock, recv_ms: int, premium_ppb: int | None) -> None:
    clock.advance(recv_ms - clock.now_ms())
    ingest.context_changed(context(recv_ms, premium_ppb))


@given(st.lists(st.tuples(st.integers(0, HOUR_MS // 4), st.integers(-(10**9), 10**9)), min_size=1, max_size=60))
def test_the_premium_of_an_hour_lies_between_its_samples_and_counts_each_five_seconds_once(rows):
    hour, at_ms, seen = None, BEGIN_MS, {}
    for wait_ms, premium_ppb in rows:
        at_ms += wait_ms
        before, hour = hour, fold(hour, context(at_ms, premium_ppb))
        if before is not None and before.hour_ms != hour.hour_ms:
            seen = {}
        seen.setdefault(at_ms // SAMPLE_EVERY_MS, premium_ppb)
    assert hour.samples == len(seen)
    assert hour.premium_sum_ppb == sum(seen.values())
    premium = PerpTrack([hour]).premium_before(hour.hour_ms + HOUR_MS)
    assert min(seen.values()) <= premium.premium_ppb <= max(seen.values())


def test_a_venue_that_shows_no_premium_leaves_none_and_its_open_interest_is_kept():
    hour = fold(None, context(BEGIN_MS, None))
    assert (hour.samples, hour.open_interest_nanos) == (0, 5 * 10**12)
    assert PerpTrack([hour]).premium_before(BEGIN_MS + HOUR_MS) is None
    assert fold(hour, context(BEGIN_MS + 1, 7)).samples == 1


def test_the_quotes_of_a_perpetual_carry_the_premium_of_the_hour_before_and_spot_none(store, clock):
    ingest = ingest_of(clock, store, registry=REGISTRY)
    assert quoted(ingest, clock, BEGIN_MS) is None
    hear(ingest, clock, BEGIN_MS + 1, 100)
    hear(ingest, clock, BEGIN_MS + SAMPLE_EVERY_MS, 301)
    hear(ingest, clock, BEGIN_MS + SAMPLE_EVERY_MS + 1, 9_999)
    assert quoted(ingest, clock, BEGIN_MS + HOUR_MS - 1) is None
    recorded = HourPremium(BEGIN_MS, 200, 2, "hyperliquid")
    assert quoted(ingest, clock, BEGIN_MS + HOUR_MS) == recorded
    hear(ingest, clock, BEGIN_MS + HOUR_MS + 5, 70_000)
    assert quoted(ingest, clock, BEGIN_MS + 2 * HOUR_MS - 1) == recorded
    assert quoted(ingest, clock, BEGIN_MS + 2 * HOUR_MS - 1 + 1, SOL) is None
    assert quoted(ingest, clock, BEGIN_MS + 3 * HOUR_MS) is None


def test_an_hour_goes_on_across_a_restart(store, clock):
    ingest = ingest_of(clock, store, registry=REGISTRY)
    quoted(ingest, clock, BEGIN_MS)
    hear(ingest, clock, BEGIN_MS + 1, 100)
    ingest.write()
    again = ingest_of(clock, store, registry=REGISTRY)
    quoted(again, clock, BEGIN_MS + 60_000)
    hear(again, clock, BEGIN_MS + 61_000, 200)
    again.write()
    (hour,) = store.perp_hours("live", PERP, before_ms=BEGIN_MS + 1, limit=9)
    assert (hour.premium_sum_ppb, hour.samples, hour.updated_ms) == (300, 2, BEGIN_MS + 61_000)
    third = ingest_of(clock, store, registry=REGISTRY)
    assert quoted(third, clock, BEGIN_MS + HOUR_MS) == HourPremium(BEGIN_MS, 150, 2, "hyperliquid")


def test_a_synthetic_market_has_no_premium(store, clock):
    ingest = ingest_of(clock, store, registry=REGISTRY, feed="synthetic")
    clock.advance(BEGIN_MS - clock.now_ms())
    report(ingest, tick("150", publish_ms=BEGIN_MS))
    assert ingest.contexts() == []
    assert {quote.premium for quote in ingest.due()} == {None}


class Replay:
    """A tape that walks from minute to minute, as one without holes does."""

    def __init__(self, ingest: Ingest, clock: ManualClock, at_ms: int) -> None:
        self._ingest, self._clock, self._at_ms = ingest, clock, at_ms

    def quote(self, tape_ms: int) -> Quote:
        """The perpetual's at a tick of this time."""
        while True:
            back = tape_ms < self._at_ms
            self._at_ms = tape_ms if back else min(tape_ms, self._at_ms + MINUTE_MS)
            self._clock.advance(1_000)
            report(self._ingest, tick("150", publish_ms=self._clock.now_ms(), tape_ms=self._at_ms))
            (quote,) = [quote for quote in self._ingest.due() if quote.market == PERP]
            if self._at_ms == tape_ms:
                return quote

    def say(self, said: PerpContext) -> None:
        """Behind the tick that was last."""
        self._ingest.context_changed(replace(said, recv_ms=self._clock.now_ms(), tape_ms=self._at_ms))


def test_a_replayed_premium_is_of_its_hour_on_the_tape_and_a_new_pass_begins_without(store, clock):
    start_ms = BEGIN_MS - 500 * HOUR_MS
    ingest = ingest_of(clock, store, registry=REGISTRY, feed="tape")
    replay = Replay(ingest, clock, start_ms)
    assert replay.quote(start_ms).premium is None
    replay.say(context(0, 100))
    replay.quote(start_ms + HOUR_MS - 1)
    replay.say(context(0, 300))
    assert replay.quote(start_ms + HOUR_MS).premium == HourPremium(start_ms, 200, 2, "hyperliquid")
    replay.say(context(0, 7))
    ingest.write()
    hours = store.perp_hours("tape", PERP, before_ms=BEGIN_MS, limit=9)
    assert [hour.hour_ms for hour in hours] == [start_ms + HOUR_MS, start_ms]
    assert replay.quote(start_ms).premium is None
    replay.say(context(0, 40))
    assert replay.quote(start_ms + HOUR_MS).premium == HourPremium(start_ms, 40, 1, "hyperliquid")


def test_a_settled_rate_is_of_the_hour_that_ended_with_it_and_stands_for_eight(store, clock):
    settled_ms = BEGIN_MS - 500 * HOUR_MS
    ingest = ingest_of(clock, store, registry=REGISTRY, feed="tape")
    replay = Replay(ingest, clock, settled_ms)
    said = PerpContext(SOL, None, 12_500, None, None, None, 0, "hyperliquid", "ab", settled_ms=settled_ms)
    assert replay.quote(settled_ms).settled is None
    replay.say(said)
    quote = replay.quote(settled_ms + 8 * HOUR_MS)
    assert (quote.settled, quote.premium) == (SettledFunding(settled_ms, 12_500, "hyperliquid"), None)
    replay.say(said)
    assert replay.quote(settled_ms + 8 * HOUR_MS + 1).settled is None
    ingest.write()
    (hour,) = store.perp_hours("tape", PERP, before_ms=BEGIN_MS, limit=9)
    assert (hour.hour_ms, hour.funding_1h_ppb, hour.samples) == (settled_ms - HOUR_MS, 12_500, 0)
    assert (hour.open_interest_nanos, hour.oracle_e8, hour.mark_e8) == (None, None, None)


def test_a_tape_that_begins_again_does_not_know_what_it_will_settle(store, clock):
    settled_ms = BEGIN_MS - 500 * HOUR_MS
    ingest = ingest_of(clock, store, registry=REGISTRY, feed="tape")
    replay = Replay(ingest, clock, settled_ms)
    replay.quote(settled_ms)
    replay.say(PerpContext(SOL, None, 12_500, None, None, None, 0, "hyperliquid", "ab", settled_ms=settled_ms))
    assert replay.quote(settled_ms + 1).settled is not None
    assert replay.quote(settled_ms - HOUR_MS).settled is None
    assert replay.quote(settled_ms).settled is None


def test_contexts_are_shown_with_their_perpetual_while_they_are_recent(store, clock):
    ingest, quotes = ingest_of(clock, store, registry=REGISTRY), MemoryQuotes()
    service = MarketDataService(store, quotes, MemoryBooks(), clock, REGISTRY)
    quoted(ingest, clock, BEGIN_MS)
    hear(ingest, clock, BEGIN_MS + 1, 100)
    quotes.put_contexts(ingest.contexts())
    quotes.put(ingest.due())
    assert service.market(PERP).context == context(BEGIN_MS + 1, 100, market=PERP)
    assert service.market(SOL).context is None
    clock.advance(CONTEXT_KEPT_MS + 1)
    assert service.market(PERP).context is None


def test_hours_are_read_newest_first_from_the_feed_that_the_chart_shows(store, clock):
    service = MarketDataService(store, MemoryQuotes(), MemoryBooks(), clock, REGISTRY)
    hours = [fold(None, context(BEGIN_MS + n * HOUR_MS, n, market=PERP)) for n in range(4)]
    assert service.perp_hours(PERP, before_ms=BEGIN_MS, limit=1) == ()
    kept(store, hours)
    assert list(service.perp_hours(PERP, before_ms=BEGIN_MS + 3 * HOUR_MS, limit=2)) == [hours[2], hours[1]]
    kept(store, [replace(hours[0], samples=9)], feed="tape")
    assert [hour.samples for hour in service.perp_hours(PERP, before_ms=BEGIN_MS + HOUR_MS, limit=9)] == [9]
    with pytest.raises(Invalid):
        service.perp_hours(PERP, before_ms=1, limit=0)
    with pytest.raises(NotFound):
        service.perp_hours("NONE-PERP", before_ms=1, limit=1)


def kept(store: MarketDataStore, hours: list[PerpHour], feed: str = "live", chart_ms: int = BEGIN_MS) -> None:
    store.write(Batch(feed, NOW_MS, [], {PERP: chart_ms}, [], [], [], perp_hours=hours))


def test_hours_are_kept_for_five_years_around_where_the_chart_is(store):
    hours = [fold(None, context(BEGIN_MS + n * HOUR_MS, n, market=PERP)) for n in range(3)]
    kept(store, hours, chart_ms=BEGIN_MS + HOUR_MS + PERP_HOURS_KEPT_MS)
    store.prune("live", now_ms=NOW_MS)
    left = store.perp_hours("live", PERP, before_ms=BEGIN_MS * 2, limit=9)
    assert [hour.hour_ms for hour in left] == [BEGIN_MS + 2 * HOUR_MS, BEGIN_MS + HOUR_MS]


def test_every_recorded_premium_reaches_the_quote_of_the_hour_after_it(recorded_data: Path, sqlite_database, clock):
    cassettes = json.loads((recorded_data / "data/hyperliquid_sdk/cassettes_normalized.json").read_text())
    (rows,) = [
        pair["response"]
        for pair in cassettes["test_get_funding_history[None].yaml"]
        if pair["request"]["type"] == "fundingHistory"
    ]
    parser, ingest = (
        HyperliquidParser({"BTC": BTC}, "hyperliquid"),
        ingest_of(clock, MarketDataStore(sqlite_database), registry=REGISTRY),
    )
    report(ingest, tick("60000", market=BTC, publish_ms=clock.now_ms()))
    for number, row in enumerate(rows[-48:]):
        # Contexts themselves were not recorded; the recorded premiums and rates are put where the venue documents them.
        said = {"premium": row["premium"], "funding": row["fundingRate"], "openInterest": "1"}
        body = json.dumps({"channel": "activeAssetCtx", "data": {"coin": "BTC", "ctx": {**said, **PRICES}}}).encode()
        at_ms = BEGIN_MS + number * HOUR_MS
        clock.advance(at_ms + 1 - clock.now_ms())
        for one in parser.parse(body, "ab", clock.now_ms()):
            ingest.context_changed(one)
        clock.advance(HOUR_MS - 1)
        report(ingest, tick("60000", market=BTC, publish_ms=clock.now_ms(), slot=number))
        (quote,) = [quote for quote in ingest.due() if quote.market == "BTC-PERP"]
        assert quote.premium.premium_ppb == Fraction(row["premium"]) * 10**9


PRICES = {"oraclePx": "60000", "markPx": "60000"}
