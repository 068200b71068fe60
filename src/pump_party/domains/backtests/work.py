"""Works off backtests, one after another, each in a process of its own. Killed at any moment it begins again later.

A result depends on the request alone, so that the second time gives the same bytes as the first would have.
"""

from collections.abc import Callable
from hashlib import sha256

import msgspec

from pump_party.domains.backtests.answer_book import AnswerBook
from pump_party.domains.backtests.model import Outcome
from pump_party.domains.backtests.played import read_played
from pump_party.domains.backtests.store import (
    Artifacts,
    BacktestStore,
    Ended,
    Player,
    PlayerEnded,
    PlayRequest,
    StrategySeal,
    result_place,
)
from pump_party.domains.backtests.views import ENDED, BacktestState, BacktestView, Summary
from pump_party.kernel.errors import Refusal, Unavailable
from pump_party.kernel.ids import BacktestId
from pump_party.platform.clock import Clock
from pump_party.platform.jobs import Job

ATTEMPTS_MAX = 5
"""A backtest whose worker was lost this often is what the workers are lost by."""

PLAY_MS_MAX = 30 * 60_000

OBJECTS_AT_ONCE = 200
"""Objects that one step of pruning deletes."""


class _Stopping(Exception):
    """The worker is to end; the backtest is not to blame."""


class BacktestWork:
    """Implements `contract.BacktestWork`."""

    def __init__(
        self,
        store: BacktestStore,
        seal: StrategySeal,
        player: Player,
        artifacts: Artifacts,
        clock: Clock,
        book: Callable[[BacktestView], AnswerBook],
    ) -> None:
        """`book` has the answers of models for a backtest."""
        self._store = store
        self._seal = seal
        self._player = player
        self._artifacts = artifacts
        self._clock = clock
        self._book = book

    def take_over(self) -> None:
        self._store.free()

    def next_job(self) -> Job | None:
        return self._store.claim(now_ms=self._clock.now_ms())

    def work_off(self, job: Job, is_stopping: Callable[[], bool]) -> BacktestState:
        view = self._store.find(job.key)
        if view is None or view.state in ENDED:
            ended = Ended(state=BacktestState.CANCELLED, finished_ms=self._clock.now_ms())
        else:
            try:
                ended = self._play(job, view, is_stopping)
            except _Stopping:
                return BacktestState.WAITING
        self._store.finish(job, ended)
        return ended.state

    def _play(self, job: Job, view: BacktestView, is_stopping: Callable[[], bool]) -> Ended:
        if job.attempt > ATTEMPTS_MAX:
            return self._failed("gave_up", f"its process was lost {ATTEMPTS_MAX} times")
        self._store.begin(view.backtest_id, now_ms=self._clock.now_ms())
        until_ms = self._clock.now_ms() + PLAY_MS_MAX
        is_late = False
        book = self._book(view)

        def tell(minutes_done: int) -> bool:
            nonlocal is_late
            now_ms = self._clock.now_ms()
            is_late = now_ms > until_ms
            wanted = self._store.progress(job, minutes_done=minutes_done, now_ms=now_ms)
            return wanted and not is_late and not is_stopping()

        try:
            body = self._player.play(self._request(view), tell, book)
        except PlayerEnded as error:
            return self._failed("player_ended", str(error))
        except Unavailable:
            raise
        except Refusal as refusal:
            return self._failed(refusal.code, refusal.detail)
        if body is None:
            if is_late:
                return self._failed("too_slow", f"took more than {PLAY_MS_MAX // 60_000} minutes")
            if is_stopping():
                raise _Stopping
            return Ended(state=BacktestState.CANCELLED, finished_ms=self._clock.now_ms())
        return self._done(view, body, book)

    def prune(self) -> int:
        gone = self._store.gone(limit=OBJECTS_AT_ONCE)
        if gone:
            # Objects first: what a crash leaves behind is found and deleted again.
            self._artifacts.delete_at(gone)
            self._store.forget_gone(gone)
        return len(gone)

    def _request(self, view: BacktestView) -> PlayRequest:
        sealed = self._store.sealed(BacktestId(view.backtest_id))
        assert sealed is not None
        return PlayRequest(
            name=view.name,
            strategy=msgspec.Raw(self._seal.open(view.user_id, view.backtest_id, sealed)),
            tape=view.tape,
            rule_set=view.rule_set,
            from_ms=view.from_ms,
            to_ms=view.to_ms,
        )

    def _done(self, view: BacktestView, body: bytes, book: AnswerBook) -> Ended:
        outcome = read_played(body).outcomes[0]
        artifact_sha256 = sha256(body).hexdigest()
        self._artifacts.put_at(result_place(view.backtest_id, artifact_sha256), body)
        return Ended(
            state=BacktestState.DONE,
            finished_ms=self._clock.now_ms(),
            result_hash=outcome.sha256,
            artifact_sha256=artifact_sha256,
            summary=_summary(outcome),
            asked=book.asked_now(),
        )

    def _failed(self, code: str, detail: str) -> Ended:
        return Ended(state=BacktestState.FAILED, finished_ms=self._clock.now_ms(), code=code, detail=detail)


def _summary(outcome: Outcome) -> Summary:
    results = outcome.results
    return Summary(
        equity_micros=results.equity_micros,
        return_ppm=results.return_ppm,
        max_drawdown_ppm=results.max_drawdown_ppm,
        sharpe=results.sharpe,
        fills=results.fills,
        fees_micros=results.fees_micros,
        funding_micros=results.funding_micros,
        slots=outcome.slots,
        models=outcome.models,
    )
