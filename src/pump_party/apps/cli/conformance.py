"""`pump-party conformance`: prove the engine against a file of vectors."""

import argparse
import sys
from pathlib import Path
from typing import Any

import msgspec

from pump_party.kernel.errors import Invalid

EXIT_OK = 0
EXIT_FOUND = 1
FILE_BYTES_MAX = 64 * 2**20

DESCRIPTION = """\
Runs the engine on a file of vectors (JSON of the form exec-vectors/1) and compares every value. Exit code 0 when all
agree, 1 on a mismatch or a section nobody knows, 2 when the file cannot be read; the message names section, case and
field. Parameters are those of the file. Sections may be left out; `properties` is not run.

units: cash, quote, gross, fee and dcash are 1e-6 USDC, qty, dsol and lamports 1e-9 of the base asset, mid, conf and
px_e8 1e-8 USDC, rates parts per million unless named ppb.

assumed where a case does not say:
  admit    the tick before is of the same source and was admitted; none is the first tick
  l2       the side of the book that is not shown begins at the best price shown, where the oracle's mid is too
  ledger   "postings of S01" are of the case of `spot` whose name begins so
  perp     what only a name says goes on from an open case before it: "close 3.33 of 10 SOL long at 151" from one of
           that side and size, at leverage 1; "20x long at mark 14660000000" from one of that side and leverage;
           "liquidated at 146.30" and "gap to 140.00" from that of the latest mark case. Of several it is the latest
           that gives what is expected. A whole number after `mark` is e8, every other price is USDC
  ranking  who shares a rank may stand in any order
  audition a mark with a fill has one; no alpha is asked for unless the rule says so
"""


def add_parser(subparsers: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Declare the command."""
    command = subparsers.add_parser(
        "conformance",
        help="prove the engine against a file of vectors; exit 1 on a mismatch",
        description=DESCRIPTION,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    command.add_argument("file", type=Path, metavar="FILE")
    command.add_argument("--json", action="store_true", help="print JSON")


def run(file: Path, *, as_json: bool) -> int:
    """0 when every value agrees, 1 when not. Raises Invalid or OSError for a file that cannot be read."""
    from pump_party.bootstrap.offline import check_conformance

    with file.open("rb") as opened:
        content = opened.read(FILE_BYTES_MAX + 1)
    if len(content) > FILE_BYTES_MAX:
        raise Invalid(f"{file}: is larger than {FILE_BYTES_MAX} bytes", code="malformed_vectors")
    try:
        report = check_conformance(content)
    except Invalid as refused:
        raise Invalid(f"{file}: {refused.detail}", code=refused.code, field=refused.field) from refused
    if as_json:
        sys.stdout.write(msgspec.json.format(msgspec.json.encode(report), indent=2).decode() + "\n")
        return EXIT_OK if report.conforms else EXIT_FOUND
    for section in report.sections:
        told = section.note or f"{section.cases:>4} cases  {len(section.mismatches):>3} mismatches"
        print(f"{section.section:<12} {told}")
        for found in section.mismatches:
            place = ": ".join(part for part in (found.case, found.field) if part)
            print(f"  MISMATCH {place}: expected {_shown(found.expected)}, got {_shown(found.got)}")
    unknown = [section.section for section in report.sections if section.fails]
    ending = f", unknown: {', '.join(unknown)}" if unknown else ""
    print(f"{report.cases} cases, {report.mismatches} mismatches{ending}")
    return EXIT_OK if report.conforms else EXIT_FOUND


def _shown(value: Any) -> str:
    return msgspec.json.encode(value).decode()
