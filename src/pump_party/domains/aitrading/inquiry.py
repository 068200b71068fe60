"""Questions to models outside of runs, such as those of backtests: within the same budgets, reserved before they are
asked and settled by what they took.
"""

from collections.abc import Sequence

import msgspec

from pump_party.domains.aitrading.asking import FAILURES, Asker, asks_of, reserved, settled
from pump_party.domains.aitrading.budget import BudgetLimits
from pump_party.domains.aitrading.model import ModelReply, Question
from pump_party.domains.aitrading.model_desk import ModelDesk
from pump_party.domains.aitrading.presenting import announce
from pump_party.domains.aitrading.records import Call, CallState
from pump_party.domains.aitrading.store import AITradingStore, Step
from pump_party.kernel.errors import Conflict, Invalid
from pump_party.kernel.ids import CloneId, UserId
from pump_party.platform.clock import Clock
from pump_party.platform.ids import Ids

INQUIRY_MS_MAX = 60_000
"""An answer is waited for no longer."""


class Inquiries:
    """Implements `contract.Inquirer`."""

    def __init__(
        self,
        store: AITradingStore,
        models: ModelDesk,
        limits: BudgetLimits,
        clock: Clock,
        ids: Ids,
        *,
        answer_tokens_max: int,
    ) -> None:
        self._store = store
        self._models = models
        self._limits = limits
        self._clock = clock
        self._ids = ids
        self._answer_tokens_max = answer_tokens_max

    def offered(self) -> Sequence[str]:
        return self._models.offered()

    def inquire(
        self, user_id: UserId, clone_id: CloneId, *, model: str, questions: Sequence[Question]
    ) -> Sequence[ModelReply]:
        if model not in self._models.offered():
            raise Invalid("is not a model that is offered here", code="model_not_offered", field="model")
        asker = Asker(f"inquiry/{self._ids.new()}", clone_id, user_id)
        now_ms = self._clock.now_ms()
        until_ms = now_ms + INQUIRY_MS_MAX
        asks = asks_of(asker, questions, model=model, answer_tokens=self._answer_tokens_max, deadline_ms=until_ms)
        calls = {}
        for ask in asks:
            micros = self._models.cost_micros(model, tokens_in=ask.question.tokens_max, tokens_out=ask.tokens_max)
            calls[ask.call_id] = reserved(asker, ask, micros=micros, at_ms=now_ms)
        self._reserve(list(calls.values()))
        answered = {one.ask.call_id: one for batch in self._models.ask(asks) for one in batch}
        now_ms = self._clock.now_ms()
        made = [settled(calls[call_id], one, at_ms=now_ms) for call_id, one in answered.items()]
        self._store.record(Step(settled=made), limits=self._limits, announce=announce)
        took = {call.call_id: call for call in made}
        replies = []
        for ask in asks:
            one, call = answered[ask.call_id], took[ask.call_id]
            failure = None if one.failed is None else FAILURES[one.failed.failure].value
            text = one.answer.text if one.answer is not None else ""
            replies.append(
                ModelReply(text, failure, call.tokens_in, call.tokens_out, call.micros, call.price_table, call.attempts)
            )
        return replies

    def _reserve(self, calls: Sequence[Call]) -> None:
        """All of them or none."""
        refused = self._store.record(Step(reserved=calls), limits=self._limits, announce=announce)
        if not refused:
            return
        over = {call.call_id for call in refused}
        nothing = {"state": CallState.SETTLED, "tokens_in": 0, "tokens_out": 0, "micros": 0}
        back = [msgspec.structs.replace(call, **nothing) for call in calls if call.call_id not in over]
        self._store.record(Step(settled=back), limits=self._limits, announce=announce)
        raise Conflict("the budget for models is used up for today", code="budget_exhausted")
