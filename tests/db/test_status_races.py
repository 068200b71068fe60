"""The same change of an account's status asked for twice at once, on both databases and in memory."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager
from typing import Any

import pytest
from tests.db.desk import ALICE, Desk, Venue

from pump_party.domains.prop_engine.service import PropTradingEngine
from pump_party.domains.prop_interface.contract import AccountStatus, AccountView, SetAccountStatus
from pump_party.kernel.errors import IdempotencyMismatch
from pump_party.platform.clock import ManualClock
from pump_party.platform.ids import Ids

PAUSED, ACTIVE = AccountStatus.PAUSED, AccountStatus.ACTIVE


class Overtaken:
    """A store whose next transaction begins only after `meanwhile`."""

    def __init__(self, store: Any, meanwhile: Callable[[], object]) -> None:
        self._store = store
        self._meanwhile = [meanwhile]

    def __getattr__(self, name: str) -> Any:
        return getattr(self._store, name)

    def orders_transaction(self, keys: Any) -> AbstractContextManager[Any]:
        while self._meanwhile:
            self._meanwhile.pop()()
        opened: AbstractContextManager[Any] = self._store.orders_transaction(keys)
        return opened


@pytest.fixture
def desk(venue: Venue, clock: ManualClock) -> Desk:
    return Desk(venue, clock, "practice-v2")


def ask(desk: Desk, status: AccountStatus, key: str, *, reason: str = "") -> AccountView:
    return desk.engine.set_account_status(SetAccountStatus(ALICE, desk.account_id, status, key, reason))


def ask_overtaken(desk: Desk, status: AccountStatus, key: str, meanwhile: Callable[[], object]) -> AccountView:
    """Ask, and let `meanwhile` come between the look whether it was done and doing it."""
    store: Any = Overtaken(desk.store, meanwhile)
    engine = PropTradingEngine(store, desk.quotes, desk.books, desk.rules, desk.clock, Ids(desk.clock))
    return engine.set_account_status(SetAccountStatus(ALICE, desk.account_id, status, key))


def changes(desk: Desk) -> int:
    return len([m for m in desk.messages() if m.kind == "account_status_changed"])


def test_a_key_that_another_call_used_and_a_third_call_undid_meanwhile_changes_nothing(desk: Desk) -> None:
    def meanwhile() -> None:
        ask(desk, PAUSED, "one")
        ask(desk, ACTIVE, "two")

    assert ask_overtaken(desk, PAUSED, "one", meanwhile).status is ACTIVE
    assert changes(desk) == 2
    assert desk.problems() == []


def test_a_key_that_another_call_used_meanwhile_for_something_else_is_refused(desk: Desk) -> None:
    def meanwhile() -> None:
        ask(desk, PAUSED, "one", reason="asked differently")
        ask(desk, ACTIVE, "two")

    with pytest.raises(IdempotencyMismatch):
        ask_overtaken(desk, PAUSED, "one", meanwhile)
    assert changes(desk) == 2


def test_one_key_from_many_threads_changes_the_status_once(desk: Desk) -> None:
    with ThreadPoolExecutor(8) as pool:
        seen = list(pool.map(lambda _: ask(desk, PAUSED, "one").status, range(24)))
    assert set(seen) == {PAUSED}
    assert changes(desk) == 1
