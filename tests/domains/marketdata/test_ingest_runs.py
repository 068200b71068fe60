"""What a run of ingestion leaves for the next one, and what it keeps when a store is away."""

import hashlib

import pytest
from msgspec.structs import replace
from tests.domains.marketdata.feeds import SOL, e8, ingest_of, report, say, state, tick

from pump_party.db.engine import Database
from pump_party.db.marketdata import MarketDataStore
from pump_party.domains.marketdata.contract import CandleInterval
from pump_party.domains.marketdata.ingest import REFERENCE_AGE_MS_MAX
from pump_party.domains.marketdata.recording import WAITING_MAX
from pump_party.kernel.errors import Unavailable

TWO_MINUTES_MS = 120_000


@pytest.fixture
def store(sqlite_database: Database) -> MarketDataStore:
    return MarketDataStore(sqlite_database)


def test_a_tape_that_starts_again_opens_at_once_and_draws_its_candles_anew(store, clock):
    ingest = ingest_of(clock, store, sources=("tape",), feed="tape")
    first_pass = [("150", 0), ("155", 20_000), ("152", 61_000), ("180", 90_000)]
    for mid, tape_ms in first_pass:
        say(ingest, clock, "tape", mid, tape_ms=tape_ms)
    ingest.write()
    assert state(ingest) == "152 QUARANTINE_JUMP"
    assert len(store.candles(SOL, CandleInterval.M1, before_ms=10**15, limit=10)) == 2

    say(ingest, clock, "tape", "150", tape_ms=0)
    ingest.write()
    assert state(ingest) == "150"
    (candle,) = store.candles(SOL, CandleInterval.M1, before_ms=10**15, limit=10)
    assert (candle.high_e8, candle.ticks, candle.complete) == (e8("150"), 1, False)
    (day,) = store.candles(SOL, CandleInterval.D1, before_ms=10**15, limit=10)
    assert (day.high_e8, day.ticks) == (e8("150"), 1)


def test_two_passes_of_a_tape_leave_the_same_candles(store, clock):
    drawn = []
    for _ in range(2):
        ingest = ingest_of(clock, store, sources=("tape",), feed="tape")
        for number in range(200):
            say(ingest, clock, "tape", f"{150 + number % 7}", tape_ms=number * 1_000)
            ingest.write()
        drawn.append([store.candles(SOL, interval, before_ms=10**15, limit=1_000) for interval in CandleInterval])
    assert drawn[0] == drawn[1]
    assert [len(candles) for candles in drawn[0]] == [4, 1, 1, 1]


def test_a_forming_candle_goes_on_after_a_restart(store, clock):
    ingest = ingest_of(clock, store)
    say(ingest, clock, "hyperliquid", "150")
    say(ingest, clock, "hyperliquid", "155")
    ingest.write()

    restarted = ingest_of(clock, store)
    say(restarted, clock, "hyperliquid", "152")
    restarted.write()
    (day,) = store.candles(SOL, CandleInterval.D1, before_ms=10**15, limit=10)
    assert (day.open_e8, day.high_e8, day.close_e8, day.ticks) == (e8("150"), e8("155"), e8("152"), 3)


def test_after_a_restart_a_recent_price_is_still_the_reference_of_a_jump(store, clock):
    ingest = ingest_of(clock, store)
    say(ingest, clock, "hyperliquid", "150")
    ingest.write()
    say(ingest_of(clock, store), clock, "hyperliquid", "170", expect_halt=True)

    clock.advance(REFERENCE_AGE_MS_MAX)
    much_later = ingest_of(clock, store)
    say(much_later, clock, "hyperliquid", "170")
    assert state(much_later) == "170"


def test_a_quarantine_outlives_a_restart_of_live_prices_however_late(store, clock):
    ingest = ingest_of(clock, store)
    say(ingest, clock, "hyperliquid", "150")
    say(ingest, clock, "hyperliquid", "170")
    ingest.write()
    clock.advance(10 * REFERENCE_AGE_MS_MAX)
    restarted = ingest_of(clock, store)
    say(restarted, clock, "hyperliquid", "170", expect_halt=True)
    assert len(store.open_quarantines("live")) == 1


def test_a_market_in_quarantine_shows_its_last_good_price_and_the_reason_after_a_restart_too(store, clock):
    ingest = ingest_of(clock, store)
    say(ingest, clock, "hyperliquid", "150")
    say(ingest, clock, "hyperliquid", "170")
    ingest.write()
    (quarantine,) = store.open_quarantines("live")

    restarted = ingest_of(clock, store)
    say(restarted, clock, "hyperliquid", "170")
    assert state(restarted) == "150 QUARANTINE_JUMP"
    shown = restarted._runs[SOL].quote
    assert shown is not None
    assert (shown.conf_e8, shown.recv_ms) == (e8("20"), quarantine.since_ms)
    assert restarted.admitted() == ()


@pytest.mark.parametrize("feed", ["synthetic", "tape"])
def test_a_made_up_or_replayed_market_starts_every_run_without_a_past(store, clock, feed):
    ingest = ingest_of(clock, store, sources=(feed,), feed=feed)
    say(ingest, clock, feed, "150")
    say(ingest, clock, feed, "170")
    ingest.write()
    restarted = ingest_of(clock, store, sources=(feed,), feed=feed)
    say(restarted, clock, feed, "170")
    assert state(restarted) == "170"
    restarted.write()
    assert store.open_quarantines(feed) == []


def test_synthetic_prices_never_enter_a_live_chart(store, clock):
    live = ingest_of(clock, store)
    say(live, clock, "hyperliquid", "150")
    live.write()
    made_up = ingest_of(clock, store, sources=("synthetic",), feed="synthetic")
    say(made_up, clock, "synthetic", "100")
    made_up.write()
    (candle,) = store.candles(SOL, CandleInterval.D1, before_ms=10**15, limit=10)
    assert candle.low_e8 == candle.high_e8 == e8("100")
    (candle,) = store.newest_candles("live", SOL, not_after_ms=clock.now_ms())[-1:]
    assert candle.low_e8 == candle.high_e8 == e8("150")


def test_refused_ticks_are_stored_with_the_hash_of_their_payload(store, clock, sqlite_database):
    ingest = ingest_of(clock, store)
    good = tick("150", publish_ms=clock.now_ms())
    wild = replace(tick("151", publish_ms=clock.now_ms(), slot=1), mid_e8=10**30)
    report(ingest, good, wild, *[good] * 50)
    clock.advance(1)
    jump = tick("170", publish_ms=clock.now_ms())
    report(ingest, jump)
    ingest.write()
    with sqlite_database.read() as connection:
        rows = connection.exec_driver_sql("SELECT verdict, raw_sha256 FROM marketdata_refusals").all()
    assert rows.count(("DROP_DUPLICATE", good.raw_sha256)) == 10
    assert ("DROP_NONPOSITIVE", wild.raw_sha256) in rows
    assert ("QUARANTINE_JUMP", jump.raw_sha256) in rows


def test_what_could_not_be_written_is_written_when_the_database_is_back(store, clock):
    flaky = FlakyStore(store)
    ingest = ingest_of(clock, flaky)
    flaky.away = True
    say(ingest, clock, "hyperliquid", "150")
    say(ingest, clock, "hyperliquid", "170")
    with pytest.raises(Unavailable):
        ingest.write()
    clock.advance(TWO_MINUTES_MS)
    say(ingest, clock, "hyperliquid", "150.5")
    with pytest.raises(Unavailable):
        ingest.write()
    flaky.away = False
    ingest.write()
    assert len(store.candles(SOL, CandleInterval.M1, before_ms=10**15, limit=10)) == 1
    assert len(store.open_quarantines("live")) == 1


def test_raw_payloads_are_kept_admitted_or_not_and_never_hold_up_a_tick(store, clock):
    objects = Objects()
    ingest = ingest_of(clock, store, payloads=objects)
    objects.away = True
    for number in range(WAITING_MAX + 3):
        report(ingest, tick("150", publish_ms=clock.now_ms(), slot=number), body=b"%d" % number)
    assert ingest.health()[0].admitted == WAITING_MAX + 3
    with pytest.raises(Unavailable):
        ingest.record()
    objects.away = False
    assert ingest.record() == 3
    assert len(objects.kept) == WAITING_MAX
    assert all(hashlib.sha256(body).hexdigest() == sha256 for sha256, body in objects.kept.items())
    report(ingest, body=b"not a price")
    assert ingest.record() == 0
    assert b"not a price" in objects.kept.values()


class FlakyStore:
    """The real store, behind a connection that comes and goes."""

    def __init__(self, store: MarketDataStore) -> None:
        self._store = store
        self.away = False

    def __getattr__(self, name: str) -> object:
        if self.away:
            raise Unavailable("the database does not answer")
        return getattr(self._store, name)


class Objects:
    """A place for payloads that comes and goes."""

    def __init__(self) -> None:
        self.kept: dict[str, bytes] = {}
        self.away = False

    def put(self, sha256: str, body: bytes) -> None:
        if self.away:
            raise Unavailable("the object store refused")
        self.kept[sha256] = body
