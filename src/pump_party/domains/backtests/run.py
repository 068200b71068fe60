"""Play a tape to strategies: time passes minute by minute, slots decide, ticks fill. No clock but the tape's.

The order of things within a minute: its ticks come to whatever waits for them, second by second while an order is in
flight; then, at its end, clones whose slot it is decide on what was complete by then, and their orders meet the ticks
of the next minute. Ticks that concern no order, no position and no condition on one change nothing and are left out.
"""

from collections.abc import Callable, Mapping, Sequence
from hashlib import sha256
from math import gcd, lcm
from typing import Protocol

import msgspec

from pump_party.domains.aitrading.contract import (
    Decided,
    Decider,
    OpenInvalidation,
    Plan,
    Proposal,
    Read,
    Seen,
    Slot,
    features_of,
    in_force,
)
from pump_party.domains.backtests.guards import Guards
from pump_party.domains.backtests.minutes import Minutes
from pump_party.domains.backtests.model import (
    FILLS_KEPT_MAX,
    HOUR_MS,
    MINUTE_MS,
    DecisionCount,
    Entrant,
    Outcome,
    Tape,
)
from pump_party.domains.backtests.thinking import Tally
from pump_party.domains.backtests.trader import Trader
from pump_party.domains.marketdata.contract import SHAPE_TICKS, TICKS, CandleInterval, MarketSnapshot
from pump_party.domains.prop_interface.contract import (
    PAGE_LIMIT_MAX,
    AccountKind,
    AccountView,
    FillView,
    OpenAccount,
    OrderView,
    RuleSetView,
    SubmitActions,
    Venue,
)
from pump_party.kernel.ids import Market, UserId

PROGRESS_EVERY_MINUTES = 500
MARK_EVERY_MS = HOUR_MS
"""Accounts are marked after every minute in which something happened to one, and this often in between."""

_encode = msgspec.json.Encoder(order="sorted").encode


class Cancelled(Exception):
    """Whoever asked for the backtest does not want it any more."""


class Asker(Protocol):
    """Who answers the prompts of strategies that need a model."""

    def proposals(self, plan: Plan, seen: Seen, tally: Tally) -> Sequence[Proposal] | str:
        """What rules and models proposed, or the code of why there is no decision. Counts what it took."""
        ...


class Backtest:
    """One run over a tape. Not to be used again."""

    def __init__(
        self,
        tape: Tape,
        venue: Venue,
        decider: Decider,
        entrants: Sequence[Entrant],
        *,
        rule_set: str,
        from_ms: int,
        to_ms: int,
        asker: Asker | None = None,
    ) -> None:
        """`from_ms` and `to_ms` are whole minutes; the venue's clock stands at `from_ms`."""
        assert from_ms % MINUTE_MS == 0
        assert to_ms % MINUTE_MS == 0
        self._tape = tape
        self._venue = venue
        self._trading = venue.trading
        self._decider = decider
        self._asker = asker
        self._from_ms = from_ms
        self._to_ms = to_ms
        self._rule_set = rule_set
        self._traders = [self._open(entrant, number) for number, entrant in enumerate(entrants)]
        markets = sorted({market for entrant in entrants for market in entrant.plan.limits.markets})
        perps = {perp.pricing.market: perp for perp in _rules(venue, rule_set).perps}
        self._minutes = {m: Minutes(m, tape, perps.get(m), from_ms=from_ms, to_ms=to_ms) for m in markets}
        self._beat_ms = gcd(*[trader.cadence_ms for trader in self._traders])
        self._watched: Sequence[Market] = ()
        self._guards = Guards()
        self._reads = [tape.reader(read) for read in _numbered_reads(self._traders)]

    def _open(self, entrant: Entrant, number: int) -> Trader:
        user_id = UserId(f"00000000-0000-7000-8000-{number:012x}")
        opened = self._trading.open_account(OpenAccount(user_id, AccountKind.PRACTICE, "backtest", self._rule_set))
        return Trader(entrant, user_id, opened.account_id)

    def run(self, progress: Callable[[int, int], None], is_cancelled: Callable[[], bool]) -> list[Outcome]:
        """Play to the end. `progress` hears of minutes done and of how many there are. Raises Cancelled."""
        total = (self._to_ms - self._from_ms) // MINUTE_MS
        done = tell_at = 0
        for stop_ms in self._stops():
            if done >= tell_at:
                progress(done, total)
                if is_cancelled():
                    raise Cancelled
                tell_at = done + PROGRESS_EVERY_MINUTES
            begun, done = done, (stop_ms - self._from_ms) // MINUTE_MS
            self._play(begun, done)
            deciding = [trader for trader in self._traders if stop_ms % trader.cadence_ms == 0]
            marks = stop_ms % MARK_EVERY_MS == 0 or done == total
            if deciding or marks:
                self._venue.advance(stop_ms)
                self._show(done - 1)
            if marks:
                self._trading.mark_accounts()
            if deciding and done < total:
                self._decide(deciding, stop_ms)
        progress(total, total)
        return [self._outcome(trader) for trader in self._traders]

    def _stops(self) -> Sequence[int]:
        """The ends of minutes at which somebody may decide or accounts are marked, the last minute's among them."""
        stops = {self._to_ms}
        for every_ms in (lcm(self._beat_ms, MINUTE_MS), MARK_EVERY_MS):
            first_ms = (self._from_ms // every_ms + 1) * every_ms
            stops.update(range(first_ms, self._to_ms, every_ms))
        return sorted(stops)

    # --- ticks ---

    def _play(self, first: int, end: int) -> None:
        """Bring the ticks of minutes to what they may concern, in the order of their times."""
        if not self._watched and not self._guards:
            return
        # Mostly they concern nobody: then one look at what all of them reach is enough.
        if end - first > 1 and not self._touched(first, end) and not self._guarded(first, end):
            return
        for minute in range(first, end):
            touched, guarded = self._touched(minute, minute + 1), self._guarded(minute, minute + 1)
            if touched or guarded:
                self._play_minute(minute, touched, guarded)

    def _play_minute(self, minute: int, touched: Sequence[Market], guarded: Sequence[Market]) -> None:
        has_moved = bool(touched)
        concerned = sorted({*touched, *guarded})
        for tick in range(1, TICKS + 1):
            for market in concerned:
                if market in guarded or tick in SHAPE_TICKS or self._venue.is_waiting(market):
                    self._venue.tick(self._minutes[market].quote(minute, tick))
                    has_moved |= market in guarded and self._give_up(market, minute, tick)
        self._venue.advance(self._from_ms + (minute + 1) * MINUTE_MS)
        self._trading.expire_orders()
        if has_moved:
            self._trading.mark_accounts(changed_only=True)
        self._watched = self._venue.watched()

    def _touched(self, first: int, end: int) -> Sequence[Market]:
        """Markets of which a tick of these minutes may concern an order or a position."""
        touched, end_ms = [], self._from_ms + end * MINUTE_MS
        for market in self._watched:
            span = self._minutes[market].range_e8(first, end)
            if span is not None and self._venue.is_touched(market, low_e8=span[0], high_e8=span[1], at_ms=end_ms):
                touched.append(market)
        return touched

    def _guarded(self, first: int, end: int) -> Sequence[Market]:
        """Markets of which a tick of these minutes may make a condition true."""
        guarded = []
        for market in self._guards.markets():
            span = self._minutes[market].range_e8(first, end)
            if span is not None and self._guards.may_be_due(market, low_e8=span[0], high_e8=span[1]):
                guarded.append(market)
        return guarded

    def _show(self, minute: int) -> None:
        """The prices at the end of a minute, of the markets that had one."""
        self._venue.show([m.quote(minute, TICKS) for m in self._minutes.values() if m.is_known(minute)])

    # --- decisions ---

    def _decide(self, deciding: Sequence[Trader], slot_ms: int) -> None:
        snapshots: dict[int, Mapping[Market, MarketSnapshot]] = {}
        for trader in deciding:
            for number in trader.reads:
                if number not in snapshots:
                    snapshots[number] = self._reads[number](slot_ms)
            seen = self._seen(trader, snapshots, slot_ms)
            decided = self._decided(trader, seen)
            trader.slots += 1
            if decided is not None:
                trader.remember(decided, seen)
                if decided.actions:
                    self._submit(trader, decided, f"slot-{slot_ms}", slot_ms)

    def _submit(self, trader: Trader, decided: Decided, run_id: str, at_ms: int) -> bool:
        """Returns whether anything came of it."""
        batch = SubmitActions(trader.user_id, trader.account_id, run_id, decided.actions)
        is_done = trader.done(decided, self._trading.submit_actions(batch), at_ms)
        self._watched = self._venue.watched()
        if is_done:
            self._guards.keep(trader, trader.conditions)
        return is_done

    def _seen(self, trader: Trader, snapshots: Mapping[int, Mapping[Market, MarketSnapshot]], slot_ms: int) -> Seen:
        # Rules look at what is held; only a prompt shows the marks of what is not.
        thinks = trader.entrant.plan.needs_model
        own = trader.account_id
        account = self._trading.account(trader.user_id, own) if thinks else self._venue.account(own)
        orders = self._orders(trader, account)
        reads = trader.reads
        if len(reads) == 1:
            found = snapshots[reads[0]]
        else:
            found = {market: snapshot for read in reads for market, snapshot in snapshots[read].items()}
        return Seen(
            Slot(slot_ms, slot_ms, slot_ms + trader.cadence_ms // 2, slot_ms),
            account,
            found,
            orders,
            tuple(trader.past) if thinks else (),
            _in_force(trader, account, orders),
            trader.actions_today(slot_ms),
        )

    def _orders(self, trader: Trader, account: AccountView) -> tuple[OrderView, ...]:
        if not account.open_orders:
            return ()
        return tuple(self._trading.open_orders(trader.user_id, trader.account_id))

    def _decided(self, trader: Trader, seen: Seen) -> Decided | None:
        plan = trader.entrant.plan
        if not plan.needs_model:
            return self._decider.decide(plan, seen, with_context=False)
        assert self._asker is not None
        answered = self._asker.proposals(plan, seen, trader.tally)
        if isinstance(answered, str):
            trader.fail(answered, seen.slot.slot_ms)
            return None
        return self._decider.conclude(plan, seen, answered, with_context=False)

    # --- conditions on positions ---

    def _give_up(self, market: Market, minute: int, tick: int) -> bool:
        """Close the positions whose condition this tick has made true. Returns whether anything came of it."""
        quote = self._minutes[market].quote(minute, tick)
        if self._guards.wants_features(quote):
            found = self._features(self._guards.of(market), quote.publish_ms)
            self._guards.show(quote, found.get(market))
        closed = [self._close(trader, minute, tick, quote.publish_ms) for trader in self._guards.due(quote)]
        return any(closed)

    def _close(self, trader: Trader, minute: int, tick: int, at_ms: int) -> bool:
        plan, markets = trader.entrant.plan, sorted(trader.entrant.plan.limits.markets)
        account = self._trading.account(trader.user_id, trader.account_id)
        orders = self._orders(trader, account)
        conditions = _in_force(trader, account, orders)
        known = [self._minutes[m] for m in markets if self._minutes[m].is_known(minute)]
        seen = Seen(
            slot=Slot(at_ms, at_ms, at_ms, at_ms),
            account=account,
            snapshots=self._features(conditions, at_ms),
            orders=orders,
            past=tuple(trader.past),
            conditions=conditions,
            actions_today=trader.actions_today(at_ms),
            quotes={minutes.market: minutes.quote(minute, tick) for minutes in known},
        )
        proposals = self._decider.due(conditions, seen)
        if not proposals:
            return False
        decided = self._decider.conclude(plan, seen, proposals, with_context=False)
        trader.give_up(decided, seen)
        return bool(decided.actions) and self._submit(trader, decided, f"condition-{at_ms}", at_ms)

    def _features(self, conditions: Sequence[OpenInvalidation], at_ms: int) -> Mapping[Market, MarketSnapshot]:
        wanted = features_of(conditions)
        if not wanted:
            return {}
        return self._tape.memory.snapshots(wanted, as_of_ms=at_ms, interval=CandleInterval.M1, candles=0)

    # --- the end ---

    def _outcome(self, trader: Trader) -> Outcome:
        account = self._trading.account(trader.user_id, trader.account_id)
        results = self._trading.results(trader.user_id, trader.account_id)
        fills = self._fills(trader)
        return Outcome(
            name=trader.entrant.name,
            account_id=trader.account_id,
            sha256=self._hash(trader, account, fills),
            account=account,
            results=results,
            fills=fills[:FILLS_KEPT_MAX],
            slots=trader.slots,
            decisions=tuple(DecisionCount(code, count) for code, count in sorted(trader.codes.items())),
            log=tuple(trader.log),
            fills_left_out=max(0, len(fills) - FILLS_KEPT_MAX),
            log_left_out=trader.log_left_out,
            models=trader.tally.use() if trader.entrant.plan.needs_model else None,
        )

    def _fills(self, trader: Trader) -> tuple[FillView, ...]:
        """All of them, oldest first."""
        fills: list[FillView] = []
        cursor: str | None = None
        while True:
            page = self._trading.fills(trader.user_id, trader.account_id, cursor=cursor, limit=PAGE_LIMIT_MAX)
            fills.extend(page.items)
            cursor = page.next_cursor
            if cursor is None:
                return tuple(reversed(fills))

    def _hash(self, trader: Trader, account: AccountView, fills: Sequence[FillView]) -> str:
        """Of what went in and what came out. Ids are left out: they name, they do not measure."""
        told = {
            "tape": self._tape.sha256,
            "strategy": trader.entrant.strategy_sha256,
            "rule_set": self._rule_set,
            "from_ms": str(self._from_ms),
            "to_ms": str(self._to_ms),
            "decisions": trader.digest.hexdigest(),
            "fills": [
                (f.market, f.side.value, str(f.price_e8), str(f.quantity_nanos), str(f.fee_micros), str(f.filled_ms))
                for f in fills
            ],
            "equity_micros": str(account.equity_micros),
            "cash_micros": str(account.cash_micros),
            "funding_micros": str(account.funding_micros),
        }
        return sha256(_encode(told)).hexdigest()


def _in_force(trader: Trader, account: AccountView, orders: Sequence[OrderView]) -> tuple[OpenInvalidation, ...]:
    if not trader.conditions:
        return ()
    return in_force(trader.conditions, account, frozenset(order.market for order in orders))


def _rules(venue: Venue, name: str) -> RuleSetView:
    return next(rules for rules in venue.trading.rule_sets() if rules.name == name)


def _numbered_reads(traders: Sequence[Trader]) -> list[Read]:
    """Every read once, numbered in the traders that need it."""
    reads: list[Read] = []
    for trader in traders:
        for read in trader.entrant.plan.reads:
            if read not in reads:
                reads.append(read)
            trader.reads.append(reads.index(read))
    return reads
