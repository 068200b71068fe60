"""An operator looks at an account and changes what it may do, while the product has the database open."""

import json
import re
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import msgspec
import pytest
from tests.domains.prop_engine.markets import order, quote_at

from pump_party.apps.cli.main import main
from pump_party.bootstrap.services import Services, build
from pump_party.config import Settings
from pump_party.domains.prop_interface.contract import AccountKind, AccountStatus, AccountView, OpenAccount
from pump_party.kernel.ids import UserId

OWNER = UserId("01900000-0000-7000-8000-00000000a11c")
BECAUSE = ["--reason", "asked by the owner"]
NOBODYS = "01900000-0000-7000-8000-0000000000ff"


@pytest.fixture
def services(sqlite_path: Path) -> Iterator[Services]:
    with closing(build(Settings(data_dir=str(sqlite_path.parent)))) as built:
        yield built


@pytest.fixture
def account(services: Services) -> AccountView:
    return services.prop.open_account(OpenAccount(OWNER, AccountKind.PRACTICE, "open"))


def run(services: Services, *arguments: str) -> int:
    return main(["account", *arguments, "--data-dir", services.settings.data_dir])


def status_of(services: Services, account: AccountView) -> AccountStatus:
    return services.prop.account(OWNER, account.account_id).status


def told(services: Services, account: AccountView) -> list[tuple[str, str]]:
    """What the owner was told: (status, reason)."""
    events = [msgspec.json.decode(m.payload) for m in services.outbox.after(account.account_id, seq=0, limit=50)]
    return [(event["status"], event["reason"]) for event in events]


def test_an_account_is_shown_as_text_and_as_json(services: Services, account: AccountView, capsys) -> None:
    assert run(services, "show", account.account_id) == 0
    rows = dict(line.split(maxsplit=1) for line in capsys.readouterr().out.splitlines())
    assert (rows["account"], rows["status"], rows["equity"]) == (account.account_id, "active", "10000")
    assert run(services, "show", account.account_id, "--json") == 0
    assert msgspec.json.decode(capsys.readouterr().out, type=AccountView) == account


def test_what_is_held_is_shown_and_has_no_value_without_prices(
    services: Services, account: AccountView, capsys
) -> None:
    services.quotes.put([quote_at(services.clock.now_ms())])
    services.prop.place_orders([order(OWNER, account.account_id, "one", "buy", 1_500_000_000)])
    assert run(services, "show", account.account_id) == 0
    text = capsys.readouterr().out
    assert re.search(r"^SOL-USDC +1\.5$", text, re.MULTILINE)
    assert re.search(r"^equity +unknown without prices$", text, re.MULTILINE)


def test_each_change_is_made_and_told_to_the_owner_with_its_reason(services: Services, account: AccountView) -> None:
    changes = {"pause": "paused", "resume": "active", "lock": "locked", "complete": "completed"}
    for command, status in changes.items():
        assert run(services, command, account.account_id, *BECAUSE) == 0
        assert status_of(services, account).value == status
    assert told(services, account) == [(status, BECAUSE[1]) for status in changes.values()]


def test_repeating_a_change_leaves_the_account_alone(services: Services, account: AccountView, capsys) -> None:
    for _ in range(2):
        assert run(services, "pause", account.account_id, *BECAUSE, "--json") == 0
        assert json.loads(capsys.readouterr().out)["status"] == "paused"
    assert len(told(services, account)) == 1


def test_a_change_can_be_made_again_after_it_was_undone(services: Services, account: AccountView) -> None:
    for command in ("pause", "resume", "pause"):
        assert run(services, command, account.account_id, *BECAUSE) == 0
    assert status_of(services, account) is AccountStatus.PAUSED


def test_an_account_that_is_not_active_is_shown_with_its_reason(
    services: Services, account: AccountView, capsys
) -> None:
    assert run(services, "pause", account.account_id, *BECAUSE) == 0
    assert run(services, "show", account.account_id) == 0
    assert f"reason           BY_SYSTEM {BECAUSE[1]}" in capsys.readouterr().out


def test_a_key_makes_its_change_once_whatever_came_after(services: Services, account: AccountView, capsys) -> None:
    keyed = ["pause", account.account_id, *BECAUSE, "--key", "ticket-17"]
    assert run(services, *keyed) == 0
    assert run(services, "resume", account.account_id, *BECAUSE) == 0
    assert run(services, *keyed) == 0
    assert status_of(services, account) is AccountStatus.ACTIVE
    assert run(services, "lock", account.account_id, *BECAUSE, "--key", "ticket-17") == 2
    assert "idempotency key" in capsys.readouterr().err
    assert run(services, "lock", account.account_id, *BECAUSE, "--key", "no spaces") == 2
    assert status_of(services, account) is AccountStatus.ACTIVE


def test_what_an_account_has_ended_as_stays(services: Services, account: AccountView, capsys) -> None:
    assert run(services, "complete", account.account_id, *BECAUSE) == 0
    assert run(services, "resume", account.account_id, *BECAUSE) == 2
    assert capsys.readouterr().err == "pump-party: system cannot make this completed practice account active\n"
    assert status_of(services, account) is AccountStatus.COMPLETED


@pytest.mark.parametrize("reason", ["", "  ", "two\nlines", "x" * 501])
def test_a_change_needs_a_reason_that_can_be_read(services: Services, account: AccountView, reason: str) -> None:
    assert run(services, "pause", account.account_id, "--reason", reason) == 2
    assert status_of(services, account) is AccountStatus.ACTIVE


@pytest.mark.parametrize("account_id", [NOBODYS, "typo"])
def test_an_account_that_is_not_there_is_one_line(services: Services, account_id: str, capsys) -> None:
    for command in (["show", account_id], ["pause", account_id, *BECAUSE]):
        assert run(services, *command) == 2
        error = capsys.readouterr().err
        assert error.startswith("pump-party: ")
        assert error.count("\n") == 1
