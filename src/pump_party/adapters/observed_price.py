"""Read prices out of foreign replies without a float: decimals to integers, a book's best to mid and confidence."""

from decimal import Decimal

from pump_party.domains.marketdata.normalise import normalise
from pump_party.kernel.money import E8_DECIMALS, INT64_MAX, NANOS_DECIMALS, PPM, ceil_div

PRICE_E8_MAX = 10**15
"""Ten million USDC a unit: nothing listed comes near it, and every product of it is checked elsewhere."""

DIGITS_MAX = 24
EXPONENT_MAX = 18

TIME_MS_MIN = 1_500_000_000_000
TIME_MS_MAX = 4_100_000_000_000
"""From 2017 to 2099: a time outside is in another unit, or garbage. Admission judges the age."""

BOOK_CONFIDENCE_PPM_MIN = 100
"""Floor of a book's confidence, 1 bp of the mid: however tight its spread, one venue's mid is not known better."""


class BadPayload(Exception):
    """A reply that breaks the source's schema or range. Says what is wrong, never repeats the payload."""


def digits_of(value: Decimal, *, field: str) -> tuple[int, int]:
    """Split a positive decimal: 147.480 is (14748, -2), without trailing zeros. Raises BadPayload."""
    sign, digits, exponent = value.as_tuple()
    if not isinstance(exponent, int):
        raise BadPayload(f"{field} is not a finite number")
    if len(digits) > DIGITS_MAX or abs(exponent) > EXPONENT_MAX:
        raise BadPayload(f"{field} has too many digits")
    integer = int("".join(map(str, digits)))
    if sign or integer == 0:
        raise BadPayload(f"{field} is not positive")
    while integer % 10 == 0:
        integer, exponent = integer // 10, exponent + 1
    return integer, exponent


def check_mid(mid_e8: int, conf_e8: int) -> tuple[int, int]:
    """Refuse what no listed asset can cost. Signs and jumps are the business of admission."""
    if abs(mid_e8) > PRICE_E8_MAX or not 0 <= conf_e8 <= PRICE_E8_MAX:
        raise BadPayload("price or confidence is out of range")
    return mid_e8, conf_e8


def check_time(time_ms: int, *, field: str) -> int:
    if not TIME_MS_MIN <= time_ms <= TIME_MS_MAX:
        raise BadPayload(f"{field} is not a time in milliseconds")
    return time_ms


def mid_of_book(bid: Decimal, ask: Decimal) -> tuple[int, int]:
    """(mid_e8, conf_e8) of a book's best levels.

    The mid is (bid + ask) / 2, the confidence half the spread rounded up, at least BOOK_CONFIDENCE_PPM_MIN of the
    mid. Raises BadPayload for a crossed or locked book.
    """
    bid_digits, bid_exponent = digits_of(bid, field="bid")
    ask_digits, ask_exponent = digits_of(ask, field="ask")
    exponent = min(bid_exponent, ask_exponent)
    bid_units = bid_digits * 10 ** (bid_exponent - exponent)
    ask_units = ask_digits * 10 ** (ask_exponent - exponent)
    if bid_units >= ask_units:
        raise BadPayload("the book is crossed")
    # Half of an integer is exact one decimal further down.
    mid_e8, conf_e8 = normalise((bid_units + ask_units) * 5, (ask_units - bid_units) * 5, exponent - 1)
    return check_mid(mid_e8, max(conf_e8, share_ppm(mid_e8, BOOK_CONFIDENCE_PPM_MIN)))


def level_of(price: Decimal, size: Decimal) -> tuple[int, int]:
    """(price_e8, size_nanos) of a book's level. The size is rounded down and may be zero: the level is gone.

    Raises BadPayload, also for a price finer than e8: rounding it would move it.
    """
    digits, exponent = digits_of(price, field="price")
    if exponent < -E8_DECIMALS:
        raise BadPayload("price is finer than the product knows")
    price_e8 = digits * 10 ** (exponent + E8_DECIMALS)
    if price_e8 > PRICE_E8_MAX:
        raise BadPayload("price is out of range")
    if size.is_zero() and not size.is_signed():
        return price_e8, 0
    digits, exponent = digits_of(size, field="size")
    shift = exponent + NANOS_DECIMALS
    size_nanos = digits * 10**shift if shift >= 0 else digits // 10**-shift
    return price_e8, min(size_nanos, INT64_MAX)


def scaled(value: Decimal, decimals: int, *, most: int, field: str) -> int:
    """A decimal of either sign in units of 10^-decimals, rounded down. Raises BadPayload for one beyond `most`."""
    sign, digits, exponent = value.as_tuple()
    if not isinstance(exponent, int):
        raise BadPayload(f"{field} is not a finite number")
    if len(digits) > DIGITS_MAX or abs(exponent) > EXPONENT_MAX:
        raise BadPayload(f"{field} has too many digits")
    units, shift = int("".join(map(str, digits))) * (-1 if sign else 1), exponent + decimals
    units = units * int(10**shift) if shift >= 0 else units // int(10**-shift)
    if abs(units) > most:
        raise BadPayload(f"{field} is out of range")
    return units


def share_ppm(mid_e8: int, ppm: int) -> int:
    """Parts per million of a mid, rounded up: for confidences that are stated, not observed."""
    return ceil_div(abs(mid_e8) * ppm, PPM)
