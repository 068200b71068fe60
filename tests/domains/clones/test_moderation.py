import msgspec
import pytest
from tests.domains.clones.conftest import ALICE, BOB, Workshop

from pump_party.domains.clones.words import REPORTS_PER_USER_MAX
from pump_party.kernel.errors import Conflict, Invalid, NotFound

NOBODY = "01890000-0000-7000-8000-0000000000ff"


def test_a_reported_name_is_hidden_by_an_operator_and_shown_again(workshop: Workshop):
    clone = workshop.clones.create_clone(ALICE, name="Rude Name", bio="rude words", idempotency_key="k")
    workshop.publish(clone)
    workshop.clones.report(BOB, clone.clone_id, reason="rude")
    workshop.clock.advance(1)
    workshop.clones.report(BOB, clone.clone_id, reason="very rude")
    (reported,) = workshop.clones.reported(limit=10)
    assert (reported.name, reported.reports, reported.reason, reported.hidden) == ("Rude Name", 1, "very rude", False)

    hidden = workshop.clones.hide(clone.clone_id, operator="olga", reason="insult")

    assert hidden == workshop.clones.public_clone(clone.clone_id)
    assert "Rude" not in msgspec.json.encode(hidden).decode()
    assert (hidden.hidden, hidden.bio) == (True, "")
    assert workshop.clones.directory(cursor=None, limit=10).clones == ()
    owner = workshop.clones.owner_clone(ALICE, clone.clone_id)
    assert (owner.name, owner.hidden_reason) == ("Rude Name", "insult")
    assert workshop.clones.reported(limit=10) == []
    assert workshop.clones.set_profile(ALICE, clone.clone_id, name="Kind Name", bio="").hidden_reason == "insult"

    assert workshop.clones.show(clone.clone_id, operator="olga", reason="renamed").name == "Kind Name"
    assert [listed.name for listed in workshop.clones.directory(cursor=None, limit=10).clones] == ["Kind Name"]
    workshop.clones.report(BOB, clone.clone_id, reason="again")
    assert len(workshop.clones.reported(limit=10)) == 1


def test_reports_and_decisions_need_a_reason_and_a_clone(workshop: Workshop):
    clone = workshop.create()
    for reason in ("", "x" * 281, "a\u202eb"):
        with pytest.raises(Invalid) as refusal:
            workshop.clones.report(BOB, clone.clone_id, reason=reason)
        assert refusal.value.code == "bad_reason"
    with pytest.raises(NotFound):
        workshop.clones.report(BOB, NOBODY, reason="rude")
    with pytest.raises(Invalid) as nameless:
        workshop.clones.hide(clone.clone_id, operator=" ", reason="rude")
    assert nameless.value.code == "bad_operator"
    for unknown in (NOBODY, "x"):
        with pytest.raises(NotFound):
            workshop.clones.hide(unknown, operator="olga", reason="rude")


def test_a_user_has_so_many_reports_waiting_and_no_more(workshop: Workshop, monkeypatch: pytest.MonkeyPatch):
    assert REPORTS_PER_USER_MAX > 2
    monkeypatch.setattr("pump_party.domains.clones.service.REPORTS_PER_USER_MAX", 2)
    clones = [workshop.create(f"Momo {letter * 3}") for letter in "bcd"]
    for clone in clones[:2]:
        workshop.clones.report(BOB, clone.clone_id, reason="rude")
    with pytest.raises(Conflict) as refusal:
        workshop.clones.report(BOB, clones[2].clone_id, reason="rude")
    assert refusal.value.code == "too_many_reports"
    workshop.clones.report(BOB, clones[0].clone_id, reason="very rude")
    workshop.clones.hide(clones[1].clone_id, operator="olga", reason="rude")
    workshop.clones.report(BOB, clones[2].clone_id, reason="rude")
    assert len(workshop.clones.reported(limit=10)) == 2
