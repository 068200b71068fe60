from functools import partial

import pytest
import sqlalchemy as sa
from msgspec.structs import replace
from tests.domains.marketdata.feeds import BTC, NOW_MS, SOL, approval, e8, jump, minute

from pump_party.db import marketdata
from pump_party.db.engine import Database
from pump_party.db.marketdata import MarketDataStore
from pump_party.domains.marketdata.admission import Verdict
from pump_party.domains.marketdata.contract import Candle, CandleInterval
from pump_party.domains.marketdata.resumption import approve
from pump_party.domains.marketdata.store import Batch, EndedBy, QuarantineEnd, Refusal
from pump_party.kernel.errors import Conflict
from pump_party.kernel.ids import Market
from pump_party.kernel.money import INT64_MAX

MINUTE_MS = 60_000
FOREVER_MS = INT64_MAX


@pytest.fixture
def store(database: Database) -> MarketDataStore:
    return MarketDataStore(database)


def test_a_candle_replaces_the_one_that_is_stored(store):
    first = minute(0, "150")
    second = replace(first, high_e8=e8("160"), close_e8=e8("155"), ticks=7)
    _write(store, candles=[first], chart_ms=1)
    _write(store, candles=[second, minute(0, "100000", market=BTC)], chart_ms=2)
    assert _read(store) == [second]


def test_candles_come_newest_first_before_a_cursor_and_never_from_after_the_chart(store):
    _write(store, candles=[minute(number * MINUTE_MS, "150") for number in range(10)], chart_ms=4 * MINUTE_MS)
    assert [candle.open_ms // MINUTE_MS for candle in _read(store)] == [4, 3, 2, 1, 0]
    assert [candle.complete for candle in _read(store)] == [False, True, True, True, True]
    assert [candle.open_ms // MINUTE_MS for candle in _read(store, before_ms=3 * MINUTE_MS, limit=2)] == [2, 1]


def test_a_chart_shows_the_candles_of_its_feed_only(store):
    _write(store, candles=[minute(0, "150")], chart_ms=1, feed="live")
    _write(store, candles=[minute(0, "99")], chart_ms=1, feed="synthetic")
    assert [candle.open_e8 for candle in _read(store)] == [e8("99")]
    _write(store, candles=[minute(MINUTE_MS, "151")], chart_ms=MINUTE_MS, feed="live")
    assert [candle.open_e8 for candle in _read(store)] == [e8("151"), e8("150")]


def test_a_market_without_a_chart_has_no_candles(store):
    assert _read(store) == []


def test_the_newest_candle_of_each_interval_is_found_up_to_a_time(store):
    candles = [
        minute(open_ms, "150", interval=interval)
        for interval in CandleInterval
        for open_ms in (0, 86_400_000, 172_800_000)
    ]
    _write(store, candles=candles, chart_ms=172_800_000)
    found = store.newest_candles("live", SOL, not_after_ms=172_799_999)
    assert {candle.interval: candle.open_ms for candle in found} == dict.fromkeys(CandleInterval, 86_400_000)
    assert store.newest_candles("tape", SOL, not_after_ms=FOREVER_MS) == []


def test_the_close_of_the_newest_minute_in_a_span_is_found(store):
    _write(store, candles=[minute(number * MINUTE_MS, str(100 + number)) for number in range(5)], chart_ms=10**6)
    assert store.close_before("live", SOL, after_ms=MINUTE_MS, before_ms=3 * MINUTE_MS) == e8("103")
    assert store.close_before("live", SOL, after_ms=4 * MINUTE_MS, before_ms=9 * MINUTE_MS) is None
    assert store.close_before("tape", SOL, after_ms=0, before_ms=9 * MINUTE_MS) is None


@pytest.mark.parametrize("broken", [{"high_e8": 1}, {"low_e8": 10**15}, {"low_e8": 0}, {"ticks": -1}])
def test_the_database_refuses_a_candle_that_cannot_be(store, broken):
    with pytest.raises(sa.exc.IntegrityError):
        _write(store, candles=[replace(minute(0, "150"), **broken)], chart_ms=1)


def test_a_quarantine_is_open_until_it_is_ended(store):
    store.write(_batch(quarantines=[jump()]))
    store.write(_batch(quarantines=[jump()]))
    assert store.open_quarantines("live") == [jump()]
    assert store.open_quarantines("tape") == []
    store.write(_batch(ends=[QuarantineEnd(SOL, NOW_MS, NOW_MS + 5, EndedBy.SOURCES)]))
    assert store.open_quarantines("live") == []


def test_two_approvals_are_kept_with_their_reasons(store, database):
    store.write(_batch(quarantines=[jump(), jump(market=BTC)]))
    quarantine, approvals = store.approve(SOL, partial(approve, approval=approval("ann")))
    assert (quarantine, len(approvals)) == (jump(), 1)
    assert store.approved_quarantines("live") == []
    store.approve(SOL, partial(approve, approval=approval("bob", reason="agreed")))
    assert store.approved_quarantines("live") == [jump()]
    with database.read() as connection:
        row = connection.execute(sa.select(marketdata.quarantines).where(marketdata.quarantines.c.market == SOL)).one()
    assert (row.first_operator, row.second_operator, row.second_reason) == ("ann", "bob", "agreed")


def test_the_same_person_twice_is_refused_by_the_rule_and_by_the_database(store, database):
    store.write(_batch(quarantines=[jump()]))
    store.approve(SOL, partial(approve, approval=approval("ann")))
    with pytest.raises(Conflict):
        store.approve(SOL, partial(approve, approval=approval("ann")))
    with pytest.raises(sa.exc.IntegrityError):
        store.approve(SOL, lambda approvals: (*approvals, approval("ann")))
    assert store.approved_quarantines("live") == []


def test_a_market_that_is_not_quarantined_cannot_be_approved(store):
    with pytest.raises(Conflict) as refused:
        store.approve(SOL, lambda approvals: approvals)
    assert refused.value.code == "market_not_quarantined"


def test_what_is_kept_is_bounded(store, database, monkeypatch):
    monkeypatch.setattr(marketdata, "REFUSALS_KEPT", 3)
    monkeypatch.setattr(marketdata, "QUARANTINES_KEPT", 1)
    kept_ms = marketdata.CANDLES_KEPT_MS[CandleInterval.M1]
    chart_ms = 10 * kept_ms
    opens = [chart_ms - kept_ms - MINUTE_MS, chart_ms - kept_ms, chart_ms, chart_ms + kept_ms + MINUTE_MS]
    refusals = [_refusal(Verdict.QUARANTINE_JUMP, at_ms=0)]
    refusals += [_refusal(Verdict.DROP_DUPLICATE, at_ms=number) for number in range(10)]
    _write(store, candles=[minute(open_ms, "150") for open_ms in opens], chart_ms=chart_ms)
    ended = [QuarantineEnd(SOL, since_ms, NOW_MS, EndedBy.OPERATORS) for since_ms in (2, 3)]
    jumps = [jump(since_ms=since_ms) for since_ms in (1, 2, 3)]
    store.write(replace(_batch(quarantines=jumps, ends=ended), refusals=refusals))
    store.prune("live", now_ms=NOW_MS)

    with database.read() as connection:
        candles = connection.execute(sa.select(marketdata.candles.c.open_ms).order_by("open_ms")).scalars().all()
        kept = connection.execute(
            sa.select(marketdata.refusals.c.verdict, marketdata.refusals.c.at_ms).order_by("refusal_no")
        ).all()
        since = connection.execute(sa.select(marketdata.quarantines.c.since_ms).order_by("since_ms")).scalars().all()
    assert candles == opens[1:3]
    assert kept == [("QUARANTINE_JUMP", 0), ("DROP_DUPLICATE", 7), ("DROP_DUPLICATE", 8), ("DROP_DUPLICATE", 9)]
    assert since == [1, 3]


def test_pruning_an_empty_database_does_nothing(store):
    store.prune("live", now_ms=NOW_MS)
    assert store.open_quarantines("live") == []


def _batch(*, feed: str = "live", **more: object) -> Batch:
    empty = {"candles": [], "charts": {}, "refusals": [], "quarantines": [], "ends": []}
    return Batch(feed=feed, now_ms=NOW_MS, **(empty | more))


def _write(store: MarketDataStore, *, candles: list[Candle], chart_ms: int, feed: str = "live") -> None:
    store.write(_batch(feed=feed, candles=candles, charts={SOL: chart_ms}))


def _read(store: MarketDataStore, *, before_ms: int = FOREVER_MS, limit: int = 100) -> list[Candle]:
    return list(store.candles(SOL, CandleInterval.M1, before_ms=before_ms, limit=limit))


def _refusal(verdict: Verdict, *, at_ms: int) -> Refusal:
    return Refusal(at_ms, "binance", Market("SOL-USDC"), verdict, 1, 1, 1, 1, "00" * 32)
