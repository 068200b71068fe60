"""One tick and many accounts: what is wrong with one of them stops no other. SQLite and Postgres."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager

import pytest
import sqlalchemy as sa
from tests.db.desk import ALICE, BOB, LATENCY_MS, ONE_SOL, WAIT_MS, Desk
from tests.domains.prop_engine.markets import order

from pump_party.db.engine import Database
from pump_party.db.prop_engine import PropStore
from pump_party.db.prop_tables import accounts
from pump_party.domains.prop_engine.store import OrdersTransaction, TransactionConflict
from pump_party.domains.prop_engine.working import TICK_GRACE_MS
from pump_party.domains.prop_interface.contract import AccountKind, OpenAccount, OrderStatus, RejectCode
from pump_party.kernel.errors import Unavailable
from pump_party.kernel.ids import AccountId, Market
from pump_party.platform.clock import ManualClock


@pytest.fixture
def desk(database: Database, clock: ManualClock) -> Desk:
    return Desk(database, clock, "practice-next-v1")


def bob_waits_too(desk: Desk) -> AccountId:
    opened = desk.engine.open_account(OpenAccount(BOB, AccountKind.PRACTICE, "bob", "practice-next-v1"))
    desk.engine.place_orders([order(BOB, opened.account_id, "bob", "buy", ONE_SOL)])
    return opened.account_id


def test_an_account_that_cannot_be_matched_holds_up_nobody_else(desk: Desk, database: Database) -> None:
    bobs = bob_waits_too(desk)
    with database.write() as connection:
        broken = sa.update(accounts).where(accounts.c.account_id == bobs)
        connection.execute(broken.values(rule_set="no-such-rules"))
    filled = desk.place()
    assert desk.tick(150) == 1
    assert desk.order(filled).status is OrderStatus.FILLED
    late = desk.place()
    desk.clock.advance(WAIT_MS + TICK_GRACE_MS + 1)
    desk.engine.expire_orders()
    assert desk.order(late).reject_code is RejectCode.PRICE_TIMEOUT


class Crowded(PropStore):
    """Whoever changes several accounts at once is overtaken, and whoever changes one of the busy ones is too."""

    busy: frozenset[AccountId] = frozenset()

    @contextmanager
    def orders_transaction(self, keys: Sequence[tuple[AccountId, Market, str]]) -> Iterator[OrdersTransaction]:
        asked = {key[0] for key in keys}
        if len(asked) > 1 or asked & self.busy:
            raise TransactionConflict
        with super().orders_transaction(keys) as transaction:
            yield transaction


def test_a_page_that_is_always_overtaken_is_worked_off_in_parts(desk: Desk, database: Database) -> None:
    bobs = bob_waits_too(desk)
    placed = desk.place()
    desk.store = Crowded(database)
    desk.restart()
    assert desk.tick(150) == 2
    assert desk.order(placed).status is OrderStatus.FILLED
    assert desk.engine.open_orders(BOB, bobs) == []


def test_an_account_that_stays_busy_keeps_its_tick_and_the_others_have_theirs(desk: Desk, database: Database) -> None:
    bobs = bob_waits_too(desk)
    placed = desk.place()
    desk.store = crowded = Crowded(database)
    crowded.busy = frozenset({bobs})
    desk.restart()
    with pytest.raises(Unavailable):
        desk.tick(150)
    assert desk.order(placed).status is OrderStatus.FILLED
    crowded.busy = frozenset()
    assert desk.tick(150, after_ms=LATENCY_MS) == 1
    assert desk.engine.open_orders(BOB, bobs) == []
    assert desk.engine.open_orders(ALICE, desk.account_id) == []


def test_an_account_that_cannot_be_marked_keeps_nobody_elses_marks_away(desk: Desk, database: Database) -> None:
    bobs = bob_waits_too(desk)
    with database.write() as connection:
        broken = sa.update(accounts).where(accounts.c.account_id == bobs)
        connection.execute(broken.values(rule_set="no-such-rules"))
    assert desk.engine.mark_accounts() == 1
    assert desk.engine.equity(ALICE, desk.account_id, cursor=None, limit=10).items
