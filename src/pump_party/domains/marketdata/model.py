"""The nouns of ingestion: what a source observed, and the port through which sources report it."""

from collections.abc import Sequence
from typing import Protocol

import msgspec

from pump_party.domains.marketdata.book import OrderBook
from pump_party.domains.marketdata.contract import Candle, PerpContext, SourceState
from pump_party.kernel.ids import Market


class RawPayload(msgspec.Struct, frozen=True):
    """The bytes exactly as a source sent them. `sha256` is hex of `body` and is the evidence of every fill."""

    source: str
    recv_ms: int
    sha256: str
    body: bytes


class Tick(msgspec.Struct, frozen=True):
    """One observed price (execution model, section 4), already normalised to e8 and not yet admitted.

    `publish_ms` and `recv_ms` are server time. A replayed tick also has `tape_ms`, its time on the tape.
    """

    market: Market
    mid_e8: int
    conf_e8: int
    publish_ms: int
    slot: int
    recv_ms: int
    source: str
    raw_sha256: str
    tape_ms: int | None = None


class TickSink(Protocol):
    """What a source reports to. Called in the event loop; must not block."""

    def observed(self, raw: RawPayload, ticks: Sequence[Tick]) -> None:
        """A payload arrived. `ticks` is empty when it carried no usable price."""
        ...

    def quote_asset_rate(self, source: str, rate_e8: int, publish_ms: int) -> None:
        """USDC in USD, where the source publishes it: the depeg guard reads it."""
        ...

    def book_changed(self, book: OrderBook) -> None:
        """The whole book of a market after a change. Called only when it changed."""
        ...

    def context_changed(self, context: PerpContext) -> None:
        """What the venue says of its perpetual, under the market that prices of its base are reported under."""
        ...

    def earlier_candles(self, source: str, candles: Sequence[Candle]) -> None:
        """The venue's own candles from before this run, of the market that the source's prices are reported under.

        `ticks` is 0: no price in them came in here. What is stored already, or still forming, is left as it is.
        """
        ...

    def state_changed(self, source: str, state: SourceState, error: str | None = None) -> None: ...


class PriceSource(Protocol):
    """A feed adapter. Reconnects with backoff by itself and runs until its task is cancelled."""

    name: str
    feed: str
    """The kind shown beside every price: "live", "tape" or "synthetic"."""

    label: str
    """What a person reads: "Hyperliquid", "TAPE x60", "SYNTHETIC"."""

    async def run(self, sink: TickSink) -> None: ...
