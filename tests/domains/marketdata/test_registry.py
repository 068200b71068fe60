import json

import pytest
from tests.domains.marketdata.feeds import REGISTRY

from pump_party.domains.marketdata.contract import MarketKind
from pump_party.domains.marketdata.registry import RegistryError, load_registry
from pump_party.kernel.errors import NotFound
from pump_party.kernel.money import NOTIONAL_DIVISOR, parse_decimal

SPOT = ["SOL-USDC", "BTC-USDC", "ETH-USDC"]
PERP = ["SOL-PERP", "BTC-PERP", "ETH-PERP", "BNB-PERP", "XRP-PERP", "DOGE-PERP"]
PERP_OF_IT = """
[markets.DOGE-PERP]
kind = "perp"
base = "DOGE"
quote = "USDC"
tick = "0.00001"
lot = "1"
"""
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


def test_the_product_starts_with_three_spot_and_six_perpetual_markets():
    assert [asset.market for asset in REGISTRY.assets() if asset.kind is MarketKind.SPOT] == SPOT
    assert [asset.market for asset in REGISTRY.assets() if asset.kind is MarketKind.PERP] == PERP


def test_sol_has_the_steps_of_the_execution_model(recorded_data):
    params = json.loads((recorded_data / "spec/vectors.json").read_text())["params"]
    for kind, decimals in (("spot", (4, 4)), ("perp", (4, 2))):
        sol = REGISTRY.asset(params[kind]["market"])
        assert (sol.tick_e8, sol.lot_nanos) == (params[kind]["tick_e8"], params[kind]["lot_lamports"])
        assert (sol.price_decimals, sol.quantity_decimals) == decimals


def test_the_cost_of_a_lot_of_a_perpetual_at_any_tick_is_whole():
    for asset in REGISTRY.assets():
        if asset.kind is MarketKind.PERP:
            assert asset.tick_e8 * asset.lot_nanos % NOTIONAL_DIVISOR == 0, asset


def test_markets_of_one_base_share_the_price_that_sources_report_under_the_first():
    assert [asset.market for asset in REGISTRY.observed()] == [*SPOT, "BNB-PERP", "XRP-PERP", "DOGE-PERP"]
    assert [REGISTRY.priced_as(market) for market in PERP] == [*SPOT, "BNB-PERP", "XRP-PERP", "DOGE-PERP"]
    with pytest.raises(RegistryError, match="takes the price of DOGE-USDC"):
        load_registry(ONE_MARKET.replace("[quotes", PERP_OF_IT + 'symbols = {hyperliquid = ["DOGE2"]}\n[quotes'))
    follower = load_registry(ONE_MARKET.replace("[quotes", PERP_OF_IT + "[quotes"))
    assert follower.priced_as("DOGE-PERP") == "DOGE-USDC"


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
        assert list(REGISTRY.symbols(source).values()) == [asset.market for asset in REGISTRY.observed()]
    assert REGISTRY.symbols("tape")["BTC_USDT_USDT"] == "BTC-USDC"
    assert set(REGISTRY.quote_symbols("pyth").values()) == {"USDC"}


def test_pyth_feeds_are_the_recorded_ones(recorded_data):
    recorded = json.loads((recorded_data / "data/pyth_hermes/feed_ids.json").read_text())
    named = {f"{REGISTRY.asset(market).base}/USD": feed for feed, market in REGISTRY.symbols("pyth").items()}
    assert len(recorded) == 3
    assert named | recorded == named


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
        ('quote = "USDC"', 'quote = "USDC"\nkind = "perp"', "must be called DOGE-PERP"),
        ('quote = "USDC"', 'quote = "USDC"\nkind = "future"', "cannot be read"),
    ],
)
def test_a_registry_that_is_wrong_stops_the_start_and_says_where(old, new, reason):
    with pytest.raises(RegistryError, match=reason):
        load_registry(ONE_MARKET.replace(old, new))


def _step(decimals: int) -> str:
    return "0." + "1".rjust(decimals, "0") if decimals else "1"
