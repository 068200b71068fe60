"""A tape of made-up minutes, and strategies that trade it."""

from collections.abc import Sequence

from pump_party.adapters.indicators import TaLibIndicators
from pump_party.adapters.tape_history import RecordedTape
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
    Target,
)
from pump_party.domains.marketdata.contract import CandleInterval, Feature, FeatureName, RecordedCandle
from pump_party.domains.marketdata.registry import load_registry
from pump_party.kernel.dice import Dice
from pump_party.kernel.ids import Market

START_MS = 1_750_032_000_000
MINUTE_MS = 60_000
SOL, SOL_PERP = Market("SOL-USDC"), Market("SOL-PERP")
CENT_E8 = 10**6


def walk(minutes: int, seed: int = 1, *, skip: Sequence[int] = ()) -> list[RecordedCandle]:
    """Minutes of a random walk from 150, without those to skip."""
    dice, close_e8, candles = Dice(seed), 15_000 * CENT_E8, []
    for number in range(minutes):
        open_e8, close_e8 = close_e8, max(100 * CENT_E8, close_e8 + dice.between(-40, 40) * CENT_E8)
        high_e8 = max(open_e8, close_e8) + dice.between(0, 20) * CENT_E8
        low_e8 = min(open_e8, close_e8) - dice.between(0, 20) * CENT_E8
        if number not in skip:
            candles.append(RecordedCandle(START_MS + number * MINUTE_MS, open_e8, high_e8, low_e8, close_e8))
    return candles


def tape_of(candles: Sequence[RecordedCandle]) -> RecordedTape:
    return RecordedTape("walk", "tape", {SOL: candles}, load_registry(), TaLibIndicators())


def crossing(
    market: Market = SOL, *, every_s: int = 60, share_ppm: int = 300_000, leverage: int = 1, **exits: int
) -> Strategy:
    """Holds the market while its price is above its average of ten minutes."""
    close, average = (
        FeatureOperand(Feature(FeatureName.CLOSE, CandleInterval.M1)),
        FeatureOperand(Feature(FeatureName.SMA, CandleInterval.M1, 10)),
    )
    clauses = (
        Clause(Compare(close, Op.ABOVE, average), Target(share_ppm, leverage=leverage, band_ppm=50_000, **exits)),
        Clause(Compare(close, Op.BELOW, average), Close()),
    )
    nodes = (
        DataStreamNode("stream", CandleInterval.M1, 0, (close.feature, average.feature)),
        AssetNode("market", (market,)),
        RuleNode("rule", clauses),
        CloneNode("clone", every_s, 5, 400_000),
    )
    return Strategy("strategy/1", nodes, (Edge("stream", "market"), Edge("market", "rule"), Edge("rule", "clone")))
