"""A backtest decides and fills by the live code, sees nothing of the future, and repeats to the byte."""

from collections.abc import Sequence

import msgspec
import pytest
from tests.domains.backtests.tapes import MINUTE_MS, SOL, SOL_PERP, START_MS, crossing, tape_of, walk

from pump_party.adapters.tape_history import RecordedTape
from pump_party.bootstrap.engine import build_all_rule_sets
from pump_party.domains.aitrading.decider import StrategyDecider
from pump_party.domains.backtests.model import Entrant, Outcome
from pump_party.domains.backtests.run import Backtest, Cancelled
from pump_party.domains.clones.contract import Strategy, content_sha256
from pump_party.domains.marketdata.contract import RecordedCandle
from pump_party.domains.marketdata.registry import load_registry
from pump_party.domains.prop_engine import marks
from pump_party.domains.prop_engine.audit import audit
from pump_party.domains.prop_engine.paper_venue import PaperVenue

RULES = build_all_rule_sets(load_registry())
LATENCY_MS = 1_500


def backtest(tape: RecordedTape, strategies: Sequence[Strategy], minutes: int) -> tuple[Backtest, PaperVenue]:
    venue = PaperVenue(RULES, start_ms=START_MS, seed=1, candles=tape.candles)
    decider = StrategyDecider(venue.trading.rule_sets())
    entrants = [Entrant(f"s{n}", content_sha256(s), decider.plan(s)) for n, s in enumerate(strategies)]
    to_ms = START_MS + minutes * MINUTE_MS
    made = Backtest(tape, venue, decider, entrants, rule_set="practice-next-v1", from_ms=START_MS, to_ms=to_ms)
    return made, venue


def play(candles: Sequence[RecordedCandle], *strategies: Strategy, minutes: int = 240) -> list[Outcome]:
    made, venue = backtest(tape_of(candles), strategies, minutes)
    outcomes = made.run(lambda _done, _total: None, lambda: False)
    assert [problem for records in venue.account_records() for problem in audit(records)] == []
    return outcomes


@pytest.mark.parametrize(
    "strategy", [crossing(), crossing(SOL_PERP, share_ppm=200_000, leverage=3, stop_ppm=4_000, target_ppm=6_000)]
)
def test_the_same_tape_and_strategy_give_the_same_result_to_the_byte(strategy: Strategy) -> None:
    first, second = play(walk(240), strategy), play(walk(240), strategy)
    assert first[0].fills
    assert msgspec.json.encode(first) == msgspec.json.encode(second)
    assert play(walk(240, seed=2), strategy)[0].sha256 != first[0].sha256


def test_no_order_fills_on_a_price_that_its_decision_could_have_seen() -> None:
    (outcome,) = play(walk(240), crossing())
    assert len(outcome.fills) > 10
    for fill in outcome.fills:
        slot_ms = fill.filled_ms // MINUTE_MS * MINUTE_MS
        assert fill.evidence.publish_ms > slot_ms + LATENCY_MS


def test_the_end_of_a_tape_changes_nothing_of_what_came_before() -> None:
    candles = walk(240)
    told = [msgspec.structs.replace(c, close_e8=c.low_e8) if n > 200 else c for n, c in enumerate(candles)]
    (short,), (other,) = play(candles, crossing()), play(told, crossing())
    cut_ms = START_MS + 201 * MINUTE_MS
    before = [[f for f in outcome.fills if f.filled_ms < cut_ms] for outcome in (short, other)]
    assert before[0]
    assert msgspec.json.encode(before[0]) == msgspec.json.encode(before[1])


@pytest.mark.parametrize("every_s", [60, 900])
def test_leaving_out_the_ticks_that_concern_nobody_changes_nothing(
    every_s: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    strategy = crossing(SOL_PERP, every_s=every_s, share_ppm=250_000, leverage=5, stop_ppm=4_000, target_ppm=6_000)
    sparing = play(walk(480, skip=range(200, 203)), strategy, minutes=480)
    assert len(sparing[0].fills) > 10
    monkeypatch.setattr(PaperVenue, "watched", lambda _self: [SOL_PERP])
    monkeypatch.setattr(PaperVenue, "is_touched", lambda *_args, **_range: True)
    assert play(walk(480, skip=range(200, 203)), strategy, minutes=480)[0].sha256 == sparing[0].sha256


def test_accounts_valued_one_by_one_or_in_arrays_have_the_same_marks(monkeypatch: pytest.MonkeyPatch) -> None:
    strategies = crossing(), crossing(SOL_PERP, leverage=2)
    one_by_one = play(walk(240), *strategies)
    monkeypatch.setattr(marks, "ARRAYS_FROM", 1)
    assert [o.results for o in play(walk(240), *strategies)] == [o.results for o in one_by_one]


def test_a_hole_in_the_tape_is_a_halt_and_no_invented_price() -> None:
    hole = range(100, 130)
    (outcome,) = play(walk(240, skip=hole), crossing())
    in_hole = (START_MS + hole[0] * MINUTE_MS, START_MS + (hole[-1] + 1) * MINUTE_MS)
    assert outcome.fills
    assert not [f for f in outcome.fills if in_hole[0] <= f.filled_ms < in_hole[1]]
    assert {d.code for d in outcome.decisions} & {"price_stale", "no_price", "hold"}


def test_strategies_side_by_side_do_as_they_would_alone() -> None:
    spot, perp = crossing(), crossing(SOL_PERP, leverage=2)
    together = play(walk(240), spot, perp)
    assert [o.sha256 for o in together] == [play(walk(240), s)[0].sha256 for s in (spot, perp)]


def test_what_happens_to_others_leaves_no_mark_on_an_account() -> None:
    (alone,), (among, *_) = play(walk(240), crossing()), play(walk(240), crossing(), crossing(SOL_PERP, leverage=2))
    assert (among.results.marks, among.results.curve) == (alone.results.marks, alone.results.curve)
    assert among.results.max_drawdown_ppm == alone.results.max_drawdown_ppm


def test_every_position_is_worth_what_its_fills_say() -> None:
    (outcome,) = play(walk(240), crossing())
    assert outcome.account.residual_micros == 0
    held = sum(f.quantity_nanos if f.side.value == "buy" else -f.quantity_nanos for f in outcome.fills)
    assert held == sum(p.quantity_nanos for p in outcome.account.positions if p.market == SOL)
    assert outcome.results.fills == len(outcome.fills)
    assert outcome.slots == 239


def test_it_can_be_cancelled_and_tells_how_far_it_is() -> None:
    made, _ = backtest(tape_of(walk(240)), [crossing()], 240)
    told: list[tuple[int, int]] = []
    with pytest.raises(Cancelled):
        made.run(lambda done, total: told.append((done, total)), lambda: True)
    assert told == [(0, 240)]
