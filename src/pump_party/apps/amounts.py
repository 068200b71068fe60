"""Amounts that may be unknown, on the wire: decimal strings, and null for what has no value."""

from pump_party.kernel.money import format_e8, format_micros, format_nanos


def micros_or_null(value: int | None) -> str | None:
    return None if value is None else format_micros(value)


def nanos_or_null(value: int | None) -> str | None:
    return None if value is None else format_nanos(value)


def e8_or_null(value: int | None) -> str | None:
    return None if value is None else format_e8(value)
