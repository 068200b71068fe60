"""Batches of actions on a real database: each done once, with its own outcome, whatever happens in between."""

import pytest
from tests.db.desk import ALICE, BOB, ONE_SOL, START, Desk, holds_nothing
from tests.domains.prop_engine.markets import SOL, SOL_PERP

from pump_party.db.engine import Database
from pump_party.domains.prop_engine.service import PropTradingEngine
from pump_party.domains.prop_interface.contract import (
    ACTIONS_PER_BATCH_MAX,
    Action,
    ActionOutcome,
    CancelAction,
    CancelReason,
    CloseAction,
    ExitsAction,
    OrderKind,
    OrderStatus,
    OrderTerms,
    PlaceAction,
    RejectCode,
    Side,
    SubmitActions,
)
from pump_party.kernel.errors import Invalid
from pump_party.platform.clock import ManualClock

BUY = PlaceAction("buy", SOL, Side.BUY, 2 * ONE_SOL)
CLOSE = CloseAction("close", SOL)


@pytest.fixture
def desk(database: Database, clock: ManualClock) -> Desk:
    return Desk(database, clock, "practice-v2")


@pytest.fixture
def perp(database: Database, clock: ManualClock) -> Desk:
    return Desk(database, clock, "practice-v2", SOL_PERP)


def submit(desk: Desk, *actions: Action, run: str = "run-1", user: object = ALICE) -> list[ActionOutcome]:
    return list(desk.engine.submit_actions(SubmitActions(user, desk.account_id, run, actions)))  # type: ignore[arg-type]


def held_nanos(desk: Desk) -> int:
    return sum(p.quantity_nanos for p in desk.view().positions)


def triggers(desk: Desk) -> set[tuple[str, int]]:
    """(kind, price in whole USDC) of the exits that wait."""
    found = [o.terms for o in desk.open() if o.terms is not None]
    return {(t.kind.value, (t.trigger_price_e8 or 0) // 10**8) for t in found}


def test_actions_are_done_in_order_and_each_has_its_own_outcome(desk: Desk) -> None:
    limit = PlaceAction("limit", SOL, Side.BUY, ONE_SOL, terms=OrderTerms(OrderKind.LIMIT, 100 * 10**8))
    exits = ExitsAction("exits", SOL, 140 * 10**8, 170 * 10**8)
    too_much = PlaceAction("more", SOL, Side.BUY, 1_000 * ONE_SOL)
    bought, rested, guarded, refused, unknown = submit(
        desk, BUY, limit, exits, too_much, CancelAction("none", desk.account_id)
    )
    assert [o.status for o in (*bought.orders, *rested.orders)] == [OrderStatus.FILLED, OrderStatus.ACCEPTED]
    assert [o.terms and o.terms.kind for o in guarded.orders] == [OrderKind.STOP, OrderKind.TAKE_PROFIT]
    assert refused.orders[0].reject_code is RejectCode.INSUFFICIENT_FUNDS
    assert (unknown.orders, unknown.refusal_code) == ((), "order_not_found")

    cancelled, closed = submit(desk, CancelAction("cancel", rested.orders[0].order_id), CLOSE, run="run-2")
    assert cancelled.orders[0].cancel_reason is CancelReason.USER
    assert closed.orders[0].status is OrderStatus.FILLED
    assert held_nanos(desk) == 0
    assert holds_nothing(desk), "the exits went with the position"


def test_a_repeated_batch_changes_nothing_and_answers_the_same(desk: Desk) -> None:
    batch = (BUY, ExitsAction("exits", SOL, stop_price_e8=140 * 10**8), CLOSE)
    first = submit(desk, *batch)
    before = desk.view()
    again = submit(desk, *batch)
    assert [o.order_id for out in again for o in out.orders] == [o.order_id for out in first for o in out.orders]
    assert desk.view() == before
    assert holds_nothing(desk)


@pytest.mark.parametrize("done", range(6))
def test_a_crash_between_any_two_steps_is_made_good_by_repeating(
    desk: Desk, monkeypatch: pytest.MonkeyPatch, done: int
) -> None:
    """The batch has six transactions; the process ends after `done` of them."""
    submit(desk, BUY, ExitsAction("old", SOL, stop_price_e8=120 * 10**8), run="before")
    batch = (
        PlaceAction("more", SOL, Side.BUY, ONE_SOL),
        ExitsAction("new", SOL, 130 * 10**8, 180 * 10**8),
        PlaceAction("less", SOL, Side.SELL, ONE_SOL),
        CloseAction("close", SOL),
        PlaceAction("back", SOL, Side.BUY, 5 * ONE_SOL),
    )
    left = done

    def dying(method):  # type: ignore[no-untyped-def]
        def call(self, command):  # type: ignore[no-untyped-def]
            nonlocal left
            if left == 0:
                raise KeyboardInterrupt
            left -= 1
            return method(self, command)

        return call

    with monkeypatch.context() as patch:
        for name in ("place_orders", "cancel_order"):
            patch.setattr(PropTradingEngine, name, dying(getattr(PropTradingEngine, name)))
        with pytest.raises(KeyboardInterrupt):
            submit(desk, *batch)
    desk.restart()
    outcomes = submit(desk, *batch)
    assert [o.refusal_code for o in outcomes] == [None] * 5
    assert held_nanos(desk) == 5 * ONE_SOL
    assert triggers(desk) == set()
    assert desk.view().residual_micros == 0
    assert len(desk.engine.fills(ALICE, desk.account_id, cursor=None, limit=50).items) == 5
    assert submit(desk, *batch)[-1].orders[0].order_id == outcomes[-1].orders[0].order_id
    assert holds_nothing(desk)


def test_exits_replace_those_before_and_a_late_repeat_leaves_the_newer_ones(desk: Desk) -> None:
    old = ExitsAction("a", SOL, 140 * 10**8, 160 * 10**8)
    submit(desk, BUY, old)
    assert triggers(desk) == {("stop", 140), ("take_profit", 160)}
    submit(desk, ExitsAction("a", SOL, target_price_e8=170 * 10**8), run="run-2")
    assert triggers(desk) == {("take_profit", 170)}
    repeated = submit(desk, old)[0].orders
    assert [o.status for o in repeated] == [OrderStatus.CANCELLED] * 2
    assert triggers(desk) == {("take_profit", 170)}
    desk.tick(171)
    assert held_nanos(desk) == 0
    assert holds_nothing(desk)


def test_of_two_exits_the_first_that_fires_takes_the_other_along(desk: Desk) -> None:
    submit(desk, BUY, ExitsAction("exits", SOL, 140 * 10**8, 160 * 10**8))
    assert desk.tick(139) >= 1
    assert held_nanos(desk) == 0
    assert holds_nothing(desk)


def test_a_short_is_closed_by_buying_it_back_once(perp: Desk) -> None:
    sell = PlaceAction("sell", SOL_PERP, Side.SELL, 10 * ONE_SOL, terms=OrderTerms(leverage=5))
    close = CloseAction("close", SOL_PERP)
    _, guarded, closed = submit(perp, sell, ExitsAction("exits", SOL_PERP, stop_price_e8=160 * 10**8), close)
    assert [guarded.orders[0].side, closed.orders[0].side] == [Side.BUY, Side.BUY]
    assert perp.view().perps == ()
    submit(perp, PlaceAction("buy", SOL_PERP, Side.BUY, 10 * ONE_SOL, terms=OrderTerms(leverage=5)), run="run-2")
    assert submit(perp, close)[0].orders[0].order_id == closed.orders[0].order_id
    assert perp.view().perps[0].direction == 1, "the long that came later is not closed"


def test_closing_nothing_is_a_recorded_rejection(desk: Desk, perp: Desk) -> None:
    for venue, market in ((desk, SOL), (perp, SOL_PERP)):
        (outcome,) = submit(venue, CloseAction("close", market))
        assert outcome.orders[0].reject_code is RejectCode.INSUFFICIENT_POSITION


def test_the_same_action_with_another_content_is_refused(desk: Desk) -> None:
    submit(desk, BUY)
    (outcome,) = submit(desk, PlaceAction("buy", SOL, Side.BUY, ONE_SOL))
    assert outcome.refusal_code == "idempotency_mismatch"
    assert held_nanos(desk) == 2 * ONE_SOL


def test_a_stranger_finds_no_account_whatever_he_asks_for(desk: Desk) -> None:
    outcomes = submit(desk, BUY, CLOSE, ExitsAction("e", SOL, 10**10), CancelAction("c", desk.account_id), user=BOB)
    assert {o.refusal_code for o in outcomes} == {"account_not_found"}
    assert desk.view().cash_micros == START


@pytest.mark.parametrize(
    ("run", "actions", "code"),
    [
        ("run", [], "batch_size"),
        ("run", [CloseAction(f"a{n}", SOL) for n in range(ACTIONS_PER_BATCH_MAX + 1)], "batch_size"),
        ("run", [CLOSE, CLOSE], "action_id_twice"),
        ("run", [CloseAction("a" * 17, SOL)], "invalid_id"),
        ("run", [CloseAction("", SOL)], "invalid_id"),
        ("run", [CloseAction("a:b", SOL)], "invalid_id"),
        ("a,b", [CLOSE], "invalid_id"),
        ("r" * 37, [CLOSE], "invalid_id"),
    ],
)
def test_a_batch_that_is_badly_keyed_or_sized_is_refused_as_a_whole(
    desk: Desk, run: str, actions: list[Action], code: str
) -> None:
    with pytest.raises(Invalid) as refused:
        submit(desk, *actions, run=run)
    assert refused.value.code == code


def test_the_longest_ids_make_a_key_that_an_order_may_have(desk: Desk) -> None:
    run, action = "r" * 36, "a" * 16
    submit(desk, BUY, ExitsAction(action, SOL, 140 * 10**8, 160 * 10**8), run=run)
    assert len(triggers(desk)) == 2
    (no_exit,) = submit(desk, ExitsAction("none", SOL))
    assert no_exit.refusal_code == "no_exit"
