"""Clones of prompts on a real database: what models answer, fail to answer, and what it costs."""

import time
from pathlib import Path

import msgspec
import pytest
from tests.db.platform import ALICE, BOB, MODEL, Platform
from tests.domains.aitrading.answers import answer, decision, opening
from tests.domains.aitrading.worlds import prompt_strategy

from pump_party.db.engine import Database
from pump_party.domains.aitrading.budget import CLONE, OWNER, PLATFORM, Budget, BudgetLimits
from pump_party.domains.aitrading.commands import DeployClone
from pump_party.domains.aitrading.model_client import ModelFailed, ModelFailure, ModelUsage
from pump_party.domains.aitrading.run_views import ArtifactKind, OwnerRunView, RunState
from pump_party.domains.aitrading.slots import DAY_MS
from pump_party.kernel.errors import Conflict
from pump_party.kernel.ids import CloneId
from pump_party.platform.clock import ManualClock

PROMPT = prompt_strategy("canary-prompt: buy when it is cheap.")
PLENTY = Budget(tokens=10**9, micros=10**12)


@pytest.fixture
def platform(database: Database, clock: ManualClock, tmp_path: Path) -> Platform:
    return Platform(database, clock, str(tmp_path / "objects"))


def decided(platform: Platform, reply: object) -> OwnerRunView:
    """What the next slot of a fresh clone comes to."""
    platform.model.reply = reply if callable(reply) else lambda _: reply  # type: ignore[assignment, return-value]
    clone = f"clone-{len(platform.clones.owners)}"
    platform.deploy(PROMPT, clone)
    platform.slot()
    platform.service.stop(ALICE, clone)
    (run,) = platform.runs(clone)
    return run


def test_an_answer_by_the_schema_is_gated_sized_and_traded(platform: Platform) -> None:
    run = decided(platform, answer(opening(reason="canary-reason")))
    assert run.state is RunState.EXECUTED
    assert run.decisions[0].proposal.reason == "canary-reason"
    assert run.usage is not None
    assert (run.usage.model, run.usage.calls, run.usage.cost_micros, run.usage.price_table) == (
        MODEL,
        1,
        120,
        "table-1",
    )
    bodies = {kind: platform.service.artifact(ALICE, run.run_id, kind).body for kind in ArtifactKind}
    assert b"canary-prompt" in bodies[ArtifactKind.PROMPT]
    assert b"canary-reason" in bodies[ArtifactKind.ANSWER]
    assert b"canary" not in bodies[ArtifactKind.CONTEXT]


@pytest.mark.parametrize(
    ("reply", "code", "calls"),
    [
        (ModelFailed(ModelFailure.REFUSAL, "no", usage=ModelUsage(100, 5, 105)), "refusal", 1),
        (ModelFailed(ModelFailure.TIMEOUT, "slow"), "timeout", 1),
        (ModelFailed(ModelFailure.INVALID_OUTPUT, "not JSON", text="Buy!"), "invalid_output", 1),
        (ModelFailed(ModelFailure.PROVIDER_DOWN, "500"), "provider_down", 2),
        (ModelFailed(ModelFailure.RATE_LIMITED, "429", retry_after_ms=10), "provider_down", 2),
        (ModelFailed(ModelFailure.RATE_LIMITED, "429", retry_after_ms=3_600_000), "provider_down", 1),
        (ModelFailed(ModelFailure.NOT_CONFIGURED, "401"), "provider_down", 1),
        (answer(opening(action="withdraw")), "invalid_output", 1),
        (answer(decision("DOGE-USDC")), "invalid_output", 1),
        ("[]", "invalid_output", 1),
    ],
)
def test_what_is_no_decision_is_recorded_and_never_repaired(
    platform: Platform, reply: str | ModelFailed, code: str, calls: int
) -> None:
    run = decided(platform, reply)
    assert (run.state, run.code) == (RunState.FAILED, code)
    assert run.decisions == ()
    assert run.answer_sha256 is not None
    assert run.usage is not None
    assert run.usage.calls == calls
    assert len(platform.model.asked) == calls


def test_a_provider_that_recovers_within_the_deadline_is_asked_once_more(platform: Platform) -> None:
    def reply(_: str) -> str | ModelFailed:
        first = len(platform.model.asked) == 1
        return ModelFailed(ModelFailure.PROVIDER_DOWN, "503", retry_after_ms=5) if first else answer(opening())

    run = decided(platform, reply)
    assert run.state is RunState.EXECUTED
    assert run.usage is not None
    assert run.usage.calls == 2


def test_an_error_of_the_client_costs_one_clone_its_slot_and_no_other(platform: Platform) -> None:
    bugs = [KeyError("a bug in a library")]

    def reply(_: str) -> str:
        if bugs:
            raise bugs.pop()
        return answer(opening())

    platform.model.reply = reply
    for number in range(3):
        platform.deploy(PROMPT, f"clone-{number}")
    platform.slot()
    states = [platform.runs(f"clone-{number}")[0].state for number in range(3)]
    assert sorted(states) == [RunState.EXECUTED, RunState.EXECUTED, RunState.FAILED]


def test_a_proposal_beyond_the_limits_is_rejected_by_the_gates(platform: Platform) -> None:
    run = decided(platform, answer(opening(share="1", leverage=1)))
    assert (run.state, run.code) == (RunState.REJECTED, "size_above_limit")


def test_a_model_that_answers_after_the_deadline_does_nothing(platform: Platform) -> None:
    def reply(_: str) -> str:
        platform.clock.advance(61_000)
        return answer(opening())

    run = decided(platform, reply)
    assert run.state is RunState.LATE
    assert run.usage is not None


def test_a_price_that_is_not_known_is_none_and_counts_in_tokens_alone(platform: Platform) -> None:
    platform.model.micros_per_token = None
    run = decided(platform, answer(opening()))
    assert run.usage is not None
    assert run.usage.cost_micros is None
    clone = run.clone_id
    usage = platform.service.usage(ALICE, clone)
    assert (usage.models[0].cost_micros, usage.models[0].unpriced_calls, usage.spent_micros) == (0, 1, 0)
    assert platform.parts.store.spent(run.slot_ms // DAY_MS, CLONE, clone).tokens == 120


def most_of_one_call(database: Database, clock: ManualClock, objects: str) -> int:
    """What a call may take at most, which stays charged for when nobody knows what became of it. The day is over."""
    platform = Platform(database, clock, objects)
    run = decided(platform, ModelFailed(ModelFailure.TIMEOUT, "slow"))
    clock.advance(DAY_MS)
    return platform.parts.store.spent(run.slot_ms // DAY_MS, CLONE, run.clone_id).tokens


@pytest.mark.parametrize("scope", [CLONE, OWNER, PLATFORM])
def test_a_budget_is_reserved_before_the_call_and_stops_a_runaway_clone(
    database: Database, clock: ManualClock, tmp_path: Path, scope: str
) -> None:
    objects = str(tmp_path / "objects")
    tight = Budget(tokens=most_of_one_call(database, clock, objects) + 5 * 120, micros=10**9)
    limits = BudgetLimits(*(tight if name == scope else PLENTY for name in (CLONE, OWNER, PLATFORM)))
    clock.advance(DAY_MS - clock.now_ms() % DAY_MS)
    platform = Platform(database, clock, objects, limits=limits)
    platform.model.reply = lambda _: answer(decision())
    platform.deploy(PROMPT)
    codes: list[str | None] = []
    while "budget_exhausted" not in codes:
        platform.slot()
        codes.append(platform.runs()[-1].code)
    assert 3 <= codes.count(None) <= 6, "calls are settled by what they took, so that several fit"
    assert len(platform.model.asked) == codes.count(None)
    day = platform.runs()[-1].slot_ms // DAY_MS
    subject = {CLONE: "clone-1", OWNER: ALICE, PLATFORM: ""}[scope]
    assert platform.parts.store.spent(day, scope, subject).tokens == 120 * codes.count(None)

    others = {CLONE: ("clone-2", ALICE), OWNER: ("clone-2", BOB)}
    if scope in others:
        clone, owner = others[scope]
        platform.deploy(PROMPT, clone, owner)
        platform.slot()
        assert platform.runs(clone, owner)[0].state is RunState.HELD, "the budget of another is not touched"
    while platform.clock.now_ms() // DAY_MS == day:
        platform.slot()
    assert platform.runs()[-1].code is None, "a new day is a new budget"


def test_calls_at_once_never_overrun_a_budget(database: Database, clock: ManualClock, tmp_path: Path) -> None:
    objects = str(tmp_path / "objects")
    most = most_of_one_call(database, clock, objects)
    limits = BudgetLimits(PLENTY, PLENTY, Budget(tokens=most * 7 + 100, micros=10**9))
    platform = Platform(database, clock, objects, limits=limits)
    platform.model.reply = lambda _: answer(decision())
    for number in range(12):
        platform.deploy(PROMPT, f"many-{number}")
    platform.slot()
    codes = [platform.runs(f"many-{number}")[0].code for number in range(12)]
    assert codes.count(None) == 7
    assert codes.count("budget_exhausted") == 5
    assert len(platform.model.asked) == 7


def test_a_timeout_stays_charged_for_since_nobody_knows(platform: Platform) -> None:
    run = decided(platform, ModelFailed(ModelFailure.TIMEOUT, "slow"))
    assert platform.parts.store.spent(run.slot_ms // DAY_MS, CLONE, run.clone_id).tokens > 1_000


def test_two_hundred_models_are_asked_at_once(sqlite_database: Database, clock: ManualClock, tmp_path: Path) -> None:
    platform = Platform(sqlite_database, clock, str(tmp_path / "objects"))
    platform.model.reply = lambda _: answer(decision())
    platform.model.after_s = 1.0
    for number in range(40):
        platform.deploy(PROMPT, f"clone-{number}")
    started = time.monotonic()
    platform.slot()
    assert time.monotonic() - started < 10
    assert {platform.runs(f"clone-{n}")[0].state for n in range(40)} == {RunState.HELD}


def test_a_model_that_is_not_offered_is_refused_at_deployment(platform: Platform) -> None:
    strategy = prompt_strategy("x")
    clone = msgspec.structs.replace(strategy.nodes[-1], model="nobody:x")
    strategy = msgspec.structs.replace(strategy, nodes=(*strategy.nodes[:-1], clone))
    platform.clones.publish(ALICE, strategy, "clone-1")
    with pytest.raises(Conflict) as refused:
        platform.service.deploy(DeployClone(ALICE, CloneId("clone-1"), "k"))
    assert refused.value.code == "model_not_offered"


def test_usage_sums_the_day(platform: Platform) -> None:
    platform.model.reply = lambda _: answer(decision())
    platform.deploy(PROMPT)
    while platform.clock.now_ms() % DAY_MS > 3_600_000:
        platform.clock.advance(3_600_000)
    for job in platform.work.due_slots():
        platform.work.work_off(job)
    for _ in range(3):
        platform.slot()
    usage = platform.service.usage(ALICE, "clone-1")
    (model,) = usage.models
    assert model.calls == len(platform.model.asked)
    assert (model.tokens_in, model.tokens_out) == (100 * model.calls, 20 * model.calls)
    assert usage.spent_micros == 120 * model.calls
    assert model.latency_p95_ms == 40


def test_metrics_count_outcomes_and_never_name_a_clone(platform: Platform) -> None:
    decided(platform, answer(opening(reason="canary-reason")))
    decided(platform, ModelFailed(ModelFailure.REFUSAL, "canary-detail"))
    text = platform.metrics.render().decode()
    assert 'pump_party_decisions_total{outcome="executed"} 1.0' in text
    assert 'pump_party_decisions_total{outcome="failed:refusal"} 1.0' in text
    assert 'pump_party_model_calls_total{outcome="refusal",provider="openai"} 1.0' in text
    assert "canary" not in text
    assert "clone-" not in text
