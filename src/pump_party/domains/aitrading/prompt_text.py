"""The parts of a prompt, each from one part of what is seen: exact figures, stated units, oldest first. Pure."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from functools import lru_cache

from pump_party.domains.aitrading.account_rules import AccountRules, MarketRules
from pump_party.domains.aitrading.holding import holding_of, share_ppm
from pump_party.domains.aitrading.invalidation import key_of, unit_of_key
from pump_party.domains.aitrading.model import (
    PAST_DECISIONS_MAX,
    OpenInvalidation,
    PastDecision,
    Plan,
    ProposalAction,
)
from pump_party.domains.marketdata.contract import Candle, FeatureReading, FeatureUnit, MarketSnapshot, unit_of
from pump_party.domains.prop_interface.contract import (
    AccountView,
    OrderTerms,
    OrderView,
    PerpPositionView,
    PositionView,
)
from pump_party.kernel.ids import Market
from pump_party.kernel.money import (
    E8_DECIMALS,
    MICROS_DECIMALS,
    NANOS_DECIMALS,
    NOTIONAL_DIVISOR,
    format_decimal,
    format_e8,
    format_micros,
    format_nanos,
)

DIGITS = 8
"""Significant digits of a feature. Prices, candles and the account's figures are never shortened."""

LINES_KEPT = 16_384
"""Lines of candles and of features that are kept: the clones of a slot show the same ones."""

UNKNOWN = "unknown"
SECONDS_A_MINUTE = 60
MINUTE_MS = 60_000

_DECIMALS = {
    FeatureUnit.PRICE: E8_DECIMALS,
    FeatureUnit.RATIO: MICROS_DECIMALS,
    FeatureUnit.INDEX: MICROS_DECIMALS,
    FeatureUnit.AMOUNT: NANOS_DECIMALS,
}
_UNIT_NAMES = {
    FeatureUnit.PRICE: "USDC",
    FeatureUnit.RATIO: "ratio",
    FeatureUnit.INDEX: "index",
    FeatureUnit.AMOUNT: "base units",
}
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def limit_lines(plan: Plan, rules: AccountRules, markets: Sequence[Market]) -> str:
    limits = plan.limits
    lines = [
        f"you are asked every {plan.cadence_s // SECONDS_A_MINUTE} min",
        f"share of equity in one market: at most {_ratio(limits.max_position_ppm)}",
    ]
    if rules.max_position_micros is not None:
        lines.append(f"value of a position: at most {format_micros(rules.max_position_micros)} USDC")
    for market in markets:
        found = rules.markets.get(market)
        if found is None:
            lines.append(f"{market}: may not be traded by this account; hold")
            continue
        most = min(limits.max_leverage, found.max_leverage(0), rules.max_leverage or limits.max_leverage)
        lines.append(
            f"{market}: {f'perpetual, leverage 1 to {most}' if found.is_perp else 'spot, long only'}, smallest order"
            f" {format_micros(found.min_notional_micros)} USDC, taker fee {_ratio(found.taker_fee_ppm)} of the value"
        )
    return "\n".join(lines)


def account_lines(account: AccountView) -> str:
    """The account's own figures, as they are at `account.seq`."""
    rows = [
        ("equity", account.equity_micros),
        ("free cash", account.cash_micros),
        ("set aside for waiting orders", account.held_micros),
        ("margin of perpetual positions", account.margin_micros),
        ("unrealised profit", account.unrealised_pnl_micros),
        ("realised profit", account.realised_pnl_micros),
        ("fees paid", account.fees_micros),
        ("funding received", account.funding_micros),
        ("start capital", account.start_micros),
    ]
    return "\n".join(f"{name}: {UNKNOWN if value is None else format_micros(value) + ' USDC'}" for name, value in rows)


def position_lines(account: AccountView) -> str:
    lines = [_spot_line(spot, account) for spot in account.positions if spot.quantity_nanos]
    lines += [_perp_line(perp, account) for perp in account.perps if perp.quantity_nanos]
    return "\n".join(lines) or "none"


def _spot_line(spot: PositionView, account: AccountView) -> str:
    average = _average(spot.cost_micros, spot)
    return (
        f"{spot.market} long {format_nanos(spot.quantity_nanos)}, average price {average} USDC, marked at"
        f" {_price(spot.mark_e8)}, value {_money(spot.value_micros)}, unrealised profit"
        f" {_money(spot.unrealised_pnl_micros)}, share of equity {_share(account, spot.market, spot.mark_e8)}"
    )


def _perp_line(perp: PerpPositionView, account: AccountView) -> str:
    return (
        f"{perp.market} {'long' if perp.direction > 0 else 'short'} {format_nanos(perp.quantity_nanos)}, entry price"
        f" {_average(perp.entry_cost_micros, perp)} USDC, marked at {_price(perp.mark_e8)}, margin"
        f" {_money(perp.margin_micros)}, leverage {perp.leverage}, unrealised profit"
        f" {_money(perp.unrealised_pnl_micros)}, funding received {_money(perp.funding_micros)}, liquidation at"
        f" {_price(perp.liquidation_e8)}, share of equity {_share(account, perp.market, perp.mark_e8)}"
    )


def order_lines(orders: Sequence[OrderView]) -> str:
    return "\n".join(_order_line(order) for order in reversed(orders)) or "none"


def _order_line(order: OrderView) -> str:
    terms = order.terms or OrderTerms()
    size = "the whole position" if order.quantity_nanos is None else format_nanos(order.quantity_nanos)
    price_e8 = terms.trigger_price_e8 if terms.limit_price_e8 is None else terms.limit_price_e8
    at = "" if price_e8 is None else f" at {format_e8(price_e8)} USDC"
    return f"{order.market} {terms.kind.value.replace('_', ' ')}: {order.side.value} {size}{at}"


def condition_lines(conditions: Sequence[OpenInvalidation]) -> str:
    return "\n".join(_condition_line(one) for one in conditions) or "none"


def _condition_line(one: OpenInvalidation) -> str:
    condition = one.condition
    number = _number(condition.value, _DECIMALS[unit_of_key(condition.feature)])
    right = number if condition.than is None else condition.than.key
    return f"{one.market} is closed when {key_of(condition.feature)} is {condition.op.value} {right}"


def past_lines(past: Sequence[PastDecision], slot_ms: int) -> str:
    """In minutes before this decision: the markets' clock may be a tape's."""
    return "\n".join(_past_line(decision, slot_ms) for decision in reversed(past[:PAST_DECISIONS_MAX])) or "none"


def _past_line(decision: PastDecision, slot_ms: int) -> str:
    what = decision.action.value
    if decision.side is not None:
        what += f" {decision.side.value}"
    if decision.action in {ProposalAction.OPEN, ProposalAction.REDUCE}:
        what += f" share {_ratio(decision.share_ppm)} leverage {decision.leverage}"
    price = "" if decision.mid_e8 is None else f" at {format_e8(decision.mid_e8)} USDC"
    minutes = (slot_ms - decision.slot_ms) // MINUTE_MS
    return f"{minutes} min ago: {decision.market} {what}{price}: {decision.outcome}"


def market_lines(snapshot: MarketSnapshot, rules: MarketRules | None, candles: int) -> str:
    """A market's price, features and newest candles."""
    kind = "perpetual" if rules is not None and rules.is_perp else "spot"
    lines = [
        f"MARKET {snapshot.market} ({kind}), as of {_time(snapshot.as_of_ms)} UTC",
        f"price now {format_e8(snapshot.mid_e8)} USDC, uncertain by {format_e8(snapshot.conf_e8)}",
    ]
    if snapshot.readings:
        lines.append("feature | unit | before | now")
        lines += [_reading_line(reading) for reading in snapshot.readings]
    shown = snapshot.candles[len(snapshot.candles) - min(candles, len(snapshot.candles)) :]
    if shown:
        lines.append(f"candles of {shown[0].interval.value}, oldest first: time (UTC) open high low close")
        lines += [_candle_line(candle) for candle in shown]
    return "\n".join(lines)


@lru_cache(maxsize=LINES_KEPT)
def _reading_line(reading: FeatureReading) -> str:
    unit = unit_of(reading.feature.name)
    before, now = _short(reading.previous, _DECIMALS[unit]), _short(reading.value, _DECIMALS[unit])
    return f"{reading.feature.key} | {_UNIT_NAMES[unit]} | {before} | {now}"


@lru_cache(maxsize=LINES_KEPT)
def _candle_line(candle: Candle) -> str:
    prices = (candle.open_e8, candle.high_e8, candle.low_e8, candle.close_e8)
    return " ".join([_time(candle.open_ms), *[format_e8(price_e8) for price_e8 in prices]])


def _number(value: int | None, decimals: int) -> str:
    return UNKNOWN if value is None else format_decimal(value, decimals)


def _short(value: int | None, decimals: int) -> str:
    """At most DIGITS significant digits, cut towards zero."""
    if value is None:
        return UNKNOWN
    cut: int = 10 ** max(0, min(decimals, len(str(abs(value))) - DIGITS))
    return format_decimal((abs(value) // cut) * cut * (1 if value >= 0 else -1), decimals)


def _average(cost_micros: int, position: PositionView | PerpPositionView) -> str:
    return format_e8(cost_micros * NOTIONAL_DIVISOR // position.quantity_nanos)


def _share(account: AccountView, market: Market, mark_e8: int | None) -> str:
    if mark_e8 is None or account.equity_micros is None:
        return UNKNOWN
    return _ratio(share_ppm(holding_of(account, market), mid_e8=mark_e8, equity_micros=account.equity_micros))


def _ratio(ppm: int) -> str:
    return format_decimal(ppm, MICROS_DECIMALS)


def _price(price_e8: int | None) -> str:
    return UNKNOWN if price_e8 is None else f"{format_e8(price_e8)} USDC"


def _money(micros: int | None) -> str:
    return UNKNOWN if micros is None else f"{format_micros(micros)} USDC"


def _time(at_ms: int) -> str:
    return (_EPOCH + timedelta(milliseconds=at_ms)).strftime("%Y-%m-%d %H:%M:%S")
