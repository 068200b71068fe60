from fractions import Fraction
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pump_party.domains.contests.model import Entry, Ineligible, Participation, RaceRule, RankBy, Ranked
from pump_party.domains.contests.ranking import check_eligibility, rank, score

START_MS = 1_767_225_600_000

entries = st.lists(
    st.builds(
        Entry,
        entry_id=st.text("abcdefgh", min_size=1, max_size=4),
        eligible=st.booleans(),
        return_ppm=st.integers(-40_000, 40_000),
        drawdown_ppm=st.integers(0, 90_000),
        turnover_ppm=st.integers(0, 3),
        timing_alpha_ppm=st.integers(-3, 3),
    ),
    max_size=12,
    unique_by=lambda entry: entry.entry_id,
)


def entry(
    entry_id: str, return_ppm: int, drawdown_ppm: int, turnover_ppm: int = 1, alpha_ppm: int | None = None
) -> Entry:
    return Entry(entry_id, True, return_ppm, drawdown_ppm, turnover_ppm, alpha_ppm)


def ranks(*given: Entry, by: RankBy = RankBy.ROMAD) -> list[tuple[str, int | None]]:
    return [(ranked.entry_id, ranked.rank) for ranked in rank(given, by=by)]


def test_the_vector_gives_exactly_its_scores_and_ranks(spec_vectors: dict[str, Any]):
    vector = spec_vectors["ranking"]
    given = [
        Entry(row["id"], row["eligible"], row["r_ppm"], row["mdd_ppm"], row["turnover_ppm"])
        for row in vector["entries"]
    ]
    scores = {e.entry_id: str(score(return_ppm=e.return_ppm, drawdown_ppm=e.drawdown_ppm)) for e in given}
    assert scores == vector["scores"]
    assert [list(pair) for pair in ranks(*given)] == vector["out"]


def test_a_tiny_trade_with_no_drawdown_does_not_win():
    assert ranks(entry("careful", 100, 10), entry("trader", 30_000, 20_000)) == [("trader", 1), ("careful", 2)]
    assert score(return_ppm=100, drawdown_ppm=10) == Fraction(1, 500)


def test_a_deep_drawdown_does_not_help_a_loser():
    assert ranks(entry("loses 2 %", -20_000, 300_000), entry("loses 1 %", -10_000, 10)) == [
        ("loses 1 %", 1),
        ("loses 2 %", 2),
    ]


def test_ties_go_to_return_then_drawdown_then_turnover_and_then_share_the_rank():
    assert ranks(
        entry("z", 100_000, 50_000, 7),
        entry("more turnover", 100_000, 50_000, 8),
        entry("y", 100_000, 50_000, 7),
        entry("more return", 120_000, 60_000, 9),
        entry("less drawdown", 100_000, 20_000, 9),
        entry("last", 1, 1),
    ) == [("more return", 1), ("less drawdown", 2), ("y", 3), ("z", 3), ("more turnover", 5), ("last", 6)]


def test_a_race_may_be_won_by_return_or_by_timing_alpha():
    rows = (entry("a", 100_000, 20_000, alpha_ppm=1), entry("b", 110_000, 90_000, alpha_ppm=2), entry("c", 1, 0, 0, 3))
    assert [name for name, _ in ranks(*rows)] == ["a", "b", "c"]
    assert [name for name, _ in ranks(*rows, by=RankBy.RETURN)] == ["b", "a", "c"]
    assert [name for name, _ in ranks(*rows, by=RankBy.TIMING_ALPHA)] == ["c", "b", "a"]


@given(entries, st.sampled_from(RankBy), st.randoms(use_true_random=False))
def test_ranks_do_not_depend_on_the_order_of_entry_and_leave_no_gap(given_entries: list[Entry], by: RankBy, rng: Any):
    ranked = rank(given_entries, by=by)
    shuffled = rng.sample(given_entries, len(given_entries))
    assert rank(shuffled, by=by) == ranked
    placed = [r.rank for r in ranked if r.rank is not None]
    assert placed == sorted(placed)
    assert all(place == 1 + sum(other < place for other in placed) for place in placed)
    assert {r.entry_id for r in ranked if r.rank is None} == {e.entry_id for e in given_entries if not e.eligible}


@given(entries)
def test_whoever_has_a_strictly_better_result_is_never_behind(given_entries: list[Entry]):
    place = {ranked.entry_id: ranked.rank for ranked in rank(given_entries) if ranked.rank is not None}
    eligible = [e for e in given_entries if e.eligible]
    for one in eligible:
        for other in eligible:
            if one.return_ppm > other.return_ppm and one.drawdown_ppm <= other.drawdown_ppm:
                assert place[one.entry_id] < place[other.entry_id]


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({}, None),
        ({"entered_ms": START_MS}, Ineligible.ENTERED_LATE),
        ({"disqualified": True}, Ineligible.DISQUALIFIED),
        ({"active_days": 2}, Ineligible.TOO_FEW_ACTIVE_DAYS),
        ({"exposure_ppm": 49_999}, Ineligible.TOO_LITTLE_EXPOSURE),
        ({"exposure_ppm": None}, Ineligible.TOO_LITTLE_EXPOSURE),
        ({"drawdown_ppm": 250_001}, Ineligible.TOO_DEEP_DRAWDOWN),
    ],
)
def test_exactly_on_every_limit_is_eligible_and_one_unit_beyond_is_not(
    changes: dict[str, Any], reason: Ineligible | None
):
    on_the_limit = {
        "entered_ms": START_MS - 1,
        "disqualified": False,
        "active_days": 3,
        "exposure_ppm": 50_000,
        "drawdown_ppm": 250_000,
    }
    assert check_eligibility(Participation(**{**on_the_limit, **changes}), RaceRule(), start_ms=START_MS) is reason


def test_entries_without_a_rank_come_last():
    late = Entry("a", False, 900_000, 1, 1)
    assert rank([late, entry("b", -5, 5)]) == [Ranked("b", 1), Ranked("a", None)]
