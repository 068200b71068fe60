"""Strategies that ship with the product, as examples and baselines. Each is a file of `house/`, loaded by its name."""

from collections.abc import Mapping
from functools import cache
from importlib import resources

import msgspec

from pump_party.domains.clones.strategy import Strategy
from pump_party.kernel.errors import NotFound

PREFIX = "house:"
NAMES = ("momentum", "mean_reversion", "breakout", "funding_carry", "rebalance", "buy_and_hold", "random")


class HouseStrategy(msgspec.Struct, frozen=True):
    """A strategy that ships with the product, as example and baseline; loaded as "house:<name>"."""

    name: str
    title: str
    summary: str
    strategy: Strategy


class _File(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    title: str
    summary: str
    strategy: Strategy


@cache
def load_house() -> Mapping[str, HouseStrategy]:
    """All of them by name, in the order they are shown."""
    folder = resources.files("pump_party.domains.clones").joinpath("house")
    files = {name: msgspec.json.decode(folder.joinpath(f"{name}.json").read_bytes(), type=_File) for name in NAMES}
    return {name: HouseStrategy(name, file.title, file.summary, file.strategy) for name, file in files.items()}


def house_strategy(name: str) -> HouseStrategy:
    """By "momentum" or "house:momentum". Raises NotFound (house_strategy_not_found)."""
    found = load_house().get(name.removeprefix(PREFIX))
    if found is None:
        raise NotFound(f"there is none of that name; there are {', '.join(NAMES)}", code="house_strategy_not_found")
    return found
