"""`pump-party account ...`: look at one account, and pause, resume, lock or complete it."""

import argparse
from hashlib import sha256
from typing import TYPE_CHECKING

import msgspec

from pump_party.config import Settings
from pump_party.kernel.errors import Invalid
from pump_party.kernel.ids import AccountId
from pump_party.kernel.money import format_micros, format_nanos

if TYPE_CHECKING:
    from pump_party.domains.prop_interface.contract import AccountView

EXIT_OK = 0
REASON_CHARACTERS_MAX = 500

CHANGES = {
    "pause": ("paused", "take no orders; those that wait stay"),
    "resume": ("active", "let a paused or locked account trade again"),
    "lock": ("locked", "take no orders and cancel those that wait; positions stay"),
    "complete": ("completed", "end the account for good: cancel its orders, close its positions at the next tick"),
}
"""Command: the status it asks for, and its help."""

DESCRIPTION = """\
Changes what the account may do, in the database of --data-dir or PUMP_PARTY_DATABASE_URL, whether or not the product
runs. Its owner is told with the reason. To repeat the command is safe: an account that has the status already is left
alone. With --key a change is made once, whatever has become of the account since.
"""


def add_parser(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> list[argparse.ArgumentParser]:
    """Declare the commands. Returns their parsers; options that other commands have too are the caller's to add."""
    account = commands.add_parser("account", help="show, pause, resume, lock or complete one account")
    actions = account.add_subparsers(dest="account_command", required=True, metavar="COMMAND")
    show = actions.add_parser("show", help="status, capital and positions of an account")
    show.add_argument("account_id", metavar="ACCOUNT_ID")
    declared = [show]
    for name, (_, told) in CHANGES.items():
        change = actions.add_parser(
            name, help=told, description=DESCRIPTION, formatter_class=argparse.RawDescriptionHelpFormatter
        )
        change.add_argument("account_id", metavar="ACCOUNT_ID")
        change.add_argument("--reason", required=True, metavar="TEXT", help="why; kept, and told to the owner")
        change.add_argument("--key", metavar="KEY", help="makes this change once (1 to 64 of A-Z a-z 0-9 _ - . :)")
        declared.append(change)
    return declared


def run(settings: Settings, options: argparse.Namespace) -> int:
    if options.account_command == "show":
        return _show(settings, options.account_id, as_json=options.json)
    return _change(
        settings,
        options.account_command,
        options.account_id,
        reason=options.reason,
        key=options.key,
        as_json=options.json,
    )


def _show(settings: Settings, account_id: str, *, as_json: bool) -> int:
    from pump_party.bootstrap.operators import open_prop_trading

    with open_prop_trading(settings) as prop:
        _print(prop.account(None, account_id), as_json=as_json)
    return EXIT_OK


def _change(settings: Settings, command: str, account_id: str, *, reason: str, key: str | None, as_json: bool) -> int:
    """Ask for the status once per key. Without one, an account that has the status already is left alone."""
    from pump_party.apps.order_wire import parse_idempotency_key
    from pump_party.bootstrap.operators import open_prop_trading
    from pump_party.domains.prop_interface.contract import AccountStatus, SetAccountStatus

    status = AccountStatus(CHANGES[command][0])
    _check_reason(reason)
    given = None if key is None else parse_idempotency_key(key)
    with open_prop_trading(settings) as prop:
        account = prop.account(None, account_id)
        if given is not None or account.status is not status:
            once = given or _key_of(account, status, reason)
            account = prop.set_account_status(SetAccountStatus(None, AccountId(account_id), status, once, reason))
    _print(account, as_json=as_json)
    return EXIT_OK


def _check_reason(reason: str) -> None:
    if not reason.strip() or len(reason) > REASON_CHARACTERS_MAX or not reason.isprintable():
        raise Invalid(f"--reason: must be 1 to {REASON_CHARACTERS_MAX} printable characters", field="reason")


def _key_of(account: "AccountView", status: str, reason: str) -> str:
    """The same for operators who ask the same of the same state of the account."""
    return sha256(f"{status}|{account.version}|{reason}".encode()).hexdigest()


def _print(account: "AccountView", *, as_json: bool) -> None:
    if as_json:
        print(msgspec.json.format(msgspec.json.encode(account), indent=2).decode())
        return
    equity = "unknown without prices" if account.equity_micros is None else format_micros(account.equity_micros)
    rows = {
        "account": account.account_id,
        "status": account.status.value,
        "kind": account.kind.value,
        "rule set": account.rule_set,
        "cycle": str(account.cycle),
        "start": format_micros(account.start_micros),
        "cash": format_micros(account.cash_micros),
        "held for orders": format_micros(account.held_micros),
        "margin": format_micros(account.margin_micros),
        "equity": equity,
        "open orders": str(account.open_orders),
    }
    if account.status_reason is not None:
        rows["reason"] = f"{account.status_reason.value} {account.status_detail or ''}".rstrip()
    rows |= {p.market: format_nanos(p.quantity_nanos) for p in account.positions if p.quantity_nanos}
    rows |= {p.market: format_nanos(p.direction * p.quantity_nanos) for p in account.perps}
    for name, value in rows.items():
        print(f"{name:<16} {value}")
