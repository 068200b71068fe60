"""Conditions on positions are played in a backtest as they are held live: the same strategy closes at the same tick."""

from collections.abc import Mapping, Sequence
from contextlib import closing
from pathlib import Path

import msgspec
import pytest
from tests.db.platform import ALICE, Platform
from tests.domains.aitrading.worlds import engine_rules, prompt_strategy
from tests.domains.backtests.tapes import MINUTE_MS, SOL, START_MS, tape_of, walk

from pump_party.adapters.tape_history import RecordedTape
from pump_party.db.engine import Database
from pump_party.domains.aitrading.commands import DeployClone, SubmitProposals
from pump_party.domains.aitrading.decider import StrategyDecider
from pump_party.domains.aitrading.model import Direction, Invalidation, Plan, Proposal, ProposalAction, Seen
from pump_party.domains.backtests.minutes import Minutes
from pump_party.domains.backtests.model import Entrant, Outcome
from pump_party.domains.backtests.run import Backtest
from pump_party.domains.backtests.thinking import Tally
from pump_party.domains.clones.contract import Op, content_sha256
from pump_party.domains.marketdata.contract import (
    TICKS,
    CandleInterval,
    Feature,
    FeatureName,
    MarketSnapshot,
    RecordedCandle,
)
from pump_party.domains.prop_engine.paper_venue import PaperVenue
from pump_party.domains.prop_interface.contract import FillView, Side
from pump_party.kernel.ids import CloneId, Market
from pump_party.platform.clock import ManualClock

RULE_SET = "clone-v1"
SLOT_MS = START_MS + 60 * MINUTE_MS
MINUTES = 240
CLOSE = Feature(FeatureName.CLOSE, CandleInterval.M1)
SMA = Feature(FeatureName.SMA, CandleInterval.M1, 30)
STRATEGY = prompt_strategy("hold on", features=(CLOSE, SMA), candles=0)


class OpensOnce:
    """Buys at the first slot under a condition, and then holds."""

    def __init__(self, condition: Invalidation) -> None:
        self.opening = Proposal(SOL, ProposalAction.OPEN, Direction.LONG, 250_000, invalidation=condition)
        self.seen: list[Seen] = []

    def proposals(self, plan: Plan, seen: Seen, tally: Tally) -> Sequence[Proposal] | str:
        del plan, tally
        self.seen.append(seen)
        return [self.opening if seen.slot.slot_ms == SLOT_MS else Proposal(SOL, ProposalAction.HOLD)]


def backtested(tape: RecordedTape, asker: OpensOnce, *, to_minute: int = MINUTES) -> Outcome:
    venue = PaperVenue(engine_rules(), start_ms=START_MS, seed=1, candles=tape.candles)
    decider = StrategyDecider(venue.trading.rule_sets())
    entrant = Entrant("one", content_sha256(STRATEGY), decider.plan(STRATEGY))
    to_ms = START_MS + to_minute * MINUTE_MS
    span = {"rule_set": "practice-next-v1", "from_ms": START_MS, "to_ms": to_ms}
    made = Backtest(tape, venue, decider, [entrant], asker=asker, **span)  # type: ignore[arg-type]
    return made.run(lambda _done, _total: None, lambda: False)[0]


class TapeNow:
    """The tape as market memory that is read now: as of the newest quote."""

    def __init__(self, tape: RecordedTape, platform: Platform) -> None:
        self._tape = tape
        self._platform = platform
        self.mids_e8: dict[Market, int] = {}

    def pinned(self) -> "TapeNow":
        return self

    def snapshots(
        self,
        wanted: Mapping[Market, Sequence[Feature]],
        *,
        as_of_ms: int | None,
        interval: CandleInterval,
        candles: int,
    ) -> Mapping[Market, MarketSnapshot]:
        newest_ms = as_of_ms or self._platform.quotes.latest([SOL])[SOL].publish_ms
        return self._tape.memory.snapshots(wanted, as_of_ms=newest_ms, interval=interval, candles=candles)


def live(tape: RecordedTape, condition: Invalidation, path: Path, sqlite_path: Path) -> list[FillView]:
    """Every tick of the tape to a deployed clone, as the workers bring it. Returns its fills, oldest first."""
    clock = ManualClock(START_MS)
    minutes = Minutes(SOL, tape, None, from_ms=START_MS, to_ms=START_MS + MINUTES * MINUTE_MS)
    with closing(Database(f"sqlite:///{sqlite_path}")) as database:
        platform = Platform(database, clock, str(path / "objects"))
        platform.memory = TapeNow(tape, platform)  # type: ignore[assignment]
        platform.restart()
        platform.clones.publish(ALICE, STRATEGY, "clone-1")
        platform.service.deploy(DeployClone(ALICE, CloneId("clone-1"), "key", RULE_SET))
        opening = OpensOnce(condition).opening
        for number in range(59, MINUTES):
            if START_MS + number * MINUTE_MS == SLOT_MS:
                clock.advance(SLOT_MS - clock.now_ms())
                platform.service.submit_actions(SubmitProposals(ALICE, CloneId("clone-1"), "open", (opening,)))
                platform.work.reload_conditions()
            for tick in range(1, TICKS + 1):
                quote = minutes.quote(number, tick)
                clock.advance(quote.recv_ms - clock.now_ms())
                platform.quotes.set(quote)
                platform.engine.take_ticks([quote])
                platform.work.take_ticks([quote])
        (account,) = platform.engine.accounts(ALICE)
        page = platform.engine.fills(ALICE, account.account_id, cursor=None, limit=10)
    return list(reversed(page.items))


def falling() -> list[RecordedCandle]:
    return walk(MINUTES, seed=5)


def sold(fills: Sequence[FillView]) -> list[tuple[int, int]]:
    return [(fill.evidence.publish_ms, fill.evidence.mid_e8) for fill in fills if fill.side is Side.SELL]


def lowest_e8(candles: Sequence[RecordedCandle], first: int) -> int:
    return min(candle.low_e8 for candle in candles[first:])


@pytest.mark.parametrize("kind", ["price", "feature", "crossing"])
def test_a_position_is_given_up_at_the_same_tick_live_and_in_a_backtest(
    kind: str, tmp_path: Path, sqlite_path: Path
) -> None:
    candles = falling()
    at_e8 = lowest_e8(candles, 70) + 5 * 10**6
    condition = {
        "price": Invalidation(None, Op.BELOW, at_e8),
        "feature": Invalidation(SMA, Op.BELOW, candles[60].close_e8 - 5 * 10**6),
        "crossing": Invalidation(None, Op.BELOW, None, SMA),
    }[kind]
    tape = tape_of(candles)
    outcome = backtested(tape, OpensOnce(condition))
    played = live(tape, condition, tmp_path, sqlite_path)
    assert len(sold(played)) == 1
    assert sold(outcome.fills) == sold(played)


def test_the_end_of_the_tape_does_not_change_when_it_is_given_up() -> None:
    candles = falling()
    condition = Invalidation(None, Op.BELOW, lowest_e8(candles, 70) + 5 * 10**6)
    whole = backtested(tape_of(candles), OpensOnce(condition))
    (at,) = sold(whole.fills)
    end = (at[0] - START_MS) // MINUTE_MS + 2
    told = [msgspec.structs.replace(c, high_e8=c.high_e8 + 10**8) if n >= end else c for n, c in enumerate(candles)]
    assert sold(backtested(tape_of(told), OpensOnce(condition)).fills) == [at]


def test_the_condition_is_shown_to_the_strategy_until_its_position_is_gone() -> None:
    candles = falling()
    condition = Invalidation(None, Op.BELOW, lowest_e8(candles, 130))
    asker = OpensOnce(condition)
    backtested(tape_of(candles), asker)
    held = {seen.slot.slot_ms: [held.condition for held in seen.conditions] for seen in asker.seen}
    assert held[SLOT_MS] == []
    assert held[SLOT_MS + 60 * MINUTE_MS] == [condition]


def test_a_condition_that_never_comes_true_changes_nothing() -> None:
    tape = tape_of(falling())
    never = Invalidation(None, Op.BELOW, 1)
    outcome = backtested(tape, OpensOnce(never))
    assert sold(outcome.fills) == []
    assert [row.action for row in outcome.log] == [ProposalAction.OPEN]


def test_what_was_given_up_is_in_the_log_and_in_the_hash() -> None:
    candles = falling()
    tape = tape_of(candles)
    at_e8 = lowest_e8(candles, 70) + 5 * 10**6
    outcome = backtested(tape, OpensOnce(Invalidation(None, Op.BELOW, at_e8)))
    assert [row.action for row in outcome.log] == [ProposalAction.OPEN, ProposalAction.CLOSE]
    assert outcome.log[-1].slot_ms % MINUTE_MS
    assert backtested(tape, OpensOnce(Invalidation(None, Op.BELOW, 1))).sha256 != outcome.sha256
