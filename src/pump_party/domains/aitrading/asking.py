"""A run's questions to a model: reserved, asked, and settled by what they took. Pure, but for the price of tokens."""

from collections.abc import Sequence

import msgspec

from pump_party.domains.aitrading.model import Question
from pump_party.domains.aitrading.model_client import ModelFailure, ModelUsage
from pump_party.domains.aitrading.model_desk import Answered, Ask
from pump_party.domains.aitrading.records import Call, CallState, Run
from pump_party.domains.aitrading.run_views import FailureCode
from pump_party.domains.aitrading.slots import DAY_MS
from pump_party.kernel.ids import CloneId, UserId

FAILURES = {
    ModelFailure.REFUSAL: FailureCode.REFUSAL,
    ModelFailure.TIMEOUT: FailureCode.TIMEOUT,
    ModelFailure.INVALID_OUTPUT: FailureCode.INVALID_OUTPUT,
    ModelFailure.PROVIDER_DOWN: FailureCode.PROVIDER_DOWN,
    ModelFailure.RATE_LIMITED: FailureCode.PROVIDER_DOWN,
    ModelFailure.NOT_CONFIGURED: FailureCode.PROVIDER_DOWN,
}

_encode = msgspec.json.Encoder().encode


class Asker(msgspec.Struct, frozen=True):
    """On whose account a question is asked. `key` and the question's place make a call's id."""

    key: str
    clone_id: CloneId
    user_id: UserId

    @classmethod
    def of(cls, run: Run) -> "Asker":
        return cls(run.run_id, run.clone_id, run.user_id)


class WrittenPrompt(msgspec.Struct, frozen=True):
    """A question as it is kept."""

    node_id: str
    template: str
    system: str
    user: str
    sha256: str


class WrittenAnswer(msgspec.Struct, frozen=True):
    """What came, to the byte. `failure` says why it is no answer."""

    node_id: str
    text: str
    failure: str | None = None


def asks_of(
    asker: Asker, questions: Sequence[Question], *, model: str, answer_tokens: int, deadline_ms: int
) -> list[Ask]:
    return [
        Ask(f"{asker.key}/{place}", model, question, answer_tokens, deadline_ms)
        for place, question in enumerate(questions)
    ]


def reserved(asker: Asker, ask: Ask, *, micros: int | None, at_ms: int) -> Call:
    """The most the call may take: every token of the prompt's bound and of the longest answer."""
    return Call(
        ask.call_id,
        asker.key,
        asker.clone_id,
        asker.user_id,
        at_ms // DAY_MS,
        ask.model,
        CallState.RESERVED,
        at_ms,
        ask.question.tokens_max,
        ask.tokens_max,
        micros,
    )


def settled(call: Call, answered: Answered, *, at_ms: int) -> Call:
    """What it took. A timeout may have been charged for all the same: then the reservation stands."""
    failed, answer = answered.failed, answered.answer
    if answer is not None:
        usage, latency_ms = answer.usage, answer.latency_ms
    else:
        assert failed is not None
        usage, latency_ms = failed.usage, failed.latency_ms
        if failed.failure is ModelFailure.TIMEOUT:
            usage = ModelUsage(call.tokens_in, call.tokens_out, call.micros)
    return msgspec.structs.replace(
        call,
        state=CallState.SETTLED,
        at_ms=at_ms,
        tokens_in=usage.tokens_in,
        tokens_out=usage.tokens_out,
        micros=usage.cost_micros,
        price_table=usage.price_table,
        latency_ms=latency_ms,
        attempts=answered.attempts,
        failure=None if failed is None else failed.failure.value,
    )


def prompt_body(questions: Sequence[Question]) -> bytes:
    return _encode([WrittenPrompt(q.node_id, q.template, q.system, q.user, q.sha256) for q in questions])


def answer_body(answers: Sequence[Answered]) -> bytes:
    return _encode(
        [
            WrittenAnswer(
                one.ask.question.node_id,
                one.answer.text if one.answer is not None else one.failed.text if one.failed is not None else "",
                None if one.failed is None else one.failed.failure.value,
            )
            for one in answers
        ]
    )


read_answers = msgspec.json.Decoder(list[WrittenAnswer]).decode
