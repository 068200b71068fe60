"""Settled funding rates beside the candles of a tape: `NAME-8h-funding_rate.csv[.gz]`, columns date and funding_rate.

The hours in the name say how long a rate is for. An hour's even part of it stands from the settlement until the next,
at most `perp_context.SAMPLE_STANDS_MS`: what was settled is all that could be known, and a rate is never read ahead.
"""

import re
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from decimal import ROUND_HALF_EVEN, Decimal, InvalidOperation
from pathlib import Path
from typing import NamedTuple

import msgspec

from pump_party.adapters.observed_price import TIME_MS_MAX, TIME_MS_MIN
from pump_party.adapters.tape_files import BadRow, TapeBroken, read_lines
from pump_party.domains.marketdata.candles import MINUTE_MS
from pump_party.domains.marketdata.perp_samples import PerpSample
from pump_party.domains.marketdata.registry import Registry
from pump_party.kernel.errors import Invalid
from pump_party.kernel.ids import Market

COLUMNS = b"date,funding_rate"
ROWS_MAX = 100_000
RATE_MAX = Decimal(1)
"""Funding of the whole price is garbage."""

PPB = 10**9

_NAME = re.compile(r"(?P<symbol>.+?)-(?P<hours>1|2|4|8)h-funding_rate(-\w+)?\.csv(\.gz)?")
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


class SettledRate(NamedTuple):
    """What was settled, and the row that says so."""

    sample: PerpSample
    row: bytes


class FundingFile(msgspec.Struct, frozen=True):
    """The settled rates of perpetuals on one observed price; each is for `hours`."""

    path: Path
    market: Market
    hours: int


def read_funding(folder: Path, registry: Registry) -> Mapping[Market, Sequence[PerpSample]]:
    """Every table of a folder as samples, else like `read_settled`."""
    settled = read_settled(folder, registry)
    return {market: [rate.sample for rate in rates] for market, rates in settled.items()}


def read_settled(folder: Path, registry: Registry) -> Mapping[Market, Sequence[SettledRate]]:
    """Every table of a folder, by the market that is observed, in order of time. Raises Invalid for a damaged one."""
    settled: dict[Market, list[SettledRate]] = {}
    for file in funding_files(folder, registry):
        if file.market in settled:
            raise Invalid(f"{file.path.name} is a second table of {file.market}", code="tape_bad", field="tape")
        settled[file.market] = read_rates(file)
    return settled


def funding_files(folder: Path, registry: Registry) -> list[FundingFile]:
    """The tables of a folder, by their names."""
    found = []
    names = registry.symbols("tape")
    for path in sorted(folder.iterdir()) if folder.is_dir() else ():
        match = _NAME.fullmatch(path.name)
        if match is None:
            continue
        symbol = match["symbol"]
        market = names.get(symbol) or (registry.priced_as(symbol) if registry.has(symbol) else None)
        if market is not None:
            found.append(FundingFile(path, market, int(match["hours"])))
    return found


def read_rates(file: FundingFile) -> list[SettledRate]:
    """In order of time. Raises Invalid, naming the line."""
    settled: list[SettledRate] = []
    number = 0
    try:
        for number, row in enumerate(read_lines(file.path), start=1):
            if number == 1:
                if row != COLUMNS:
                    raise TapeBroken(f"{file.path.name}: the columns are not {COLUMNS.decode()}")
                continue
            sample = _parse(row, file.hours)
            if settled and sample.at_ms <= settled[-1].sample.at_ms:
                raise BadRow("not later than the row before")
            if len(settled) == ROWS_MAX:
                raise BadRow(f"more than {ROWS_MAX} rates")
            settled.append(SettledRate(sample, row))
    except BadRow as error:
        raise Invalid(f"{file.path.name}, line {number}: {error}", code="tape_bad", field="tape") from error
    except TapeBroken as error:
        raise Invalid(str(error), code="tape_bad", field="tape") from error
    return settled


def _parse(row: bytes, hours: int) -> PerpSample:
    try:
        date, text = row.decode("ascii").split(",")
        settled = datetime.fromisoformat(date)
        rate = Decimal(text)
    except (ValueError, InvalidOperation) as error:
        raise BadRow("not a row of date, funding_rate") from error
    if settled.tzinfo is None:
        raise BadRow("the date has no time zone")
    at_ms = (settled - _EPOCH) // timedelta(milliseconds=1)
    # Venues stamp a settlement some milliseconds after the hour it is for.
    at_ms -= at_ms % MINUTE_MS
    if not TIME_MS_MIN <= at_ms <= TIME_MS_MAX:
        raise BadRow("the date is not of this century")
    if not rate.is_finite() or abs(rate) > RATE_MAX:
        raise BadRow("not a funding rate")
    return PerpSample(at_ms, int((rate * PPB / hours).to_integral_value(ROUND_HALF_EVEN)), None)
