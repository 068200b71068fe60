"""What an account is worth: at mids, after any of its records, and when all is closed (METRICS, section 1). Pure."""

from collections.abc import Mapping

import msgspec
from msgspec.structs import replace

from pump_party.domains.prop_engine.curve import MarkPrice
from pump_party.domains.prop_engine.execution import price_spot
from pump_party.domains.prop_engine.model import MarketOrder, Position, Pressure, SpotFill, SpotParams
from pump_party.domains.prop_engine.perp_model import FLAT, LONG, PerpChange, PerpParams, PerpPosition
from pump_party.domains.prop_engine.perpetual import apply_fill
from pump_party.domains.prop_engine.portfolio import Holdings, value_micros
from pump_party.domains.prop_engine.rule_set import RuleSet
from pump_party.domains.prop_interface.contract import Side
from pump_party.kernel.ids import Market
from pump_party.kernel.money import INT64_MAX


class Stake(msgspec.Struct, frozen=True):
    """An account as one sum and signed quantities: `equity = net + sum(floor(quantity * mid))`, spot and perpetual.

    `net_micros` is cash, holds and margins, less what was paid for longs and with what was received for shorts.
    """

    net_micros: int
    quantities: Mapping[Market, int]
    """Without the markets that are flat."""


def stake_of(holdings: Holdings) -> Stake:
    account = holdings.account
    entered_micros = sum(p.direction * p.entry_cost_micros for p in holdings.perps)
    quantities = {p.market: p.quantity_nanos for p in holdings.positions if p.quantity_nanos}
    quantities |= {p.market: p.direction * p.quantity_nanos for p in holdings.perps if p.direction != FLAT}
    return Stake(account.cash_micros + account.held_micros + account.margin_micros - entered_micros, quantities)


class Exchanged(msgspec.Struct, frozen=True):
    """What a fill exchanged and at which price: all of it that a mark needs. Insurance paid `shortfall_micros`."""

    market: Market
    side: Side
    quantity_nanos: int
    gross_micros: int
    fee_micros: int
    mid_e8: int
    conf_e8: int
    shortfall_micros: int = 0


def before_fill(stake: Stake, fill: Exchanged) -> Stake:
    """The stake that a fill found: every fill exchanges its gross for its quantity, whatever the margin did."""
    bought_nanos = fill.quantity_nanos if fill.side is Side.BUY else -fill.quantity_nanos
    received_micros = -fill.gross_micros if fill.side is Side.BUY else fill.gross_micros
    left = stake.quantities.get(fill.market, 0) - bought_nanos
    others = {market: quantity for market, quantity in stake.quantities.items() if market != fill.market}
    return Stake(
        stake.net_micros - received_micros + fill.fee_micros - fill.shortfall_micros,
        others | {fill.market: left} if left else others,
    )


def worth_micros(stake: Stake, prices: Mapping[Market, MarkPrice]) -> tuple[int, int, int]:
    """(equity, value in the market with shorts below zero, the same with longs and shorts added up) at the mids.

    Every market held needs a price.
    """
    exposed_micros = gross_exposed_micros = 0
    for market, quantity_nanos in stake.quantities.items():
        value = value_micros(quantity_nanos, prices[market].mid_e8)
        exposed_micros += value
        gross_exposed_micros += abs(value)
    return stake.net_micros + exposed_micros, exposed_micros, gross_exposed_micros


def liquidation_micros(holdings: Holdings, rules: RuleSet, prices: Mapping[Market, MarkPrice], *, at_ms: int) -> int:
    """Standing equity: what is left once the execution model has closed every position, fees included.

    Whatever its size, slippage and certainty a position is closed; each alone, at its own pressure. What an account
    cannot lose it does not: a loss beyond a position's margin is insurance's.
    """
    account = holdings.account
    spot = sum(
        _sold_micros(p, rules.spot[p.market], prices[p.market], at_ms=at_ms)
        for p in holdings.positions
        if p.quantity_nanos
    )
    perps = sum(
        _closed_micros(p, rules.perp[p.market], prices[p.market], at_ms=at_ms)
        for p in holdings.perps
        if p.direction != FLAT
    )
    return account.cash_micros + account.held_micros + spot + perps


def _sold_micros(position: Position, params: SpotParams, price: MarkPrice, *, at_ms: int) -> int:
    fill = _close(Side.SELL, position.quantity_nanos, position.sell_pressure, params, price, at_ms)
    # The fee is rounded up: of next to nothing it may exceed the proceeds.
    return max(0, fill.cash_change_micros)


def _closed_micros(position: PerpPosition, params: PerpParams, price: MarkPrice, *, at_ms: int) -> int:
    side, pressure = (
        (Side.SELL, position.sell_pressure) if position.direction == LONG else (Side.BUY, position.buy_pressure)
    )
    fill = _close(side, position.quantity_nanos, pressure, params.pricing, price, at_ms)
    change = apply_fill(
        position, fill, leverage=position.leverage, cash_micros=0, publish_ms=at_ms, fill_ms=at_ms, params=params
    )
    assert isinstance(change, PerpChange), change
    return change.cash_change_micros


def _close(
    side: Side, quantity_nanos: int, pressure: Pressure, params: SpotParams, price: MarkPrice, at_ms: int
) -> SpotFill:
    unlimited = replace(
        params,
        min_notional_micros=0,
        max_notional_micros=INT64_MAX,
        max_slippage_ppm=INT64_MAX,
        max_conf_ppm=INT64_MAX,
    )
    fill = price_spot(
        MarketOrder(side, quantity_nanos, None, None),
        mid_e8=price.mid_e8,
        conf_e8=price.conf_e8,
        publish_ms=at_ms,
        pressure=pressure,
        params=unlimited,
        fill_ms=at_ms,
    )
    assert isinstance(fill, SpotFill), fill
    return fill
