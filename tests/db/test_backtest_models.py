"""Answers of models in backtests on either database: asked once within budgets, kept sealed, and repeated by nobody."""

from collections.abc import Sequence
from pathlib import Path

import msgspec
import pytest
import sqlalchemy as sa
from tests.db.platform import PLENTY, ScriptedModel
from tests.domains.aitrading.answers import answer, opening
from tests.domains.aitrading.worlds import SOL, prompt_strategy
from tests.domains.backtests.tapes import MINUTE_MS, START_MS, tape_of, walk
from tests.domains.clones.conftest import ALICE, BOB

from pump_party.adapters.model_desk import LoopModelDesk
from pump_party.adapters.object_store import ObjectStore
from pump_party.adapters.sealed_answers import SealedAnswers
from pump_party.adapters.sealing import AesGcmSealing, PlatformKeys
from pump_party.adapters.strategy_seal import StrategySeal
from pump_party.bootstrap.engine import build_all_rule_sets
from pump_party.db.aitrading import AITradingStore
from pump_party.db.backtests_answers import AnswerStore
from pump_party.db.engine import Database
from pump_party.domains.aitrading.budget import Budget, BudgetLimits
from pump_party.domains.aitrading.decider import StrategyDecider
from pump_party.domains.aitrading.inquiry import Inquiries
from pump_party.domains.aitrading.model_client import ModelFailed, ModelFailure
from pump_party.domains.backtests import answer_book
from pump_party.domains.backtests.answer_book import AnswerBook
from pump_party.domains.backtests.model import Entrant, ModelUse, Outcome
from pump_party.domains.backtests.run import Backtest
from pump_party.domains.backtests.thinking import Thinker
from pump_party.domains.backtests.views import AskedNow, UseModels
from pump_party.domains.clones.contract import Strategy, content_sha256
from pump_party.domains.marketdata.registry import load_registry
from pump_party.domains.prop_engine.paper_venue import PaperVenue
from pump_party.kernel.ids import UserId
from pump_party.platform.clock import ManualClock
from pump_party.platform.ids import Ids

MINUTES = 300
SLOTS = 4
SECRET = "canary-only-for-the-owner"
STRATEGY = prompt_strategy(f"buy low, {SECRET}", candles=2)
RULES = build_all_rule_sets(load_registry())
TOOK = (100, 20, 120)
"""Tokens and micros of an answer of the scripted model."""


class Stand:
    def __init__(self, database: Database, clock: ManualClock, ids: Ids, folder: Path) -> None:
        self.database, self.clock, self.ids, self.folder = database, clock, ids, folder
        self.model = ScriptedModel()
        self.model.reply = lambda _: answer(opening(SOL, reason=f"because {SECRET}"))
        self.limits = BudgetLimits(PLENTY, PLENTY, PLENTY)
        self.books: list[AnswerBook] = []

    def book(self, use_models: UseModels, *, user: UserId = ALICE) -> AnswerBook:
        desk = LoopModelDesk(self.model, self.clock, calls_at_once=5)
        store = AITradingStore(self.database, self.ids)
        inquiries = Inquiries(store, desk, self.limits, self.clock, self.ids, answer_tokens_max=500)
        keys = PlatformKeys("k1:" + "11" * 32, self.folder / "keys")
        bodies = SealedAnswers(ObjectStore(str(self.folder)), StrategySeal(AesGcmSealing(keys), lambda: True))
        rows = AnswerStore(self.database)
        self.books.append(
            AnswerBook(rows, bodies, inquiries, self.clock, user_id=user, clone_id=None, use_models=use_models)
        )
        return self.books[-1]

    def play(self, use_models: UseModels, *, user: UserId = ALICE, strategy: Strategy = STRATEGY) -> Outcome:
        tape = tape_of(walk(MINUTES))
        venue = PaperVenue(RULES, start_ms=START_MS, seed=1, candles=tape.candles)
        decider = StrategyDecider(venue.trading.rule_sets())
        entrant = Entrant("thinks", content_sha256(strategy), decider.plan(strategy))
        asker = Thinker(decider, self.book(use_models, user=user), prompt_tokens_max=24_000)
        made = Backtest(
            tape,
            venue,
            decider,
            [entrant],
            rule_set="practice-next-v1",
            from_ms=START_MS,
            to_ms=START_MS + MINUTES * MINUTE_MS,
            asker=asker,
        )
        return made.run(lambda _done, _total: None, lambda: False)[0]

    def asked_now(self) -> AskedNow | None:
        return self.books[-1].asked_now()

    def spent(self) -> Sequence[tuple[str, int, int]]:
        with self.database.read() as connection:
            rows = connection.execute(sa.text("SELECT scope, tokens, micros FROM aitrading_budgets ORDER BY scope"))
            return [(row.scope, row.tokens, row.micros) for row in rows]

    def stored(self) -> str:
        """Everything the database holds of backtests, and every file of the object store."""
        with self.database.read() as connection:
            rows = [tuple(row) for row in connection.execute(sa.text("SELECT * FROM backtests_answers"))]
        files = [path.read_bytes() for path in self.folder.rglob("*") if path.is_file()]
        return repr((rows, files))


@pytest.fixture
def stand(database: Database, clock: ManualClock, ids: Ids, tmp_path: Path) -> Stand:
    return Stand(database, clock, ids, tmp_path / "objects")


def codes(outcome: Outcome) -> dict[str, int]:
    return {decision.code: decision.count for decision in outcome.decisions}


def test_without_kept_answers_nobody_is_asked_and_every_decision_is_missing(stand: Stand) -> None:
    outcome = stand.play(UseModels.RECORDED)
    assert codes(outcome) == {"answer_missing": SLOTS}
    assert outcome.models == ModelUse(SLOTS, SLOTS, 0, 0, 0, 0, 0)
    assert (stand.model.asked, stand.asked_now(), outcome.fills) == ([], None, ())


def test_what_was_asked_once_is_repeated_to_the_byte_without_asking(stand: Stand) -> None:
    asked = stand.play(UseModels.ASK)
    assert stand.asked_now() == AskedNow(SLOTS, SLOTS * TOOK[2], 0, None)
    assert len(stand.model.asked) == SLOTS
    stand.model.reply = lambda _: ModelFailed(ModelFailure.PROVIDER_DOWN, "there is no network")
    for use_models in (UseModels.RECORDED, UseModels.ASK):
        again = stand.play(use_models)
        assert msgspec.json.encode(again) == msgspec.json.encode(asked)
    assert len(stand.model.asked) == SLOTS
    assert asked.fills
    assert asked.models == ModelUse(SLOTS, 0, 0, SLOTS * TOOK[0], SLOTS * TOOK[1], SLOTS * TOOK[2], 0)


def test_another_prompt_and_another_model_are_other_questions(stand: Stand) -> None:
    stand.play(UseModels.ASK)
    words = prompt_strategy("sell high", candles=2)
    assert codes(stand.play(UseModels.RECORDED, strategy=words)) == {"answer_missing": SLOTS}
    nodes = [msgspec.structs.replace(n, model="openai:other") if n.id == "clone" else n for n in STRATEGY.nodes]
    other = msgspec.structs.replace(STRATEGY, nodes=tuple(nodes))
    assert codes(stand.play(UseModels.RECORDED, strategy=other)) == {"answer_missing": SLOTS}


def test_nobody_goes_by_the_answers_of_somebody_else(stand: Stand) -> None:
    stand.play(UseModels.ASK)
    assert codes(stand.play(UseModels.RECORDED, user=BOB)) == {"answer_missing": SLOTS}


def test_calls_are_paid_from_the_three_budgets_and_refused_beyond_one(stand: Stand) -> None:
    reserve = Budget(tokens=10_000, micros=10**9)
    stand.limits = BudgetLimits(reserve, PLENTY, PLENTY)
    outcome = stand.play(UseModels.ASK)
    assert codes(outcome).keys() >= {"allowed"}
    assert stand.spent() == [(scope, SLOTS * 120, SLOTS * 120) for scope in ("clone", "owner", "platform")]
    stand.limits = BudgetLimits(Budget(0, 0), PLENTY, PLENTY)
    other = stand.play(UseModels.ASK, strategy=prompt_strategy("sell high", candles=2))
    assert codes(other) == {"answer_missing": SLOTS}
    assert stand.asked_now() == AskedNow(0, 0, 0, "budget_exhausted")


def test_a_backtest_asks_so_often_and_no_more(stand: Stand, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(answer_book, "MODEL_CALLS_MAX", 3)
    outcome = stand.play(UseModels.ASK)
    assert outcome.models is not None
    assert (outcome.models.questions, outcome.models.missing) == (SLOTS, SLOTS - 3)
    assert stand.asked_now() == AskedNow(3, 3 * TOOK[2], 0, "model_calls_exhausted")
    assert stand.play(UseModels.RECORDED).sha256 == outcome.sha256


def test_a_failure_is_repeated_as_it_was_and_asking_tries_it_again(stand: Stand) -> None:
    well = stand.model.reply
    stand.model.reply = lambda _: ModelFailed(ModelFailure.TIMEOUT, "nothing came")
    failed = stand.play(UseModels.ASK)
    assert codes(failed) == {"timeout": SLOTS}
    assert stand.play(UseModels.RECORDED).sha256 == failed.sha256
    stand.model.reply = well
    assert codes(stand.play(UseModels.ASK)).keys() >= {"allowed"}


@pytest.mark.parametrize("said", ["no", "{}", answer(opening("BTC-USDC"))])
def test_an_answer_that_is_no_decision_is_paid_once_and_never_repaired(stand: Stand, said: str) -> None:
    stand.model.reply = lambda _: said
    outcome = stand.play(UseModels.ASK)
    assert codes(outcome) == {"invalid_output": SLOTS}
    assert outcome.models is not None
    assert outcome.models.failed == SLOTS
    stand.play(UseModels.ASK)
    assert len(stand.model.asked) == SLOTS


def test_a_model_that_is_not_offered_is_not_asked(stand: Stand) -> None:
    stand.model.offered = lambda: ()  # type: ignore[method-assign]
    stand.play(UseModels.ASK)
    assert stand.asked_now() == AskedNow(0, 0, 0, "model_not_offered")


def test_the_oldest_answers_beyond_the_limit_go(stand: Stand, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("pump_party.db.backtests_answers.ANSWERS_PER_USER_MAX", 2)
    stand.play(UseModels.ASK)
    outcome = stand.play(UseModels.RECORDED)
    assert outcome.models is not None
    assert outcome.models.missing >= SLOTS - 2


def test_what_owner_and_model_said_is_stored_nowhere_in_the_open(stand: Stand) -> None:
    outcome = stand.play(UseModels.ASK)
    told = stand.stored() + repr(msgspec.json.encode(outcome))
    assert SECRET not in told
    assert len(told) > 2_000
