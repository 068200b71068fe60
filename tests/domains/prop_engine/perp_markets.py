"""What the tests of perpetuals trade: the vectors' market, a flat position, a fill at any price."""

import tomllib
from importlib.resources import files
from typing import Any

import msgspec
from tests.domains.prop_engine.markets import CONF_E8, MID_E8, quote_at

from pump_party.domains.marketdata.contract import HaltReason, MarketKind, Quote
from pump_party.domains.marketdata.registry import load_registry
from pump_party.domains.prop_engine.model import MarketOrder, SpotFill
from pump_party.domains.prop_engine.perp_model import PerpChange, PerpParams, PerpPosition
from pump_party.domains.prop_engine.perp_rules import build_perp_params
from pump_party.domains.prop_engine.perpetual import apply_fill, flat_position, trade, watch
from pump_party.domains.prop_engine.pricing import Prices
from pump_party.domains.prop_interface.contract import RejectCode, Side
from pump_party.kernel.ids import AccountId, Market
from pump_party.kernel.money import NOTIONAL_DIVISOR, PPM, ceil_div

SOL_PERP = Market("SOL-PERP")
ENTRY_E8 = 15_023_460_000
ACCOUNT = AccountId("01900000-0000-7000-8000-000000000001")
NOW_MS = 1_767_225_601_300
RICH_MICROS = 10**18

PERP_ASSETS = tuple(asset for asset in load_registry().assets() if asset.kind is MarketKind.PERP)


def document(name: str) -> dict[str, Any]:
    return tomllib.loads(files("pump_party.domains.prop_engine").joinpath(name).read_text())


def perp_params(fees: str | None = None) -> dict[Market, PerpParams]:
    return build_perp_params(
        document("perpetuals.toml"), document("rules.toml")["spot"], PERP_ASSETS, version="v1", fees=fees
    )


PARAMS = perp_params()[SOL_PERP]


def flat() -> PerpPosition:
    return flat_position(ACCOUNT, SOL_PERP)


def fill_at(side: Side, quantity_nanos: int, price_e8: int, *, fee_ppm: int = PARAMS.pricing.taker_fee_ppm) -> SpotFill:
    """A fill at exactly this price, as the ladder would report it."""
    gross_micros, rest = divmod(quantity_nanos * price_e8, NOTIONAL_DIVISOR)
    assert rest == 0
    fee_micros = ceil_div(gross_micros * fee_ppm, PPM)
    sign = 1 if side is Side.BUY else -1
    return SpotFill(
        side=side,
        quantity_nanos=quantity_nanos,
        price_e8=price_e8,
        half_spread_e8=0,
        impact_e8=0,
        gross_micros=gross_micros,
        fee_micros=fee_micros,
        cash_change_micros=-sign * gross_micros - fee_micros,
        held_change_nanos=sign * quantity_nanos,
        pressure_after_micros=gross_micros,
    )


def opened(side: Side, quantity_nanos: int, price_e8: int, leverage: int) -> PerpChange | RejectCode:
    return apply_fill(
        flat(),
        fill_at(side, quantity_nanos, price_e8),
        leverage=leverage,
        cash_micros=RICH_MICROS,
        publish_ms=NOW_MS,
        fill_ms=NOW_MS,
        params=PARAMS,
    )


def position_of(side: Side, quantity_nanos: int, price_e8: int, leverage: int) -> PerpPosition:
    change = opened(side, quantity_nanos, price_e8, leverage)
    assert isinstance(change, PerpChange)
    return change.position


def perp_quote(mid_e8: int = MID_E8, conf_e8: int = CONF_E8, *, age_ms: int = 300, now_ms: int = NOW_MS) -> Quote:
    return quote_at(now_ms, market=SOL_PERP, age_ms=age_ms, mid_e8=mid_e8, conf_e8=conf_e8)


def traded(
    position: PerpPosition, side: Side, quantity_nanos: int, quote: Quote | None = None, **more: Any
) -> tuple[PerpChange, ...] | RejectCode:
    arguments = {"leverage": 10, "reduce_only": False, "fill_ms": NOW_MS, "cash_micros": RICH_MICROS, "params": PARAMS}
    order = MarketOrder(side, quantity_nanos, None, None)
    return trade(position, order, Prices(quote or perp_quote()), **(arguments | more))


def with_margin(position: PerpPosition, margin_micros: int) -> PerpPosition:
    return msgspec.structs.replace(position, margin_micros=margin_micros)


def watched(
    position: PerpPosition,
    mid_e8: int,
    *,
    conf_e8: int = 0,
    halted: bool = False,
    now_ms: int = NOW_MS,
    publish_ms: int | None = None,
) -> tuple[PerpPosition, int]:
    """What a tick does: a new one, or the one published then."""
    quote = perp_quote(mid_e8, conf_e8)
    publish_ms = max(quote.publish_ms, position.breach_ms + 1) if publish_ms is None else publish_ms
    halt_reason = HaltReason.FEED_SILENT if halted else None
    quote = msgspec.structs.replace(quote, publish_ms=publish_ms, halt_reason=halt_reason)
    return watch(position, quote, now_ms=now_ms, params=PARAMS)
