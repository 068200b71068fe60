import pytest
from tests.domains.marketdata.feeds import NOW_MS, approval

from pump_party.domains.marketdata.resumption import APPROVAL_LIFE_MS, approve, is_approved
from pump_party.kernel.errors import Conflict, Invalid


def test_two_different_operators_end_a_quarantine():
    one = approve((), approval("ann"))
    assert not is_approved(one)
    both = approve(one, approval("bob"))
    assert [each.operator for each in both] == ["ann", "bob"]
    assert is_approved(both)
    assert approve(both, approval("cid")) == both


@pytest.mark.parametrize("again", ["ann", "ANN", " ann "])
def test_one_person_is_not_two(again):
    with pytest.raises(Conflict) as refused:
        approve((approval("ann"),), approval(again))
    assert refused.value.code == "operator_repeated"


def test_an_approval_of_another_hour_no_longer_counts():
    old = (approval("ann", at_ms=NOW_MS - APPROVAL_LIFE_MS - 1),)
    assert [one.operator for one in approve(old, approval("bob"))] == ["bob"]
    assert [one.operator for one in approve(old, approval("ann"))] == ["ann"]


@pytest.mark.parametrize("text", ["", "  ", "a\nb", "x" * 65])
def test_an_operator_has_a_name(text):
    with pytest.raises(Invalid) as refused:
        approve((), approval(text))
    assert refused.value.field == "operator"


def test_an_approval_has_a_reason():
    with pytest.raises(Invalid) as refused:
        approve((), approval("ann", reason=""))
    assert refused.value.field == "reason"
