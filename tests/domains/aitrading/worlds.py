"""What tests of decisions are made of: strategies, snapshots, accounts, slots, under the rule sets that ship."""

import tomllib
from collections.abc import Sequence
from functools import cache
from importlib.resources import files
from itertools import pairwise

from msgspec.structs import replace

from pump_party.domains.aitrading.decider import StrategyDecider
from pump_party.domains.aitrading.model import PastDecision, Plan, Seen, Slot
from pump_party.domains.clones.contract import (
    AssetNode,
    Clause,
    CloneNode,
    DataStreamNode,
    Edge,
    PromptNode,
    RuleNode,
    Strategy,
)
from pump_party.domains.marketdata.contract import (
    Candle,
    CandleInterval,
    Feature,
    FeatureName,
    FeatureReading,
    MarketSnapshot,
    Quote,
)
from pump_party.domains.marketdata.registry import load_registry
from pump_party.domains.prop_engine.rule_set import RuleSet
from pump_party.domains.prop_engine.rules import build_rule_sets
from pump_party.domains.prop_engine.views import rule_set_view
from pump_party.domains.prop_interface.contract import (
    AccountKind,
    AccountView,
    PerpPositionView,
    PositionView,
    RuleSetView,
)
from pump_party.kernel.ids import AccountId, Market
from pump_party.kernel.money import E8, MICROS, NOTIONAL_DIVISOR

SOL, BTC, ETH = Market("SOL-USDC"), Market("BTC-USDC"), Market("ETH-USDC")
SOL_PERP, BTC_PERP, ETH_PERP = Market("SOL-PERP"), Market("BTC-PERP"), Market("ETH-PERP")
MARKETS = (SOL, BTC, ETH, SOL_PERP, BTC_PERP, ETH_PERP)
MIDS_E8 = {
    SOL: 142_5000_0000,
    BTC: 67_000 * E8,
    ETH: 3_500 * E8,
    SOL_PERP: 142_5000_0000,
    BTC_PERP: 67_000 * E8,
    ETH_PERP: 3_500 * E8,
}

HOUR_MS = 3_600_000
SLOT_MS = 486_111 * HOUR_MS
CASH_MICROS = 10_000 * MICROS

H1 = CandleInterval.H1
CLOSE = Feature(FeatureName.CLOSE, H1)
EMA = Feature(FeatureName.EMA, H1, 20)
RSI = Feature(FeatureName.RSI, H1, 14)
FUNDING = Feature(FeatureName.FUNDING)


@cache
def engine_rules() -> dict[str, RuleSet]:
    folder = files("pump_party.domains.prop_engine")
    rules, perpetuals = (tomllib.loads(folder.joinpath(name).read_text()) for name in ("rules.toml", "perpetuals.toml"))
    return build_rule_sets(rules, perpetuals, load_registry().assets())


@cache
def rule_sets() -> dict[str, RuleSetView]:
    return {name: rule_set_view(rules) for name, rules in engine_rules().items()}


@cache
def decider() -> StrategyDecider:
    return StrategyDecider(list(rule_sets().values()))


def rule_strategy(
    *clauses: Clause,
    markets: Sequence[Market] = (SOL,),
    features: Sequence[Feature] = (CLOSE, EMA, RSI, FUNDING),
    candles: int = 0,
    max_leverage: int = 5,
    max_position_ppm: int = 1_000_000,
    cadence_s: int = 3_600,
) -> Strategy:
    return _strategy(
        RuleNode("rule", tuple(clauses)),
        DataStreamNode("stream", H1, candles, tuple(features)),
        markets,
        CloneNode("clone", cadence_s, max_leverage, max_position_ppm),
    )


def prompt_strategy(
    text: str,
    *,
    markets: Sequence[Market] = (SOL,),
    features: Sequence[Feature] = (CLOSE, EMA, RSI, FUNDING),
    candles: int = 24,
    max_leverage: int = 5,
    max_position_ppm: int = 500_000,
) -> Strategy:
    return _strategy(
        PromptNode("prompt", text),
        DataStreamNode("stream", H1, candles, tuple(features)),
        markets,
        CloneNode("clone", 3_600, max_leverage, max_position_ppm, "openai:gpt"),
    )


def _strategy(
    decides: RuleNode | PromptNode, stream: DataStreamNode, markets: Sequence[Market], clone: CloneNode
) -> Strategy:
    nodes = (stream, AssetNode("asset", tuple(markets)), decides, clone)
    return Strategy("strategy/1", nodes, tuple(Edge(a.id, b.id) for a, b in pairwise(nodes)))


def plan(strategy: Strategy) -> Plan:
    return decider().plan(strategy)


def snapshot(
    market: Market = SOL,
    *,
    mid_e8: int | None = None,
    as_of_ms: int = SLOT_MS,
    candles: int = 24,
    **values: tuple[int | None, int | None],
) -> MarketSnapshot:
    """`values` are (now, one bar before) by feature name, in the feature's integer unit."""
    mid = MIDS_E8[market] if mid_e8 is None else mid_e8
    given = {CLOSE: (mid, mid), EMA: (mid, mid), RSI: (50_000_000, 50_000_000), FUNDING: (12, 12)}
    given |= {feature: values[feature.name.value] for feature in given if feature.name.value in values}
    return MarketSnapshot(
        market=market,
        as_of_ms=as_of_ms,
        mid_e8=mid,
        conf_e8=mid // 10_000,
        publish_ms=as_of_ms,
        feed="tape",
        tick_sha256="ab" * 32,
        readings=tuple(FeatureReading(f, *given[f]) for f in sorted(given, key=lambda feature: feature.key)),
        candles=tuple(_candle(market, mid, as_of_ms - (candles - n) * HOUR_MS) for n in range(candles)),
    )


def _candle(market: Market, price_e8: int, open_ms: int) -> Candle:
    return Candle(market, H1, open_ms, price_e8, price_e8 + E8, price_e8 - E8, price_e8, 60, True)


def account(
    *,
    cash_micros: int = CASH_MICROS,
    spot: dict[Market, int] | None = None,
    perps: dict[Market, tuple[int, int]] | None = None,
    rule_set: str = "practice-v2",
    mids: dict[Market, int] | None = None,
) -> AccountView:
    """Positions bought at the mid: `spot` in nanos, `perps` as (signed nanos, leverage)."""
    at = MIDS_E8 | (mids or {})
    positions = tuple(_spot(market, nanos, at[market]) for market, nanos in (spot or {}).items())
    shorts = tuple(_perp(market, nanos, leverage, at[market]) for market, (nanos, leverage) in (perps or {}).items())
    margin = sum(perp.margin_micros for perp in shorts)
    equity = cash_micros + margin + sum(position.value_micros or 0 for position in positions)
    return AccountView(
        account_id=AccountId("0197-account"),
        kind=AccountKind.PRACTICE,
        rule_set=rule_set,
        params_sha256="00" * 32,
        contest_eligible=False,
        cycle=1,
        opened_ms=0,
        version=7,
        seq=21,
        start_micros=CASH_MICROS,
        cash_micros=cash_micros,
        equity_micros=equity,
        realised_pnl_micros=0,
        unrealised_pnl_micros=0,
        fees_micros=0,
        residual_micros=0,
        positions=positions,
        margin_micros=margin,
        perps=shorts,
    )


def _spot(market: Market, nanos: int, mid_e8: int) -> PositionView:
    value = nanos * mid_e8 // NOTIONAL_DIVISOR
    return PositionView(market, nanos, value, 0, 0, mid_e8, 100, value, 0)


def _perp(market: Market, nanos: int, leverage: int, mid_e8: int) -> PerpPositionView:
    cost = abs(nanos) * mid_e8 // NOTIONAL_DIVISOR
    direction = 1 if nanos > 0 else -1
    return PerpPositionView(
        market, direction, abs(nanos), cost, cost // leverage, leverage, 0, 0, 0, None, mid_e8, 100, 0
    )


def slot(slot_ms: int = SLOT_MS, *, late_ms: int = 0) -> Slot:
    return Slot(slot_ms, slot_ms + 500 + late_ms, slot_ms + 30_000, slot_ms)


def seen(
    *snapshots: MarketSnapshot,
    account: AccountView,
    past: Sequence[PastDecision] = (),
    at: Slot | None = None,
    quotes: dict[Market, Quote] | None = None,
    actions_today: int = 0,
) -> Seen:
    return Seen(
        slot=at or slot(),
        account=account,
        snapshots={one.market: one for one in snapshots},
        past=tuple(past),
        quotes=quotes or {},
        actions_today=actions_today,
    )


def quote(market: Market, mid_e8: int, publish_ms: int = SLOT_MS) -> Quote:
    return Quote(market, mid_e8, mid_e8 // 10_000, publish_ms, publish_ms, 1, "tape", "cd" * 32, "tape")


def without(view: AccountView, **changes: object) -> AccountView:
    return replace(view, **changes)
