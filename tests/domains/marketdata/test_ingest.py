from functools import partial

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace
from tests.domains.marketdata.feeds import BTC, NOW_MS, SOL, approval, e8, ingest_of, report, say, state, tick

from pump_party.db.engine import Database
from pump_party.db.marketdata import MarketDataStore
from pump_party.domains.marketdata.contract import HaltReason, Quote, SourceState
from pump_party.domains.marketdata.resumption import approve
from pump_party.domains.marketdata.store import Batch
from pump_party.kernel.money import E8, format_e8
from pump_party.platform.clock import ManualClock

SOURCES = ("hyperliquid", "binance")


@pytest.fixture
def store(sqlite_database: Database) -> MarketDataStore:
    return MarketDataStore(sqlite_database)


def test_a_market_opens_halts_and_resumes_by_what_its_sourcessay(store, clock):
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


def test_a_confirmed_new_level_opens_the_market_at_once_whatever_the_others_said_before(store, clock):
    _story(
        store,
        clock,
        SOURCES,
        """
        hyperliquid 150      | 150
        binance 150          | 150
        hyperliquid 170      | 150 QUARANTINE_JUMP
        hyperliquid 170      | 150 QUARANTINE_JUMP
        binance 170          | 150 QUARANTINE_JUMP
        hyperliquid 170.1    | 170.1
    """,
    )
    _story(
        store,
        clock,
        (*SOURCES, "pyth"),
        """
        pyth 150             | 150
        hyperliquid 150      | 150
        binance 170          | 150 QUARANTINE_JUMP
        hyperliquid 170      | 150 QUARANTINE_JUMP
        binance 170          | 150 QUARANTINE_JUMP
        binance 170.1        | 170.1
    """,
    )


def test_an_older_rate_of_the_quote_asset_does_not_undo_a_newer_one(store, clock):
    ingest = ingest_of(clock, store)
    say(ingest, clock, "hyperliquid", "150")
    ingest.quote_asset_rate("pyth", e8("0.9"), clock.now_ms())
    ingest.quote_asset_rate("pyth", e8("1"), clock.now_ms() - 1)
    assert state(ingest) == "150 QUOTE_DEPEG"
    ingest.quote_asset_rate("jupiter", e8("1"), clock.now_ms() + 1)
    assert state(ingest) == "150 QUOTE_DEPEG"


def test_a_depeg_outlives_the_silence_of_who_reported_it_until_another_source_says_otherwise(store, clock):
    ingest = ingest_of(clock, store)
    ingest.quote_asset_rate("pyth", e8("0.9"), clock.now_ms())
    for _ in range(11):
        say(ingest, clock, "hyperliquid", "150")
    assert state(ingest) == "150 QUOTE_DEPEG"
    ingest.quote_asset_rate("jupiter", e8("1"), clock.now_ms())
    assert state(ingest) == "150"
    ingest.quote_asset_rate("pyth", e8("0.9"), clock.now_ms())
    assert state(ingest) == "150 QUOTE_DEPEG"
    ingest.quote_asset_rate("pyth", e8("1"), clock.now_ms() + 1)
    assert state(ingest) == "150"


def test_a_depeg_stands_when_all_who_know_the_rate_fall_silent_together(store, clock):
    ingest = ingest_of(clock, store)
    ingest.quote_asset_rate("pyth", e8("0.9"), clock.now_ms())
    for _ in range(9):
        say(ingest, clock, "hyperliquid", "150")
    ingest.quote_asset_rate("jupiter", e8("1"), clock.now_ms())
    for _ in range(30):
        say(ingest, clock, "hyperliquid", "150")
    assert state(ingest) == "150 QUOTE_DEPEG"


def test_a_source_that_only_repeats_an_old_rate_of_the_quote_asset_counts_as_silent(store, clock):
    ingest = ingest_of(clock, store)
    published_ms = clock.now_ms()
    for _ in range(11):
        ingest.quote_asset_rate("pyth", e8("0.9"), published_ms)
        say(ingest, clock, "hyperliquid", "150")
    ingest.quote_asset_rate("jupiter", e8("1"), clock.now_ms())
    assert state(ingest) == "150"


def test_the_confidence_of_a_median_widens_when_another_source_moves_away(store, clock):
    ingest = ingest_of(clock, store, sources=(*SOURCES, "pyth"))
    for source, mid in (("hyperliquid", "150"), ("binance", "150.1"), ("pyth", "150.2")):
        say(ingest, clock, source, mid)
    ingest.due()
    for source, mid in (("hyperliquid", "149.5"), ("pyth", "150.7")):
        say(ingest, clock, source, mid)
    (quote,) = ingest.due()
    assert (quote.mid_e8, quote.conf_e8) == (e8("150.1"), e8("0.6"))


def test_a_market_of_one_source_stays_quarantined_until_two_operators_resume_it(store, clock):
    ingest = ingest_of(clock, store)
    say(ingest, clock, "hyperliquid", "150")
    for _ in range(20):
        say(ingest, clock, "hyperliquid", "170")
    ingest.write()
    assert state(ingest) == "150 QUARANTINE_JUMP"

    (quarantine,) = store.open_quarantines("live")
    assert (quarantine.reference_e8, quarantine.observed_e8) == (e8("150"), e8("170"))
    for operator in ("ann", "bob"):
        assert state(ingest) == "150 QUARANTINE_JUMP"
        _approve(store, clock, operator)
        ingest.write()
    assert state(ingest) == "150 FEED_SILENT"
    say(ingest, clock, "hyperliquid", "170")
    assert state(ingest) == "170"
    ingest.write()
    assert store.open_quarantines("live") == []


def test_a_clock_that_is_off_halts_the_market_until_its_median_lag_is_back(store, clock):
    ingest = ingest_of(clock, store)
    for _ in range(40):
        say(ingest, clock, "hyperliquid", "150", lag_ms=3_500)
    assert state(ingest) == "150 CLOCK_SKEW"
    for _ in range(29):
        say(ingest, clock, "hyperliquid", "150", lag_ms=100)
    assert state(ingest) == "150 CLOCK_SKEW"
    for _ in range(4):
        say(ingest, clock, "hyperliquid", "150.5", lag_ms=100)
    assert state(ingest) == "150.5"


def test_a_server_clock_that_is_behind_is_seen_though_every_tick_is_from_the_future(store, clock):
    ingest = ingest_of(clock, store)
    say(ingest, clock, "hyperliquid", "150")
    for _ in range(5):
        say(ingest, clock, "hyperliquid", "150", lag_ms=-4_000)
    assert state(ingest) == "150 CLOCK_SKEW"


def test_a_skewed_source_is_left_out_while_another_one_is_well(store, clock):
    ingest = ingest_of(clock, store, sources=SOURCES)
    for _ in range(10):
        say(ingest, clock, "hyperliquid", "150", lag_ms=9_000)
        say(ingest, clock, "binance", "150.5")
    assert ingest.due()[0].source == "binance"


def test_quotes_are_handed_out_once_and_a_halt_is_told_at_once(store, clock):
    ingest = ingest_of(clock, store)
    told = []
    ingest.on_halt(lambda: told.append(clock.now_ms()))
    say(ingest, clock, "hyperliquid", "150")
    say(ingest, clock, "hyperliquid", "151")
    assert ingest.due(halts_only=True) == []
    assert [format_e8(quote.mid_e8) for quote in ingest.due()] == ["151"]
    assert ingest.due() == []
    assert told == []
    say(ingest, clock, "hyperliquid", "170")
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
    ingest.state_changed("hyperliquid", SourceState.LIVE)
    ingest.state_changed("hyperliquid", SourceState.RECONNECTING, "closed by peer")
    ingest.state_changed("hyperliquid", SourceState.RECONNECTING, "closed by peer")
    ingest.state_changed("hyperliquid", SourceState.LIVE)
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
            say(ingest, clock, subject, value)
        assert state(ingest) == expected, line


def _approve(store: MarketDataStore, clock: ManualClock, operator: str) -> None:
    store.approve(SOL, partial(approve, approval=approval(operator, at_ms=clock.now_ms())))
