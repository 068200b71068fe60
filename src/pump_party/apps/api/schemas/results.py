"""Results of an account on the wire: amounts and ratios as decimal strings, null where undefined."""

import msgspec

from pump_party.apps.amounts import micros_or_null, ratio_or_null
from pump_party.apps.api.schemas.prop import EquityItem, render_equity_item
from pump_party.domains.prop_interface.contract import BaselinesView, BaselineView, ResultsView
from pump_party.kernel.money import format_micros


class BaselineItem(msgspec.Struct, frozen=True):
    return_ppm: int
    max_drawdown_ppm: int
    fills: int
    fees: str


class Baselines(msgspec.Struct, frozen=True):
    """What no skill would have made of the same prices: holding `market`, and the median of `seeds` coin tossers, of
    which the account did better than `beaten`. Prices are stored from `from_ms` to `to_ms`.
    """

    market: str
    from_ms: int
    to_ms: int
    buy_and_hold: BaselineItem
    random: BaselineItem
    seeds: int
    beaten: int


class Results(msgspec.Struct, frozen=True):
    """What the account's cycle came to. `standing_equity` is what closing everything now would leave, fees included.

    Ratios have at most six decimals and are for display; `days`, `marks`, `fills` and `closed_trades` are the sample
    they come from. `better_than_chance` is the probability that the true Sharpe ratio is above zero, `deflated_sharpe`
    that it is above the best that chance gives in `attempts`: every cycle of every account of this kind that you have
    had. With one attempt the two are the same.
    """

    account_id: str
    cycle: int
    started_ms: int
    as_of_ms: int | None
    start: str
    equity: str | None
    standing_equity: str | None
    return_ppm: int | None
    standing_return_ppm: int | None
    max_drawdown_ppm: int | None
    sharpe: str | None
    sortino: str | None
    calmar: str | None
    romad: str | None
    profit_factor: str | None
    win_rate: str | None
    turnover_ppm: int | None
    exposure_ppm: int | None
    timing_alpha_ppm: int | None
    better_than_chance: str | None
    deflated_sharpe: str | None
    attempts: int
    sentence: str | None
    days: int
    marks: int
    fills: int
    closed_trades: int | None
    realised_pnl: str
    fees: str
    funding: str
    baselines: Baselines | None
    curve: list[EquityItem]


def render_results(view: ResultsView) -> Results:
    return Results(
        account_id=view.account_id,
        cycle=view.cycle,
        started_ms=view.started_ms,
        as_of_ms=view.as_of_ms,
        start=format_micros(view.start_micros),
        equity=micros_or_null(view.equity_micros),
        standing_equity=micros_or_null(view.standing_micros),
        return_ppm=view.return_ppm,
        standing_return_ppm=view.standing_return_ppm,
        max_drawdown_ppm=view.max_drawdown_ppm,
        sharpe=ratio_or_null(view.sharpe),
        sortino=ratio_or_null(view.sortino),
        calmar=ratio_or_null(view.calmar),
        romad=ratio_or_null(view.romad),
        profit_factor=ratio_or_null(view.profit_factor),
        win_rate=ratio_or_null(view.win_rate),
        turnover_ppm=view.turnover_ppm,
        exposure_ppm=view.exposure_ppm,
        timing_alpha_ppm=view.timing_alpha_ppm,
        better_than_chance=ratio_or_null(view.better_than_chance),
        deflated_sharpe=ratio_or_null(view.deflated_sharpe),
        attempts=view.attempts,
        sentence=view.sentence,
        days=view.days,
        marks=view.marks,
        fills=view.fills,
        closed_trades=view.closed_trades,
        realised_pnl=format_micros(view.realised_pnl_micros),
        fees=format_micros(view.fees_micros),
        funding=format_micros(view.funding_micros),
        baselines=None if view.baselines is None else render_baselines(view.baselines),
        curve=[render_equity_item(mark) for mark in view.curve],
    )


def render_baselines(view: BaselinesView) -> Baselines:
    return Baselines(
        market=view.market,
        from_ms=view.from_ms,
        to_ms=view.to_ms,
        buy_and_hold=_baseline(view.buy_and_hold),
        random=_baseline(view.random),
        seeds=view.seeds,
        beaten=view.beaten,
    )


def _baseline(view: BaselineView) -> BaselineItem:
    return BaselineItem(view.return_ppm, view.max_drawdown_ppm, view.fills, format_micros(view.fees_micros))
