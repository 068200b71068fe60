"""Funding in a backtest: a position pays what a recording settled, and no rate is known before it is."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.domains.backtests.tapes import MINUTE_MS, SOL, SOL_PERP, START_MS, crossing, walk
from tests.domains.backtests.test_run import backtest

from pump_party.adapters.indicators import TaLibIndicators
from pump_party.adapters.tape_history import RecordedTape
from pump_party.bootstrap.engine import build_all_rule_sets
from pump_party.domains.backtests.funding import premium_for
from pump_party.domains.backtests.model import HOUR_MS
from pump_party.domains.clones.contract import Strategy
from pump_party.domains.marketdata.contract import CandleInterval, Feature, FeatureName
from pump_party.domains.marketdata.perp_samples import PerpSample
from pump_party.domains.marketdata.registry import load_registry
from pump_party.domains.prop_engine.margin import funding_rate_ppb_8h
from pump_party.domains.prop_engine.paper_venue import PaperVenue
from pump_party.domains.prop_interface.contract import PerpRulesView

VENUE = PaperVenue(build_all_rule_sets(load_registry()), start_ms=0, seed=1)
RULES = next(r for r in VENUE.trading.rule_sets() if r.name == "practice-next-v1")
PERP: PerpRulesView = next(p for p in RULES.perps if p.pricing.market == SOL_PERP)
SETTLED_MS = START_MS // HOUR_MS * HOUR_MS


@given(st.integers(-4_000_000, 4_000_000))
def test_a_settled_rate_is_charged_to_the_billionth(rate_1h_ppb: int) -> None:
    assert funding_rate_ppb_8h(premium_for(rate_1h_ppb, PERP), PERP) == 8 * rate_1h_ppb  # type: ignore[arg-type]


def tape(*samples: PerpSample) -> RecordedTape:
    return RecordedTape("walk", "tape", {SOL: walk(600)}, load_registry(), TaLibIndicators(), {SOL: samples})


def funding_of(played: RecordedTape, strategy: Strategy) -> int:
    made, _ = backtest(played, [strategy], 600)
    return made.run(lambda _done, _total: None, lambda: False)[0].account.funding_micros


def always_long() -> Strategy:
    return crossing(SOL_PERP, share_ppm=300_000)


def test_a_long_pays_a_positive_rate_and_is_paid_a_negative_one() -> None:
    before, after = (funding_of(tape(PerpSample(SETTLED_MS, ppb, None)), always_long()) for ppb in (90_000, -90_000))
    assert before < 0 < after


@pytest.mark.parametrize("ahead_ms", [0, 2 * HOUR_MS])
def test_a_rate_stands_from_its_settlement_for_at_most_eight_hours(ahead_ms: int) -> None:
    settled_ms = SETTLED_MS + ahead_ms
    made = tape(PerpSample(settled_ms, 90_000, None))
    stands = [settled_ms, settled_ms + 8 * HOUR_MS]
    assert [made.funding_1h_ppb(SOL_PERP, at_ms=at_ms) for at_ms in stands] == [90_000, 90_000]
    unknown = [settled_ms - 1, settled_ms + 8 * HOUR_MS + MINUTE_MS]
    assert [made.funding_1h_ppb(SOL_PERP, at_ms=at_ms) for at_ms in unknown] == [None, None]
    assert made.funding_1h_ppb(SOL, at_ms=settled_ms) is None


def test_the_funding_feature_reads_what_is_charged_and_spot_has_none() -> None:
    made = tape(PerpSample(SETTLED_MS, 90_000, None))
    wanted = {market: (Feature(FeatureName.FUNDING),) for market in (SOL, SOL_PERP)}
    found = made.memory.snapshots(wanted, as_of_ms=START_MS + 30 * MINUTE_MS, interval=CandleInterval.M1, candles=0)
    assert [found[market].readings[0].value for market in (SOL, SOL_PERP)] == [None, 90]


def test_what_funding_was_is_part_of_a_tapes_hash() -> None:
    rates = [tape(PerpSample(SETTLED_MS, ppb, None)).sha256 for ppb in (1, 2)]
    assert len({tape().sha256, *rates}) == 3
