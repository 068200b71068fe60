"""Bring a published price (integer, confidence, exponent) to e8. The confidence is never narrowed."""

from pump_party.kernel.money import E8_DECIMALS, ceil_div

EXPONENT_MIN = -36
EXPONENT_MAX = 18
"""Exponents outside are garbage; without a bound one of them would be a number of a billion digits."""


def normalise(price: int, conf: int, expo: int) -> tuple[int, int]:
    """(mid_e8, conf_e8) of `price` and `conf`, both times 10**expo.

    An exponent finer than -8 floors the mid; the confidence is rounded up and widened by the unit that the mid may
    have lost. Raises ValueError for a negative confidence or an exponent out of range. Signs and size of the price
    are the business of admission.
    """
    if conf < 0:
        raise ValueError("the confidence is negative")
    if not EXPONENT_MIN <= expo <= EXPONENT_MAX:
        raise ValueError(f"the exponent is outside {EXPONENT_MIN} to {EXPONENT_MAX}")
    shift = expo + E8_DECIMALS
    if shift >= 0:
        scale: int = 10**shift
        return price * scale, conf * scale
    divisor: int = 10**-shift
    return price // divisor, ceil_div(conf, divisor) + 1
