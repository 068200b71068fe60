"""What the vectors say of metrics and of the hashes that seal history (sections `metrics` and `integrity`)."""

import re
from collections.abc import Iterator, Mapping
from decimal import Decimal
from typing import Any

import msgspec

from pump_party.domains.prop_engine.chain import canonical, genesis, leaf_hash, link, merkle_root
from pump_party.domains.prop_engine.metrics import max_drawdown_ppm, period_returns, ratios, timing_alpha_ppm
from pump_party.domains.prop_engine.results import return_ppm
from pump_party.kernel.conformance import (
    ABSENT,
    Check,
    Integer,
    Outcome,
    Positive,
    Vectors,
    cases_of,
    expected_of,
    malformed,
    read,
)


class _Metrics(msgspec.Struct, frozen=True):
    equity_daily: list[Positive]
    timing_alpha: list[dict[str, Any]] = []


class _TimingAlpha(msgspec.Struct, frozen=True):
    r_ppm: Integer
    mean_exposure_ppm: Integer
    bench_daily_ppm: list[Integer]


class _Integrity(msgspec.Struct, frozen=True):
    records: list[dict[str, str]]
    canonical: list[str]
    leaf_hashes: list[str]
    roots: dict[str, str]
    genesis: str
    chain: list[str]


def _check_metrics(vectors: Vectors) -> Iterator[Outcome]:
    """`ratios_365` are of a year of 365 periods, `ratios_8760` would be of hours. What is undefined is null."""
    for case, row in cases_of(vectors, "metrics"):
        given = read(row, _Metrics, section="metrics", case=case)
        equity = given.equity_daily
        if not equity:
            raise malformed("is empty", section="metrics", case=case, field="equity_daily")
        integers = {"r_ppm": return_ppm(equity[0], equity[-1]), "mdd_ppm": max_drawdown_ppm(equity)}
        for name, value in integers.items():
            yield Outcome(f"{case} {name}", row.get(name, ABSENT), value)
        for name, expected in row.items():
            if periods := re.fullmatch(r"ratios_([1-9][0-9]{0,5})", name):
                yield Outcome(f"{case} {name}", expected, _ratios(equity, int(periods[1])))
        for number, alpha in cases_of({"timing_alpha": given.timing_alpha}, "timing_alpha"):
            yield _timing_alpha(f"{case} timing_alpha {number}", alpha)


def _ratios(equity: list[int], periods_per_year: int) -> dict[str, Any]:
    returns = period_returns(equity)
    assert returns is not None
    found = ratios(returns, periods_per_year=periods_per_year)
    return {
        "n": found.count,
        "mean": _text(found.mean),
        "sharpe": _text(found.sharpe),
        "sharpe_per_period": _text(found.sharpe_per_period),
        "sortino": _text(found.sortino),
        "profit_factor_periods": _text(found.profit_factor),
    }


def _text(value: Decimal | None) -> str | None:
    return None if value is None else f"{value:f}"


def _timing_alpha(case: str, row: dict[str, Any]) -> Outcome:
    given = read(row, _TimingAlpha, section="metrics", case=case)
    got = timing_alpha_ppm(
        return_ppm=given.r_ppm, mean_exposure_ppm=given.mean_exposure_ppm, benchmark_daily_ppm=given.bench_daily_ppm
    )
    return Outcome(case, expected_of(row, section="metrics", case=case), got)


def _check_integrity(vectors: Vectors) -> Iterator[Outcome]:
    for case, row in cases_of(vectors, "integrity"):
        given = read(row, _Integrity, section="integrity", case=case)
        lines = [canonical(record) for record in given.records]
        leaves = [leaf_hash(line) for line in lines]
        head, chain = genesis(given.genesis), []
        for leaf in leaves:
            head = link(head, leaf)
            chain.append(head.hex())
        yield Outcome(f"{case} canonical", given.canonical, [line.decode() for line in lines])
        yield Outcome(f"{case} leaf_hashes", given.leaf_hashes, [leaf.hex() for leaf in leaves])
        yield Outcome(f"{case} chain", given.chain, chain)
        for size, root in given.roots.items():
            if not size.isascii() or not size.isdigit() or int(size) > len(leaves):
                raise malformed(f"is of {size} of {len(leaves)} records", section="integrity", case=case, field="roots")
            yield Outcome(f"{case} root of {size}", root, merkle_root(leaves[: int(size)]).hex())


CHECKS: Mapping[str, Check] = {"metrics": _check_metrics, "integrity": _check_integrity}
