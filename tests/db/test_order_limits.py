"""Limits on orders on a real database: markets, leverage, the size of positions, orders in a minute."""

from tests.db.conftest import OpenDesk
from tests.db.desk import ONE_SOL
from tests.domains.prop_engine.markets import BTC, SOL_PERP, quote_at

from pump_party.domains.prop_interface.contract import OrderKind, OrderStatus, RejectCode


def test_an_audition_trades_spot_sol_only(trader: OpenDesk) -> None:
    desk = trader()
    desk.quotes.set(quote_at(desk.clock.now_ms(), market=BTC, conf_e8=0, mid_e8=10**13))
    assert desk.place("buy", ONE_SOL // 100, market=BTC).reject_code is RejectCode.BAD_REQUEST
    assert desk.place("buy", ONE_SOL, market=SOL_PERP, leverage=1).reject_code is RejectCode.BAD_REQUEST
    assert desk.place("buy", ONE_SOL).status is OrderStatus.ACCEPTED


def test_leverage_is_limited_by_the_rules_before_the_market(trader: OpenDesk) -> None:
    desk = trader("race-v1", SOL_PERP)
    assert desk.place("buy", ONE_SOL, leverage=11).reject_code is RejectCode.MAX_LEVERAGE
    assert desk.place("buy", ONE_SOL, leverage=10).status is OrderStatus.ACCEPTED


def test_the_size_of_a_position_counts_the_orders_that_wait(trader: OpenDesk) -> None:
    desk = trader(max_position_micros=1_500_000_000)
    limit = {"kind": OrderKind.LIMIT, "limit_price_e8": 100 * 10**8}
    assert desk.place("buy", 6 * ONE_SOL, **limit).status is OrderStatus.ACCEPTED
    assert desk.place("buy", 6 * ONE_SOL).status is OrderStatus.FILLED
    assert desk.place("buy", ONE_SOL // 10).reject_code is RejectCode.MAX_NOTIONAL
    assert desk.place("buy", None, quote_micros=10_000_000).reject_code is RejectCode.MAX_NOTIONAL
    assert desk.place("sell", 6 * ONE_SOL).status is OrderStatus.FILLED, "the way out stays open"


def test_a_short_is_held_to_the_same_size_and_a_flip_goes_through_a_close(trader: OpenDesk) -> None:
    desk = trader(market=SOL_PERP, max_position_micros=1_500_000_000)
    assert desk.place("sell", 11 * ONE_SOL, leverage=5).reject_code is RejectCode.MAX_NOTIONAL
    assert desk.place("sell", 10 * ONE_SOL, leverage=5).status is OrderStatus.FILLED
    assert desk.place("buy", 11 * ONE_SOL, leverage=5).reject_code is RejectCode.MAX_NOTIONAL
    assert desk.place("buy", None, reduce_only=True).status is OrderStatus.FILLED
    assert desk.place("buy", 10 * ONE_SOL, leverage=5).status is OrderStatus.FILLED
    assert desk.view().perps[0].direction == 1


def test_closing_a_position_lets_no_order_that_rests_against_it_pass_the_limit(trader: OpenDesk) -> None:
    desk = trader(market=SOL_PERP, max_position_micros=1_500_000_000)
    assert desk.place("buy", 10 * ONE_SOL, leverage=5).status is OrderStatus.FILLED
    above = {"kind": OrderKind.LIMIT, "limit_price_e8": 151 * 10**8, "leverage": 5}
    assert desk.place("sell", 19 * ONE_SOL, **above).reject_code is RejectCode.MAX_NOTIONAL
    assert desk.place("sell", 5 * ONE_SOL, **above).status is OrderStatus.ACCEPTED
    assert desk.place("sell", 5 * ONE_SOL, **above).reject_code is RejectCode.MAX_NOTIONAL
    assert desk.place("sell", None, reduce_only=True).status is OrderStatus.FILLED
    desk.tick(152)
    short = desk.view().perps[0]
    assert (short.direction, short.quantity_nanos) == (-1, 5 * ONE_SOL)


def test_a_sale_limited_far_below_the_price_counts_at_the_price_it_may_fill_at(trader: OpenDesk) -> None:
    desk = trader(market=SOL_PERP, max_position_micros=1_500_000_000)
    cheap = {"kind": OrderKind.LIMIT, "limit_price_e8": 10**8, "leverage": 5}
    assert desk.place("sell", 11 * ONE_SOL, **cheap).reject_code is RejectCode.MAX_NOTIONAL
    assert desk.place("sell", 10 * ONE_SOL, **cheap).status is OrderStatus.FILLED


def test_orders_of_the_last_minute_are_counted_and_refused_ones_beyond_the_limit_are_not(trader: OpenDesk) -> None:
    desk = trader(orders_per_minute=3)

    def places() -> RejectCode | None:
        return desk.place("buy", ONE_SOL // 10).reject_code

    assert places() is None
    desk.tick(150, after_ms=30_000)
    assert desk.place("buy", 1).reject_code is RejectCode.LOT_SIZE, "a refused order counts as well"
    assert places() is None
    assert [places(), places()] == [RejectCode.RATE_LIMITED] * 2
    desk.tick(150, after_ms=29_999)
    assert places() is RejectCode.RATE_LIMITED
    desk.tick(150, after_ms=1)
    assert [places(), places()] == [None, RejectCode.RATE_LIMITED], "a minute after the first there is room for one"
    desk.tick(150, after_ms=60_000)
    assert [places(), places(), places(), places()] == [None, None, None, RejectCode.RATE_LIMITED]


def test_a_repeated_key_is_not_another_order(trader: OpenDesk) -> None:
    desk = trader(orders_per_minute=1)
    first = desk.place(idempotency_key="once")
    assert desk.place(idempotency_key="once") == first
