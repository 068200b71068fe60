"""Pyth Hermes: signed prices with confidence as a stream of server-sent events.

The raw payload is the whole event with its signed update, so that anyone can check the price against the guardians'
signatures. `publish_time` has whole seconds: the Pythnet slot breaks ties. The stream ends after 24 hours by design
and is opened again. USDC/USD travels along for the depeg guard.
"""

from collections.abc import Callable, Collection, Mapping, Sequence
from typing import Annotated

import httpx2
import msgspec

from pump_party.adapters.http_reply import REPLY_BYTES_MAX, check_status, http_client, reason_of
from pump_party.adapters.observed_price import BadPayload, check_mid, check_time
from pump_party.adapters.reconnect import Backoff, keep_connected
from pump_party.adapters.reporting import Rate, Report, SourceFailed
from pump_party.domains.marketdata.model import Tick, TickSink
from pump_party.domains.marketdata.normalise import normalise
from pump_party.kernel.ids import Market
from pump_party.platform.clock import Clock

NAME = "pyth"
SILENCE_MAX_S = 8.0
FEEDS_MAX = 100
EXPONENT_MIN = -18


class PythSource:
    """The given feeds, by feed id in hex; `rates` are those of the quote asset. `jitter` returns a number in [0, 1)."""

    name = NAME
    feed = "live"
    label = "Pyth"

    def __init__(
        self,
        feeds: Mapping[str, Market],
        rates: Collection[str],
        *,
        url: str,
        api_key: str,
        clock: Clock,
        jitter: Callable[[], float],
        silence_max_s: float = SILENCE_MAX_S,
    ) -> None:
        self._parser = PythParser(feeds, rates, NAME)
        self._url = f"{url.rstrip('/')}/v2/updates/price/stream"
        self._parameters = {"ids[]": (*feeds, *rates), "parsed": "true", "encoding": "hex"}
        self._headers = {"Accept": "text/event-stream"} | ({"Authorization": f"Bearer {api_key}"} if api_key else {})
        self._clock = clock
        self._jitter = jitter
        self._silence_max_s = silence_max_s

    async def run(self, sink: TickSink) -> None:
        await keep_connected(self._connect, Report(self.name, sink, self._clock), Backoff(self._jitter))

    async def _connect(self, report: Report) -> None:
        try:
            async with (
                http_client(self._silence_max_s) as client,
                client.stream("GET", self._url, params=self._parameters, headers=self._headers) as reply,
            ):
                check_status(reply)
                async for event in httpx2.EventSource(reply, max_event_size=REPLY_BYTES_MAX):
                    if event.data:
                        report.payload(event.data.encode(), self._parser)
        except httpx2.ReadTimeout as error:
            raise SourceFailed(f"silent for {self._silence_max_s:g} s") from error
        except (httpx2.HTTPError, httpx2.InvalidURL) as error:
            raise SourceFailed(reason_of(error)) from error


class PythParser:
    """Hermes price updates. Feeds it was not given carry no price."""

    def __init__(self, feeds: Mapping[str, Market], rates: Collection[str], source: str) -> None:
        self._feeds = feeds
        self._rates = rates
        self._source = source

    def parse(self, body: bytes, sha256: str, recv_ms: int) -> Sequence[Tick | Rate]:
        update = _UPDATE.decode(body)
        if not update.binary.data:
            raise BadPayload("no signed update")
        prices: list[Tick | Rate] = []
        for feed in update.parsed:
            identity = feed.id.removeprefix("0x").lower()
            market = self._feeds.get(identity)
            if market is None and identity not in self._rates:
                continue
            mid_e8, conf_e8 = check_mid(*normalise(int(feed.price.price), int(feed.price.conf), feed.price.expo))
            publish_ms = check_time(feed.price.publish_time * 1000, field="publish_time")
            if market is None:
                prices.append(Rate(rate_e8=mid_e8, publish_ms=publish_ms))
                continue
            prices.append(
                Tick(
                    market=market,
                    mid_e8=mid_e8,
                    conf_e8=conf_e8,
                    publish_ms=publish_ms,
                    slot=feed.metadata.slot,
                    recv_ms=recv_ms,
                    source=self._source,
                    raw_sha256=sha256,
                )
            )
        return prices


class _Price(msgspec.Struct):
    price: Annotated[str, msgspec.Meta(pattern=r"^-?[0-9]{1,19}$")]
    conf: Annotated[str, msgspec.Meta(pattern=r"^[0-9]{1,19}$")]
    expo: Annotated[int, msgspec.Meta(ge=EXPONENT_MIN, le=0)]
    publish_time: Annotated[int, msgspec.Meta(ge=0, le=10**11)]


class _Metadata(msgspec.Struct, frozen=True):
    slot: Annotated[int, msgspec.Meta(ge=0)] = 0


class _Feed(msgspec.Struct):
    id: Annotated[str, msgspec.Meta(max_length=66)]
    price: _Price
    metadata: _Metadata = _Metadata()


class _Binary(msgspec.Struct):
    data: Annotated[list[str], msgspec.Meta(max_length=FEEDS_MAX)]


class _Update(msgspec.Struct):
    binary: _Binary
    parsed: Annotated[list[_Feed], msgspec.Meta(max_length=FEEDS_MAX)]


_UPDATE = msgspec.json.Decoder(_Update)
