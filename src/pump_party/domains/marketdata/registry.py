"""The asset registry: which markets there are and what each source calls them. Read once from `assets.toml`."""

import tomllib
from importlib import resources

import msgspec

from pump_party.domains.marketdata.contract import Asset, MarketKind
from pump_party.kernel.errors import Invalid, NotFound
from pump_party.kernel.ids import Market
from pump_party.kernel.money import E8_DECIMALS, NANOS_DECIMALS, parse_decimal

MARKETS_MAX = 64
Symbols = dict[str, list[str]]


class RegistryError(Exception):
    """The registry file stops the start: says which market and what is wrong."""


class _Entry(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    base: str
    quote: str
    tick: str
    lot: str
    symbols: Symbols = {}
    kind: MarketKind = MarketKind.SPOT


class _QuoteEntry(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    symbols: Symbols


class _File(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    markets: dict[str, _Entry]
    quotes: dict[str, _QuoteEntry]


class Registry:
    """The markets of the product, in the order of the file.

    Markets of one base share its price: sources report it under the first of them, the observed one.
    """

    def __init__(self, file: _File) -> None:
        if not 1 <= len(file.markets) <= MARKETS_MAX:
            raise RegistryError(f"the asset registry has {len(file.markets)} markets; allowed: 1 to {MARKETS_MAX}")
        self._assets = {asset.market: asset for asset in (_asset(name, row) for name, row in file.markets.items())}
        self._symbols = {asset.market: file.markets[asset.market].symbols for asset in self._assets.values()}
        self._quotes = file.quotes
        self._observed: dict[tuple[str, str], Market] = {}
        for asset in self._assets.values():
            self._check_observed(asset)
        for source in {source for symbols in self._symbols.values() for source in symbols}:
            self._check_symbols(source)

    def assets(self) -> tuple[Asset, ...]:
        return tuple(self._assets.values())

    def asset(self, market: str) -> Asset:
        """Raises NotFound (market_unknown)."""
        found = self._assets.get(Market(market))
        if found is None:
            raise NotFound(f"there is no market {market[:32]!r}", code="market_unknown", field="market")
        return found

    def has(self, market: str) -> bool:
        return market in self._assets

    def observed(self) -> tuple[Asset, ...]:
        """The markets that sources report prices of: the first one of each base."""
        return tuple(self._assets[market] for market in self._observed.values())

    def priced_as(self, market: str) -> Market:
        """The market under which sources report the price of this one. Raises NotFound (market_unknown)."""
        asset = self.asset(market)
        return self._observed[asset.base, asset.quote]

    def symbols(self, source: str) -> dict[str, Market]:
        """What a source calls the markets it prices; every name it may use, the one to ask for first."""
        return {symbol: market for market, symbols in self._symbols.items() for symbol in symbols.get(source, ())}

    def quote_symbols(self, source: str) -> dict[str, str]:
        """What a source calls the quote assets, for the depeg guard: symbol to asset."""
        return {symbol: quote for quote, row in self._quotes.items() for symbol in row.symbols.get(source, ())}

    def _check_observed(self, asset: Asset) -> None:
        observed = self._observed.setdefault((asset.base, asset.quote), asset.market)
        if observed != asset.market and self._symbols[asset.market]:
            raise RegistryError(f"market {asset.market} takes the price of {observed}: it has no symbols of its own")

    def _check_symbols(self, source: str) -> None:
        named = [symbol for symbols in self._symbols.values() for symbol in symbols.get(source, ())]
        twice = sorted({symbol for symbol in named if named.count(symbol) > 1})
        if twice:
            raise RegistryError(f"{source} symbols stand for two markets: {', '.join(twice)}")


def load_registry(text: str | None = None) -> Registry:
    """The registry of the package, or one from TOML text. Raises RegistryError."""
    if text is None:
        text = resources.files("pump_party.domains.marketdata").joinpath("assets.toml").read_text()
    try:
        return Registry(msgspec.convert(tomllib.loads(text), _File))
    except (tomllib.TOMLDecodeError, msgspec.ValidationError, Invalid) as error:
        raise RegistryError(f"the asset registry cannot be read: {error}") from error


def _asset(name: str, row: _Entry) -> Asset:
    called = f"{row.base}-{row.quote if row.kind is MarketKind.SPOT else 'PERP'}"
    if name != called:
        raise RegistryError(f"market {name} must be called {called}")
    return Asset(
        market=Market(name),
        base=row.base,
        quote=row.quote,
        tick_e8=_step(name, "tick", row.tick, E8_DECIMALS),
        lot_nanos=_step(name, "lot", row.lot, NANOS_DECIMALS),
        price_decimals=_decimals(row.tick),
        quantity_decimals=_decimals(row.lot),
        kind=row.kind,
    )


def _step(name: str, field: str, text: str, decimals: int) -> int:
    step = parse_decimal(text, decimals=decimals, field=f"{name}.{field}")
    if step <= 0 or 10 ** len(str(step)) % step != 0:
        raise RegistryError(f"{name}.{field} is {text}; it must be positive and divide a power of ten")
    return step


def _decimals(text: str) -> int:
    return len(text.partition(".")[2].rstrip("0"))
