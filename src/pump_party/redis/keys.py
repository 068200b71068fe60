"""Every key and channel name in Redis, in one place."""

from hashlib import sha256

PREFIX = "pump_party"

SOURCE_HEALTH = f"{PREFIX}:health"

PERP_CONTEXT = f"{PREFIX}:perp_context"

MARKET_LAG = f"{PREFIX}:lag"


def quote(market: str) -> str:
    return f"{PREFIX}:quote:{market}"


def book(market: str) -> str:
    return f"{PREFIX}:book:{market}"


def channel(name: str) -> str:
    return f"{PREFIX}:bus:{name}"


def limit(name: str, subject: str) -> str:
    return f"{PREFIX}:limit:{name}:{subject}"


def ticket(text: str) -> str:
    """Only a hash is stored: reading Redis gives nobody a ticket."""
    return f"{PREFIX}:ticket:{sha256(text.encode()).hexdigest()}"


def lock(name: str) -> str:
    return f"{PREFIX}:lock:{name}"
