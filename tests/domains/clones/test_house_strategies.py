import pytest

from pump_party.domains.clones.house_strategies import NAMES, house_strategy, load_house
from pump_party.domains.clones.strategy import canonical, content_sha256
from pump_party.domains.clones.validation import read
from pump_party.domains.marketdata.registry import load_registry
from pump_party.kernel.errors import NotFound

MARKETS = {asset.market: asset.kind for asset in load_registry().assets()}


@pytest.mark.parametrize("name", NAMES)
def test_a_house_strategy_is_sound_on_the_markets_there_are(name: str):
    house = house_strategy(name)

    assert read(canonical(house.strategy), MARKETS).problems == ()
    assert house.title
    assert 20 < len(house.summary) < 240
    assert house_strategy(f"house:{name}") == house


def test_house_strategies_differ():
    assert len({content_sha256(house.strategy) for house in load_house().values()}) == len(NAMES)


def test_a_house_strategy_that_does_not_exist_names_those_that_do():
    with pytest.raises(NotFound, match="buy_and_hold") as refusal:
        house_strategy("house:martingale")
    assert refusal.value.code == "house_strategy_not_found"
