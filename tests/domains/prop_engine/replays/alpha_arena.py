"""Alpha Arena, season 1: what six models' recorded accounts and trades say of the arithmetic of perpetuals."""

import json
from decimal import Decimal
from fractions import Fraction
from pathlib import Path
from typing import Any

import msgspec
from tests.domains.prop_engine.perp_markets import ACCOUNT, NOW_MS, RICH_MICROS, fill_at, perp_params

from pump_party.domains.prop_engine.margin import liquidation_price_e8
from pump_party.domains.prop_engine.perp_model import LONG, SHORT, PerpChange
from pump_party.domains.prop_engine.perpetual import apply_fill, flat_position
from pump_party.domains.prop_interface.contract import Side
from pump_party.kernel.ids import Market
from pump_party.kernel.money import E8, MICROS, NANOS, PPM

START_USDC = 10_000
CHEAPER_FROM_S = 1_761_091_200
"""2025-10-22T00:00Z: the fees before it are those of the base schedule, the fees after it those of the next one."""

PRICE_DIGITS = 5
"""Significant figures of a price on the recorded venue; a whole number of dollars is always a price."""

MICRO = Fraction(1, MICROS)
AVERAGED = Fraction(15, 100)
"""USDC: a fee is written to a millionth, so a notional read from it is good to some cents after many fills."""

TOGETHER = Fraction(60, 100)


class States(msgspec.Struct, frozen=True):
    positions: int
    prices_exact: int
    mark_off_max_bp: Fraction
    accounts: int
    identities: int
    identities_exact: int


def account_states(folder: Path) -> States:
    """Recompute each liquidation price with the engine, from size, entry, margin and unrealised PnL."""
    accounts = _read(folder / "account_states.json")["accountTotals"]
    exact, marks = [], []
    for account in accounts:
        for row in account["positions"].values():
            exact.append(_liquidates_at_the_recorded_price(row))
            marks.append(abs(_mark(row) / Fraction(row["current_price"]) - 1) * 10_000)
    whole = [a for a in accounts if None not in (a["realized_pnl"], a["total_unrealized_pnl"], a["dollar_equity"])]
    sums = [START_USDC + Fraction(a["realized_pnl"]) + Fraction(a["total_unrealized_pnl"]) for a in whole]
    return States(
        positions=len(exact),
        prices_exact=sum(exact),
        mark_off_max_bp=max(marks),
        accounts=len(accounts),
        identities=len(whole),
        identities_exact=sum(
            abs(total - Fraction(a["dollar_equity"])) < MICRO for total, a in zip(sums, whole, strict=True)
        ),
    )


def _liquidates_at_the_recorded_price(row: dict[str, Any]) -> bool:
    params = perp_params()[_market(row)]
    size = Fraction(row["quantity"])
    gained = Fraction(row["unrealized_pnl"])
    position = msgspec.structs.replace(
        flat_position(ACCOUNT, params.pricing.market),
        direction=LONG if size > 0 else SHORT,
        quantity_nanos=_whole(abs(size) * NANOS),
        # The recorded entry price is rounded; mark and gain tell the cost it stands for.
        entry_cost_micros=_whole(abs(size * _mark(row) - gained) * MICROS),
        # The recorded margin is isolated equity: it has the unrealised PnL in it.
        margin_micros=_whole((Fraction(row["margin"]) - gained) * MICROS),
    )
    recorded_e8 = Fraction(row["liquidation_price"]) * E8
    ours_e8 = liquidation_price_e8(position, params)
    # Rounded up for a long and down for a short: towards the earlier liquidation.
    against = ours_e8 - recorded_e8 if size > 0 else recorded_e8 - ours_e8
    return 0 <= against < 1


def _mark(row: dict[str, Any]) -> Fraction:
    """The price the gain was computed at, which is not recorded: rounded as the venue rounds prices."""
    mark = Fraction(row["entry_price"]) + Fraction(row["unrealized_pnl"]) / Fraction(row["quantity"])
    decimals = max(0, PRICE_DIGITS - len(str(int(mark)))) if mark >= 1 else PRICE_DIGITS
    return Fraction(round(mark * 10**decimals), 10**decimals)


class Trades(msgspec.Struct, frozen=True):
    """How many of the recorded closed trades each rule fits."""

    rows: int
    gross: int
    net_of_closed_pnl: int
    entry_closed_pnl: int
    net: int
    net_shown_averages: int
    net_below_resolution: int
    net_closed_with_another: int
    net_mixed_fee: int
    net_unexplained: int
    fees: int
    fees_exact: int
    fees_micro_up: int
    fees_average: int
    fees_mixed: int


def trades(folder: Path) -> Trades:
    rows = _read(folder / "trades.json")["trades"]
    kinds = [_net_rule(row, rows) for row in rows]
    fees = [_fee_rule(row, end) for row in rows for end in ("entry", "exit")]
    return Trades(
        rows=len(rows),
        gross=sum(_near(_replayed(row).realised_pnl_micros * MICRO, row["realized_gross_pnl"]) for row in rows),
        net_of_closed_pnl=sum(
            _near(Fraction(row["entry_closed_pnl"]) + Fraction(row["exit_closed_pnl"]), row["realized_net_pnl"])
            for row in rows
        ),
        entry_closed_pnl=sum(
            _near(-Fraction(row["entry_commission_dollars"]), row["entry_closed_pnl"]) for row in rows
        ),
        net=kinds.count("net"),
        net_shown_averages=kinds.count("average"),
        net_below_resolution=kinds.count("resolution"),
        net_closed_with_another=kinds.count("together"),
        net_mixed_fee=kinds.count("mixed"),
        net_unexplained=kinds.count("unexplained"),
        fees=len(fees),
        fees_exact=fees.count("exact"),
        fees_micro_up=fees.count("micro"),
        fees_average=fees.count("average"),
        fees_mixed=fees.count("mixed"),
    )


def _replayed(row: dict[str, Any]) -> PerpChange:
    """The trade as an engine that knows only this row would do it: opened and closed whole at the shown prices."""
    params = perp_params()[_market(row)]
    quantity_nanos = _whole(abs(Fraction(row["quantity"])) * NANOS)
    there, back = (Side.BUY, Side.SELL) if row["side"] == "long" else (Side.SELL, Side.BUY)
    position = flat_position(ACCOUNT, params.pricing.market)
    for side, end in ((there, "entry"), (back, "exit")):
        price_e8 = _whole(Fraction(row[f"{end}_price"]) * E8)
        change = apply_fill(
            position,
            fill_at(side, quantity_nanos, price_e8, fee_ppm=_fee_ppm(row, end)),
            leverage=1,
            cash_micros=RICH_MICROS,
            publish_ms=NOW_MS,
            fill_ms=NOW_MS,
            params=params,
        )
        assert isinstance(change, PerpChange)
        position = change.position
    return change


def _net_rule(row: dict[str, Any], rows: list[dict[str, Any]]) -> str:
    off_as_shown = _off_as_shown(row)
    if abs(off_as_shown) <= MICRO:
        return "net"
    off = _off_by_averages(row)
    if abs(off) <= AVERAGED:
        return "average" if abs(off) < abs(off_as_shown) else "resolution"
    if "mixed" in (_fee_rule(row, "entry"), _fee_rule(row, "exit")):
        return "mixed"
    together = [
        other
        for other in rows
        if (other["model_id"], other["symbol"], other["exit_time"])
        == (row["model_id"], row["symbol"], row["exit_time"])
    ]
    # The venue spreads one average entry over the lots; over all of them it is the same money.
    if len(together) > 1 and abs(sum(_off_by_averages(other) for other in together)) <= TOGETHER:
        return "together"
    return "unexplained"


def _off_as_shown(row: dict[str, Any]) -> Fraction:
    fees = Fraction(row["total_commission_dollars"])
    return Fraction(row["realized_gross_pnl"]) - fees - Fraction(row["realized_net_pnl"])


def _off_by_averages(row: dict[str, Any]) -> Fraction:
    """How far the recorded net is from gross less fees, at the average prices that the fees were charged on."""
    sign = 1 if row["side"] == "long" else -1
    paid = {end: Fraction(row[f"{end}_commission_dollars"]) for end in ("entry", "exit")}
    notional = {end: fee * PPM / _fee_ppm(row, end) for end, fee in paid.items()}
    gross = sign * (notional["exit"] - notional["entry"])
    return gross - sum(paid.values()) - Fraction(row["realized_net_pnl"])


def _fee_rule(row: dict[str, Any], end: str) -> str:
    quantity_nanos = _whole(abs(Fraction(row["quantity"])) * NANOS)
    price_e8 = _whole(Fraction(row[f"{end}_price"]) * E8)
    ours = fill_at(Side.BUY, quantity_nanos, price_e8, fee_ppm=_fee_ppm(row, end)).fee_micros
    recorded = Fraction(row[f"{end}_commission_dollars"]) * MICROS
    if abs(ours - recorded) < Fraction(1, 100):
        return "exact"
    if 0 < ours - recorded <= 1:
        return "micro"
    return "average" if abs(ours / recorded - 1) < Fraction(5, 10_000) else "mixed"


def _fee_ppm(row: dict[str, Any], end: str) -> int:
    params = perp_params("base-v1" if row[f"{end}_time"] < CHEAPER_FROM_S else "volume-5m-v1")[_market(row)]
    return params.pricing.taker_fee_ppm if row[f"{end}_crossed"] else params.maker_fee_ppm


def _market(row: dict[str, Any]) -> Market:
    return Market(f"{row['symbol']}-PERP")


def _near(value: Fraction, recorded: Decimal) -> bool:
    return abs(value - Fraction(recorded)) <= MICRO


def _whole(value: Fraction) -> int:
    nearest = round(value)
    assert abs(value - nearest) < Fraction(1, 1_000), value
    return nearest


def _read(path: Path) -> Any:
    return json.loads(path.read_text(), parse_float=Decimal)
