"""The normal distribution in decimal: Phi and its inverse, the same digits on every machine."""

from decimal import ROUND_HALF_EVEN, Context, Decimal, localcontext

DIGITS = 50
"""Digits that are right; ten more are carried on the way."""

_WORKING = Context(prec=DIGITS + 10, rounding=ROUND_HALF_EVEN)
_SMALLEST = Decimal(f"1e-{DIGITS}")
_PI = Decimal("3.14159265358979323846264338327950288419716939937510582097494459230781640629")
_CERTAIN = Decimal(15)
"""Beyond this many deviations the tail is below 1e-50."""

_STEPS_MAX = 1_000
_TAIL_MIN = Decimal("1e-40")


def cumulative(z: Decimal) -> Decimal:
    """Phi: the probability that a standard normal variable is at most `z`."""
    with localcontext(_WORKING):
        if abs(z) >= _CERTAIN:
            return Decimal(int(z > 0))
        # All terms have one sign: phi(z) * (z + z^3/3 + z^5/15 + ...), so nothing cancels.
        term = total = abs(z)
        square, odd = z * z, 1
        while term > _SMALLEST:
            odd += 2
            term = _WORKING.divide(term * square, Decimal(odd))
            total += term
        above_half = density(z) * total
        half = Decimal("0.5")
        return half + above_half if z >= 0 else half - above_half


def density(z: Decimal) -> Decimal:
    """The height of the bell at `z`."""
    with localcontext(_WORKING):
        return _WORKING.divide((-z * z * Decimal("0.5")).exp(), (2 * _PI).sqrt())


def quantile(probability: Decimal) -> Decimal:
    """The inverse of Phi for a probability between 1e-40 and 1 - 1e-40."""
    with localcontext(_WORKING):
        assert _TAIL_MIN <= probability <= 1 - _TAIL_MIN, probability
        half = Decimal("0.5")
        if probability < half:
            return -quantile(1 - probability)
        # Phi is concave above zero: Newton's steps from zero approach from below, until rounding ends them.
        z = Decimal(0)
        for _ in range(_STEPS_MAX):
            step = _WORKING.divide(probability - cumulative(z), density(z))
            z += step
            if step <= _SMALLEST:
                return z
        raise AssertionError(f"no quantile of {probability}")
