"""What makes a request the same request: every command is repeated by its key, and answered once."""

from typing import Protocol

import msgspec

from pump_party.platform.clock import Clock

FOR_EVER = 0
PRUNED_AT_ONCE = 500
_DAY_MS = 24 * 3_600_000


class RequestKey(msgspec.Struct, frozen=True):
    """Names a repeatable request. Another `request_sha256` under the same key is a mistake of the caller."""

    scope: str
    """Whose request, and which operation: keys of different scopes are different."""

    key: str
    request_sha256: str
    """Hex, of what was asked."""


class Answers(Protocol):
    def prune(self, *, before_ms: int, limit: int) -> int:
        """Delete first answers from before a time. Returns how many."""
        ...


class AnswerRetention:
    """Deletes first answers some days after they were given: the same request under the same key is then a new one.

    A caller who repeats does so within minutes, and may rely on days. Keys of orders, of runs and of deployments are
    those of their own rows and live as long as these; those of money never expire. Several at once are harmless.
    """

    def __init__(self, answers: Answers, clock: Clock, *, kept_days: int) -> None:
        """With `kept_days` FOR_EVER nothing is deleted."""
        self._answers = answers
        self._clock = clock
        self._kept_days = kept_days

    def prune(self) -> int:
        """Delete a bounded batch. Returns how many rows went: call again until it is 0. Raises Unavailable."""
        if self._kept_days == FOR_EVER:
            return 0
        before_ms = self._clock.now_ms() - self._kept_days * _DAY_MS
        return self._answers.prune(before_ms=before_ms, limit=PRUNED_AT_ONCE)
