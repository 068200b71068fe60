import msgspec
from tests.domains.prop_engine.markets import practice_account

from pump_party.domains.prop_engine.results import drawdown_ppm, next_standing, return_ppm


def test_returns_round_down_and_drawdowns_round_up() -> None:
    assert return_ppm(3_000_000, 3_000_001) == 0
    assert return_ppm(3_000_000, 2_999_999) == -1
    assert drawdown_ppm(3_000_000, 2_999_999) == 1
    assert drawdown_ppm(3_000_000, 3_000_000) == 0


def test_a_curve_keeps_its_peak_and_worst_drawdown_until_a_new_cycle_starts() -> None:
    account = practice_account(cash_micros=1_000_000)
    standing = None
    # at      equity     | peak       worst drawdown
    for row in """
        10000  900000     | 1000000    100000
        20000  1200000    | 1200000    100000
        30000  960000     | 1200000    200000
        40000  1100000    | 1200000    200000
    """.strip().splitlines():
        at_ms, equity, _, peak, worst = row.split()
        standing = next_standing(account, standing, int(equity), at_ms=int(at_ms), started_ms=1)
        assert (standing.peak_micros, standing.max_drawdown_ppm) == (int(peak), int(worst)), row
    assert standing is not None
    assert standing.marks == 4
    fresh = next_standing(msgspec.structs.replace(account, cycle=2), standing, 1_000_000, at_ms=50_000, started_ms=1)
    assert (fresh.peak_micros, fresh.max_drawdown_ppm, fresh.marks) == (1_000_000, 0, 1)


def test_the_day_begins_with_the_mark_of_midnight_or_else_with_the_last_one_before() -> None:
    account = practice_account(cash_micros=1_000_000)
    standing = None
    # at          fills  equity     | day's equity  standing  drawdown  fills
    for row in """
        86390000    1    900000     | 1000000       1000000   0         0
        86400000    2    1200000    | 1200000       1200000   100000    2
        86410000    3    600000     | 1200000       1200000   100000    2
        172810000   4    700000     | 600000        600000    500000    3
    """.strip().splitlines():
        at_ms, fills, equity, _, *day = row.split()
        account = msgspec.structs.replace(account, fills=int(fills))
        standing = next_standing(account, standing, int(equity), at_ms=int(at_ms), started_ms=1)
        told = (standing.day_start_micros, standing.day_standing_micros, standing.day_max_drawdown_ppm)
        assert [*told, standing.day_fills] == [int(figure) for figure in day], row
    assert standing is not None
    fresh = next_standing(msgspec.structs.replace(account, cycle=2), standing, 900_000, at_ms=172_820_000, started_ms=1)
    assert (fresh.day_standing_micros, fresh.day_fills) == (1_000_000, 0)
