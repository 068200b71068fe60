"""Dice repeat, and are SplitMix64."""

from collections import Counter

from pump_party.kernel.dice import Dice


def test_a_seed_gives_the_published_stream_of_splitmix64():
    dice = Dice(1234567)
    assert [dice.roll() for _ in range(3)] == [6457827717110365317, 3203168211198807973, 9817491932198370423]


def test_choices_stay_within_their_bounds_and_follow_their_weights():
    dice = Dice(5)
    assert {dice.between(3, 5) for _ in range(100)} == {3, 4, 5}
    assert {dice.pick("ab") for _ in range(50)} == {"a", "b"}
    drawn = Counter(dice.weighted(((9, "often"), (1, "rarely"), (0, "never"))) for _ in range(2_000))
    assert drawn["often"] > 5 * drawn["rarely"] > 0 == drawn["never"]
    assert 150 < sum(dice.chance(100_000) for _ in range(2_000)) < 250


def test_a_fork_is_a_stream_of_its_own():
    one, other = Dice(9), Dice(9)
    fork = one.fork()
    other.fork().roll()
    assert one.roll() == other.roll()
    assert len(fork.take_bytes(13)) == 13
