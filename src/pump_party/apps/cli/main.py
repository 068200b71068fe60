"""`pump-party`: the one command. Parses, calls, and turns what stops a start into one line and exit code 2.

Heavy modules are imported by the command that needs them, so that `--help` and `config` answer at once.
"""

import time

STARTED = time.monotonic()

import argparse  # noqa: E402  the clock starts before anything else is imported
import sys  # noqa: E402
from collections.abc import Sequence  # noqa: E402
from typing import Any  # noqa: E402

from pump_party import __version__  # noqa: E402
from pump_party.apps.workers import WORKER_NAMES  # noqa: E402
from pump_party.config import Settings, SettingsError, load_settings  # noqa: E402
from pump_party.kernel.errors import Refusal  # noqa: E402

EXIT_OK = 0
EXIT_FAILED = 1
EXIT_CANNOT_START = 2
EXIT_INTERRUPTED = 130

SETTING_OPTIONS = ("data_dir", "host", "port", "ws_port", "feed", "speed")

EXAMPLES = """\
examples:
  pump-party up                                     everything in one process, prices from the internet
  pump-party up --feed tape:recordings --speed 60   recorded prices, one minute a second
  pump-party up --feed synthetic                    made-up prices, no internet needed
  pump-party config                                 every setting with its value and meaning
  pump-party db check                               prove every balance
  pump-party account show ACCOUNT_ID                what an account holds and may do
  pump-party backtest house:momentum --tape DIR     play a strategy over recorded prices
  pump-party keys rotate                            seal strategies with a new platform key
  pump-party models check                           try the language models that strategies may name
  pump-party conformance vectors.json               prove the engine against expected integers
  pump-party simulate --seed 7 --steps 200          play it against a hostile world that repeats

Settings come from a TOML file named by PUMP_PARTY_CONFIG, then PUMP_PARTY_* variables, then options.
"""


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command. Returns the exit code: 0 done, 1 failed or found something, 2 could not start."""
    arguments = list(sys.argv[1:] if argv is None else argv)
    parser = build_parser(with_tape=arguments[:1] == ["tape"])
    options = parser.parse_args(arguments)
    try:
        return _run(options)
    except SettingsError as error:
        return _cannot_start(str(error))
    except Refusal as refusal:
        return _cannot_start(refusal.reason)
    except BrokenPipeError:
        # Whoever read the output has seen enough.
        sys.stdout = None
        return EXIT_OK
    except OSError as error:
        return _cannot_start(f"{error.strerror or error}{f': {error.filename}' if error.filename else ''}")
    except KeyboardInterrupt:
        return EXIT_INTERRUPTED


def build_parser(*, with_tape: bool) -> argparse.ArgumentParser:
    """All commands. The tape's own options are declared only when it is the command that was given."""
    parser = argparse.ArgumentParser(
        prog="pump-party",
        description="A trading arena on a realistic paper exchange.",
        epilog=EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--version", action="version", version=f"pump-party {__version__}")
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")
    _add_processes(commands)
    config = commands.add_parser("config", help="show every setting, secrets hidden")
    _add_settings(config, *SETTING_OPTIONS)
    _add_json(config)
    _add_db(commands)
    _add_market(commands)
    _add_account(commands)
    _add_clones(commands)
    _add_conformance(commands)
    _add_simulate(commands)
    _add_backtest(commands)
    _add_models(commands)
    if with_tape:
        from pump_party.apps.cli import tape

        tape.add_parser(commands)
    else:
        commands.add_parser("tape", help="record, import and inspect recorded prices")
    return parser


def _add_processes(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    up = commands.add_parser("up", help="run everything in one process")
    _add_settings(up, *SETTING_OPTIONS)
    api = commands.add_parser("api", help="run the HTTP API and the web app alone (Postgres and Redis)")
    _add_settings(api, "host", "port")
    ws = commands.add_parser("ws", help="run the WebSocket gateway alone (Postgres and Redis)")
    _add_settings(ws, "host", "ws_port")
    worker = commands.add_parser("worker", help="run one worker alone (Postgres and Redis)")
    worker.add_argument("name", choices=WORKER_NAMES, metavar="NAME", help=" | ".join(WORKER_NAMES))
    _add_settings(worker, "data_dir", "feed", "speed")


def _add_db(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    db = commands.add_parser("db", help="migrate, prove or describe the database")
    actions = db.add_subparsers(dest="db_command", required=True, metavar="COMMAND")
    upgrade = actions.add_parser("upgrade", help="bring the database to the newest schema")
    check = actions.add_parser("check", help="prove balances, ledger and chains of every account; exit 1 on a breach")
    info = actions.add_parser("info", help="engine, version, schema")
    for action in (upgrade, check, info):
        _add_settings(action, "data_dir")
        _add_json(action)


def _add_market(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    market = commands.add_parser("market", help="resume a market that a price jump halted")
    actions = market.add_subparsers(dest="market_command", required=True, metavar="COMMAND")
    resume = actions.add_parser("resume", help="approve that a quarantined market opens again; it takes two operators")
    resume.add_argument("market", metavar="MARKET", help="such as SOL-USDC")
    resume.add_argument("--operator", required=True, metavar="NAME", help="who approves; kept with the approval")
    resume.add_argument("--reason", required=True, metavar="TEXT", help="why the new price is right; kept too")
    _add_settings(resume, "data_dir")
    _add_json(resume)


def _add_account(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    from pump_party.apps.cli import account

    for action in account.add_parser(commands):
        _add_settings(action, "data_dir")
        _add_json(action)


def _add_clones(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    from pump_party.apps.cli import clone, keys

    for action in (*clone.add_parser(commands), *keys.add_parser(commands)):
        _add_settings(action, "data_dir")
        _add_json(action)


def _add_conformance(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    from pump_party.apps.cli import conformance

    conformance.add_parser(commands)


def _add_simulate(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    from pump_party.apps.cli import simulate

    simulate.add_parser(commands)


def _add_backtest(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    from pump_party.apps.cli import backtest

    _add_settings(backtest.add_parser(commands), "data_dir")


def _add_models(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    from pump_party.apps.cli import models

    models.add_parser(commands)


def _add_settings(parser: argparse.ArgumentParser, *names: str) -> None:
    from pump_party.config import RULES

    for name in names:
        rule = RULES[name]
        allowed = rule.allowed or f"{rule.low} to {rule.high}"
        parser.add_argument(
            f"--{name.replace('_', '-')}",
            dest=name,
            metavar=name.rsplit("_", 1)[-1].upper(),
            help=f"{rule.help} ({allowed})".replace("%", "%%"),
        )


def _add_json(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--json", action="store_true", help="print JSON")


def _run(options: argparse.Namespace) -> int:
    if options.command == "tape":
        from pump_party.apps.cli import tape

        return tape.run(options)
    if options.command == "conformance":
        from pump_party.apps.cli import conformance

        return conformance.run(options.file, as_json=options.json)
    if options.command == "simulate":
        from pump_party.apps.cli import simulate

        return simulate.run(
            options.seed, seeds=options.seeds, steps=options.steps, database=options.database, as_json=options.json
        )
    if options.command == "backtest":
        from pump_party.apps.cli import backtest

        return backtest.run(options, load_settings(_overrides(options)))
    settings = load_settings(_overrides(options))
    match options.command:
        case "config":
            from pump_party.apps.cli import reports

            return reports.show_config(settings, as_json=options.json)
        case "db":
            from pump_party.apps.cli import reports

            return reports.run_db(options.db_command, settings, as_json=options.json)
        case "market":
            from pump_party.apps.cli import reports

            return reports.resume_market(
                settings, options.market, operator=options.operator, reason=options.reason, as_json=options.json
            )
        case "account" | "clone" | "keys":
            return _run_operator(settings, options)
        case "models":
            from pump_party.apps.cli import models

            return models.run(settings, as_json=options.json)
        case "up":
            from pump_party.apps.cli import up

            return up.run(settings, started=STARTED)
        case _:
            from pump_party.apps.cli import parts

            return parts.run(_part_names(options), settings)


def _run_operator(settings: Settings, options: argparse.Namespace) -> int:
    from pump_party.apps.cli import account, clone, keys

    run = {"account": account.run, "clone": clone.run, "keys": keys.run}[options.command]
    return run(settings, options)


def _part_names(options: argparse.Namespace) -> str:
    return str(options.name if options.command == "worker" else options.command)


def _overrides(options: argparse.Namespace) -> dict[str, Any]:
    return {name: getattr(options, name, None) for name in SETTING_OPTIONS}


def _cannot_start(reason: str) -> int:
    for line in reason.splitlines():
        print(f"pump-party: {line}", file=sys.stderr)
    return EXIT_CANNOT_START


if __name__ == "__main__":
    sys.exit(main())
