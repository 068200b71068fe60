from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pump_party.domains.economy.settlement import Settlement, settle
from pump_party.kernel.errors import Invalid
from pump_party.kernel.money import PPM

PODIUM = (500_000, 300_000, 200_000)


@st.composite
def races(draw: Any) -> tuple[list[int], dict[str, int | None]]:
    weights = draw(st.lists(st.integers(0, PPM // 6), max_size=6))
    ranks: dict[str, int | None] = {}
    free = 1
    for group, size in enumerate(draw(st.lists(st.integers(1, 4), max_size=5))):
        ranks |= {f"{group}-{member}": free for member in range(size)}
        free += size
    ranks |= {f"out-{n}": None for n in range(draw(st.integers(0, 2)))}
    return weights, ranks


def test_every_vector_gives_exactly_its_payouts(spec_vectors: dict[str, Any]):
    for case in spec_vectors["settle"]:
        settled = settle(
            case["pool"], rake_ppm=case["rake_ppm"], weights_ppm=case["weights_ppm"], ranks=dict(case["ranks"])
        )
        out = {**settled.prizes_micros, "pool:rake": settled.rake_micros, "pool:carry": settled.carry_micros}
        assert out == case["out"], case["name"]


@given(st.integers(0, 10**15), st.integers(0, PPM), races())
def test_every_unit_of_the_pool_is_accounted_for(
    pool: int, rake_ppm: int, race: tuple[list[int], dict[str, int | None]]
):
    weights, ranks = race
    settled = settle(pool, rake_ppm=rake_ppm, weights_ppm=weights, ranks=ranks)
    assert settled.rake_micros + settled.carry_micros + sum(settled.prizes_micros.values()) == pool
    assert min(settled.rake_micros, settled.carry_micros, *settled.prizes_micros.values(), 0) == 0
    assert set(settled.prizes_micros) == set(ranks)


@given(st.integers(0, 10**15), st.integers(0, PPM), races())
def test_equal_ranks_win_the_same_and_no_rank_wins_nothing(
    pool: int, rake_ppm: int, race: tuple[list[int], dict[str, int | None]]
):
    weights, ranks = race
    prizes = settle(pool, rake_ppm=rake_ppm, weights_ppm=weights, ranks=ranks).prizes_micros
    for rank in set(ranks.values()):
        assert len({prizes[name] for name, own in ranks.items() if own == rank}) == 1
    assert all(prizes[name] == 0 for name, rank in ranks.items() if rank is None)


@given(st.integers(0, 10**15), st.integers(0, PPM), st.integers(2, 6))
def test_all_in_one_tie_share_all_places(pool: int, rake_ppm: int, count: int):
    names = [str(n) for n in range(count)]
    settled = settle(pool, rake_ppm=rake_ppm, weights_ppm=[500_000, 500_000], ranks=dict.fromkeys(names, 1))
    assert settled.carry_micros < count
    assert settled.prizes_micros == dict.fromkeys(names, (pool - settled.rake_micros) // count)


def test_without_winners_the_pool_is_carried_over():
    assert settle(101, rake_ppm=100_000, weights_ppm=PODIUM, ranks={}) == Settlement(10, 91, {})
    assert settle(101, rake_ppm=100_000, weights_ppm=PODIUM, ranks={"a": None}) == Settlement(10, 91, {"a": 0})


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"pool_micros": -1}, "pool_micros"),
        ({"rake_ppm": PPM + 1}, "rake_ppm"),
        ({"rake_ppm": -1}, "rake_ppm"),
        ({"weights_ppm": [600_000, 400_001]}, "weights_ppm"),
        ({"weights_ppm": [-1]}, "weights_ppm"),
        ({"ranks": {"a": 2}}, "ranks"),
        ({"ranks": {"a": 0}}, "ranks"),
        ({"ranks": {"a": 1, "b": 1, "c": 2}}, "ranks"),
        ({"ranks": {"a": 1, "b": 3}}, "ranks"),
    ],
)
def test_what_cannot_be_divided_is_refused_and_named(changes: dict[str, Any], field: str):
    given: dict[str, Any] = {"pool_micros": 100, "rake_ppm": 0, "weights_ppm": PODIUM, "ranks": {"a": 1}}
    with pytest.raises(Invalid) as refused:
        settle(**{**given, **changes})
    assert refused.value.field == field
