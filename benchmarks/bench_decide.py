"""Decide by rules for six markets: evaluated, gated and sized, with and without the context's bytes and hash."""

import time
from collections.abc import Sequence

from benchmarks.report import AT_MOST, Row, Target
from pump_party.bootstrap.engine import build_all_rule_sets
from pump_party.domains.aitrading.contract import Plan, Seen, Slot
from pump_party.domains.aitrading.decider import StrategyDecider
from pump_party.domains.clones.contract import (
    AllOf,
    AssetNode,
    Clause,
    CloneNode,
    Close,
    Compare,
    DataStreamNode,
    Edge,
    FeatureOperand,
    Not,
    NumberOperand,
    Op,
    RuleNode,
    Strategy,
)
from pump_party.domains.clones.contract import (
    Target as Position,
)
from pump_party.domains.marketdata.contract import (
    CandleInterval,
    Feature,
    FeatureName,
    FeatureReading,
    FeatureUnit,
    MarketSnapshot,
)
from pump_party.domains.marketdata.registry import load_registry
from pump_party.domains.prop_engine.views import rule_set_view
from pump_party.domains.prop_interface.contract import AccountKind, AccountView
from pump_party.kernel.ids import AccountId, Market
from pump_party.kernel.money import E8, MICROS

BUDGET_US_PER_MARKET = 60
ROUNDS = 7
MIDS = {
    Market("SOL-USDC"): 142 * E8,
    Market("BTC-USDC"): 67_000 * E8,
    Market("ETH-USDC"): 3_500 * E8,
    Market("SOL-PERP"): 142 * E8,
    Market("BTC-PERP"): 67_000 * E8,
    Market("ETH-PERP"): 3_500 * E8,
}
SLOT_MS = 1_750_003_200_000
FAST = Feature(FeatureName.EMA, CandleInterval.M5, 20)
SLOW = Feature(FeatureName.EMA, CandleInterval.M5, 60)
STRENGTH = Feature(FeatureName.RSI, CandleInterval.M5, 14)


def run(*, quick: bool) -> list[Row]:
    decisions = 200 if quick else 2_000
    decider = StrategyDecider([rule_set_view(rules) for rules in build_all_rule_sets(load_registry()).values()])
    plan = decider.plan(_strategy())
    rows = []
    for does, trend_e8 in (("trades", E8), ("holds", 0)):
        seen = _seen(trend_e8=trend_e8)
        _prove(decider, plan, seen, trades=trend_e8 > 0)
        for with_context in (True, False):
            samples = [_micros(decider, plan, seen, decisions, with_context=with_context) for _ in range(ROUNDS)]
            rows.append(
                Row(
                    name=f"every market {does}, {'context and hash included' if with_context else 'without a context'}",
                    unit="us/market (CPU)",
                    samples=tuple(samples),
                    target=Target(AT_MOST, BUDGET_US_PER_MARKET, of_ratio=False),
                )
            )
    return rows


def _micros(decider: StrategyDecider, plan: Plan, seen: Seen, decisions: int, *, with_context: bool) -> float:
    started = time.process_time()
    for _ in range(decisions):
        decider.decide(plan, seen, with_context=with_context)
    return (time.process_time() - started) * 1e6 / decisions / len(MIDS)


def _prove(decider: StrategyDecider, plan: Plan, seen: Seen, *, trades: bool) -> None:
    allowed = {verdict.allowed for verdict in decider.decide(plan, seen).verdicts}
    if allowed != {trades}:
        raise RuntimeError(f"the markets were to {'trade' if trades else 'hold'}")


def _strategy() -> Strategy:
    up = AllOf(
        (
            Compare(FeatureOperand(FAST), Op.ABOVE, FeatureOperand(SLOW)),
            Not(Compare(FeatureOperand(STRENGTH), Op.ABOVE, NumberOperand("70", FeatureUnit.INDEX))),
        )
    )
    down = Compare(FeatureOperand(FAST), Op.BELOW, FeatureOperand(SLOW))
    nodes = (
        DataStreamNode("stream", CandleInterval.M5, 0, (FAST, STRENGTH, SLOW)),
        AssetNode("asset", tuple(MIDS)),
        RuleNode("rule", (Clause(down, Close()), Clause(up, Position(150_000, stop_ppm=20_000, target_ppm=40_000)))),
        CloneNode("clone", 60),
    )
    edges = ("stream asset", "asset rule", "rule clone")
    return Strategy("strategy/1", nodes, tuple(Edge(*edge.split()) for edge in edges))


def _seen(*, trend_e8: int) -> Seen:
    slot = Slot(SLOT_MS, SLOT_MS, SLOT_MS + 30_000, SLOT_MS)
    return Seen(slot, _account(), {market: _snapshot(market, _readings(market, trend_e8)) for market in MIDS})


def _readings(market: Market, trend_e8: int) -> tuple[FeatureReading, ...]:
    slow = MIDS[market]
    values: Sequence[tuple[Feature, int]] = ((FAST, slow + trend_e8), (SLOW, slow), (STRENGTH, 55_000_000))
    return tuple(FeatureReading(feature, value, value) for feature, value in values)


def _snapshot(market: Market, readings: tuple[FeatureReading, ...]) -> MarketSnapshot:
    mid = MIDS[market]
    return MarketSnapshot(market, SLOT_MS, mid, mid // 10_000, SLOT_MS, "tape", "ab" * 32, readings, ())


def _account() -> AccountView:
    cash = 10_000 * MICROS
    return AccountView(
        account_id=AccountId("benchmark"),
        kind=AccountKind.PRACTICE,
        rule_set="practice-v2",
        params_sha256="00" * 32,
        contest_eligible=False,
        cycle=1,
        opened_ms=0,
        version=1,
        seq=1,
        start_micros=cash,
        cash_micros=cash,
        equity_micros=cash,
        realised_pnl_micros=0,
        unrealised_pnl_micros=0,
        fees_micros=0,
        residual_micros=0,
        positions=(),
    )
