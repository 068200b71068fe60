import math
from decimal import Decimal
from typing import Any

import empyrical
import hypothesis
import pandas
import pytest
import quantstats
import scipy.stats
from hypothesis import given, settings
from hypothesis import strategies as st

from pump_party.domains.prop_engine.metrics import (
    Ratios,
    TradedFill,
    calmar,
    closed_trades,
    deflated_sharpe,
    max_drawdown_ppm,
    period_returns,
    probabilistic_sharpe,
    profit_factor,
    ratios,
    romad,
    timing_alpha_ppm,
    turnover_ppm,
    win_rate,
)
from pump_party.domains.prop_engine.results import return_ppm
from pump_party.domains.prop_interface.contract import Side
from pump_party.kernel.money import PPM

SOL = 10**9
START = 10_000_000_000

steps = st.lists(st.integers(min_value=-90_000, max_value=90_000), min_size=3, max_size=120)


def curve(steps_ppm: list[int], start: int = START) -> list[int]:
    equity = [start]
    for step in steps_ppm:
        equity.append(equity[-1] * (PPM + step) // PPM)
    return equity


def test_the_vector_gives_exactly_its_figures(spec_vectors: dict[str, Any]):
    vector = spec_vectors["metrics"]
    equity = vector["equity_daily"]
    assert return_ppm(equity[0], equity[-1]) == vector["r_ppm"]
    assert max_drawdown_ppm(equity) == vector["mdd_ppm"]
    got, expected = ratios(period_returns(equity)), vector["ratios_365"]
    assert got.count == expected["n"]
    for name in ("mean", "sharpe", "sharpe_per_period", "sortino"):
        assert str(getattr(got, name)) == expected[name]
    assert str(got.profit_factor) == expected["profit_factor_periods"]
    for case in vector["timing_alpha"]:
        given = {
            "return_ppm": case["r_ppm"],
            "mean_exposure_ppm": case["mean_exposure_ppm"],
            "benchmark_daily_ppm": case["bench_daily_ppm"],
        }
        assert timing_alpha_ppm(**given) == case["out"]


@settings(max_examples=60)
@given(steps)
def test_random_curves_agree_with_quantstats_and_empyrical(steps_ppm: list[int]):
    equity = curve(steps_ppm)
    series = pandas.Series(equity, index=pandas.date_range("2026-01-01", periods=len(equity)), dtype=float)
    returns = series.pct_change().dropna()
    ours = ratios(period_returns(equity))
    if max(steps_ppm) - min(steps_ppm) > 10:
        _same(
            ours.sharpe,
            empyrical.sharpe_ratio(returns, annualization=365),
            quantstats.stats.sharpe(returns, periods=365),
        )
    if min(steps_ppm) < -10:
        _same(ours.sortino, empyrical.sortino_ratio(returns, annualization=365))
        _same(ours.sortino, quantstats.stats.sortino(returns, periods=365))
        _same(ours.profit_factor, quantstats.stats.profit_factor(returns))
    worst = -float(empyrical.max_drawdown(returns))
    assert -1e-4 <= max_drawdown_ppm(equity) - worst * PPM < 1 + 1e-4
    assert -1e-4 <= max_drawdown_ppm(equity) + float(quantstats.stats.max_drawdown(series)) * PPM < 1 + 1e-4
    assert -1e-4 <= float(empyrical.cum_returns_final(returns)) * PPM - return_ppm(equity[0], equity[-1]) < 1 + 1e-4


@settings(max_examples=60)
@given(steps)
def test_the_probability_of_skill_is_the_published_formula_with_population_moments(steps_ppm: list[int]):
    hypothesis.assume(max(steps_ppm) - min(steps_ppm) > 10)
    equity = curve(steps_ppm)
    ours = probabilistic_sharpe(period_returns(equity))
    expected = published_probability(pandas.Series(equity, dtype=float).pct_change().dropna(), benchmark=0.0)
    if ours is None:
        assert math.isnan(expected)
    else:
        assert float(ours) == pytest.approx(expected, abs=6e-7)


def test_the_probability_of_skill_agrees_with_quantstats_where_its_sample_moments_hardly_matter():
    wave = [int(30_000 * math.sin(step * step)) + 2_000 for step in range(2_000)]
    equity = curve(wave, 10**15)
    returns = pandas.Series(equity, dtype=float).pct_change().dropna()
    ours = probabilistic_sharpe(period_returns(equity))
    assert float(ours) == pytest.approx(quantstats.stats.probabilistic_sharpe_ratio(returns), abs=1e-5)


def published_probability(returns: pandas.Series, *, benchmark: float) -> float:
    """Bailey and Lopez de Prado, in floats."""
    sharpe = returns.mean() / returns.std()
    raw_kurtosis = scipy.stats.kurtosis(returns, fisher=False)
    variance = 1 - scipy.stats.skew(returns) * sharpe + (raw_kurtosis - 1) / 4 * sharpe**2
    if variance <= 0:
        return math.nan
    return scipy.stats.norm.cdf((sharpe - benchmark) * math.sqrt(len(returns) - 1) / math.sqrt(variance))


@settings(max_examples=20)
@given(st.lists(st.integers(min_value=-30_000, max_value=31_000), min_size=365, max_size=400))
def test_calmar_of_a_year_agrees_with_empyrical(steps_ppm: list[int]):
    equity = curve([*steps_ppm, -20_000], 10**15)
    returns = pandas.Series(equity, dtype=float).pct_change().dropna()
    days = len(equity) - 1
    ours = calmar(start_micros=equity[0], end_micros=equity[-1], days=days, drawdown_ppm=max_drawdown_ppm(equity))
    assert float(ours) == pytest.approx(empyrical.calmar_ratio(returns, annualization=365), rel=1e-4, abs=1e-5)


def _same(ours: Decimal | None, *theirs: float) -> None:
    assert ours is not None
    for value in theirs:
        assert float(ours) == pytest.approx(float(value), rel=1e-7, abs=6e-7)


@given(st.lists(st.integers(min_value=1, max_value=10**15), min_size=1, max_size=50), st.integers(1, 1_000))
def test_drawdown_is_a_share_and_does_not_depend_on_the_scale(equity: list[int], factor: int):
    worst = max_drawdown_ppm(equity)
    assert 0 <= worst <= PPM
    assert worst == max_drawdown_ppm([mark * factor for mark in equity])
    assert (worst == 0) == (equity == sorted(equity))
    assert worst <= max_drawdown_ppm([*equity, 0])


@given(st.integers(min_value=-(10**6), max_value=10**7), st.lists(st.integers(-200_000, 200_000), max_size=60))
def test_holding_the_benchmark_itself_has_no_timing_alpha(start: int, daily_ppm: list[int]):
    grown = math.prod(PPM + day for day in daily_ppm)
    held_ppm = -((-grown * PPM) // PPM ** len(daily_ppm)) - PPM
    assert timing_alpha_ppm(return_ppm=held_ppm, mean_exposure_ppm=PPM, benchmark_daily_ppm=daily_ppm) == 0
    assert timing_alpha_ppm(return_ppm=start, mean_exposure_ppm=0, benchmark_daily_ppm=daily_ppm) == start


def test_what_is_undefined_is_none_and_never_a_number():
    assert ratios(()) == Ratios(0, None, None, None, None, None)
    assert ratios(period_returns([3, 4])) == Ratios(1, Decimal("0.333333"), None, None, None, None)
    flat = ratios(period_returns([7] * 9))
    assert (flat.sharpe, flat.sortino, flat.profit_factor, flat.mean) == (None, None, None, Decimal(0))
    # Equal thirds have a rounded mean; their deviation is zero all the same.
    assert ratios(period_returns([3**8 * 4**0, 3**7 * 4, 3**6 * 4**2, 3**5 * 4**3, 3**4 * 4**4])).sharpe is None
    assert ratios(period_returns([100, 110, 130])).sortino is None
    assert period_returns([100, 0, 50]) is None
    assert period_returns([100, 0]) == (Decimal(-1),)
    assert probabilistic_sharpe(period_returns([100, 110])) is None
    assert profit_factor([5, 0]) is None
    assert win_rate([]) is None
    assert romad(return_ppm=5, drawdown_ppm=0) is None
    assert turnover_ppm([], []) is None
    assert turnover_ppm([100], [0]) is None


def test_calmar_is_not_shown_for_less_than_a_year_or_without_a_drawdown():
    year = {"start_micros": START, "end_micros": 11_000_000_000, "drawdown_ppm": 50_000}
    assert calmar(**year, days=364) is None
    assert calmar(**year, days=365) == Decimal(2)
    assert calmar(**year, days=730) == Decimal("0.976177")
    assert calmar(start_micros=START, end_micros=START + 1, drawdown_ppm=0, days=400) is None
    assert calmar(start_micros=START, end_micros=0, drawdown_ppm=PPM, days=400) == Decimal(-1)


def test_trades_are_matched_at_average_cost_net_of_all_fees_long_and_short():
    # side quantity gross fee
    trades = closed_trades(
        [
            TradedFill(Side.BUY, 10 * SOL, 1_000_000_000, 700_000),
            TradedFill(Side.BUY, 10 * SOL, 1_200_000_000, 840_000),
            TradedFill(Side.SELL, 5 * SOL, 600_000_000, 420_000),
            # Through zero: 15 sold out of the long, 5 sold short.
            TradedFill(Side.SELL, 20 * SOL, 2_000_000_000, 1_400_000),
            TradedFill(Side.BUY, 5 * SOL, 450_000_000, 315_000),
        ]
    )
    assert trades == [
        600_000_000 - 550_000_000 - 420_000 - 385_000,
        1_500_000_000 - 1_650_000_000 - 1_050_000 - 1_155_000,
        500_000_000 - 450_000_000 - 315_000 - 350_000,
    ]
    assert win_rate(trades) == Decimal("0.666667")
    assert profit_factor(trades) == Decimal("0.647351")


@given(
    st.lists(
        st.tuples(
            st.sampled_from(Side),
            st.integers(1, 10**12),
            st.integers(1, 10**13),
            st.integers(min_value=0, max_value=10**9),
        ),
        max_size=30,
    )
)
def test_once_flat_the_trades_add_up_to_the_cash_less_only_roundings(rows: list[tuple[Side, int, int, int]]):
    fills = [TradedFill(*row) for row in rows]
    held = sum(f.quantity_nanos if f.side is Side.BUY else -f.quantity_nanos for f in fills)
    if held:
        fills.append(TradedFill(Side.SELL if held > 0 else Side.BUY, abs(held), 10**9, 7))
    cash = sum((-1 if f.side is Side.BUY else 1) * f.gross_micros - f.fee_micros for f in fills)
    # Every unit that a partial close rounds away comes back with the close of what is left.
    assert sum(closed_trades(fills)) == cash


def test_a_trade_that_made_nothing_did_not_win():
    assert win_rate([1, 0, -1, 5]) == Decimal("0.5")
    assert profit_factor([31, -18]) == Decimal("1.722222")
    assert romad(return_ppm=51_164, drawdown_ppm=34_001) == Decimal("1.504779")


def test_turnover_is_traded_value_over_mean_equity_rounded_up():
    assert turnover_ppm([START, START], [START]) == 2 * PPM
    assert turnover_ppm([1], [3, 3]) == 333_334


def test_more_attempts_deflate_a_sharpe_ratio():
    returns = period_returns(curve([12_000, -8_000, 21_000, 0, -34_000, 17_000, 6_000, -11_000, 26_000, -4_000]))
    trials = [Decimal(text) for text in ("0.211197", "-0.05", "0.02", "0.1")]
    once = deflated_sharpe(returns, attempts=1, trial_sharpes=trials)
    assert once == probabilistic_sharpe(returns)
    deflated = [deflated_sharpe(returns, attempts=n, trial_sharpes=trials) for n in (2, 3, 10, 1_000)]
    assert [once, *deflated] == sorted([once, *deflated], reverse=True)
    assert deflated_sharpe(returns, attempts=3, trial_sharpes=trials[:1]) is None
    assert deflated_sharpe(returns, attempts=3, trial_sharpes=[trials[0]] * 3) == once


def test_the_deflated_sharpe_ratio_is_the_published_formula():
    equity = curve([12_000, -8_000, 21_000, 0, -34_000, 17_000, 6_000, -11_000, 26_000, -4_000] * 3)
    trials = [0.211197, -0.05, 0.02, 0.1]
    gamma, n, inverse = 0.5772156649, 7, scipy.stats.norm.ppf
    luck = pandas.Series(trials).std() * ((1 - gamma) * inverse(1 - 1 / n) + gamma * inverse(1 - 1 / (n * math.e)))
    expected = published_probability(pandas.Series(equity, dtype=float).pct_change().dropna(), benchmark=luck)
    ours = deflated_sharpe(period_returns(equity), attempts=n, trial_sharpes=[Decimal(str(t)) for t in trials])
    assert float(ours) == pytest.approx(expected, abs=1e-6)
