import pytest
from tests.domains.marketdata.feeds import REGISTRY

from pump_party.domains.marketdata.registry import RegistryError, load_registry
from pump_party.kernel.errors import NotFound
from pump_party.kernel.money import parse_decimal

ONE_MARKET = """
[markets.DOGE-USDC]
base = "DOGE"
quote = "USDC"
tick = "0.000001"
lot = "1"
symbols = {hyperliquid = ["DOGE"]}
[quotes.USDC]
symbols = {}
"""


def test_the_product_starts_with_three_markets_and_sol_has_the_steps_of_the_execution_model():
    assert [asset.market for asset in REGISTRY.assets()] == ["SOL-USDC", "BTC-USDC", "ETH-USDC"]
    sol = REGISTRY.asset("SOL-USDC")
    assert (sol.tick_e8, sol.lot_nanos, sol.price_decimals, sol.quantity_decimals) == (10_000, 100_000, 4, 4)


@pytest.mark.parametrize("asset", REGISTRY.assets(), ids=lambda asset: asset.market)
def test_steps_are_whole_at_the_decimals_shown(asset):
    assert asset.tick_e8 == parse_decimal(_step(asset.price_decimals), decimals=8, field="tick")
    assert asset.lot_nanos == parse_decimal(_step(asset.quantity_decimals), decimals=9, field="lot")


def test_a_market_is_added_by_data_alone():
    registry = load_registry(ONE_MARKET)
    assert registry.asset("DOGE-USDC").lot_nanos == 10**9
    assert registry.symbols("hyperliquid") == {"DOGE": "DOGE-USDC"}
    assert registry.symbols("binance") == {}


def test_every_source_finds_its_markets_and_the_depeg_guard_its_rates():
    for source in ("hyperliquid", "binance", "pyth"):
        assert list(REGISTRY.symbols(source).values()) == ["SOL-USDC", "BTC-USDC", "ETH-USDC"]
    assert REGISTRY.symbols("tape")["BTC_USDT_USDT"] == "BTC-USDC"
    assert set(REGISTRY.quote_symbols("pyth").values()) == {"USDC"}


def test_pyth_feeds_are_the_recorded_ones(recorded_data):
    recorded = (recorded_data / "data/pyth_hermes/feed_ids.json").read_text()
    assert all(feed in recorded for feed in REGISTRY.symbols("pyth"))


def test_an_unknown_market_is_refused_by_its_code():
    with pytest.raises(NotFound) as refused:
        REGISTRY.asset("NOPE-USDC")
    assert refused.value.code == "market_unknown"
    assert not REGISTRY.has("NOPE-USDC")


@pytest.mark.parametrize(
    ("old", "new", "reason"),
    [
        ("[markets.DOGE-USDC]", "[markets.DOGE]", "must be called"),
        ('lot = "1"', 'lot = "0"', "must be positive"),
        ('lot = "1"', 'lot = "0.3"', "must be positive"),
        ('lot = "1"', 'lot = "1e3"', "cannot be read"),
        ('lot = "1"', 'lot = "1"\nfee = "1"', "fee"),
        ('["DOGE"]', '["DOGE", "DOGE"]', "two markets"),
        ("[markets", "[[markets", "cannot be read"),
    ],
)
def test_a_registry_that_is_wrong_stops_the_start_and_says_where(old, new, reason):
    with pytest.raises(RegistryError, match=reason):
        load_registry(ONE_MARKET.replace(old, new))


def _step(decimals: int) -> str:
    return "0." + "1".rjust(decimals, "0") if decimals else "1"
