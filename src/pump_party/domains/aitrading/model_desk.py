"""How runs ask models: many questions at once, each tried again at most once within its time.

`adapters/model_desk.py` implements it.
"""

from collections.abc import Iterator, Sequence
from typing import Protocol

import msgspec

from pump_party.domains.aitrading.model import Question
from pump_party.domains.aitrading.model_client import ModelAnswer, ModelFailed

ATTEMPTS_MAX = 2
"""The same for every clone and provider: whoever answers second wins nothing by asking more often."""


class Ask(msgspec.Struct, frozen=True):
    """A question on its way. `deadline_ms` is server time: no answer is waited for longer."""

    call_id: str
    model: str
    question: Question
    tokens_max: int
    deadline_ms: int


class Answered(msgspec.Struct, frozen=True):
    """What came of it. Exactly one of `answer` and `failed` is set."""

    ask: Ask
    attempts: int
    answer: ModelAnswer | None
    failed: ModelFailed | None


class ModelDesk(Protocol):
    """Synchronous, safe to call from threads."""

    def offered(self) -> Sequence[str]:
        """The models that strategies may name."""
        ...

    def prepare(self) -> None:
        """Load what asking the offered models needs, before a deadline runs."""
        ...

    def cost_micros(self, model: str, *, tokens_in: int, tokens_out: int) -> int | None: ...

    def ask(self, asks: Sequence[Ask]) -> Iterator[Sequence[Answered]]:
        """The answers as they come, those that come together together. Ends when all have come."""
        ...
