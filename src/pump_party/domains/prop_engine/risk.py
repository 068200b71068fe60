"""The rules an account is held to from outside, whoever trades it: what it may order, what it may lose.

Pure and integer only. Limits are inclusive: what equals a limit is allowed, one unit more is not. None is no limit.
"""

from enum import StrEnum
from typing import Annotated

import msgspec

from pump_party.domains.prop_interface.contract import Drawdown, RejectCode
from pump_party.kernel.ids import Market
from pump_party.kernel.money import PPM

ORDERS_PER_MINUTE_MAX = 120
"""The most a rule set may allow: an account carries the times of its orders of the last minute."""


class RiskRules(msgspec.Struct, frozen=True):
    """Pinned for an account's whole life. Losses are shares of the start capital (METRICS, section 4)."""

    max_leverage: int | None = None
    max_position_micros: int | None = None
    orders_per_minute: Annotated[int, msgspec.Meta(ge=1, le=ORDERS_PER_MINUTE_MAX)] | None = None
    daily_loss_ppm: int | None = None
    total_loss_ppm: int | None = None
    drawdown: Drawdown = Drawdown.STATIC
    allowed_markets: frozenset[Market] | None = None

    def limits_losses(self) -> bool:
        return self.daily_loss_ppm is not None or self.total_loss_ppm is not None


NO_LIMITS = RiskRules()
"""What a rule set without any has: `is` tells it."""


class Breach(StrEnum):
    """A loss limit an equity mark has broken. The account ends with it."""

    DAILY_LOSS = "DAILY_LOSS"
    TOTAL_LOSS = "TOTAL_LOSS"


def check_order(
    rules: RiskRules,
    *,
    market: Market,
    leverage: int,
    opens: bool,
    worst_position_micros: int,
    orders_last_minute: int,
) -> RejectCode | None:
    """Refuse an order the rules do not allow: BAD_REQUEST for its market, RATE_LIMITED, MAX_LEVERAGE, MAX_NOTIONAL.

    `worst_position_micros` is the largest notional that the market's position could have on the order's side;
    `leverage` is 1 for spot; `orders_last_minute` counts the earlier ones. `opens`: the order may open a position,
    also when the one it would reduce is gone before it fills. One that cannot is not refused for size or leverage.
    """
    if rules.allowed_markets is not None and market not in rules.allowed_markets:
        return RejectCode.BAD_REQUEST
    if rules.orders_per_minute is not None and orders_last_minute >= rules.orders_per_minute:
        return RejectCode.RATE_LIMITED
    if opens and rules.max_leverage is not None and leverage > rules.max_leverage:
        return RejectCode.MAX_LEVERAGE
    if opens and rules.max_position_micros is not None and worst_position_micros > rules.max_position_micros:
        return RejectCode.MAX_NOTIONAL
    return None


def check_mark(
    rules: RiskRules, *, start_micros: int, day_start_micros: int, peak_micros: int, equity_micros: int
) -> Breach | None:
    """The limit an equity mark breaks, the day's before the total.

    `day_start_micros` is the equity at 00:00 UTC (at the start on the first day), open positions included;
    `peak_micros` is the highest mark so far.
    """
    if _lost_more(day_start_micros - equity_micros, rules.daily_loss_ppm, start_micros):
        return Breach.DAILY_LOSS
    from_micros = max(start_micros, peak_micros) if rules.drawdown is Drawdown.TRAILING else start_micros
    if _lost_more(from_micros - equity_micros, rules.total_loss_ppm, start_micros):
        return Breach.TOTAL_LOSS
    return None


def _lost_more(loss_micros: int, limit_ppm: int | None, start_micros: int) -> bool:
    return limit_ppm is not None and loss_micros * PPM > limit_ppm * start_micros
