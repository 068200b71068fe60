"""Many accounts at once on a real database: what one account gets, each of them gets."""

import msgspec
import pytest
from tests.db.desk import ALICE, BOB, ONE_SOL, Desk
from tests.domains.prop_engine.markets import SOL

from pump_party.db.engine import Database
from pump_party.db.prop_fleet import PropFleetStore
from pump_party.domains.prop_engine.fleet import PropFleet
from pump_party.domains.prop_interface.contract import (
    ACCOUNTS_PER_USER_MAX,
    CLONE_ACCOUNTS_PER_USER_MAX,
    AccountKind,
    AccountStatus,
    Action,
    CloseAction,
    ExitsAction,
    OpenAccount,
    OrderKind,
    OrderStatus,
    OrderTerms,
    PlaceAction,
    SetAccountStatus,
    Side,
    StatusReason,
    SubmitActions,
)
from pump_party.kernel.errors import Conflict, Invalid, NotFound
from pump_party.kernel.ids import AccountId, UserId
from pump_party.platform.clock import ManualClock

BUY = PlaceAction("buy", SOL, Side.BUY, 2 * ONE_SOL)


class Crew:
    """A desk's account and two more, with the fleet that sees them all."""

    def __init__(self, database: Database, clock: ManualClock) -> None:
        self.desk = Desk(database, clock, "practice-v2")
        self.clock = clock
        self.users = [ALICE, BOB, UserId("carol")]
        opened = [
            self.desk.engine.open_account(OpenAccount(user, AccountKind.PRACTICE, "first", "practice-v2"))
            for user in self.users[1:]
        ]
        self.accounts = [self.desk.account_id, *(view.account_id for view in opened)]
        desk = self.desk
        self.fleet = PropFleet(desk.engine, desk.store, PropFleetStore(database), desk.quotes, desk.rules, clock)

    def batch(self, place: int, *actions: Action, run: str = "run-1") -> SubmitActions:
        return SubmitActions(self.users[place], self.accounts[place], run, actions)

    def held(self) -> list[int]:
        found = self.fleet.situations(self.accounts)
        return [sum(p.quantity_nanos for p in found[a].account.positions) for a in self.accounts]


@pytest.fixture
def crew(database: Database, clock: ManualClock) -> Crew:
    return Crew(database, clock)


def test_each_account_is_seen_as_its_owner_sees_it(crew: Crew) -> None:
    resting = PlaceAction("rest", SOL, Side.BUY, ONE_SOL, terms=OrderTerms(OrderKind.LIMIT, 100 * 10**8))
    crew.fleet.submit_many([crew.batch(0, BUY, resting), crew.batch(1, BUY)], until_ms=None)

    found = crew.fleet.situations([*crew.accounts, AccountId("nobody")])

    engine = crew.desk.engine
    assert set(found) == set(crew.accounts)
    for user, account_id in zip(crew.users, crew.accounts, strict=True):
        assert found[account_id].account == engine.account(user, account_id)
        assert list(found[account_id].orders) == list(engine.open_orders(user, account_id))
    assert len(found[crew.accounts[0]].orders) == 1


def test_an_account_that_is_not_active_says_why_to_all_who_read_it(crew: Crew) -> None:
    engine, (paused, resumed, locked) = crew.desk.engine, crew.accounts
    for account_id, status, reason in (
        (paused, AccountStatus.PAUSED, "a first reason"),
        (paused, AccountStatus.ACTIVE, ""),
        (paused, AccountStatus.PAUSED, "the model is away"),
        (resumed, AccountStatus.PAUSED, "a pause"),
        (resumed, AccountStatus.ACTIVE, ""),
        (locked, AccountStatus.LOCKED, "under review"),
    ):
        crew.clock.advance(1)
        key = f"status-{crew.clock.now_ms()}"
        engine.set_account_status(SetAccountStatus(None, account_id, status, key, reason))

    found = crew.fleet.situations(crew.accounts)

    said = [(found[a].account.status_reason, found[a].account.status_detail) for a in crew.accounts]
    by_system = StatusReason.BY_SYSTEM
    assert said == [(by_system, "the model is away"), (None, None), (by_system, "under review")]
    assert [found[a].account for a in crew.accounts] == [engine.account(None, a) for a in crew.accounts]


def test_orders_of_all_share_a_transaction_and_each_keeps_its_own_outcome(
    crew: Crew, monkeypatch: pytest.MonkeyPatch
) -> None:
    batches: list[int] = []
    place = crew.desk.engine.place_orders
    monkeypatch.setattr(crew.desk.engine, "place_orders", lambda c: batches.append(len(c)) or place(c))
    foreign = SubmitActions(BOB, crew.accounts[0], "run-1", (BUY,))

    good, poor, stranger, empty = crew.fleet.submit_many(
        [
            crew.batch(1, BUY),
            crew.batch(2, msgspec.structs.replace(BUY, quantity_nanos=1_000 * ONE_SOL)),
            foreign,
            SubmitActions(ALICE, crew.accounts[0], "run-2", ()),
        ],
        until_ms=None,
    )

    assert batches == [3]
    assert [o.orders[0].status for o in (*good, *poor)] == [OrderStatus.FILLED, OrderStatus.REJECTED]  # type: ignore[union-attr]
    assert stranger[0].refusal_code == "account_not_found"  # type: ignore[index]
    assert isinstance(empty, Invalid)
    assert crew.held() == [0, 2 * ONE_SOL, 0]


def test_a_repeat_does_nothing_twice_and_answers_the_same(crew: Crew) -> None:
    actions = (BUY, ExitsAction("exits", SOL, 140 * 10**8), CloseAction("close", SOL), BUY)
    actions = (*actions[:3], PlaceAction("back", SOL, Side.BUY, ONE_SOL))
    batches = [crew.batch(place, *actions) for place in range(3)]

    first = crew.fleet.submit_many(batches, until_ms=None)
    again = crew.fleet.submit_many(batches, until_ms=None)

    def ids(answers: object) -> list[str]:
        return [o.order_id for outcomes in answers for outcome in outcomes for o in outcome.orders]  # type: ignore[attr-defined]

    assert ids(again) == ids(first)
    assert len(ids(first)) == 12
    assert crew.held() == [ONE_SOL] * 3


def test_a_fleet_does_what_a_run_alone_does(crew: Crew) -> None:
    actions = (BUY, CloseAction("close", SOL), CloseAction("again", SOL))
    crew.fleet.submit_many([crew.batch(0, *actions)], until_ms=None)
    crew.desk.engine.submit_actions(crew.batch(1, *actions))

    together, alone = (crew.fleet.situations(crew.accounts)[a].account for a in crew.accounts[:2])
    assert together.cash_micros == alone.cash_micros
    assert together.fees_micros == alone.fees_micros


def test_after_the_deadline_only_what_was_done_is_told(crew: Crew) -> None:
    deadline_ms = crew.clock.now_ms() + 1_000
    crew.fleet.submit_many([crew.batch(0, BUY)], until_ms=deadline_ms)
    crew.clock.advance(1_001)

    done, late = crew.fleet.submit_many([crew.batch(0, BUY), crew.batch(1, BUY)], until_ms=deadline_ms)

    assert done[0].orders[0].status is OrderStatus.FILLED  # type: ignore[index]
    assert late[0].refusal_code == "too_late"  # type: ignore[index]
    assert crew.held() == [2 * ONE_SOL, 0, 0]


def test_a_foreign_position_cannot_be_closed(crew: Crew) -> None:
    crew.fleet.submit_many([crew.batch(0, BUY)], until_ms=None)
    theft = SubmitActions(BOB, crew.accounts[0], "run-2", (CloseAction("close", SOL),))
    ((outcome,),) = crew.fleet.submit_many([theft], until_ms=None)
    assert outcome.refusal_code == NotFound("", code="account_not_found").code
    assert crew.held()[0] == 2 * ONE_SOL


def test_accounts_of_clones_are_counted_apart_and_never_reset(crew: Crew) -> None:
    engine = crew.desk.engine

    def open_one(number: int, kind: AccountKind) -> None:
        engine.open_account(OpenAccount(ALICE, kind, f"{kind}-{number}"))

    for number in range(CLONE_ACCOUNTS_PER_USER_MAX):
        open_one(number, AccountKind.CLONE)
    with pytest.raises(Conflict):
        open_one(CLONE_ACCOUNTS_PER_USER_MAX, AccountKind.CLONE)
    for number in range(ACCOUNTS_PER_USER_MAX - 1):
        open_one(number, AccountKind.PRACTICE)
    with pytest.raises(Conflict):
        open_one(ACCOUNTS_PER_USER_MAX, AccountKind.PRACTICE)
