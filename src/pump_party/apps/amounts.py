"""Amounts that may be unknown, on the wire: decimal strings, and null for what has no value."""

from decimal import Decimal

from pump_party.kernel.money import format_e8, format_micros, format_nanos, format_ppm


def micros_or_null(value: int | None) -> str | None:
    return None if value is None else format_micros(value)


def nanos_or_null(value: int | None) -> str | None:
    return None if value is None else format_nanos(value)


def ppm_or_null(value: int | None) -> str | None:
    return None if value is None else format_ppm(value)


def ratio_or_null(value: Decimal | None) -> str | None:
    """Without trailing zeros and never with an exponent."""
    if value is None:
        return None
    text = f"{value:f}"
    return text.rstrip("0").rstrip(".") if "." in text else text


def e8_or_null(value: int | None) -> str | None:
    return None if value is None else format_e8(value)
