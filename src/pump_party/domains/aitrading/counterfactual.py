"""What a decision would have made until the next slot, on an exchange of its own that plays the recorded prices.

The recorded positions are taken over at the slot's price, as the same shares of a fresh account's equity, and what that
costs is not counted. Then the decision's orders meet the next tick as live ones do, with fees, spread, impact, exits
and liquidation by the rules of the account; one minute follows the other as recorded tapes are played. What is made is
the change of equity from the slot to the end, scaled back to the account's own equity.
"""

from collections.abc import Callable, Mapping, Sequence
from hashlib import sha256

import msgspec

from pump_party.domains.aitrading.contract import Decider
from pump_party.domains.aitrading.holding import FLAT, LONG, holding_of
from pump_party.domains.aitrading.model import Plan, Proposal, Seen
from pump_party.domains.marketdata.contract import (
    SHAPE_TICKS,
    Candle,
    MarketSnapshot,
    Quote,
    RecordedCandle,
    confidence_e8,
    tick_e8,
    tick_ms,
)
from pump_party.domains.prop_interface.contract import (
    OpenAccount,
    OrderTerms,
    PlaceOrder,
    RuleSetView,
    Side,
    SubmitActions,
    Venue,
)
from pump_party.kernel.ids import AccountId, Market, UserId

NOBODY = UserId("00000000-0000-7000-8000-000000000000")
SETTLE_MS = 2_000
"""Longer than any latency of the rules: a tick so much later fills what waits."""

RUN_ID = "counterfactual"

Venues = Callable[[int], Venue]
"""A paper exchange whose clock stands at a time."""

Minutes = Mapping[Market, Sequence[Candle]]


class Counterfactual:
    """One world in which a decision is tried. Not to be used again."""

    def __init__(self, venue: Venue, rule_set: RuleSetView, seen: Seen, *, start_ms: int) -> None:
        self._venue = venue
        self._seen = seen
        self._now_ms = start_ms
        opened = venue.trading.open_account(OpenAccount(NOBODY, rule_set.kind, RUN_ID, rule_set.name))
        self._account_id: AccountId = opened.account_id
        self._start_micros = opened.start_micros
        self._equity_micros = seen.account.equity_micros or 0

    def made_micros(self, plan: Plan, decider: Decider, proposals: Sequence[Proposal], minutes: Minutes) -> int | None:
        """PnL until the last recorded minute, or None where the account had nothing or a held market has no price."""
        if self._equity_micros <= 0 or not self._take_over():
            return None
        before = self._equity()
        account = self._venue.trading.account(NOBODY, self._account_id)
        slot = msgspec.structs.replace(self._seen.slot, now_ms=self._now_ms, deadline_ms=self._now_ms)
        seen = msgspec.structs.replace(self._seen, account=account, slot=slot, orders=(), quotes=self._shown())
        decided = decider.conclude(plan, seen, proposals, with_context=False)
        if decided.actions:
            batch = SubmitActions(NOBODY, self._account_id, RUN_ID, decided.actions)
            self._venue.trading.submit_actions(batch)
            self._tick_all()
        self._play(minutes)
        after = self._equity()
        if before is None or after is None:
            return None
        return (after - before) * self._equity_micros // self._start_micros

    def _take_over(self) -> bool:
        """Buy what the account held. False where a held market has no price."""
        self._venue.show(list(self._shown().values()))
        wanted = []
        held = [p.market for p in self._seen.account.positions if p.quantity_nanos]
        for market in (*held, *(p.market for p in self._seen.account.perps)):
            holding = holding_of(self._seen.account, market)
            if holding.direction == FLAT:
                continue
            if market not in self._seen.snapshots:
                return False
            quantity = holding.quantity_nanos * self._start_micros // self._equity_micros
            leverage = next((p.leverage for p in self._seen.account.perps if p.market == market), None)
            side = Side.BUY if holding.direction == LONG else Side.SELL
            terms = None if leverage is None else OrderTerms(leverage=leverage)
            wanted.append(PlaceOrder(NOBODY, self._account_id, f"hold-{market}", market, side, quantity, terms=terms))
        if wanted:
            self._venue.trading.place_orders(wanted)
            self._tick_all()
        return True

    def _play(self, minutes: Minutes) -> None:
        ticks = [
            (tick_ms(recorded, tick), market, tick_e8(recorded, tick))
            for market, candles in minutes.items()
            for candle in candles
            for recorded in (_recorded(candle),)
            for tick in SHAPE_TICKS
        ]
        for at_ms, market, mid_e8 in sorted(ticks):
            if at_ms > self._now_ms:
                self._now_ms = at_ms
                self._venue.tick(_quote(market, mid_e8, at_ms))

    def _tick_all(self) -> None:
        self._now_ms += SETTLE_MS
        for quote in self._shown().values():
            self._venue.tick(quote)

    def _shown(self) -> Mapping[Market, Quote]:
        return {market: _of(snapshot, self._now_ms) for market, snapshot in self._seen.snapshots.items()}

    def _equity(self) -> int | None:
        return self._venue.trading.account(NOBODY, self._account_id).equity_micros


def _of(snapshot: MarketSnapshot, at_ms: int) -> Quote:
    quote = _quote(snapshot.market, snapshot.mid_e8, at_ms)
    return msgspec.structs.replace(quote, conf_e8=snapshot.conf_e8, feed=snapshot.feed)


def _quote(market: Market, mid_e8: int, at_ms: int) -> Quote:
    return Quote(
        market=market,
        mid_e8=mid_e8,
        conf_e8=confidence_e8(mid_e8),
        publish_ms=at_ms,
        recv_ms=at_ms,
        slot=0,
        source="recorded",
        tick_sha256=sha256(f"{market}|{at_ms}|{mid_e8}".encode()).hexdigest(),
        feed="recorded",
    )


def _recorded(candle: Candle) -> RecordedCandle:
    return RecordedCandle(candle.open_ms, candle.open_e8, candle.high_e8, candle.low_e8, candle.close_e8)
