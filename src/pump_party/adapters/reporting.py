"""Turn payloads into reports to the sink, alike for every live source: the evidence with its ticks, or the refusal."""

import hashlib
from collections.abc import Sequence
from typing import Protocol

import msgspec

from pump_party.adapters.observed_price import BadPayload
from pump_party.domains.marketdata.book import OrderBook
from pump_party.domains.marketdata.contract import PerpContext, SourceState
from pump_party.domains.marketdata.model import RawPayload, Tick, TickSink
from pump_party.platform.clock import Clock

BAD_PAYLOADS_MAX = 20
"""Bad payloads in a row after which a connection is dropped: what is behind it is not the source we know."""

ERROR_CHARACTERS_MAX = 200


UNREADABLE = (BadPayload, msgspec.MsgspecError, RecursionError, UnicodeDecodeError)
"""What reading a payload raises when it is not what the source sends."""


class SourceFailed(Exception):
    """The connection is of no use any more. The message is shown as the source's last error."""

    def __init__(self, reason: str, *, retry_after_s: float = 0.0) -> None:
        super().__init__(reason)
        self.retry_after_s = retry_after_s


class Rate(msgspec.Struct, frozen=True):
    """USDC in USD, as a source published it."""

    rate_e8: int
    publish_ms: int


class Parser(Protocol):
    """Reads one source's payloads. May keep what ties payloads of one connection together; never does I/O."""

    def parse(self, body: bytes, sha256: str, recv_ms: int) -> Sequence[Tick | Rate | OrderBook | PerpContext]:
        """The prices, books and contexts in a payload, none when it carries none. Raises BadPayload."""
        ...


class Report:
    """One source's line to the sink."""

    def __init__(self, name: str, sink: TickSink, clock: Clock) -> None:
        self._name = name
        self._sink = sink
        self._clock = clock
        self._bad_in_a_row = 0
        self.live = False
        """Whether a price has come since the connection was begun."""

    def payload(self, body: bytes, parser: Parser) -> int:
        """Report a payload; returns how many ticks it had.

        Raises SourceFailed after BAD_PAYLOADS_MAX bad ones in a row.
        """
        recv_ms = self._clock.now_ms()
        raw = RawPayload(source=self._name, recv_ms=recv_ms, sha256=hashlib.sha256(body).hexdigest(), body=body)
        try:
            observed = parser.parse(body, raw.sha256, recv_ms)
        except UNREADABLE as error:
            self._refuse(raw, error)
            return 0
        ticks = [one for one in observed if isinstance(one, Tick)]
        rates = [one for one in observed if isinstance(one, Rate)]
        if ticks or rates:
            self._bad_in_a_row = 0
            self._set_live()
        self._sink.observed(raw, ticks)
        for rate in rates:
            self._sink.quote_asset_rate(self._name, rate.rate_e8, rate.publish_ms)
        for one in observed:
            if isinstance(one, OrderBook):
                self._sink.book_changed(one)
            elif isinstance(one, PerpContext):
                self._sink.context_changed(one)
        return len(ticks)

    def connecting(self) -> None:
        self.live = False
        self._bad_in_a_row = 0
        self._sink.state_changed(self._name, SourceState.CONNECTING)

    def lost(self, reason: str) -> None:
        """The connection is gone; the source is about to try again."""
        self.live = False
        self._sink.state_changed(self._name, SourceState.RECONNECTING, reason[:ERROR_CHARACTERS_MAX])

    def trouble(self, reason: str) -> None:
        """Something is wrong though the connection stands."""
        state = SourceState.LIVE if self.live else SourceState.RECONNECTING
        self._sink.state_changed(self._name, state, reason[:ERROR_CHARACTERS_MAX])

    def _refuse(self, raw: RawPayload, error: Exception) -> None:
        self._bad_in_a_row += 1
        self._sink.observed(raw, ())
        self.trouble(f"bad payload: {error or type(error).__name__}")
        if self._bad_in_a_row >= BAD_PAYLOADS_MAX:
            raise SourceFailed(f"{self._bad_in_a_row} bad payloads in a row, the last: {error}")

    def _set_live(self) -> None:
        if not self.live:
            self.live = True
            self._sink.state_changed(self._name, SourceState.LIVE)
