import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pump_party.domains.prop_engine.risk import Breach, Drawdown, RiskRules, check_mark, check_order
from pump_party.domains.prop_interface.contract import RejectCode
from pump_party.kernel.ids import Market

SOL, DOGE = Market("SOL-PERP"), Market("DOGE-PERP")
START = 10_000_000_000
AUDITION = RiskRules(daily_loss_ppm=40_000, total_loss_ppm=80_000)
TIGHT = RiskRules(max_leverage=5, max_position_micros=1_000_000, orders_per_minute=3, allowed_markets=frozenset({SOL}))


@pytest.mark.parametrize(
    ("market", "leverage", "opens", "position", "orders", "code"),
    [
        (SOL, 5, True, 1_000_000, 2, None),
        (DOGE, 99, True, 9_000_000, 9, RejectCode.BAD_REQUEST),
        (SOL, 99, True, 9_000_000, 3, RejectCode.RATE_LIMITED),
        (SOL, 6, True, 9_000_000, 2, RejectCode.MAX_LEVERAGE),
        (SOL, 5, True, 1_000_001, 2, RejectCode.MAX_NOTIONAL),
        (SOL, 99, False, 8_999_999, 2, None),
        (SOL, 99, False, 8_999_999, 3, RejectCode.RATE_LIMITED),
    ],
)
def test_an_order_is_refused_in_the_order_of_checks_and_a_way_out_stays_open(
    market, leverage, opens, position, orders, code
):
    got = check_order(
        TIGHT,
        market=market,
        leverage=leverage,
        opens=opens,
        worst_position_micros=position,
        orders_last_minute=orders,
    )
    assert got is code


def test_rules_that_say_nothing_allow_everything():
    assert (
        check_order(
            RiskRules(),
            market=DOGE,
            leverage=10**6,
            opens=True,
            worst_position_micros=10**18,
            orders_last_minute=10**6,
        )
        is None
    )
    assert mark(RiskRules(), equity=-(10**12)) is None


@pytest.mark.parametrize(
    ("equity", "day_start", "breach"),
    [
        (9_600_000_000, START, None),
        (9_599_999_999, START, Breach.DAILY_LOSS),
        (9_200_000_000, 9_400_000_000, None),
        (9_199_999_999, 9_400_000_000, Breach.TOTAL_LOSS),
        (10_100_000_000, 10_500_000_000, None),
        (10_099_000_000, 10_500_000_000, Breach.DAILY_LOSS),
        (9_000_000_000, START, Breach.DAILY_LOSS),
    ],
)
def test_a_loss_limit_is_inclusive_and_one_unit_more_breaks_it(equity, day_start, breach):
    assert mark(AUDITION, equity=equity, day_start=day_start) is breach


@pytest.mark.parametrize(
    ("drawdown", "peak", "equity", "breach"),
    [
        (Drawdown.TRAILING, 12_000_000_000, 11_200_000_000, None),
        (Drawdown.TRAILING, 12_000_000_000, 11_199_999_999, Breach.TOTAL_LOSS),
        (Drawdown.STATIC, 12_000_000_000, 9_200_000_000, None),
        (Drawdown.TRAILING, 9_000_000_000, 9_200_000_000, None),
        (Drawdown.TRAILING, 9_000_000_000, 9_199_999_999, Breach.TOTAL_LOSS),
    ],
)
def test_a_trailing_limit_counts_from_the_highest_mark_and_never_moves_down(drawdown, peak, equity, breach):
    rules = RiskRules(total_loss_ppm=80_000, drawdown=drawdown)
    assert mark(rules, equity=equity, peak=peak) is breach


@given(st.integers(1, 10**15), st.integers(0, 10**6), st.integers(-(10**15), 10**15), st.integers(0, 10**15))
def test_less_equity_never_heals_a_breach(start, ppm, equity, less):
    rules = msgspec.structs.replace(AUDITION, daily_loss_ppm=ppm)
    limits = {"start_micros": start, "day_start_micros": start, "peak_micros": start}
    if check_mark(rules, equity_micros=equity, **limits) is not None:
        assert check_mark(rules, equity_micros=equity - less, **limits) is not None


def mark(rules: RiskRules, *, equity: int, day_start: int = START, peak: int = START) -> Breach | None:
    return check_mark(rules, start_micros=START, day_start_micros=day_start, peak_micros=peak, equity_micros=equity)
