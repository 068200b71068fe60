"""What a strategy with prompts decides in a backtest: by answers that are kept, so that the same ones decide the same.

A question is known by what the decision saw, by the model, and by the prompt as rendered: another of any of them is
another question. Where there is no answer the decision is left out and counted.
"""

from collections.abc import Sequence
from hashlib import sha256
from typing import Protocol

import msgspec

from pump_party.domains.aitrading.contract import Decider, Plan, Proposal, Question, Seen, Unusable
from pump_party.domains.backtests.model import ModelUse
from pump_party.kernel.errors import Invalid

ANSWER_MISSING = "answer_missing"
"""Nothing is kept for the question, and nobody was asked."""

INVALID_OUTPUT = "invalid_output"


class Asked(msgspec.Struct, frozen=True):
    """A question of a backtest."""

    context_sha256: str
    model: str
    question: Question

    @property
    def key(self) -> str:
        parts = (self.context_sha256, self.model, self.question.template, self.question.sha256)
        return sha256("|".join(parts).encode()).hexdigest()


class KeptAnswer(msgspec.Struct, frozen=True):
    """What a model answered, to the byte, and what that took. `failure` says why it is no answer."""

    text: str
    failure: str | None
    tokens_in: int
    tokens_out: int
    cost_micros: int | None


class Answers(Protocol):
    """Where answers come from."""

    def of(self, asked: Sequence[Asked]) -> Sequence[KeptAnswer] | None:
        """In the order of the questions; None where one is missing."""
        ...


class Tally:
    """Counts it."""

    def __init__(self) -> None:
        self.questions = self.missing = self.failed = 0
        self.tokens_in = self.tokens_out = self.cost_micros = self.unpriced = 0

    def take(self, answers: Sequence[KeptAnswer]) -> None:
        for one in answers:
            self.tokens_in += one.tokens_in
            self.tokens_out += one.tokens_out
            self.cost_micros += one.cost_micros or 0
            self.unpriced += one.cost_micros is None

    def use(self) -> ModelUse:
        return ModelUse(
            self.questions,
            self.missing,
            self.failed,
            self.tokens_in,
            self.tokens_out,
            self.cost_micros,
            self.unpriced,
        )


class Thinker:
    """Implements `run.Asker` with answers from wherever they are kept."""

    def __init__(self, decider: Decider, answers: Answers, *, prompt_tokens_max: int) -> None:
        self._decider = decider
        self._answers = answers
        self._prompt_tokens_max = prompt_tokens_max

    def proposals(self, plan: Plan, seen: Seen, tally: Tally) -> Sequence[Proposal] | str:
        try:
            questions = self._decider.questions(plan, seen, budget_tokens=self._prompt_tokens_max)
        except Invalid as refusal:
            tally.failed += 1
            return refusal.code
        tally.questions += len(questions)
        answers: Sequence[KeptAnswer] | None = ()
        if questions:
            assert plan.model is not None
            context_sha256 = self._decider.context(plan, seen).sha256
            answers = self._answers.of([Asked(context_sha256, plan.model, question) for question in questions])
        if answers is None:
            tally.missing += 1
            return ANSWER_MISSING
        tally.take(answers)
        read = self._read(plan, seen, questions, answers)
        if isinstance(read, str):
            tally.failed += 1
        return read

    def _read(
        self, plan: Plan, seen: Seen, questions: Sequence[Question], answers: Sequence[KeptAnswer]
    ) -> Sequence[Proposal] | str:
        """What rules and models propose together. As live, one answer that cannot be used spoils the decision."""
        proposals = list(self._decider.rule_proposals(plan, seen))
        for question, answer in zip(questions, answers, strict=True):
            if answer.failure is not None:
                return answer.failure
            read = self._decider.read(question, answer.text)
            if isinstance(read, Unusable):
                return INVALID_OUTPUT
            proposals.extend(read)
        return proposals
