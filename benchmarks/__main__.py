"""Run the benchmarks: python -m benchmarks [NAME ...] [--quick]."""

import argparse
import importlib
import json
import sys
import time

from benchmarks import machine
from benchmarks.report import Row, print_table, write_figures, write_results

NAMES = (
    "engine",
    "ticks",
    "replay",
    "backtests",
    "board",
    "decide",
    "decisions",
    "memory",
    "end_to_end",
    "fan_out",
    "start",
)


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("names", nargs="*", metavar="NAME", help=f"which to run: {', '.join(NAMES)}; default all")
    parser.add_argument("--quick", action="store_true", help="shorter runs; figures are rougher")
    parser.add_argument("--json", action="store_true", help="print the results as JSON instead of tables")
    parser.add_argument("--write-docs", action="store_true", help="put the figures into docs/benchmarks.md")
    arguments = parser.parse_args()
    unknown = sorted(set(arguments.names) - set(NAMES))
    if unknown:
        parser.error(f"unknown benchmark {', '.join(unknown)}; there are {', '.join(NAMES)}")

    facts = machine.describe()
    sections: dict[str, list[Row]] = {}
    if not arguments.json:
        print(machine.sentence(facts), flush=True)
    for name in arguments.names or NAMES:
        started = time.monotonic()
        measured: list[Row] = importlib.import_module(f"benchmarks.bench_{name}").run(quick=arguments.quick)
        sections[name] = measured
        if not arguments.json:
            print(f"\n{name} ({time.monotonic() - started:.0f} s)")
            print_table(measured)
    rows = [row for measured in sections.values() for row in measured]
    path = write_results(rows, facts, quick=arguments.quick)
    if arguments.write_docs:
        write_figures(sections, machine.sentence(facts))
    if arguments.json:
        json.dump([row.plain() for row in rows], sys.stdout, indent=2)
    else:
        missed = sum(row.met is False for row in rows)
        print(f"{missed} of {sum(row.met is not None for row in rows)} budgets missed; results in {path}")


if __name__ == "__main__":
    main()
