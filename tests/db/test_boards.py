"""Boards on a real database: who is ranked, over which time, and how it stood when the day began."""

import msgspec
import pytest
from tests.db.desk import ALICE, BOB, ONE_SOL, START, Desk
from tests.db.test_track_record import PRICES, FixedCandles, live, trade_for_days
from tests.domains.prop_engine.markets import order, rule_sets

from pump_party.db.engine import Database
from pump_party.db.prop_boards import BoardStore
from pump_party.db.prop_engine import PropStore
from pump_party.domains.prop_engine import boards
from pump_party.domains.prop_engine.boards import BOARD_KEPT_MS, Boards
from pump_party.domains.prop_engine.curve import DAY_MS
from pump_party.domains.prop_engine.marking import MARK_INTERVAL_MS
from pump_party.domains.prop_engine.reports import Reporter
from pump_party.domains.prop_interface.contract import (
    AROUND_ME,
    AccountKind,
    BoardMetric,
    BoardQuery,
    BoardView,
    BoardWindow,
    LeaderboardRow,
    OpenAccount,
    ResetAccount,
)
from pump_party.kernel.ids import AccountId, UserId
from pump_party.platform.clock import ManualClock

Numbered = list[AccountId]


@pytest.fixture
def desk(database: Database, clock: ManualClock) -> Desk:
    """A practice account of Alice that fills at once."""
    return Desk(database, clock, "practice-v2")


class Hall:
    """The board of a desk, looked at after its marks were kept long enough."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk
        self._boards = Boards(BoardStore(desk.database), lambda since, now: None, desk.clock)  # type: ignore[arg-type]

    def __call__(self, *, limit: int = 10, **asked: object) -> BoardView:
        self._desk.clock.advance(BOARD_KEPT_MS)
        return self._boards.board(BoardQuery(limit=limit, **asked))  # type: ignore[arg-type]


@pytest.fixture
def hall(desk: Desk) -> Hall:
    return Hall(desk)


def mark(desk: Desk, price: float, *, after_ms: int = MARK_INTERVAL_MS) -> None:
    desk.clock.advance(after_ms)
    desk.quotes.set(desk.quote(price))
    desk.engine.mark_accounts()


def to_midnight(desk: Desk, price: float) -> None:
    mark(desk, price, after_ms=DAY_MS - desk.clock.now_ms() % DAY_MS)


def buys(desk: Desk, user_id: UserId, sol: int, *, kind: AccountKind = AccountKind.PRACTICE) -> AccountId:
    """Another account, and what it holds."""
    account_id = desk.engine.open_account(OpenAccount(user_id, kind, f"{user_id}{sol}")).account_id
    command = msgspec.structs.replace(order(user_id, account_id, "k", "buy", sol * ONE_SOL), user_id=user_id)
    desk.engine.place_orders([command])
    return account_id


def shown(view: BoardView) -> list[AccountId]:
    return [row.account_id for row in view.rows]


def row_of(view: BoardView, account_id: AccountId) -> LeaderboardRow:
    return next(row for row in view.rows if row.account_id == account_id)


def test_a_board_ranks_by_what_closing_would_leave(desk: Desk, hall: Hall) -> None:
    desk.place("buy", 20 * ONE_SOL)
    mark(desk, 151)
    (row,) = hall().rows
    desk.quotes.set(desk.quote(151))
    sold = desk.place("sell", 20 * ONE_SOL)
    assert sold.fill is not None
    assert row.standing_micros == desk.view().cash_micros < row.equity_micros
    assert row.return_ppm == (row.standing_micros - START) * 10**6 // START
    assert (row.rank, row.user_id, row.fills) == (1, ALICE, 1)


def test_who_has_not_filled_in_the_cycle_is_on_no_board(desk: Desk, hall: Hall) -> None:
    mark(desk, 150)
    assert hall().ranked == 0
    desk.place("buy")
    mark(desk, 150)
    assert hall().ranked == 1
    desk.engine.reset_account(ResetAccount(ALICE, desk.account_id, "again"))
    mark(desk, 150)
    assert hall(viewer=ALICE) == BoardView((), None, (), 0, True, None, hall().compared_ms)


def test_accounts_of_clones_are_there_when_they_are_named_and_no_other_kind_ever_is(desk: Desk, hall: Hall) -> None:
    desk.place("buy")
    clone, hidden = (buys(desk, BOB, sol, kind=AccountKind.CLONE) for sol in (1, 2))
    buys(desk, BOB, 3, kind=AccountKind.CONTEST)
    assert desk.tick(150) == 3
    mark(desk, 151)
    assert shown(hall()) == [desk.account_id]
    assert set(shown(hall(clones=(clone,)))) == {desk.account_id, clone}
    (row,) = hall(clones=(clone,), people=False).rows
    assert (row.account_id, row.kind) == (clone, AccountKind.CLONE)
    assert hidden not in shown(hall(clones=(clone,)))


def test_a_window_begins_at_midnight_with_the_worth_of_that_moment(desk: Desk, hall: Hall) -> None:
    desk.place("buy", 20 * ONE_SOL)
    for price in (150, 160, 155, 155, 155, 155, 155, 155, 170):
        to_midnight(desk, price)
    mark(desk, 171)
    today, week, month, cycle = (hall(window=window).rows[0] for window in BoardWindow)
    midnights = desk.engine.equity(ALICE, desk.account_id, cursor=None, limit=200).items
    at = {mark.at_ms: mark.equity_micros for mark in midnights}
    midnight_ms = desk.clock.now_ms() // DAY_MS * DAY_MS
    closed = cycle.standing_micros
    assert today.return_ppm == (closed - at[midnight_ms]) * 10**6 // at[midnight_ms]
    assert week.return_ppm == (closed - at[midnight_ms - 7 * DAY_MS]) * 10**6 // at[midnight_ms - 7 * DAY_MS]
    assert month.return_ppm == cycle.return_ppm == (closed - START) * 10**6 // START
    assert [hall(window=w).from_ms for w in BoardWindow] == [
        *(midnight_ms - days * DAY_MS for days in (0, 7, 30)),
        None,
    ]


def test_who_neither_traded_nor_held_anything_in_a_window_is_not_ranked_in_it(desk: Desk, hall: Hall) -> None:
    desk.place("buy")
    desk.place("sell")
    mark(desk, 150)
    to_midnight(desk, 150)
    mark(desk, 150)
    assert shown(hall(window=BoardWindow.TODAY)) == []
    assert shown(hall(window=BoardWindow.WEEK)) == [desk.account_id]


def test_a_rank_is_compared_with_the_one_at_midnight(desk: Desk, hall: Hall) -> None:
    desk.place("buy", 10 * ONE_SOL)
    bold = buys(desk, BOB, 40)
    mark(desk, 151)
    to_midnight(desk, 149)
    late = buys(desk, UserId("late"), 20)
    mark(desk, 170)
    board = hall()
    assert shown(board) == [bold, late, desk.account_id]
    assert [row.rank_before for row in board.rows] == [2, None, 1]
    assert board.compared_ms == desk.clock.now_ms() // DAY_MS * DAY_MS
    today = hall(window=BoardWindow.TODAY)
    assert today.compared_ms is None
    assert {row.rank_before for row in today.rows} == {None}


def test_by_drawdown_the_calmest_is_first(desk: Desk, hall: Hall) -> None:
    desk.place("buy", 40 * ONE_SOL)
    calm = buys(desk, BOB, 1)
    mark(desk, 140)
    mark(desk, 170)
    assert shown(hall()) == [desk.account_id, calm]
    assert shown(hall(metric=BoardMetric.DRAWDOWN)) == [calm, desk.account_id]


def test_ones_own_row_comes_with_its_neighbours_also_from_far_below(desk: Desk, hall: Hall) -> None:
    desk.place("buy", ONE_SOL)
    others = [buys(desk, UserId(f"u{n}"), n) for n in range(2, 10)]
    mark(desk, 170)
    board = hall(limit=3, viewer=ALICE)
    assert shown(board) == others[:-4:-1]
    assert board.mine is not None
    assert (board.mine.account_id, board.mine.rank, board.ranked) == (desk.account_id, 9, 9)
    assert [row.rank for row in board.around] == [7, 8, 9]
    assert len(hall(limit=1, viewer=UserId("u5")).around) == 2 * AROUND_ME + 1
    near = hall(limit=3, viewer=UserId("u5"))
    assert [row.rank for row in near.around] == [4, 5, 6, 7], "no row is shown twice"
    assert hall(limit=9, viewer=ALICE).around == ()
    assert hall(viewer=BOB).mine is None


def test_of_too_many_accounts_the_best_are_compared_and_the_board_says_so(
    desk: Desk, hall: Hall, monkeypatch: pytest.MonkeyPatch
) -> None:
    desk.place("buy", ONE_SOL)
    best = buys(desk, BOB, 5)
    mark(desk, 170)
    monkeypatch.setattr(boards, "RANKED_MAX", 2)
    assert hall().complete
    monkeypatch.setattr(boards, "RANKED_MAX", 1)
    board = hall(viewer=ALICE)
    assert (shown(board), board.ranked, board.complete, board.mine) == ([best], 1, False, None)


def test_a_board_that_was_just_ranked_is_shown_again(desk: Desk) -> None:
    board = Boards(BoardStore(desk.database), lambda since, now: None, desk.clock).board  # type: ignore[arg-type]
    desk.place("buy")
    desk.engine.mark_accounts()
    assert board(BoardQuery(limit=1)).ranked == 1
    buys(desk, BOB, 1)
    desk.engine.mark_accounts()
    assert board(BoardQuery(limit=1)).ranked == 1
    assert board(BoardQuery(limit=1, metric=BoardMetric.DRAWDOWN)).ranked == 2
    desk.clock.advance(BOARD_KEPT_MS)
    assert board(BoardQuery(limit=1)).ranked == 2


def test_everybody_stands_beside_holding_and_chance_since_the_window_or_his_own_start(desk: Desk) -> None:
    candles = FixedCandles(desk)
    reporter = Reporter(PropStore(desk.database), desk.quotes, candles, rule_sets(), desk.clock)  # type: ignore[arg-type]
    hall = Boards(BoardStore(desk.database), reporter.no_skill_since, desk.clock)  # type: ignore[arg-type]
    trade_for_days(desk)
    late = buys(desk, BOB, 1)
    desk.clock.advance(10_000)
    live(desk, PRICES[-1])
    desk.engine.mark_accounts()

    board = hall.board(BoardQuery(limit=10))
    own = row_of(board, desk.account_id)
    assert own.held_return_ppm is not None
    assert own.random_return_ppm is not None
    assert -50_000 < own.random_return_ppm < own.held_return_ppm
    fresh = row_of(board, late)
    assert (fresh.held_return_ppm, fresh.random_return_ppm) == (None, None), "no price is of since he came"
    today = row_of(hall.board(BoardQuery(limit=10, window=BoardWindow.TODAY)), desk.account_id)
    assert today.held_return_ppm != own.held_return_ppm
