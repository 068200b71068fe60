import msgspec
from tests.domains.prop_engine.markets import practice_account

from pump_party.domains.prop_engine.results import drawdown_ppm, next_standing, rank, return_ppm


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


def test_equal_accounts_share_a_rank_and_the_next_rank_counts_them() -> None:
    base = next_standing(practice_account(cash_micros=1_000_000), None, 1_000_000, at_ms=1, started_ms=1)
    rows = rank(
        [
            msgspec.structs.replace(base, account_id=name, standing_micros=equity, max_drawdown_ppm=drawdown)
            for name, equity, drawdown in (
                ("d", 900_000, 100_000),
                ("b", 1_100_000, 0),
                ("a", 1_100_000, 0),
                ("c", 1_100_000, 5),
            )
        ]
    )
    assert [(r.account_id, r.rank) for r in rows] == [("a", 1), ("b", 1), ("c", 3), ("d", 4)]
