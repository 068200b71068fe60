"""`pump-party keys ...`: the platform keys that seal strategies: which there are, and a new one."""

import argparse
import sys

import msgspec

from pump_party.config import Settings

EXIT_OK = 0
EXIT_FOUND = 1

ROTATE = """\
Adds a platform key to the key file of the data folder and wraps every clone's data key with it. Strategies are not
touched and stay readable throughout. Processes that run may go on with the older key until they start again: start
them again, and rotate until `keys list` shows an older key with 0 clones. Then it may be taken out of the file.
Keys that come from PUMP_PARTY_STRATEGY_KEYS are added there, the newest first; then this wraps with the first.
"""


def add_parser(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> list[argparse.ArgumentParser]:
    """Declare the commands. Returns their parsers; options that other commands have too are the caller's to add."""
    keys = commands.add_parser("keys", help="list or rotate the keys that seal strategies")
    actions = keys.add_subparsers(dest="keys_command", required=True, metavar="COMMAND")
    listed = actions.add_parser("list", help="platform keys and how many clones need each; exit 1 when one is missing")
    rotate = actions.add_parser(
        "rotate",
        help="wrap every clone's data key with a new platform key",
        description=ROTATE,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    return [listed, rotate]


def run(settings: Settings, options: argparse.Namespace) -> int:
    return (_list if options.keys_command == "list" else _rotate)(settings, as_json=options.json)


def _list(settings: Settings, *, as_json: bool) -> int:
    from pump_party.bootstrap.clones import list_keys

    keys = list_keys(settings)
    if as_json:
        print(msgspec.json.format(msgspec.json.encode(keys), indent=2).decode())
    for key in [] if as_json else keys:
        state = "newest" if key.newest else "older" if key.here else "MISSING"
        print(f"{key.key_id:<32} {state:<8} {key.clones} clones")
    return EXIT_FOUND if any(not key.here for key in keys) else EXIT_OK


def _rotate(settings: Settings, *, as_json: bool) -> int:
    from pump_party.bootstrap.clones import rotate_keys

    rotation = rotate_keys(settings, progress=_progress)
    if as_json:
        print(msgspec.json.format(msgspec.json.encode(rotation), indent=2).decode())
    else:
        print(f"{rotation.rewrapped} clones' keys wrapped with {rotation.key_id}")
    for clone_id in [] if as_json else rotation.unreadable:
        print(f"{clone_id}: its key cannot be opened: damaged, or its platform key is missing", file=sys.stderr)
    return EXIT_FOUND if rotation.unreadable else EXIT_OK


def _progress(done: int) -> None:
    if sys.stderr.isatty():
        print(f"\r{done} clones", end="", file=sys.stderr, flush=True)
