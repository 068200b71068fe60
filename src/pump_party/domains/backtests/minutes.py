"""A market's recorded minutes as a backtest walks them: by number, with holes where nothing was recorded. Pure."""

from hashlib import sha256

from pump_party.domains.backtests.funding import hour_premium
from pump_party.domains.backtests.model import HOUR_MS, Tape
from pump_party.domains.marketdata.contract import HourPremium, Quote, confidence_e8, tick_e8, tick_ms
from pump_party.domains.prop_interface.contract import PerpRulesView
from pump_party.kernel.ids import Market


class Minutes:
    """Minute `number` begins `number` minutes after the start of the backtest."""

    def __init__(self, market: Market, tape: Tape, perp: PerpRulesView | None, *, from_ms: int, to_ms: int) -> None:
        """`perp` are the rules that fund positions; None for spot."""
        self.market = market
        self._source = tape.name
        self._feed = tape.feed
        self._candles = tape.minutes(market, from_ms=from_ms, to_ms=to_ms)
        self._tape = tape
        self._perp = perp
        self._quote: Quote | None = None
        self._premium: tuple[int, HourPremium | None] = -1, None

    def is_known(self, number: int) -> bool:
        """Whether the minute was recorded."""
        return self._candles[number] is not None

    def range_e8(self, first: int, end: int) -> tuple[int, int] | None:
        """The lowest and the highest price of the minutes from `first` to before `end`; None where there is none."""
        candles = [candle for candle in self._candles[first:end] if candle is not None]
        if not candles:
            return None
        return min([candle.low_e8 for candle in candles]), max([candle.high_e8 for candle in candles])

    def quote(self, number: int, tick: int) -> Quote:
        """Tick 1 to 60 of a minute that was recorded, by the rule that tapes are played by."""
        candle = self._candles[number]
        assert candle is not None
        at_ms, mid_e8 = tick_ms(candle, tick), tick_e8(candle, tick)
        quote = self._quote
        if quote is not None and quote.publish_ms == at_ms:
            return quote
        # Made for every market of every slot: by place, which takes less time than names.
        self._quote = quote = Quote(
            self.market,
            mid_e8,
            confidence_e8(mid_e8),
            at_ms,
            at_ms,
            0,
            self._source,
            sha256(f"{self.market}|{at_ms}|{mid_e8}".encode()).hexdigest(),
            self._feed,
            premium=None if self._perp is None else self._premium_at(at_ms, self._perp),
        )
        return quote

    def _premium_at(self, at_ms: int, perp: PerpRulesView) -> HourPremium | None:
        """Of the hour that ended last."""
        ended_ms = at_ms // HOUR_MS * HOUR_MS
        if self._premium[0] != ended_ms:
            rate_ppb = self._tape.funding_1h_ppb(self.market, at_ms=ended_ms)
            premium = None if rate_ppb is None else hour_premium(rate_ppb, ended_ms - HOUR_MS, perp)
            self._premium = ended_ms, premium
        return self._premium[1]
