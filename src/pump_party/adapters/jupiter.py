"""Jupiter Price v3: a REST cross-check for Solana assets.

A reply has no time and no confidence. The block that a price was last seen to change at is its slot, and its publish
time is when we asked for the first reply that named this block: never younger than the truth. The confidence is
stated, not observed: CONFIDENCE_PPM of the mid, because the price is derived from recent swaps.
"""

import asyncio
from collections.abc import Callable, Collection, Mapping, Sequence
from decimal import Decimal
from typing import Annotated

import msgspec

from pump_party.adapters.http_reply import fetch, http_client
from pump_party.adapters.observed_price import check_mid, digits_of, share_ppm
from pump_party.adapters.reconnect import Backoff, keep_connected
from pump_party.adapters.reporting import Rate, Report
from pump_party.domains.marketdata.model import Tick, TickSink
from pump_party.domains.marketdata.normalise import normalise
from pump_party.kernel.ids import Market
from pump_party.platform.clock import Clock

NAME = "jupiter"
POLL_EVERY_S = 2.0
CONFIDENCE_PPM = 1_000
"""10 bp: what a route through on-chain pools usually costs around the derived price."""


class JupiterSource:
    """Prices of the given mints; `rates` are those of the quote asset. `jitter` returns a number in [0, 1)."""

    name = NAME
    feed = "live"
    label = "Jupiter"

    def __init__(
        self,
        mints: Mapping[str, Market],
        rates: Collection[str],
        *,
        url: str,
        api_key: str,
        clock: Clock,
        jitter: Callable[[], float],
        poll_every_s: float = POLL_EVERY_S,
    ) -> None:
        self._mints = mints
        self._rates = rates
        self._url = f"{url.rstrip('/')}/price/v3"
        self._ids = ",".join((*mints, *rates))
        self._headers = {"x-api-key": api_key} if api_key else {}
        self._clock = clock
        self._jitter = jitter
        self._poll_every_s = poll_every_s

    async def run(self, sink: TickSink) -> None:
        await keep_connected(self._poll, Report(self.name, sink, self._clock), Backoff(self._jitter))

    async def _poll(self, report: Report) -> None:
        parser = JupiterParser(self._mints, self._rates, NAME)
        async with http_client() as client:
            while True:
                parser.asked_ms = self._clock.now_ms()
                body = await fetch(client, "GET", self._url, params={"ids": self._ids}, headers=self._headers)
                report.payload(body, parser)
                await asyncio.sleep(self._poll_every_s)


class JupiterParser:
    """Replies in the order they were asked for. Set `asked_ms` before each; a recording leaves it None."""

    def __init__(self, mints: Mapping[str, Market], rates: Collection[str], source: str) -> None:
        self._mints = mints
        self._rates = rates
        self._source = source
        self._blocks: dict[str, tuple[int, int]] = {}
        self.asked_ms: int | None = None

    def parse(self, body: bytes, sha256: str, recv_ms: int) -> Sequence[Tick | Rate]:
        asked_ms = recv_ms if self.asked_ms is None else self.asked_ms
        prices: list[Tick | Rate] = []
        for mint, price in _REPLY.decode(body).items():
            market = self._mints.get(mint)
            if price is None or (market is None and mint not in self._rates):
                continue
            digits, exponent = digits_of(price.usd, field="usdPrice")
            mid_e8, _ = normalise(digits, 0, exponent)
            mid_e8, conf_e8 = check_mid(mid_e8, share_ppm(mid_e8, CONFIDENCE_PPM))
            publish_ms = self._first_asked_ms(mint, price.block, asked_ms)
            if market is None:
                prices.append(Rate(rate_e8=mid_e8, publish_ms=publish_ms))
                continue
            prices.append(
                Tick(
                    market=market,
                    mid_e8=mid_e8,
                    conf_e8=conf_e8,
                    publish_ms=publish_ms,
                    slot=price.block,
                    recv_ms=recv_ms,
                    source=self._source,
                    raw_sha256=sha256,
                )
            )
        return prices

    def _first_asked_ms(self, mint: str, block: int, asked_ms: int) -> int:
        known_block, known_ms = self._blocks.get(mint, (-1, 0))
        if block == known_block:
            return known_ms
        self._blocks[mint] = block, asked_ms
        return asked_ms


class _Price(msgspec.Struct):
    usd: Decimal = msgspec.field(name="usdPrice")
    block: Annotated[int, msgspec.Meta(ge=0)] = msgspec.field(name="blockId")


_REPLY = msgspec.json.Decoder(dict[str, _Price | None])
