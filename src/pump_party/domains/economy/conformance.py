"""What the vectors say of prize pools (section `settle`)."""

from collections.abc import Iterator, Mapping

import msgspec

from pump_party.domains.economy.settlement import settle
from pump_party.kernel.conformance import Check, Integer, Outcome, Vectors, cases_of, expected_of, malformed, read
from pump_party.kernel.errors import Invalid

RAKE, CARRY = "pool:rake", "pool:carry"


class _Settle(msgspec.Struct, frozen=True):
    pool: Integer
    rake_ppm: Integer
    weights_ppm: list[Integer]
    ranks: list[tuple[str, Integer | None]]


def _check_settle(vectors: Vectors) -> Iterator[Outcome]:
    for case, row in cases_of(vectors, "settle"):
        given = read(row, _Settle, section="settle", case=case)
        ranks = dict(given.ranks)
        if len(ranks) < len(given.ranks):
            raise malformed("names an entry twice", section="settle", case=case, field="ranks")
        try:
            settled = settle(given.pool, rake_ppm=given.rake_ppm, weights_ppm=given.weights_ppm, ranks=ranks)
        except Invalid as refused:
            raise malformed(refused.detail, section="settle", case=case, field=refused.field or "") from refused
        got = {**settled.prizes_micros, RAKE: settled.rake_micros, CARRY: settled.carry_micros}
        yield Outcome(case, expected_of(row, section="settle", case=case), got)


CHECKS: Mapping[str, Check] = {"settle": _check_settle}
