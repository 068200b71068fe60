"""An operator decides about a reported name while the product has the database open."""

import json
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from pump_party.apps.cli.main import main
from pump_party.bootstrap.services import Services, build
from pump_party.config import Settings
from pump_party.domains.clones.contract import OwnerClone
from pump_party.kernel.ids import UserId

OWNER = UserId("01900000-0000-7000-8000-00000000a11c")
WATCHER = UserId("01900000-0000-7000-8000-00000000b0bb")
WHO = ["--operator", "olga", "--reason", "insult"]


@pytest.fixture
def services(sqlite_path: Path) -> Iterator[Services]:
    with closing(build(Settings(data_dir=str(sqlite_path.parent)))) as built:
        yield built


@pytest.fixture
def clone(services: Services) -> OwnerClone:
    return services.clones.create_clone(OWNER, name="Rude Name", bio="", idempotency_key="k")


def run(services: Services, *arguments: str) -> int:
    return main(["clone", *arguments, "--data-dir", services.settings.data_dir])


def test_a_reported_clone_is_listed_hidden_and_shown(services: Services, clone: OwnerClone, capsys) -> None:
    assert run(services, "reported") == 0
    assert capsys.readouterr().out == "nothing is reported\n"
    services.clones.report(WATCHER, clone.clone_id, reason="rude")
    assert run(services, "reported", "--json") == 0
    (reported,) = json.loads(capsys.readouterr().out)
    assert (reported["clone_id"], reported["name"], reported["reports"]) == (clone.clone_id, "Rude Name", 1)

    assert run(services, "hide", clone.clone_id, *WHO) == 0
    assert "Rude" not in capsys.readouterr().out
    assert services.clones.public_clone(clone.clone_id).hidden
    assert services.clones.owner_clone(OWNER, clone.clone_id).hidden_reason == "insult"

    assert run(services, "show", clone.clone_id, *WHO) == 0
    assert capsys.readouterr().out == "everybody sees 'Rude Name' now\n"
    assert not services.clones.public_clone(clone.clone_id).hidden


def test_a_clone_that_does_not_exist_is_said(services: Services, capsys) -> None:
    assert run(services, "hide", "nobody", *WHO) == 2
    assert "no such clone" in capsys.readouterr().err


def test_a_decision_needs_an_operator_and_a_reason(services: Services, clone: OwnerClone, capsys) -> None:
    with pytest.raises(SystemExit):
        run(services, "hide", clone.clone_id, "--operator", "olga")
    assert "--reason" in capsys.readouterr().err
