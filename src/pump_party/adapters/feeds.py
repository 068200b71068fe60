"""From the `feed` setting to price sources."""

import secrets
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Protocol

from pump_party.domains.marketdata.model import PriceSource
from pump_party.domains.marketdata.registry import Registry
from pump_party.platform.clock import Clock

AUTO_LIVE = ("hyperliquid", "binance")
SEED_DEFAULT = 1


class FeedSettings(Protocol):
    """The settings that concern feeds."""

    @property
    def feed(self) -> str: ...
    @property
    def speed(self) -> int: ...
    @property
    def loop_tape(self) -> bool: ...
    @property
    def pyth_api_key(self) -> str: ...
    @property
    def jupiter_api_key(self) -> str: ...
    @property
    def hyperliquid_ws_url(self) -> str: ...
    @property
    def hyperliquid_rest_url(self) -> str: ...
    @property
    def pyth_url(self) -> str: ...
    @property
    def jupiter_url(self) -> str: ...
    @property
    def binance_ws_url(self) -> str: ...
    @property
    def binance_rest_url(self) -> str: ...


def random_share() -> float:
    """A number in [0, 1), for the jitter of reconnects."""
    return secrets.randbelow(1 << 20) / (1 << 20)


def build_sources(
    settings: FeedSettings,
    registry: Registry,
    clock: Clock,
    *,
    jitter: Callable[[], float] = random_share,
    with_past: bool = True,
) -> list[PriceSource]:
    """The sources that `settings.feed` names, not yet running; `with_past` those that can also tell earlier candles.

    Raises Invalid (field "feed") for a tape that cannot be played.
    """

    def live(name: str) -> PriceSource:
        source = _live(name, settings, registry, clock, jitter)
        return _with_past(source, settings, registry, clock) if with_past else source

    kind, _, argument = settings.feed.partition(":")
    if kind == "tape":
        from pump_party.adapters.tape import TapeSource

        folder = Path(argument).expanduser()
        return [TapeSource(folder, registry, speed=settings.speed, loop=settings.loop_tape, clock=clock)]
    if kind == "synthetic":
        return [_synthetic(registry, clock, seed=int(argument or SEED_DEFAULT))]
    if kind == "auto":
        return _auto([live(name) for name in AUTO_LIVE], _synthetic(registry, clock, seed=SEED_DEFAULT))
    return [live(name) for name in dict.fromkeys(kind.split("+"))]


def _auto(contenders: Sequence[PriceSource], synthetic: PriceSource) -> list[PriceSource]:
    from pump_party.adapters.auto_feed import LiveContender, StandIn, StartRace

    race = StartRace()
    return [*(LiveContender(source, race) for source in contenders), StandIn(synthetic, race)]


def _synthetic(registry: Registry, clock: Clock, *, seed: int) -> PriceSource:
    from pump_party.adapters.synthetic_past import SyntheticWithPast

    return SyntheticWithPast(registry.observed(), seed=seed, clock=clock)


def _live(
    name: str, settings: FeedSettings, registry: Registry, clock: Clock, jitter: Callable[[], float]
) -> PriceSource:
    """One live source. Each is imported only where it is used: importing is start time and memory."""
    symbols = registry.symbols(name)
    if name == "hyperliquid":
        from pump_party.adapters.hyperliquid import HyperliquidSource

        urls = settings.hyperliquid_ws_url, settings.hyperliquid_rest_url
        return HyperliquidSource(symbols, ws_url=urls[0], rest_url=urls[1], clock=clock, jitter=jitter)
    if name == "binance":
        from pump_party.adapters.binance import BinanceSource

        urls = settings.binance_ws_url, settings.binance_rest_url
        return BinanceSource(symbols, ws_url=urls[0], rest_url=urls[1], clock=clock, jitter=jitter)
    rates = registry.quote_symbols(name)
    if name == "pyth":
        from pump_party.adapters.pyth import PythSource

        key = settings.pyth_api_key
        return PythSource(symbols, rates, url=settings.pyth_url, api_key=key, clock=clock, jitter=jitter)
    assert name == "jupiter", name
    from pump_party.adapters.jupiter import JupiterSource

    key = settings.jupiter_api_key
    return JupiterSource(symbols, rates, url=settings.jupiter_url, api_key=key, clock=clock, jitter=jitter)


def _with_past(source: PriceSource, settings: FeedSettings, registry: Registry, clock: Clock) -> PriceSource:
    """The source and, where its venue tells candles, those of the time before."""
    from pump_party.adapters.earlier_candles import (
        BinanceChronicle,
        Chronicle,
        HyperliquidChronicle,
        WithEarlierCandles,
    )

    chronicle: Chronicle
    if source.name == "hyperliquid":
        chronicle = HyperliquidChronicle(settings.hyperliquid_rest_url, clock)
    elif source.name == "binance":
        chronicle = BinanceChronicle(settings.binance_rest_url)
    else:
        return source
    return WithEarlierCandles(source, chronicle, registry.symbols(source.name), clock=clock)
