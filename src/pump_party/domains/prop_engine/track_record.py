"""Put an account's results together from its standing, its fills, its daily equity and the market's prices. Pure.

Every formula is in `metrics.py`, `curve.py`, `baselines.py` and `results.py`; here is what they are asked.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from decimal import Decimal
from itertools import pairwise

import msgspec

from pump_party.domains.prop_engine import metrics
from pump_party.domains.prop_engine.baselines import TOSSERS, Baseline, Price, buy_and_hold, toss_coins
from pump_party.domains.prop_engine.curve import DAY_MS, EquityMark, daily_equity
from pump_party.domains.prop_engine.metrics import TradedFill
from pump_party.domains.prop_engine.model import Account, Fill, SpotParams, Standing
from pump_party.domains.prop_engine.results import exposure_until, return_ppm
from pump_party.domains.prop_engine.views import fill_view
from pump_party.domains.prop_interface.contract import BaselinesView, BaselineView, ResultsView, Side
from pump_party.domains.prop_interface.contract import EquityMark as MarkView
from pump_party.kernel.ids import Market
from pump_party.kernel.money import PPM, ceil_div


class Benchmark(msgspec.Struct, frozen=True):
    """The market a result is compared with, its prices over the cycle, oldest first, and how its orders fill."""

    market: Market
    prices: Sequence[Price]
    params: SpotParams


class Track(msgspec.Struct, frozen=True):
    """What is known of a cycle. `daily` are the newest marks at every midnight; `fills` None when they are too many."""

    account: Account
    standing: Standing | None
    started_ms: int
    daily: Sequence[EquityMark]
    curve: Sequence[EquityMark]
    fills: Sequence[Fill] | None
    benchmark: Benchmark | None
    attempts: int = 1
    earlier_sharpes: Sequence[Decimal] = ()
    """Daily Sharpe ratios of the owner's other attempts, of those that have one."""


def results_view(track: Track, *, now_ms: int) -> ResultsView:
    """The results as of now. Without a mark yet nothing is known but what was paid."""
    account, standing = track.account, track.standing
    blank = ResultsView(
        account_id=account.account_id,
        cycle=account.cycle,
        started_ms=track.started_ms,
        as_of_ms=None,
        start_micros=account.start_micros,
        equity_micros=None,
        standing_micros=None,
        return_ppm=None,
        standing_return_ppm=None,
        max_drawdown_ppm=None,
        sharpe=None,
        sortino=None,
        calmar=None,
        romad=None,
        profit_factor=None,
        win_rate=None,
        turnover_ppm=None,
        exposure_ppm=None,
        timing_alpha_ppm=None,
        better_than_chance=None,
        deflated_sharpe=None,
        attempts=track.attempts,
        sentence=None,
        marks=0,
        fills=account.fills,
        closed_trades=None,
        days=0,
        realised_pnl_micros=account.realised_pnl_micros,
        fees_micros=account.fees_micros,
        funding_micros=account.funding_micros,
        baselines=None,
        curve=(),
    )
    return blank if standing is None else _measured(blank, standing, track, now_ms=now_ms)


def _measured(blank: ResultsView, standing: Standing, track: Track, *, now_ms: int) -> ResultsView:
    start_micros, equity_micros = standing.start_micros, standing.equity_micros
    first, last = EquityMark(track.started_ms, start_micros), EquityMark(now_ms, equity_micros)
    series = daily_equity([first, *track.daily, last])
    returns = metrics.period_returns(series) or ()
    ratios = metrics.ratios(returns)
    chance = metrics.probabilistic_sharpe(returns)
    net_ppm = return_ppm(start_micros, equity_micros)
    closed_ppm = return_ppm(start_micros, standing.standing_micros)
    exposure, signed, weighed_ms = exposure_until(standing, now_ms)
    trades = None if track.fills is None else round_trips(track.fills)
    return msgspec.structs.replace(
        blank,
        as_of_ms=standing.as_of_ms,
        equity_micros=equity_micros,
        standing_micros=standing.standing_micros,
        return_ppm=net_ppm,
        standing_return_ppm=closed_ppm,
        max_drawdown_ppm=standing.max_drawdown_ppm,
        sharpe=ratios.sharpe,
        sortino=ratios.sortino,
        calmar=metrics.calmar(
            start_micros=start_micros,
            end_micros=equity_micros,
            days=(now_ms - track.started_ms) // DAY_MS,
            drawdown_ppm=standing.max_drawdown_ppm,
        ),
        romad=metrics.romad(return_ppm=net_ppm, drawdown_ppm=standing.max_drawdown_ppm),
        profit_factor=None if trades is None else metrics.profit_factor(trades),
        win_rate=None if trades is None else metrics.win_rate(trades),
        turnover_ppm=None
        if track.fills is None
        else metrics.turnover_ppm([f.gross_micros for f in track.fills], series),
        exposure_ppm=exposure // weighed_ms if weighed_ms else None,
        timing_alpha_ppm=_timing_alpha_ppm(track, net_ppm, signed // weighed_ms if weighed_ms else None),
        better_than_chance=chance,
        deflated_sharpe=_deflated_sharpe(track, returns),
        sentence=chance_sentence(len(returns), chance),
        marks=standing.marks,
        closed_trades=None if trades is None else len(trades),
        days=len(returns),
        baselines=_baselines(track, closed_ppm),
        curve=tuple(MarkView(mark.at_ms, standing.cycle, mark.equity_micros) for mark in track.curve),
    )


def _deflated_sharpe(track: Track, returns: Sequence[Decimal]) -> Decimal | None:
    own = metrics.ratios(returns).sharpe_per_period
    sharpes = track.earlier_sharpes if own is None else [*track.earlier_sharpes, own]
    return metrics.deflated_sharpe(returns, attempts=track.attempts, trial_sharpes=sharpes)


def daily_sharpe(start_micros: int, daily: Sequence[EquityMark]) -> Decimal | None:
    """The Sharpe ratio of a cycle that is over, by its midnights."""
    returns = metrics.period_returns([start_micros, *(mark.equity_micros for mark in daily)]) or ()
    return metrics.ratios(returns).sharpe_per_period


def chance_sentence(days: int, probability: Decimal | None) -> str | None:
    """The probability as people read it; None where it is undefined."""
    if probability is None:
        return None
    percent = (probability * 100).quantize(Decimal("0.1"))
    return f"after {days} days this result is {percent} % likely to be better than chance"


def round_trips(fills: Iterable[Fill]) -> list[int]:
    """PnL of every fill that made a position smaller, net of fees; a loss that insurance bore is not the account's."""
    by_market: Mapping[Market, list[TradedFill]] = defaultdict(list)
    for fill in fills:
        perp = None if fill.detail is None else fill_view(fill).perp
        covered_micros = 0 if perp is None else perp.shortfall_micros
        gross_micros = fill.gross_micros + (covered_micros if fill.side is Side.SELL else -covered_micros)
        by_market[fill.market].append(TradedFill(fill.side, fill.quantity_nanos, gross_micros, fill.fee_micros))
    return [pnl for traded in by_market.values() for pnl in metrics.closed_trades(traded)]


def _timing_alpha_ppm(track: Track, net_ppm: int, mean_exposure_ppm: int | None) -> int | None:
    if mean_exposure_ppm is None or track.benchmark is None:
        return None
    return metrics.timing_alpha_ppm(
        return_ppm=net_ppm,
        mean_exposure_ppm=mean_exposure_ppm,
        benchmark_daily_ppm=daily_changes_ppm(track.benchmark.prices),
    )


def daily_changes_ppm(prices: Sequence[Price]) -> list[int]:
    """The market's return of every UTC day, the first from where prices begin, rounded up."""
    mids = daily_equity([EquityMark(price.at_ms, price.mid_e8) for price in prices])
    return [ceil_div((after - before) * PPM, before) for before, after in pairwise(mids)]


def _baselines(track: Track, closed_ppm: int) -> BaselinesView | None:
    """Baselines end with a sale, so they are compared with what closing everything would have left."""
    benchmark, account = track.benchmark, track.account
    if benchmark is None:
        return None
    prices, params = benchmark.prices, benchmark.params
    held = buy_and_hold(prices, params, start_micros=account.start_micros)
    tossed = sorted(
        (
            toss_coins(
                prices,
                params,
                start_micros=account.start_micros,
                seed=f"{account.account_id}|{account.cycle}|{number}",
            )
            for number in range(TOSSERS)
        ),
        key=lambda one: one.return_ppm,
    )
    return BaselinesView(
        market=benchmark.market,
        from_ms=prices[0].at_ms,
        to_ms=prices[-1].at_ms,
        buy_and_hold=_baseline_view(held),
        # Only of the median is more than the end of interest.
        random=_baseline_view(tossed[(TOSSERS - 1) // 2].along(prices)),
        seeds=TOSSERS,
        beaten=sum(one.return_ppm < closed_ppm for one in tossed),
        # The last mark may be of after the sale, which the account's curve has none of.
        held=held_curve(held.marks[: len(prices)], track.curve, account),
    )


def held_curve(held: Sequence[EquityMark], curve: Sequence[EquityMark], account: Account) -> tuple[MarkView, ...]:
    """What holding was worth at the times of a curve, by the newest of its marks until then."""
    points, worth_micros, place = [], account.start_micros, 0
    for mark in curve:
        while place < len(held) and held[place].at_ms <= mark.at_ms:
            worth_micros = held[place].equity_micros
            place += 1
        points.append(MarkView(mark.at_ms, account.cycle, worth_micros))
    return tuple(points)


def _baseline_view(baseline: Baseline) -> BaselineView:
    return BaselineView(baseline.return_ppm, baseline.max_drawdown_ppm, baseline.fills, baseline.fees_micros)
