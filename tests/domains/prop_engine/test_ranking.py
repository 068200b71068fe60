"""Ranks of a board, and what they were when the day began."""

from collections.abc import Callable

import msgspec
from hypothesis import given
from hypothesis import strategies as st

from pump_party.domains.prop_engine.ranking import BoardEntry, rank
from pump_party.domains.prop_engine.results import return_ppm
from pump_party.domains.prop_interface.contract import BoardMetric
from pump_party.kernel.ids import AccountId, UserId

START, MIDNIGHT_MS = 1_000_000, 86_400_000


def entry(name: str, standing: int = START, drawdown: int = 0, **more: int) -> BoardEntry:
    """An account that was marked after midnight and had filled before it."""
    base = BoardEntry(
        AccountId(name),
        UserId(name),
        "practice",
        cycle=1,
        start_micros=START,
        equity_micros=standing,
        standing_micros=standing,
        max_drawdown_ppm=drawdown,
        fills=1,
        marks=1,
        as_of_ms=MIDNIGHT_MS + 1,
        started_ms=1,
        day_start_micros=standing,
        day_standing_micros=standing,
        day_max_drawdown_ppm=drawdown,
        day_fills=1,
    )
    return msgspec.structs.replace(base, **more)


def ranks(entries: list[BoardEntry], metric: BoardMetric = BoardMetric.RETURN, **bases: int) -> list[tuple[str, int]]:
    found = rank(entries, {AccountId(k): v for k, v in bases.items()}, metric, compared_ms=None)
    return [(place.entry.account_id, place.rank) for place in found.places(0, len(found))]


def before(entries: list[BoardEntry], metric: BoardMetric = BoardMetric.RETURN) -> dict[str, int | None]:
    found = rank(entries, {}, metric, compared_ms=MIDNIGHT_MS)
    return {place.entry.account_id: place.rank_before for place in found.places(0, len(found))}


def test_equal_accounts_share_a_rank_and_the_next_rank_counts_them() -> None:
    entries = [entry("d", 900_000, 100_000), entry("b", 1_100_000), entry("a", 1_100_000), entry("c", 1_100_000, 5)]
    assert ranks(entries) == [("a", 1), ("b", 1), ("c", 3), ("d", 4)]


def test_by_drawdown_the_smallest_is_first_and_the_return_breaks_ties() -> None:
    entries = [entry("a", 1_300_000, 9), entry("b", 1_100_000, 5), entry("c", 1_200_000, 5)]
    assert ranks(entries, BoardMetric.DRAWDOWN) == [("c", 1), ("b", 2), ("a", 3)]


def test_a_window_counts_from_what_an_account_was_worth_when_it_began() -> None:
    entries = [entry("a", 1_500_000), entry("b", 1_100_000), entry("c", 1_200_000)]
    assert ranks(entries, a=1_500_000) == [("c", 1), ("b", 2), ("a", 3)]
    assert ranks(entries, a=0) == [("c", 1), ("b", 2)], "nothing is a return on nothing"


def test_the_rank_before_is_that_of_midnight_and_there_is_none_without_a_fill_by_then() -> None:
    entries = [
        entry("rose", 1_500_000, day_standing_micros=900_000),
        entry("fell", 1_100_000, day_standing_micros=1_400_000),
        entry("came", 1_050_000, day_fills=0, day_standing_micros=START),
        entry("rests", 1_000_000, as_of_ms=MIDNIGHT_MS - 1, day_standing_micros=5_000_000, day_fills=0),
    ]
    assert ranks(entries) == [("rose", 1), ("fell", 2), ("came", 3), ("rests", 4)]
    assert before(entries) == {"fell": 1, "rests": 2, "rose": 3, "came": None}


def test_the_rank_before_goes_by_the_same_metric() -> None:
    entries = [
        entry("a", 1_500_000, 20, day_max_drawdown_ppm=5),
        entry("b", 1_100_000, 10, day_max_drawdown_ppm=9),
    ]
    assert ranks(entries, BoardMetric.DRAWDOWN) == [("b", 1), ("a", 2)]
    assert before(entries, BoardMetric.DRAWDOWN) == {"a": 1, "b": 2}


@given(
    st.lists(st.tuples(st.integers(0, 12), st.integers(0, 3), st.integers(1, 4)), max_size=12),
    st.sampled_from(BoardMetric),
)
def test_a_rank_is_one_more_than_how_many_are_better(drawn: list[tuple[int, int, int]], metric: BoardMetric) -> None:
    bases = {f"{n:02}": base * 250_000 for n, (_, _, base) in enumerate(drawn)}
    entries = [entry(f"{n:02}", worth * 125_000, drawdown) for n, (worth, drawdown, _) in enumerate(drawn)]

    def return_first(one: BoardEntry) -> tuple[int, int]:
        return -return_ppm(bases[one.account_id], one.standing_micros), one.max_drawdown_ppm

    better: Callable[[BoardEntry], tuple[int, int]] = return_first
    if metric is BoardMetric.DRAWDOWN:
        better = lambda one: return_first(one)[::-1]  # noqa: E731
    found = ranks(entries, metric, **bases)
    expected = {one.account_id: 1 + sum(better(other) < better(one) for other in entries) for one in entries}
    assert dict(found) == expected
    assert [place for _, place in found] == sorted(expected.values())
