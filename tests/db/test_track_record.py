"""Results from marks, fills and stored candles: on SQLite, on Postgres and in memory."""

from decimal import Decimal

import pytest
from tests.db.desk import ALICE, BOB, ONE_SOL, START, Desk, Venue
from tests.domains.prop_engine.markets import SOL, rule_sets

from pump_party.domains.marketdata.contract import Candle, CandleInterval
from pump_party.domains.prop_engine.curve import DAY_MS
from pump_party.domains.prop_engine.reports import Reporter
from pump_party.domains.prop_engine.service import PropTradingEngine
from pump_party.domains.prop_interface.contract import AccountKind, OpenAccount, ResetAccount
from pump_party.kernel.errors import NotFound
from pump_party.platform.clock import ManualClock
from pump_party.platform.ids import Ids

PRICES = (150, 156, 153, 160, 158, 165)


class FixedCandles:
    """Candles of one day each, in place of the stored ones."""

    def __init__(self, desk: Desk) -> None:
        self._first_ms = desk.clock.now_ms() // DAY_MS * DAY_MS
        self._ahead_ms = 0

    def candles(self, market, interval, *, before_ms, limit):
        days = [self._first_ms + number * DAY_MS for number in range(len(PRICES))]
        return [
            Candle(SOL, CandleInterval.D1, at_ms, p * 10**8, p * 10**8, p * 10**8, p * 10**8, 1, True)
            for at_ms, p in zip(days, PRICES, strict=True)
            if at_ms < before_ms
        ][::-1][:limit]


@pytest.fixture
def desk(venue: Venue, clock: ManualClock) -> Desk:
    desk = Desk(venue, clock, "practice-v2", SOL)
    candles = FixedCandles(desk)
    desk.engine = PropTradingEngine(desk.store, desk.quotes, desk.books, rule_sets(), clock, Ids(clock), candles)
    return desk


def live(desk: Desk, price: float) -> None:
    desk.quotes.set(desk.quote(price, tape_ms=None))


def trade_for_days(desk: Desk) -> None:
    """Buy at 150, hold for five midnights, sell at 165."""
    live(desk, 150)
    desk.place("buy", 30 * ONE_SOL)
    desk.clock.advance(10_000)
    live(desk, 150)
    desk.engine.mark_accounts()
    desk.clock.advance(DAY_MS - desk.clock.now_ms() % DAY_MS)
    for price in PRICES[1:]:
        live(desk, price)
        desk.engine.mark_accounts()
        desk.clock.advance(DAY_MS)
    live(desk, PRICES[-1])
    desk.place("sell", 30 * ONE_SOL)
    desk.clock.advance(10_000)
    live(desk, PRICES[-1])
    desk.engine.mark_accounts()


def test_before_the_first_mark_nothing_is_known(desk: Desk) -> None:
    found = desk.engine.results(ALICE, desk.account_id)
    assert (found.equity_micros, found.return_ppm, found.sharpe, found.sentence, found.marks) == (None,) * 4 + (0,)
    with pytest.raises(NotFound):
        desk.engine.results(BOB, desk.account_id)


def test_before_its_first_mark_a_cycle_began_when_it_was_opened(desk: Desk) -> None:
    opened_ms = desk.clock.now_ms()
    desk.clock.advance(5_000)
    assert desk.engine.results(ALICE, desk.account_id).started_ms == opened_ms
    desk.engine.mark_accounts()
    assert desk.engine.results(ALICE, desk.account_id).started_ms == opened_ms
    desk.clock.advance(7_000)
    desk.engine.reset_account(ResetAccount(ALICE, desk.account_id, "again"))
    desk.clock.advance(9_000)
    again = desk.engine.results(ALICE, desk.account_id)
    assert (again.cycle, again.started_ms, again.marks) == (2, opened_ms + 12_000, 0)
    desk.engine.mark_accounts()
    assert desk.engine.results(ALICE, desk.account_id).started_ms == opened_ms + 12_000


def test_results_are_those_of_the_marks_fills_and_prices(desk: Desk) -> None:
    trade_for_days(desk)
    found, account = desk.engine.results(ALICE, desk.account_id), desk.view()
    made = account.cash_micros - START
    assert found.equity_micros == found.standing_micros == account.cash_micros
    assert found.return_ppm == found.standing_return_ppm == made * 10**6 // START > 0
    assert (found.fills, found.closed_trades, found.win_rate, found.profit_factor) == (2, 1, Decimal(1), None)
    assert (found.fees_micros, found.realised_pnl_micros) == (account.fees_micros, account.realised_pnl_micros)
    assert found.days == 7
    assert found.sharpe is not None
    assert found.sortino is not None
    assert found.calmar is None
    assert found.max_drawdown_ppm is not None
    assert found.romad == (Decimal(found.return_ppm) / Decimal(found.max_drawdown_ppm)).quantize(Decimal("0.000001"))
    assert 400_000 < (found.exposure_ppm or 0) < 500_000
    assert found.better_than_chance is not None
    percent = (found.better_than_chance * 100).quantize(Decimal("0.1"))
    assert found.sentence == f"after 7 days this result is {percent} % likely to be better than chance"
    assert len(found.curve) > 100
    assert found.curve[0].equity_micros == START
    assert found.curve[-1].equity_micros == found.equity_micros


def test_holding_and_chance_trade_the_same_prices_under_the_same_fees(desk: Desk) -> None:
    trade_for_days(desk)
    found = desk.engine.results(ALICE, desk.account_id)
    assert found.baselines is not None
    held = found.baselines.buy_and_hold
    assert (held.fills, found.baselines.market, found.baselines.seeds) == (2, SOL, 20)
    assert 90_000 < held.return_ppm < 100_000
    assert held.fees_micros > 0
    assert 0 <= found.baselines.beaten <= 20
    assert desk.engine.results(ALICE, desk.account_id).baselines == found.baselines
    curve = found.baselines.held
    assert [mark.at_ms for mark in curve] == [mark.at_ms for mark in found.curve]
    assert curve[0].equity_micros == START
    assert curve[-1].equity_micros > START + (found.equity_micros or 0) - START > START
    # Holding three tenths all the time explains nearly all of it.
    assert found.timing_alpha_ppm is not None
    assert abs(found.timing_alpha_ppm) < (found.return_ppm or 0) // 3


def test_what_is_held_stands_below_its_mark_by_what_closing_costs(desk: Desk) -> None:
    live(desk, 150)
    desk.place("buy", 30 * ONE_SOL)
    desk.clock.advance(10_000)
    live(desk, 150)
    desk.engine.mark_accounts()
    found = desk.engine.results(ALICE, desk.account_id)
    assert found.standing_micros is not None
    sold = desk.place("sell", 30 * ONE_SOL)
    assert sold.fill is not None
    assert found.standing_micros == desk.view().cash_micros < (found.equity_micros or 0)


def test_nobody_beats_those_who_closed_by_not_closing_himself(desk: Desk) -> None:
    live(desk, 150)
    desk.place("buy", None, quote_micros=START)
    desk.clock.advance(10_000)
    live(desk, 150)
    desk.engine.mark_accounts()
    found = desk.engine.results(ALICE, desk.account_id)
    assert found.baselines is not None
    assert found.standing_return_ppm == found.baselines.buy_and_hold.return_ppm < (found.return_ppm or 0)
    assert found.baselines.beaten == 0, "a tosser held and sold like him, or never paid a fee"


def test_one_attempt_is_not_deflated_and_every_reset_and_account_is_one_more(desk: Desk) -> None:
    trade_for_days(desk)
    once = desk.engine.results(ALICE, desk.account_id)
    assert (once.attempts, once.deflated_sharpe) == (1, once.better_than_chance)

    desk.engine.open_account(OpenAccount(ALICE, AccountKind.PRACTICE, "second"))
    desk.engine.open_account(OpenAccount(BOB, AccountKind.PRACTICE, "not hers"))
    twice = desk.engine.results(ALICE, desk.account_id)
    # The other attempt has no Sharpe ratio yet: how far luck reaches is not known.
    assert (twice.attempts, twice.deflated_sharpe, twice.better_than_chance) == (2, None, once.better_than_chance)

    desk.clock.advance(1)
    desk.engine.reset_account(ResetAccount(ALICE, desk.account_id, "again"))
    assert desk.engine.results(ALICE, desk.account_id).attempts == 3
    trade_for_days(desk)
    third = desk.engine.results(ALICE, desk.account_id)
    assert third.attempts == 3
    assert third.deflated_sharpe is not None
    assert third.better_than_chance is not None
    assert third.deflated_sharpe < third.better_than_chance


def test_too_many_fills_leave_trades_unknown_and_no_candles_leave_no_baseline(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    trade_for_days(desk)
    monkeypatch.setattr("pump_party.domains.prop_engine.reports.FILLS_MAX", 1)
    found = Reporter(desk.store, desk.quotes, None, rule_sets(), desk.clock).results(ALICE, desk.account_id)
    assert (found.closed_trades, found.win_rate, found.turnover_ppm, found.baselines) == (None,) * 4
    assert found.fills == 2
