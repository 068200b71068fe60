"""What an account leaves at the end of a contest: on SQLite and on Postgres, with the prices that ingestion kept."""

import pytest
from tests.db.desk import ALICE, BOB, ONE_SOL, START, Desk
from tests.domains.marketdata.feeds import REGISTRY
from tests.domains.prop_engine.markets import SOL, rule_sets

from pump_party.db.engine import Database
from pump_party.db.marketdata import MarketDataStore
from pump_party.domains.marketdata.closing import CLOSING_MOVES_MS_MAX, SETTLED_MS
from pump_party.domains.marketdata.service import MarketDataService
from pump_party.domains.marketdata.store import Batch, Moment
from pump_party.domains.prop_engine.service import PropTradingEngine
from pump_party.domains.prop_interface.contract import EndStatus, StandingAtEnd
from pump_party.kernel.errors import Conflict, NotFound
from pump_party.kernel.ids import Market
from pump_party.kernel.money import E8
from pump_party.platform.clock import ManualClock
from pump_party.platform.ids import Ids
from pump_party.redis.memory import MemoryBooks, MemoryQuotes

SOL_PERP = Market("SOL-PERP")
HOUR_MS = 3_600_000


class Contest:
    """A desk whose engine knows the market's past, and an end an hour ahead."""

    def __init__(self, database: Database, clock: ManualClock, market: Market) -> None:
        self.desk = Desk(database, clock, "practice-v2", market)
        self.store = MarketDataStore(database)
        history = MarketDataService(self.store, MemoryQuotes(), MemoryBooks(), clock, REGISTRY)
        desk = self.desk
        ids, cache = Ids(clock), (desk.quotes, desk.books)
        desk.engine = PropTradingEngine(desk.store, *cache, rule_sets(), clock, ids, closings=history)
        self.end_ms = clock.now_ms() // HOUR_MS * HOUR_MS + HOUR_MS

    def price(self, first_s: int, last_s: int, price: int = 150) -> None:
        """A price every second of a span around the end."""
        seconds = range(first_s, last_s + 1)
        moments = [Moment(self.desk.market, self.end_ms + s * 1000, price * E8, 0, "live") for s in seconds]
        self.store.write(Batch("live", 0, [], {}, [], [], [], moments))

    def until(self, after_end_ms: int = 0) -> None:
        self.desk.clock.advance(self.end_ms + after_end_ms - self.desk.clock.now_ms())

    def standing(self) -> StandingAtEnd:
        return self.desk.engine.standing_at_end(ALICE, self.desk.account_id, end_ms=self.end_ms)


@pytest.fixture
def contest(database: Database, clock: ManualClock) -> Contest:
    return Contest(database, clock, SOL)


def test_an_account_stands_at_what_closing_at_the_closing_price_leaves(contest: Contest) -> None:
    desk = contest.desk
    desk.place("buy", 30 * ONE_SOL)
    contest.price(-300, 9, 160)
    assert contest.standing().status is EndStatus.NOT_YET
    contest.until()
    assert contest.standing().status is EndStatus.NOT_YET
    contest.price(-1, -1, 900)
    contest.price(10, 10, 160)
    contest.until(10_000)
    closed = contest.standing()
    assert (closed.status, closed.closed_ms) == (EndStatus.CLOSED, contest.end_ms)
    desk.quotes.set(desk.quote(160))
    desk.place("sell", 30 * ONE_SOL)
    assert closed.standing_micros == desk.view().cash_micros > START


def test_an_account_without_a_position_stands_at_its_cash_and_waits_for_no_price(contest: Contest) -> None:
    contest.until()
    assert contest.standing() == StandingAtEnd(
        contest.desk.account_id, contest.end_ms, EndStatus.CLOSED, START, contest.end_ms
    )


def test_an_end_in_a_halt_moves_and_is_void_when_the_market_stays_away(contest: Contest) -> None:
    contest.desk.place("buy", ONE_SOL)
    contest.price(-300, -30)
    contest.price(60, 400, 140)
    contest.until(400_000)
    moved = contest.standing()
    assert (moved.status, moved.closed_ms) == (EndStatus.CLOSED, contest.end_ms + 360_000)
    contest.end_ms += HOUR_MS
    contest.until(CLOSING_MOVES_MS_MAX + SETTLED_MS)
    assert contest.standing() == StandingAtEnd(contest.desk.account_id, contest.end_ms, EndStatus.VOID)


def test_funding_of_an_hour_after_the_end_is_not_the_contests(database: Database, clock: ManualClock) -> None:
    contest = Contest(database, clock, SOL_PERP)
    desk = contest.desk
    desk.place("buy", 10 * ONE_SOL, leverage=10)
    contest.price(-300, 10)
    contest.until(11_000)
    before = contest.standing()
    desk.tick(150)
    assert desk.view().funding_micros < 0
    assert contest.standing() == before
    assert before.status is EndStatus.CLOSED


def test_an_account_that_has_moved_on_or_is_anothers_does_not_stand_then(contest: Contest) -> None:
    contest.until(10_000)
    contest.desk.quotes.set(contest.desk.quote(150))
    contest.desk.place("buy", ONE_SOL)
    with pytest.raises(Conflict) as refused:
        contest.standing()
    assert refused.value.code == "account_moved_on"
    with pytest.raises(NotFound):
        contest.desk.engine.standing_at_end(BOB, contest.desk.account_id, end_ms=contest.end_ms)
