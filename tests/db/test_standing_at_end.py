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
from pump_party.domains.prop_engine import closer
from pump_party.domains.prop_engine.curve import MarkPrice
from pump_party.domains.prop_engine.service import PropTradingEngine
from pump_party.domains.prop_engine.valuation import liquidation_micros
from pump_party.domains.prop_interface.contract import (
    AccountStatus,
    EndStatus,
    OrderKind,
    ResetAccount,
    SetAccountStatus,
    StandingAtEnd,
)
from pump_party.kernel.dice import Dice
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
        self.opened_ms = clock.now_ms()
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


def test_an_account_stands_where_it_stood_whatever_it_does_later(contest: Contest) -> None:
    desk = contest.desk
    desk.place("buy", 30 * ONE_SOL)
    desk.place("sell", 10 * ONE_SOL, kind=OrderKind.LIMIT, limit_price_e8=200 * E8)
    desk.place("buy", ONE_SOL, kind=OrderKind.LIMIT, limit_price_e8=100 * E8)
    contest.price(-300, 10, 160)
    contest.until(10_000)
    before = contest.standing()
    assert before.status is EndStatus.CLOSED
    desk.tick(170)
    desk.place("sell", None, reduce_only=True)
    desk.place("buy", 50 * ONE_SOL)
    assert contest.standing() == before
    desk.engine.reset_account(ResetAccount(ALICE, desk.account_id, "reset"))
    desk.place("buy", 3 * ONE_SOL)
    assert contest.standing() == before


def test_an_account_that_is_completed_at_the_end_stands_at_the_closing_price_not_at_its_closing_fill(
    contest: Contest,
) -> None:
    desk = contest.desk
    desk.place("buy", 30 * ONE_SOL)
    contest.price(-300, 10, 160)
    contest.until()
    desk.engine.set_account_status(SetAccountStatus(None, desk.account_id, AccountStatus.COMPLETED, "over"))
    desk.tick(120, after_ms=10_000)
    assert desk.view().positions[0].quantity_nanos == 0
    standing = contest.standing().standing_micros
    assert standing is not None
    assert standing > START > desk.view().cash_micros


def test_what_is_recorded_at_the_end_itself_comes_after_it(contest: Contest) -> None:
    desk = contest.desk
    contest.until(-1)
    desk.quotes.set(desk.quote(150))
    desk.place("buy", ONE_SOL)
    contest.until()
    desk.place("buy", 9 * ONE_SOL)
    contest.price(-300, 10, 150)
    contest.until(10_000)
    stood = contest.standing().standing_micros
    assert stood is not None
    assert START - 400_000 < stood < START - 200_000, "the cost of one SOL there and back"


def test_an_account_that_was_opened_later_or_is_anothers_does_not_stand_then(contest: Contest) -> None:
    contest.until(10_000)
    with pytest.raises(Conflict) as refused:
        contest.desk.engine.standing_at_end(ALICE, contest.desk.account_id, end_ms=contest.opened_ms)
    assert refused.value.code == "account_opened_later"
    with pytest.raises(NotFound):
        contest.desk.engine.standing_at_end(BOB, contest.desk.account_id, end_ms=contest.end_ms)


def test_more_records_than_are_read_for_one_answer_are_refused(
    contest: Contest, monkeypatch: pytest.MonkeyPatch
) -> None:
    for _ in range(4):
        contest.desk.place("buy", ONE_SOL)
    contest.until()
    monkeypatch.setattr(closer, "READ_PAGE", 2)
    monkeypatch.setattr(closer, "READ_MAX", 4)
    with pytest.raises(Conflict) as refused:
        contest.standing()
    assert refused.value.code == "account_too_long"


@pytest.mark.parametrize("market", [SOL, SOL_PERP])
@pytest.mark.parametrize("seed", range(6))
def test_a_random_history_stands_at_what_closing_its_holdings_at_the_end_leaves(
    database: Database, clock: ManualClock, market: Market, seed: int
) -> None:
    contest = Contest(database, clock, market)
    desk, dice = contest.desk, Dice(seed)

    def trade() -> None:
        desk.tick(dice.between(140, 160), after_ms=dice.weighted(((5, dice.between(1, 4_000)), (1, HOUR_MS // 2))))
        nanos = dice.between(1, 60) * ONE_SOL
        how = dice.pick(({}, {"kind": OrderKind.LIMIT, "limit_price_e8": dice.between(140, 160) * E8}))
        leverage = {"leverage": dice.pick((2, 5, 20))} if market == SOL_PERP else {}
        desk.place(dice.pick(("buy", "sell")), nanos, **how, **leverage)

    for _ in range(40):
        trade()
    # The end is now: what the account holds is what the store says.
    contest.end_ms = clock.now_ms() + 1
    held = desk.store.account(ALICE, desk.account_id)
    price = MarkPrice(151 * E8, 0)
    closed = liquidation_micros(held, desk.rules["practice-v2"], {market: price}, at_ms=contest.end_ms)
    contest.price(-300, 10, 151)
    contest.until(10_000)
    for _ in range(20):
        trade()
    assert contest.standing().standing_micros == closed
    assert desk.problems() == []
