import hashlib
from functools import partial

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace
from tests.domains.marketdata.feeds import BTC, NOW_MS, SOL, approval, e8, ingest_of, report, tick

from pump_party.db.engine import Database
from pump_party.db.marketdata import MarketDataStore
from pump_party.domains.marketdata.contract import CandleInterval, HaltReason, Quote, SourceState
from pump_party.domains.marketdata.ingest import REFERENCE_AGE_MS_MAX, Ingest
from pump_party.domains.marketdata.recording import WAITING_MAX
from pump_party.domains.marketdata.resumption import approve
from pump_party.domains.marketdata.store import Batch
from pump_party.kernel.errors import Unavailable
from pump_party.kernel.money import E8, format_e8
from pump_party.platform.clock import ManualClock

SOURCES = ("hyperliquid", "binance")
TWO_MINUTES_MS = 120_000


@pytest.fixture
def store(sqlite_database: Database) -> MarketDataStore:
    return MarketDataStore(sqlite_database)


def test_a_market_opens_halts_and_resumes_by_what_its_sources_say(store, clock):
    # what happens, second by second | what the market is afterwards
    # quarantine: a jump; only a level that two sources confirm ends it. Disagreement: only agreement ends it
    _story(
        store,
        clock,
        SOURCES,
        """
        hyperliquid 150      | 150
        binance 150.1        | 150
        hyperliquid 150.2    | 150.2
        binance 153          | 150.2 SOURCES_DISAGREE
        hyperliquid 151      | 150.2 SOURCES_DISAGREE
        hyperliquid 152      | 152
        hyperliquid 152000   | 152 QUARANTINE_JUMP
        hyperliquid 152      | 152 QUARANTINE_JUMP
        hyperliquid 152      | 152 QUARANTINE_JUMP
        binance 152          | 152 QUARANTINE_JUMP
        hyperliquid 152.1    | 152.1
        silent 10            | 152.1
        silent 1             | 152.1 FEED_SILENT
        binance 152.3        | 152.3
        usdc 1.011           | 152.3 QUOTE_DEPEG
        binance 152.4        | 152.3 QUOTE_DEPEG
        usdc 0.995           | 152.4
    """,
    )


def test_a_source_that_falls_silent_does_not_settle_a_disagreement(store, clock):
    _story(
        store,
        clock,
        SOURCES,
        """
        hyperliquid 150      | 150
        binance 154          | 150 SOURCES_DISAGREE
        silent 8             | 150 SOURCES_DISAGREE
        binance 154          | 150 SOURCES_DISAGREE
        silent 8             | 150 SOURCES_DISAGREE
        binance 154          | 150 SOURCES_DISAGREE
        hyperliquid 154      | 154
    """,
    )


def test_of_two_sources_one_that_falls_silent_leaves_the_other_in_the_lead(store, clock):
    _story(
        store,
        clock,
        SOURCES,
        """
        hyperliquid 150      | 150
        binance 150.1        | 150
        silent 4             | 150.1
        binance 150.2        | 150.2
        hyperliquid 150.3    | 150.3
    """,
    )


def test_a_market_of_one_source_stays_quarantined_until_two_operators_resume_it(store, clock):
    ingest = ingest_of(clock, store)
    _say(ingest, clock, "hyperliquid", "150")
    for _ in range(20):
        _say(ingest, clock, "hyperliquid", "170")
    ingest.write()
    assert _state(ingest) == "150 QUARANTINE_JUMP"

    (quarantine,) = store.open_quarantines("live")
    assert (quarantine.reference_e8, quarantine.observed_e8) == (e8("150"), e8("170"))
    for operator in ("ann", "bob"):
        assert _state(ingest) == "150 QUARANTINE_JUMP"
        _approve(store, clock, operator)
        ingest.write()
    assert _state(ingest) == "150 FEED_SILENT"
    _say(ingest, clock, "hyperliquid", "170")
    assert _state(ingest) == "170"
    ingest.write()
    assert store.open_quarantines("live") == []


def test_a_clock_that_is_off_halts_the_market_until_its_median_lag_is_back(store, clock):
    ingest = ingest_of(clock, store)
    for _ in range(40):
        _say(ingest, clock, "hyperliquid", "150", lag_ms=3_500)
    assert _state(ingest) == "150 CLOCK_SKEW"
    for _ in range(29):
        _say(ingest, clock, "hyperliquid", "150", lag_ms=100)
    assert _state(ingest) == "150 CLOCK_SKEW"
    for _ in range(4):
        _say(ingest, clock, "hyperliquid", "150.5", lag_ms=100)
    assert _state(ingest) == "150.5"


def test_a_server_clock_that_is_behind_is_seen_though_every_tick_is_from_the_future(store, clock):
    ingest = ingest_of(clock, store)
    _say(ingest, clock, "hyperliquid", "150")
    for _ in range(5):
        _say(ingest, clock, "hyperliquid", "150", lag_ms=-4_000)
    assert _state(ingest) == "150 CLOCK_SKEW"


def test_a_skewed_source_is_left_out_while_another_one_is_well(store, clock):
    ingest = ingest_of(clock, store, sources=SOURCES)
    for _ in range(10):
        _say(ingest, clock, "hyperliquid", "150", lag_ms=9_000)
        _say(ingest, clock, "binance", "150.5")
    assert ingest.due()[0].source == "binance"


def test_a_tape_that_starts_again_opens_at_once_and_draws_its_candles_anew(store, clock):
    ingest = ingest_of(clock, store, sources=("tape",), feed="tape")
    first_pass = [("150", 0), ("155", 20_000), ("152", 61_000), ("180", 90_000)]
    for mid, tape_ms in first_pass:
        _say(ingest, clock, "tape", mid, tape_ms=tape_ms)
    ingest.write()
    assert _state(ingest) == "152 QUARANTINE_JUMP"
    assert len(store.candles(SOL, CandleInterval.M1, before_ms=10**15, limit=10)) == 2

    _say(ingest, clock, "tape", "150", tape_ms=0)
    ingest.write()
    assert _state(ingest) == "150"
    (candle,) = store.candles(SOL, CandleInterval.M1, before_ms=10**15, limit=10)
    assert (candle.high_e8, candle.ticks, candle.complete) == (e8("150"), 1, False)
    (day,) = store.candles(SOL, CandleInterval.D1, before_ms=10**15, limit=10)
    assert (day.high_e8, day.ticks) == (e8("150"), 1)


def test_two_passes_of_a_tape_leave_the_same_candles(store, clock):
    drawn = []
    for _ in range(2):
        ingest = ingest_of(clock, store, sources=("tape",), feed="tape")
        for number in range(200):
            _say(ingest, clock, "tape", f"{150 + number % 7}", tape_ms=number * 1_000)
            ingest.write()
        drawn.append([store.candles(SOL, interval, before_ms=10**15, limit=1_000) for interval in CandleInterval])
    assert drawn[0] == drawn[1]
    assert [len(candles) for candles in drawn[0]] == [4, 1, 1, 1]


def test_a_forming_candle_goes_on_after_a_restart(store, clock):
    ingest = ingest_of(clock, store)
    _say(ingest, clock, "hyperliquid", "150")
    _say(ingest, clock, "hyperliquid", "155")
    ingest.write()

    restarted = ingest_of(clock, store)
    _say(restarted, clock, "hyperliquid", "152")
    restarted.write()
    (day,) = store.candles(SOL, CandleInterval.D1, before_ms=10**15, limit=10)
    assert (day.open_e8, day.high_e8, day.close_e8, day.ticks) == (e8("150"), e8("155"), e8("152"), 3)


def test_after_a_restart_a_recent_price_is_still_the_reference_of_a_jump(store, clock):
    ingest = ingest_of(clock, store)
    _say(ingest, clock, "hyperliquid", "150")
    ingest.write()
    _say(ingest_of(clock, store), clock, "hyperliquid", "170", expect_halt=True)

    clock.advance(REFERENCE_AGE_MS_MAX)
    much_later = ingest_of(clock, store)
    _say(much_later, clock, "hyperliquid", "170")
    assert _state(much_later) == "170"


def test_a_quarantine_outlives_a_restart_of_live_prices_however_late(store, clock):
    ingest = ingest_of(clock, store)
    _say(ingest, clock, "hyperliquid", "150")
    _say(ingest, clock, "hyperliquid", "170")
    ingest.write()
    clock.advance(10 * REFERENCE_AGE_MS_MAX)
    restarted = ingest_of(clock, store)
    _say(restarted, clock, "hyperliquid", "170", expect_halt=True)
    assert len(store.open_quarantines("live")) == 1


@pytest.mark.parametrize("feed", ["synthetic", "tape"])
def test_a_made_up_or_replayed_market_starts_every_run_without_a_past(store, clock, feed):
    ingest = ingest_of(clock, store, sources=(feed,), feed=feed)
    _say(ingest, clock, feed, "150")
    _say(ingest, clock, feed, "170")
    ingest.write()
    restarted = ingest_of(clock, store, sources=(feed,), feed=feed)
    _say(restarted, clock, feed, "170")
    assert _state(restarted) == "170"
    restarted.write()
    assert store.open_quarantines(feed) == []


def test_synthetic_prices_never_enter_a_live_chart(store, clock):
    live = ingest_of(clock, store)
    _say(live, clock, "hyperliquid", "150")
    live.write()
    made_up = ingest_of(clock, store, sources=("synthetic",), feed="synthetic")
    _say(made_up, clock, "synthetic", "100")
    made_up.write()
    (candle,) = store.candles(SOL, CandleInterval.D1, before_ms=10**15, limit=10)
    assert candle.low_e8 == candle.high_e8 == e8("100")
    (candle,) = store.newest_candles("live", SOL, not_after_ms=clock.now_ms())[-1:]
    assert candle.low_e8 == candle.high_e8 == e8("150")


def test_quotes_are_handed_out_once_and_a_halt_is_told_at_once(store, clock):
    ingest = ingest_of(clock, store)
    told = []
    ingest.on_halt(lambda: told.append(clock.now_ms()))
    _say(ingest, clock, "hyperliquid", "150")
    _say(ingest, clock, "hyperliquid", "151")
    assert ingest.due(halts_only=True) == []
    assert [format_e8(quote.mid_e8) for quote in ingest.due()] == ["151"]
    assert ingest.due() == []
    assert told == []
    _say(ingest, clock, "hyperliquid", "170")
    assert told == [clock.now_ms()]
    (halt,) = ingest.due(halts_only=True)
    assert halt.halt_reason is HaltReason.QUARANTINE_JUMP
    assert ingest.due(halts_only=True) == []
    assert ingest.due() == []


def test_a_quote_carries_the_evidence_of_its_tick(store, clock):
    ingest = ingest_of(clock, store, sources=("tape",), feed="tape")
    one = tick("150", source="tape", publish_ms=clock.now_ms(), slot=9, tape_ms=123_456)
    report(ingest, one)
    (quote,) = ingest.due()
    assert quote == Quote(
        market=SOL,
        mid_e8=one.mid_e8,
        conf_e8=one.conf_e8,
        publish_ms=one.publish_ms,
        recv_ms=one.recv_ms,
        slot=9,
        source="tape",
        tick_sha256=one.raw_sha256,
        feed="tape",
        tape_ms=123_456,
    )
    assert quote.chart_ms() == 123_456


def test_markets_do_not_touch_each_other(store, clock):
    ingest = ingest_of(clock, store)
    report(ingest, tick("150", publish_ms=clock.now_ms()), tick("100000", publish_ms=clock.now_ms(), market=BTC))
    clock.advance(1)
    report(ingest, tick("1", publish_ms=clock.now_ms()))
    states = {quote.market: quote.halt_reason for quote in ingest.due()}
    assert states == {SOL: HaltReason.QUARANTINE_JUMP, BTC: None}


def test_health_counts_what_was_admitted_and_refused_by_reason(store, clock):
    ingest = ingest_of(clock, store, sources=SOURCES)
    for state in (SourceState.LIVE, SourceState.RECONNECTING, SourceState.RECONNECTING, SourceState.LIVE):
        ingest.state_changed("hyperliquid", state, "closed by peer" if state is SourceState.RECONNECTING else None)
    first = tick("150", publish_ms=clock.now_ms())
    report(ingest, first, first, replace(first, mid_e8=0), tick("151", publish_ms=clock.now_ms() + 1))
    clock.advance(2_000)
    report(ingest, tick("151", publish_ms=clock.now_ms()))

    hyperliquid, binance = ingest.health()
    assert (hyperliquid.state, hyperliquid.reconnects, hyperliquid.last_error) == ("live", 1, "closed by peer")
    assert (hyperliquid.admitted, hyperliquid.refused, hyperliquid.age_ms) == (3, 2, 0)
    assert hyperliquid.refused_by == {"DROP_DUPLICATE": 1, "DROP_NONPOSITIVE": 1}
    assert hyperliquid.rate_per_minute == 3
    assert (binance.state, binance.admitted, binance.last_tick_ms, binance.age_ms) == ("connecting", 0, None, None)
    clock.advance(59_000)
    assert ingest.health()[0].rate_per_minute == 1
    clock.advance(60_000)
    assert ingest.health()[0].rate_per_minute == 0


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
    _say(ingest, clock, "hyperliquid", "150")
    _say(ingest, clock, "hyperliquid", "170")
    with pytest.raises(Unavailable):
        ingest.write()
    clock.advance(TWO_MINUTES_MS)
    _say(ingest, clock, "hyperliquid", "150.5")
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


@settings(max_examples=60)
@given(
    st.lists(
        st.tuples(
            st.sampled_from(["hyperliquid", "binance", "pyth"]),
            st.sampled_from([-1, 0, 1, 149, 150, 151, 152, 160, 170, 150_000]),
            st.integers(-4_000, 4_000),
            st.integers(0, 5_000),
        ),
        max_size=80,
    )
)
def test_no_refused_tick_ever_becomes_a_quote_or_part_of_a_candle(steps):
    clock = ManualClock(NOW_MS)
    store = Candles()
    ingest = ingest_of(clock, store, sources=("hyperliquid", "binance", "pyth"))
    observed, quoted, admitted = {}, set(), 0
    for number, (source, mid, publish_after_ms, pause_ms) in enumerate(steps):
        clock.advance(pause_ms)
        one = tick(source=source, publish_ms=clock.now_ms() + publish_after_ms, recv_ms=clock.now_ms(), slot=number)
        one = replace(one, mid_e8=mid * E8, raw_sha256=f"{number:064x}")
        before = sum(health.admitted for health in ingest.health())
        report(ingest, one)
        admitted = sum(health.admitted for health in ingest.health())
        if admitted > before:
            observed[one.raw_sha256] = one
        for quote in ingest.due():
            assert quote.tick_sha256 in observed
            assert quote.mid_e8 == observed[quote.tick_sha256].mid_e8 > 0
            assert quote.conf_e8 >= observed[quote.tick_sha256].conf_e8
            if quote.halt_reason is None:
                quoted.add(quote.mid_e8)
    ingest.write()
    for candle in store.candles:
        assert {candle.open_e8, candle.high_e8, candle.low_e8, candle.close_e8} <= quoted
        assert candle.low_e8 <= min(candle.open_e8, candle.close_e8)
        assert candle.high_e8 >= max(candle.open_e8, candle.close_e8)


class FlakyStore:
    """The real store, behind a connection that comes and goes."""

    def __init__(self, store: MarketDataStore) -> None:
        self._store = store
        self.away = False

    def __getattr__(self, name: str) -> object:
        if self.away:
            raise Unavailable("the database does not answer")
        return getattr(self._store, name)


class Candles:
    """Keeps the last batch's candles: for thousands of runs without a disk."""

    def __init__(self) -> None:
        self.candles = ()

    def write(self, batch: Batch) -> None:
        self.candles = batch.candles

    def newest_candles(self, *_: object, **__: object) -> list[object]:
        return []

    def open_quarantines(self, _: str) -> list[object]:
        return []

    def approved_quarantines(self, _: str) -> list[object]:
        return []


class Objects:
    """A place for payloads that comes and goes."""

    def __init__(self) -> None:
        self.kept: dict[str, bytes] = {}
        self.away = False

    def put(self, sha256: str, body: bytes) -> None:
        if self.away:
            raise Unavailable("the object store refused")
        self.kept[sha256] = body


def _story(store: MarketDataStore, clock: ManualClock, sources: tuple[str, ...], table: str) -> None:
    ingest = ingest_of(clock, store, sources=sources)
    for line in filter(None, (line.strip() for line in table.splitlines())):
        what, expected = (part.strip() for part in line.split("|"))
        subject, value = what.split()
        if subject == "silent":
            clock.advance(int(value) * 1_000)
        elif subject == "usdc":
            ingest.quote_asset_rate("pyth", e8(value), clock.now_ms())
        else:
            _say(ingest, clock, subject, value)
        assert _state(ingest) == expected, line


def _say(
    ingest: Ingest,
    clock: ManualClock,
    source: str,
    mid: str,
    *,
    lag_ms: int = 0,
    tape_ms: int | None = None,
    expect_halt: bool = False,
) -> None:
    clock.advance(1_000)
    now_ms = clock.now_ms()
    report(ingest, tick(mid, source=source, publish_ms=now_ms - lag_ms, recv_ms=now_ms, tape_ms=tape_ms))
    if expect_halt:
        assert ingest.health()[0].refused_by == {"QUARANTINE_JUMP": 1}
        assert all(quote.halt_reason is HaltReason.QUARANTINE_JUMP for quote in ingest.due())


def _state(ingest: Ingest) -> str:
    """The quote of SOL as it stands: its price, and why it is halted."""
    ingest.due()
    quote = ingest._runs[SOL].quote
    assert quote is not None
    return f"{format_e8(quote.mid_e8)} {quote.halt_reason or ''}".strip()


def _approve(store: MarketDataStore, clock: ManualClock, operator: str) -> None:
    store.approve(SOL, partial(approve, approval=approval(operator, at_ms=clock.now_ms())))
