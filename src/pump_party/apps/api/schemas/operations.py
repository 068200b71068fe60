"""Health and public configuration on the wire."""

from typing import Literal

import msgspec

from pump_party.domains.marketdata.contract import HaltReason, MarketState


class Live(msgspec.Struct, frozen=True):
    status: Literal["ok"]


class PriceCheck(msgspec.Struct, frozen=True):
    market: str
    state: MarketState
    halt_reason: HaltReason | None
    age_ms: int | None


class Ready(msgspec.Struct, frozen=True):
    """`status` is ok when every check is ok. A halted market does not make the API unavailable: it is shown halted."""

    status: Literal["ok", "unavailable"]
    checks: dict[str, str]
    prices: list[PriceCheck]


class Feed(msgspec.Struct, frozen=True):
    """The kind of prices shown, and what a person reads beside them.

    `auto` until the first price has decided between live and synthetic.
    """

    kind: Literal["live", "tape", "synthetic", "auto"]
    label: str
    speed: str


class Build(msgspec.Struct, frozen=True):
    version: str
    python: str
    database: str


class PublicConfig(msgspec.Struct, frozen=True):
    """What the page needs to know before anybody signs in."""

    ws_url: str
    feed: Feed
    price_fan_out_hz: int
    chains: list[str]
    version: str
    start_balance: str
    build: Build
