"""Chance that repeats: integers from a seed, the same on every machine and every version of Python."""

from collections.abc import Sequence
from typing import TypeVar

from pump_party.kernel.money import PPM

T = TypeVar("T")

_MASK = 2**64 - 1
_STEP = 0x9E37_79B9_7F4A_7C15


class Dice:
    """A stream of numbers (SplitMix64). Not for secrets."""

    def __init__(self, seed: int) -> None:
        self._state = seed & _MASK

    def roll(self) -> int:
        """64 bits."""
        self._state = (self._state + _STEP) & _MASK
        mixed = self._state
        mixed = ((mixed ^ (mixed >> 30)) * 0xBF58_476D_1CE4_E5B9) & _MASK
        mixed = ((mixed ^ (mixed >> 27)) * 0x94D0_49BB_1331_11EB) & _MASK
        return mixed ^ (mixed >> 31)

    def between(self, low: int, high: int) -> int:
        """A whole number from `low` to `high`, both possible."""
        assert low <= high
        return low + self.roll() % (high - low + 1)

    def chance(self, ppm: int) -> bool:
        return self.roll() % PPM < ppm

    def pick(self, choices: Sequence[T]) -> T:
        return choices[self.roll() % len(choices)]

    def weighted(self, choices: Sequence[tuple[int, T]]) -> T:
        """One of (weight, choice), as often as its weight says."""
        left = self.roll() % sum(weight for weight, _ in choices)
        for weight, choice in choices:
            left -= weight
            if left < 0:
                return choice
        raise AssertionError(choices)

    def take_bytes(self, count: int) -> bytes:
        words = -(-count // 8)
        return b"".join(self.roll().to_bytes(8, "big") for _ in range(words))[:count]

    def fork(self) -> "Dice":
        """Dice of their own for a part, so that what one part draws does not move another."""
        return Dice(self.roll())
