"""Funding: the recorded hours of Hyperliquid and the recorded rates of Binance against the engine's rule."""

import csv
import gzip
import json
from collections.abc import Sequence
from fractions import Fraction
from pathlib import Path
from typing import Any

import msgspec
from tests.domains.prop_engine.perp_markets import PARAMS

from pump_party.domains.prop_engine.margin import FUNDING_PERIOD_HOURS, PPB, funding_cash_micros, funding_rate_ppb_8h
from pump_party.domains.prop_engine.perp_model import PerpParams
from pump_party.kernel.money import E8, NANOS

CLAMP_2023_PPB = 300_000
LAST_PLACE_PPB = 10
"""Rates and premiums are written to eight decimals."""

ERAS_MS = (("8-hourly", 0), ("hourly", 1_686_184_200_000), ("plain", 1_686_947_400_000), ("hourly", 1_689_388_200_000))
"""When the recorded rule changed: 2023-06-08T00:30Z, 06-16T20:30Z, 07-15T02:30Z."""


class Era(msgspec.Struct, frozen=True):
    """Rows of one era of the recorded venue, and how many fit the rule with its clamp of then and with ours."""

    name: str
    rows: int
    exact: int
    last_place: int
    our_clamp: int


class Payments(msgspec.Struct, frozen=True):
    rows: int
    right_way: int


class Replay(msgspec.Struct, frozen=True):
    """A long of one unit held through a recording: funding at the recorded rates and at ours without a premium."""

    market: str
    rows: int
    at_interest: int
    negative: int
    beyond_cap: int
    recorded_micros: int
    interest_only_micros: int


def hyperliquid(folder: Path) -> list[Era]:
    """Every row of the recorded history of BTC, folded into its eras."""
    rows = _responses(folder, "test_get_funding_history[None].yaml", "fundingHistory")
    eras = []
    for k, (name, from_ms) in enumerate(ERAS_MS):
        to_ms = ERAS_MS[k + 1][1] if k + 1 < len(ERAS_MS) else rows[-1]["time"] + 1
        eras.append(_era(name, [row for row in rows if from_ms <= row["time"] < to_ms]))
    return eras


def _era(name: str, rows: Sequence[dict[str, Any]]) -> Era:
    hours = FUNDING_PERIOD_HOURS if name == "8-hourly" else 1
    then = None if name == "plain" else msgspec.structs.replace(PARAMS, premium_clamp_ppb=CLAMP_2023_PPB)
    off = [_off_ppb(row, then, hours) for row in rows]
    ours = [_off_ppb(row, PARAMS, hours) for row in rows]
    return Era(
        name=name,
        rows=len(rows),
        exact=sum(2 * ppb <= LAST_PLACE_PPB for ppb in off),
        last_place=sum(ppb <= LAST_PLACE_PPB for ppb in off),
        our_clamp=sum(ppb <= LAST_PLACE_PPB for ppb in ours),
    )


def _off_ppb(row: dict[str, Any], params: PerpParams | None, hours: int) -> Fraction:
    premium_ppb = int(Fraction(row["premium"]) * PPB)
    rate_8h = premium_ppb if params is None else funding_rate_ppb_8h(premium_ppb, params)
    return abs(Fraction(rate_8h * hours, FUNDING_PERIOD_HOURS) - Fraction(row["fundingRate"]) * PPB)


def payments(folder: Path) -> Payments:
    """Who pays whom: the sign of every recorded payment against that of the engine's."""
    rows = [
        row["delta"] for row in _responses(folder, "test_user_funding_history_without_end_time.yaml", "userFunding")
    ]
    right_way = 0
    for row in rows:
        size = Fraction(row["szi"])
        ours = funding_cash_micros(
            direction=1 if size > 0 else -1,
            quantity_nanos=int(abs(size) * NANOS),
            mark_e8=1_000 * E8,
            rate_ppb_8h=int(Fraction(row["fundingRate"]) * PPB * FUNDING_PERIOD_HOURS),
            cap_1h_ppb=PARAMS.funding_cap_1h_ppb,
        )
        right_way += (ours > 0) == (Fraction(row["usdc"]) > 0)
    return Payments(len(rows), right_way)


def binance(folder: Path, base: str) -> Replay:
    rates = _table(folder / f"{base}_USDT_USDT-8h-funding_rate.csv.gz", "funding_rate")
    marks = _table(folder / f"{base}_USDT_USDT-8h-mark.csv.gz", "open")
    cap = FUNDING_PERIOD_HOURS * PARAMS.funding_cap_1h_ppb
    pairs = [(int(rate * PPB), int(marks[date] * E8)) for date, rate in rates.items() if date in marks]
    return Replay(
        market=base,
        rows=len(pairs),
        at_interest=sum(rate == PARAMS.interest_8h_ppb for rate, _ in pairs),
        negative=sum(rate < 0 for rate, _ in pairs),
        beyond_cap=sum(abs(rate) > cap for rate, _ in pairs),
        recorded_micros=sum(_eight_hours(mark, rate) for rate, mark in pairs),
        interest_only_micros=sum(_eight_hours(mark, funding_rate_ppb_8h(0, PARAMS)) for _, mark in pairs),
    )


def _eight_hours(mark_e8: int, rate_ppb_8h: int) -> int:
    return FUNDING_PERIOD_HOURS * funding_cash_micros(
        direction=1,
        quantity_nanos=NANOS,
        mark_e8=mark_e8,
        rate_ppb_8h=rate_ppb_8h,
        cap_1h_ppb=PARAMS.funding_cap_1h_ppb,
    )


def _responses(folder: Path, name: str, kind: str) -> list[dict[str, Any]]:
    recorded = json.loads((folder / "cassettes_normalized.json").read_text(), parse_float=str)
    (response,) = [pair["response"] for pair in recorded[name] if pair["request"]["type"] == kind]
    return response


def _table(path: Path, column: str) -> dict[str, Fraction]:
    with gzip.open(path, "rt", newline="") as lines:
        return {row["date"]: Fraction(row[column]) for row in csv.DictReader(lines)}
