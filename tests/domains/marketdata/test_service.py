import pytest
from msgspec.structs import replace
from tests.domains.marketdata.feeds import NOW_MS, REGISTRY, SOL, e8, jump, minute

from pump_party.db.engine import Database
from pump_party.db.marketdata import MarketDataStore
from pump_party.domains.marketdata.contract import (
    CANDLES_LIMIT_MAX,
    Book,
    Candle,
    CandleInterval,
    HaltReason,
    MarketLag,
    MarketState,
    Quote,
    SourceHealth,
    SourceState,
)
from pump_party.domains.marketdata.service import DAY_MS, HEALTH_KEPT_MS, LAG_KEPT_MS, MarketDataService
from pump_party.domains.marketdata.store import Batch
from pump_party.kernel.errors import Conflict, Invalid, NotFound, Refusal
from pump_party.platform.clock import ManualClock
from pump_party.redis.memory import MemoryBooks, MemoryQuotes

MINUTE_MS = 60_000


@pytest.fixture
def quotes() -> MemoryQuotes:
    return MemoryQuotes()


@pytest.fixture
def store(sqlite_database: Database) -> MarketDataStore:
    return MarketDataStore(sqlite_database)


@pytest.fixture
def books() -> MemoryBooks:
    return MemoryBooks()


@pytest.fixture
def service(store: MarketDataStore, quotes: MemoryQuotes, books: MemoryBooks, clock: ManualClock) -> MarketDataService:
    return MarketDataService(store, quotes, books, clock, REGISTRY)


def test_a_market_without_a_price_is_halted_and_says_so(service):
    views = service.markets()
    assert [view.asset.market for view in views] == [asset.market for asset in REGISTRY.assets()]
    assert {(view.state, view.halt_reason, view.quote) for view in views} == {
        (MarketState.HALTED, HaltReason.NO_PRICE, None)
    }


def test_a_market_shows_its_quote_and_age_and_closes_itself_when_no_worker_speaks(service, quotes, clock):
    quotes.put([_quote()])
    clock.advance(1_500)
    view = service.market("SOL-USDC")
    assert (view.state, view.halt_reason, view.age_ms) == (MarketState.OPEN, None, 1_500)
    clock.advance(8_501)
    view = service.market("SOL-USDC")
    assert (view.state, view.halt_reason) == (MarketState.HALTED, HaltReason.FEED_SILENT)


@pytest.mark.parametrize(("latency_ms", "eligible"), [(1_500, True), (1_499, False), (None, False)])
def test_a_market_is_eligible_when_orders_that_count_for_a_contest_outwait_its_lag(
    store, quotes, books, clock, latency_ms, eligible
):
    latencies = {} if latency_ms is None else {SOL: latency_ms}
    service = MarketDataService(store, quotes, books, clock, REGISTRY, latencies)
    assert service.market(SOL).contest_eligible is None
    quotes.put_lags([MarketLag(SOL, 400, 1_000, 6, clock.now_ms())])
    assert service.market(SOL).contest_eligible is eligible
    quotes.put([_quote()])
    assert service.market(SOL).contest_eligible is eligible


def test_a_halted_market_says_why(service, quotes):
    quotes.put([_quote(halt_reason=HaltReason.QUARANTINE_JUMP)])
    assert service.market("SOL-USDC").halt_reason is HaltReason.QUARANTINE_JUMP


@pytest.mark.parametrize(
    ("opened_before_ms", "price", "change_ppm"),
    [
        (DAY_MS + MINUTE_MS, "100", 500_000),
        (DAY_MS + MINUTE_MS, "300", -500_000),
        (DAY_MS + 60 * MINUTE_MS, "100", 500_000),
        (DAY_MS + 62 * MINUTE_MS, "100", None),
        (DAY_MS, "100", None),
    ],
)
def test_the_change_is_against_the_last_price_of_24_hours_ago(
    service, store, quotes, opened_before_ms, price, change_ppm
):
    chart_ms = 10 * DAY_MS
    quotes.put([_quote(tape_ms=chart_ms)])
    _store(store, [minute(chart_ms - opened_before_ms, price)], chart_ms=chart_ms)
    assert service.market("SOL-USDC").change_24h_ppm == change_ppm


def test_candles_are_read_newest_first_before_a_cursor(service, store):
    _store(store, [minute(number * MINUTE_MS, "150") for number in range(5)], chart_ms=5 * MINUTE_MS - 1)
    first = service.candles("SOL-USDC", CandleInterval.M1, before_ms=None, limit=2)
    assert [(candle.open_ms // MINUTE_MS, candle.complete) for candle in first] == [(4, False), (3, True)]
    rest = service.candles("SOL-USDC", CandleInterval.M1, before_ms=first[-1].open_ms, limit=10)
    assert [candle.open_ms // MINUTE_MS for candle in rest] == [2, 1, 0]


@pytest.mark.parametrize(
    ("before_ms", "limit", "field"),
    [(None, 0, "limit"), (None, CANDLES_LIMIT_MAX + 1, "limit"), (-1, 1, "before_ms"), (2**63, 1, "before_ms")],
)
def test_a_candle_read_out_of_range_is_refused_by_field(service, before_ms, limit, field):
    with pytest.raises(Invalid) as refused:
        service.candles("SOL-USDC", CandleInterval.M1, before_ms=before_ms, limit=limit)
    assert refused.value.field == field


def test_an_unknown_market_is_refused_everywhere(service):
    for read in (
        lambda: service.market("NOPE"),
        lambda: service.candles("NOPE", CandleInterval.M1, before_ms=None, limit=1),
        lambda: service.approve_resume("NOPE", operator="ann", reason="checked"),
    ):
        with pytest.raises(NotFound) as refused:
            read()
        assert refused.value.code == "market_unknown"


def test_a_source_nobody_speaks_of_any_more_is_not_listed(service, quotes, clock):
    quotes.put_health([_health("binance", clock.now_ms()), _health("pyth", clock.now_ms() - HEALTH_KEPT_MS - 1)])
    assert [one.source for one in service.sources()] == ["binance"]


def test_operators_approve_and_see_what_they_approve(service, store):
    with pytest.raises(Conflict) as refused:
        service.approve_resume("SOL-USDC", operator="ann", reason="checked")
    assert refused.value.code == "market_not_quarantined"

    store.write(Batch("live", NOW_MS, [], {}, [], [jump()], []))
    first = service.approve_resume("SOL-USDC", operator="ann", reason="checked on two venues")
    assert (first.approved, first.reference_e8, first.observed_e8) == (False, e8("150"), e8("170"))
    second = service.approve_resume("SOL-USDC", operator="bob", reason="checked as well")
    assert second.approved
    assert [approval.operator for approval in second.approvals] == ["ann", "bob"]


def _quote(*, tape_ms: int | None = None, halt_reason: HaltReason | None = None) -> Quote:
    return Quote(
        market=SOL,
        mid_e8=e8("150"),
        conf_e8=e8("0.05"),
        publish_ms=NOW_MS,
        recv_ms=NOW_MS,
        slot=1,
        source="tape",
        tick_sha256="00" * 32,
        feed="tape",
        tape_ms=tape_ms,
        halt_reason=halt_reason,
    )


def _store(store: MarketDataStore, candles: list[Candle], *, chart_ms: int) -> None:
    store.write(Batch("tape", NOW_MS, candles, {SOL: chart_ms}, [], [], []))


def _health(source: str, updated_ms: int) -> SourceHealth:
    return SourceHealth(source, SourceState.LIVE, None, None, 0, 0, 0, 0, None, updated_ms)


def test_a_book_is_cut_to_the_depth_asked_for_and_one_that_nobody_has_shown_is_not_empty(service, books):
    shown = Book(SOL, ((99, 1), (98, 2), (97, 3)), ((101, 4), (102, 5)), 7, NOW_MS, NOW_MS, "binance", "ab" * 32)
    books.put([shown])
    assert service.book("SOL-USDC", depth=2) == replace(shown, bids=((99, 1), (98, 2)))
    for market, depth, code in (
        ("BTC-USDC", 1, "book_unknown"),
        ("NOPE-USDC", 1, "market_unknown"),
        ("SOL-USDC", 0, "invalid"),
        ("SOL-USDC", 101, "invalid"),
    ):
        with pytest.raises(Refusal) as refused:
            service.book(market, depth=depth)
        assert refused.value.code == code


def test_a_market_shows_its_oracle_lag_while_it_is_recent(service, quotes, clock):
    lag = MarketLag(SOL, 400, 900, 6, clock.now_ms())
    quotes.put_lags([lag])
    assert [view.lag for view in service.markets()][:2] == [lag, None]
    clock.advance(LAG_KEPT_MS)
    assert service.market("SOL-USDC").lag == lag
    clock.advance(1)
    assert service.market("SOL-USDC").lag is None
