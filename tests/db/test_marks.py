"""Equity marks on a real database: at cycle starts, after fills, on the grid, at midnight. SQLite and Postgres."""

import itertools
from concurrent.futures import ThreadPoolExecutor
from random import Random

import msgspec
import pytest
import sqlalchemy as sa
from tests.db.desk import ALICE, ONE_SOL, START, Desk
from tests.domains.prop_engine.markets import SOL, SOL_PERP, quote_at

from pump_party.db.engine import Database
from pump_party.db.prop_engine import PropStore
from pump_party.db.prop_marks import MOVES_MAX
from pump_party.db.prop_tables import equity_marks
from pump_party.domains.marketdata.contract import HaltReason
from pump_party.domains.prop_engine import curve
from pump_party.domains.prop_engine.curve import DAY_MS
from pump_party.domains.prop_engine.marking import MARK_INTERVAL_MS
from pump_party.domains.prop_engine.memory_store import MemoryStore
from pump_party.domains.prop_engine.metrics import max_drawdown_ppm
from pump_party.domains.prop_engine.model import Standing
from pump_party.domains.prop_interface.contract import EquityMark, OrderStatus, ResetAccount
from pump_party.platform.clock import ManualClock


@pytest.fixture
def desk(database: Database, clock: ManualClock) -> Desk:
    """A practice account that fills at once, on spot and perpetuals."""
    desk = Desk(database, clock, "practice-v2", SOL)
    desk.quotes.set(quote_at(clock.now_ms(), market=SOL_PERP, mid_e8=150 * 10**8))
    return desk


def move_to(desk: Desk, price: float, *, after_ms: int = MARK_INTERVAL_MS) -> None:
    """Time passes, and both markets are at a new price."""
    desk.clock.advance(after_ms)
    for market in (SOL, SOL_PERP):
        desk.quotes.set(desk.quote(price, market=market))


def marks(desk: Desk) -> list[curve.EquityMark]:
    query = sa.select(equity_marks.c.at_ms, equity_marks.c.equity_micros, equity_marks.c.exposed_micros)
    with desk.database.read() as connection:
        return [curve.EquityMark(*row) for row in connection.execute(query.order_by(equity_marks.c.at_ms))]


def standing(desk: Desk) -> Standing:
    found = PropStore(desk.database).performance(ALICE, desk.account_id, fills_limit=1).standing
    assert found is not None
    return found


def test_a_cycle_starts_with_a_mark_of_its_capital(desk: Desk) -> None:
    opened_ms = desk.clock.now_ms()
    desk.clock.advance(3_000)
    assert desk.engine.mark_accounts() == 1
    assert marks(desk) == [curve.EquityMark(opened_ms, START, 0)]
    assert desk.engine.mark_accounts() == 0

    desk.place("buy", ONE_SOL)
    desk.engine.reset_account(ResetAccount(ALICE, desk.account_id, "again"))
    desk.clock.advance(1)
    desk.engine.mark_accounts()
    assert marks(desk)[-1].equity_micros == START
    assert standing(desk).cycle == 2
    assert standing(desk).started_ms == opened_ms + 3_000


def test_a_round_for_what_changed_leaves_out_who_only_holds(desk: Desk) -> None:
    desk.place("buy", ONE_SOL)
    move_to(desk, 151)
    assert desk.engine.mark_accounts(changed_only=True) == 1
    move_to(desk, 152)
    assert desk.engine.mark_accounts(changed_only=True) == 0
    assert desk.engine.mark_accounts() == 1
    newest = desk.engine.newest_marks([desk.account_id])[desk.account_id]
    assert (newest.at_ms, newest.equity_micros) == (marks(desk)[-1].at_ms, marks(desk)[-1].equity_micros)
    move_to(desk, 140)
    desk.engine.mark_accounts()
    fallen = desk.engine.newest_marks([desk.account_id])[desk.account_id]
    assert fallen.drawdown_ppm == standing(desk).max_drawdown_ppm > newest.drawdown_ppm
    assert desk.engine.newest_marks([]) == {}


@pytest.mark.parametrize("seed", range(4))
def test_the_mark_of_a_fill_is_what_the_account_was_worth_right_after_it(desk: Desk, seed: int) -> None:
    rng = Random(seed)
    worth = [START]
    for _ in range(40):
        leverage = {"leverage": rng.randrange(1, 20)}
        market, more = (SOL, {}) if rng.random() < 0.5 else (SOL_PERP, leverage)
        desk.clock.advance(rng.randrange(1, 400))
        earlier = desk.quotes.latest([market])[market]
        desk.quotes.set(desk.quote(rng.randrange(145, 156), market=market))
        placed = desk.place(rng.choice(["buy", "sell"]), rng.randrange(1, 30) * ONE_SOL, market=market, **more)
        if placed.status is OrderStatus.FILLED:
            worth.append(desk.view().equity_micros or 0)
        else:
            desk.quotes.set(earlier)
    desk.clock.advance(1)
    desk.engine.mark_accounts()
    # A turned position is two fills, and the account was never shown between them; the grid has a mark of its own.
    found = iter([mark.equity_micros for mark in marks(desk)])
    assert all(equity in found for equity in worth)
    assert len(worth) > 20


def test_funding_and_liquidation_leave_no_gap_between_marks_and_the_account(desk: Desk) -> None:
    desk.place("buy", 100 * ONE_SOL, market=SOL_PERP, leverage=20)
    desk.engine.mark_accounts()
    move_to(desk, 149, after_ms=3_600_000)
    desk.engine.take_ticks([desk.quote(149, market=SOL_PERP)])
    desk.engine.mark_accounts()
    assert marks(desk)[-1].equity_micros == desk.view().equity_micros
    for _ in range(2):
        move_to(desk, 100, after_ms=500)
        desk.engine.take_ticks([desk.quote(100, market=SOL_PERP)])
    assert desk.view().perps == ()
    desk.engine.mark_accounts()
    assert marks(desk)[-1].equity_micros == desk.view().equity_micros == desk.view().cash_micros
    assert marks(desk)[-1].exposed_micros == 0


def test_what_is_held_is_marked_every_ten_seconds_and_what_is_not_is_left_alone(desk: Desk) -> None:
    desk.clock.advance(1)
    desk.place("buy", ONE_SOL)
    for round_ in range(3):
        move_to(desk, 150 + round_)
        assert desk.engine.mark_accounts() == 1
        assert desk.engine.mark_accounts() == 0
    grid = [mark for mark in marks(desk) if mark.at_ms % MARK_INTERVAL_MS == 0][1:]
    assert [later.at_ms - mark.at_ms for mark, later in itertools.pairwise(grid)] == [MARK_INTERVAL_MS] * 2
    assert [mark.exposed_micros for mark in grid] == [150_000_000, 151_000_000, 152_000_000]
    desk.place("sell", ONE_SOL)
    move_to(desk, 160)
    assert desk.engine.mark_accounts() == 1
    before = len(marks(desk))
    move_to(desk, 170)
    assert desk.engine.mark_accounts() == 0
    assert len(marks(desk)) == before


def test_a_day_starts_with_the_equity_at_midnight(desk: Desk) -> None:
    desk.place("buy", 10 * ONE_SOL)
    to_midnight = DAY_MS - desk.clock.now_ms() % DAY_MS
    move_to(desk, 155, after_ms=to_midnight - MARK_INTERVAL_MS)
    desk.engine.mark_accounts()
    assert standing(desk).day_start_micros == START
    move_to(desk, 156)
    desk.engine.mark_accounts()
    at_midnight = standing(desk).equity_micros
    assert standing(desk).as_of_ms % DAY_MS == 0
    assert standing(desk).day_start_micros == at_midnight
    closed = standing(desk).standing_micros
    assert standing(desk).day_standing_micros == closed < at_midnight
    move_to(desk, 157)
    desk.engine.mark_accounts()
    assert standing(desk).day_start_micros == at_midnight
    assert standing(desk).day_standing_micros == closed
    # No marker runs at the next midnight: the last mark before it is the day's start.
    move_to(desk, 150, after_ms=DAY_MS)
    last = standing(desk).equity_micros
    desk.engine.mark_accounts()
    assert standing(desk).day_start_micros == last


def test_a_standing_says_of_its_marks_what_they_say_themselves(desk: Desk) -> None:
    rng = Random(5)
    for number in range(60):
        move_to(desk, rng.randrange(140, 160), after_ms=rng.randrange(1, 15_000))
        if number % 3 == 0:
            side, size = rng.choice(["buy", "sell"]), rng.randrange(1, 100) * ONE_SOL // 10
            desk.place(side, size, market=SOL_PERP, leverage=5)
        desk.engine.mark_accounts()
    found, now = marks(desk), standing(desk)
    assert now.marks == len(found) > 60
    assert now.max_drawdown_ppm == max_drawdown_ppm([START, *(mark.equity_micros for mark in found)])
    assert now.peak_micros == max(mark.equity_micros for mark in found)
    assert now.exposure_ppm_ms // now.weighed_ms == curve.exposure_ppm(found)
    assert now.signed_exposure_ppm_ms // now.weighed_ms == curve.signed_exposure_ppm(found)
    assert [mark.at_ms for mark in found] == sorted({mark.at_ms for mark in found})


def test_a_long_and_a_short_against_each_other_are_both_in_the_market(desk: Desk) -> None:
    desk.place("buy", 10 * ONE_SOL)
    desk.place("sell", 10 * ONE_SOL, market=SOL_PERP, leverage=5)
    for _ in range(6):
        move_to(desk, 150)
        desk.engine.mark_accounts()
    now = standing(desk)
    assert 299_000 < now.exposure_ppm_ms // now.weighed_ms < 302_000
    assert abs(now.signed_exposure_ppm_ms // now.weighed_ms) < 1_000, "they hedge each other"


def test_a_halted_market_leaves_a_gap_and_its_fills_keep_their_marks(desk: Desk) -> None:
    desk.clock.advance(1)
    desk.place("buy", ONE_SOL)
    desk.clock.advance(MARK_INTERVAL_MS)
    desk.quotes.set(desk.quote(150, halt_reason=HaltReason.QUARANTINE_JUMP))
    desk.engine.mark_accounts()
    assert len(marks(desk)) == 2
    # Another market fills while this one is halted: nobody knows what the account is worth.
    desk.clock.advance(30_000)
    desk.quotes.set(desk.quote(150, halt_reason=HaltReason.QUARANTINE_JUMP), desk.quote(150, market=SOL_PERP))
    desk.place("buy", ONE_SOL, market=SOL_PERP, leverage=2)
    desk.clock.advance(1)
    assert desk.engine.mark_accounts() == 0
    move_to(desk, 150)
    assert desk.engine.mark_accounts() == 1
    assert marks(desk)[-1].equity_micros == desk.view().equity_micros


def test_of_many_markers_one_writes(desk: Desk) -> None:
    desk.place("buy", ONE_SOL)
    for round_ in range(5):
        move_to(desk, 150 + round_)
        with ThreadPoolExecutor(4) as pool:
            written = list(pool.map(lambda _: desk.engine.mark_accounts(), range(4)))
        assert sum(written) == 1
    assert standing(desk).marks == len(marks(desk)) == 2 + 5


def test_an_account_with_more_moves_than_a_round_reads_is_still_marked(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("pump_party.db.prop_marks.MOVES_MAX", 3)
    assert MOVES_MAX > 100
    for _ in range(6):
        desk.clock.advance(1)
        desk.place("buy", ONE_SOL)
    desk.clock.advance(1)
    assert desk.engine.mark_accounts() == 1
    assert len(marks(desk)) == 3
    assert marks(desk)[-1].equity_micros == desk.view().equity_micros


@pytest.mark.parametrize("seed", range(3))
def test_the_store_in_memory_keeps_the_same_marks_as_a_database(database: Database, seed: int) -> None:
    desks = [Desk(venue, ManualClock(1_750_000_000_000), "practice-v2", SOL) for venue in (database, MemoryStore())]
    for desk in desks:
        rng = Random(seed)
        for number in range(30):
            move_to(desk, rng.randrange(140, 161), after_ms=rng.choice([1_000, MARK_INTERVAL_MS, 7 * 3_600_000]))
            if rng.random() < 0.6:
                market = rng.choice([SOL, SOL_PERP])
                more = {"leverage": rng.randrange(1, 20)} if market == SOL_PERP else {}
                desk.place(rng.choice(["buy", "sell"]), rng.randrange(1, 30) * ONE_SOL, market=market, **more)
            if rng.random() < 0.7:
                desk.engine.mark_accounts()
            if number == 20:
                desk.engine.reset_account(ResetAccount(ALICE, desk.account_id, "again"))
        desk.engine.mark_accounts()
    kept, remembered = [[(m.at_ms, m.cycle, m.equity_micros) for m in all_marks(desk)] for desk in desks]
    assert remembered == kept
    results = [desk.engine.results(ALICE, desk.account_id) for desk in desks]
    assert msgspec.structs.replace(results[1], account_id=results[0].account_id) == results[0]


def all_marks(desk: Desk) -> list[EquityMark]:
    return list(desk.engine.equity(ALICE, desk.account_id, cursor=None, limit=200).items)
