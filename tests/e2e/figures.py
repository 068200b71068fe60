"""Figures as pages write them, computed from what the server says."""

from decimal import ROUND_HALF_UP, Decimal

MINUS = "\N{MINUS SIGN}"


def usd(amount: str, places: int = 2) -> str:
    """10000 as "10,000.00"."""
    rounded = Decimal(amount).quantize(Decimal(1).scaleb(-places), ROUND_HALF_UP)
    return f"{MINUS if rounded < 0 else ''}{abs(rounded):,}"


def signed_usd(amount: str, places: int = 2) -> str:
    """A change: with a plus above zero."""
    return f"{'+' if Decimal(amount) > 0 else ''}{usd(amount, places)}"
