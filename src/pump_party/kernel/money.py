"""Integers with the unit in the name, and their decimal strings on the wire.

Units (execution model, section 3): cash in micro-USDC (`*_micros`), quantity in 1e-9 of the base asset
(`*_nanos`), price in 1e-8 USDC per unit (`*_e8`), rates in parts per million (`*_ppm`).
"""

import re

from pump_party.kernel.errors import Invalid

MICROS_DECIMALS = 6
NANOS_DECIMALS = 9
E8_DECIMALS = 8

MICROS: int = 10**MICROS_DECIMALS
NANOS: int = 10**NANOS_DECIMALS
E8: int = 10**E8_DECIMALS
PPM: int = 10**6
PPM_PER_BPS = 100

NOTIONAL_DIVISOR: int = NANOS * E8 // MICROS
"""quantity_nanos * price_e8 // NOTIONAL_DIVISOR is micro-USDC. Multiply here, never in SQL: it exceeds 2^63."""

INT64_MAX = 2**63 - 1
DIGITS_MAX = 15
"""Integer digits a decimal string may carry; every quantity of the product is far smaller."""

_DECIMAL = re.compile(r"(0|[1-9][0-9]{0,14})(?:\.([0-9]{1,9}))?", re.ASCII)


def ceil_div(numerator: int, denominator: int) -> int:
    """Divide towards plus infinity; `//` is the floor."""
    return -((-numerator) // denominator)


def parse_decimal(text: object, *, decimals: int, field: str) -> int:
    """Read an unsigned decimal string into an integer scaled by 10**decimals.

    Raises Invalid naming `field` for anything but a plain decimal string: JSON numbers, exponents, signs,
    more than 15 integer digits or more decimals than the unit has.
    """
    if not isinstance(text, str):
        raise Invalid('must be a decimal string, for example "1.5"', code="not_a_decimal", field=field)
    match = _DECIMAL.fullmatch(text) if len(text) <= DIGITS_MAX + 10 else None
    if match is None:
        raise Invalid(
            f"must be an unsigned decimal string with at most {DIGITS_MAX} integer digits",
            code="not_a_decimal",
            field=field,
        )
    whole, fraction = match[1], match[2] or ""
    if len(fraction) > decimals:
        raise Invalid(f"has more than {decimals} decimals", code="too_many_decimals", field=field)
    scale: int = 10**decimals
    return int(whole) * scale + int(fraction.ljust(decimals, "0") or "0")


def format_decimal(value: int, decimals: int) -> str:
    """Write a scaled integer as a decimal string without trailing zeros: 150415017 micros is "150.415017"."""
    if value < 0:
        return "-" + format_decimal(-value, decimals)
    digits = str(value).zfill(decimals + 1)
    fraction = digits[-decimals:].rstrip("0")
    return f"{digits[:-decimals]}.{fraction}" if fraction else digits[:-decimals]


def format_ppm(value: int) -> str:
    """A ratio: 250000 is "0.25"."""
    return format_decimal(value, MICROS_DECIMALS)


def format_micros(value: int) -> str:
    return format_decimal(value, MICROS_DECIMALS)


def format_nanos(value: int) -> str:
    return format_decimal(value, NANOS_DECIMALS)


def format_e8(value: int) -> str:
    return format_decimal(value, E8_DECIMALS)
