"""Commands that look and tell: `config` and `db ...`. Each prints text, or JSON for programs."""

import sys
from collections.abc import Mapping
from typing import Any

import msgspec

from pump_party.config import Settings, describe
from pump_party.kernel.money import format_e8

EXIT_OK = 0
EXIT_FOUND = 1


def show_config(settings: Settings, *, as_json: bool) -> int:
    """Every setting with its effective value; what differs from the default is marked."""
    rows = describe(settings)
    if as_json:
        _print_json(rows)
        return EXIT_OK
    width = max(len(row["name"]) for row in rows)
    for row in rows:
        mark = "*" if row["value"] != row["default"] else " "
        print(f"{mark} {row['name']:<{width}}  {_shown(row['value'])}")
        print(f"  {'':<{width}}  {row['help']} ({row['allowed']})")
    return EXIT_OK


def run_db(command: str, settings: Settings, *, as_json: bool) -> int:
    match command:
        case "upgrade":
            return _upgrade(settings, as_json=as_json)
        case "check":
            return _check(settings, as_json=as_json)
        case _:
            return _info(settings, as_json=as_json)


def resume_market(settings: Settings, market: str, *, operator: str, reason: str, as_json: bool) -> int:
    """Record one operator's approval, and say who else is needed."""
    from pump_party.bootstrap.ingestion import approve_resume

    view = approve_resume(settings, market, operator=operator, reason=reason)
    if as_json:
        _print_json(view)
        return EXIT_OK
    names = ", ".join(approval.operator for approval in view.approvals)
    print(f"{view.market}: {format_e8(view.reference_e8)} jumped to {format_e8(view.observed_e8)}; approved by {names}")
    print("the market resumes with its next tick" if view.approved else "a second operator must approve too")
    return EXIT_OK


def _upgrade(settings: Settings, *, as_json: bool) -> int:
    from pump_party.bootstrap.database import describe_database, open_database

    open_database(settings).close()
    facts = describe_database(settings)
    if as_json:
        _print_json(facts)
    else:
        print(f"the database is at schema {facts.schema}")
    return EXIT_OK


def _check(settings: Settings, *, as_json: bool) -> int:
    from pump_party.bootstrap.database import check_ledger

    report = check_ledger(settings, progress=_progress)
    if as_json:
        _print_json(report)
    else:
        print(
            f"{report.accounts} accounts, {report.orders} orders, {report.fills} fills, "
            f"{report.records} records, {report.postings} postings"
        )
        for problem in report.problems:
            where = f"account {problem.account_id}" + (f" version {problem.version}" if problem.version else "")
            print(f"BREACH {problem.code}: {where}: {problem.detail}")
        print("everything balances" if not report.problems else f"{len(report.problems)} breaches")
    return EXIT_FOUND if report.problems else EXIT_OK


def _progress(done: int, total: int) -> None:
    if sys.stderr.isatty():
        print(f"\r{done} of {total} accounts", end="" if done < total else "\n", file=sys.stderr, flush=True)


def _info(settings: Settings, *, as_json: bool) -> int:
    from pump_party.bootstrap.database import describe_database

    facts = describe_database(settings)
    if as_json:
        _print_json(facts)
        return EXIT_OK
    fields: Mapping[str, Any] = msgspec.structs.asdict(facts)
    for name, value in fields.items():
        print(f"{name.replace('_', ' '):<18} {_shown(value)}")
    return EXIT_OK


def _shown(value: Any) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    return str(value) if value != "" else "(empty)"


def _print_json(value: Any) -> None:
    print(msgspec.json.format(msgspec.json.encode(value), indent=2).decode())
