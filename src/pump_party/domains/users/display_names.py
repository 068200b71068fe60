"""A public name for a user, derived from the user id alone: it never leads back to a wallet. Not unique."""

import hashlib

from pump_party.kernel.ids import HOUSE_USER

NUMBERS = 10_000
HOUSE_NAME = "Pump Party"

_ADJECTIVES = (
    "amber ample arctic autumn azure bold brave breezy bright brisk bronze calm candid cheery clever copper "
    "coral cosmic crimson crisp daring dapper eager early easy electric fair fancy fearless fleet fresh gallant "
    "gentle gilded glad golden grand happy hardy hazel honest humble indigo jade jolly keen kind lively lucky "
    "lunar mellow merry mighty misty modest nimble noble patient plucky polite proud quick quiet"
)
_ANIMALS = (
    "alpaca antelope badger bat bear beaver bison bobcat buffalo camel caribou cheetah cobra condor coyote crane "
    "dolphin eagle egret elk falcon ferret finch fox gazelle gecko gibbon goose hare hawk hedgehog heron ibex "
    "iguana jackal jaguar kestrel koala lemur leopard lion lynx magpie marten marmot mole moose newt ocelot orca "
    "osprey otter owl panda panther pelican penguin puffin puma quail raven salmon seal swift"
)

ADJECTIVES = _ADJECTIVES.split()
ANIMALS = _ANIMALS.split()


def display_name(user_id: str) -> str:
    """For example "brave-otter-4821"; the same id has the same name for ever."""
    if user_id == HOUSE_USER:
        return HOUSE_NAME
    digest = hashlib.sha256(b"display name:" + user_id.encode()).digest()
    adjective = ADJECTIVES[int.from_bytes(digest[:8], "big") % len(ADJECTIVES)]
    animal = ANIMALS[int.from_bytes(digest[8:16], "big") % len(ANIMALS)]
    number = int.from_bytes(digest[16:24], "big") % NUMBERS
    return f"{adjective}-{animal}-{number:04d}"
