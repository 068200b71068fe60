"""The clones that ship with the product, where they are wanted."""

from pump_party.bootstrap.services import Services
from pump_party.domains.aitrading.house import HouseClones


def open_house(services: Services) -> int:
    """Make sure that the house clones trade. Returns how many there are. Safe to repeat. Raises Unavailable."""
    return HouseClones(services.clones, services.aitrading).open() if services.settings.house_clones else 0
