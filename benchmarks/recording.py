"""Recorded minutes of a market as the prices of a replay, read in place: the recordings are no part of the project."""

import csv
import gzip
import os
from datetime import datetime
from pathlib import Path

import msgspec

DATA = Path(os.environ.get("PUMP_PARTY_TEST_DATA", Path(__file__).parents[2] / "shared")) / "data"
SOL_MINUTES = DATA / "binance_usdm_1m" / "SOL_USDT_USDT-1m-futures.csv.gz"
E8_DIGITS = 8


class Candle(msgspec.Struct, frozen=True):
    at_ms: int
    close_e8: int


def read_closes(path: Path) -> list[Candle]:
    """The close of every candle, oldest first."""
    with gzip.open(path, "rt") as file:
        return [Candle(_milliseconds(row["date"]), _e8(row["close"])) for row in csv.DictReader(file)]


def _milliseconds(text: str) -> int:
    return int(datetime.fromisoformat(text).timestamp()) * 1000


def _e8(text: str) -> int:
    whole, _, fraction = text.partition(".")
    return int(whole + fraction.ljust(E8_DIGITS, "0"))
