"""Perpetual positions: margin, flips, funding, liquidation. SQLite, Postgres and memory."""

import msgspec
import pytest
from tests.db.desk import ALICE, LATENCY_MS, START, Desk, Venue, holds_nothing
from tests.domains.prop_engine.markets import SOL_PERP, order

from pump_party.domains.marketdata.contract import HaltReason, HourPremium, SettledFunding
from pump_party.domains.prop_engine.margin import below_maintenance, liquidation_price_e8
from pump_party.domains.prop_engine.model import RecordKind
from pump_party.domains.prop_interface.contract import (
    CancelReason,
    OrderKind,
    OrderStatus,
    OrderTerms,
    PerpPositionView,
    RejectCode,
    ResetAccount,
)
from pump_party.platform.clock import ManualClock

TEN_SOL = 10 * 10**9
HOUR_MS = 3_600_000


@pytest.fixture
def desk(venue: Venue, clock: ManualClock) -> Desk:
    """A practice account that fills at once."""
    return Desk(venue, clock, "practice-v2", SOL_PERP)


@pytest.fixture
def contest(venue: Venue, clock: ManualClock) -> Desk:
    return Desk(venue, clock, "practice-next-v1", SOL_PERP)


def position(desk: Desk) -> PerpPositionView:
    (held,) = desk.view().perps
    return held


def is_proven(desk: Desk) -> bool:
    return desk.view().residual_micros == 0 and desk.problems() == []


def test_opening_sets_margin_aside_and_closing_gives_it_back(desk: Desk) -> None:
    opened = desk.place("buy", TEN_SOL, leverage=10)
    assert opened.fill is not None
    assert opened.fill.perp is not None
    assert opened.fill.perp.event == "open"
    held = position(desk)
    assert (held.direction, held.quantity_nanos, held.leverage) == (1, TEN_SOL, 10)
    assert held.margin_micros == -(-opened.fill.gross_micros // 10)
    view = desk.view()
    assert view.margin_micros == held.margin_micros
    assert view.cash_micros == START - held.margin_micros - opened.fill.fee_micros
    assert is_proven(desk)

    desk.tick(151)
    closed = desk.place("sell", TEN_SOL)
    assert closed.fill is not None
    after = desk.view()
    assert (after.perps, after.margin_micros) == ((), 0)
    assert after.realised_pnl_micros == closed.fill.realised_pnl_micros > 0
    assert after.cash_micros == START + after.realised_pnl_micros - after.fees_micros
    assert is_proven(desk)


def test_a_short_gains_when_the_price_falls(desk: Desk) -> None:
    desk.place("sell", TEN_SOL, leverage=5)
    assert position(desk).direction == -1
    desk.tick(140)
    assert (position(desk).unrealised_pnl_micros or 0) > 90_000_000
    assert is_proven(desk)


def test_an_order_through_zero_is_two_fills_of_one_order(desk: Desk) -> None:
    desk.place("buy", TEN_SOL, leverage=10)
    flipped = desk.place("sell", 2 * TEN_SOL, leverage=10)
    assert (position(desk).direction, position(desk).quantity_nanos) == (-1, TEN_SOL)
    fills = desk.engine.fills(ALICE, desk.account_id, cursor=None, limit=10).items
    assert [(f.side.value, f.quantity_nanos, f.perp and f.perp.event) for f in fills] == [
        ("sell", TEN_SOL, "open"),
        ("sell", TEN_SOL, "close"),
        ("buy", TEN_SOL, "open"),
    ]
    orders = desk.engine.orders(ALICE, desk.account_id, cursor=None, limit=10).items
    assert [o.order_id for o in orders].count(flipped.order_id) == 1
    assert is_proven(desk)


@pytest.mark.parametrize(
    ("asked", "code"),
    [
        ({"leverage": 21}, RejectCode.MAX_LEVERAGE),
        ({"leverage": 0}, RejectCode.BAD_REQUEST),
        ({"leverage": 1, "nanos": 100 * 10**9}, RejectCode.INSUFFICIENT_FUNDS),
        ({"nanos": 1}, RejectCode.LOT_SIZE),
        ({"nanos": None, "quote_micros": 10**9}, RejectCode.BAD_REQUEST),
        ({"reduce_only": True}, RejectCode.INSUFFICIENT_POSITION),
    ],
)
def test_what_margin_does_not_allow_is_refused(
    desk: Desk, contest: Desk, asked: dict[str, object], code: RejectCode
) -> None:
    for venue in (desk, contest):
        placed = venue.place("buy", **({"nanos": TEN_SOL} | asked))  # type: ignore[arg-type]
        if placed.status is OrderStatus.ACCEPTED:
            venue.tick(150)
            placed = venue.order(placed)
        assert placed.reject_code is code
        assert holds_nothing(venue)


def test_under_contest_rules_an_order_holds_margin_and_fee_until_its_tick(contest: Desk) -> None:
    placed = contest.place("buy", TEN_SOL, leverage=10)
    assert placed.held_amount == 154_500_000 + 695_250
    contest.tick(151)
    fill = contest.order(placed).fill
    assert fill is not None
    assert fill.evidence.mid_e8 == 151 * 10**8
    assert holds_nothing(contest)
    assert is_proven(contest)


def test_closing_needs_no_free_cash(contest: Desk) -> None:
    contest.place("buy", 600 * 10**9, leverage=10)
    contest.tick(150)
    closing = contest.place("sell", 600 * 10**9)
    assert closing.held_amount == 0
    contest.tick(150)
    assert contest.order(closing).status is OrderStatus.FILLED
    assert is_proven(contest)


def test_a_resting_limit_on_a_perpetual_fills_at_its_price_and_the_makers_fee(desk: Desk) -> None:
    placed = desk.place("sell", TEN_SOL, kind=OrderKind.LIMIT, limit_price_e8=155 * 10**8, leverage=10)
    assert placed.status is OrderStatus.ACCEPTED
    assert desk.tick(155) == 0
    assert desk.tick(156) == 1
    fill = desk.order(placed).fill
    assert fill is not None
    assert fill.price_e8 == 155 * 10**8
    assert fill.fee_micros == -(-fill.gross_micros * 150 // 10**6)
    assert is_proven(desk)


def test_exits_of_a_short_stand_on_its_sides_and_go_with_it(desk: Desk) -> None:
    desk.place("sell", TEN_SOL, leverage=10, stop_price_e8=160 * 10**8, target_price_e8=140 * 10**8)
    assert [o.side.value for o in desk.open()] == ["buy", "buy"]
    exits = desk.open()
    desk.tick(139)
    ended = {desk.order(o).status: desk.order(o) for o in exits}
    assert ended[OrderStatus.CANCELLED].cancel_reason is CancelReason.OTHER_FILLED
    assert desk.view().perps == ()
    assert is_proven(desk)


def test_funding_is_paid_once_an_hour_at_its_first_tick(desk: Desk) -> None:
    desk.place("buy", TEN_SOL, leverage=10)
    before = position(desk).margin_micros
    desk.tick(150, after_ms=HOUR_MS)
    paid = position(desk).funding_micros
    assert paid == -18_750
    assert position(desk).margin_micros == before + paid
    desk.tick(150, after_ms=1_000)
    assert position(desk).funding_micros == paid
    desk.tick(150, after_ms=HOUR_MS)
    assert desk.view().funding_micros == 2 * paid
    kinds = [e.kind for e in desk.engine.ledger(ALICE, desk.account_id, cursor=None, limit=3).items]
    assert "funding" in kinds
    assert is_proven(desk)


def test_funding_follows_the_premium_that_was_recorded_and_its_record_says_which(desk: Desk) -> None:
    desk.place("buy", TEN_SOL, leverage=10)
    before = position(desk).margin_micros
    hour_ms = desk.clock.now_ms() // HOUR_MS * HOUR_MS
    desk.tick(150, after_ms=HOUR_MS, premium=HourPremium(hour_ms, 10_000_000, 720, "hyperliquid"))
    # 1 % premium less the clamp of 0.05 %: 0.95 % in eight hours, of 1,500 USDC.
    assert position(desk).funding_micros == -1_781_250
    desk.tick(150, after_ms=HOUR_MS, premium=HourPremium(hour_ms + HOUR_MS, -10_000_000, 3, "hyperliquid"))
    assert position(desk).funding_micros == 0
    desk.tick(150, after_ms=HOUR_MS)
    assert (position(desk).funding_micros, position(desk).margin_micros) == (-18_750, before - 18_750)
    assert is_proven(desk)
    records = desk.store.records(ALICE, desk.account_id, before=None, limit=10)
    none, falling, rising = (msgspec.json.decode(r.detail or "") for r in records if r.kind is RecordKind.FUNDING)
    assert none["premium"] == "none"
    assert "premium_ppb" not in none
    assert (falling["premium"], falling["premium_ppb"], falling["premium_samples"]) == ("recorded", "-10000000", "3")
    assert (rising["premium_hour_ms"], rising["premium_source"]) == (str(hour_ms), "hyperliquid")


def test_funding_follows_what_was_settled_where_that_was_recorded(desk: Desk) -> None:
    desk.place("buy", TEN_SOL, leverage=10)
    settled_ms = desk.clock.now_ms() - HOUR_MS
    desk.tick(150, after_ms=HOUR_MS, settled=SettledFunding(settled_ms, -20_000, "tape"))
    # 0.002 % an hour, paid to longs, of 1,500 USDC: no interest comes on top of it.
    assert position(desk).funding_micros == 30_000
    assert is_proven(desk)
    records = desk.store.records(ALICE, desk.account_id, before=None, limit=10)
    (told,) = (msgspec.json.decode(r.detail or "") for r in records if r.kind is RecordKind.FUNDING)
    assert (told["premium"], told["settled_1h_ppb"], told["settled_ms"]) == ("none", "-20000", str(settled_ms))
    desk.tick(150, after_ms=HOUR_MS, settled=SettledFunding(settled_ms, 10**9, "tape"))
    # No more than the cap of 4 % an hour.
    assert position(desk).funding_micros == 30_000 - 60_000_000


def test_a_halted_market_funds_nobody_until_it_is_open_again(desk: Desk) -> None:
    desk.place("buy", TEN_SOL, leverage=10)
    desk.tick(150, after_ms=HOUR_MS, halt_reason=HaltReason.SOURCES_DISAGREE)
    assert position(desk).funding_micros == 0
    desk.tick(150, after_ms=1_000)
    assert position(desk).funding_micros == -18_750


def test_no_order_at_the_turn_of_the_hour_comes_before_its_funding(desk: Desk) -> None:
    desk.place("buy", TEN_SOL, leverage=10)
    desk.clock.advance(HOUR_MS)
    quote = desk.quote(150)
    desk.quotes.set(quote)
    assert desk.place("sell", None, reduce_only=True).status is OrderStatus.FILLED
    assert desk.view().funding_micros == -18_750
    assert desk.engine.take_ticks([quote]) == 0
    assert desk.view().funding_micros == -18_750
    assert is_proven(desk)


def test_two_ticks_must_agree_before_a_position_is_liquidated(desk: Desk) -> None:
    desk.place("buy", TEN_SOL, leverage=20, stop_price_e8=130 * 10**8)
    liquidation_e8 = position(desk).liquidation_e8 or 0
    just_below = liquidation_e8 / 10**8 - 0.05
    assert desk.tick(just_below, after_ms=1_000) == 0
    assert desk.tick(150, after_ms=1_000) == 0, "the margin is enough again"
    assert desk.tick(just_below, after_ms=1_000) == 0
    assert desk.tick(just_below, after_ms=1_000) == 1
    view = desk.view()
    assert (view.perps, view.margin_micros, view.open_orders) == ((), 0, 0)
    liquidation = desk.engine.orders(ALICE, desk.account_id, cursor=None, limit=10).items
    assert any(o.terms is not None and o.terms.is_liquidation for o in liquidation)
    kinds = [m.kind for m in desk.messages()]
    assert kinds.count("position_updated") == 3
    assert is_proven(desk)


def test_a_tick_that_roundings_alone_bring_below_maintenance_is_seen(desk: Desk) -> None:
    desk.place("sell", 10**8, leverage=10)
    (held,) = desk.store.account(ALICE, desk.account_id).perps
    params = desk.rules["practice-v2"].perp[SOL_PERP]
    shown_e8 = liquidation_price_e8(held, params)
    mid_e8 = next(e8 for e8 in range(shown_e8 - 1_000, shown_e8) if below_maintenance(held, e8, params))
    desk.tick(150, after_ms=1_000, mid_e8=mid_e8)
    (seen,) = desk.store.account(ALICE, desk.account_id).perps
    assert seen.breach_ms == desk.clock.now_ms()


def test_a_tick_that_is_delivered_twice_liquidates_nobody(desk: Desk) -> None:
    desk.place("buy", TEN_SOL, leverage=20)
    desk.clock.advance(1_000)
    quote = desk.quote(120)
    assert desk.engine.take_ticks([quote, quote]) == 0
    assert desk.engine.take_ticks([quote]) == 0
    assert position(desk).quantity_nanos == TEN_SOL
    assert desk.tick(120, after_ms=1_000) == 1


def test_a_gap_never_takes_more_than_the_margin_and_insurance_pays_the_rest(desk: Desk) -> None:
    opened = desk.place("buy", TEN_SOL, leverage=20)
    assert opened.fill is not None
    margin = position(desk).margin_micros
    desk.tick(120, after_ms=1_000)
    desk.tick(120, after_ms=1_000)
    view = desk.view()
    assert view.cash_micros == START - margin - opened.fill.fee_micros
    assert view.realised_pnl_micros == -margin
    postings = desk.engine.ledger(ALICE, desk.account_id, cursor=None, limit=1).items
    (insurance_micros,) = [e.amount for e in postings if e.ledger_account == "venue:insurance"]
    assert insurance_micros < -200_000_000
    assert is_proven(desk)


def test_an_uncertain_price_liquidates_nobody(desk: Desk) -> None:
    desk.place("buy", TEN_SOL, leverage=20)
    for _ in range(3):
        assert desk.tick(120, after_ms=1_000, conf_e8=10**8) == 0
    assert position(desk).quantity_nanos == TEN_SOL


@pytest.mark.parametrize(
    ("untrusted", "reason"),
    [
        ({"conf_e8": 10**8}, RejectCode.PRICE_UNCERTAIN),
        ({"halt_reason": HaltReason.QUARANTINE_JUMP}, RejectCode.MARKET_HALTED),
    ],
)
def test_a_price_that_cannot_be_trusted_suspends_the_liquidation_and_does_not_say_that_the_margin_is_enough(
    desk: Desk, untrusted: dict[str, object], reason: RejectCode
) -> None:
    desk.place("buy", TEN_SOL, leverage=20)
    desk.tick(120, after_ms=1_000)
    for _ in range(2):
        desk.tick(120, after_ms=1_000, **untrusted)
    desk.tick(120, after_ms=1_000)
    assert position(desk).quantity_nanos == TEN_SOL, "the agreement started anew"
    desk.tick(150, after_ms=1_000)
    (records,) = desk.records()
    told = [r for r in records.journal if r.kind.value.startswith(("margin", "liquidation"))]
    kinds = (RecordKind.MARGIN_CALL, RecordKind.LIQUIDATION_SUSPENDED, RecordKind.MARGIN_CALL)
    assert tuple(r.kind for r in told) == (*kinds, RecordKind.MARGIN_RESTORED)
    assert msgspec.json.decode(told[1].detail or "")["reason"] == reason
    changes = [msgspec.json.decode(bytes(m.payload)).get("change") for m in desk.messages()]
    assert [c for c in changes if c] == [r.kind.value for r in told]
    assert is_proven(desk)


def test_a_large_position_is_liquidated_in_two_steps(desk: Desk) -> None:
    desk.place("buy", 1_000 * 10**9, leverage=20)
    price = (position(desk).liquidation_e8 or 0) / 10**8 - 0.02
    desk.tick(price, after_ms=1_000)
    assert desk.tick(price, after_ms=1_000) == 1
    assert position(desk).quantity_nanos == 800 * 10**9
    assert desk.tick(price - 1, after_ms=1_000) == 0
    assert desk.tick(price - 1, after_ms=30_000) == 1
    assert desk.view().perps == ()
    assert is_proven(desk)


def test_a_reset_closes_perpetuals_too(contest: Desk) -> None:
    contest.place("buy", TEN_SOL, leverage=10)
    contest.tick(150)
    contest.place("sell", TEN_SOL, kind=OrderKind.LIMIT, limit_price_e8=200 * 10**8)
    contest.engine.reset_account(ResetAccount(ALICE, contest.account_id, "reset"))
    view = contest.view()
    assert (view.cash_micros, view.margin_micros, view.perps) == (START, 0, ())
    assert holds_nothing(contest)
    contest.tick(150, after_ms=LATENCY_MS + 1)


def test_a_preview_shows_margin_and_liquidation_price_and_changes_nothing(desk: Desk) -> None:
    command = order(ALICE, desk.account_id, "p", "buy", TEN_SOL, market=SOL_PERP, terms=OrderTerms(leverage=10))
    shown = desk.engine.preview_order(command)
    assert desk.view().perps == ()
    desk.place("buy", TEN_SOL, leverage=10)
    assert (shown.margin_micros, shown.liquidation_e8) == (position(desk).margin_micros, position(desk).liquidation_e8)
    assert shown.cash_after_micros == desk.view().cash_micros


def test_a_jump_through_a_resting_limit_opens_what_the_next_two_ticks_liquidate(contest: Desk) -> None:
    contest.place("sell", TEN_SOL, kind=OrderKind.LIMIT, limit_price_e8=160 * 10**8, leverage=20)
    contest.tick(150)
    contest.tick(190)
    assert (position(contest).direction, position(contest).entry_cost_micros) == (-1, 1_600_000_000)
    contest.tick(190)
    contest.tick(190)
    assert contest.view().perps == ()
    lost_micros = START - contest.view().cash_micros
    assert lost_micros == 80_000_000 + contest.view().fees_micros
    assert is_proven(contest)
