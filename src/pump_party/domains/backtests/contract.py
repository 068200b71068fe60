"""What apps may ask of backtests."""

from collections.abc import Callable, Sequence
from typing import Protocol

from pump_party.domains.backtests.model import MINUTE_MS as MINUTE_MS
from pump_party.domains.backtests.model import DecisionCount as DecisionCount
from pump_party.domains.backtests.model import DecisionRow as DecisionRow
from pump_party.domains.backtests.model import Entrant as Entrant
from pump_party.domains.backtests.model import ModelUse as ModelUse
from pump_party.domains.backtests.model import Outcome as Outcome
from pump_party.domains.backtests.played import Played as Played
from pump_party.domains.backtests.views import AskedNow as AskedNow
from pump_party.domains.backtests.views import BacktestState as BacktestState
from pump_party.domains.backtests.views import BacktestView as BacktestView
from pump_party.domains.backtests.views import Comparison as Comparison
from pump_party.domains.backtests.views import DecisionPage as DecisionPage
from pump_party.domains.backtests.views import ResultView as ResultView
from pump_party.domains.backtests.views import StartBacktest as StartBacktest
from pump_party.domains.backtests.views import Summary as Summary
from pump_party.domains.backtests.views import TapeMarket as TapeMarket
from pump_party.domains.backtests.views import TapeView as TapeView
from pump_party.domains.backtests.views import UseModels as UseModels
from pump_party.kernel.ids import UserId
from pump_party.platform.jobs import Job

WAITING_PER_USER_MAX = 5
"""Waiting or running."""

KEPT_PER_USER_MAX = 100
"""Finished ones; a new one takes the place of the oldest."""

MARKET_MINUTES_MAX = 600_000
"""Minutes times markets of one backtest: half a year of two markets, a month of all."""

MODEL_CALLS_MAX = 500
"""Calls of models of one backtest that asks: what it asks beyond is missing."""

ANSWERS_PER_USER_MAX = 20_000
"""Kept for backtests to come."""

COMPARED_MAX = 10
NAME_CHARS_MAX = 60
DECISIONS_LIMIT_MAX = 200


class Backtests(Protocol):
    """Strategies played over recorded minutes, as jobs. Synchronous and safe to call from threads.

    A method that takes a `user_id` raises NotFound (backtest_not_found) for what is not this user's.
    """

    def tapes(self) -> Sequence[TapeView]:
        """What can be played here."""
        ...

    def start(self, command: StartBacktest) -> BacktestView:
        """Queue a backtest. The same request again returns the first answer.

        Raises Invalid (tape_not_found, market_not_on_tape, no_common_time, backtest_too_long, rule_set_unknown,
        invalid_strategy, model_not_offered, one_of, bad_name), NotFound (clone_not_found, version_not_found),
        Conflict (not_published, too_many_backtests).
        """
        ...

    def mine(self, user_id: UserId) -> Sequence[BacktestView]:
        """Newest first; at most KEPT_PER_USER_MAX and those that have not ended."""
        ...

    def one(self, user_id: UserId, backtest_id: str) -> BacktestView: ...

    def result(self, user_id: UserId, backtest_id: str) -> ResultView:
        """Raises Conflict (backtest_not_done), Unavailable."""
        ...

    def decisions(self, user_id: UserId, backtest_id: str, *, cursor: str | None, limit: int) -> DecisionPage:
        """Every decision that was more than to hold. Raises Conflict (backtest_not_done), Invalid (bad_cursor)."""
        ...

    def compare(self, user_id: UserId, backtest_ids: Sequence[str]) -> Comparison:
        """Raises Invalid (bad_comparison, not_comparable), Conflict (backtest_not_done)."""
        ...

    def cancel(self, user_id: UserId, backtest_id: str) -> BacktestView:
        """End one that waits or runs. One that has ended stays as it is."""
        ...


class BacktestWork(Protocol):
    """What the one worker that leads does. Synchronous."""

    def take_over(self) -> None:
        """Make due again what a worker before left undone."""
        ...

    def next_job(self) -> Job | None: ...

    def work_off(self, job: Job, is_stopping: Callable[[], bool]) -> BacktestState:
        """Play one to its end, or until `is_stopping`: then it is begun again later. Raises Unavailable, LeaseLost."""
        ...

    def prune(self) -> int:
        """Delete a batch of results and answers that nobody names any more, whoever leads. Returns how many: call again
        until it is 0. Raises Unavailable.
        """
        ...
