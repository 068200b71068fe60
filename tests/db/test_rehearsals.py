"""Dry runs and replays: decisions that trade nothing."""

from pathlib import Path

import pytest
from tests.db.platform import ALICE, BOB, Platform
from tests.domains.aitrading.answers import answer, decision, opening
from tests.domains.aitrading.worlds import MIDS_E8, SOL, SOL_PERP, prompt_strategy, rule_strategy

from pump_party.db.engine import Database
from pump_party.domains.aitrading.commands import DryRun, Replay
from pump_party.domains.aitrading.model import ProposalAction
from pump_party.domains.aitrading.model_client import ModelFailed, ModelFailure
from pump_party.domains.aitrading.run_views import FailureCode, OwnerRunView
from pump_party.domains.clones.contract import Always, Clause, Hold, InvalidStrategy, RuleNode, Target
from pump_party.kernel.errors import Invalid, NotFound
from pump_party.kernel.ids import CloneId, Market
from pump_party.platform.clock import ManualClock

BUY = rule_strategy(Clause(Always(), Target(500_000)))
PROMPT = prompt_strategy("Buy when it is cheap.")
CLONE = CloneId("clone-1")
HOUR_MS = 3_600_000


@pytest.fixture
def platform(database: Database, clock: ManualClock, tmp_path: Path) -> Platform:
    return Platform(database, clock, str(tmp_path / "objects"))


def counts(platform: Platform) -> tuple[int, int, int]:
    accounts = platform.engine.accounts(ALICE)
    orders = sum(len(platform.engine.open_orders(ALICE, a.account_id)) for a in accounts)
    return len(accounts), orders, len(platform.runs())


def test_a_dry_run_shows_everything_and_trades_nothing(platform: Platform) -> None:
    platform.clones.publish(ALICE, PROMPT, CLONE)
    platform.model.reply = lambda _: answer(opening(reason="it is cheap"))
    view = platform.service.dry_run(DryRun(ALICE, CLONE, SOL))
    assert counts(platform) == (0, 0, 0)
    assert view.prompt is not None
    assert "Buy when it is cheap." in view.prompt
    assert view.answer == answer(opening(reason="it is cheap"))
    assert [(v.allowed, v.code.value) for v in view.verdicts] == [(True, "allowed")]
    assert len(view.actions) == 1
    assert view.usage is not None
    assert platform.parts.decider.seen_in(view.context).account.cash_micros == 10_000 * 10**6


def test_a_dry_run_of_rules_needs_no_model_and_of_a_deployed_clone_sees_its_account(platform: Platform) -> None:
    platform.deploy(rule_strategy(Clause(Always(), Target(500_000, band_ppm=10_000))))
    platform.slot()
    platform.tick()
    before = counts(platform)
    view = platform.service.dry_run(DryRun(ALICE, CLONE, SOL))
    assert counts(platform) == before
    assert (view.prompt, view.answer, view.usage) == (None, None, None)
    assert view.verdicts[0].code.value == "hold"


def test_a_dry_run_decides_one_market_of_any_strategy(platform: Platform) -> None:
    platform.clones.publish(ALICE, BUY, CLONE)
    other = rule_strategy(Clause(Always(), Target(100_000)), markets=(SOL_PERP, SOL))
    view = platform.service.dry_run(DryRun(ALICE, CLONE, SOL_PERP, other))
    assert [p.market for p in view.proposals] == [SOL_PERP]
    with pytest.raises(Invalid) as refused:
        platform.service.dry_run(DryRun(ALICE, CLONE, Market("BTC-USDC"), other))
    assert refused.value.code == "market_not_in_strategy"
    with pytest.raises(NotFound):
        platform.service.dry_run(DryRun(BOB, CLONE, SOL))


def test_neither_a_dry_run_nor_a_replay_takes_what_could_not_be_published(platform: Platform) -> None:
    platform.deploy(BUY)
    platform.slot()
    (run,) = platform.runs()
    short_spot = rule_strategy(Clause(Always(), Target(-100_000)), markets=(SOL,))
    with pytest.raises(InvalidStrategy):
        platform.service.dry_run(DryRun(ALICE, run.clone_id, SOL, short_spot))
    rule = RuleNode("rule", (Clause(Always(), Target(-100_000)),))
    with pytest.raises(InvalidStrategy):
        platform.service.replay(Replay(ALICE, run.run_id, rule=rule))
    with pytest.raises(InvalidStrategy):
        platform.service.replay(Replay(ALICE, run.run_id, rule=RuleNode("rule", ())))


def test_a_dry_run_says_what_the_model_did_wrong(platform: Platform) -> None:
    platform.clones.publish(ALICE, PROMPT, CLONE)
    platform.model.reply = lambda _: "Buy!"
    assert platform.service.dry_run(DryRun(ALICE, CLONE, SOL)).unusable is not None
    platform.model.reply = lambda _: ModelFailed(ModelFailure.REFUSAL, "no")
    view = platform.service.dry_run(DryRun(ALICE, CLONE, SOL))
    assert view.failure is FailureCode.REFUSAL
    assert view.proposals == ()


def recorded(platform: Platform, prices_e8: list[int]) -> OwnerRunView:
    """A run, then the minutes after it at these prices, evenly over the hour."""
    slot_ms = platform.slot(late_ms=0)
    for minute in range(61):
        at = prices_e8[min(len(prices_e8) - 1, minute * len(prices_e8) // 60)]
        platform.candles.closes_e8[slot_ms + minute * 60_000] = at
    platform.clock.advance(HOUR_MS)
    return platform.runs()[-1]


def test_a_replay_with_a_rule_compares_what_each_would_have_made(platform: Platform) -> None:
    platform.deploy(BUY)
    mid = MIDS_E8[SOL]
    run = recorded(platform, [mid, mid * 105 // 100, mid * 110 // 100])
    orders = counts(platform)

    view = platform.service.replay(Replay(ALICE, run.run_id, rule=RuleNode("rule", (Clause(Always(), Hold()),))))

    assert counts(platform) == orders
    assert [p.action for p in view.recorded] == [ProposalAction.OPEN]
    assert [p.action for p in view.replayed] == [ProposalAction.HOLD]
    (compared,) = view.counterfactual
    assert compared.replayed_pnl_micros == 0
    assert compared.recorded_pnl_micros is not None
    # Half of 10,000 gained 10 %, less the fee of 0.07 % and half a spread and some impact.
    assert 485 * 10**6 < compared.recorded_pnl_micros < 500 * 10**6


def test_a_replay_takes_the_positions_of_the_time_along(platform: Platform) -> None:
    platform.deploy(BUY)
    platform.slot()
    platform.tick()
    mid = MIDS_E8[SOL]
    run = recorded(platform, [mid, mid * 90 // 100])
    close = RuleNode("rule", (Clause(Always(), Target(10_000)),))
    view = platform.service.replay(Replay(ALICE, run.run_id, rule=close))
    (compared,) = view.counterfactual
    assert compared.recorded_pnl_micros is not None
    assert compared.replayed_pnl_micros is not None
    assert -510 * 10**6 < compared.recorded_pnl_micros < -490 * 10**6
    assert compared.replayed_pnl_micros > -30 * 10**6


def test_a_replay_asks_another_model_or_with_other_words_about_the_same_context(platform: Platform) -> None:
    platform.model.reply = lambda _: answer(opening())
    platform.deploy(PROMPT)
    run = recorded(platform, [MIDS_E8[SOL]])
    platform.model.reply = lambda _: answer(decision())

    view = platform.service.replay(Replay(ALICE, run.run_id, model="openai:other"))
    assert view.context_sha256 == run.context_sha256
    assert [p.action for p in view.replayed] == [ProposalAction.HOLD]
    assert view.usage is not None
    assert view.usage.model == "openai:other"
    platform.service.replay(Replay(ALICE, run.run_id, prompt="Never buy anything."))
    assert "Never buy anything." in platform.model.asked[-1]
    assert "cheap" not in platform.model.asked[-1]


def test_a_replay_lets_a_model_decide_by_words_what_a_rule_decided(platform: Platform) -> None:
    platform.deploy(BUY)
    run = recorded(platform, [MIDS_E8[SOL]])
    platform.model.reply = lambda _: answer(decision())
    view = platform.service.replay(Replay(ALICE, run.run_id, model="openai:other", prompt="Never buy anything."))
    assert ([p.action for p in view.recorded], [p.action for p in view.replayed]) == (
        [ProposalAction.OPEN],
        [ProposalAction.HOLD],
    )
    assert "Never buy anything." in platform.model.asked[-1]
    assert view.usage is not None
    assert view.usage.model == "openai:other"


def test_a_replay_names_a_rule_or_a_model_and_words_and_is_the_owners_alone(platform: Platform) -> None:
    platform.deploy(BUY)
    run = recorded(platform, [MIDS_E8[SOL]])
    hold = RuleNode("rule", (Clause(Always(), Hold()),))
    for change in ({}, {"model": "openai:gpt", "rule": hold}, {"prompt": "x", "rule": hold}):
        with pytest.raises(Invalid):
            platform.service.replay(Replay(ALICE, run.run_id, **change))
    with pytest.raises(Invalid):
        platform.service.replay(Replay(ALICE, run.run_id, prompt="x"))
    with pytest.raises(NotFound):
        platform.service.replay(Replay(BOB, run.run_id, rule=RuleNode("rule", (Clause(Always(), Hold()),))))
