from random import Random

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.domains.prop_engine.markets import MID_E8
from tests.domains.prop_engine.perp_markets import (
    ENTRY_E8,
    NOW_MS,
    PARAMS,
    RICH_MICROS,
    fill_at,
    flat,
    perp_quote,
    position_of,
    traded,
    watched,
    with_margin,
)

from pump_party.domains.marketdata.contract import Quote
from pump_party.domains.prop_engine.margin import (
    below_maintenance,
    position_equity_micros,
    unrealised_pnl_micros,
)
from pump_party.domains.prop_engine.model import NO_PRESSURE, MarketOrder
from pump_party.domains.prop_engine.perp_model import FLAT, LONG, SHORT, PerpChange, PerpEvent, PerpPosition
from pump_party.domains.prop_engine.perpetual import (
    HOUR_MS,
    apply_fill,
    funding_is_due,
    liquidate,
    pay_funding,
    trade,
)
from pump_party.domains.prop_engine.pricing import Prices
from pump_party.domains.prop_interface.contract import RejectCode, Side
from pump_party.kernel.money import PPM

SOL = 10**9
LOT = PARAMS.pricing.lot_nanos


def changes_of(outcome: tuple[PerpChange, ...] | RejectCode) -> tuple[PerpChange, ...]:
    assert not isinstance(outcome, RejectCode), outcome
    return outcome


def test_an_order_opens_at_the_worse_side_of_the_price_with_its_margin_and_fee() -> None:
    (long,) = changes_of(traded(flat(), Side.BUY, 10 * SOL))
    (short,) = changes_of(traded(flat(), Side.SELL, 10 * SOL))
    assert short.price_e8 < MID_E8 < long.price_e8
    for change, direction in ((long, LONG), (short, SHORT)):
        assert change.event is PerpEvent.OPEN
        assert change.position.direction == direction
        assert change.margin_change_micros == -(-change.gross_micros // 10)
        assert change.cash_change_micros == -change.margin_change_micros - change.fee_micros
        assert unrealised_pnl_micros(change.position, MID_E8) < 0


def test_an_order_is_refused_in_the_order_of_checks() -> None:
    long = position_of(Side.BUY, 10 * SOL, ENTRY_E8, 10)
    #    position  side      quantity      more                                     | code
    for position, side, nanos, more, code in [
        (flat(), Side.BUY, 0, {}, RejectCode.BAD_REQUEST),
        (flat(), Side.SELL, SOL, {"reduce_only": True}, RejectCode.INSUFFICIENT_POSITION),
        (long, Side.BUY, SOL, {"reduce_only": True}, RejectCode.INSUFFICIENT_POSITION),
        (long, Side.SELL, 11 * SOL, {"reduce_only": True}, RejectCode.INSUFFICIENT_POSITION),
        (flat(), Side.BUY, SOL + 1, {"fill_ms": NOW_MS + 9_999}, RejectCode.LOT_SIZE),
        (
            flat(),
            Side.BUY,
            SOL,
            {"fill_ms": NOW_MS + 9_999, "quote": perp_quote(conf_e8=MID_E8)},
            RejectCode.PRICE_STALE,
        ),
        (flat(), Side.BUY, SOL, {"quote": perp_quote(conf_e8=MID_E8 // 100)}, RejectCode.PRICE_UNCERTAIN),
        (flat(), Side.BUY, LOT, {"quote": perp_quote(MID_E8 // 100, 0)}, RejectCode.MIN_NOTIONAL),
        (flat(), Side.BUY, 7_000 * SOL, {"leverage": 21}, RejectCode.MAX_NOTIONAL),
        (flat(), Side.BUY, SOL, {"leverage": 21, "cash_micros": 0}, RejectCode.MAX_LEVERAGE),
        (flat(), Side.BUY, SOL, {"leverage": 0}, RejectCode.MAX_LEVERAGE),
        (flat(), Side.BUY, SOL, {"cash_micros": 15_000_000}, RejectCode.INSUFFICIENT_FUNDS),
    ]:
        assert traded(position, side, nanos, **more) is code, (nanos, more)
    budget = MarketOrder(Side.BUY, None, 1_000_000_000, None)
    sized_in_quote = trade(
        flat(),
        budget,
        Prices(perp_quote()),
        fill_ms=NOW_MS,
        leverage=1,
        reduce_only=False,
        cash_micros=RICH_MICROS,
        params=PARAMS,
    )
    assert sized_in_quote is RejectCode.BAD_REQUEST


def test_the_tier_of_the_whole_position_limits_the_leverage_of_what_is_added() -> None:
    fills_at_e8 = 15_031_000_000
    edge_lots = PARAMS.tiers[1].lower_micros * 10**11 // (fills_at_e8 * LOT)
    near = position_of(Side.BUY, (edge_lots - 1_000) * LOT, ENTRY_E8, 20)
    near = msgspec.structs.replace(near, buy_pressure=NO_PRESSURE)
    assert not isinstance(traded(near, Side.BUY, 500 * LOT, leverage=20), RejectCode)
    assert traded(near, Side.BUY, 2_000 * LOT, leverage=20) is RejectCode.MAX_LEVERAGE
    assert not isinstance(traded(near, Side.BUY, 2_000 * LOT, leverage=10), RejectCode)


def test_a_position_too_small_for_an_order_can_still_be_closed_whole() -> None:
    cheap = perp_quote(MID_E8 // 100, 0)
    dust = position_of(Side.BUY, 2 * LOT, ENTRY_E8, 1)
    assert traded(dust, Side.SELL, LOT, cheap) is RejectCode.MIN_NOTIONAL
    (closed,) = changes_of(traded(dust, Side.SELL, 2 * LOT, cheap, reduce_only=True))
    assert closed.position.direction == FLAT


def test_closing_everything_returns_margin_and_pnl_and_leaves_nothing_behind() -> None:
    (opened,) = changes_of(traded(flat(), Side.SELL, 10 * SOL))
    (closed,) = changes_of(traded(opened.position, Side.BUY, 10 * SOL))
    after = closed.position
    assert (after.direction, after.quantity_nanos, after.entry_cost_micros, after.margin_micros) == (FLAT, 0, 0, 0)
    assert closed.cash_change_micros == (opened.position.margin_micros + closed.realised_pnl_micros - closed.fee_micros)
    assert opened.cash_change_micros + closed.cash_change_micros < 0


@pytest.mark.parametrize(
    ("side", "entry_cost", "realised", "cost_left"),
    # A third of the cost is removed: rounded up for a long, down for a short, so that it gains less.
    [(Side.BUY, 450_000_001, -1, 300_000_000), (Side.SELL, 450_000_002, 0, 300_000_002)],
)
def test_a_partial_close_rounds_against_its_owner(side: Side, entry_cost: int, realised: int, cost_left: int) -> None:
    back = Side.SELL if side is Side.BUY else Side.BUY
    position = position_of(side, 3 * SOL, 15_000_000_000, 10)
    position = msgspec.structs.replace(position, entry_cost_micros=entry_cost, margin_micros=45_000_001)
    closed = apply_fill(
        position,
        fill_at(back, SOL, 15_000_000_000, fee_ppm=0),
        leverage=1,
        cash_micros=0,
        publish_ms=NOW_MS,
        fill_ms=NOW_MS,
        params=PARAMS,
    )
    assert isinstance(closed, PerpChange)
    assert (closed.realised_pnl_micros, closed.position.entry_cost_micros) == (realised, cost_left)
    # Two thirds of the margin stay, rounded up.
    assert closed.position.margin_micros == 30_000_001
    assert closed.cash_change_micros == 15_000_000 + realised


def test_an_order_leaves_pressure_on_its_side_that_decays() -> None:
    for side, sign in ((Side.BUY, 1), (Side.SELL, -1)):
        (first,) = changes_of(traded(flat(), side, 3_000 * SOL))
        (second,) = changes_of(traded(first.position, side, SOL))
        (alone,) = changes_of(traded(flat(), side, SOL))
        assert sign * second.price_e8 > sign * alone.price_e8
        an_hour_later_ms = NOW_MS + HOUR_MS
        rested = {"quote": perp_quote(now_ms=an_hour_later_ms), "fill_ms": an_hour_later_ms}
        (later,) = changes_of(traded(first.position, side, SOL, **rested))
        assert later.price_e8 == alone.price_e8


def test_a_flip_is_a_close_then_an_open() -> None:
    long = position_of(Side.BUY, 10 * SOL, ENTRY_E8, 10)
    closed, opened = changes_of(traded(long, Side.SELL, 25 * SOL, leverage=5))
    assert (closed,) == changes_of(traded(long, Side.SELL, 10 * SOL))
    assert (opened,) == changes_of(traded(closed.position, Side.SELL, 15 * SOL, leverage=5))
    assert (closed.event, opened.event) == (PerpEvent.CLOSE, PerpEvent.OPEN)
    assert (opened.position.direction, opened.position.quantity_nanos) == (SHORT, 15 * SOL)
    assert opened.price_e8 <= closed.price_e8
    assert opened.position.realised_pnl_micros == closed.realised_pnl_micros


def test_a_flip_that_cannot_open_does_not_close_either() -> None:
    long = position_of(Side.BUY, 10 * SOL, ENTRY_E8, 10)
    assert traded(long, Side.SELL, 1_000 * SOL, cash_micros=0) is RejectCode.INSUFFICIENT_FUNDS


def test_a_flip_may_open_with_what_its_close_frees() -> None:
    long = position_of(Side.BUY, 10 * SOL, ENTRY_E8, 10)
    assert not isinstance(traded(long, Side.SELL, 15 * SOL, cash_micros=0), RejectCode)


def test_funding_falls_due_once_an_hour_at_the_first_tick_of_it() -> None:
    position = position_of(Side.BUY, 10 * SOL, ENTRY_E8, 10)
    next_hour_ms = (NOW_MS // HOUR_MS + 1) * HOUR_MS
    assert not funding_is_due(position, next_hour_ms - 1)
    assert funding_is_due(position, next_hour_ms)
    paid = pay_funding(position, funding_tick(next_hour_ms + 5), rate_ppb_8h=PARAMS.interest_8h_ppb, params=PARAMS)
    assert (paid.funding_micros, paid.cash_change_micros) == (-18_780, 0)
    assert paid.position.margin_micros == position.margin_micros - 18_780
    assert not funding_is_due(paid.position, next_hour_ms + HOUR_MS - 1)
    # Three hours without a tick cost one payment.
    assert funding_is_due(paid.position, next_hour_ms + 4 * HOUR_MS)
    assert not funding_is_due(flat(), next_hour_ms)


def test_funding_never_takes_more_than_the_margin() -> None:
    thin = with_margin(position_of(Side.BUY, 10 * SOL, ENTRY_E8, 10), 5)
    paid = pay_funding(thin, funding_tick(NOW_MS + HOUR_MS), rate_ppb_8h=PARAMS.interest_8h_ppb, params=PARAMS)
    assert (paid.funding_micros, paid.position.margin_micros) == (-5, 0)


mids = st.integers(min_value=1_000_000_000, max_value=10**11)


@given(st.sampled_from(Side), st.integers(1, 60_000), st.integers(1, 20), mids)
def test_a_round_trip_on_one_tick_never_makes_money(side: Side, lot_count: int, leverage: int, mid_e8: int) -> None:
    opened = traded(flat(), side, lot_count * LOT, leverage=leverage, quote=perp_quote(mid_e8))
    if isinstance(opened, RejectCode):
        return
    back = Side.SELL if side is Side.BUY else Side.BUY
    closed = changes_of(traded(opened[0].position, back, lot_count * LOT, quote=perp_quote(mid_e8)))
    assert opened[0].cash_change_micros + closed[0].cash_change_micros <= 0


@given(st.integers(2, 60_000), st.data(), mids)
def test_cutting_a_close_into_pieces_returns_no_more_than_the_whole(lot_count: int, data, mid_e8: int) -> None:
    entry_e8 = mid_e8 // 10_000 * 10_000
    position = position_of(Side.BUY, lot_count * LOT, entry_e8, 2)
    first = data.draw(st.integers(1, lot_count - 1))
    whole = traded(position, Side.SELL, lot_count * LOT, quote=perp_quote(mid_e8))
    piece = traded(position, Side.SELL, first * LOT, quote=perp_quote(mid_e8))
    if isinstance(whole, RejectCode) or isinstance(piece, RejectCode):
        return
    rest = changes_of(traded(piece[0].position, Side.SELL, (lot_count - first) * LOT, quote=perp_quote(mid_e8)))
    gain = piece[0].cash_change_micros + rest[0].cash_change_micros - whole[0].cash_change_micros
    one_tick_micros = lot_count * LOT * PARAMS.pricing.tick_e8 // 10**11
    assert gain <= one_tick_micros


@settings(max_examples=60)
@given(st.integers(0, 2**32))
def test_over_any_life_of_a_position_nothing_is_made_or_lost_and_nobody_owes(seed: int) -> None:
    rng = Random(seed)
    books = Books(cash=rng.randrange(100, 200_000) * 10**6)
    position, mid_e8, now_ms = flat(), MID_E8, NOW_MS
    for _ in range(60):
        now_ms += rng.randrange(400, 40 * 60_000)
        mid_e8 = max(10_000_000, mid_e8 * (PPM + rng.randrange(-40_000, 40_001)) // PPM)
        quote = perp_quote(mid_e8, mid_e8 // 5_000, now_ms=now_ms)
        if funding_is_due(position, quote.publish_ms):
            change = pay_funding(position, quote, rate_ppb_8h=rng.randrange(-(10**9), 10**9), params=PARAMS)
            position = books.book(change, mid_e8)
        for _ in range(rng.randrange(1, 3)):
            position, due = watched(position, mid_e8, now_ms=now_ms)
            if due:
                change = liquidate(position, due, Prices(quote), fill_ms=now_ms, params=PARAMS)
                assert not isinstance(change, RejectCode)
                position = books.book(change, mid_e8)
        outcome = traded(
            position,
            rng.choice(list(Side)),
            rng.randrange(1, 60_000) * LOT,
            leverage=rng.randrange(1, 22),
            reduce_only=rng.random() < 0.2,
            quote=quote,
            fill_ms=now_ms,
            cash_micros=books.cash,
        )
        if not isinstance(outcome, RejectCode):
            for change in outcome:
                position = books.book(change, mid_e8)
    assert books.total() == 0


class Books:
    """The balances a session of events leaves, kept apart from the position they belong to."""

    def __init__(self, cash: int) -> None:
        self.cash, self.start = cash, cash
        self.margin = self.fees = self.insurance = self.venue = 0

    def book(self, change: PerpChange, mark_e8: int) -> PerpPosition:
        held = self.margin
        self.cash += change.cash_change_micros
        self.margin += change.margin_change_micros
        self.fees += change.fee_micros
        self.insurance += change.insurance_change_micros
        self.venue -= change.realised_pnl_micros + change.funding_micros
        position = change.position
        assert self.total() == 0
        assert self.cash >= 0
        assert self.margin == position.margin_micros >= 0
        assert change.event is PerpEvent.OPEN or change.cash_change_micros >= 0
        assert change.event is PerpEvent.OPEN or held + change.margin_change_micros >= 0
        equity = self.cash + position_equity_micros(position, mark_e8)
        unrealised = unrealised_pnl_micros(position, mark_e8)
        gained = position.realised_pnl_micros + unrealised + position.funding_micros - position.fees_micros
        assert equity == self.start + gained
        if position.direction == FLAT:
            assert (position.quantity_nanos, position.entry_cost_micros, position.margin_micros) == (0, 0, 0)
        return position

    def total(self) -> int:
        return self.cash + self.margin + self.fees + self.insurance + self.venue - self.start


def funding_tick(publish_ms: int) -> Quote:
    return perp_quote(ENTRY_E8, 0, age_ms=0, now_ms=publish_ms)


def test_a_healthy_position_is_not_below_maintenance_when_it_opens() -> None:
    for leverage in (1, 10, 20):
        (opened,) = changes_of(traded(flat(), Side.BUY, 10 * SOL, leverage=leverage))
        assert not below_maintenance(opened.position, MID_E8, PARAMS)
