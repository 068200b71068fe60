"""`pump-party clone ...`: what was reported about names of clones, and hide or show one."""

import argparse

import msgspec

from pump_party.config import Settings

EXIT_OK = 0
REPORTED_MAX = 200

DESCRIPTION = """\
Decides about a clone's name and bio, in the database of --data-dir or PUMP_PARTY_DATABASE_URL, whether or not the
product runs. A hidden clone trades on; everybody but its owner sees a neutral name instead. The decision is kept with
who made it and why, and its reports are settled. To repeat the command is safe.
"""


def add_parser(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> list[argparse.ArgumentParser]:
    """Declare the commands. Returns their parsers; options that other commands have too are the caller's to add."""
    clone = commands.add_parser("clone", help="see reported names of clones, hide or show one")
    actions = clone.add_subparsers(dest="clone_command", required=True, metavar="COMMAND")
    declared = [actions.add_parser("reported", help="clones that were reported and not decided about")]
    for name, told in (("hide", "take a name and bio out of sight"), ("show", "undo hide")):
        decision = actions.add_parser(
            name, help=told, description=DESCRIPTION, formatter_class=argparse.RawDescriptionHelpFormatter
        )
        decision.add_argument("clone_id", metavar="CLONE_ID")
        decision.add_argument("--operator", required=True, metavar="NAME", help="who decides; kept with the decision")
        decision.add_argument("--reason", required=True, metavar="TEXT", help="why; kept, and told to the owner")
        declared.append(decision)
    return declared


def run(settings: Settings, options: argparse.Namespace) -> int:
    from pump_party.bootstrap.clones import open_clones

    with open_clones(settings) as clones:
        if options.clone_command == "reported":
            reported = clones.reported(limit=REPORTED_MAX)
            _print(reported, [f"{r.clone_id}  {r.reports} reports  {r.name!r}: {r.reason}" for r in reported], options)
            return EXIT_OK
        decide = clones.hide if options.clone_command == "hide" else clones.show
        clone = decide(options.clone_id, operator=options.operator, reason=options.reason)
        _print(clone, [f"everybody sees {clone.name!r} now"], options)
    return EXIT_OK


def _print(value: object, lines: list[str], options: argparse.Namespace) -> None:
    if options.json:
        print(msgspec.json.format(msgspec.json.encode(value), indent=2).decode())
    for line in [] if options.json else lines or ["nothing is reported"]:
        print(line)
