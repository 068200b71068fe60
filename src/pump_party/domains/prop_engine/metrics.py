"""What equity, fills and a benchmark say of an account (METRICS, section 2). Return and drawdown are in `results.py`.

What ranks is an integer, rounded against the trader. Ratios are for display: decimal with 50 digits, rounded half-even
to 6 places, and None where they are undefined, never 0 or infinity.
"""

from collections.abc import Iterable, Sequence
from decimal import ROUND_HALF_EVEN, Context, Decimal, localcontext
from itertools import pairwise

import msgspec

from pump_party.domains.prop_engine import normal
from pump_party.domains.prop_engine.results import drawdown_ppm
from pump_party.domains.prop_interface.contract import Side
from pump_party.kernel.money import PPM, ceil_div

DAYS_PER_YEAR = 365
CALMAR_DAYS_MIN = 365

PLACES = Decimal("0.000001")
_CONTEXT = Context(prec=50, rounding=ROUND_HALF_EVEN)
_EULER_MASCHERONI = Decimal("0.57721566490153286060651209008240243104215933593992")
_E = Decimal("2.71828182845904523536028747135266249775724709369996")


class Ratios(msgspec.Struct, frozen=True):
    """What `count` returns of one period each say. `sharpe` and `sortino` are of a year of periods, risk-free 0."""

    count: int
    mean: Decimal | None
    sharpe: Decimal | None
    sharpe_per_period: Decimal | None
    sortino: Decimal | None
    profit_factor: Decimal | None


class TradedFill(msgspec.Struct, frozen=True):
    """One fill of one market, oldest first in a sequence."""

    side: Side
    quantity_nanos: int
    gross_micros: int
    fee_micros: int


def max_drawdown_ppm(equity_micros: Iterable[int]) -> int:
    """The deepest fall below the peak so far, over all marks, the start among them. Rounded up."""
    peak_micros = lowest_micros = worst_ppm = 0
    for equity in equity_micros:
        if equity > peak_micros:
            peak_micros = lowest_micros = equity
        elif equity < lowest_micros:
            # Only a new low since the peak can be the deepest.
            lowest_micros = equity
            worst_ppm = max(worst_ppm, drawdown_ppm(peak_micros, equity))
    return worst_ppm


def turnover_ppm(gross_micros: Iterable[int], equity_micros: Sequence[int]) -> int | None:
    """All that was traded over the mean equity, rounded up: less is better in a tie."""
    total_equity = sum(equity_micros)
    return ceil_div(sum(gross_micros) * len(equity_micros) * PPM, total_equity) if total_equity > 0 else None


def timing_alpha_ppm(*, return_ppm: int, mean_exposure_ppm: int, benchmark_daily_ppm: Iterable[int]) -> int:
    """The return beyond holding the same average exposure, signed, all the time. The benchmark rounds up."""
    grown, scale = 1, PPM * PPM
    days = 0
    for daily_ppm in benchmark_daily_ppm:
        grown *= scale + mean_exposure_ppm * daily_ppm
        days += 1
    held_ppm = ceil_div(grown * PPM, scale**days) - PPM
    return return_ppm - held_ppm


def closed_trades(fills: Iterable[TradedFill]) -> list[int]:
    """PnL of every fill that made a position smaller, net of its fee and of its share of the entry's fees.

    Average-cost matching, long and short; a fill through zero closes one position and opens the next.
    """
    quantity = cost = fees = 0
    trades = []
    for fill in fills:
        direction = 1 if fill.side is Side.BUY else -1
        held = abs(quantity)
        closing = min(fill.quantity_nanos, held) if quantity * direction < 0 else 0
        gross_closing, fee_closing = 0, ceil_div(fill.fee_micros * closing, fill.quantity_nanos)
        if closing:
            share = _share_down if quantity > 0 else _share_up
            gross_closing = share(fill.gross_micros, closing, fill.quantity_nanos)
            cost_removed = (_share_up if quantity > 0 else _share_down)(cost, closing, held)
            fees_removed = ceil_div(fees * closing, held)
            gain = gross_closing - cost_removed if quantity > 0 else cost_removed - gross_closing
            trades.append(gain - fee_closing - fees_removed)
            cost, fees = cost - cost_removed, fees - fees_removed
        if closing < fill.quantity_nanos:
            cost, fees = cost + fill.gross_micros - gross_closing, fees + fill.fee_micros - fee_closing
        quantity += direction * fill.quantity_nanos
    return trades


def profit_factor(trades: Iterable[int]) -> Decimal | None:
    """What winning trades made over what losing ones lost; None without a loss."""
    gains = losses = 0
    for pnl in trades:
        gains, losses = gains + max(pnl, 0), losses - min(pnl, 0)
    return _shown(_divided(gains, losses)) if losses else None


def win_rate(trades: Sequence[int]) -> Decimal | None:
    """Winning trades among closed ones; a trade that made nothing did not win. Never rank on it."""
    return _shown(_divided(sum(pnl > 0 for pnl in trades), len(trades))) if trades else None


def romad(*, return_ppm: int, drawdown_ppm: int) -> Decimal | None:
    """Return over maximum drawdown, not annualised."""
    return _shown(_divided(return_ppm, drawdown_ppm)) if drawdown_ppm else None


def calmar(*, start_micros: int, end_micros: int, days: int, drawdown_ppm: int) -> Decimal | None:
    """Yearly growth over maximum drawdown. Only for a year or more: a good fortnight is no rate of growth."""
    if days < CALMAR_DAYS_MIN or not drawdown_ppm or end_micros < 0:
        return None
    with localcontext(_CONTEXT):
        growth = _divided(end_micros, start_micros) ** _divided(DAYS_PER_YEAR, days) - 1
        return _shown(_CONTEXT.divide(growth * PPM, Decimal(drawdown_ppm)))


def period_returns(equity_micros: Sequence[int]) -> tuple[Decimal, ...] | None:
    """Return from each mark to the next; None when equity reached zero, from where no return is defined."""
    if any(equity <= 0 for equity in equity_micros[:-1]):
        return None
    with localcontext(_CONTEXT):
        return tuple(_divided(after - before, before) for before, after in pairwise(equity_micros))


def ratios(returns: Sequence[Decimal], *, periods_per_year: int = DAYS_PER_YEAR) -> Ratios:
    """The ratios of returns of one period each: 365 days or 8,760 hours make a year."""
    count = len(returns)
    if count == 0:
        return Ratios(0, None, None, None, None, None)
    with localcontext(_CONTEXT):
        mean = _CONTEXT.divide(sum(returns, Decimal(0)), Decimal(count))
        per_period = _sharpe(returns)
        year = Decimal(periods_per_year).sqrt()
        downside = _CONTEXT.divide(sum((min(r, Decimal(0)) ** 2 for r in returns), Decimal(0)), Decimal(count)).sqrt()
        sortino = _CONTEXT.divide(mean, downside) * year if downside and count > 1 else None
        losses = -sum((r for r in returns if r < 0), Decimal(0))
        gains = sum((r for r in returns if r > 0), Decimal(0))
        return Ratios(
            count=count,
            mean=_shown(mean),
            sharpe=None if per_period is None else _shown(per_period * year),
            sharpe_per_period=None if per_period is None else _shown(per_period),
            sortino=None if sortino is None else _shown(sortino),
            profit_factor=_shown(_CONTEXT.divide(gains, losses)) if losses else None,
        )


def probabilistic_sharpe(returns: Sequence[Decimal], *, benchmark: Decimal = Decimal(0)) -> Decimal | None:
    """The probability that the true Sharpe ratio of a period exceeds `benchmark`, given skew and fat tails.

    None for fewer than two returns, for returns that are all equal, and where the formula has no real value.
    """
    with localcontext(_CONTEXT):
        sharpe = _sharpe(returns)
        if sharpe is None:
            return None
        count = Decimal(len(returns))
        mean = _CONTEXT.divide(sum(returns, Decimal(0)), count)
        second, third, fourth = (
            _CONTEXT.divide(sum(((r - mean) ** power for r in returns), Decimal(0)), count) for power in (2, 3, 4)
        )
        skew = _CONTEXT.divide(third, second * second.sqrt())
        kurtosis = _CONTEXT.divide(fourth, second * second)
        variance = 1 - skew * sharpe + (kurtosis - 1) * sharpe * sharpe * Decimal("0.25")
        if variance <= 0:
            return None
        return _shown(normal.cumulative(_CONTEXT.divide((sharpe - benchmark) * (count - 1).sqrt(), variance.sqrt())))


def deflated_sharpe(returns: Sequence[Decimal], *, attempts: int, trial_sharpes: Sequence[Decimal]) -> Decimal | None:
    """The probability that the Sharpe ratio is better than the best that chance gives in so many attempts.

    `attempts` counts every attempt and strategy version of the owner, `trial_sharpes` are their Sharpe ratios of a
    period where they had one. One attempt is not deflated; several with fewer than two ratios give None.
    """
    assert attempts >= 1
    if attempts == 1:
        return probabilistic_sharpe(returns)
    if len(trial_sharpes) < 2:
        return None
    with localcontext(_CONTEXT):
        deviation = _deviation(trial_sharpes)
        if deviation is None:
            return probabilistic_sharpe(returns)
        once = normal.quantile(1 - _divided(1, attempts))
        rarer = normal.quantile(1 - _CONTEXT.divide(Decimal(1), attempts * _E))
        luck = deviation * ((1 - _EULER_MASCHERONI) * once + _EULER_MASCHERONI * rarer)
    return probabilistic_sharpe(returns, benchmark=luck)


def _sharpe(returns: Sequence[Decimal]) -> Decimal | None:
    """Mean over sample deviation, of one period."""
    deviation = _deviation(returns)
    if deviation is None:
        return None
    return _CONTEXT.divide(_CONTEXT.divide(sum(returns, Decimal(0)), Decimal(len(returns))), deviation)


def _deviation(values: Sequence[Decimal]) -> Decimal | None:
    """The sample deviation (n - 1); None where it is undefined or zero."""
    # Equal values are compared, not subtracted: a rounded mean would leave a deviation of 1e-50.
    if len(values) < 2 or min(values) == max(values):
        return None
    mean = _CONTEXT.divide(sum(values, Decimal(0)), Decimal(len(values)))
    squares = sum(((value - mean) ** 2 for value in values), Decimal(0))
    return _CONTEXT.divide(squares, Decimal(len(values) - 1)).sqrt()


def _divided(numerator: int, denominator: int) -> Decimal:
    return _CONTEXT.divide(Decimal(numerator), Decimal(denominator))


def _shown(value: Decimal) -> Decimal:
    # A tiny negative number rounds to minus zero, which nobody wants to read.
    return _CONTEXT.plus(value.quantize(PLACES, context=_CONTEXT))


def _share_down(total: int, part: int, whole: int) -> int:
    return total * part // whole


def _share_up(total: int, part: int, whole: int) -> int:
    return ceil_div(total * part, whole)
