"""How a decision asks a language model: one question, one typed answer, or a failure that has a name.

`adapters/models.py` implements it. Nothing here is tried again: that is for whoever knows the deadline.
"""

from collections.abc import Mapping, Sequence
from enum import StrEnum
from typing import Any, Protocol

import msgspec

MODEL_NAME_CHARS_MAX = 120

ANSWER_BYTES_MAX = 64 * 1024
"""A longer answer is not one: it is recorded as invalid output."""


class ModelFailure(StrEnum):
    """Why there is no answer. Only `rate_limited` and `provider_down` may be worth another try."""

    REFUSAL = "refusal"
    TIMEOUT = "timeout"
    PROVIDER_DOWN = "provider_down"
    RATE_LIMITED = "rate_limited"
    INVALID_OUTPUT = "invalid_output"
    NOT_CONFIGURED = "not_configured"
    """The provider has no key here, does not know the model, or does not take the key."""


class ModelUsage(msgspec.Struct, frozen=True):
    """What a call took. The cost is None where the price of the model is not known; nobody guesses it."""

    tokens_in: int = 0
    tokens_out: int = 0
    cost_micros: int | None = None
    price_table: str | None = None
    """Which table of prices the cost was read from."""


class ModelAnswer(msgspec.Struct, frozen=True):
    """`text` is what the model wrote, to the byte; `parsed` the same as a JSON object."""

    text: str
    parsed: Mapping[str, Any]
    usage: ModelUsage
    latency_ms: int
    finish: str


class ModelFailed(Exception):
    """There is no answer to use. `text` is what came instead, `usage` what it took all the same.

    `detail` is in our words and may be stored and shown. `text` is the model's or its provider's, which may quote the
    prompt: it is the owner's alone.
    """

    def __init__(
        self,
        failure: ModelFailure,
        detail: str,
        *,
        text: str = "",
        usage: ModelUsage | None = None,
        latency_ms: int = 0,
        retry_after_ms: int | None = None,
    ) -> None:
        super().__init__(detail)
        self.failure = failure
        self.detail = detail
        self.text = text
        self.usage = usage or ModelUsage()
        self.latency_ms = latency_ms
        self.retry_after_ms = retry_after_ms


class ModelMessage(msgspec.Struct, frozen=True):
    """`system` messages are ours; what people wrote is in `user` messages."""

    role: str
    text: str


class ModelClient(Protocol):
    """Asks models by their name "provider:model". Safe for many questions at once on one event loop."""

    def offered(self) -> Sequence[str]:
        """The models that the operator lets strategies name."""
        ...

    def prepare(self, model: str) -> None:
        """Load what asking this model needs, which takes seconds the first time. Call from a thread."""
        ...

    def cost_micros(self, model: str, *, tokens_in: int, tokens_out: int) -> int | None:
        """What so many tokens would cost, rounded up; None where the price is not known. Call from a thread."""
        ...

    async def complete(
        self,
        messages: Sequence[ModelMessage],
        schema: Mapping[str, Any],
        *,
        model: str,
        timeout_ms: int,
        tokens_max: int,
    ) -> ModelAnswer:
        """Ask once for a JSON object of this schema. Raises ModelFailed; anything else is a bug.

        The object is as the model wrote it: whether it fits the schema is for the reader to judge, never repaired.
        """
        ...
