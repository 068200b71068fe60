"""The answers of one user's models, for one backtest: those that are kept, and, where that is wanted, new ones.

What went wrong on the way to an answer is kept like one, so that the same backtest comes to the same result without
asking; a backtest that asks tries it again. What a model said and nobody can use stays said.
"""

from collections.abc import Sequence

from pump_party.domains.aitrading.contract import FailureCode, Inquirer, ModelReply
from pump_party.domains.backtests.contract import MODEL_CALLS_MAX
from pump_party.domains.backtests.store import AnswerBodies, AnswerRow, AnswerStore
from pump_party.domains.backtests.thinking import Asked, KeptAnswer
from pump_party.domains.backtests.views import AskedNow, UseModels
from pump_party.kernel.errors import Conflict, Invalid
from pump_party.kernel.ids import CloneId, UserId
from pump_party.platform.clock import Clock

PASSING = frozenset((FailureCode.TIMEOUT, FailureCode.PROVIDER_DOWN))
MODEL_CALLS_EXHAUSTED = "model_calls_exhausted"


class AnswerBook:
    """Implements `thinking.Answers`. Counts what it asks."""

    def __init__(
        self,
        store: AnswerStore,
        bodies: AnswerBodies,
        inquirer: Inquirer,
        clock: Clock,
        *,
        user_id: UserId,
        clone_id: CloneId | None,
        use_models: UseModels,
    ) -> None:
        self._store = store
        self._bodies = bodies
        self._inquirer = inquirer
        self._clock = clock
        self._user_id = user_id
        # A draft has no clone: all drafts of a user share the budget of one.
        self._clone_id = clone_id or CloneId(f"drafts/{user_id}")
        self._asks = use_models is UseModels.ASK
        self._calls = self._cost_micros = self._unpriced = 0
        self._stopped: str | None = None

    def of(self, asked: Sequence[Asked]) -> Sequence[KeptAnswer] | None:
        kept = self._kept([one.key for one in asked])
        if self._asks:
            wanted = [one for one in asked if one.key not in kept or kept[one.key].failure in PASSING]
            kept |= self._ask(wanted) if wanted else {}
        if any(one.key not in kept for one in asked):
            return None
        return [kept[one.key] for one in asked]

    def asked_now(self) -> AskedNow | None:
        """What asking took so far; None for one that does not ask."""
        return AskedNow(self._calls, self._cost_micros, self._unpriced, self._stopped) if self._asks else None

    def _ask(self, wanted: Sequence[Asked]) -> dict[str, KeptAnswer]:
        if self._stopped is None and self._calls + len(wanted) > MODEL_CALLS_MAX:
            self._stopped = MODEL_CALLS_EXHAUSTED
        if self._stopped is not None:
            return {}
        questions = [one.question for one in wanted]
        try:
            replies = self._inquirer.inquire(self._user_id, self._clone_id, model=wanted[0].model, questions=questions)
        except (Conflict, Invalid) as refusal:
            self._stopped = refusal.code
            return {}
        pairs = list(zip(wanted, replies, strict=True))
        self._store.keep(self._user_id, [self._row(one, reply) for one, reply in pairs])
        return {one.key: self._taken(reply) for one, reply in pairs}

    def _kept(self, keys: Sequence[str]) -> dict[str, KeptAnswer]:
        kept = {}
        for key, row in self._store.find(self._user_id, keys).items():
            text = self._bodies.get(self._user_id, key, row.place)
            if text is not None:
                kept[key] = KeptAnswer(text, row.failure, row.tokens_in, row.tokens_out, row.cost_micros)
        return kept

    def _row(self, asked: Asked, reply: ModelReply) -> AnswerRow:
        return AnswerRow(
            answer_key=asked.key,
            model=asked.model,
            context_sha256=asked.context_sha256,
            prompt_sha256=asked.question.sha256,
            template=asked.question.template,
            place=self._bodies.put(self._user_id, asked.key, reply.text),
            failure=reply.failure,
            tokens_in=reply.tokens_in,
            tokens_out=reply.tokens_out,
            cost_micros=reply.cost_micros,
            price_table=reply.price_table,
            at_ms=self._clock.now_ms(),
        )

    def _taken(self, reply: ModelReply) -> KeptAnswer:
        self._calls += reply.attempts
        self._cost_micros += reply.cost_micros or 0
        self._unpriced += reply.cost_micros is None
        return KeptAnswer(reply.text, reply.failure, reply.tokens_in, reply.tokens_out, reply.cost_micros)
