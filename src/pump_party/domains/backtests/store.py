"""What backtests must remember, and what plays them. `db/backtests.py` and adapters implement it."""

from collections.abc import Callable, Mapping, Sequence
from hashlib import sha256
from typing import Protocol

import msgspec

from pump_party.domains.backtests.thinking import Answers
from pump_party.domains.backtests.views import AskedNow, BacktestState, BacktestView, Summary, TapeView
from pump_party.kernel.ids import BacktestId, UserId
from pump_party.platform.jobs import Job

LEASE_MS = 30_000


class Ended(msgspec.Struct, frozen=True, kw_only=True):
    """How a backtest came to its end."""

    state: BacktestState
    finished_ms: int
    code: str | None = None
    detail: str | None = None
    result_hash: str | None = None
    artifact_sha256: str | None = None
    summary: Summary | None = None
    asked: AskedNow | None = None


class BacktestStore(Protocol):
    def add(self, view: BacktestView, sealed: bytes, *, key: str, request_sha256: str) -> BacktestView:
        """Store a waiting backtest with its job, or return the first answer under this key.

        The oldest finished ones beyond KEPT_PER_USER_MAX are deleted. Raises Conflict (too_many_backtests),
        IdempotencyMismatch.
        """
        ...

    def recall(self, user_id: UserId, *, key: str, request_sha256: str) -> BacktestView | None:
        """The first answer under this key. Raises IdempotencyMismatch."""
        ...

    def find(self, backtest_id: str) -> BacktestView | None: ...

    def of_user(self, user_id: UserId) -> Sequence[BacktestView]:
        """Newest first."""
        ...

    def sealed(self, backtest_id: BacktestId) -> bytes | None:
        """The sealed strategy of one that has not ended."""
        ...

    def cancel(self, backtest_id: BacktestId, *, now_ms: int) -> None:
        """End one that has not ended, whoever works on it."""
        ...

    def free(self) -> None:
        """Make due what is leased to a worker that is gone."""
        ...

    def claim(self, *, now_ms: int) -> Job | None: ...

    def begin(self, backtest_id: BacktestId, *, now_ms: int) -> None: ...

    def progress(self, job: Job, *, minutes_done: int, now_ms: int) -> bool:
        """Note how far it is and keep the lease. False when it was cancelled. Raises LeaseLost."""
        ...

    def finish(self, job: Job, ended: Ended) -> None:
        """In one transaction with the job's end. One that was cancelled meanwhile stays so. Raises LeaseLost."""
        ...

    def gone(self, *, limit: int) -> Sequence[str]:
        """Places of objects that no backtest and no answer names any more, and none ever will."""
        ...

    def forget_gone(self, places: Sequence[str]) -> None:
        """What lay there is deleted."""
        ...


class Artifacts(Protocol):
    """Bodies by their place."""

    def put_at(self, place: str, body: bytes) -> bool: ...

    def get_at(self, place: str) -> bytes:
        """Raises NotFound, Unavailable."""
        ...

    def delete_at(self, places: Sequence[str]) -> None:
        """A place where nothing is, is none. Raises Unavailable."""
        ...


def result_place(backtest_id: str, artifact_sha256: str) -> str:
    """Where a result is kept. Two backtests may come to the same bytes: each has its own, so that it can go with it."""
    return sha256(f"{backtest_id}|{artifact_sha256}".encode()).hexdigest()


class StrategySeal(Protocol):
    """Keeps a strategy from whoever reads the database while its backtest waits."""

    def seal(self, user_id: UserId, backtest_id: BacktestId, strategy: bytes) -> bytes:
        """Raises Unavailable (strategy_key_missing)."""
        ...

    def open(self, user_id: UserId, backtest_id: BacktestId, sealed: bytes) -> bytes:
        """Raises Unavailable (strategy_key_missing, seal_broken)."""
        ...


class AnswerRow(msgspec.Struct, frozen=True, kw_only=True):
    """What is kept of an answer beside its words, which are at a place of the object store."""

    answer_key: str
    model: str
    context_sha256: str
    prompt_sha256: str
    template: str
    place: str
    failure: str | None
    tokens_in: int
    tokens_out: int
    cost_micros: int | None
    price_table: str | None
    at_ms: int


class AnswerStore(Protocol):
    """What models answered in backtests, by the question's key. A user's are only ever his."""

    def find(self, user_id: UserId, keys: Sequence[str]) -> Mapping[str, AnswerRow]: ...

    def keep(self, user_id: UserId, rows: Sequence[AnswerRow]) -> None:
        """A newer answer takes the place of an older one. The oldest beyond ANSWERS_PER_USER_MAX go."""
        ...


class AnswerBodies(Protocol):
    """What models said, sealed."""

    def put(self, user_id: UserId, key: str, text: str) -> str:
        """Returns its place. Raises Unavailable."""
        ...

    def get(self, user_id: UserId, key: str, place: str) -> str | None:
        """None for what is gone, or cannot be opened any more. Raises Unavailable."""
        ...


class Shelf(Protocol):
    """The tapes that can be played here."""

    def tapes(self) -> Sequence[TapeView]: ...


class PlayRequest(msgspec.Struct, frozen=True, kw_only=True):
    """One strategy over one tape."""

    name: str
    strategy: msgspec.Raw
    tape: str
    rule_set: str
    from_ms: int
    to_ms: int


class PlayerEnded(Exception):
    """The backtest's process ended without a result."""


class Player(Protocol):
    def play(self, request: PlayRequest, tell: Callable[[int], bool], answers: Answers) -> bytes | None:
        """The `Played` of a request in its bytes, or None because `tell` did not want it any more.

        `tell` hears about once a second how many minutes are done, also while `answers` are waited for. Raises Refusal
        for what cannot be played, PlayerEnded.
        """
        ...
