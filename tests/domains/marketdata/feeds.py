"""What the tests of market data trade and hear: one market's ticks, sources that say what they are told."""

import hashlib
from collections.abc import Sequence

from pump_party.domains.marketdata.admission import Quarantine
from pump_party.domains.marketdata.contract import Approval, Candle, CandleInterval, HaltReason
from pump_party.domains.marketdata.ingest import Ingest
from pump_party.domains.marketdata.model import RawPayload, Tick, TickSink
from pump_party.domains.marketdata.registry import Registry, load_registry
from pump_party.kernel.ids import Market
from pump_party.kernel.money import E8, format_e8
from pump_party.platform.clock import ManualClock
from pump_party.platform.metrics import Metrics

SOL = Market("SOL-USDC")
BTC = Market("BTC-USDC")
REGISTRY = load_registry()
THREE_SPOT_MARKETS = load_registry(
    "\n".join(
        f'[markets.{base}-USDC]\nbase = "{base}"\nquote = "USDC"\ntick = "0.01"\nlot = "0.01"'
        for base in ("SOL", "BTC", "ETH")
    )
    + "\n[quotes]"
)
NOW_MS = 1_750_000_000_000


def e8(text: str) -> int:
    """ "150.5" in e8: the blotters of these tests are read in whole prices."""
    whole, _, fraction = text.partition(".")
    return int(whole) * E8 + int(fraction.ljust(8, "0"))


def tick(
    mid: str = "150",
    *,
    publish_ms: int = NOW_MS,
    recv_ms: int | None = None,
    slot: int = 0,
    conf: str = "0.05",
    source: str = "hyperliquid",
    market: Market = SOL,
    tape_ms: int | None = None,
) -> Tick:
    return Tick(
        market=market,
        mid_e8=e8(mid),
        conf_e8=e8(conf),
        publish_ms=publish_ms,
        slot=slot,
        recv_ms=publish_ms if recv_ms is None else recv_ms,
        source=source,
        raw_sha256=hashlib.sha256(f"{source} {mid} {publish_ms} {slot}".encode()).hexdigest(),
        tape_ms=tape_ms,
    )


class SilentSource:
    """A source that reports nothing by itself: the test does."""

    label = "TEST"

    def __init__(self, name: str = "hyperliquid", feed: str = "live") -> None:
        self.name = name
        self.feed = feed

    async def run(self, sink: TickSink) -> None:
        pass


def ingest_of(
    clock: ManualClock,
    store: object,
    *,
    sources: Sequence[str] = ("hyperliquid",),
    feed: str = "live",
    payloads: object | None = None,
    registry: Registry = THREE_SPOT_MARKETS,
) -> Ingest:
    ingest = Ingest(
        registry=registry,
        store=store,
        clock=clock,
        metrics=Metrics(),
        sources=[SilentSource(name, feed) for name in sources],
        payloads=payloads,
    )
    ingest.begin()
    return ingest


def report(ingest: Ingest, *ticks: Tick, body: bytes = b"{}") -> None:
    """Hand ticks over as a source would: one payload."""
    raw = RawPayload(
        source=ticks[0].source if ticks else "hyperliquid",
        recv_ms=ticks[0].recv_ms if ticks else NOW_MS,
        sha256=hashlib.sha256(body).hexdigest(),
        body=body,
    )
    ingest.observed(raw, ticks)


def minute(open_ms: int, price: str, *, interval: CandleInterval = CandleInterval.M1, market: Market = SOL) -> Candle:
    value = e8(price)
    return Candle(market, interval, open_ms, value, value, value, value, 1, complete=False)


def jump(*, since_ms: int = NOW_MS, market: Market = SOL) -> Quarantine:
    return Quarantine(
        market=market,
        since_ms=since_ms,
        source="hyperliquid",
        reference_e8=e8("150"),
        observed_e8=e8("170"),
        raw_sha256="ab" * 32,
    )


def approval(operator: str, *, at_ms: int = NOW_MS, reason: str = "checked on two venues") -> Approval:
    return Approval(operator=operator, reason=reason, at_ms=at_ms)


def say(
    ingest: Ingest,
    clock: ManualClock,
    source: str,
    mid: str,
    *,
    lag_ms: int = 0,
    tape_ms: int | None = None,
    expect_halt: bool = False,
) -> None:
    clock.advance(1_000)
    now_ms = clock.now_ms()
    report(ingest, tick(mid, source=source, publish_ms=now_ms - lag_ms, recv_ms=now_ms, tape_ms=tape_ms))
    if expect_halt:
        assert ingest.health()[0].refused_by == {"QUARANTINE_JUMP": 1}
        assert all(quote.halt_reason is HaltReason.QUARANTINE_JUMP for quote in ingest.due())


def state(ingest: Ingest) -> str:
    """The quote of SOL as it stands: its price, and why it is halted."""
    ingest.due()
    quote = ingest._runs[SOL].quote
    assert quote is not None
    return f"{format_e8(quote.mid_e8)} {quote.halt_reason or ''}".strip()
