"""One market while prices come in: its state of admission, its quote, its chart, and why it is halted."""

from collections.abc import Sequence

from msgspec.structs import replace

from pump_party.domains.marketdata.admission import Quarantine, Verdict, Watch, observe, resume
from pump_party.domains.marketdata.candles import Chart, fold
from pump_party.domains.marketdata.contract import FEED_SILENT_MS, HaltReason, PerpContext, Quote
from pump_party.domains.marketdata.meter import LagMeter
from pump_party.domains.marketdata.model import Tick
from pump_party.domains.marketdata.pending import Pending
from pump_party.domains.marketdata.perp_context import PerpTrack
from pump_party.domains.marketdata.quorum import Choice, choose
from pump_party.domains.marketdata.store import EndedBy, Moment, QuarantineEnd
from pump_party.kernel.ids import Market

_CLOCKED = frozenset((Verdict.ADMIT, Verdict.DROP_FUTURE, Verdict.QUARANTINE_JUMP))
"""Verdicts of ticks that are new: only these say how far a source's clock is from ours."""


class MarketRun:
    """`quote` is the newest good price; while the market is halted it stays what it was and carries the reason.

    Only prices the market was open at are folded into candles.
    """

    def __init__(self, market: Market, *, feed: str, sources: Sequence[str], pending: Pending) -> None:
        """`sources` are in the order of the configuration: the first one leads."""
        self.market = market
        self.quote: Quote | None = None
        self.watch = Watch()
        self._feed = feed
        self._pending = pending
        self._lags = {source: LagMeter() for source in sources}
        self.perp: PerpTrack | None = None
        self._chart: Chart | None = None
        self._priced: Tick | None = None
        self._disagreed = False

    def go_on(
        self,
        *,
        chart: Chart | None,
        reference_e8: int | None,
        quarantine: Quarantine | None,
        perp: PerpTrack | None = None,
    ) -> None:
        """Start from what an earlier run stored. `perp` is a perpetual's."""
        self.perp = perp
        self._chart = chart
        self.watch = Watch(reference_e8=quarantine.reference_e8 if quarantine else reference_e8, quarantine=quarantine)
        self.quote = None if quarantine is None else self._last_good(quarantine)

    def observe(self, tick: Tick, *, depegged: bool, now_ms: int) -> Verdict:
        before = self.watch
        self.watch, verdict = observe(before, tick, now_ms=now_ms)
        if verdict in _CLOCKED:
            self._lags[tick.source].sample(publish_ms=tick.publish_ms, recv_ms=tick.recv_ms)
        if self.watch.passes != before.passes:
            self._disagreed = False
            self.perp = None if self.perp is None else PerpTrack()
            if self._chart is not None and tick.tape_ms is not None and tick.tape_ms < self._chart.chart_ms:
                self._chart = None
        if self.watch.quarantine is not before.quarantine:
            self._tell_quarantine(before, now_ms=now_ms)
        if self.watch is not before:
            self.judge(depegged=depegged, now_ms=now_ms)
        return verdict

    def resume(self, since_ms: int, *, now_ms: int) -> None:
        """End the quarantine since then by decision of the operators, if it still goes on."""
        current = self.watch.quarantine
        if current is not None and current.since_ms == since_ms:
            self.watch = resume(self.watch)
            self._disagreed = False
            self._pending.ended(QuarantineEnd(self.market, current.since_ms, now_ms, EndedBy.OPERATORS))

    def judge(self, *, depegged: bool, now_ms: int) -> None:
        """Bring the quote up to date: to a new price, or to the reason why there is none."""
        reason, choice = self._decide(depegged=depegged, now_ms=now_ms)
        if reason is None and choice is not None:
            self._open_at(choice)
        elif self.quote is not None:
            if self.quote.halt_reason is not reason:
                if self.quote.halt_reason is None:
                    self._moved(self.quote, at_ms=now_ms, is_halt=True)
                self.quote = replace(self.quote, halt_reason=reason)
        elif choice is not None:
            self.quote = self._quote(choice, reason)

    def hear(self, context: PerpContext) -> None:
        """What the venue says of this perpetual."""
        assert self.perp is not None
        self._pending.sampled(self.perp.observe(context))

    def is_halted(self) -> bool:
        return self.quote is None or self.quote.halt_reason is not None

    def _decide(self, *, depegged: bool, now_ms: int) -> tuple[HaltReason | None, Choice | None]:
        """Why the market is halted, or None; and the price the sources give, where they do."""
        if self.watch.quarantine is not None:
            return HaltReason.QUARANTINE_JUMP, None
        ticks = []
        skewed = False
        for source, lags in self._lags.items():
            if lags.is_skewed(now_ms=now_ms):
                skewed = True
                continue
            watched = self.watch.sources.get(source)
            tick = watched.admitted if watched else None
            if tick is not None and now_ms - tick.recv_ms <= FEED_SILENT_MS:
                ticks.append(tick)
        if not ticks:
            return (HaltReason.CLOCK_SKEW if skewed else HaltReason.FEED_SILENT), None
        if self._disagreed and len(ticks) == 1:
            # The one that fell silent may have been the one that was right.
            return HaltReason.SOURCES_DISAGREE, None
        choice = choose(ticks, now_ms=now_ms)
        self._disagreed = choice is None
        if choice is None:
            return HaltReason.SOURCES_DISAGREE, None
        return (HaltReason.QUOTE_DEPEG if depegged else None), choice

    def _open_at(self, choice: Choice) -> None:
        tick = choice.tick
        quote = self.quote
        if tick is self._priced and quote is not None and quote.halt_reason is None and quote.conf_e8 == choice.conf_e8:
            return
        self.quote = self._quote(choice, None)
        self._moved(self.quote, at_ms=tick.publish_ms)
        if tick is self._priced:
            return
        self._priced = tick
        chart = fold(self._chart, market=self.market, price_e8=tick.mid_e8, chart_ms=self.quote.chart_ms())
        if chart is not None:
            self._chart = chart
            self._pending.charted(self.market, chart)

    def _moved(self, quote: Quote, *, at_ms: int, is_halt: bool = False) -> None:
        self._pending.moved(Moment(self.market, at_ms, quote.mid_e8, quote.conf_e8, self._feed, is_halt))

    def _quote(self, choice: Choice, reason: HaltReason | None) -> Quote:
        tick, perp = choice.tick, self.perp
        at_ms = tick.publish_ms if tick.tape_ms is None else tick.tape_ms
        return Quote(
            market=self.market,
            mid_e8=tick.mid_e8,
            conf_e8=choice.conf_e8,
            publish_ms=tick.publish_ms,
            recv_ms=tick.recv_ms,
            slot=tick.slot,
            source=tick.source,
            tick_sha256=tick.raw_sha256,
            feed=self._feed,
            tape_ms=tick.tape_ms,
            halt_reason=reason,
            premium=None if perp is None else perp.premium_before(at_ms),
            settled=None if perp is None else perp.settled_before(at_ms),
        )

    def _last_good(self, quarantine: Quarantine) -> Quote:
        """What the market stood at when it was quarantined, in an earlier run: as uncertain as the jump is wide."""
        return Quote(
            market=self.market,
            mid_e8=quarantine.reference_e8,
            conf_e8=abs(quarantine.observed_e8 - quarantine.reference_e8),
            publish_ms=quarantine.since_ms,
            recv_ms=quarantine.since_ms,
            slot=0,
            source=quarantine.source,
            tick_sha256=quarantine.raw_sha256,
            feed=self._feed,
            halt_reason=HaltReason.QUARANTINE_JUMP,
        )

    def _tell_quarantine(self, before: Watch, *, now_ms: int) -> None:
        if self.watch.quarantine is not None:
            self._pending.quarantined(self.watch.quarantine)
        elif before.quarantine is not None:
            ended_by = EndedBy.SOURCES if self.watch.passes == before.passes else EndedBy.NEW_RUN
            self._pending.ended(QuarantineEnd(self.market, before.quarantine.since_ms, now_ms, ended_by))
