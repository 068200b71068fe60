from itertools import product

import pytest

from pump_party.domains.prop_engine.status import CLOSE_POSITIONS, KEEP_ORDERS, Asker, is_allowed, refuse_reset
from pump_party.domains.prop_interface.contract import AccountKind, AccountStatus
from pump_party.kernel.errors import Conflict

PRACTICE, CONTEST = AccountKind.PRACTICE, AccountKind.CONTEST


def test_only_these_changes_are_allowed():
    table = {
        f"{asker.value}: {before.value} -> {after.value}"
        for asker, before, after in product(Asker, AccountStatus, AccountStatus)
        if is_allowed(before, after, asker=asker, kind=PRACTICE)
    }
    assert table == {
        "owner: active -> paused",
        "owner: paused -> active",
        "system: active -> paused",
        "system: paused -> active",
        "system: active -> locked",
        "system: paused -> locked",
        "system: locked -> active",
        "system: active -> completed",
        "system: paused -> completed",
        "system: locked -> completed",
        "engine: active -> frozen",
        "engine: paused -> frozen",
        "engine: locked -> frozen",
    }


def test_an_owner_decides_nothing_about_an_account_of_a_contest():
    for before, after in product(AccountStatus, AccountStatus):
        assert not is_allowed(before, after, asker=Asker.OWNER, kind=CONTEST)
        others = [is_allowed(before, after, asker=a, kind=CONTEST) for a in (Asker.SYSTEM, Asker.ENGINE)]
        assert others == [is_allowed(before, after, asker=a, kind=PRACTICE) for a in (Asker.SYSTEM, Asker.ENGINE)]


def test_what_is_closed_keeps_no_orders_and_never_changes_again():
    assert not CLOSE_POSITIONS & KEEP_ORDERS
    for before, after, asker in product(CLOSE_POSITIONS, AccountStatus, Asker):
        assert not is_allowed(before, after, asker=asker, kind=PRACTICE)


@pytest.mark.parametrize(
    ("kind", "status", "code"),
    [
        (PRACTICE, AccountStatus.ACTIVE, None),
        (PRACTICE, AccountStatus.PAUSED, None),
        (PRACTICE, AccountStatus.LOCKED, "status_not_allowed"),
        (PRACTICE, AccountStatus.FROZEN, "status_not_allowed"),
        (PRACTICE, AccountStatus.COMPLETED, "status_not_allowed"),
        (CONTEST, AccountStatus.ACTIVE, "contest_account"),
    ],
)
def test_fresh_capital_is_for_practice_accounts_that_have_not_ended(kind, status, code):
    if code is None:
        refuse_reset(kind, status)
        return
    with pytest.raises(Conflict) as refused:
        refuse_reset(kind, status)
    assert refused.value.code == code
