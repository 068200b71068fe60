"""A recorded month of minutes played to strategies: one over three markets, and a hundred at once over one.

The loop is timed from its first minute to its result, reading the recording apart from it. Beside the hundred stands
NautilusTrader with the same crosses of averages over the same closes, without orders in flight for a second and a
half, postings, hash chains and results. Beside them also stands backtesting.py, one strategy after the other, with
statistics at the end, a spread, and no other costs.
"""

import statistics
import sys
import time
from collections.abc import Sequence

from benchmarks.backtesting_py import cross_one_by_one, is_installed
from benchmarks.exchange import frozen_garbage
from benchmarks.nautilus import Replayed, cross
from benchmarks.recording import SOL_MINUTES, read_closes
from benchmarks.report import AT_LEAST, Row, Target
from pump_party.adapters.indicators import TaLibIndicators
from pump_party.adapters.tape_history import RecordedTape, read_tape
from pump_party.bootstrap.backtests import NamedStrategy, NoAnswers, load_strategy, play
from pump_party.domains.backtests.contract import MINUTE_MS, Played
from pump_party.domains.clones.contract import (
    AssetNode,
    Clause,
    CloneNode,
    Close,
    Compare,
    DataStreamNode,
    Edge,
    FeatureOperand,
    Op,
    RuleNode,
    Strategy,
)
from pump_party.domains.clones.contract import (
    Target as Share,
)
from pump_party.domains.marketdata.contract import CandleInterval, Feature, FeatureName
from pump_party.domains.marketdata.registry import Registry, load_registry
from pump_party.kernel.ids import Market

ROUNDS = 3
STRATEGIES = 100
MINUTES_OF_MANY, QUICK_MINUTES_OF_MANY = 1_440, 360
FAST_SHORTEST, SLOWER_BY = 8, 20
HALF_SPREAD_PPM = 100
SHARE_PPM = 100_000
RULE_SET = "practice-next-v1"
SOL = Market("SOL-USDC")
ONE = Target(AT_LEAST, 100_000, of_ratio=False)


def run(*, quick: bool) -> list[Row]:
    if not SOL_MINUTES.is_file():
        print(f"left out: backtests need {SOL_MINUTES}; PUMP_PARTY_TEST_DATA names another folder", file=sys.stderr)
        return []
    registry = load_registry()
    began, cpu_began = time.perf_counter(), time.process_time()
    tape = read_tape(SOL_MINUTES.parent, registry, TaLibIndicators(), lambda _name, _rows: None)
    read_s, read_cpu_s = time.perf_counter() - began, time.process_time() - cpu_began
    return [_one(tape, registry, read_s, read_cpu_s), *_many(tape, registry, quick=quick)]


def _one(tape: RecordedTape, registry: Registry, read_s: float, read_cpu_s: float) -> Row:
    taken = [_timed([load_strategy("house:momentum")], tape, registry, None) for _ in range(ROUNDS)]
    played, _, _ = taken[0]
    (outcome,) = played.outcomes
    cpu_s = statistics.median(cpu for _, _, cpu in taken)
    return Row(
        name="one clone, 30 days of SOL, BTC and ETH",
        unit="candles/s",
        samples=tuple(played.candles / seconds for played, seconds, _ in taken),
        target=ONE,
        note=f"{played.candles:,} candles, {outcome.slots:,} slots, {outcome.results.fills} fills, CPU {cpu_s:.2f} s "
        f"({played.candles / cpu_s:,.0f} candles per CPU second); reading the recording before took {read_s:.1f} s "
        f"(CPU {read_cpu_s:.1f} s)",
    )


def _many(tape: RecordedTape, registry: Registry, *, quick: bool) -> list[Row]:
    minutes = QUICK_MINUTES_OF_MANY if quick else MINUTES_OF_MANY
    crosses = [NamedStrategy(f"cross {n}", _cross(FAST_SHORTEST + n)) for n in range(STRATEGIES)]
    mine, peers, others = [], [], []
    for _ in range(1 if quick else ROUNDS):
        mine.append(_timed(crosses, tape, registry, minutes))
        closes = read_closes(SOL_MINUTES)[:minutes]
        peers.append(_filled(cross(closes, strategies=STRATEGIES, half_spread_ppm=HALF_SPREAD_PPM)))
        if is_installed():
            others.append(cross_one_by_one(closes, strategies=STRATEGIES, half_spread_ppm=HALF_SPREAD_PPM))
    work = STRATEGIES * minutes
    fills = sum(outcome.results.fills for outcome in mine[0][0].outcomes)
    cpu_us, peer_us = (statistics.median(cpus) / work * 1e6 for cpus in ([m[2] for m in mine], _cpus(peers)))
    samples = tuple(work / seconds for _, seconds, _ in mine)
    rows = [
        Row(
            name=f"{STRATEGIES} clones at once, EMA cross on SOL, deciding every minute",
            unit="clone-candles/s",
            samples=samples,
            peer_name=f"NautilusTrader {peers[0].version}, strategy-ticks/s",
            peer_samples=tuple(work / peer.seconds for peer in peers),
            note=f"{minutes:,} minutes; {fills:,} fills here, {peers[0].filled:,} there; CPU {cpu_us:.1f} us a "
            f"clone-candle, NautilusTrader {peer_us:.1f} us",
        )
    ]
    if others:
        other_us = statistics.median(_cpus(others)) / work * 1e6
        rows.append(
            Row(
                name=f"the same, beside {STRATEGIES} runs one after the other",
                unit="clone-candles/s",
                samples=samples,
                peer_name=f"backtesting.py {others[0].version}, strategy-ticks/s",
                peer_samples=tuple(work / other.seconds for other in others),
                note=f"{others[0].filled:,} fills there; CPU {other_us:.1f} us a strategy-tick",
            )
        )
    else:
        print("left out: backtesting.py is not installed: run `make bench`", file=sys.stderr)
    return rows


def _timed(
    strategies: Sequence[NamedStrategy], tape: RecordedTape, registry: Registry, minutes: int | None
) -> tuple[Played, float, float]:
    to_ms = None if minutes is None else tape.span_ms([SOL])[0] + minutes * MINUTE_MS
    with frozen_garbage():
        began, cpu_began = time.perf_counter(), time.process_time()
        played = play(
            strategies,
            tape,
            registry,
            from_ms=None,
            to_ms=to_ms,
            rule_set=RULE_SET,
            tell=lambda _done, _total: None,
            answers=NoAnswers(),
            prompt_tokens_max=0,
        )
        return played, time.perf_counter() - began, time.process_time() - cpu_began


def _filled(replayed: Replayed) -> Replayed:
    if replayed.filled < replayed.orders - STRATEGIES or not replayed.filled:
        raise RuntimeError(f"NautilusTrader: only {replayed.filled} of {replayed.orders} orders filled")
    return replayed


def _cpus(peers: Sequence[Replayed]) -> list[float]:
    return [peer.cpu_seconds for peer in peers]


def _cross(fast: int) -> Strategy:
    faster, slower = (
        FeatureOperand(Feature(FeatureName.EMA, CandleInterval.M1, period)) for period in (fast, fast + SLOWER_BY)
    )
    clauses = (
        Clause(Compare(faster, Op.ABOVE, slower), Share(SHARE_PPM, band_ppm=SHARE_PPM // 2)),
        Clause(Compare(faster, Op.BELOW, slower), Close()),
    )
    nodes = (
        DataStreamNode("stream", CandleInterval.M1, 0, (faster.feature, slower.feature)),
        AssetNode("market", (SOL,)),
        RuleNode("rule", clauses),
        CloneNode("clone", 60, 1, SHARE_PPM),
    )
    return Strategy("strategy/1", nodes, (Edge("stream", "market"), Edge("market", "rule"), Edge("rule", "clone")))
