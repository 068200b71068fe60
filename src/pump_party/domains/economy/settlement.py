"""Divide a prize pool by rank, to the last micro-USDC (METRICS, section 5).

The house fee and every prize are rounded down; what is left over stays in the pool's carry.
"""

from collections import Counter
from collections.abc import Mapping, Sequence

import msgspec

from pump_party.kernel.errors import Invalid
from pump_party.kernel.money import PPM


class Settlement(msgspec.Struct, frozen=True):
    """`rake + carry + sum(prizes) = pool`, exactly. Who wins nothing has a prize of 0."""

    rake_micros: int
    carry_micros: int
    prizes_micros: dict[str, int]


def settle(
    pool_micros: int, *, rake_ppm: int, weights_ppm: Sequence[int], ranks: Mapping[str, int | None]
) -> Settlement:
    """Prizes by entry id. `weights_ppm` are the places' shares of the pool after the house fee, first place first.

    Those who share a rank share the prizes of the places they cover, each rounded down. An entry without a rank wins
    nothing. Raises Invalid for shares beyond the pool, and for ranks that leave out or double a place.
    """
    _check(pool_micros, rake_ppm, weights_ppm, ranks)
    rake_micros = pool_micros * rake_ppm // PPM
    net_micros = pool_micros - rake_micros
    sharing = Counter(ranks.values())
    prizes_micros = {}
    for entry_id, rank in ranks.items():
        covered_ppm = 0 if rank is None else sum(weights_ppm[rank - 1 : rank - 1 + sharing[rank]])
        prizes_micros[entry_id] = net_micros * covered_ppm // (PPM * sharing[rank])
    carry_micros = net_micros - sum(prizes_micros.values())
    assert carry_micros >= 0
    return Settlement(rake_micros, carry_micros, prizes_micros)


def _check(pool_micros: int, rake_ppm: int, weights_ppm: Sequence[int], ranks: Mapping[str, int | None]) -> None:
    if pool_micros < 0:
        raise _invalid("a pool is not negative", "pool_micros")
    if not 0 <= rake_ppm <= PPM:
        raise _invalid("the house fee is a share of the pool", "rake_ppm")
    if any(weight < 0 for weight in weights_ppm) or sum(weights_ppm) > PPM:
        raise _invalid("the places' shares are not negative and no more than the pool", "weights_ppm")
    free = 1
    for rank, sharing in sorted(Counter(rank for rank in ranks.values() if rank is not None).items()):
        if rank != free:
            raise _invalid(f"the next rank is {free}, not {rank}", "ranks")
        free += sharing


def _invalid(detail: str, field: str) -> Invalid:
    return Invalid(detail, code="invalid_settlement", field=field)
