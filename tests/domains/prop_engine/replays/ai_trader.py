"""AI-Trader's spot contest: every recorded buy and sell replayed through the engine without fees and spread."""

import json
from collections.abc import Sequence
from decimal import Decimal
from pathlib import Path
from typing import Any

import msgspec
from tests.domains.prop_engine.markets import PRACTICE, SOL

from pump_party.domains.prop_engine.execution import check_funds, price_spot
from pump_party.domains.prop_engine.model import NO_PRESSURE, MarketOrder, SpotFill
from pump_party.domains.prop_engine.portfolio import apply_fill, empty_position
from pump_party.domains.prop_interface.contract import Side
from pump_party.kernel.ids import AccountId, Market
from pump_party.kernel.money import E8, INT64_MAX, MICROS, NANOS

FREE = msgspec.structs.replace(
    PRACTICE.spot[SOL],
    tick_e8=1,
    lot_nanos=1,
    min_notional_micros=0,
    max_notional_micros=INT64_MAX,
    min_half_spread_ppm=0,
    depth_per_bp_micros=INT64_MAX,
    taker_fee_ppm=0,
)
"""No fee, no spread, any size. Impact is rounded up, so a price is still one e8 worse than the mid."""

SIDES = {"buy_crypto": Side.BUY, "sell_crypto": Side.SELL}
CASH = "CASH"
CASH_PLACE_MICROS = 100
"""Cash and holdings are recorded to four decimals."""
HELD_PLACE_NANOS = 100_000


class Contest(msgspec.Struct, frozen=True):
    """How many recorded actions lead to the recorded cash and holdings, from which earlier state."""

    models: int
    actions: int
    cash_from_the_line_before: int
    all_from_the_line_before: int
    all_from_the_id_before: int
    other_models: tuple[str, ...]


def contest(folder: Path) -> Contest:
    opens = _opens(folder / "crypto_merged.jsonl")
    files = sorted((folder / "positions").glob("*.jsonl"))
    cash = whole = by_id = actions = 0
    others = []
    for file in files:
        rows = [json.loads(line, parse_float=Decimal, parse_int=Decimal) for line in file.read_text().splitlines()]
        for k, row in enumerate(rows):
            if row.get("this_action", {}).get("action") not in SIDES:
                continue
            actions += 1
            cash_fits, held_fits = _fits(rows[k - 1], row, opens)
            cash += cash_fits
            whole += cash_fits and held_fits
            by_id += all(_fits(_with_id_before(rows[:k], row), row, opens))
            if not cash_fits:
                others.append(file.stem)
    return Contest(len(files), actions, cash, whole, by_id, tuple(sorted(set(others))))


def _with_id_before(earlier: Sequence[dict[str, Any]], row: dict[str, Any]) -> dict[str, Any]:
    """The newest earlier line whose id is one less: the state the action was decided on."""
    return next(line for line in reversed(earlier) if line["id"] == row["id"] - 1)


def _fits(before: dict[str, Any], row: dict[str, Any], opens: dict[str, dict[str, Decimal]]) -> tuple[bool, bool]:
    """Whether the engine gets from one recorded state to the other: its cash, and all its holdings."""
    action, symbol = row["this_action"], row["this_action"]["symbol"]
    mid_e8 = int(opens[symbol][row["date"]] * E8)
    side, quantity_nanos = SIDES[action["action"]], round(action["amount"] * NANOS)
    fill = price_spot(
        MarketOrder(side, quantity_nanos, None, None),
        mid_e8=mid_e8,
        conf_e8=0,
        publish_ms=0,
        pressure=NO_PRESSURE,
        params=FREE,
        fill_ms=0,
    )
    assert isinstance(fill, SpotFill)
    cash_micros = round(before["positions"][CASH] * MICROS)
    held = {name: round(amount * NANOS) for name, amount in before["positions"].items() if name != CASH}
    if check_funds(fill, cash_micros=cash_micros, held_nanos=held[symbol]) is not None:
        return False, False
    start = msgspec.structs.replace(
        empty_position(AccountId(""), Market(symbol)), quantity_nanos=held[symbol], cost_micros=0
    )
    position, _ = apply_fill(start, fill, fill_ms=0)
    held[symbol] = position.quantity_nanos

    after = row["positions"]
    cash_off = abs(cash_micros + fill.cash_change_micros - round(after[CASH] * MICROS))
    held_fits = all(abs(nanos - round(after[name] * NANOS)) <= HELD_PLACE_NANOS for name, nanos in held.items())
    return cash_off <= CASH_PLACE_MICROS, held_fits


def _opens(path: Path) -> dict[str, dict[str, Decimal]]:
    """Each coin's price at the open of a day."""
    opens = {}
    for line in path.read_text().splitlines():
        coin = json.loads(line)
        days = coin["Time Series (Daily)"]
        opens[coin["Meta Data"]["2. Symbol"]] = {day: Decimal(row["1. buy price"]) for day, row in days.items()}
    return opens
