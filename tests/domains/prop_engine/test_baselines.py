from hypothesis import given, settings
from hypothesis import strategies as st
from tests.domains.prop_engine.markets import CONF_E8, MID_E8, PRACTICE, SOL

from pump_party.domains.prop_engine.baselines import NoSkill, Price, buy_and_hold, no_skill, random_trader, toss_coins
from pump_party.kernel.money import PPM

PARAMS = PRACTICE.spot[SOL]
START = 10_000_000_000
HOUR_MS = 3_600_000


def prices(*changes_ppm: int) -> list[Price]:
    """One price an hour, each moved by so much from the first."""
    return [Price(hour * HOUR_MS, MID_E8 * (PPM + change) // PPM, CONF_E8) for hour, change in enumerate(changes_ppm)]


def test_holding_a_flat_price_costs_the_round_trip_of_the_vectors():
    held = buy_and_hold(prices(0, 0, 0), PARAMS, start_micros=START)
    # 66.4821 SOL for 9,999.999333, as the execution model says; then sold at the last price.
    assert held.marks[0].equity_micros == 9_987_909_565 + 667
    assert (held.fills, held.fees_micros) == (2, 6_995_103 + 6_987_969)
    assert held.return_ppm == -2_418
    assert held.max_drawdown_ppm == 2_418


def test_holding_earns_what_the_price_did_less_the_costs():
    held = buy_and_hold(prices(0, 250_000, 100_000), PARAMS, start_micros=START)
    assert 97_000 < held.return_ppm < 100_000
    assert held.max_drawdown_ppm > 120_000


def test_nothing_is_bought_while_no_price_may_fill():
    uncertain = [Price(0, MID_E8, MID_E8), *prices(0, 0)[1:]]
    held = buy_and_hold(uncertain, PARAMS, start_micros=START)
    assert held.marks[0].equity_micros == START
    assert held.fills == 2
    assert buy_and_hold(uncertain[:1], PARAMS, start_micros=START).return_ppm == 0


@settings(max_examples=40)
@given(st.text(max_size=8), st.lists(st.integers(-200_000, 200_000), min_size=1, max_size=60), st.integers(1, PPM))
def test_the_same_seed_trades_the_same_and_pays_for_every_trade(seed: str, changes: list[int], size_ppm: int):
    series = prices(*changes)
    made = toss_coins(series, PARAMS, start_micros=START, seed=seed, size_ppm=size_ppm).along(series)
    assert made == toss_coins(series, PARAMS, start_micros=START, seed=seed, size_ppm=size_ppm).along(series)
    assert made.fills % 2 == 0
    assert (made.fees_micros > 0) == (made.fills > 0)
    assert all(0 <= mark.exposed_micros <= mark.equity_micros for mark in made.marks)


@given(st.integers(min_value=0, max_value=50))
def test_a_coin_on_a_flat_price_only_loses(seed: int):
    made = random_trader(prices(*[0] * 48), PARAMS, start_micros=START, seed=str(seed))
    assert made.return_ppm <= 0


def test_seeds_differ_and_the_coin_is_tossed_every_six_hours():
    outcomes = {random_trader(prices(*[0] * 240), PARAMS, start_micros=START, seed=str(n)).fills for n in range(20)}
    assert len(outcomes) > 3
    assert max(outcomes) <= 240 // 6 + 2


def test_since_any_time_holding_is_what_a_purchase_at_the_next_price_made():
    series = prices(0, 100_000, 50_000, 200_000)
    since = no_skill(series, PARAMS, start_micros=START)
    for hour in range(4):
        held = buy_and_hold(series[hour:], PARAMS, start_micros=START)
        for started_ms in (hour * HOUR_MS, hour * HOUR_MS - 1):
            assert since.returns_ppm(started_ms)[0] == held.return_ppm


def test_since_any_time_chance_is_what_the_median_of_those_who_begin_then_makes():
    series = prices(*[hour * hour * 50 for hour in range(48)])
    since: NoSkill = no_skill(series, PARAMS, start_micros=START)
    for hour in range(48):
        begun = [random_trader(series[hour:], PARAMS, start_micros=START, seed=str(n)).return_ppm for n in range(20)]
        _, chance_ppm = since.returns_ppm(hour * HOUR_MS) or (None, None)
        # They trade whole lots of a little more or less.
        assert abs(chance_ppm - sorted(begun)[9]) <= 10, hour


def test_of_a_time_after_the_last_price_nothing_is_known():
    assert no_skill(prices(0, 0), PARAMS, start_micros=START).returns_ppm(HOUR_MS + 1) is None
