"""`pump-party simulate`: play the engine against a hostile world that repeats, and prove it after every step."""

import argparse
import sys
from collections.abc import Sequence

import msgspec

EXIT_OK = 0
EXIT_FOUND = 1

DESCRIPTION = """\
Eight accounts, also under order books and loss limits, trade everything there is on a made-up feed with disorder,
gaps, spikes, halts and uncertain prices, through the real admission, engine and store. Transactions are cut
off between named steps, fail, and lose races; clients ask again. After every step all that must hold is checked:
ledger, holds, equity, insurance, sequences, and that no acknowledged outcome is lost or changed.

The seed is the whole history: the same seed and steps on the same kind of database print the same hash. A failing seed
prints itself, the step and what was done last, and exits with 1.
"""


def add_parser(subparsers: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Declare the command."""
    command = subparsers.add_parser(
        "simulate",
        help="play the engine against a hostile world that repeats; exit 1 when something does not hold",
        description=DESCRIPTION,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    command.add_argument("--seed", type=int, default=1, metavar="N", help="where chance starts (default 1)")
    command.add_argument("--steps", type=_positive, default=100, metavar="M", help="steps of a seed (default 100)")
    command.add_argument("--seeds", type=_positive, default=1, metavar="K", help="so many seeds from N on (default 1)")
    command.add_argument(
        "--database",
        metavar="URL",
        help="postgresql://... to play on Postgres, in databases made beside this one and removed (default SQLite)",
    )
    command.add_argument("--json", action="store_true", help="print JSON, a line for each seed")


def run(seed: int, *, seeds: int, steps: int, database: str | None, as_json: bool) -> int:
    """0 when everything held, 1 at the first seed where something did not."""
    from pump_party.bootstrap.offline import scratch_databases, simulate

    with scratch_databases(database) as fresh:
        for number in range(seed, seed + seeds):
            if sys.stderr.isatty():
                print(f"\rseed {number}, {number - seed} of {seeds} done ", end="", file=sys.stderr, flush=True)
            report = simulate(number, steps, fresh=fresh)
            if as_json:
                print(msgspec.json.encode(report).decode())
            elif report.problems or seeds == 1:
                print(f"seed {report.seed}, {report.steps} steps, sha256 {report.sha256}")
                print(", ".join(f"{name} {count}" for name, count in report.counts.items()))
            if report.problems:
                _show(report.problems, report.actions)
                where = "" if database is None else " --database URL"
                print(f"again: pump-party simulate --seed {number} --steps {steps}{where}", file=sys.stderr)
                return EXIT_FOUND
    if seeds > 1 and not as_json:
        print(f"{seeds} seeds from {seed}, {steps} steps each: everything held")
    return EXIT_OK


def _show(problems: Sequence[str], actions: Sequence[str]) -> None:
    for problem in problems:
        print(f"BROKEN {problem}", file=sys.stderr)
    print("done last:", *actions, sep="\n  ", file=sys.stderr)


def _positive(text: str) -> int:
    number = int(text)
    if number < 1:
        raise argparse.ArgumentTypeError("must be at least 1")
    return number
