"""Recorded results of real venues and contests, recomputed with the engine; docs/reference/evidence.md tells them."""

import subprocess
import sys
from pathlib import Path

from tests.domains.prop_engine.replays import ai_trader, alpha_arena, funding

ROOT = Path(__file__).parents[3]


def test_every_recorded_liquidation_price_and_equity_is_ours(recorded_data: Path) -> None:
    states = alpha_arena.account_states(recorded_data / "data/alpha_arena")
    assert (states.accounts, states.positions, states.prices_exact) == (3, 17, 17)
    assert (states.identities, states.identities_exact) == (2, 2)
    assert states.mark_off_max_bp < 2


def test_every_recorded_trade_follows_a_named_rule(recorded_data: Path) -> None:
    trades = alpha_arena.trades(recorded_data / "data/alpha_arena")
    assert trades.rows == trades.gross == trades.net_of_closed_pnl == trades.entry_closed_pnl == 253
    assert trades.net == 140
    assert trades.net_shown_averages == 98
    assert trades.net_below_resolution == 6
    assert trades.net_closed_with_another == 6
    assert trades.net_mixed_fee == 3
    assert trades.net_unexplained == 0
    fees = (trades.fees_exact, trades.fees_micro_up, trades.fees_average, trades.fees_mixed)
    assert sum(fees) == trades.fees == 506
    assert fees == (57, 211, 234, 4)


def test_recorded_funding_rates_follow_the_rule_with_the_clamp_of_their_time(recorded_data: Path) -> None:
    eras = funding.hyperliquid(recorded_data / "data/hyperliquid_sdk")
    assert [(era.name, era.rows, era.exact) for era in eras] == [
        ("8-hourly", 82, 82),
        ("hourly", 212, 212),
        ("plain", 677, 677),
        ("hourly", 67, 66),
    ]
    # What is recorded cannot tell a clamp of 5 bp from one of 3 bp while the premium is near the interest.
    assert [era.our_clamp for era in eras] == [17, 81, 0, 66]
    paid = funding.payments(recorded_data / "data/hyperliquid_sdk")
    assert (paid.rows, paid.right_way) == (218, 218)


def test_recorded_rates_never_reach_the_cap_and_interest_alone_costs_a_long_more(recorded_data: Path) -> None:
    for base, rows in (("SOL", 173), ("BTC", 173), ("ETH", 193)):
        seen = funding.binance(recorded_data / "data/binance_usdm_1m", base)
        assert (seen.rows, seen.beyond_cap) == (rows, 0)
        assert seen.interest_only_micros < seen.recorded_micros


def test_every_recorded_spot_action_leads_from_the_state_it_was_decided_on(recorded_data: Path) -> None:
    contest = ai_trader.contest(recorded_data / "data/ai_trader_crypto")
    assert (contest.models, contest.actions) == (6, 202)
    assert contest.cash_from_the_line_before == contest.all_from_the_line_before == 196
    assert contest.all_from_the_id_before == 202


def test_the_page_of_evidence_has_these_figures(recorded_data: Path) -> None:
    check = [sys.executable, ROOT / "scripts" / "write_evidence.py", "--check", "--data", recorded_data]
    assert subprocess.run(check, check=False).returncode == 0
